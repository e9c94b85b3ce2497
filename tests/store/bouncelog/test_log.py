"""A scan's messages are recorded once, with the place reached, and returned as they were."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from mailmon.mail.bounce.values import Kind, Original, Recipient
from mailmon.model.bounces import BounceFilter, BounceRow
from mailmon.store.bouncelog.log import KEEP_DAYS, BounceLog, Reader
from mailmon.store.bouncelog.writing import Folder, Outcome, Position, Run
from tests.store.bouncelog.samples import BOB, FULL, HOUR, INBOX, LATE, NOON, RUN, log_file, seen

ALL = BounceFilter(kinds=("bounce", "delayed", "feedback", "other"))


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.json"


def rows_of(state_file: Path, wanted: BounceFilter = ALL) -> list[BounceRow]:
    with Reader(state_file, NOON) as reader:
        return list(reader.rows(wanted))


def test_what_was_recorded_is_read_back_as_it_was(state_file: Path) -> None:
    with BounceLog(state_file, NOON) as log:
        [recorded] = log.record(INBOX, 9, [seen(9, BOB, FULL)], RUN)
        assert recorded == (9, 1, True, Outcome.PROCESSED)
        assert log.warnings == ()
    first, second = rows_of(state_file)
    assert first == BounceRow(
        1, NOON - HOUR, "main", "INBOX", "bounce", "bob@example.org", "example.org", "5.1.1", "failed", "userunknown",
        True, BOB.diagnostic, "mail.example.net", "mx.example.org", "<1@example.net>", "Your order",
        "shop@example.net", ("bob@example.org",), ("boss@example.net",),
    )  # fmt: skip
    assert (second.id, second.address, second.domain, second.is_hard) == (1, "carol@example.com", "example.com", False)
    with Reader(state_file, NOON) as reader:
        message = reader.message(1)
        assert message is not None
        assert message.rows == (first, second)
        assert (message.uid, message.uidvalidity, message.run_id, message.seen_at) == (9, 7, "run-1", NOON)
        assert (message.form, message.outcome, message.digest) == ("dsn", "processed", seen(9).digest.hex())
        assert reader.message(2) is None
        assert reader.message(2**70) is None


def test_the_position_is_that_of_the_last_batch(state_file: Path) -> None:
    with BounceLog(state_file, NOON) as log:
        assert log.position("main", "INBOX") is None
        log.record(INBOX, 9, [seen(9, BOB)], RUN)
        log.record(INBOX, 20, [], RUN)
        log.record(Folder("other", "INBOX", 3), 5, [], RUN)
        assert log.position("main", "INBOX") == Position(7, 20)
    with BounceLog(state_file, NOON) as log:
        assert log.position("main", "INBOX") == Position(7, 20)


def test_a_uid_that_is_known_is_not_recorded_again(state_file: Path) -> None:
    with BounceLog(state_file, NOON) as log:
        log.record(INBOX, 2, [seen(1, BOB), seen(2, FULL)], RUN)
        again = log.record(INBOX, 3, [seen(1, BOB), seen(2, FULL), seen(3, LATE)], RUN)
    assert [(one.id, one.is_new) for one in again] == [(1, False), (2, False), (3, True)]
    assert len(rows_of(state_file)) == 3


def test_new_uids_for_the_same_messages_double_nothing(state_file: Path) -> None:
    """The server was rebuilt: UIDVALIDITY is another one, and all messages are read again."""
    with BounceLog(state_file, NOON) as log:
        log.record(INBOX, 2, [seen(1, BOB), seen(2, FULL)], RUN)
        moved = INBOX._replace(uidvalidity=8)
        again = log.record(
            moved, 12, [seen(11, FULL, raw="message 2"), seen(12, BOB, raw="message 1"), seen(13, LATE)], RUN
        )
        assert [(one.id, one.is_new) for one in again] == [(2, False), (1, False), (3, True)]
        assert log.position("main", "INBOX") == Position(8, 12)
        assert [one.is_new for one in log.record(moved, 13, [seen(12, BOB, raw="message 1")], RUN)] == [False]
    assert len(rows_of(state_file)) == 3


def test_two_copies_are_two_messages_and_stay_two_when_uids_change(state_file: Path) -> None:
    with BounceLog(state_file, NOON) as log:
        first = log.record(INBOX, 2, [seen(1, BOB, raw="same"), seen(2, BOB, raw="same")], RUN)
        moved = INBOX._replace(uidvalidity=8)
        copies = [seen(uid, BOB, raw="same") for uid in (5, 6, 7)]
        again = log.record(moved, 7, copies, RUN)
    assert [one.is_new for one in first] == [True, True]
    assert [(one.id, one.is_new) for one in again] == [(1, False), (2, False), (3, True)]


def test_the_same_message_in_another_folder_or_account_is_another_one(state_file: Path) -> None:
    with BounceLog(state_file, NOON) as log:
        places = [INBOX, Folder("main", "Bounces", 7), Folder("office", "INBOX", 7)]
        assert all(log.record(place, 1, [seen(1, BOB)], RUN)[0].is_new for place in places)


def test_a_mailbox_from_a_backup_that_gives_uids_again_loses_no_message(state_file: Path) -> None:
    with BounceLog(state_file, NOON) as log:
        log.record(INBOX, 1, [seen(1, BOB, raw="before the backup")], RUN)
        [other] = log.record(INBOX, 1, [seen(1, FULL, raw="after it")], RUN)
        assert other.is_new
        [first] = log.record(INBOX, 2, [seen(2, BOB, raw="before the backup")], RUN)
        assert (first.id, first.is_new) == (1, False)
    assert len(rows_of(state_file)) == 2


def test_a_run_after_a_kill_learns_what_was_recorded_and_not_moved(state_file: Path) -> None:
    with BounceLog(state_file, NOON) as log:
        log.record(INBOX, 2, [seen(1, BOB), seen(2, outcome=Outcome.PROBLEM)], RUN)
        found = log.known(INBOX, [1, 2, 3])
        assert {uid: one.outcome for uid, one in found.items()} == {1: Outcome.PROCESSED, 2: Outcome.PROBLEM}
        assert log.known(Folder("main", "elsewhere", 7), [1]) == {}


def test_a_batch_with_one_impossible_message_is_not_recorded_at_all(state_file: Path) -> None:
    with BounceLog(state_file, NOON) as log:
        bad = seen(2, BOB)._replace(outcome="nonsense")  # type: ignore[arg-type]
        with pytest.raises(AttributeError):
            log.record(INBOX, 2, [seen(1, BOB), bad], RUN)
        assert log.position("main", "INBOX") is None
        log.record(INBOX, 2, [seen(1, BOB)], RUN)
    assert len(rows_of(state_file)) == 1


ODD = ["a\0b@example.org", "\ud800@example.org", "x" * 100_000, "", "bücher@bücher.example", "=cmd|' /C calc'!A0"]


@pytest.mark.parametrize("text", ODD, ids=ascii)
def test_any_text_can_be_recorded(state_file: Path, text: str) -> None:
    recipient = Recipient(text, "5.1.1", "failed", "userunknown", True, text, text, text)
    with BounceLog(state_file, NOON) as log:
        log.record(INBOX, 1, [seen(1, recipient, original=Original(text, text, text, (text,), (text,)))], RUN)
    [row] = rows_of(state_file)
    assert row.address == row.original_to[0] == row.diagnostic
    assert row.address[:5] == text[:5].replace("\0", "�").replace("\ud800", "?")
    row.address.encode()


def test_a_message_without_a_recipient_is_one_row(state_file: Path) -> None:
    with BounceLog(state_file, NOON) as log:
        log.record(INBOX, 1, [seen(1, kind=Kind.FEEDBACK)], RUN)
    [row] = rows_of(state_file)
    assert (row.kind, row.address, row.is_hard, row.status) == ("feedback", "", None, "")


FILTERS: list[tuple[BounceFilter, str]] = [
    (BounceFilter(), "BCDF"),
    (ALL, "BCDFO"),
    (BounceFilter(kinds=("delayed",)), "D"),
    (BounceFilter(domains=("example.org",)), "BD"),
    (BounceFilter(domains=("example.org", "example.com")), "BCD"),
    (BounceFilter(domains=("ample.org",)), ""),
    (BounceFilter(statuses=("5",)), "B"),
    (BounceFilter(statuses=("5.1",)), "B"),
    (BounceFilter(statuses=("5.1.1",)), "B"),
    (BounceFilter(statuses=("5.1.11",)), ""),
    (BounceFilter(statuses=("4.4", "5.1.1")), "BD"),
    (BounceFilter(reasons=("mailboxfull",)), "C"),
    (BounceFilter(is_hard=True), "B"),
    (BounceFilter(is_hard=False), "C"),
    (BounceFilter(since=NOON - HOUR), "BC"),
    (BounceFilter(until=NOON - HOUR), "DF"),
    (BounceFilter(since=NOON - 3 * HOUR, until=NOON - HOUR), "F"),
    (BounceFilter(since=NOON - HOUR, reasons=("mailboxfull",), is_hard=True), ""),
]


@pytest.mark.parametrize(("wanted", "expected"), FILTERS)
def test_a_filter_finds_what_it_says(state_file: Path, wanted: BounceFilter, expected: str) -> None:
    with BounceLog(state_file, NOON) as log:
        batch = [
            seen(1, BOB),
            seen(2, FULL, age=timedelta()),
            seen(3, LATE, kind=Kind.DELAYED, age=4 * HOUR),
            seen(4, kind=Kind.FEEDBACK, age=2 * HOUR),
            seen(5, kind=Kind.OTHER, age=30 * HOUR),
        ]
        log.record(INBOX, 5, batch, RUN)
    found = {"BCDFO"[row.id - 1] for row in rows_of(state_file, wanted)}
    assert found == set(expected)
    with Reader(state_file, NOON) as reader:
        latest = reader.latest(wanted, 2)
        assert latest == list(reader.rows(wanted))[-2:]


def test_the_beginning_of_a_code_is_whole_numbers_of_it(state_file: Path) -> None:
    with BounceLog(state_file, NOON) as log:
        log.record(INBOX, 1, [seen(1, BOB._replace(status="5.7.26")), seen(2, BOB._replace(status="5.17.1"))], RUN)
    found = [
        [row.id for row in rows_of(state_file, BounceFilter(statuses=(code,)))] for code in ("5.7.2", "5.1", "5.7")
    ]
    assert found == [[], [], [1]]


def test_figures_count_recipients_of_bounces_by_what_they_have_in_common(state_file: Path) -> None:
    with BounceLog(state_file, NOON) as log:
        batch = [seen(1, BOB, FULL), seen(2, BOB), seen(3, LATE, kind=Kind.DELAYED), seen(4, kind=Kind.FEEDBACK)]
        log.record(INBOX, 9, [*batch, seen(5, kind=Kind.OTHER), seen(6, BOB, age=25 * HOUR)], RUN)
    with Reader(state_file, NOON) as reader:
        figures = reader.figures(NOON - 24 * HOUR, NOON)
    assert figures.messages == 4
    assert figures.classes == {"hard": 2, "soft": 1, "delayed": 1, "feedback": 1}
    assert figures.reasons == {"userunknown": 2, "mailboxfull": 1}
    assert figures.domains == {"example.org": 2, "example.com": 1}
    assert figures.remote_mtas == {"mx.example.org": 2, "mx.example.com": 1}


def test_what_was_seen_long_ago_is_forgotten_a_part_a_run(state_file: Path) -> None:
    with BounceLog(state_file, NOON) as log:
        log.record(INBOX, 100, [seen(uid, BOB) for uid in range(1, 101)], Run("old", NOON - timedelta(days=401)))
        log.record(INBOX, 101, [seen(101, FULL, age=timedelta(days=500))], RUN)
    size = log_file(state_file).stat().st_size
    with BounceLog(state_file, NOON) as log:
        connection = log._connection
        assert log._database.prune(KEEP_DAYS, limit=30) == 30
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        raw = log_file(state_file).read_bytes()
        assert (b"<message-31@" in raw, b"<message-30@" in raw) == (True, False), "what is removed is overwritten"
        assert log.prune() == 70
        assert connection.execute("PRAGMA freelist_count").fetchone() == (0,), "and its space given back"
        assert log.prune() == 0
        assert connection.execute("SELECT count(*) FROM recipients").fetchone() == (1,)
        assert log.position("main", "INBOX") == Position(7, 101)
        [recorded] = log.record(INBOX, 102, [seen(102, BOB)], RUN)
        assert recorded.id == 102, "an id is never given twice"
    assert [row.id for row in rows_of(state_file)] == [101, 102]
    assert log_file(state_file).stat().st_size < size
