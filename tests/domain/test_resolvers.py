"""Queries to name servers: in turn, once per question, by TCP if needed, within a bound."""

from __future__ import annotations

import time

import dns.zone
import pytest

from mailmon.clients.records import MAX_SILENCES, Answered, Records
from tests.domain.cases import DOMAIN, Case, healthy, strings, zones_of
from tests.domain.nameserver import CUT, REFUSED, SERVFAIL, SILENT, Fault, NameServer, serving

MX = ("10 mx1.firm.example", "20 mx2.firm.example")


def zones() -> list[dns.zone.Zone]:
    return zones_of(Case("", ""))


@pytest.mark.parametrize("fault", [SERVFAIL, REFUSED, SILENT], ids=["SERVFAIL", "REFUSED", "silent"])
def test_the_next_name_server_answers_where_one_does_not(fault: Fault) -> None:
    with serving(zones(), {DOMAIN: fault}) as first, serving(zones()) as second:
        records = Records([("127.0.0.1", first.port), ("127.0.0.1", second.port)], 2.0)
        assert records.ask(DOMAIN, "MX").values == MX
    assert first.asked.count(f"{DOMAIN} MX") >= 1
    assert second.asked.count(f"{DOMAIN} MX") == 1


def test_a_question_is_asked_once_in_a_run() -> None:
    with serving(zones()) as server:
        records = Records([("127.0.0.1", server.port)], 2.0)
        answers = {records.ask(name, "MX").values for name in (DOMAIN, DOMAIN.upper(), f"{DOMAIN}.")}
    assert answers == {MX}
    assert server.asked == [f"{DOMAIN} MX"]


@pytest.mark.parametrize(
    ("name", "kind", "faults", "expected"),
    [
        (DOMAIN, "MX", {}, Answered.FOUND),
        ("gone.firm.example", "A", {}, Answered.NXDOMAIN),
        (DOMAIN, "AAAA", {}, Answered.NODATA),
        ("_tcp.firm.example", "TXT", {}, Answered.NODATA),
        (DOMAIN, "MX", {DOMAIN: SERVFAIL}, Answered.FAILED),
        (DOMAIN, "MX", {DOMAIN: REFUSED}, Answered.FAILED),
        (DOMAIN, "MX", {DOMAIN: SILENT}, Answered.FAILED),
        (DOMAIN, "MX", {DOMAIN: CUT}, Answered.FOUND),
        ("x" * 64 + ".example", "A", {}, Answered.NXDOMAIN),
    ],
)
def test_ways_of_not_knowing_are_told_apart(name: str, kind: str, faults: dict[str, Fault], expected: Answered) -> None:
    with serving(zones(), faults) as server:
        assert Records([("127.0.0.1", server.port)], 1.0).ask(name, kind).kind is expected


def test_an_answer_that_does_not_fit_comes_by_tcp_and_whole() -> None:
    long = strings("x" * 8000)
    case = Case("", "", {"@ TXT": [*(healthy()["@ TXT"]), long]})
    with serving(zones_of(case)) as server:
        found = Records([("127.0.0.1", server.port)], 2.0).ask(DOMAIN, "TXT")
    assert sorted(map(len, found.values)) == [26, 26, 8000]
    assert server.asked.count(f"{DOMAIN} TXT") == 2


def test_name_servers_that_were_never_heard_are_not_waited_for_again() -> None:
    with serving(zones(), {f"n{number}.example": SILENT for number in range(9)}) as server:
        records = Records([("127.0.0.1", server.port)], 0.5)
        begun = time.monotonic()
        kinds = [records.ask(f"n{number}.example", "A").kind for number in range(9)]
    assert kinds == [Answered.FAILED] * 9
    assert time.monotonic() - begun < 0.5 * (MAX_SILENCES + 1)


def test_the_servers_of_these_tests_stop() -> None:
    server = NameServer(zones())
    server.close()
    assert Records([("127.0.0.1", server.port)], 0.5).ask(DOMAIN, "MX").kind is Answered.FAILED
