"""Failures excused by our own network, with fakes, real sockets and name servers."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from mailmon.checks.check import NO_REPLY, failure, has_no_reply
from mailmon.clients.connectivity import Monitored, Target
from mailmon.clients.deadline import Deadline
from mailmon.clients.resolver import resolver_for
from mailmon.errors import Stage, StageError
from mailmon.model import Metric, Outcome, Status, Verdict
from mailmon.run.network import MIN_EXAMINE_S, Means, NetworkVerdict, examine, excuse
from tests.clients.test_connectivity import full_listener, unused_port
from tests.clients.test_resolver import name_server
from tests.run.outcomes import (
    DEAD,
    MAIL,
    OTHER,
    failed_outcome,
    finding_at,
    no_reply_outcome,
    ok_outcome,
    outcome_of,
    unresolved_outcome,
)

OFFLINE = NetworkVerdict(True, "ntfy.sh:443 does not answer either", frozenset({("tcp.unreachable", f"{MAIL}:993")}))


def test_an_excused_outcome_could_not_tell_and_says_why() -> None:
    before = outcome_of("imap_auth:main", Metric("x_s", 1.0), finding_at("tcp.unreachable", found=NO_REPLY))
    (after,) = excuse([before], OFFLINE)
    assert after.status is Status.UNKNOWN
    assert after.message == "mail.example.org:993: no (ntfy.sh:443 does not answer either)"
    assert after.advice == "Look at this machine's network first."
    assert [(f.id, f.status, f.severity) for f in after.findings] == [("tcp.unreachable", Verdict.UNKNOWN, None)]
    assert (after.id, after.check, after.name) == ("imap_auth:main", "imap_auth", "main")
    assert (after.target, after.duration_s, after.metrics) == (before.target, before.duration_s, before.metrics)
    assert not has_no_reply(after)


def test_nothing_else_changes() -> None:
    refused = failed_outcome("tcp.unreachable", step_id="imap_auth:main")
    skipped = Outcome("send:main", "send", "main", Status.SKIPPED, "skipped")
    outcomes = [ok_outcome("smtp_auth:main"), no_reply_outcome(OTHER, "imap_auth:other"), refused, skipped]
    assert excuse(outcomes, OFFLINE) == outcomes
    assert (
        excuse([no_reply_outcome()], None)
        == excuse([no_reply_outcome()], NetworkVerdict(False, "x"))
        == [no_reply_outcome()]
    )


def test_another_failure_of_the_same_step_stays_a_failure() -> None:
    before = outcome_of("imap_auth:main", finding_at("tcp.unreachable", found=NO_REPLY), finding_at("tls.cert_expired"))
    (after,) = excuse([before], OFFLINE)
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
    assert has_no_reply(outcome_of("imap_auth:main", failure(exc))) is expected


def real(targets: Sequence[Target], nameserver: tuple[str, int]) -> Means:
    return Means(targets, [nameserver], Deadline(60), resolver_for([nameserver]))


ELSEWHERE = Monitored(frozenset({"mail.example.com"}), {}, frozenset({"example.com"}), {})


@pytest.mark.parametrize(("is_heard", "is_offline"), [(False, True), (True, False)])
def test_real_targets_decide(is_heard: bool, is_offline: bool) -> None:
    with full_listener() as port:
        targets = [Target("127.0.0.1", port), *([Target("127.0.0.1", unused_port())] if is_heard else [])]
        sight = examine([no_reply_outcome()], ELSEWHERE, real(targets, DEAD))
    assert sight is not None
    assert sight.is_offline is is_offline


def test_a_real_target_that_is_an_alias_of_the_mail_server_does_not_count() -> None:
    monitored = Monitored(frozenset({MAIL}), {MAIL: ["127.0.0.1"]}, frozenset({"example.org"}), {})
    with full_listener() as port, name_server() as dns:
        sights = [
            examine([no_reply_outcome()], known, real([Target("alias.example.net", port)], dns))
            for known in (monitored, ELSEWHERE)
        ]
    assert sights[0] == NetworkVerdict(False, "there is no independent target to compare with", OFFLINE.about)
    assert sights[1] == NetworkVerdict(True, f"alias.example.net:{port} does not answer either", OFFLINE.about)


@pytest.mark.parametrize(
    ("host", "is_offline", "words"),
    [
        ("mail.example.org", False, "the name server 127.0.0.1 answers for mail.example.org"),
        ("empty.example.org", False, "the name server 127.0.0.1 answers for empty.example.org"),
        ("gone.example.org", False, "the name server 127.0.0.1 answers for gone.example.org"),
        ("broken.example.org", True, "no name server answers for broken.example.org (127.0.0.1 SERVFAIL)"),
        ("no.example.org", True, "no name server answers for no.example.org (127.0.0.1 REFUSED)"),
    ],
)
def test_a_real_name_server_is_asked_for_an_independent_name(host: str, is_offline: bool, words: str) -> None:
    with name_server() as dns:
        sight = examine([unresolved_outcome()], ELSEWHERE, real([Target(host, 443)], dns))
    assert sight is not None
    assert (sight.is_offline, sight.evidence) == (is_offline, words)


def test_a_real_name_server_that_is_silent_takes_a_bounded_time() -> None:
    started_s = time.monotonic()
    with name_server(is_silent=True) as dns:
        sight = examine([unresolved_outcome()], ELSEWHERE, real([], dns))
    assert sight is not None
    assert (sight.is_offline, sight.evidence) == (True, "no name server answers for the root zone (127.0.0.1 silent)")
    assert time.monotonic() - started_s < MIN_EXAMINE_S
