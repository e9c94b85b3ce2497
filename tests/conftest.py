"""Fixtures that all tests may use."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.bed.fixtures import bed
from tests.scheduling import longest_first, scheduler

__all__ = ["bed"]

# That a loaded machine is slow is no failure. CI tries the same examples each time, so a red run is the change's doing;
# on a developer's machine they are others in each run.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


# The tests start the command thousands of times. Where bytecode must not be kept, each of them compiles all of mailmon
# anew, which takes longer than all that the command then does; nobody who has installed it waits for that.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# readline sets them in the process of pytest, and its workers inherit them: text would be as wide as nobody chose.
for name in ("COLUMNS", "LINES"):
    os.environ.pop(name, None)

# Children inherit that a signal is ignored, as in a background job of a shell; a handler is none of their business.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out the tests by our own table where they are handed out by file."""
    return scheduler(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let a worker, and so all of them alike, begin with what takes longest."""
    if hasattr(config, "workerinput"):
        longest_first(items)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Start a server that stands for ntfy, Discord or a ping address."""
    with Receiver() as running:
        yield running


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """Start the embedded mail server with its files in a directory of its own."""
    with Sandbox(directory=tmp_path / "sandbox") as running:
        yield running


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Return the folder with outside data; without MAILMON_TEST_DATA the test is skipped."""
    name = os.environ.get("MAILMON_TEST_DATA")
    if not name:
        pytest.skip("MAILMON_TEST_DATA does not name the folder with the outside test data")
    return Path(name)
