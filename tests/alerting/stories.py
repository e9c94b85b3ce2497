"""Histories of a step, run by run, and what people are told of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from mailmon.alerting import judge
from mailmon.model import (
    AlertSubject,
    Change,
    CheckState,
    Finding,
    Health,
    News,
    Outcome,
    Policy,
    Severity,
    Status,
    Verdict,
)

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
STEP = "smtp_auth:main"
TARGET = "mail.example.org:587"
REFUSED = f"{TARGET}: login: 535 5.7.8 authentication failed"
LETTERS = {
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


def topic(policy: Policy | None = None, *names: str) -> AlertSubject:
    """Return how a step is spoken of."""
    return AlertSubject("SMTP Auth", "", "account", ("all", STEP, "main", *names), policy or Policy())


CHANNELS = ("phone", "team", "mail")


class Story:
    """One step over several runs, a quarter of an hour apart."""

    def __init__(
        self, policy: Policy | None = None, memory: CheckState | None = None, channels: Sequence[str] = CHANNELS
    ) -> None:
        self.topics = {STEP: topic(policy)}
        self.channels = channels
        self.memories: dict[str, CheckState] = {STEP: memory} if memory else {}
        self.now = START
        self.run = 0

    @property
    def memory(self) -> CheckState:
        return self.memories[STEP]

    @property
    def health(self) -> Health:
        return self.memory.health

    def step(self, found: Outcome | None, *, is_silent: bool = False, is_blind: bool = False) -> list[Change]:
        """Judge one run and return what people are told."""
        self.now = START + self.run * QUARTER
        self.run += 1
        self.memories, flips = judge(
            self.memories,
            [found] if found else [],
            self.topics,
            self.now,
            alert_id=f"run-{self.run}",
            channels=self.channels,
            silenced=("main",) if is_silent else (),
            is_blind=is_blind,
        )
        return flips

    def tell(self, runs: str) -> list[str]:
        """Judge a run for each letter and return in words what is told.

        o, w, f, u, s are statuses; a capital is a silenced run, and u and s in a blind run are b and x.
        """
        told = []
        for letter in runs:
            small = letter.lower()
            status = LETTERS[{"b": "u", "x": "s"}.get(small, small)]
            flips = self.step(outcome(status), is_silent=letter != small, is_blind=small in "bx")
            told += [f"{self.run}: {in_words(flip)}" for flip in flips]
        return told


def in_words(flip: Change) -> str:
    """Say a flip in a few words: `up>down`, or its news."""
    return f"{flip.before}>{flip.after}" if flip.news is News.CHANGE else str(flip.news)


def policy_for(**channels: Sequence[str]) -> Policy:
    """Return a policy with these channels by severity."""
    by_severity: Mapping[str, tuple[str, ...]] = {key: tuple(names) for key, names in channels.items()}
    return Policy(channels=by_severity)


def heard_by(flips: Collection[Change], channel: str) -> list[str]:
    """Return what one channel is told."""
    return [in_words(flip) for flip in flips if channel in flip.channels]
