"""Does a domain publish what its mail needs, and does reality keep to it? One file for each kind of record.

scene.py      what all of them share: the domain, its MX hosts, and how questions are asked
survey.py     all of them side by side, under one deadline
expected.py   what should be published, ready to be copied
live.py       the certificates that the MX hosts really show
"""
