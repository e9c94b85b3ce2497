"""Internationalised addresses on the wire: SMTPUTF8 (RFC 6531) and A-labels (RFC 5890). Pure.

A domain always has an ASCII form, its A-labels, which every server takes. A local part has none: it needs SMTPUTF8.
"""

from __future__ import annotations

import re

MAX_LOCAL_BYTES, MAX_DOMAIN, MAX_LABEL = 64, 253, 63
# What an atom of a local part may hold beside letters and digits (RFC 5322 section 3.2.3), and dots.
_ATOM = re.compile(r"[^\s\x00-\x20()<>@,;:\\\"\[\]\x7f]+")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def a_labels(domain: str) -> str:
    """Return a domain in ASCII, as DNS has it (IDNA 2008). Raises ValueError for what is not a domain.

    >>> a_labels("bücher.example"), a_labels("Example.org")
    ('xn--bcher-kva.example', 'Example.org')
    """
    if not domain.isascii() or len(domain) > MAX_DOMAIN:
        domain = dns_name(domain)
    if len(domain) > MAX_DOMAIN or not all(_LABEL.fullmatch(label) for label in domain.split(".")):
        raise ValueError(f"{domain[:80]!r} is not a domain")
    return domain


def dns_name(text: str) -> str:
    """Return a name as DNS has it: lower case, labels beyond ASCII as A-labels. Raises ValueError.

    By IDNA 2008 with the mapping of UTS 46 (RFC 5891, RFC 5895), never by IDNA 2003, for which straße.example is
    another domain, strasse.example. Labels in ASCII stay as they are, also with the underscore that hosts may not have.

    >>> dns_name("_dmarc.Straße.example"), dns_name("MX1.Example.org")
    ('_dmarc.xn--strae-oqa.example', 'mx1.example.org')
    """
    if len(text) > MAX_DOMAIN:  # idna takes quadratic time
        raise ValueError(f"{text[:80]!r} is not a domain: it has {len(text)} characters")
    if text.isascii():
        return text.lower()
    import idna

    try:
        mapped = idna.uts46_remap(text, std3_rules=False, transitional=False)
        labels = mapped.split(".")
        name = ".".join(label if label.isascii() else idna.alabel(label).decode("ascii") for label in labels)
    except (idna.IDNAError, UnicodeError) as exc:
        raise ValueError(f"{text[:80]!r} is not a domain by IDNA 2008: {exc}") from exc
    if len(name) > MAX_DOMAIN:
        raise ValueError(f"{text[:80]!r} is not a domain: it has {len(name)} characters as A-labels")
    return name.lower()


def why_no_name(name: str) -> str:
    """Return why DNS can hold no host or domain of this name (without the final dot), "" where it can.

    Labels have 1 to 63 bytes (RFC 1035 section 2.3.4), and the last is never a number, which would make an address of
    the name (RFC 1123 section 2.1, RFC 3696 section 2).

    >>> why_no_name("a..b"), why_no_name("5.9.7.256"), why_no_name("4.example")
    ('a label is empty', 'the last label is a number, as in an address', '')
    """
    labels = name.split(".")
    if not all(labels):
        return "a label is empty"
    if any(len(label) > MAX_LABEL for label in labels):
        return f"a label has more than {MAX_LABEL} characters"
    last = labels[-1]
    return "the last label is a number, as in an address" if last.isascii() and last.isdigit() else ""


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
