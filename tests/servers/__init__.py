"""Real mail servers of Debian, each in a tree and a network of its own, and one scenario for all of them.

`python -m tests.servers` runs every combination in combinations.py and prints the table of docs/measurements.md. A
server is one file: a class derived from Transport (SMTP) or Store (IMAP and POP3), see parts.py. Needs root,
mmdebstrap, iproute2 and util-linux; trees are cached in $XDG_CACHE_HOME/mailmon-servers.
"""
