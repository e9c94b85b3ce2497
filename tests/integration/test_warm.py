"""A run forked from a warm process (tests/warm.py) equals one started by a timer."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from mailmon.sandbox import Sandbox
from tests import warm
from tests.monitor import Monitor, Run

fit = pytest.mark.skipif(not warm.is_fit(os.environ), reason="here all runs are started by themselves")


def cold(monitor: Monitor, *arguments: str) -> Run:
    with monitor.start(arguments) as process:
        stdout, stderr = process.communicate(timeout=30)
    return Run(process.returncode, stdout, stderr, 0.0)


def said(run: Run) -> tuple[int, str, str]:
    return run.exit_code, run.stdout, run.stderr


@fit
@pytest.mark.parametrize(
    "arguments", [("config", "validate"), ("alerts",), ("nonsense",), ("check", "--nonsense"), ("silence", "a\udcff b")]
)
def test_it_says_the_same(monitor: Monitor, arguments: tuple[str, ...]) -> None:
    monitor.check()
    assert said(monitor.run(*arguments)) == said(cold(monitor, *arguments))


@fit
def test_a_cycle_ends_alike(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.refuse_login = {"smtp"}
    runs = [monitor.check("-v"), cold(monitor, "check", "--json", "-v")]
    assert [run.exit_code for run in runs] == [1, 1]
    assert runs[0].troubled == runs[1].troubled
    assert [step["id"] for step in runs[0].document["steps"]] == [step["id"] for step in runs[1].document["steps"]]
    assert all("C: EHLO" in run.stderr for run in runs)


@fit
def test_each_has_its_own_process_and_its_own_chance(monitor: Monitor) -> None:
    """A random generator that all had in the same state would give two runs the same probe."""
    runs = [monitor.check().document for _ in range(3)]
    assert len({run["run_id"] for run in runs}) == 3


@fit
def test_one_that_takes_too_long_is_killed(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.lose_mail = True
    monitor.config["routes"]["main"]["receive_timeout_s"] = 20
    with pytest.raises(subprocess.TimeoutExpired):
        monitor.run("check", timeout_s=1)
    lock = monitor.state_file.with_name("state.json.lock")
    pid = int(lock.read_text().split("process ")[1].split()[0])
    until_s = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until_s:
        time.sleep(0.01)
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("name", ["LANG", "PYTHONIOENCODING", "LD_PRELOAD", "TZ"])
def test_what_python_looks_at_when_it_starts_has_it_started(name: str) -> None:
    assert not warm.is_fit({**os.environ, name: "something else"})
