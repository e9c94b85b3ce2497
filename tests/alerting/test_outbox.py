"""The outbox: which alerts are pending for which channel."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailmon.alerting import combine, compose, discard, enqueue, reassign, split
from mailmon.alerting.outbox import MAX_HISTORY
from mailmon.alerting.wording import MAX_TITLE
from mailmon.model import Alert, AlertKind, Change, Health, News, OutboxEntry, Past, Severity
from mailmon.typedjson.convert import build, to_plain
from tests.alerting.sequences import QUARTER, START

BOTH = ("phone", "team")


def change(step_id: str = "smtp_auth:main", after: Health = Health.DOWN, before: Health = Health.UP) -> Change:
    _, _, name = step_id.partition(":")
    names = ("all", step_id, name)
    told = Change(step_id, before, after, START, START, "535 no", names=names, channels=BOTH)
    return told._replace(label="SMTP Auth", alert="run-1")


def part_by(entries: Iterable[OutboxEntry], silenced: Collection[str]) -> tuple[list[OutboxEntry], list[OutboxEntry]]:
    """Part what silences hold back, as a run does."""
    return split(entries, lambda change: not set(silenced).isdisjoint(change.names))


def wait(*changes: Change, channels: tuple[str, ...] = ("phone",), alert_id: str = "run-1") -> list[OutboxEntry]:
    return enqueue([], changes, channels, START, alert_id)


def ids(entries: list[OutboxEntry]) -> list[tuple[str, str, list[str]]]:
    return [(entry.channel, entry.alert.id, [change.id for change in entry.alert.changes]) for entry in entries]


def test_a_flip_waits_for_every_channel() -> None:
    assert ids(wait(change(), channels=BOTH)) == [
        ("phone", "run-1", ["smtp_auth:main"]),
        ("team", "run-1", ["smtp_auth:main"]),
    ]


def test_a_flip_waits_for_its_own_channels_only() -> None:
    entries = wait(change()._replace(channels=("team", "gone")), change("send:main"), channels=BOTH)
    assert ids(entries) == [
        ("phone", "run-1", ["send:main"]),
        ("team", "run-1", ["smtp_auth:main", "send:main"]),
    ]
    assert wait(change()._replace(channels=()), channels=BOTH) == []


def test_a_recovery_pending_only_for_missing_channels_goes_once_to_the_present_ones() -> None:
    end = change(after=Health.UP, before=Health.DOWN)._replace(channels=("phone",))
    waiting = wait(end, change("send:main"))

    def hand_on(entries: list[OutboxEntry], *channels: str) -> list[OutboxEntry]:
        return reassign(entries, channels, START, "run-2", lambda _: True)

    assert hand_on(waiting, "phone", "team") == waiting
    assert hand_on(waiting) == waiting
    handed = hand_on(waiting, "team", "boss")
    assert ids(handed) == [
        ("phone", "run-1", ["smtp_auth:main", "send:main"]),
        ("team", "run-2", ["smtp_auth:main"]),
        ("boss", "run-2", ["smtp_auth:main"]),
    ]
    assert hand_on(handed, "team", "boss") == handed
    assert hand_on(handed[:1], "team", "boss") == handed[:1]
    assert reassign(waiting, ("team",), START, "run-2", lambda _: False) == waiting


def test_without_news_the_outbox_stays_as_it_is() -> None:
    waiting = wait(change())
    assert enqueue(waiting, [], BOTH, START + QUARTER, "run-2") == waiting
    assert enqueue(waiting, [change()], [], START + QUARTER, "run-2") == waiting


def test_what_is_new_is_told_together_with_what_waits() -> None:
    later = enqueue(wait(change()), [change("send:main")], BOTH, START + QUARTER, "run-2")
    assert ids(later) == [
        ("phone", "run-2", ["smtp_auth:main", "send:main"]),
        ("team", "run-2", ["send:main"]),
    ]


def test_a_channel_with_news_keeps_what_is_known_of_its_trouble() -> None:
    (waiting,) = wait(change())
    troubled = waiting._replace(runs=4, refused=True, error="answered 403", not_before=START + QUARTER)
    (later,) = enqueue([troubled], [change("send:main")], ["phone"], START + QUARTER, "run-2")
    assert later._replace(alert=waiting.alert) == troubled._replace(alert=waiting.alert)


def test_an_alert_without_flips_waits_beside_the_others() -> None:
    test = OutboxEntry(Alert("t", AlertKind.TEST, "a test", "", START), "phone")
    entries = enqueue([test], [change()], ["phone"], START, "run-1")
    assert [entry.alert.id for entry in entries] == ["t", "run-1"]
    assert part_by(entries, {"all"})[0] == [test]


@pytest.mark.parametrize("name", ["all", "main", "smtp_auth:main"])
def test_a_silence_holds_back_what_it_names(name: str) -> None:
    waiting = wait(change(), channels=BOTH)
    assert part_by(waiting, {name}) == ([], waiting)
    assert part_by(waiting, {"office", "smtp_auth"}) == (waiting, [])


def test_an_alert_is_parted_where_a_silence_holds_back_some_of_it() -> None:
    waiting = [entry._replace(runs=3) for entry in wait(change(), change("send:office"))]
    (ready,), (held,) = part_by(waiting, {"office"})
    assert ids([ready, held]) == [("phone", "run-1", ["smtp_auth:main"]), ("phone", held.alert.id, ["send:office"])]
    assert (ready.runs, held.runs) == (3, 3)
    assert "office" not in ready.alert.body
    assert part_by([ready, held], {"office"}) == ([ready], [held])


def test_what_was_held_back_is_told_together_with_news() -> None:
    ready, held = part_by(wait(change(), change("send:office")), {"office"})
    later = enqueue([*ready, *held], [change("receive:main")], ["phone"], START + QUARTER, "run-2")
    assert ids(later) == [("phone", "run-2", ["smtp_auth:main", "send:office", "receive:main"])]


def test_after_a_silence_a_channel_gets_one_alert() -> None:
    ready, held = part_by(wait(change(), change("send:office"), channels=BOTH), {"office"})
    whole = combine([*ready, *held], START + QUARTER, "run-2")
    assert ids(whole) == [(name, "run-2", ["smtp_auth:main", "send:office"]) for name in BOTH]


def test_two_parts_that_were_held_back_do_not_have_the_same_id() -> None:
    waiting = wait(change(), change("send:office"), change("cleanup:other"))
    ready, held = part_by(waiting, {"office"})
    _, later = part_by(ready, {"office", "other"})
    assert held[0].alert.id != later[0].alert.id


def test_what_no_silence_parted_keeps_its_alert() -> None:
    waiting = wait(change(), channels=BOTH)
    test = OutboxEntry(Alert("t", AlertKind.TEST, "a test", "", START), "phone")
    assert combine([*waiting, test], START + QUARTER, "run-2") == [test, *waiting]


def test_joined_parts_keep_what_is_known_of_their_channel() -> None:
    ready, held = part_by(wait(change(), change("send:office")), {"office"})
    troubled = ready[0]._replace(runs=4, refused=True, error="answered 403", not_before=START + QUARTER)
    (whole,) = combine([troubled, *held], START + QUARTER, "run-2")
    assert whole == troubled._replace(alert=whole.alert)


def test_what_nobody_needs_to_hear_is_cut_out() -> None:
    waiting = wait(change(), change("send:office"), channels=BOTH)
    left = discard(waiting, lambda change: change.id == "send:office")
    assert ids(left) == [(name, "run-1", ["smtp_auth:main"]) for name in BOTH]
    assert all("office" not in entry.alert.body for entry in left)
    assert discard(left, lambda _: True) == []
    assert discard(waiting, lambda _: False) == waiting


def test_nothing_is_cut_out_of_an_alert_without_flips() -> None:
    test = OutboxEntry(Alert("t", AlertKind.TEST, "a test", "", START), "phone")
    assert discard([test], lambda _: True) == [test]


TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
WORDS = st.text(max_size=80)
CHANGES = st.builds(
    Change,
    id=st.sampled_from(["smtp_auth:main", "send:main", "receive:main"]),
    before=st.sampled_from(list(Health)),
    after=st.sampled_from(list(Health)),
    since=TIMES,
    at=TIMES,
    reason=WORDS,
    advice=WORDS,
    target=WORDS | st.just("mail.example.org:587"),
    label=WORDS,
    subject=WORDS,
    names=st.lists(st.sampled_from(["all", "main", "office"])).map(tuple),
    news=st.sampled_from(list(News)),
    severity=st.none() | st.sampled_from(list(Severity)),
    causes=st.lists(WORDS, max_size=2).map(tuple),
    notes=st.lists(WORDS, max_size=15).map(tuple),
    alert=WORDS,
    history=st.lists(st.builds(Past, st.sampled_from(list(Health)), TIMES), max_size=MAX_HISTORY).map(tuple),
    more=st.integers(0, 100),
    channels=st.lists(st.sampled_from(BOTH), unique=True).map(tuple),
)


@settings(deadline=None)
@given(
    rounds=st.lists(st.lists(CHANGES, max_size=4), max_size=5),
    silenced=st.sets(st.sampled_from(["all", "main", "office"])),
)
def test_any_flips_can_be_merged_told_parted_and_remembered(rounds: list[list[Change]], silenced: set[str]) -> None:
    outbox: list[OutboxEntry] = []
    for number, changes in enumerate(rounds):
        outbox = enqueue(outbox, changes, BOTH, START + number * QUARTER, str(number))
        told = {(channel, f.id) for channel in BOTH for f in changes if channel in f.channels}
        assert told <= {(entry.channel, change.id) for entry in outbox for change in entry.alert.changes}
    ready, held = part_by(outbox, silenced)
    for entry in (*outbox, *ready, *held):
        assert len(entry.alert.title) <= MAX_TITLE
        assert all(len(change.history) <= MAX_HISTORY for change in entry.alert.changes)
        assert build(OutboxEntry, json.loads(json.dumps(to_plain(entry)))) == entry
    assert len(outbox) <= len(BOTH)
    parted = [(entry.channel, change) for entry in (*ready, *held) for change in entry.alert.changes]
    whole = [(entry.channel, change) for entry in outbox for change in entry.alert.changes]
    assert sorted(map(repr, parted)) == sorted(map(repr, whole))
    again = combine([*ready, *held], START, "again")
    assert sorted(repr((e.channel, change)) for e in again for change in e.alert.changes) == sorted(map(repr, whole))
    assert len({entry.channel for entry in again}) == len(again)


@given(st.lists(CHANGES, max_size=20))
def test_any_flips_can_be_told(changes: list[Change]) -> None:
    alert = compose(changes, START, "1")
    assert (alert is None) == (not changes)
    assert alert is None or (alert.id, alert.changes, alert.at) == ("1", tuple(changes), START)
