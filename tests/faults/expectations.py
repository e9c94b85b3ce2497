"""Comparison of a recording with the oracle, run by run: messages, outbox, state and exit code."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from tests.faults.dsl import CERTIFICATE, REPORTED_EXITS, UNIT, Expected
from tests.faults.oracle import Change, Oracle
from tests.faults.outbox_model import Dropped, Due, ExpectedMessage, OutboxModel
from tests.faults.recorder import Message, Record, Recording
from tests.faults.scoring import Score, Tally, score_channel, score_kinds

# Alerts give times to the millisecond; more would hide that mailmon and the oracle mean different moments.
LEEWAY = timedelta(milliseconds=50)


def check_recording(recording: Recording) -> tuple[list[str], Tally, Dropped]:
    """Return the problems, the figures of all channels, and the changes that need not be announced after all."""
    oracle, outbox = Oracle(recording.scenario), OutboxModel({channel: [] for channel in recording.scenario.channels})
    changes: list[Change] = []
    problems: list[str] = []
    for record in recording.records:
        new = oracle.observe(record)
        changes += new
        if record.run.kill:
            outbox.put(new)
            outbox.catch_up(record)
            continue
        due = outbox.deliver(record, new)
        changes += due.changes
        found = [*_messages(record, due), *_ending(record, due), *_state(record, oracle, due), *_script(record, due)]
        problems += [f"run {record.number} {record.run!r}: {problem}" for problem in found]
        if found:
            problems.append(f"  exit {record.exit_code}; {record.stderr.strip()}")
    outbox.close(recording.records[-1])
    scores = [
        _score(recording, channel, expected_changes(channel, changes, outbox.dropped)) for channel in outbox.waiting
    ]
    problems += [problem for score in scores for problem in _times(recording, score)]
    problems += _same_ids(recording)
    return problems, sum((score.tally for score in scores), Tally()), outbox.dropped


def expected_changes(channel: str, changes: Iterable[Change], dropped: Dropped) -> list[Change]:
    """Return the changes that one channel has to announce, in order."""
    mine = (change for change in changes if channel in change.channels and (channel, change) not in dropped)
    return sorted(mine, key=lambda change: change.run)


def _score(recording: Recording, channel: str, about: list[Change]) -> Score:
    messages = [message for record in recording.records for message in record.messages if message.channel == channel]
    return (score_kinds if channel.startswith("ntfy") else score_channel)(about, messages)


def _messages(record: Record, due: Due) -> Iterable[str]:
    """Compare the messages with the expected ones; retries of one message count once."""
    for channel, messages in due.sent.items():
        got = [message for message in record.messages if message.channel == channel]
        wanted = [_shown(message) for message in messages]
        if record.modes[channel] == "ack lost":
            got = list({message.id: message for message in got}.values())
            wanted = [_shown(due.waiting[channel])] if channel in due.waiting else []
        said = [_said(message) for message in got]
        if any(message.reports is None for message in got) or channel.startswith("ntfy"):
            said, wanted = [kind for kind, _ in said], [kind for kind, _ in wanted]  # type: ignore[misc]
        if said != wanted:
            yield f"{channel} got {said}, must have got {wanted}"


def _shown(message: ExpectedMessage) -> tuple[str, dict[str, tuple[str, ...]]]:
    return message.kind, message.healths


def _said(message: Message) -> tuple[str, dict[str, tuple[str, ...]]]:
    return message.kind, {report.step: report.healths for report in message.reports or ()}


def _ending(record: Record, due: Due) -> Iterable[str]:
    """Compare the exit code with the most severe cause in the run (docs/exit-codes.md)."""
    has_failed = any(observation and observation.status == "failed" for observation in record.observations.values())
    is_unknown = record.is_offline or any(
        observation and observation.status == "unknown" for observation in record.observations.values()
    )
    causes = {74: bool(record.disk), 69: due.is_alarming, 1: has_failed and not record.is_offline, 75: is_unknown}
    if record.run.unit:
        causes = {69: bool(due.waiting) and record.run.unit not in REPORTED_EXITS}
    wanted = record.run.exit_code
    if wanted is None:
        wanted = next((code for code, holds in causes.items() if holds), 0)
    if record.exit_code != wanted:
        yield f"exit code {record.exit_code}, must be {wanted}"
    if record.run.is_twice and record.second_exit_code != 75:
        yield f"the second run ended with {record.second_exit_code}, must be 75"
    if "Traceback" in record.stderr:
        yield record.stderr


def _state(record: Record, oracle: Oracle, due: Due) -> Iterable[str]:
    """Compare the saved state with the oracle; a state that could not be written is not compared."""
    if record.disk:
        return
    if record.state is None:
        yield "there is no state"
        return
    if record.run.unit in REPORTED_EXITS:
        return
    remembered = {step: memory["health"] for step, memory in record.state.get("checks", {}).items()}
    for step, subject in oracle.subjects.items():
        # Of a certificate that lasts nothing need be remembered.
        known = remembered.get(step, "up" if step == CERTIFICATE else None)
        if not step.startswith(UNIT) and known != subject.health:
            yield f"the state says {step} is {remembered.get(step)}, but it is {subject.health}"
    waiting = {entry["channel"] for entry in record.state.get("outbox", [])}
    if waiting != due.waiting.keys():
        yield f"the state says that alerts wait for {sorted(waiting)}, they wait for {sorted(due.waiting)}"


def _script(record: Record, due: Due) -> Iterable[str]:
    """Compare with what the script itself expects of the main channel."""
    expect = record.run.expect
    if expect is None:
        return
    channel = next((channel for channel in due.sent if channel in record.present), next(iter(due.sent)))
    messages = due.sent[channel]
    waiting = due.waiting.get(channel)
    seen = Expected("quiet")
    if messages:
        is_merged = expect.kind == "merged" and messages[0].is_merged
        seen = Expected("sent", "merged" if is_merged else messages[0].kind)
    elif waiting:
        is_merged = expect.kind == "merged" and waiting.is_merged
        seen = Expected("pending", "merged" if is_merged else waiting.kind)
    if seen != expect:
        yield f"the script says {expect}, the oracle {seen}"


def _times(recording: Recording, score: Score) -> Iterable[str]:
    """Compare the "since" of the messages with the run in which the change began."""
    for change, message in score.matched:
        reports = [report for report in message.reports or () if report.step == change.step]
        since = next((report.since for report in reports), None)
        is_last = any(report.healths[-1] == change.to for report in reports)
        onset = recording.records[change.onset]
        if since and is_last and not change.is_cause and change.step.partition(":")[0] != "channel":
            others = [c for c, m in score.matched if m is message and c.step == change.step]
            if change == others[-1] and not onset.started_at - LEEWAY <= since <= onset.ended_at + LEEWAY:
                yield f"{change} was reported since {since}, it began between {onset.started_at} and its end"


def _same_ids(recording: Recording) -> Iterable[str]:
    """Find different messages with the same id: a receiver that removes duplicates would drop the second one."""
    for channel in recording.scenario.channels:
        seen: dict[str, bytes] = {}
        for message in (m for record in recording.records for m in record.messages if m.channel == channel and m.id):
            if seen.setdefault(message.id, message.body) != message.body:
                yield f"run {message.run}: {channel} got two different messages with the id {message.id}"
