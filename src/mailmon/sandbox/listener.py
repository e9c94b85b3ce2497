"""Listening sockets, and what happens to a connection before the mail protocol begins."""

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from mailmon.sandbox.faults import Faults


@dataclass(frozen=True)
class Port:
    """One listening port: the service "smtp" or "imap", and the protocol that its connections get."""

    service: str
    implicit_tls: ssl.SSLContext | None
    protocol: Callable[[], asyncio.Protocol]


@dataclass
class Door:
    """What the connections of all ports have in common."""

    faults: Faults
    connections: Counter[str] = field(default_factory=Counter)
    _open: set[asyncio.Transport] = field(default_factory=set)
    _admissions: set[asyncio.Task[None]] = field(default_factory=set)

    def gate(self, port: Port) -> asyncio.Protocol:
        """Return the first protocol of a new connection."""
        return _Gate(self, port)

    def note(self, transport: asyncio.Transport, admission: asyncio.Task[None] | None = None) -> None:
        """Remember the connection until it is closed, and the task until it is done."""
        self._open = {known for known in self._open if not known.is_closing()} | {transport}
        if admission is not None:
            self._admissions.add(admission)  # the event loop itself keeps only a weak reference
            admission.add_done_callback(self._admissions.discard)

    def close(self) -> None:
        """Abort all connections."""
        for transport in self._open:
            transport.abort()


class _Gate(asyncio.Protocol):
    def __init__(self, door: Door, port: Port) -> None:
        self._door = door
        self._port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        faults, port = self._door.faults, self._port
        self._door.connections[port.service] += 1
        if port.service in faults.refuse_connection:
            transport.close()
        elif port.service in faults.silent:
            self._door.note(transport)  # what the client sends falls into data_received, which does nothing
        elif port.implicit_tls is None or (port.service == "imap" and faults.plaintext_on_tls):
            self._door.note(transport)
            protocol = port.protocol()
            transport.set_protocol(protocol)
            protocol.connection_made(transport)
        else:
            transport.pause_reading()  # the ClientHello belongs to the TLS layer
            shake_hands = _shake_hands(transport, port.protocol(), port.implicit_tls)
            self._door.note(transport, asyncio.get_running_loop().create_task(shake_hands))


async def _shake_hands(transport: asyncio.Transport, protocol: asyncio.Protocol, context: ssl.SSLContext) -> None:
    loop = asyncio.get_running_loop()
    try:
        secured = await loop.start_tls(transport, protocol, context, server_side=True)
    except OSError:  # includes ssl.SSLError: the client does not trust us, or left
        transport.close()
        return
    if secured is not None:
        protocol.connection_made(secured)
