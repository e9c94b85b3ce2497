"""A domain with many MX hosts, or with none that has an address: all are looked up, and what is passed over is said."""

from __future__ import annotations

import socket
import threading

import pytest

from mailmon.clients.records import Records
from mailmon.diagnose import targets
from mailmon.diagnose.plan import MAX_MX, Options, Request, kinds_for
from mailmon.diagnose.run import diagnose
from mailmon.diagnose.targets import Targets
from mailmon.model.findings import Severity, Verdict
from tests.domain.nameserver import serving, zone_of


def plan(count: int, *gone: int) -> Targets:
    """Targets for a domain with so many MX hosts, of which some have no address."""
    lines = [f"@ MX {number}0 m{number}" for number in range(1, count + 1)]
    lines += [f"m{number} A 9.9.9.{number}" for number in range(1, count + 1) if number not in gone]
    with serving([zone_of("firm.example", "\n".join(lines))]) as server:
        nameservers = (("127.0.0.1", server.port),)
        request = Request("firm.example", tuple(kinds_for(("25",), None)), True, nameservers)
        return targets.find(request, Records(nameservers, 2.0), Options())


def failed(found: Targets) -> list[tuple[str, Severity | None]]:
    return [(one.message, one.severity) for one in found.findings if one.status is Verdict.FAIL]


def test_a_host_without_an_address_is_told_wherever_it_stands_in_the_list() -> None:
    found = plan(7, 6, 7)
    assert failed(found) == [
        (f"firm.example: the MX host m{number}.firm.example has no address", Severity.ERROR) for number in (6, 7)
    ]
    assert (len(found.endpoints), found.notes) == (5, ())


def test_hosts_that_are_not_looked_at_are_named() -> None:
    found = plan(12, 3)
    assert len({one.host for one in found.endpoints}) == MAX_MX
    names = ", ".join(f"m{number}.firm.example" for number in range(7, 13))
    assert found.notes == (f"6 more MX hosts were not examined: {names}",)


def test_addresses_of_a_host_that_are_not_looked_at_are_named() -> None:
    lines = [f"mx A 9.9.9.{number}" for number in range(1, 7)] + ["mx AAAA 2620:fe::9"]
    with serving([zone_of("firm.example", "\n".join(lines))]) as server:
        nameservers = (("127.0.0.1", server.port),)
        request = Request("mx.firm.example", tuple(kinds_for(("25",), None)), False, nameservers)
        found = targets.find(request, Records(nameservers, 2.0), Options())
    assert [one.address for one in found.endpoints] == ["9.9.9.1", "9.9.9.2", "9.9.9.3", "2620:fe::9"]
    assert found.notes == ("3 more addresses of mx.firm.example were not examined: 9.9.9.4, 9.9.9.5, 9.9.9.6",)


@pytest.mark.parametrize(("count", "severity"), [(1, Severity.CRITICAL), (3, Severity.CRITICAL)])
def test_where_no_mx_host_has_an_address_no_mail_gets_there(count: int, severity: Severity) -> None:
    found = failed(plan(count, *range(1, count + 1)))
    assert [one for _, one in found] == [severity] * count


class Door:
    """Port 25 at an address of loopback where every connection is greeted with one line, or with nothing at all."""

    def __init__(self, address: str, greeting: bytes) -> None:
        self._greeting, self._taken = greeting, []  # type: ignore[var-annotated]
        self._listener = socket.create_server((address, 25))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        try:
            while True:
                sock, _ = self._listener.accept()
                self._taken.append(sock)
                sock.sendall(self._greeting)
        except OSError:
            return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._taken:
            one.close()


@pytest.mark.parametrize(
    ("greeting", "expected", "words"),
    [
        (b"220 m7.firm.example ESMTP\r\n", "fail warning", "m7.firm.example accepts mail"),
        (b"554 5.7.1 go away\r\n", "fail error", "no other MX host accepts mail"),
        (b"", "unknown None", "whether another accepts mail is unknown, no answer from m7.firm.example"),
        (None, "fail error", "no other MX host accepts mail"),
    ],
)
def test_no_mx_host_is_called_the_last_one_before_all_eight_were_asked(
    greeting: bytes | None, expected: str, words: str
) -> None:
    lines = [f"@ MX {number}0 m{number}\nm{number} A 127.77.31.{number + 1}" for number in range(8)]
    door = None if greeting is None else Door("127.77.31.8", greeting)
    try:
        with serving([zone_of("firm.example", "\n".join(lines))]) as server:
            request = Request("firm.example", tuple(kinds_for((), None)), True, (("127.0.0.1", server.port),))
            result = diagnose(request, Options(timeout_s=0.5, deadline_s=10.0, relay="none"))
    finally:
        if door:
            door.close()
    found = [one for one in result.findings if one.id == "tcp.unreachable" and one.message.count("refuses connections")]
    assert {f"{one.status.value} {one.severity and one.severity.value}" for one in found} == {expected}
    assert len(found) == MAX_MX
    assert all(words in one.message for one in found)
