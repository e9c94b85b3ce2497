"""SASL mechanisms with a password or a token, for every protocol; scram.py has SCRAM, conversation.py the exchange.

PLAIN (RFC 4616), LOGIN (draft-murchison-sasl-login), SCRAM-SHA-256 (RFC 7677); XOAUTH2 as Google and Microsoft have it,
OAUTHBEARER (RFC 7628).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from mailmon.clients.server import Server
from mailmon.errors import MalformedError

_TOKENS = ("XOAUTH2", "OAUTHBEARER")
# Over TLS the one with the fewest round trips first; where others can read along, the one that shows no password.
_PASSWORDS = ("PLAIN", "LOGIN", "SCRAM-SHA-256")
_PASSWORDS_IN_CLEAR = ("SCRAM-SHA-256", "PLAIN", "LOGIN")


class SaslError(MalformedError):
    """A challenge that a mechanism cannot answer; `problem` is the finding that this amounts to."""

    def __init__(self, message: str, problem: str = "protocol_error") -> None:
        super().__init__(message)
        self.problem = problem


class Exchange:
    """A login by one mechanism: what is said first, and to each challenge of the server."""

    def __init__(self, mechanism: str, *answers: str) -> None:
        self.mechanism = mechanism
        self._answers = iter(answers)

    @property
    def has_initial(self) -> bool:
        """Return whether the client speaks first (RFC 4422 section 5)."""
        return self.mechanism != "LOGIN"

    def answer(self, challenge: bytes) -> bytes:
        """Return what is said to the next challenge; the client's first words answer an empty one. Raises SaslError."""
        words = next(self._answers, None)
        if words is None:
            raise SaslError("the server asks for more than the login has")
        return words.encode()

    def finish(self) -> None:
        """Raise SaslError where the server has yet to prove who it is although it accepted the login."""


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


def password_mechanisms(offered: Collection[str], *, is_encrypted: bool) -> list[str]:
    """Return by which of the mechanisms that are offered a password can be used, the best one first."""
    return [name for name in (_PASSWORDS if is_encrypted else _PASSWORDS_IN_CLEAR) if name in offered]


def advise_on_offer(offered: Collection[str], if_nothing: str) -> str:
    """Return what to do where a password fits none of the mechanisms that are offered."""
    if any(name in offered for name in _TOKENS):
        return "The server wants an access token, not a password: set `token_command` or `oauth` for the account."
    known = "PLAIN, LOGIN or SCRAM-SHA-256 with a password, by XOAUTH2 or OAUTHBEARER with a token"
    return f"mailmon logs in by {known}: enable one of them on the server." if offered else if_nothing


def advise_on_token(offered: Collection[str]) -> str:
    """Return what to do where a token fits none of the mechanisms that are offered."""
    if any(name in offered for name in _PASSWORDS):
        return "A token needs XOAUTH2 or OAUTHBEARER; the server wants a password."
    return "A token needs XOAUTH2 or OAUTHBEARER."
