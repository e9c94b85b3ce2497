"""Whoever reads the delivered alerts always knows the true state: any sequence of runs, silences and deliveries."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mailmon.alerting import combine, discard, enqueue, evaluate, split
from mailmon.alerting.wording import MAX_TITLE
from mailmon.model import (
    AlertSubject,
    Change,
    CheckState,
    Health,
    News,
    OutboxEntry,
    Policy,
    Quiet,
    QuietReason,
    Severity,
    Status,
)
from tests.alerting.recipient_model import RecipientModel, assumed_health
from tests.alerting.sequences import START, outcome

HOST = "mail.example.org"
LOUD = {"error": ("team",), "critical": ("phone", "team"), "warning": ("mail",)}
SUBJECTS = {
    "imap_auth:main": AlertSubject("IMAP Auth", "", "account", ("all", "imap_auth:main", "main"), Policy()),
    "smtp_auth:main": AlertSubject(
        "SMTP Auth", "main", "account", ("all", "main"), Policy(channels={"warning": ("mail",)})
    ),
    "smtp_auth:office": AlertSubject("SMTP Auth", "office", "account", ("all", "office"), Policy(1, 2, channels=LOUD)),
    "send:main": AlertSubject("Send Test", "", "route", ("all", "main"), Policy(2, 1, 2, channels={"warning": ()})),
    "receive:main": AlertSubject("Receive Test", "", "route", ("all", "main", "office"), Policy(3, 2, 1, 1800)),
    "cleanup:main": AlertSubject("Cleanup", "", "route", ("all", "cleanup:main"), Policy(1, 1, 3, 2700, LOUD)),
}
NAMES = ["all", "main", "office", "cleanup:main"]
SEVERITIES = (None, Severity.CRITICAL, Severity.ERROR, Severity.WARNING)
Found = tuple[Status, str, Severity | None]
FOUND = st.tuples(st.sampled_from(list(Status)), st.sampled_from(["535", "454"]), st.sampled_from(SEVERITIES))


class Evidence:
    """What the runs of a step show, counted without the table."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.failures = self.goods = self.unknowns = 0
        self.is_down = False

    def see(self, status: Status, *, is_offline: bool) -> None:
        if status is Status.UNKNOWN:
            self.unknowns += not is_offline
        elif status is not Status.SKIPPED:
            self.unknowns = 0
        if status is Status.FAILED:
            self.failures, self.goods = self.failures + 1, 0
            self.is_down = self.is_down or self.failures >= self.policy.failure_threshold
        elif status in (Status.OK, Status.WARNING):
            self.failures, self.goods = 0, self.goods + 1
            self.is_down = self.is_down and self.goods < self.policy.success_threshold


class Monitor(RuleBasedStateMachine):
    """Steps on one host, channels that come and go for good, and what those who read them believe."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.runs = 0
        self.subjects = dict(SUBJECTS)
        self.channels = ["phone", "team", "mail"]
        self.used = set(self.channels)
        self.states: dict[str, CheckState] = {}
        self.outbox: list[OutboxEntry] = []
        self.silenced: set[str] = set()
        self.evidence = {step_id: Evidence(subject.policy) for step_id, subject in SUBJECTS.items()}
        self.recipients = RecipientModel()

    @rule(
        found=st.lists(FOUND, min_size=len(SUBJECTS), max_size=len(SUBJECTS)),
        is_offline=st.integers(0, 7).map(lambda number: number == 0),
    )
    def run(self, found: list[Found], is_offline: bool) -> None:
        self.evaluate(dict(zip(SUBJECTS, found, strict=True)), is_offline=is_offline)

    @rule(found=FOUND, times=st.integers(1, 4))
    def go_on_alike(self, found: Found, times: int) -> None:
        for _ in range(times):
            self.evaluate(dict.fromkeys(SUBJECTS, found))

    @rule(name=st.sampled_from(NAMES))
    def begin_silence(self, name: str) -> None:
        self.silenced.add(name)

    @precondition(lambda self: self.silenced)
    @rule(data=st.data())
    def end_silence(self, data: st.DataObject) -> None:
        self.silenced.discard(data.draw(st.sampled_from(sorted(self.silenced))))

    @rule(name=st.sampled_from(NAMES), acknowledging=st.sets(st.integers(0, 3)))
    def deliver_beside_a_silence(self, name: str, acknowledging: set[int]) -> None:
        before = set(self.silenced)
        self.silenced.add(name)
        self.deliver(acknowledging)
        self.silenced = before

    @rule(number=st.integers(0, 3), is_renamed=st.booleans())
    def remove_channel(self, number: int, is_renamed: bool) -> None:
        """Remove a channel for good, or give it another name: then its reader begins anew."""
        if number < len(self.channels):
            gone = self.channels.pop(number)
            self.outbox = [entry for entry in self.outbox if entry.channel != gone]
            self.recipients.forget(channel=gone)
            if is_renamed:
                self.add_channel(gone)

    @precondition(lambda self: len(self.channels) < 3)
    @rule(name=st.sampled_from(["phone", "team"]))
    def add_channel(self, name: str) -> None:
        while name in self.used:
            name += "'"
        self.used.add(name)
        self.channels.append(name)

    @rule(acknowledging=st.sets(st.integers(0, 3)))
    def deliver(self, acknowledging: set[int]) -> None:
        self.runs += 1
        loud, held = split(self.outbox, self.is_silent)
        ready = combine(loud, self.now, f"run-{self.runs}")
        assert len({entry.channel for entry in ready}) == len(ready)
        taking = [name for number, name in enumerate(self.channels) if number in acknowledging]
        for entry in ready:
            assert not any(map(self.is_silent, entry.alert.changes))
            if entry.channel in taking:
                self.recipients.read(entry)
        self.outbox = [*(entry for entry in ready if entry.channel not in taking), *held]

    @precondition(lambda self: len(self.subjects) > 4)
    @rule(step_id=st.sampled_from(["smtp_auth:office", "send:main"]))
    def remove_step(self, step_id: str) -> None:
        self.subjects.pop(step_id, None)
        self.states.pop(step_id, None)
        self.outbox = discard(self.outbox, lambda change: change.id == step_id)
        self.recipients.forget(step_id=step_id)

    @rule()
    def settle(self) -> None:
        """End all silences and deliver everything: then people know all that there is to know, and hear no more."""
        self.silenced.clear()
        for _ in range(2):  # the first tells a change that was held back, the second that nothing can be told since
            self.evaluate(dict.fromkeys(SUBJECTS, (Status.SKIPPED, "", None)))
        self.deliver({0, 1, 2, 3})
        assert not self.outbox
        for step_id, state in self.states.items():
            told = state.announced
            is_in_doubt = state.unknown_runs > 0 or state.health is Health.FAILING
            health = told.health if is_in_doubt else state.health
            if told.unknown_since and is_in_doubt:
                health = Health.UNKNOWN
            threshold = SUBJECTS[step_id].policy.unknown_threshold
            assert told.unknown_since or self.evidence[step_id].unknowns < threshold
            knowing = [name for name in self.channels if name in self.recipients.informed[step_id]]
            for name in self.channels:
                expected = assumed_health(health) if name in knowing else Health.UP
                assert self.recipients.beliefs.get((name, step_id), Health.UP) is expected
            if health in (Health.DOWN, Health.DEGRADED) and not is_in_doubt:
                assert knowing or not self.wanted(step_id, state.severity)
        assert evaluate(self.states, [], self.subjects, self.now, channels=self.channels)[1] == []

    def wanted(self, step_id: str, severity: Severity | None) -> set[str]:
        """Return the channels that there are for a severity."""
        by_severity = SUBJECTS[step_id].policy.channels
        return set(self.channels) & set(by_severity.get(severity, self.channels)) if severity else set()

    def is_silent(self, change: Change) -> bool:
        return not self.silenced.isdisjoint(change.names)

    def evaluate(self, found: dict[str, Found], *, is_offline: bool = False) -> None:
        self.now += timedelta(minutes=15)
        self.runs += 1
        before, outcomes = self.states, []
        for step_id in self.subjects:
            status, code, severity = found[step_id]
            outcomes.append(outcome(status, step_id, code=code, severity=severity))
            self.evidence[step_id].see(status, is_offline=is_offline)
        self.states, changes, quiet = evaluate(
            before,
            outcomes,
            self.subjects,
            self.now,
            alert_id=f"run-{self.runs}",
            channels=self.channels,
            silenced=dict.fromkeys(self.silenced, self.now),
            is_offline=is_offline,
        )
        for step_id, state in self.states.items():
            is_alerted = any(change.channels for change in changes if change.id == step_id)
            self.check_reason(step_id, state, quiet.get(step_id), is_alerted=is_alerted)
        for change in changes:
            self.check_flip(change, found[change.id][0], before.get(change.id))
            # The channels that go here go for good: what waits for them is no matter.
            self.recipients.owe(change._replace(channels=tuple(c for c in change.channels if c in self.channels)))
        self.outbox = enqueue(self.outbox, changes, self.channels, self.now, f"run-{self.runs}")

    def check_reason(self, step_id: str, state: CheckState, quiet: Quiet | None, *, is_alerted: bool) -> None:
        """Assert that a step that is not healthy is alerted or has the one reason that explains why not."""
        assert state.quiet == quiet
        assert not (is_alerted and quiet)
        announced, evidence, policy = state.announced, self.evidence[step_id], self.subjects[step_id].policy
        is_new = state.health is Health.UP and announced.health is Health.NEW
        is_settled = state.health in (Health.NEW, Health.UP) and (is_new or state.health is announced.health)
        if not (is_settled and not state.unknown_runs and announced.unknown_since is None):
            assert is_alerted or quiet
        if quiet is None:
            return
        match quiet.reason:
            case QuietReason.FAILURES:
                assert quiet.runs == evidence.failures < policy.failure_threshold
            case QuietReason.RECOVERIES:
                assert quiet.runs == evidence.goods < policy.success_threshold
            case QuietReason.INCONCLUSIVE:
                assert quiet.runs == evidence.unknowns < policy.unknown_threshold
            case QuietReason.SENT:
                assert announced.channels
                assert announced.health is state.health or announced.unknown_since
                assert quiet.at is not None
                assert quiet.at == announced.at
                assert quiet.at < self.now
                assert quiet.until is None or quiet.until > self.now
            case QuietReason.SILENCED:
                assert quiet.by in self.silenced & set(self.subjects[step_id].names)
            case QuietReason.NO_CHANNEL:
                assert not announced.channels
            case _:
                assert quiet.reason in (QuietReason.NO_NETWORK, QuietReason.SKIPPED)

    def check_flip(self, change: Change, status: Status, before: CheckState | None) -> None:
        """Assert that there is reason to tell it, and that it goes to those who are meant and those who know."""
        state = self.states[change.id]
        assert not self.is_silent(change)
        assert change.after is not Health.DOWN or self.evidence[change.id].is_down
        unknowns = self.evidence[change.id].unknowns
        assert (
            unknowns >= SUBJECTS[change.id].policy.unknown_threshold
            if change.after is Health.UNKNOWN
            else unknowns == 0
        )
        assert change.news is not News.REMINDER or status in (Status.FAILED, Status.WARNING)
        knowing = self.recipients.informed[change.id] & set(self.channels)
        severity = Severity.WARNING if change.after is Health.UNKNOWN else state.severity
        if change.after is Health.UP and before and before.announced.channels and not knowing:
            severity = before.announced.severity
        # What is for those that are gone waits for a day.
        assert set(change.channels) & set(self.channels) == knowing | self.wanted(change.id, severity)

    @invariant()
    def nothing_is_lost_in_the_outbox(self) -> None:
        self.recipients.check(self.outbox, self.channels)

    @invariant()
    def titles_say_the_most_important_first(self) -> None:
        for entry in self.outbox:
            title = entry.alert.title
            assert len(title) <= MAX_TITLE
            assert title.startswith(f"{HOST}:")
            assert any(subject.label in title[:80] for subject in SUBJECTS.values())
            assert any(word in title for word in (" since ", " after ", " at "))


TestMonitor = Monitor.TestCase
TestMonitor.settings = settings(deadline=None, max_examples=50, stateful_step_count=25)
