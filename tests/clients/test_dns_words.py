"""SERVFAIL, a refusal, silence, no way there, a cut answer and nonsense are told apart, by whoever asks DNS."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import pytest

from mailmon.clients.deadline import Deadline
from mailmon.clients.dns import explain
from mailmon.clients.records import Answered, Records
from mailmon.clients.resolver import resolver_for
from mailmon.errors import StageError

Respond = Callable[[bytes], bytes | None]


def with_rcode(name: str) -> Respond:
    def respond(raw: bytes) -> bytes:
        reply = dns.message.make_response(dns.message.from_wire(raw), recursion_available=True)
        reply.set_rcode(dns.rcode.from_text(name))
        return bytes(reply.to_wire())

    return respond


def cut(raw: bytes) -> bytes:
    reply = dns.message.make_response(dns.message.from_wire(raw), recursion_available=True)
    reply.flags |= dns.flags.TC
    return bytes(reply.to_wire())


def without_address(raw: bytes) -> bytes:
    return bytes(dns.message.make_response(dns.message.from_wire(raw), recursion_available=True).to_wire())


@contextlib.contextmanager
def answering(respond: Respond) -> Iterator[tuple[str, int]]:
    """Answer every question by UDP; nothing listens for TCP on the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(0.05)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                with contextlib.suppress(TimeoutError, ConnectionError):
                    raw, address = sock.recvfrom(4096)
                    if reply := respond(raw):
                        sock.sendto(reply, address)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield sock.getsockname()
        finally:
            over.set()
            thread.join()


def failure(server: tuple[str, int]) -> StageError:
    with pytest.raises(StageError) as caught:
        resolver_for([server])("mail.example.org", 587, Deadline(0.6))
    return caught.value


CASES: list[tuple[str, Respond, str, str]] = [
    ("SERVFAIL", with_rcode("SERVFAIL"), "answer SERVFAIL", "DNSSEC"),
    ("REFUSED", with_rcode("REFUSED"), "answer REFUSED", "does not resolve for this machine"),
    ("NOTIMP", with_rcode("NOTIMP"), "answer NOTIMP", "another name server"),
    ("silent", lambda _raw: None, "do not answer", "firewall"),
    ("cut", cut, "cut off", "TCP port 53"),
    ("nonsense", lambda raw: raw[:2] + b"\x81\x80\x00", "invalid answer", "no name server"),
]


@pytest.mark.parametrize(("respond", "said", "advice"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_trouble_of_a_name_server_has_words_of_its_own(respond: Respond, said: str, advice: str) -> None:
    """SERVFAIL and REFUSED were told as "the name servers do not answer"."""
    with answering(respond) as server:
        exc = failure(server)
        answer = Records([server], 0.6).ask("mail.example.org", "MX")
    assert exc.finding_id == "dns.resolver_error"
    assert said in exc.said, exc.said
    assert advice in exc.advice
    assert exc.is_silence
    assert answer.kind is Answered.FAILED
    assert said in answer.why or (said == "do not answer" and answer.why == "no answer within 0.6 s"), answer.why
    assert "Error" not in answer.why + exc.said


def test_a_port_where_nothing_listens_is_no_silence() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        server = sock.getsockname()
    assert "cannot be queried: connection refused" in failure(server).said
    assert "connection refused" in Records([server], 0.6).ask("example.org", "MX").why


def test_a_name_without_an_address_is_not_called_missing() -> None:
    with answering(without_address) as server:
        exc = failure(server)
    assert (exc.finding_id, exc.said) == ("dns.host_not_found", "the name exists, but it has no address")
    with answering(with_rcode("NXDOMAIN")) as server:
        assert failure(server).said == "no such host name"


def test_two_name_servers_that_fail_in_two_ways_are_told_apart() -> None:
    with (
        answering(with_rcode("SERVFAIL")) as first,
        answering(with_rcode("REFUSED")) as second,
        pytest.raises(StageError) as caught,
    ):
        resolver_for([first, second])("mail.example.org", 587, Deadline(2))
    assert f"127.0.0.1:{first[1]}: answer SERVFAIL" in caught.value.said
    assert f"127.0.0.1:{second[1]}: answer REFUSED" in caught.value.said


def test_the_reason_of_the_systems_resolver_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text("# none\n")
    trouble = explain("mail.example.org", 0.5, str(file))
    assert trouble is not None
    assert "no name server is configured" in trouble.said
