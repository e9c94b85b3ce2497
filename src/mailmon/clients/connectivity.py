"""Connecting to addresses, and telling a network failure of this machine from one of the server.

A connection that is taken, refused or reset is an answer. ENETUNREACH and EHOSTUNREACH are none: they may be the word
of a router far away, or of this kernel, and only the latter is our own trouble.
"""

from __future__ import annotations

import errno
import queue
import re
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

from mailmon.clients.account import Account
from mailmon.clients.deadline import Deadline
from mailmon.clients.resolver import Addresses, has_route, is_loopback, packed

# What the kernel says without sending anything.
_NO_INTERFACE = (errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
# What a router's ICMP turns into, or the kernel's own routes: unreachable, prohibit, blackhole (ip-route(8)).
_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH)
_OWN_ROUTE = (*_UNREACHABLE, errno.EACCES, errno.EPERM, errno.EINVAL)
_REPLIES = (ConnectionRefusedError, ConnectionResetError, ConnectionAbortedError, BrokenPipeError)
_MAX_ADDRESSES = 4
# What may take its whole time has still to say so.
_GRACE_S = 0.25

T = TypeVar("T")


class Target(NamedTuple):
    """A place that may be asked whether our network works; an implicit one was configured for something else.

    `label` stands for it in messages where its name is part of a credential.
    """

    host: str
    port: int
    is_implicit: bool = False
    label: str = ""

    def __str__(self) -> str:
        if self.label:
            return self.label
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Monitored(NamedTuple):
    """The servers that are watched, in normal form; `addresses` are by host, `steps` the hosts whose reply they are."""

    hosts: frozenset[str]
    addresses: Mapping[str, Sequence[str]]
    domains: frozenset[str]
    steps: Mapping[str, str]

    def has(self, address: str) -> bool:
        """Return whether a monitored server is known to be on this address."""
        return any(packed(address) == packed(own) for listed in self.addresses.values() for own in listed)


def parse_target(text: str) -> Target:
    """Return the target that `example.net:443`, `192.0.2.1:53` or `[2001:db8::1]:443` names. Raises ValueError."""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_.-]+)):([0-9]{1,5})", text, re.ASCII)
    if not match:
        brackets = ", with the IPv6 address in brackets" if text.count(":") > 1 else ""
        raise ValueError(f"must be HOST:PORT{brackets}, got {text[:80]!r}")
    literal, name, port = match[1], match[2], int(match[3])
    if not 1 <= port <= 65535:
        raise ValueError(f"the port must be between 1 and 65535, got {port}")
    if literal and packed(literal) is None:
        raise ValueError(f"{literal} is no IPv6 address")
    if name and re.fullmatch(r"[0-9.]+", name) and packed(name) is None:
        raise ValueError(f"{name} is no IPv4 address")
    if name and (len(name) > 253 or not all(0 < len(label) <= 63 for label in name.removesuffix(".").split("."))):
        raise ValueError(f"{name[:80]!r} is no host name")
    return Target(literal or name, port)


def monitored_by(accounts: Iterable[Account], *known: Mapping[str, Sequence[str]]) -> Monitored:
    """Return what these accounts depend on; `known` are addresses by host, of this run and of earlier ones."""
    steps, domains = {}, set()
    for account in accounts:
        domains.add(normal(account.address.rpartition("@")[2]))
        for check, server in account.logins.items():
            steps[f"{check}:{account.name}"] = normal(server.host)
    hosts = frozenset(steps.values())
    domains |= {_parent(host) for host in hosts if packed(host) is None}
    addresses = {host: [host] if packed(host) else [] for host in hosts}
    for host, found in ((normal(host), found) for mapping in known for host, found in mapping.items()):
        if host in hosts:
            addresses[host] += [address for address in found if address not in addresses[host]]
    return Monitored(hosts, addresses, frozenset(domains), steps)


def is_independent(target: Target, addresses: Iterable[str], monitored: Monitored) -> bool:
    """Return whether a target that has these addresses answers although every monitored server is dead."""
    found = [address for address in (target.host, *addresses) if packed(address)]
    if any(map(monitored.has, found)):
        return False
    host = normal(target.host)
    if target.is_implicit and (is_localhost(host) or any(map(is_loopback, found))):
        return False
    return not any(host == name or host.endswith(f".{name}") for name in monitored.domains)


def open_socket(family: socket.AddressFamily, address: tuple[str, int], timeout_s: float) -> socket.socket:
    """Return a TCP connection to an address. Raises OSError; the socket's time-out stays at `timeout_s`."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout_s)
        sock.connect(address)
    except BaseException:
        sock.close()
        raise
    return sock


def is_silence(exc: OSError) -> bool:
    """Return whether a failed connection means that nothing came back from the server itself."""
    return isinstance(exc, TimeoutError) or exc.errno in _UNREACHABLE


def is_ours(exc: OSError, family: socket.AddressFamily, address: tuple[str, int]) -> bool:
    """Say whether a failed connection never left this machine: it has no interface, or no route to that very address.

    Connecting a UDP socket only looks the route up; where the error came from a router, that goes well.
    """
    if exc.errno in _NO_INTERFACE:
        return True
    # IPv6 link-local addresses need an interface (RFC 4007): without one, EINVAL says nothing of our routes.
    is_link_local = (packed(address[0]) or b"")[:2] == b"\xfe\x80"
    if exc.errno not in _OWN_ROUTE or (exc.errno == errno.EINVAL and is_link_local):
        return False
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(address)
    except OSError as again:
        return again.errno == exc.errno
    return False


def knock(addresses: Addresses, deadline: Deadline) -> bool | None:
    """Return whether anything answers at one of these addresses.

    None where that cannot be told: a target of an address family that this machine lacks says nothing of the other.
    """
    echoes = ask_all([partial(_knock_once, *pair, deadline) for pair in addresses[:_MAX_ADDRESSES]], deadline, bool)
    return True if True in echoes else False if False in echoes else None


def ask_all(questions: Sequence[Callable[[], T]], deadline: Deadline, is_enough: Callable[[T], bool]) -> list[T | None]:
    """Ask all at once and return the answers in their order, None for those that did not come.

    Nothing more is waited for after an answer that is enough, or after the deadline.
    """
    answers: list[T | None] = [None] * len(questions)
    results: queue.SimpleQueue[tuple[int, T]] = queue.SimpleQueue()
    for number, question in enumerate(questions):
        threading.Thread(target=_answer, args=(number, question, results), name="reach", daemon=True).start()
    for _ in questions:
        try:
            number, answer = results.get(timeout=deadline.remaining_s() + _GRACE_S)
        except queue.Empty:
            break
        answers[number] = answer
        if is_enough(answer):
            break
    return answers


def is_localhost(host: str) -> bool:
    """Return whether a name is this machine's by definition (RFC 6761 section 6.3)."""
    return host == "localhost" or host.endswith(".localhost")


def normal(host: str) -> str:
    """Return a host as it is compared: lower case, without brackets and the final dot."""
    return host.strip("[]").rstrip(".").lower()


def _parent(host: str) -> str:
    return host.partition(".")[2] if host.count(".") >= 2 else host


def _knock_once(family: socket.AddressFamily, address: tuple[str, int], deadline: Deadline) -> bool | None:
    try:
        open_socket(family, address, max(deadline.remaining_s(), 0.001)).close()
    except _REPLIES:
        return True
    except OSError as exc:
        counts = not has_route() if is_ours(exc, family, address) else is_silence(exc)
        return False if counts else None
    return True


def _answer(number: int, question: Callable[[], T], results: queue.SimpleQueue[tuple[int, T]]) -> None:
    results.put((number, question()))
