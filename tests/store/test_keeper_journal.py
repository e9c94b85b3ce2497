"""What was announced is known when the state file cannot be written, or is gone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailmon.alerting import compose
from mailmon.model import Anchor, Announced, Change, CheckState, Delivery, Health, OutboxEntry, Status
from mailmon.model.run import LastRun
from mailmon.run.dispatch import Dispatch
from mailmon.store import journal
from mailmon.store.keeper import Keeper
from mailmon.store.state import KEPT_IN_JOURNAL, State, journal_payload, peek, save
from tests.alerting.sequences import START, STEP, outcome, subject
from tests.run.fake_channels import FakeChannels
from tests.store.disk import fill, remount, small_disk
from tests.store.test_files import full_disk

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(minutes=15)
CHANGE = Change(STEP, Health.UP, Health.DOWN, NOON, NOON, "535 no", label="SMTP Auth", names=("all", STEP))
UP = {STEP: CheckState(Health.UP, NOON, announced=Announced(Health.UP, NOON))}
DOWN = {STEP: CheckState(Health.DOWN, LATER, "535 no", announced=Announced(Health.DOWN, LATER, LATER, "535 no"))}
RESTORED = "state.json: alert history restored from the journal; delete both files to start over"


def waiting() -> tuple[OutboxEntry, ...]:
    alert = compose([CHANGE], NOON, "run-1")
    assert alert is not None
    return (OutboxEntry(alert, "phone"),)


def open_keeper(directory: Path, *, is_dry: bool = False) -> Keeper:
    return Keeper(directory / "state.json", LATER, is_dry=is_dry)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a small file system of its own."""
    with small_disk(tmp_path) as place:
        yield place


def test_on_a_full_disk_what_people_know_survives(disk: Path) -> None:
    open_keeper(disk).save(checks=UP)
    fill(disk)
    keeper = open_keeper(disk)
    keeper.save(checks=DOWN, outbox=waiting())
    assert "No space left" in keeper.error
    assert not keeper.may_repeat
    assert peek(disk / "state.json").state.checks == UP
    after = open_keeper(disk)
    assert (after.state.checks, after.state.outbox, after.warnings) == (DOWN, waiting(), ())
    assert after.state.serial == keeper.state.serial


def test_when_there_is_room_again_the_state_file_makes_good(disk: Path) -> None:
    open_keeper(disk).save(checks=UP)
    ballast = fill(disk)
    open_keeper(disk).save(checks=DOWN, outbox=waiting())
    ballast.unlink()
    keeper = open_keeper(disk)
    keeper.save()
    state = peek(disk / "state.json").state
    assert (keeper.error, state.checks, state.outbox) == ("", DOWN, waiting())
    assert open_keeper(disk).state == state


def test_ten_failures_and_a_recovery_on_a_full_disk_give_one_alert_each(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_channels = FakeChannels(monkeypatch)
    errors = []
    for number, status in enumerate([Status.OK, *[Status.FAILED] * 10, *[Status.OK] * 3]):
        now = START + number * timedelta(minutes=15)
        keeper = Keeper(disk / "state.json", now, is_dry=False)
        dispatch = Dispatch(f"run-{number}", now, fake_channels.context())
        told = dispatch.evaluate(keeper.state, [outcome(status)], {STEP: subject()})
        keeper.save(checks=told.state.checks, outbox=told.state.outbox)
        dispatch.send(keeper)
        errors += [bool(keeper.error)]
        if number == 0:
            fill(disk)
        assert not keeper.may_repeat
    assert errors == [False] + [True] * 13
    assert [alert.kind for alert in fake_channels.taken_by("phone")] == ["problem", "recovery"]


def test_a_disk_that_was_always_full_is_told_with_what_may_happen(disk: Path) -> None:
    fill(disk)
    keeper = open_keeper(disk)
    keeper.save(checks=DOWN)
    assert (bool(keeper.error), keeper.may_repeat) == (True, True)


def test_what_does_not_fit_into_the_journal_is_told_on_a_full_disk(disk: Path) -> None:
    open_keeper(disk).save(checks=UP)
    fill(disk)
    keeper = open_keeper(disk)
    big = {f"{number}": DOWN[STEP]._replace(reason=os.urandom(500).hex()) for number in range(100)}
    keeper.save(checks=big)
    assert (bool(keeper.error), keeper.may_repeat) == (True, True)


def corrupt(path: Path) -> None:
    path.write_text('{"schema": "mailmon/state/1", "checks": ')


def newer(path: Path) -> None:
    path.write_text('{"schema": "mailmon/state/2"}')


@pytest.mark.parametrize("ruin", [Path.unlink, corrupt, newer])
@pytest.mark.parametrize("is_dry", [False, True])
def test_a_state_that_is_lost_does_not_repeat_what_people_know(
    tmp_path: Path, ruin: Callable[[Path], None], is_dry: bool
) -> None:
    done = Delivery("run-0", "phone", "sent", "t", NOON, NOON)
    before = open_keeper(tmp_path)
    before.save(checks=DOWN, outbox=waiting(), deliveries=(done,))
    ruin(tmp_path / "state.json")
    keeper = open_keeper(tmp_path, is_dry=is_dry)
    assert (keeper.state.checks, keeper.state.outbox, keeper.state.deliveries) == (DOWN, waiting(), (done,))
    assert keeper.warnings[-1].endswith(RESTORED)
    assert len(keeper.warnings) == (1 if ruin is Path.unlink else 2)
    assert keeper.state.serial == before.state.serial


def test_who_deletes_the_journal_too_starts_afresh(tmp_path: Path) -> None:
    open_keeper(tmp_path).save(checks=DOWN)
    for path in (tmp_path / "state.json", tmp_path / "state.json.journal"):
        path.unlink()
    keeper = open_keeper(tmp_path)
    assert (keeper.state, keeper.warnings) == (State(), ())


def test_a_state_that_was_restored_from_a_copy_does_not_repeat_what_people_know(tmp_path: Path) -> None:
    open_keeper(tmp_path).save(checks=UP)
    old = (tmp_path / "state.json").read_bytes()
    open_keeper(tmp_path).save(checks=DOWN)
    (tmp_path / "state.json").write_bytes(old)
    assert open_keeper(tmp_path).state.checks == DOWN


def test_a_journal_that_is_older_than_the_state_is_not_taken(tmp_path: Path) -> None:
    open_keeper(tmp_path).save(checks=DOWN)
    save(tmp_path / "state.json", State(serial=7, checks=UP))
    keeper = open_keeper(tmp_path)
    assert (keeper.state.checks, keeper.warnings) == (UP, ())
    keeper.save()
    (tmp_path / "state.json").unlink()
    assert open_keeper(tmp_path).state.checks == UP


@pytest.mark.parametrize("raw", [b"", b"mailmon journal 1\n", b"\0" * 40_000, b"not a journal at all" * 1000])
def test_a_foreign_journal_is_not_taken_and_then_replaced(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "state.json.journal").write_bytes(raw)
    keeper = open_keeper(tmp_path)
    assert (keeper.state, keeper.warnings) == (State(), ())
    keeper.save(checks=DOWN)
    (tmp_path / "state.json").unlink()
    assert open_keeper(tmp_path).state.checks == DOWN


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"[]", b"null", b"{}", b'{"schema": "mailmon/state/2"}', b'{"schema": "mailmon/state/1", "checks": 5}'],
)
def test_a_journal_of_another_version_is_not_taken(tmp_path: Path, payload: bytes) -> None:
    journal.allocate(tmp_path / "state.json", 1000)
    journal.write(tmp_path / "state.json", journal.Record(99, payload))
    keeper = open_keeper(tmp_path)
    assert keeper.state == State(serial=99)
    (warning,) = keeper.warnings
    assert warning.endswith("invalid contents of its journal, which is written anew")
    keeper.save(checks=DOWN)
    (tmp_path / "state.json").unlink()
    assert open_keeper(tmp_path).state.checks == DOWN


def test_runs_without_news_leave_the_journal_alone(tmp_path: Path) -> None:
    open_keeper(tmp_path).save(checks=UP)
    raw = (tmp_path / "state.json.journal").read_bytes()
    for number in range(3):
        checked = UP[STEP]._replace(checked_at=LATER + timedelta(hours=number), value=f"arrived after {number} s")
        open_keeper(tmp_path).save(checks={STEP: checked})
    assert (tmp_path / "state.json.journal").read_bytes() == raw


def test_a_dry_run_reads_the_journal_and_writes_none(tmp_path: Path) -> None:
    open_keeper(tmp_path).save(checks=DOWN)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    open_keeper(tmp_path, is_dry=True).save(checks=UP)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_where_nothing_can_be_written_repetitions_are_possible(tmp_path: Path) -> None:
    open_keeper(tmp_path).save(checks=UP)
    keeper = open_keeper(tmp_path)
    with full_disk():
        keeper.save(checks=DOWN)
    assert (bool(keeper.error), keeper.may_repeat) == (True, True)


def test_on_a_read_only_disk_what_people_know_cannot_be_kept(disk: Path) -> None:
    open_keeper(disk).save(checks=UP)
    remount(disk, "ro")
    keeper = open_keeper(disk)
    keeper.save(checks=DOWN)
    assert ("Read-only file system" in keeper.error, keeper.may_repeat) == (True, True)
    assert open_keeper(disk).state.checks == UP


def test_on_a_full_disk_the_journal_keeps_the_last_run_and_the_clock(disk: Path) -> None:
    """Without news too: or a clock that was set would be followed again in every run."""
    open_keeper(disk).save(checks=UP, anchor=Anchor("boot", 1.0, NOON))
    fill(disk)
    last_run = LastRun("run-2", LATER, LATER, Status.OK)
    keeper = open_keeper(disk)
    keeper.save(last_run=last_run, anchor=Anchor("boot", 901.0, LATER))
    assert (bool(keeper.error), keeper.may_repeat) == (True, False)
    after = open_keeper(disk).state
    assert (after.last_run, after.anchor, after.checks) == (last_run, Anchor("boot", 901.0, LATER), UP)


def test_the_journal_keeps_the_latest_deliveries() -> None:
    deliveries = [Delivery(f"run-{number}", "phone", "sent", "t", NOON, NOON) for number in range(50)]
    payload = journal_payload(State(deliveries=tuple(deliveries))).decode()
    assert payload.count("run-") == KEPT_IN_JOURNAL
    assert '"run-49"' in payload
