"""Fixtures that run all collected scenarios side by side, and the table of figures at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.dsl import Scenario
from tests.faults.figures import table
from tests.faults.runner import Result, Runner

_RESULTS = pytest.StashKey[list[Result]]()
# With xdist: the table as the worker that ran the scenarios sends it.
_FIGURES = pytest.StashKey[str]()


@pytest.fixture(scope="session")
def runner(request: pytest.FixtureRequest) -> Iterator[Runner]:
    """Start all scenarios of this session."""
    items = (item for item in request.session.items if isinstance(item, pytest.Function))
    scenarios = [item.callspec.params.get("scenario") for item in items if hasattr(item, "callspec")]
    running = Runner(scenario for scenario in scenarios if isinstance(scenario, Scenario))
    request.config.stash[_RESULTS] = running.results
    yield running
    running.close()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the figures to the xdist controller."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None and (results := session.config.stash.get(_RESULTS, [])):
        output["scenarios"] = table(results)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the figures from a worker that has ended."""
    if figures := getattr(node, "workeroutput", {}).get("scenarios"):
        node.config.stash[_FIGURES] = figures


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the figures of this session's scenarios."""
    results = config.stash.get(_RESULTS, [])
    if figures := table(results) if results else config.stash.get(_FIGURES, ""):
        terminalreporter.section("scenarios of faults")
        terminalreporter.write_line(figures)
