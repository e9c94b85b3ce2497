"""Values of SPF: the client's identity, DNS answers, results and their trace."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

# Terms that ask DNS, terms whose names find nothing, and names of an mx or ptr (section 4.6.4).
MAX_LOOKUPS, MAX_VOID, MAX_NAMES = 10, 2, 10
ASKING = ("include", "a", "mx", "ptr", "exists")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Result(StrEnum):
    """The results of section 2.6."""

    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"  # noqa: S105 -- the word of RFC 7208
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


class Found(NamedTuple):
    """What DNS said. `is_error` is SERVFAIL, a refusal or silence; no values without an error is a void lookup.

    TXT strings are joined, one character a byte (latin-1).
    """

    values: tuple[str, ...] = ()
    is_error: bool = False
    why: str = ""


# (name, type) -> what is there; type is TXT, A, AAAA, MX or PTR. MX values are `preference host`.
Ask = Callable[[str, str], Found]


class Client(NamedTuple):
    """Who sends. `mail_from` may be empty: then it is postmaster at `helo` (section 2.4)."""

    address: Address
    helo: str
    mail_from: str = ""
    receiver: str = "unknown"
    now_s: int = 0

    @property
    def sender(self) -> str:
        """Return the identity that is checked, with a local part."""
        sender = self.mail_from or self.helo
        local, at, domain = sender.rpartition("@")
        return f"{local or 'postmaster'}@{domain}" if at else f"postmaster@{sender}"

    @property
    def domain(self) -> str:
        """Return the domain whose record is asked first."""
        return self.sender.rpartition("@")[2]


class Step(NamedTuple):
    """One term that was looked at: in whose record, and what came of it."""

    domain: str
    term: str
    outcome: str
    lookups: int


class Verdict(NamedTuple):
    """What came out. `lookups` are the terms that asked DNS (10 are allowed), `void_lookups` found nothing (2 are)."""

    result: Result
    explanation: str = ""
    reason: str = ""
    lookups: int = 0
    void_lookups: int = 0
    trace: tuple[Step, ...] = ()
    record: str = ""
