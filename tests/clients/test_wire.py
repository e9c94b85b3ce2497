"""Closing a connection while another thread uses it."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from mailmon.clients.deadline import Deadline
from mailmon.clients.server import Security, Server, Trust
from mailmon.clients.wire import Wire
from mailmon.errors import Stage, StageError
from mailmon.text import Masker


def connected() -> tuple[Wire, socket.socket, int]:
    """Return a wire, its other end, and the number of its socket."""
    ours, theirs = socket.socketpair()
    server = Server("smtp", "127.0.0.1", 25, Security.PLAIN, Trust(), 5)
    return Wire(ours, server, Deadline(30), Masker([], set()), None), theirs, ours.fileno()


def test_a_connection_used_by_another_thread_keeps_its_descriptor_until_then() -> None:
    """Of a TLS session the record of one route went into the connection that was opened in its place."""
    wire, theirs, number = connected()
    caught: list[StageError] = []

    def read() -> None:
        wire.begin(Stage.MAIL)
        with pytest.raises(StageError) as info:
            wire.read_line()
        caught.append(info.value)

    with theirs:
        reader = threading.Thread(target=read)
        reader.start()
        deadline_s = time.monotonic() + 5
        while not wire._is_in_use and time.monotonic() < deadline_s:
            time.sleep(0.001)
        began_s = time.monotonic()
        wire.close()
        others = socket.socketpair()
        assert number not in [one.fileno() for one in others] or not reader.is_alive()
        reader.join(5)
        assert time.monotonic() - began_s < 2
        assert caught[0].lost
        for one in others:
            one.close()
        with pytest.raises(OSError, match="closed"), wire._used():
            pass


def test_a_connection_in_use_is_not_used_by_a_second_thread() -> None:
    wire, theirs, _ = connected()
    with theirs:
        wire.begin(Stage.MAIL)
        with wire._used(), pytest.raises(StageError, match="in use"):
            wire.send(b"QUIT\r\n")
        wire.send(b"NOOP\r\n")
        wire.close()
