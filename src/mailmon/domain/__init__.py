"""Checks of what a domain publishes for its mail (docs/dns.md): one file per kind of record, each with `run(check)`.

survey.py      all record checks side by side, under one deadline; its table CHECKS names each in one line
context.py     what all of them share, and where results are collected
options.py     how a domain is checked, and how its name is read
servers.py     sessions with the servers of the domain, for DANE, CAA, certificates and SRV
runbook.py     what to publish, in the order in which it is done
changes.py     records that are not as they were
"""
