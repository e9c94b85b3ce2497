"""Fixtures for the runs against the embedded server."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.embedded import monitor_of
from tests.monitor import Monitor


@pytest.fixture
def monitor(sandbox: Sandbox, receiver: Receiver, tmp_path: Path) -> Monitor:
    """Return a monitor that watches the embedded server and tells the receiver."""
    return monitor_of(sandbox, tmp_path, receiver)
