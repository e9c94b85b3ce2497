"""Addresses of a host name: by the system, the hosts file, or given name servers; and what an address is.

Every lookup is bounded, because the C library's resolver has no timeout of its own.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from mailmon.clients.deadline import Deadline, within
from mailmon.clients.server import Family, Server, without_idna
from mailmon.errors import Stage, StageError

LOOKUP_TIMEOUT_S = 10.0
# So long the name servers are asked once more, for the reason of a failure.
EXPLAIN_TIMEOUT_S = 3.0
_MAPPED = bytes(10) + b"\xff\xff"
_ONE = bytes(15) + b"\x01"

Addresses = list[tuple[socket.AddressFamily, tuple[str, int]]]
Resolve = Callable[[str, int, Deadline], Addresses]


def resolve_with_system(host: str, port: int, deadline: Deadline) -> Addresses:
    """Look a name up as the system does (hosts file included). Raises StageError at the stage dns."""
    if literal := _literal(host, port):
        return literal
    timeout_s = deadline.bound_s(LOOKUP_TIMEOUT_S)
    try:
        found = within(timeout_s, lambda: socket.getaddrinfo(without_idna(host), port, type=socket.SOCK_STREAM))
    except TimeoutError as exc:
        raise _silence(host, port, f"no answer within {timeout_s:.0f} s") from exc
    except (OSError, UnicodeError) as exc:  # UnicodeError: a name that IDNA does not allow
        raise _explain(exc, host, port, deadline) from exc
    return [(family, (str(address[0]), port)) for family, _, _, _, address in found]


def resolver_for(nameservers: Sequence[tuple[str, int]]) -> Resolve:
    """Return a look-up that asks just these name servers, through dnspython."""
    if not nameservers:
        return resolve_with_system

    def resolve(host: str, port: int, deadline: Deadline) -> Addresses:
        if literal := _literal(host, port):
            return literal
        from mailmon.clients.dns import look_up_addresses

        return look_up_addresses(host, port, nameservers, deadline.bound_s(LOOKUP_TIMEOUT_S))

    return resolve


def of_family(addresses: Addresses, server: Server) -> Addresses:
    """Return the addresses that may be connected to. Raises StageError at the stage dns where there is none."""
    wanted = {Family.FOUR: socket.AF_INET, Family.SIX: socket.AF_INET6}.get(server.family)
    found = [one for one in addresses if wanted in (None, one[0])]
    if not found:
        said = f"the host has no IPv{server.family.value} address"
        raise StageError("dns.host_not_found", Stage.DNS, server.target, said, "Set `family` to auto.")
    return found


class RememberingResolve:
    """A look-up that keeps what it found: `known` has the addresses of each host. Safe for several threads."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, ...]] = {}

    def __call__(self, host: str, port: int, deadline: Deadline) -> Addresses:
        """Look a name up. Raises StageError at the stage dns; what was known of the host stays then."""
        addresses = self._resolve(host, port, deadline)
        with self._lock:
            self._known[host] = tuple(dict.fromkeys(address for _, (address, _) in addresses))
        return addresses

    @property
    def known(self) -> dict[str, tuple[str, ...]]:
        """Return the addresses of each host that was found so far, a copy."""
        with self._lock:
            return dict(self._known)


def packed(address: str) -> bytes | None:
    """Return the bytes of an IP address, an IPv4-mapped one as IPv4 (RFC 4291 section 2.5.5.2); None for a name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            found = socket.inet_pton(family, address.partition("%")[0])
        except (OSError, ValueError):
            continue
        return found[12:] if found[:12] == _MAPPED else found
    return None


def is_loopback(address: str) -> bool:
    """Return whether an IP address is this machine's own; connections to the unspecified one go there too."""
    found = packed(address) or b""
    return found[:1] == b"\x7f" if len(found) == 4 and any(found) else found in (bytes(4), bytes(16), _ONE)


def is_own_machine(address: str, local_address: str) -> bool:
    """Return whether a peer is this very machine, asked from `local_address`: mail servers trust their own machine.

    Of the loopback network only the addresses in common use count (127.0.1.1 is Debian's own name): the others are
    given to servers on purpose.
    """
    found = packed(address) or b""
    if is_loopback(address):
        return found in (b"\x7f\0\0\x01", b"\x7f\0\x01\x01", bytes(4), bytes(16), _ONE)
    return found == packed(local_address) or _can_be_bound(address)


def _can_be_bound(address: str) -> bool:
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


def ask_nameserver(name: str, nameserver: tuple[str, int], deadline: Deadline) -> str:
    """Ask one name server for a name. Return "" when it answers, or in a word why not (clients/dns.py)."""
    from mailmon.clients.dns import ask

    return ask(name, nameserver, deadline.remaining_s())


def system_nameservers() -> list[tuple[str, int]]:
    """Return the name servers that the system asks."""
    from mailmon.clients.dns import system_nameservers

    return system_nameservers()


def _literal(host: str, port: int) -> Addresses:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        return [(family, (host, port))]
    return []


def _explain(exc: OSError | UnicodeError, host: str, port: int, deadline: Deadline) -> StageError:
    """Distinguish a missing name, one without an address, and a resolver failure."""
    if isinstance(exc, UnicodeError):
        return _dns_error("dns.host_not_found", host, port, str(exc))
    if not isinstance(exc, socket.gaierror) or exc.errno == socket.EAI_NONAME:
        return _dns_error("dns.host_not_found", host, port, "no such host name")
    if exc.errno in _NO_ADDRESS:
        return _dns_error("dns.host_not_found", host, port, "the name exists, but it has no address")
    if exc.errno not in (socket.EAI_AGAIN, socket.EAI_FAIL):
        said = f"the system's resolver failed: {(exc.strerror or 'without a reason').lower()}"
        return _dns_error("dns.resolver_error", host, port, said)
    if not has_route():
        return _silence(host, port, "the name servers do not answer")
    from mailmon.clients.dns import explain

    trouble = explain(host, deadline.bound_s(EXPLAIN_TIMEOUT_S))
    if trouble is None:
        return _silence(host, port, "the system's resolver could not look it up just now")
    return _dns_error("dns.resolver_error", host, port, trouble.said, trouble.advice)


_NO_ADDRESS = (getattr(socket, "EAI_NODATA", None), getattr(socket, "EAI_ADDRFAMILY", None))


def _silence(host: str, port: int, said: str) -> StageError:
    """Distinguish a silent resolver from a machine without network: only the latter is our problem."""
    if has_route():
        return _dns_error("dns.resolver_error", host, port, said)
    advice = "Look at this machine's network first."
    said = f"{said}, because this machine has no network"
    return StageError("dns.resolver_error", Stage.DNS, f"{host}:{port}", said, advice, ours=True)


def has_route() -> bool:
    """Return whether the kernel has a route to the Internet. No packet is sent: the addresses are for documentation."""
    for family, address in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((address, 9))
        except OSError:
            continue
        return True
    return False


def has_route_to(address: str) -> bool:
    """Return whether the kernel has a route to an IP address. No packet is sent."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 53))
    except OSError:
        return False
    return True


def _dns_error(finding_id: str, host: str, port: int, said: str, advice: str = "") -> StageError:
    advice = advice or "Check the host name and this machine's resolver (/etc/resolv.conf)."
    is_silence = finding_id == "dns.resolver_error"
    return StageError(finding_id, Stage.DNS, f"{host}:{port}", said, advice, is_silence=is_silence)


HOSTS_FILE = Path("/etc/hosts")
MAX_BYTES = 1 << 20


def addresses_of(host: str, file: Path = HOSTS_FILE) -> tuple[str, ...]:
    """Return the addresses of a name, () where the file does not know it or cannot be read."""
    try:
        with file.open("rb") as opened:
            text = opened.read(MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return ()
    rows = (line.partition("#")[0].split() for line in text.splitlines())
    wanted = host.lower().rstrip(".")
    return tuple(dict.fromkeys(row[0] for row in rows if wanted in (name.lower() for name in row[1:])))
