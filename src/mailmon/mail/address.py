"""How does an address go over the wire that is not ASCII? (RFC 6531 for the mailbox, RFC 5890 for the domain) Pure.

A domain always has an ASCII form, its A-labels, which every server takes. A local part has none: it needs SMTPUTF8.
"""

from __future__ import annotations

import re

MAX_LOCAL_BYTES, MAX_DOMAIN = 64, 253
# What an atom of a local part may hold beside letters and digits (RFC 5322 section 3.2.3), and dots.
_ATOM = re.compile(r"[^\s\x00-\x20()<>@,;:\\\"\[\]\x7f]+")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def a_labels(domain: str) -> str:
    """Return a domain in ASCII, as DNS has it (IDNA 2008). Raises ValueError for what is no domain.

    >>> a_labels("bücher.example"), a_labels("Example.org")
    ('xn--bcher-kva.example', 'Example.org')
    """
    if len(domain) > MAX_DOMAIN:  # idna takes quadratic time
        raise ValueError(f"{domain[:80]!r} is no domain: it has {len(domain)} characters")
    if not domain.isascii():
        import idna

        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError) as exc:
            raise ValueError(f"{domain[:80]!r} is no domain: {exc}") from exc
    if len(domain) > MAX_DOMAIN or not all(_LABEL.fullmatch(label) for label in domain.split(".")):
        raise ValueError(f"{domain[:80]!r} is no domain")
    return domain


def wire_address(address: str) -> str:
    """Return an address as it is sent: with a domain in ASCII, unless its local part needs SMTPUTF8 anyway.

    Raises ValueError for what is no address.

    >>> wire_address("office@bücher.example"), wire_address("jürgen@bücher.example")
    ('office@xn--bcher-kva.example', 'jürgen@bücher.example')
    """
    local, at, domain = address.rpartition("@")
    if not at or not _ATOM.fullmatch(local) or not local.isprintable() or len(local.encode()) > MAX_LOCAL_BYTES:
        raise ValueError("must be a mail address (user@example.org)")
    ascii_domain = a_labels(domain)
    return f"{local}@{ascii_domain}" if local.isascii() else address
