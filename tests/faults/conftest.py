"""All histories that were collected are played side by side; at the end a table says how people fared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.figures import table
from tests.faults.language import History
from tests.faults.theatre import Performance, Theatre

_PERFORMANCES = pytest.StashKey[list[Performance]]()
# Of a session whose tests are handed out to workers: what the worker that has played says of it.
_FIGURES = pytest.StashKey[str]()


@pytest.fixture(scope="session")
def theatre(request: pytest.FixtureRequest) -> Iterator[Theatre]:
    """Start to play all histories of this session."""
    items = (item for item in request.session.items if isinstance(item, pytest.Function))
    histories = [item.callspec.params.get("history") for item in items if hasattr(item, "callspec")]
    running = Theatre(history for history in histories if isinstance(history, History))
    request.config.stash[_PERFORMANCES] = running.performances
    yield running
    running.close()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the figures to whoever has handed out the tests."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None and (performances := session.config.stash.get(_PERFORMANCES, [])):
        output["histories"] = table(performances)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the figures from a worker that has ended."""
    if figures := getattr(node, "workeroutput", {}).get("histories"):
        node.config.stash[_FIGURES] = figures


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the figures of this session's histories."""
    performances = config.stash.get(_PERFORMANCES, [])
    if figures := table(performances) if performances else config.stash.get(_FIGURES, ""):
        terminalreporter.section("histories of faults")
        terminalreporter.write_line(figures)
