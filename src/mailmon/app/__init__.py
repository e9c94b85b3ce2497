"""The use cases of mailmon: functions that take values and return values, without a terminal.

check.py     one run of all checks
status.py    the health of every check
alerts.py    the alerts that were sent, dropped, or are pending
silence.py   silences: begin, list, end
diagnose.py  a mail server, examined from outside
dns.py       the DNS records of a domain
spf.py       SPF for one client
bounces/     messages classified; bounce folders scanned; the bounce log read
setup.py     the configuration loaded and the state entered, which all of them need first
root.py      what root does before it touches another user's state

Each returns values of `model/`; `render/document.py` makes the JSON documents of them. Nothing here prints, reads
options or ends the process. Errors are those of `errors.py`: UsageError for a value that cannot be used.
"""
