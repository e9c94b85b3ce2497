"""SPF: whether a client may send mail for a domain (RFC 7208).

record.py   a record, read into terms
macros.py   `%{i}` and its like
check.py    check_host(): the terms one by one, with the limits of section 4.6.4
tree.py     all records that one leads to, whoever the client is
values.py   what DNS said, what came out, and what led to it
"""

from mailmon.mail.auth.spf.check import check_host
from mailmon.mail.auth.spf.values import Client, Found, Result, Verdict

__all__ = ["Client", "Found", "Result", "Verdict", "check_host"]
