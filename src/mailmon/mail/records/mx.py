"""MX records (RFC 5321 section 5.1) and the null MX (RFC 7505)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Exchanger(NamedTuple):
    """One MX record."""

    preference: int
    host: str


def exchangers_of(values: Iterable[str]) -> tuple[Exchanger, ...]:
    """Return the hosts of MX records in zone-file form, the preferred first; a null MX has none.

    >>> [one.host for one in exchangers_of(["20 b.example.", "10 a.example.", "0 ."])]
    ['a.example', 'b.example']
    """
    pairs = (value.partition(" ") for value in values)
    return tuple(sorted(Exchanger(int(number), host.rstrip(".")) for number, _, host in pairs if host.rstrip(".")))
