"""What is wrong with this mail server? Findings about a host, seen from here and now (docs/diagnose.md).

plan.py       which addresses, ports and protocols
run.py        all of them side by side, under one deadline
session.py    one endpoint: greeting, capabilities, TLS, what it offers before and after
speakers/     what differs between SMTP, IMAP, POP3 and ManageSieve
handshake.py, certificate.py   TLS, and what the certificate is worth
names.py, relay.py, guests.py, intrusive.py, dnsbl.py   one question each
catalogue.py  severity, fix and reference of each finding
"""
