"""Fixtures for the cycle's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.run.fake_channels import FakeChannels
from tests.run.stored_runs import StoredRuns


@pytest.fixture
def fake_channels(monkeypatch: pytest.MonkeyPatch) -> FakeChannels:
    """Return channels that answer as they are told to."""
    return FakeChannels(monkeypatch)


@pytest.fixture
def runs(tmp_path: Path, fake_channels: FakeChannels) -> StoredRuns:
    """Return runs that share a state file."""
    return StoredRuns(tmp_path, fake_channels)
