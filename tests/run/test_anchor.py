"""The anchor: which start of the machine a run belongs to."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailmon.clock import read_anchor

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def test_a_unit_that_does_not_see_the_kernel_says_the_same_by_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run by hand and the unit's run know that they belong to one start of the machine."""
    seen = BOOT_ID.read_text().strip()
    monkeypatch.delenv("MAILMON_BOOT_ID", raising=False)
    by_hand = read_anchor(NOON)
    monkeypatch.setenv("MAILMON_BOOT_ID", seen.replace("-", ""))  # as systemd writes %b
    monkeypatch.setattr("mailmon.clock._BOOT_ID", Path("/nonexistent"))
    assert read_anchor(NOON).boot_id == by_hand.boot_id != ""


def test_without_either_there_is_no_anchor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAILMON_BOOT_ID", raising=False)
    monkeypatch.setattr("mailmon.clock._BOOT_ID", Path("/nonexistent"))
    assert read_anchor(NOON).boot_id == ""
