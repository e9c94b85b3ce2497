"""The outcome of each step, whatever the step does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

import pytest

from mailmon.checks.context import RunContext, RunEnvironment
from mailmon.clients.deadline import Deadline
from mailmon.clients.resolver import resolve_with_system
from mailmon.errors import MailmonError, Stage, StageError
from mailmon.mail.probe.ledger import Ledger
from mailmon.model import Fact, Finding, Metric, Note, Outcome, Severity, Status, Verdict
from mailmon.run.execute import BUG, DEADLINE, execute, labels_of
from mailmon.run.plan import Step
from mailmon.run.workers import Callbacks

SECRET = "s3ntinel-Value"
TARGET = "mail.example.org:587"
Ask = Callable[[RunContext], Iterable[Fact]]


def context(seconds: float = 30.0) -> RunContext:
    noon = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    environment = RunEnvironment(lambda: noon, time.sleep, Deadline(seconds), resolve_with_system, bytes(32), "0")
    return RunContext(environment, Ledger(), ())


def step(step_id: str, ask: Ask, needs: tuple[str, ...] = (), after: tuple[str, ...] = ()) -> Step:
    check, _, name = step_id.partition(":")
    return Step(step_id, check, name, check.title(), ask, needs, after)


def yielding(*facts: Fact) -> Ask:
    return lambda _: list(facts)


def failed(severity: Severity | None = Severity.ERROR, said: str = "535 no", fix: str = "") -> Finding:
    return Finding("smtp.login_refused", Verdict.FAIL, TARGET, said, severity, fix=fix)


def run(*steps: Step, seconds: float = 30.0) -> list[Outcome]:
    return execute(steps, context(seconds), Callbacks(lambda _: None))


def one(ask: Ask) -> Outcome:
    return run(step("receive:main", ask))[0]


def raising(exc: Exception, *before: Fact) -> Ask:
    def ask(_: RunContext) -> Iterator[Fact]:
        yield from before
        raise exc

    return ask


def test_a_step_without_trouble_is_ok_and_says_its_last_note() -> None:
    outcome = one(yielding(Note("first"), Metric("delivery_s", 2.1), Note("delivered")))
    assert (outcome.status, outcome.message, outcome.metrics) == (
        Status.OK,
        "delivered",
        (Metric("delivery_s", 2.1),),
    )


@pytest.mark.parametrize(
    ("finding", "status"),
    [
        (failed(Severity.CRITICAL), Status.FAILED),
        (failed(Severity.ERROR), Status.FAILED),
        (failed(None), Status.FAILED),
        (failed(Severity.WARNING), Status.WARNING),
        (failed(Severity.NOTICE), Status.OK),
        (failed(Severity.INFO), Status.OK),
        (Finding("x", Verdict.UNKNOWN, TARGET, "?"), Status.UNKNOWN),
        (Finding("x", Verdict.PASS, TARGET, "yes"), Status.OK),
        (Finding("x", Verdict.SKIPPED, TARGET, "no"), Status.SKIPPED),
    ],
)
def test_a_finding_gives_the_status(finding: Finding, status: Status) -> None:
    assert one(yielding(finding)).status is status


def test_the_worst_findings_give_the_words_and_the_advice() -> None:
    outcome = one(yielding(failed(Severity.WARNING, "slow"), failed(said="550 no"), failed(said="also", fix="Do it.")))
    assert (outcome.status, outcome.message, outcome.advice) == (Status.FAILED, "550 no; also", "Do it.")
    assert (outcome.target, len(outcome.findings)) == (TARGET, 3)


def test_what_was_learnt_before_a_conversation_broke_off_survives() -> None:
    exc = StageError("smtp.timeout", Stage.LOGIN, TARGET, "no answer within 20 s", "Look.", lost=True)
    outcome = one(raising(exc, Metric("delivery_s", 0.1)))
    assert (outcome.status, outcome.message) == (Status.FAILED, f"{TARGET}: login: no answer within 20 s")
    assert (outcome.advice, outcome.metrics) == ("Look.", (Metric("delivery_s", 0.1),))


def test_trouble_on_our_side_is_unknown() -> None:
    exc = StageError("tcp.unreachable", Stage.CONNECT, TARGET, "Network is unreachable", ours=True)
    assert one(raising(exc)).status is Status.UNKNOWN


def test_another_error_of_ours_is_unknown_with_its_words() -> None:
    outcome = one(raising(MailmonError("ca_file x: not there", "Set it.")))
    assert (outcome.status, outcome.message, outcome.advice) == (Status.UNKNOWN, "ca_file x: not there", "Set it.")


def test_a_bug_is_reported_as_one_by_its_place_without_its_words() -> None:
    outcome = one(raising(ValueError(f"bad {SECRET}")))
    assert (outcome.status, outcome.findings[0].id) == (Status.UNKNOWN, BUG)
    assert outcome.message.startswith("a bug in mailmon: ValueError at ")
    assert SECRET not in repr(outcome)


def test_a_step_whose_need_failed_is_skipped_and_says_why() -> None:
    outcomes = run(step("smtp_auth:main", yielding(failed())), step("send:main", yielding(), ("smtp_auth:main",)))
    assert (outcomes[1].status, outcomes[1].message) == (
        Status.SKIPPED,
        "skipped, because smtp_auth:main did not succeed",
    )


@pytest.mark.parametrize(
    ("first", "status"),
    [
        (yielding(failed(Severity.WARNING)), Status.OK),
        (yielding(Finding("x", Verdict.UNKNOWN, TARGET, "?")), Status.SKIPPED),
        (raising(ValueError()), Status.SKIPPED),
    ],
)
def test_a_need_that_only_warned_is_good_enough(first: Ask, status: Status) -> None:
    outcomes = run(step("smtp_auth:main", first), step("send:main", yielding(), ("smtp_auth:main",)))
    assert outcomes[1].status is status


def test_skipping_goes_on_along_the_needs() -> None:
    outcomes = run(
        step("a:x", yielding(failed())), step("b:x", yielding(), ("a:x",)), step("c:x", yielding(), ("b:x",))
    )
    assert [outcome.status for outcome in outcomes] == [Status.FAILED, Status.SKIPPED, Status.SKIPPED]


def test_a_step_that_only_comes_after_another_runs_though_that_failed() -> None:
    outcomes = run(step("receive:main", yielding(failed())), step("cleanup:main", yielding(), (), ("receive:main",)))
    assert outcomes[1].status is Status.OK


def test_a_step_begins_only_when_what_it_needs_has_ended() -> None:
    order: list[str] = []

    def slow(_: RunContext) -> Iterator[Fact]:
        time.sleep(0.05)
        order.append("a")
        yield Note("OK")

    def quick(_: RunContext) -> Iterator[Fact]:
        order.append("b")
        yield Note("OK")

    run(step("b:x", quick, ("a:x",)), step("a:x", slow))
    assert order == ["a", "b"]


def test_steps_that_need_nothing_run_side_by_side() -> None:
    barrier = threading.Barrier(2, timeout=5)

    def meet(_: RunContext) -> Iterator[Fact]:
        barrier.wait()
        yield Note("OK")

    assert [outcome.status for outcome in run(step("a:x", meet), step("b:x", meet))] == [Status.OK, Status.OK]


def test_outcomes_are_told_in_the_order_of_the_plan() -> None:
    gate = threading.Event()

    def waits(_: RunContext) -> Iterator[Fact]:
        gate.wait(5)
        yield Note("OK")

    def opens(_: RunContext) -> Iterator[Fact]:
        gate.set()
        yield Note("OK")

    told: list[str] = []
    steps = [step("a:x", waits), step("b:x", opens), step("c:x", yielding(), ("b:x",))]
    outcomes = execute(steps, context(), Callbacks(lambda outcome: told.append(outcome.id)))
    assert told == [outcome.id for outcome in outcomes] == ["a:x", "b:x", "c:x"]


def test_more_steps_than_threads_all_get_their_turn() -> None:
    outcomes = run(*(step(f"a:{number}", yielding(Note(str(number)))) for number in range(60)))
    assert [outcome.message for outcome in outcomes] == [str(number) for number in range(60)]


def test_when_the_deadline_comes_running_steps_failed_and_waiting_ones_say_nothing() -> None:
    never = threading.Event()

    def hangs(_: RunContext) -> Iterator[Fact]:
        never.wait(20)
        yield Note("OK")

    started_s = time.monotonic()
    steps = (step("a:x", yielding()), step("b:x", hangs), step("c:x", yielding(), ("b:x",)))
    outcomes = run(*steps, seconds=0.1)
    never.set()
    assert time.monotonic() - started_s < 4
    assert [outcome.status for outcome in outcomes] == [Status.OK, Status.FAILED, Status.SKIPPED]
    assert (outcomes[1].message, outcomes[1].advice) == (
        "not finished when the run's deadline came",
        "Raise deadline_s.",
    )
    assert (outcomes[1].findings[0].id, outcomes[2].message) == (
        DEADLINE,
        "skipped, because the run's deadline came first",
    )


def test_a_plan_without_steps_has_no_outcomes() -> None:
    assert run() == []


def test_steps_are_called_by_their_name_where_there_are_several_of_a_kind() -> None:
    steps = [step("send:a", yielding()), step("send:b", yielding()), step("receive:a", yielding())]
    assert labels_of(steps) == {"send:a": "Send (a)", "send:b": "Send (b)", "receive:a": "Receive"}


@pytest.mark.parametrize("name", ["answer_s", "unheard_of"])
def test_a_metric_of_another_check_is_a_bug_and_not_reported(name: str) -> None:
    outcome = one(yielding(Metric("delivery_s", 2.1), Metric(name, 1.0)))
    assert (outcome.status, outcome.findings[0].id) == (Status.UNKNOWN, BUG)
    assert outcome.message == f"a bug in mailmon: the registry of metrics has no {name} of the check receive"
    assert outcome.metrics == (Metric("delivery_s", 2.1),)
