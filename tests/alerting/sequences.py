"""Histories of a step, run by run, and what people are told of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from mailmon.alerting import evaluate
from mailmon.model import (
    AlertSubject,
    Change,
    CheckState,
    Finding,
    Health,
    News,
    Outcome,
    Policy,
    Quiet,
    Severity,
    Status,
    Verdict,
)

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
STEP = "smtp_auth:main"
TARGET = "mail.example.org:587"
REFUSED = f"{TARGET}: login: 535 5.7.8 authentication failed"
STATUS_BY_LETTER = {
    "o": Status.OK,
    "w": Status.WARNING,
    "f": Status.FAILED,
    "u": Status.UNKNOWN,
    "s": Status.SKIPPED,
}


def outcome(
    status: Status,
    step_id: str = STEP,
    *,
    code: str = "535",
    finding_id: str = "smtp.login_refused",
    severity: Severity | None = None,
) -> Outcome:
    """Return what a run found out of a step; `code` is the server's reply code."""
    check, _, name = step_id.partition(":")
    if status not in (Status.FAILED, Status.WARNING):
        words = {Status.UNKNOWN: "no route to any host", Status.SKIPPED: "an earlier step failed"}
        target = TARGET if status is Status.UNKNOWN else ""
        return Outcome(step_id, check, name, status, words.get(status, "OK"), target=target)
    usual = Severity.ERROR if status is Status.FAILED else Severity.WARNING
    said = f"{TARGET}: login: {code} 5.7.8 no"
    finding = Finding(finding_id, Verdict.FAIL, TARGET, said, severity or usual, evidence=f"{code} 5.7.8 no")
    return Outcome(step_id, check, name, status, said, "Check the password.", TARGET, findings=(finding,))


def subject(policy: Policy | None = None, *names: str) -> AlertSubject:
    """Return how a step is spoken of."""
    return AlertSubject("SMTP Auth", "", "account", ("all", STEP, "main", *names), policy or Policy())


CHANNELS = ("phone", "team", "mail")


class CheckSequence:
    """One step over several runs, a quarter of an hour apart."""

    def __init__(
        self, policy: Policy | None = None, state: CheckState | None = None, channels: Sequence[str] = CHANNELS
    ) -> None:
        self.subjects = {STEP: subject(policy)}
        self.channels = channels
        self.states: dict[str, CheckState] = {STEP: state} if state else {}
        self.now = START
        self.run = 0
        self.quiet: dict[str, Quiet] = {}

    @property
    def state(self) -> CheckState:
        return self.states[STEP]

    @property
    def health(self) -> Health:
        return self.state.health

    def step(self, found: Outcome | None, *, is_silent: bool = False, is_offline: bool = False) -> list[Change]:
        """Judge one run and return what people are told."""
        self.now = START + self.run * QUARTER
        self.run += 1
        self.states, changes, self.quiet = evaluate(
            self.states,
            [found] if found else [],
            self.subjects,
            self.now,
            alert_id=f"run-{self.run}",
            channels=self.channels,
            silenced={"main": self.now + QUARTER} if is_silent else {},
            is_offline=is_offline,
        )
        return changes

    def announced(self, runs: str) -> list[str]:
        """Judge a run for each letter and return in words what is told.

        o, w, f, u, s are statuses; a capital is a silenced run, and u and s in a blind run are b and x.
        """
        told = []
        for letter in runs:
            small = letter.lower()
            status = STATUS_BY_LETTER[{"b": "u", "x": "s"}.get(small, small)]
            changes = self.step(outcome(status), is_silent=letter != small, is_offline=small in "bx")
            told += [f"{self.run}: {described(change)}" for change in changes]
        return told


def described(change: Change) -> str:
    """Say a flip in a few words: `up>down`, or its news."""
    return f"{change.before}>{change.after}" if change.news is News.CHANGE else str(change.news)


def policy_for(**channels: Sequence[str]) -> Policy:
    """Return a policy with these channels by severity."""
    by_severity: Mapping[str, tuple[str, ...]] = {key: tuple(names) for key, names in channels.items()}
    return Policy(channels=by_severity)


def described_for(changes: Collection[Change], channel: str) -> list[str]:
    """Return what one channel is told."""
    return [described(change) for change in changes if channel in change.channels]
