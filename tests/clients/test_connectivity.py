"""Connectivity: replies at an address, targets that may be asked, and whether a packet left this machine."""

from __future__ import annotations

import contextlib
import errno
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from functools import partial

import pytest

from mailmon.clients.account import Account
from mailmon.clients.connectivity import (
    Monitored,
    Target,
    ask_all,
    is_independent,
    is_ours,
    is_silence,
    knock,
    monitored_by,
    parse_target,
)
from mailmon.clients.deadline import Deadline
from mailmon.clients.resolver import has_route
from mailmon.clients.server import Security, Server
from mailmon.model import Secret


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("example.net:443", "example.net", 443),
        ("Example.NET.:443", "Example.NET.", 443),
        ("192.0.2.1:53", "192.0.2.1", 53),
        ("[2001:db8::1]:443", "2001:db8::1", 443),
        ("localhost:1", "localhost", 1),
        ("127.0.0.2:65535", "127.0.0.2", 65535),
        ("[::ffff:192.0.2.1]:53", "::ffff:192.0.2.1", 53),
    ],
)
def test_a_target_is_a_host_and_a_port(text: str, host: str, port: int) -> None:
    assert parse_target(text) == Target(host, port)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "must be HOST:PORT, got ''"),
        ("example.net", "must be HOST:PORT, got 'example.net'"),
        ("example.net:", "must be HOST:PORT"),
        (":443", "must be HOST:PORT"),
        ("https://example.net", "must be HOST:PORT"),
        ("2001:db8::1:443", "must be HOST:PORT, with the IPv6 address in brackets, got '2001:db8::1:443'"),
        ("[2001:db8::1]", "must be HOST:PORT, with the IPv6 address in brackets"),
        ("[2001:db8:::1]:443", "2001:db8:::1 is no IPv6 address"),
        ("192.0.2.256:53", "192.0.2.256 is no IPv4 address"),
        ("127.1:53", "127.1 is no IPv4 address"),
        ("example.net:0", "the port must be between 1 and 65535, got 0"),
        ("example.net:65536", "the port must be between 1 and 65535, got 65536"),
        ("example..net:443", "'example..net' is no host name"),
        ("x" * 64 + ".net:443", "is no host name"),
        ("example.net:443\n", "must be HOST:PORT"),
        ("example.net:٤٤٣", "must be HOST:PORT"),
    ],
)
def test_what_is_no_target_is_told(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        parse_target(text)


@pytest.mark.parametrize("text", ["example.net:443", "192.0.2.1:53", "[2001:db8::1]:443"])
def test_a_target_is_shown_as_it_is_written(text: str) -> None:
    assert str(parse_target(text)) == text


MONITORED = Monitored(
    hosts=frozenset({"mail.example.org", "mx.example.com", "198.51.100.7", "127.0.0.1"}),
    addresses={
        "mail.example.org": ["192.0.2.10", "2001:db8::10"],
        "mx.example.com": [],
        "198.51.100.7": ["198.51.100.7"],
        "127.0.0.1": ["127.0.0.1"],
    },
    domains=frozenset({"example.org", "example.com", "people.example"}),
    steps={},
)


@pytest.mark.parametrize(
    ("host", "addresses", "expected"),
    [
        ("mail.example.org", (), False),
        ("MAIL.Example.ORG.", (), False),
        ("ntfy.example.org", (), False),
        ("a.b.example.org", (), False),
        ("example.org", (), False),
        ("example.com", (), False),
        ("people.example", (), False),  # only in a mail address
        ("notexample.org", (), True),
        ("example.org.evil.example", (), True),
        ("ntfy.sh", (), True),
        ("ntfy.sh", ("203.0.113.1", "2001:db8::1"), True),
        ("ntfy.sh", ("203.0.113.1", "192.0.2.10"), False),  # an alias of the mail server
        ("192.0.2.10", (), False),
        ("192.0.2.11", (), True),
        ("::ffff:192.0.2.10", (), False),
        ("::FFFF:c000:020a", (), False),
        ("2001:db8::10", (), False),
        ("2001:0DB8:0::0010", (), False),
        ("2001:db8::11", (), True),
        ("198.51.100.7", (), False),
        ("127.0.0.1", (), False),
        ("127.0.0.2", (), True),
        ("localhost", ("127.0.0.1",), False),
        ("localhost", ("::1",), True),
    ],
)
def test_what_falls_with_a_monitored_server_is_no_independent_target(
    host: str, addresses: Sequence[str], expected: bool
) -> None:
    assert is_independent(Target(host, 443), addresses, MONITORED) is expected


@pytest.mark.parametrize(
    ("host", "addresses"),
    [("127.0.0.2", ()), ("::1", ()), ("0.0.0.0", ()), ("localhost", ()), ("ntfy.localhost", ()), ("a", ("127.9.9.9",))],
)
def test_a_channel_on_this_machine_says_nothing_unless_it_was_named_as_a_target(
    host: str, addresses: Sequence[str]
) -> None:
    assert is_independent(Target(host, 443), addresses, MONITORED)
    assert not is_independent(Target(host, 443, is_implicit=True), addresses, MONITORED)


def account(name: str, address: str, smtp: str = "", imap: str = "") -> Account:
    def server(protocol: str, host: str) -> Server | None:
        return Server(protocol, host, 1, Security.TLS) if host else None

    return Account(name, address, address, Secret("s3ntinel-Value"), server("smtp", smtp), server("imap", imap))


def test_accounts_tell_what_is_monitored() -> None:
    accounts = [
        account("main", "Me@Example.ORG", "Mail.example.net.", "example.com"),
        account("second", "you@example.org", imap="192.0.2.1"),
    ]
    now = {"mail.example.net": ("192.0.2.7",), "ntfy.sh": ("203.0.113.9",)}
    found = monitored_by(accounts, now, {"mail.example.net": ["192.0.2.7", "192.0.2.8"]})
    assert found.hosts == {"mail.example.net", "example.com", "192.0.2.1"}
    assert found.domains == {"example.org", "example.net", "example.com"}
    assert {host: list(addresses) for host, addresses in found.addresses.items()} == {
        "mail.example.net": ["192.0.2.7", "192.0.2.8"],
        "example.com": [],
        "192.0.2.1": ["192.0.2.1"],
    }
    assert found.steps == {
        "smtp_auth:main": "mail.example.net",
        "imap_auth:main": "example.com",
        "imap_auth:second": "192.0.2.1",
    }


@contextlib.contextmanager
def full_listener() -> Iterator[int]:
    """Yield a port of loopback on which SYNs are dropped: its backlog is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port: int = listener.getsockname()[1]
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        yield port


def ask(*ports: int, seconds: float = 0.5) -> bool | None:
    return knock([(socket.AF_INET, ("127.0.0.1", port)) for port in ports], Deadline(seconds))


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_a_connection_that_is_taken_is_an_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert ask(listener.getsockname()[1]) is True


def test_a_refusal_is_an_answer() -> None:
    assert ask(unused_port()) is True


def test_a_reset_is_an_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def reset() -> None:
            sock, _ = listener.accept()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()

        thread = threading.Thread(target=reset)
        thread.start()
        assert ask(listener.getsockname()[1]) is True
        thread.join()


def test_silence_is_no_answer_and_bounded() -> None:
    started_s = time.monotonic()
    with full_listener() as port:
        assert ask(port, port, port) is False
    assert time.monotonic() - started_s < 1.5


def test_one_address_that_answers_is_enough_and_not_waited_for_behind_a_silent_one() -> None:
    started_s = time.monotonic()
    with full_listener() as port:
        assert ask(port, unused_port(), seconds=5) is True
    assert time.monotonic() - started_s < 2


def test_an_address_family_that_this_machine_lacks_tells_nothing() -> None:
    without_any_network = None if has_route() else False
    assert knock([(socket.AF_APPLETALK, ("x", 1))], Deadline(1)) is without_any_network
    assert knock([], Deadline(1)) is None


@pytest.mark.parametrize(
    ("exc", "expected"),
    [
        (TimeoutError(), True),
        (OSError(errno.ETIMEDOUT, "x"), True),
        (OSError(errno.EHOSTUNREACH, "x"), True),
        (OSError(errno.ENETUNREACH, "x"), True),
        (OSError(errno.ECONNREFUSED, "x"), False),
        (OSError(errno.ECONNRESET, "x"), False),
        (OSError(errno.EMFILE, "x"), False),
    ],
)
def test_silence_is_that_nothing_came_back(exc: OSError, expected: bool) -> None:
    assert is_silence(exc) is expected


@pytest.mark.parametrize("number", [errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.ECONNREFUSED])
def test_an_error_that_the_kernel_does_not_repeat_came_from_outside(number: int) -> None:
    assert not is_ours(OSError(number, "x"), socket.AF_INET, ("127.0.0.1", 9))


def test_a_link_local_address_without_an_interface_is_a_wrong_address() -> None:
    assert not is_ours(OSError(errno.EINVAL, "x"), socket.AF_INET6, ("fe80::1", 9))


def test_all_are_asked_at_once_and_answers_keep_their_places() -> None:
    started_s = time.monotonic()

    def slow(number: int) -> int:
        time.sleep(0.2 - number / 100)
        return number

    questions = [partial(slow, number) for number in range(10)]
    assert ask_all(questions, Deadline(5), lambda _: False) == list(range(10))
    assert time.monotonic() - started_s < 1


def test_an_answer_that_is_enough_ends_the_wait_and_so_does_the_deadline() -> None:
    started_s = time.monotonic()
    over = threading.Event()
    questions = [lambda: over.wait(30), lambda: False, lambda: True]
    assert ask_all(questions, Deadline(20), bool)[2] is True
    assert ask_all([lambda: over.wait(30)], Deadline(0.1), bool) == [None]
    assert ask_all([], Deadline(0), bool) == []
    over.set()
    assert time.monotonic() - started_s < 2
