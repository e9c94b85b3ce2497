"""Examination of a mail server from outside: findings about a host, seen from here and now (docs/diagnose.md).

plan.py, targets.py     what is examined: options, ports and protocols; the addresses and MX hosts of a name
run.py                  all endpoints side by side, under one deadline
session.py              what was learnt of one endpoint, and further connections to it; connection.py is the wire
conversation.py         the conversation with one endpoint; greeting.py judges greeting, EHLO and capabilities
followup.py             what is asked on further connections: relay.py, vrfy.py, weak_tls.py, intrusive.py
protocols/              SMTP, IMAP, POP3 and ManageSieve, as far as they differ
handshake.py            TLS contexts and the outcome of a handshake; key_exchange.py measures Diffie-Hellman groups
certificate.py          the judgement on a certificate; tls_policy.py says what senders demand of it
mta_sts.py, dane.py     the MTA-STS policy of a domain; TLSA records against certificates
names.py                PTR records and host names
dnsbl.py, blocklists.py DNS block lists
cross_checks.py         what shows only when all ports of a host are seen together; mx_hosts.py for those of a domain
"""
