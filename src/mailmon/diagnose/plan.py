"""What is examined: hosts, ports, protocols and options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mailmon.clients.resolver import packed
from mailmon.diagnose.blocklists import BlockList
from mailmon.mail.message.address import dns_name, why_no_name
from mailmon.model.diagnosis import Endpoint

# MX hosts to connect to, and MX hosts whose addresses are looked up.
MAX_MX, MAX_LISTED = 5, 50
MAX_ADDRESSES = 4
# Subject of the messages that a test sends to a mailbox of our own.
SUBJECT = "mailmon looks for SMTP smuggling"


class Kind(NamedTuple):
    """A protocol that `--as` can name, with its port."""

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
    """How a host is examined. `timeout_s` bounds each step, `deadline_s` the whole run, both in seconds.

    A server that hangs up is asked again `pause_s` later.
    `relay` is "none", "one" (a single RCPT) or "all" (each known form, up to the answer to DATA).
    """

    ca_file: str | None = None
    timeout_s: float = 10.0
    deadline_s: float = 30.0
    relay: str = "one"
    relay_recipient: str = "mailmon-relay-test@example.com"
    mail_from: str = "mailmon-relay-test@example.net"
    is_trusted: bool = False
    is_nolisting: bool = False
    is_intrusive: bool = False
    mailbox: str = ""
    helo: str = ""
    domain: str = ""
    username: str = ""
    password: str = ""
    family: str = "auto"
    https_port: int = 443
    pause_s: float = 0.4


class Request(NamedTuple):
    """What is examined. `is_whole_host` says that no port was named; `block_lists` are asked for each address."""

    host: str
    kinds: tuple[Kind, ...]
    is_whole_host: bool
    nameservers: tuple[tuple[str, int], ...] = ()
    block_lists: tuple[BlockList, ...] = ()


def split_target(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the host and the port, if any, of `HOST`, `HOST:PORT[:KIND]`, `[IPv6]:PORT` or a bare address.

    Raises ValueError.

    >>> split_target("mail.example.org:2587:submission"), split_target("2001:db8::1")
    (('mail.example.org', ('2587:submission',)), ('2001:db8::1', ()))
    """
    host, port = text.strip(), ""
    if "/" in host or "@" in host:
        raise ValueError(f"{text[:80]!r} is not HOST or HOST:PORT: give the host's name alone")
    if host.startswith("["):
        host, bracket, port = host[1:].partition("]")
        if not bracket or packed(host) is None or (port and not port[1:]) or port[:1] not in ("", ":"):
            raise ValueError(
                f"{text[:80]!r} is not HOST or HOST:PORT: an address in brackets looks like [2001:db8::1]:25"
            )
        port = port.removeprefix(":")
    elif packed(host) is None and ":" in host:
        host, _, port = host.partition(":")
        if not port:
            raise ValueError(f"{text[:80]!r}: a port number must follow the colon")
    if packed(host) is None and not (host and len(host) <= 253 and all(map(_may_be_in_a_name, host))):
        raise ValueError(f"{text[:80]!r} is not HOST or HOST:PORT")
    if not host.isascii():
        host = dns_name(host)
    host = host.removesuffix(".")
    if packed(host) is None and (said := why_no_name(host)):
        raise ValueError(f"{text[:80]!r} is not HOST or HOST:PORT: {said}")
    return host, (port,) if port else ()


def _may_be_in_a_name(char: str) -> bool:
    return char.isprintable() and not char.isspace() and char != ":"


def kinds_for(ports: tuple[str, ...], name: str | None) -> list[Kind]:
    """Return the protocols of these ports, each `N` or `N:KIND`; without ports all mail ports. Raises ValueError.

    >>> [kind.protocol for kind in kinds_for(("2587:submission", "993"), None)]
    ['smtp', 'imap']
    """
    if not ports:
        return [KINDS[name]] if name else [kind._replace(port=port) for port, kind in BY_PORT.items()]
    return [_kind_for(text, name) for text in ports]


def _kind_for(text: str, name: str | None) -> Kind:
    number, _, own = text.partition(":")
    if not (number.isascii() and number.isdigit() and 1 <= int(number) <= 65535):
        raise ValueError(f"{text[:80]!r}: a port must be a number between 1 and 65535")
    name = own or name
    if name is None and int(number) not in BY_PORT:
        raise ValueError(f"unknown protocol on port {number}: add --as imap, or use {number}:imap")
    if name is not None and name not in KINDS:
        raise ValueError(f"{text[:80]!r}: the protocol of a port is one of {', '.join(KINDS)}")
    return (KINDS[name] if name else BY_PORT[int(number)])._replace(port=int(number))


def asked_of(addresses: Sequence[str], most: int) -> list[str]:
    """Return the addresses of a host to examine, at most `most`: IPv4 before IPv6, at least one of each.

    >>> asked_of(["192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1"], 3)
    ['192.0.2.1', '192.0.2.2', '2001:db8::1']
    """
    four, six = ([one for one in addresses if (":" in one) is is_six] for is_six in (False, True))
    return [*four[: most - bool(six)], *six][:most]


def endpoints(host: str, addresses: tuple[str, ...], kinds: list[Kind], *, is_asked_for: bool) -> list[Endpoint]:
    """Return each port at each address to examine."""
    ordered = asked_of(addresses, MAX_ADDRESSES)
    many = len(ordered) > 1
    return [
        Endpoint(host, address, kind.port, kind.protocol, kind.is_implicit_tls, kind.needs_login, is_asked_for, many)
        for address in ordered
        for kind in kinds
    ]


def is_mx_port(endpoint: Endpoint) -> bool:
    """Return whether other servers deliver mail to an endpoint: port 25, or an SMTP port that was named."""
    is_mail = endpoint.protocol == "smtp" and not endpoint.needs_login and not endpoint.is_implicit_tls
    return is_mail and (endpoint.is_asked_for or endpoint.port == 25)
