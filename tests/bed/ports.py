"""Free ports for a bed."""

import random
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from .settings import LOOPBACK, PORT_NAMES, BedError

# Below Linux's range for outgoing connections: a client's own port there could take a server's port before it starts.
_FREE_RANGE = range(20_000, 32_768)


@contextmanager
def reserved_ports(wanted: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """Give the wanted ports, and free ones for the other names, kept from other beds until the block ends.

    Between the choice and the bind of the slowest server lie two seconds. Each port is held meanwhile by a lock that
    leaves nothing on disk and has the same scope as the port: an abstract unix socket of this network namespace.
    """
    if unknown := set(wanted) - set(PORT_NAMES):
        raise BedError(f"no such port: {', '.join(sorted(unknown))}. The ports are {', '.join(PORT_NAMES)}.")
    with ExitStack() as locks:
        ports = dict(wanted)
        for name, port in wanted.items():
            if not _reserve(port, locks):
                raise BedError(f"port {port}, wanted for {name}, is in use")
        for name in PORT_NAMES:
            if name not in ports:
                ports[name] = _free_port(locks)
        yield {name: ports[name] for name in PORT_NAMES}


def _free_port(locks: ExitStack) -> int:
    for port in random.sample(_FREE_RANGE, 1000):
        if _reserve(port, locks):
            return port
    raise BedError(f"no free port found between {_FREE_RANGE.start} and {_FREE_RANGE.stop}")


def _reserve(port: int, locks: ExitStack) -> bool:
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        lock.bind(f"\0mail-bed-port-{port}")
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET, kind) as trial:
                if kind == socket.SOCK_STREAM:
                    # what the last bed left in TIME_WAIT does not keep a server from binding, so not us either
                    trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind((LOOPBACK, port))
    except OSError:
        lock.close()
        return False
    locks.enter_context(lock)
    return True
