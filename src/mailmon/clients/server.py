"""Where is a server, and how much of it is trusted?"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Security(StrEnum):
    """How a connection is protected. Never lowered in silence."""

    TLS = "tls"
    STARTTLS = "starttls"
    PLAIN = "plain"


class Family(StrEnum):
    """Which addresses of a host are connected to."""

    AUTO = "auto"
    FOUR = "4"
    SIX = "6"


class Trust(NamedTuple):
    """Which certificates are good: those of `ca_file` (None: the system's), or just those pinned, or any."""

    ca_file: str | None = None
    tls_sha256: tuple[str, ...] = ()
    insecure: bool = False


class Server(NamedTuple):
    """One mail service. `timeout_s` bounds each single command, in seconds.

    `connect_to` is the host or address that is connected to in place of `host`, whose name the certificate must have.
    Without `needs_login` nobody logs in there. `helo` is our name in EHLO, by default the machine's.
    """

    protocol: str
    host: str
    port: int
    security: Security
    trust: Trust = Trust()
    timeout_s: float = 20.0
    family: Family = Family.AUTO
    connect_to: str = ""
    needs_login: bool = True
    helo: str = ""

    @property
    def target(self) -> str:
        """Return `host:port`, an IPv6 address in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def default_security(protocol: str, port: int) -> Security:
    """Return what a port means when nothing is said (RFC 8314 section 3)."""
    if port in (465, 993, 995):
        return Security.TLS
    if port in (25, 587, 143, 110) or protocol == "smtp":
        return Security.STARTTLS
    return Security.TLS


def without_idna(host: str) -> str | bytes:
    """Return a host name as socket and ssl take it without importing Python's IDNA tables."""
    return host.encode("ascii") if host.isascii() else host
