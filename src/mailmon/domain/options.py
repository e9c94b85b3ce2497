"""Options of a survey, and the reading of domain names and selectors. Every run loads it: keep it small."""

from __future__ import annotations

import re
from typing import NamedTuple

from mailmon.mail.message.address import dns_name, why_no_name

SMTP_PORT, HTTPS_PORT = 25, 443
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


class Options(NamedTuple):
    """How a domain is checked. `timeout_s` bounds each look-up and each step of a conversation, `deadline_s` the run.

    `own_addresses` are those that mail is sent from; `host` and `dkim_key` are for a domain that has no records yet.
    Without `connects` nothing but DNS is asked.
    """

    nameservers: tuple[tuple[str, int], ...] = ()
    timeout_s: float = 5.0
    deadline_s: float = 30.0
    connects: bool = True
    ca_file: str | None = None
    selectors: tuple[str, ...] = ()
    own_addresses: tuple[str, ...] = ()
    host: str = ""
    dkim_key: str = ""
    smtp_port: int = SMTP_PORT
    https_port: int = HTTPS_PORT


def read_domain(text: str) -> str:
    """Return a domain as written in DNS: in A-labels (IDNA 2008), lower case, without the final dot. Raises ValueError.

    >>> read_domain("Bücher.example."), read_domain("straße.example")
    ('xn--bcher-kva.example', 'xn--strae-oqa.example')
    """
    name = read_selector(text)
    if said := why_no_name(name):
        raise ValueError(f"{text[:80]!r} is not a domain name such as example.org: {said}")
    return name


def read_selector(text: str) -> str:
    """Return a DKIM selector as written in DNS, where the last label may be a number. Raises ValueError.

    >>> read_selector("Mail.2024")
    'mail.2024'
    """
    try:
        name = dns_name(text.strip().removesuffix("."))
    except ValueError as exc:
        raise ValueError(f"{exc}: give a domain name like example.org") from exc
    if not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise ValueError(f"{text[:80]!r} is not a domain name such as example.org")
    return name
