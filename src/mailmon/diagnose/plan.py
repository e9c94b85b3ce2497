"""Which ports of which hosts are looked at?"""

from __future__ import annotations

from typing import NamedTuple

from mailmon.clients.names import packed
from mailmon.model.diagnosis import Endpoint

MAX_MX = 5
MAX_ADDRESSES = 4


class Kind(NamedTuple):
    """What `--as` can say of a port."""

    protocol: str
    port: int
    is_implicit_tls: bool = False
    needs_login: bool = False


KINDS: dict[str, Kind] = {
    "smtp": Kind("smtp", 25),
    "submission": Kind("smtp", 587, needs_login=True),
    "smtps": Kind("smtp", 465, is_implicit_tls=True, needs_login=True),
    "imap": Kind("imap", 143),
    "imaps": Kind("imap", 993, is_implicit_tls=True),
    "pop3": Kind("pop3", 110),
    "pop3s": Kind("pop3", 995, is_implicit_tls=True),
    "sieve": Kind("sieve", 4190),
}
BY_PORT = {kind.port: kind for kind in KINDS.values()} | {2525: KINDS["smtp"]}


class Options(NamedTuple):
    """How a host is looked at. Seconds: `timeout_s` bounds each step, `deadline_s` everything.

    `relay` is "none", "one" (a single RCPT) or "all" (each known form, up to the answer to DATA).
    """

    ca_file: str | None = None
    timeout_s: float = 10.0
    deadline_s: float = 30.0
    relay: str = "one"
    relay_recipient: str = "mailmon-relay-test@example.com"
    is_trusted: bool = False
    is_intrusive: bool = False
    mailbox: str = ""
    helo: str = ""
    domain: str = ""
    username: str = ""
    password: str = ""
    family: str = "auto"


def split_target(text: str) -> tuple[str, int | None]:
    """Return host and port of `HOST`, `HOST:PORT`, `[IPv6]:PORT` or a bare address. Raises ValueError.

    >>> split_target("mail.example.org:587"), split_target("2001:db8::1")
    (('mail.example.org', 587), ('2001:db8::1', None))
    """
    host, port = text.strip(), ""
    if host.startswith("["):
        host, _, port = host[1:].partition("]")
        port = port.removeprefix(":")
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
        if not port:
            raise ValueError(f"{text!r}: a port number must follow the colon")
    if not host or len(host) > 253 or any(char.isspace() or not char.isprintable() or char in "/@" for char in host):
        raise ValueError(f"{text[:80]!r} is no HOST or HOST:PORT")
    if port and not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise ValueError(f"{text[:80]!r}: the port must be a number between 1 and 65535")
    return host.rstrip(".") or host, int(port) if port else None


def kinds_for(ports: tuple[int, ...], name: str | None) -> list[Kind]:
    """Return what is spoken on these ports, on all mail ports where none is given. Raises ValueError."""
    if name is not None:
        return [KINDS[name]._replace(port=port) for port in ports or (KINDS[name].port,)]
    unknown = [str(port) for port in ports if port not in BY_PORT]
    if unknown:
        raise ValueError(f"what is spoken on port {', '.join(unknown)}? Say it with --as")
    return [BY_PORT[port]._replace(port=port) for port in ports or BY_PORT]


def endpoints(host: str, addresses: tuple[str, ...], kinds: list[Kind], *, is_asked_for: bool) -> list[Endpoint]:
    """Return each port at each address; IPv4 before IPv6, no more than MAX_ADDRESSES."""
    ordered = sorted(addresses, key=lambda one: len(packed(one) or b""))[:MAX_ADDRESSES]
    many = len(ordered) > 1
    return [
        Endpoint(host, address, kind.port, kind.protocol, kind.is_implicit_tls, kind.needs_login, is_asked_for, many)
        for address in ordered
        for kind in kinds
    ]
