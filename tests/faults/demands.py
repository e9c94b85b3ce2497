"""Was everything right, run by run? What left, what waits, what the state says, how the command ended."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from tests.faults.judge import Tally, Verdict, judge_channel, judge_kinds
from tests.faults.language import CERTIFICATE, SPOKEN, UNIT, Expected
from tests.faults.post import Cut, Due, Letter, Post
from tests.faults.records import Message, Played, Record
from tests.faults.truth import Change, Truth

# Times are told to the millisecond; more would hide that mailmon and the truth mean different moments.
LEEWAY = timedelta(milliseconds=50)


def demand(played: Played) -> tuple[list[str], Tally, Cut]:
    """Return what was not as it must be, the figures of all channels, and what nobody needed to hear after all."""
    truth, post = Truth(played.history), Post({channel: [] for channel in played.history.channels})
    changes: list[Change] = []
    problems: list[str] = []
    for record in played.records:
        news = truth.take_in(record)
        changes += news
        if record.run.kill:
            post.put(news)
            post.catch_up(record)
            continue
        due = post.deliver(record, news)
        changes += due.changes
        found = [*_letters(record, due), *_ending(record, due), *_state(record, truth, due), *_story(record, due)]
        problems += [f"run {record.number} {record.run!r}: {problem}" for problem in found]
        if found:
            problems.append(f"  exit {record.exit_code}; {record.stderr.strip()}")
    post.close(played.records[-1])
    verdicts = [_judge(played, channel, owed(channel, changes, post.cut)) for channel in post.waiting]
    problems += [problem for verdict in verdicts for problem in _times(played, verdict)]
    problems += _same_ids(played)
    return problems, sum((verdict.tally for verdict in verdicts), Tally()), post.cut


def owed(channel: str, changes: Iterable[Change], cut: Cut) -> list[Change]:
    """Return what one channel's readers had to be told, in its order."""
    mine = (change for change in changes if channel in change.channels and (channel, change) not in cut)
    return sorted(mine, key=lambda change: change.run)


def _judge(played: Played, channel: str, about: list[Change]) -> Verdict:
    messages = [message for record in played.records for message in record.messages if message.channel == channel]
    return (judge_kinds if channel.startswith("ntfy") else judge_channel)(about, messages)


def _letters(record: Record, due: Due) -> Iterable[str]:
    """Compare what left with what had to leave; what was sent in vain more than once is one letter."""
    for channel, letters in due.sent.items():
        got = [message for message in record.messages if message.channel == channel]
        wanted = [_shown(letter) for letter in letters]
        if record.modes[channel] == "deaf":
            got = list({message.id: message for message in got}.values())
            wanted = [_shown(due.waiting[channel])] if channel in due.waiting else []
        said = [_said(message) for message in got]
        if any(message.told is None for message in got) or channel.startswith("ntfy"):
            said, wanted = [kind for kind, _ in said], [kind for kind, _ in wanted]  # type: ignore[misc]
        if said != wanted:
            yield f"{channel} got {said}, must have got {wanted}"


def _shown(letter: Letter) -> tuple[str, dict[str, tuple[str, ...]]]:
    return letter.kind, letter.told


def _said(message: Message) -> tuple[str, dict[str, tuple[str, ...]]]:
    return message.kind, {told.step: told.healths for told in message.told or ()}


def _ending(record: Record, due: Due) -> Iterable[str]:
    """Compare the exit code with the gravest cause of the run (docs/exit-codes.md)."""
    has_failed = any(sight and sight.status == "failed" for sight in record.sights.values())
    is_unknown = record.is_blind or any(sight and sight.status == "unknown" for sight in record.sights.values())
    causes = {74: bool(record.disk), 69: due.is_alarming, 1: has_failed and not record.is_blind, 75: is_unknown}
    if record.run.unit:
        causes = {69: bool(due.waiting) and record.run.unit not in SPOKEN}
    wanted = record.run.exit_code
    if wanted is None:
        wanted = next((code for code, holds in causes.items() if holds), 0)
    if record.exit_code != wanted:
        yield f"exit code {record.exit_code}, must be {wanted}"
    if record.run.is_twice and record.second_exit_code != 75:
        yield f"the second run ended with {record.second_exit_code}, must be 75"
    if "Traceback" in record.stderr:
        yield record.stderr


def _state(record: Record, truth: Truth, due: Due) -> Iterable[str]:
    """Compare what is remembered with what is true; a state that could not be written is none."""
    if record.disk:
        return
    if record.state is None:
        yield "there is no state"
        return
    if record.run.unit in SPOKEN:
        return
    remembered = {step: memory["health"] for step, memory in record.state.get("checks", {}).items()}
    for step, subject in truth.subjects.items():
        # Of a certificate that lasts nothing need be remembered.
        known = remembered.get(step, "up" if step == CERTIFICATE else None)
        if not step.startswith(UNIT) and known != subject.health:
            yield f"the state says {step} is {remembered.get(step)}, but it is {subject.health}"
    waiting = {entry["channel"] for entry in record.state.get("outbox", [])}
    if waiting != due.waiting.keys():
        yield f"the state says that alerts wait for {sorted(waiting)}, they wait for {sorted(due.waiting)}"


def _story(record: Record, due: Due) -> Iterable[str]:
    """Compare what the script itself says of the main channel."""
    expect = record.run.expect
    if expect is None:
        return
    channel = next((channel for channel in due.sent if channel in record.present), next(iter(due.sent)))
    letters = due.sent[channel]
    waiting = due.waiting.get(channel)
    seen = Expected("quiet")
    if letters:
        is_merged = expect.kind == "merged" and letters[0].is_merged
        seen = Expected("sent", "merged" if is_merged else letters[0].kind)
    elif waiting:
        is_merged = expect.kind == "merged" and waiting.is_merged
        seen = Expected("pending", "merged" if is_merged else waiting.kind)
    if seen != expect:
        yield f"the story says {expect}, the truth demands {seen}"


def _times(played: Played, verdict: Verdict) -> Iterable[str]:
    """Compare since when people were told that something was so with the run in which it began."""
    for change, message in verdict.matched:
        since = next((told.since for told in message.told or () if told.step == change.step), None)
        is_last = any(told.step == change.step and told.healths[-1] == change.to for told in message.told or ())
        onset = played.records[change.onset]
        if since and is_last and not change.is_cause and change.step.partition(":")[0] != "channel":
            others = [c for c, m in verdict.matched if m is message and c.step == change.step]
            if change == others[-1] and not onset.started_at - LEEWAY <= since <= onset.ended_at + LEEWAY:
                yield f"{change} was told to be so since {since}, it began between {onset.started_at} and its end"


def _same_ids(played: Played) -> Iterable[str]:
    """Two messages that differ must not have one id: who knows repetitions by it would drop the second one."""
    for channel in played.history.channels:
        seen: dict[str, bytes] = {}
        for message in (m for record in played.records for m in record.messages if m.channel == channel and m.id):
            if seen.setdefault(message.id, message.body) != message.body:
                yield f"run {message.run}: {channel} got two different messages with the id {message.id}"
