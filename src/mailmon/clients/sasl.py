"""How does one log in with a token instead of a password? (XOAUTH2 as Google and Microsoft have it; RFC 7628)"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from mailmon.clients.server import Server


class Bearer(NamedTuple):
    """A mechanism, its first words, and what is said to the error that a refusal begins with."""

    mechanism: str
    initial: bytes
    resigned: bytes


def bearer(offered: Collection[str], username: str, token: str, server: Server) -> Bearer | None:
    """Return how to log in with a token where these mechanisms are offered, None where it cannot be done."""
    if "XOAUTH2" in offered:
        return Bearer("XOAUTH2", f"user={username}\x01auth=Bearer {token}\x01\x01".encode(), b"")
    if "OAUTHBEARER" in offered:
        name = username.replace("=", "=3D").replace(",", "=2C")  # RFC 5801 section 4
        place = f"host={server.host}\x01port={server.port}\x01"
        return Bearer("OAUTHBEARER", f"n,a={name},\x01{place}auth=Bearer {token}\x01\x01".encode(), b"\x01")
    return None
