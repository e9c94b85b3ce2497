"""Short forms for people: keys by both ends, reverse names as addresses, both forms of an IDN. Pure."""

from __future__ import annotations

import ipaddress
import re

_HEAD, _TAIL = 12, 10
# Up to 48 characters are shown in full: an Ed25519 key in base64 (44), not a SHA-1 fingerprint with colons (59).
_KEY = re.compile(r"[A-Za-z0-9+/=:]{49,}")
_REVERSE = re.compile(
    r"(?<![\w.-])(?:(?:\d{1,3}\.){4}in-addr|(?:[0-9a-f]\.){32}ip6)\.arpa(?![\w-])", re.IGNORECASE | re.ASCII
)
_MAX_TEXT = 10_000


def short_keys(text: str) -> str:
    """Return text in which each long key or fingerprint (base64 or hexadecimal) is shown by both ends.

    >>> short_keys("3 1 1 " + "0123456789abcdef" * 4)
    '3 1 1 0123456789ab…6789abcdef'
    """
    return _KEY.sub(lambda match: f"{match[0][:_HEAD]}…{match[0][-_TAIL:]}", text)


def with_addresses(text: str) -> str:
    """Return text with the address in place of each complete name below in-addr.arpa or ip6.arpa (RFC 1035, 3596).

    >>> with_addresses("10.2.0.192.in-addr.arpa")
    '192.0.2.10'
    """
    return _REVERSE.sub(_address, text) if "arpa" in text.lower() and len(text) <= _MAX_TEXT else text


def _address(match: re.Match[str]) -> str:
    labels = match[0].lower().split(".")[:-2][::-1]
    try:
        if len(labels) == 4:
            return str(ipaddress.IPv4Address(".".join(labels)))
        return str(ipaddress.IPv6Address(int("".join(labels), 16)))
    except ValueError:
        return match[0]


def both_forms(name: str) -> str:
    """Return a name with its other form behind it where it is internationalised (RFC 5890).

    >>> both_forms("mail.example.org"), both_forms("xn--strae-oqa.example")
    ('mail.example.org', 'xn--strae-oqa.example (straße.example)')
    """
    if name.isascii() and "xn--" not in name.lower():
        return name
    import idna

    try:
        other = idna.decode(name) if name.isascii() else idna.encode(name, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return name
    return f"{name} ({other})" if other != name and other.isprintable() else name
