"""Memory with a server that never stops talking: unsolicited answers are dropped, and the session ends."""

from __future__ import annotations

import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from mailmon.clients.deadline import Deadline
from mailmon.clients.imap import ImapClient
from mailmon.clients.imap_session import MAX_UNASKED_BYTES
from mailmon.clients.server import Security, Server, Trust
from mailmon.clients.tls import TlsContexts
from mailmon.clients.wire import connect
from mailmon.errors import Stage, StageError
from mailmon.text import Masker
from tests.full import size

MEBIBYTE = 1024 * 1024
LINES = size(3_000, 10_000)
# All that a session keeps at any time: an answer of 8 MiB as it is read, and once more in parts.
MAX_KEPT_BYTES = 32 * MEBIBYTE


@contextmanager
def talker(chatter: bytes, for_command: bytes = b"NOOP") -> Iterator[ImapClient]:
    """Yield a client in INBOX on a server that says `chatter` before it answers each such command."""
    listener = socket.create_server(("127.0.0.1", 0))
    plain = {
        b"CAPABILITY": b"* CAPABILITY IMAP4rev1 UIDPLUS\r\n",
        b"EXAMINE": b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 40] x\r\n",
    }

    def serve() -> None:
        with suppress(OSError):
            sock, _ = listener.accept()
            with sock, sock.makefile("rb") as lines:
                sock.sendall(b"* OK ready\r\n")
                for line in lines:
                    tag, _, command = line.strip().partition(b" ")
                    word = command.removeprefix(b"UID ").partition(b" ")[0]
                    sock.sendall((chatter if word == for_command else plain.get(word, b"")) + tag + b" OK done\r\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    server = Server("imap", "127.0.0.1", listener.getsockname()[1], Security.PLAIN, Trust(), 20.0)
    wire = connect(server, [(socket.AF_INET, ("127.0.0.1", server.port))], Deadline(60), Masker([], []))
    client = ImapClient(wire, TlsContexts())
    try:
        client.open()
        client.login("monitor@example.org", "secret")
        client.examine("INBOX")
        yield client
    finally:
        client.close()
        listener.close()
        thread.join(5)


def kept_bytes(work: Callable[[], object]) -> int:
    """Return how much memory some work took at most."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


LITERAL = b"* 1 FETCH (UID 1 BODY[] {65536}\r\n" + b"x" * 65536 + b")\r\n"


@pytest.mark.parametrize(
    "chatter",
    [
        LITERAL * 16,
        b"* 1 FETCH (FLAGS (\\Seen))\r\n" * LINES,
        b"* 3 EXISTS\r\n" * LINES,
        b"* 1 EXPUNGE\r\n" * LINES,
        b"* OK still here\r\n" * LINES,
        b"* XSPAM " + b"x" * 60_000 + b"\r\n" + b"* XSPAM " + b"x" * 60_000 + b"\r\n",
        b"* SEARCH" + b" 1" * 30_000 + b"\r\n",
        b'* LIST () "/" {4000}\r\n' + b"x" * 4000 + b"\r\n",
    ],
    ids=["literals", "flags", "exists", "expunge", "ok", "unknown", "search", "list"],
)
def test_what_nobody_asked_for_is_dropped(chatter: bytes) -> None:
    """A wait of a minute over such a server took 1.7 GB."""
    with talker(chatter) as client:

        def wait() -> None:
            for _ in range(6):
                client.begin(Stage.ARRIVAL)
                client.noop()

        slack = MEBIBYTE * LINES // 10_000 if chatter.count(b"\n") == LINES else MEBIBYTE
        assert kept_bytes(wait) < 2 * len(chatter) + slack
        assert client.exists == 3


def test_a_server_that_goes_on_and_on_is_told_with_a_clear_error() -> None:
    with talker(LITERAL * 100) as client:

        def wait() -> None:
            for _ in range(100):
                client.begin(Stage.ARRIVAL)
                client.noop()

        def failing() -> None:
            with pytest.raises(StageError) as caught:
                wait()
            assert caught.value.finding_id == "imap.protocol_error"
            assert f"more than {MAX_UNASKED_BYTES // MEBIBYTE} MiB that nobody asked for" in caught.value.message

        assert kept_bytes(failing) < MAX_KEPT_BYTES


@pytest.mark.parametrize(
    ("command", "chatter"),
    [
        (b"FETCH", b"* 1 FETCH ()\r\n" * 100_000),
        (b"FETCH", b"* 1 FETCH (UID 1 BODY[] {1}\r\nx)\r\n" * 100_000),
        (b"SEARCH", (b"* SEARCH" + b" 1" * 30_000 + b"\r\n") * 20),
    ],
)
def test_an_answer_in_too_many_parts_is_told(command: bytes, chatter: bytes) -> None:
    with talker(chatter, command) as client:

        def ask() -> None:
            client.begin(Stage.ARRIVAL)
            with pytest.raises(StageError) as caught:
                client.headers_from(1, ("Subject",)) if command == b"FETCH" else client.search("TEXT", "x")
            assert caught.value.finding_id == "imap.protocol_error"

        assert kept_bytes(ask) < MAX_KEPT_BYTES


def test_news_that_ride_on_other_answers_are_still_heard() -> None:
    with talker(b"* 4 EXISTS\r\n* 5 EXISTS\r\n* SEARCH 7\r\n", b"SEARCH") as client:
        client.begin(Stage.ARRIVAL)
        assert client.search("TEXT", "x") == [7]
        client.begin(Stage.ARRIVAL)
        assert client.noop()
        assert client.exists == 5
