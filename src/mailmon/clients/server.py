"""Where a server is, and how far it is trusted."""

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


class Keys(NamedTuple):
    """How the configuration that a server comes from names its keys: below `place`, or by flat keys.

    Advice has keys in backticks, as they are called in the table of a server or a route; `named` turns them into those
    of the form that the person uses.
    """

    place: str = ""
    is_flat: bool = False

    def named(self, advice: str, protocol: str) -> str:
        """Return advice with its keys as they stand in the configuration.

        >>> Keys(is_flat=True).named("Set `security` to tls; check the route's `to`.", "imap")
        'Set `imap_security` to tls; check `test_recipient`.'
        >>> Keys("accounts.main.imap").named("Set `security` to tls.", "imap")
        'Set `accounts.main.imap.security` to tls.'
        """
        if "`" not in advice:
            return advice
        if self.is_flat:
            advice = advice.replace("the route's `to`", "`to`")
        for key in _SERVER_KEYS:
            own = f"{self.place}.{key}" if self.place else key
            flat = f"{protocol}_{key}" if key in _FLAT_BY_PROTOCOL else key
            advice = advice.replace(f"`{key}`", f"`{flat if self.is_flat else own}`")
        for key, flat in _FLAT_ROUTE_KEYS if self.is_flat else ():
            advice = advice.replace(f"`{key}`", f"`{flat}`")
        return advice

    def pin(self, digest: str, pinned: tuple[str, ...] = ()) -> str:
        """Return the line that pins a certificate by its SHA-256 digest, ready to be pasted, and where it belongs.

        >>> Keys("accounts.main.imap").pin("ab" * 2)
        '"tls_sha256": ["abab"] in accounts.main.imap'
        >>> Keys(is_flat=True).pin("ab" * 2)
        '"tls_sha256": "abab"'
        """
        if not self.is_flat:
            return f'"tls_sha256": ["{digest}"]{f" in {self.place}" if self.place else ""}'
        # The flat key is for both servers, and they may have two certificates: what is pinned must not be lost.
        if not pinned:
            return f'"tls_sha256": "{digest}"'
        listed = ", ".join(f'"{one}"' for one in (digest, *pinned[:3]))
        return f'"tls_sha256": [{listed}] (without the digests that no server has any more)'


_SERVER_KEYS = ("host", "port", "security", "ca_file", "tls_sha256")
_FLAT_BY_PROTOCOL = ("host", "port", "security")
_FLAT_ROUTE_KEYS = (("to", "test_recipient"), ("receive_timeout_s", "receive_timeout"))


class Server(NamedTuple):
    """One mail service. `timeout_s` bounds each single command, in seconds.

    `connect_to` is the host or address that is connected to in place of `host`, whose name the certificate must have.
    Without `needs_login` nobody logs in there. `helo` is our name in EHLO, by default the machine's. `keys` are for
    advice.
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
    keys: Keys = Keys()

    @property
    def target(self) -> str:
        """Return `host:port`, an IPv6 address in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def default_security(protocol: str, port: int) -> Security:
    """Return the default security of a port (RFC 8314 section 3)."""
    if port in (465, 993, 995):
        return Security.TLS
    if port in (25, 587, 143, 110) or protocol == "smtp":
        return Security.STARTTLS
    return Security.TLS


def without_idna(host: str) -> bytes:
    """Return a host name as socket and ssl take it, in A-labels: Python's own codec is that of IDNA 2003.

    Raises UnicodeError, as that codec does, for a name that IDNA 2008 does not allow.

    >>> without_idna("straße.example")
    b'xn--strae-oqa.example'
    """
    if host.isascii():
        return host.encode("ascii")
    from mailmon.mail.message.address import dns_name

    try:
        return dns_name(host).encode("ascii")
    except ValueError as exc:
        raise UnicodeError(str(exc)) from exc


def tls_name(host: str) -> bytes:
    """Return the name for SNI and the certificate: without the final dot, which no certificate has (RFC 6066, 3)."""
    return without_idna(host.removesuffix("."))
