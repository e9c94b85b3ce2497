"""The machine's start that a run belongs to, and detecting that the clock was set since the last run."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailmon.clock import TOLERANCE, jump, read_anchor
from mailmon.model import Anchor
from tests.alerting.sequences import START

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
QUARTER_S, DAY_S = 900.0, 86400.0
BEFORE = Anchor("boot-1", 5000.0, START)


@pytest.mark.parametrize(
    ("boot_id", "uptime_s", "passed_s", "moved_s"),
    [
        ("boot-1", QUARTER_S, QUARTER_S, 0),
        ("boot-1", QUARTER_S, QUARTER_S + 3600, 3600),
        ("boot-1", QUARTER_S, QUARTER_S - 3600, -3600),
        ("boot-1", QUARTER_S, QUARTER_S + 365 * DAY_S, 365 * DAY_S),
        ("boot-1", QUARTER_S, -365 * DAY_S, -365 * DAY_S - QUARTER_S),
        # slewing and reading two clocks one after the other
        ("boot-1", QUARTER_S, QUARTER_S + 29, 0),
        ("boot-1", QUARTER_S, QUARTER_S - 29, 0),
        ("boot-1", QUARTER_S, QUARTER_S + 31, 31),
        ("boot-1", 7 * DAY_S, 7 * DAY_S * 1.0005, 0),
        ("boot-1", 7 * DAY_S, 7 * DAY_S * 1.002, 7 * DAY_S * 0.002),
        # a machine that slept: its uptime counts that too
        ("boot-1", 8 * 3600, 8 * 3600, 0),
        # a restart: nothing tells how long it lasted
        ("boot-2", -4990, QUARTER_S, 0),
        ("boot-2", -4990, 30 * DAY_S, 0),
        ("boot-2", 10, QUARTER_S, 0),
        ("boot-2", -4990, -20, 0),
        ("boot-2", -4990, -3600, -3600),
        # a system that does not say which start it was
        ("", 0, QUARTER_S, 0),
        ("", 0, -3600, -3600),
    ],
)
def test_a_clock_that_was_set_is_noticed(boot_id: str, uptime_s: float, passed_s: float, moved_s: float) -> None:
    before = BEFORE if boot_id else BEFORE._replace(boot_id="")
    now = Anchor(boot_id, before.boottime_s + uptime_s, START + timedelta(seconds=passed_s))
    assert jump(before, now) == timedelta(seconds=moved_s)


def test_without_an_earlier_run_nothing_was_set() -> None:
    assert jump(None, BEFORE) == timedelta()


@given(
    passed_s=st.floats(0, 30 * DAY_S),
    moved_s=st.floats(-365 * DAY_S, 365 * DAY_S),
)
def test_what_is_noticed_is_what_was_moved(passed_s: float, moved_s: float) -> None:
    moved = timedelta(seconds=moved_s)
    now = Anchor("boot-1", BEFORE.boottime_s + passed_s, START + timedelta(seconds=passed_s) + moved)
    found = jump(BEFORE, now)
    if abs(moved) < TOLERANCE - timedelta(seconds=1):
        assert found == timedelta()
    elif abs(moved_s) > passed_s / 1000 + 31:
        assert abs(found - moved) < timedelta(seconds=1)


def test_a_sandboxed_unit_knows_the_start_of_the_machine_by_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run by hand and the unit's run know that they belong to one start of the machine."""
    seen = BOOT_ID.read_text().strip()
    monkeypatch.delenv("MAILMON_BOOT_ID", raising=False)
    by_hand = read_anchor(START)
    monkeypatch.setenv("MAILMON_BOOT_ID", seen.replace("-", ""))  # as systemd writes %b
    monkeypatch.setattr("mailmon.clock._BOOT_ID", Path("/nonexistent"))
    assert read_anchor(START).boot_id == by_hand.boot_id != ""


def test_without_either_there_is_no_anchor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAILMON_BOOT_ID", raising=False)
    monkeypatch.setattr("mailmon.clock._BOOT_ID", Path("/nonexistent"))
    assert read_anchor(START).boot_id == ""
