"""Fixtures for the cycle's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.run.exchange import Exchange
from tests.run.runs import Runs


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> Exchange:
    """Return channels that answer as they are told to."""
    return Exchange(monkeypatch)


@pytest.fixture
def runs(tmp_path: Path, exchange: Exchange) -> Runs:
    """Return runs that share a state file."""
    return Runs(tmp_path, exchange)
