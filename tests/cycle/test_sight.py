"""Do we see the world at all, or is it us? Nobody is told of a dead mail server because our own cable is out."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from mailmon.checks.check import SILENCE, failure, has_silence
from mailmon.clients.deadline import Deadline
from mailmon.clients.names import Addresses, packed, resolver_for
from mailmon.clients.reach import Monitored, Target, parse_target
from mailmon.cycle.observe import make_outcome
from mailmon.cycle.plan import Step
from mailmon.cycle.sight import MIN_LOOK_S, Means, Sight, excuse, look
from mailmon.errors import Stage, StageError
from mailmon.model import Finding, Metric, Note, Outcome, Severity, Status, Verdict
from tests.clients.test_names import name_server
from tests.clients.test_reach import full_listener, unused_port

MAIL, OTHER, HERE = "mail.example.org", "mx.example.com", "here.example.net"
MONITORED = Monitored(
    hosts=frozenset({MAIL, OTHER, HERE}),
    addresses={MAIL: ["192.0.2.10"], OTHER: ["192.0.2.20"], HERE: ["127.0.0.1"]},
    domains=frozenset({"example.org", "example.com"}),
    steps={"imap_auth:main": MAIL, "smtp_auth:main": MAIL, "imap_auth:other": OTHER, "imap_auth:here": HERE},
)
NTFY, DNS9, OWN = parse_target("ntfy.sh:443"), parse_target("203.0.113.9:53"), parse_target("ntfy.example.org:443")
ALIAS = parse_target("alias.example.net:443")  # resolves to the mail server
DEAD, LIVE = ("198.51.100.53", 53), ("198.51.100.54", 53)
ON_MAIL = ("192.0.2.10", 53)


def outcome(step_id: str, *facts: Finding | Metric | Note) -> Outcome:
    check, _, name = step_id.partition(":")
    return make_outcome(Step(step_id, check, name, check, lambda _: ()), facts, 1.5)


def finding(finding_id: str, host: str = MAIL, found: str = "", severity: Severity | None = Severity.ERROR) -> Finding:
    target = f"{host}:993"
    return Finding(finding_id, Verdict.FAIL, target, f"{target}: no", severity, found=found, fix="Look there.")


def silent(host: str = MAIL, step_id: str = "imap_auth:main") -> Outcome:
    return outcome(step_id, finding("tcp.unreachable", host, SILENCE))


def unnamed(host: str = MAIL, step_id: str = "imap_auth:main") -> Outcome:
    return outcome(step_id, finding("dns.resolver_error", host))


def failed(finding_id: str, host: str = MAIL, step_id: str = "smtp_auth:main") -> Outcome:
    return outcome(step_id, finding(finding_id, host))


def good(step_id: str) -> Outcome:
    return outcome(step_id, Note("OK"))


def resolve(host: str, port: int, deadline: Deadline) -> Addresses:
    found = {"ntfy.sh": "203.0.113.80", "alias.example.net": "192.0.2.10"}
    if host == "unresolved.example.net":
        raise StageError("dns.resolver_error", Stage.DNS, host, "no answer")
    if host == "gone.example.net":
        raise StageError("dns.host_not_found", Stage.DNS, host, "no such host name")
    return [(socket.AF_INET, (host if packed(host) else found[host], port))]


def means(
    targets: Sequence[Target] = (),
    nameservers: Sequence[tuple[str, int]] = (DEAD,),
    answering: Mapping[str, bool | None] | None = None,
    said: Mapping[str, str] | None = None,
    seconds: float = 60.0,
) -> Means:
    """Return fakes: addresses that answer a knock, and what name servers say; the others are silent."""

    def knock(addresses: Addresses, deadline: Deadline) -> bool | None:
        return (answering or {}).get(addresses[0][1][0], False)

    def ask(name: str, nameserver: tuple[str, int], deadline: Deadline) -> str:
        return "" if nameserver == LIVE else (said or {}).get(name, "silent")

    return Means(targets, nameservers, Deadline(seconds), resolve, knock, ask)


def seen(outcomes: Sequence[Outcome], **how: Any) -> tuple[bool, str]:
    sight = look(outcomes, MONITORED, means(**how))
    assert sight is not None
    return sight.is_blind, sight.evidence


@pytest.mark.parametrize(
    "outcomes",
    [
        [],
        [good("imap_auth:main"), good("smtp_auth:main")],
        [failed("smtp.login_refused")],
        [failed("tcp.unreachable")],  # refused: only silence says so
        [failed("dns.host_not_found")],
        [failed("mailmon.deadline")],
        [outcome("imap_auth:main", finding("tcp.unreachable")._replace(status=Verdict.UNKNOWN, severity=None))],
    ],
)
def test_where_something_came_back_nothing_is_looked_at(outcomes: list[Outcome]) -> None:
    def never(*_: object) -> Any:
        raise AssertionError("touched")

    assert look(outcomes, MONITORED, Means([NTFY], [DEAD], Deadline(60), never, never, never)) is None
    assert not any(map(has_silence, outcomes))


@pytest.mark.parametrize(
    ("targets", "answering", "expected"),
    [
        # Without an independent target a time-out is FAILED.
        ([], {}, (False, "there is no independent target to compare with")),
        ([OWN], {}, (False, "there is no independent target to compare with")),
        ([ALIAS], {}, (False, "there is no independent target to compare with")),
        ([parse_target("192.0.2.10:53")], {}, (False, "there is no independent target to compare with")),
        ([Target("127.0.0.2", 80, is_implicit=True)], {}, (False, "there is no independent target to compare with")),
        ([parse_target("gone.example.net:1")], {}, (False, "there is no independent target to compare with")),
        ([DNS9], {"203.0.113.9": None}, (False, "there is no independent target to compare with")),
        ([NTFY], {}, (True, "ntfy.sh:443 does not answer either")),
        ([Target("127.0.0.2", 80)], {}, (True, "127.0.0.2:80 does not answer either")),
        ([NTFY, DNS9], {}, (True, "neither ntfy.sh:443 nor 203.0.113.9:53 answers")),
        ([NTFY, DNS9, OWN, ALIAS], {}, (True, "neither ntfy.sh:443 nor 203.0.113.9:53 answers")),
        ([NTFY, DNS9], {"203.0.113.9": None}, (True, "ntfy.sh:443 does not answer either")),
        ([DNS9] * 5, {}, (True, "none of 203.0.113.9:53, 203.0.113.9:53 and 203.0.113.9:53 answers")),
        ([NTFY, DNS9], {"203.0.113.9": True}, (False, "203.0.113.9:53 answers")),
        ([NTFY], {"203.0.113.80": True}, (False, "ntfy.sh:443 answers")),
        # A target without an address is no silent one; it only makes us ask the name servers.
        ([parse_target("unresolved.example.net:1"), NTFY], {}, (True, "ntfy.sh:443 does not answer either")),
    ],
)
def test_silence_is_ours_only_when_every_independent_target_is_silent_too(
    targets: list[Target], answering: dict[str, bool | None], expected: tuple[bool, str]
) -> None:
    assert seen([silent()], targets=targets, answering=answering) == expected


@pytest.mark.parametrize(
    ("nameservers", "expected"),
    [
        ([DEAD], (True, "no name server answers for unresolved.example.net (198.51.100.53 silent)")),
        ([ON_MAIL], (False, "the name servers are on a monitored server")),
        ([DEAD, LIVE], (False, "the name server 198.51.100.54 answers for unresolved.example.net")),
    ],
)
def test_targets_that_cannot_be_resolved_are_evidence_only_when_the_name_servers_are_dead_by_themselves(
    nameservers: list[tuple[str, int]], expected: tuple[bool, str]
) -> None:
    targets = [parse_target("unresolved.example.net:1")]
    assert seen([silent()], targets=targets, nameservers=nameservers) == expected


@pytest.mark.parametrize(
    ("others", "is_blind"),
    [
        ([good("smtp_auth:main")], False),
        ([good("imap_auth:other")], False),
        ([outcome("imap_auth:other", finding("x.slow", OTHER, severity=Severity.WARNING))], False),
        ([failed("tcp.unreachable", OTHER)], False),
        ([failed("smtp.login_refused", OTHER)], False),
        ([failed("imap.connection_lost", OTHER)], False),
        ([failed("tls.cert_expired")], False),
        ([good("imap_auth:here")], True),
        ([failed("tcp.unreachable", HERE)], True),
        ([failed("dns.host_not_found", OTHER)], True),
        ([failed("mailmon.deadline", OTHER)], True),
        ([outcome("cleanup:main", finding("route.lost", OTHER, severity=Severity.INFO))], True),
        ([failed("mta_sts.unreachable", "mta-sts.example.com")], True),  # not one of the servers
        ([good("mx:main")], True),  # a good step that needed no server
        ([silent(OTHER, "imap_auth:other")], True),
        ([Outcome("send:main", "send", "main", Status.SKIPPED, "skipped")], True),
    ],
)
def test_any_reply_of_a_server_outside_shows_that_the_network_works(others: list[Outcome], is_blind: bool) -> None:
    assert seen([silent(), *others], targets=[NTFY])[0] is is_blind


@pytest.mark.parametrize("other", [good("imap_auth:main"), failed("tcp.unreachable", HERE)])
def test_a_server_on_loopback_that_is_silent_is_judged_by_any_reply(other: Outcome) -> None:
    assert seen([silent(HERE, "imap_auth:here"), other], targets=[NTFY])[0] is False


def test_a_reply_from_loopback_excuses_the_one_outside_and_not_the_one_beside_it() -> None:
    outcomes = [silent(), silent(HERE, "imap_auth:here"), failed("smtp.login_refused", HERE)]
    after = excuse(outcomes, look(outcomes, MONITORED, means([NTFY])))
    assert [o.status for o in after] == [Status.UNKNOWN, Status.FAILED, Status.FAILED]


NO_NAMES = "no name server answers for ntfy.sh (198.51.100.53 silent)"


@pytest.mark.parametrize(
    ("nameservers", "targets", "said", "expected"),
    [
        ([DEAD], [NTFY], {}, (True, NO_NAMES)),
        ([DEAD], [NTFY, DNS9, OWN], {}, (True, NO_NAMES)),
        ([DEAD], [], {}, (True, "no name server answers for the root zone (198.51.100.53 silent)")),
        ([DEAD], [OWN, DNS9], {}, (True, "no name server answers for the root zone (198.51.100.53 silent)")),
        ([DEAD], [], {".": "SERVFAIL"}, (True, "no name server answers for the root zone (198.51.100.53 SERVFAIL)")),
        (
            [DEAD, ON_MAIL],
            [NTFY],
            {},
            (True, "no name server answers for ntfy.sh (198.51.100.53 silent, 192.0.2.10 silent)"),
        ),
        ([("127.0.0.53", 53)], [NTFY], {}, (True, "no name server answers for ntfy.sh (127.0.0.53 silent)")),
        # The mail host that also runs DNS is dead.
        ([ON_MAIL], [NTFY], {}, (False, "the name servers are on a monitored server")),
        ([("127.0.0.1", 53)], [NTFY], {}, (False, "the name servers are on a monitored server")),
        ([LIVE], [NTFY], {}, (False, "the name server 198.51.100.54 answers for ntfy.sh")),
        ([DEAD, LIVE], [NTFY], {}, (False, "the name server 198.51.100.54 answers for ntfy.sh")),
        ([LIVE], [OWN], {}, (False, "the name server 198.51.100.54 answers for the root zone")),
    ],
)
def test_a_name_that_nobody_resolves_is_ours_only_when_no_resolver_answers_for_an_independent_one(
    nameservers: list[tuple[str, int]], targets: list[Target], said: dict[str, str], expected: tuple[bool, str]
) -> None:
    assert seen([unnamed()], nameservers=nameservers, targets=targets, said=said) == expected


def test_a_reply_of_another_server_does_not_make_our_dead_resolver_the_mail_servers_fault() -> None:
    assert seen([unnamed(), good("imap_auth:other")], targets=[NTFY]) == (True, NO_NAMES)


def test_a_dead_resolver_excuses_no_silence_where_an_independent_target_answers() -> None:
    outcomes = [unnamed(OTHER, "imap_auth:other"), silent()]
    sight = look(outcomes, MONITORED, means([NTFY, DNS9], answering={"203.0.113.9": True}))
    assert sight is not None
    assert sight.is_blind
    after = excuse(outcomes, sight)
    assert [o.status for o in after] == [Status.UNKNOWN, Status.FAILED]
    assert after[1] is outcomes[1]


def test_silence_and_a_dead_resolver_are_told_together() -> None:
    outcomes = [unnamed(OTHER, "imap_auth:other"), silent()]
    is_blind, evidence = seen(outcomes, targets=[NTFY])
    assert is_blind
    assert evidence == f"{NO_NAMES}; ntfy.sh:443 does not answer either"


def test_without_the_time_to_look_silence_is_no_evidence() -> None:
    assert seen([silent()], targets=[NTFY], seconds=MIN_LOOK_S - 0.5) == (False, "no time is left to look")


BLIND = Sight(True, "ntfy.sh:443 does not answer either", frozenset({("tcp.unreachable", f"{MAIL}:993")}))


def test_an_excused_outcome_could_not_tell_and_says_why() -> None:
    before = outcome("imap_auth:main", Metric("x_s", 1.0), finding("tcp.unreachable", found=SILENCE))
    (after,) = excuse([before], BLIND)
    assert after.status is Status.UNKNOWN
    assert after.message == "mail.example.org:993: no (ntfy.sh:443 does not answer either)"
    assert after.advice == "Look at this machine's network first."
    assert [(f.id, f.status, f.severity) for f in after.findings] == [("tcp.unreachable", Verdict.UNKNOWN, None)]
    assert (after.id, after.check, after.name) == ("imap_auth:main", "imap_auth", "main")
    assert (after.target, after.duration_s, after.metrics) == (before.target, before.duration_s, before.metrics)
    assert not has_silence(after)


def test_nothing_else_changes() -> None:
    refused = failed("tcp.unreachable", step_id="imap_auth:main")
    skipped = Outcome("send:main", "send", "main", Status.SKIPPED, "skipped")
    outcomes = [good("smtp_auth:main"), silent(OTHER, "imap_auth:other"), refused, skipped]
    assert excuse(outcomes, BLIND) == outcomes
    assert excuse([silent()], None) == excuse([silent()], Sight(False, "x")) == [silent()]


def test_another_failure_of_the_same_step_stays_a_failure() -> None:
    before = outcome("imap_auth:main", finding("tcp.unreachable", found=SILENCE), finding("tls.cert_expired"))
    (after,) = excuse([before], BLIND)
    assert (after.status, after.message) == (Status.FAILED, "mail.example.org:993: no")


@pytest.mark.parametrize(
    ("exc", "expected"),
    [
        (StageError("tcp.unreachable", Stage.CONNECT, "m:25", "no answer", is_silence=True), True),
        (StageError("tcp.unreachable", Stage.CONNECT, "m:25", "connection refused"), False),
        (StageError("tcp.unreachable", Stage.CONNECT, "m:25", "no route", ours=True), False),
        (StageError("smtp.timeout", Stage.DATA, "m:25", "no answer", is_silence=True), True),
        (StageError("imap.timeout", Stage.SELECT, "m:25", "no answer; opened again: no answer", lost=True), True),
        (StageError("imap.connection_lost", Stage.SELECT, "m:25", "no route to host", lost=True), False),
        (StageError("dns.resolver_error", Stage.DNS, "m:25", "no answer", is_silence=True), True),
        (StageError("dns.resolver_error", Stage.DNS, "m:25", "no network", ours=True), False),
        (StageError("dns.host_not_found", Stage.DNS, "m:25", "no such host name"), False),
    ],
)
def test_a_conversation_that_ended_in_silence_may_be_excused(exc: StageError, expected: bool) -> None:
    assert has_silence(outcome("imap_auth:main", failure(exc))) is expected


def real(targets: Sequence[Target], nameserver: tuple[str, int]) -> Means:
    return Means(targets, [nameserver], Deadline(60), resolver_for([nameserver]))


ELSEWHERE = Monitored(frozenset({"mail.example.com"}), {}, frozenset({"example.com"}), {})


@pytest.mark.parametrize(("is_heard", "is_blind"), [(False, True), (True, False)])
def test_real_targets_decide(is_heard: bool, is_blind: bool) -> None:
    with full_listener() as port:
        targets = [Target("127.0.0.1", port), *([Target("127.0.0.1", unused_port())] if is_heard else [])]
        sight = look([silent()], ELSEWHERE, real(targets, DEAD))
    assert sight is not None
    assert sight.is_blind is is_blind


def test_a_real_target_that_is_an_alias_of_the_mail_server_does_not_count() -> None:
    monitored = Monitored(frozenset({MAIL}), {MAIL: ["127.0.0.1"]}, frozenset({"example.org"}), {})
    with full_listener() as port, name_server() as dns:
        sights = [
            look([silent()], known, real([Target("alias.example.net", port)], dns)) for known in (monitored, ELSEWHERE)
        ]
    assert sights[0] == Sight(False, "there is no independent target to compare with", BLIND.about)
    assert sights[1] == Sight(True, f"alias.example.net:{port} does not answer either", BLIND.about)


@pytest.mark.parametrize(
    ("host", "is_blind", "words"),
    [
        ("mail.example.org", False, "the name server 127.0.0.1 answers for mail.example.org"),
        ("empty.example.org", False, "the name server 127.0.0.1 answers for empty.example.org"),
        ("gone.example.org", False, "the name server 127.0.0.1 answers for gone.example.org"),
        ("broken.example.org", True, "no name server answers for broken.example.org (127.0.0.1 SERVFAIL)"),
        ("no.example.org", True, "no name server answers for no.example.org (127.0.0.1 REFUSED)"),
    ],
)
def test_a_real_name_server_is_asked_for_an_independent_name(host: str, is_blind: bool, words: str) -> None:
    with name_server() as dns:
        sight = look([unnamed()], ELSEWHERE, real([Target(host, 443)], dns))
    assert sight is not None
    assert (sight.is_blind, sight.evidence) == (is_blind, words)


def test_a_real_name_server_that_is_silent_takes_a_bounded_time() -> None:
    started_s = time.monotonic()
    with name_server(is_silent=True) as dns:
        sight = look([unnamed()], ELSEWHERE, real([], dns))
    assert sight is not None
    assert (sight.is_blind, sight.evidence) == (True, "no name server answers for the root zone (127.0.0.1 silent)")
    assert time.monotonic() - started_s < MIN_LOOK_S
