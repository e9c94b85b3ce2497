"""A new check and a new channel: one file and one line each bring them into the schema, the pages, the command, a run.

CONTRIBUTING.md describes both tasks; `port.py` and `file.py` are the files.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mailmon.checks import CHECKS
from mailmon.cli.config import complete_schema
from mailmon.notify import NOTIFIERS
from mailmon.sandbox import Sandbox
from mailmon.typedjson.validate import json_schema
from tests.docs.generate import ROOT, reference
from tests.embedded import config_of
from tests.monitor import Monitor

# The line of each, the row of the metric, and the command with them.
PROGRAM = """
from mailmon.checks import CHECKS
from mailmon.metrics import MetricRow, add_metric
from mailmon.notify import NOTIFIERS
CHECKS.add("port", "checks.port.ports", module="tests.parts.port")
add_metric(MetricRow("connect_s", "seconds", "mailmon_port_connect_seconds", ("port",), "Time to connect to the port."))
NOTIFIERS.add("file", module="tests.parts.file")
from mailmon.cli import main
main()
"""


@dataclass
class Extended(Monitor):
    """The command with the new check and the new channel."""

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-c", PROGRAM, *arguments, "--config", str(self.path)]

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "PYTHONPATH": str(ROOT)}


@pytest.fixture
def registered() -> Iterator[None]:
    """Register both in this process."""
    CHECKS.add("port", "checks.port.ports", module="tests.parts.port")
    NOTIFIERS.add("file", module="tests.parts.file")
    yield
    CHECKS.remove("port")
    NOTIFIERS.remove("file")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def monitor(sandbox: Sandbox, listener: socket.socket, tmp_path: Path) -> Extended:
    config = config_of(sandbox, None)
    checks = {"port": {"ports": {"web": listener.getsockname()[1]}}}
    return Extended(tmp_path, {**config, "checks": checks, "notify": {"file": {"path": str(tmp_path / "alerts")}}})


def test_a_run_has_the_new_check_and_alerts_by_the_new_channel(
    monitor: Extended, listener: socket.socket, tmp_path: Path
) -> None:
    good = monitor.check()
    assert good.exit_code == 0, good.stderr
    assert good.step("port:web")["message"] == "OK (accepts connections)"
    assert good.step("port:web")["metrics"].keys() == {"connect_s"}
    listener.close()
    runs = [monitor.check(), monitor.check()]
    (finding,) = runs[0].step("port:web")["findings"]
    assert (finding["id"], finding["severity"]) == ("tcp.unreachable", "error")
    # Its own threshold: two failed runs in a row.
    assert [[alert["status"] for alert in run.document["alerts"]] for run in runs] == [[], ["sent"]]
    alert = (tmp_path / "alerts").read_text()
    assert alert.startswith("problem: ")
    assert "Open port" in alert


def test_the_options_of_both_are_checked(monitor: Extended) -> None:
    monitor.config["checks"]["port"] = {"ports": {"web": 0}, "intervall": "1h"}
    monitor.config["notify"]["file"]["mode"] = "a"
    told = monitor.check()
    assert told.exit_code == 78
    for said in (
        "checks.port.ports.web: must be between 1 and 65535, got 0",
        "checks.port.intervall: unknown key; did you mean interval?",
        "notify.file.mode: unknown key",
    ):
        assert said in told.stderr


def test_the_command_lists_the_new_check(monitor: Extended) -> None:
    command = [sys.executable, "-c", PROGRAM, "checks"]
    listed = subprocess.run(command, env=monitor.environment(), capture_output=True, text=True, check=True, timeout=30)
    name, needs = listed.stdout.splitlines()[-2:]
    assert name.split("  ", 1)[0] == "port"
    assert name.endswith("  Open port         Connects to a port of this machine.")
    assert needs.strip() == "needs checks.port.ports"


@pytest.mark.usefixtures("registered")
def test_the_schema_and_the_page_have_both() -> None:
    schema: dict[str, Any] = complete_schema(json_schema)
    options = schema["$defs"]["PortOptions"]
    assert {"failure_threshold", "channels", "ports", "interval"} <= set(options["properties"])
    assert schema["$defs"]["ChecksOptions"]["properties"]["port"]["$ref"].endswith("/PortOptions")
    channels = schema["properties"]["notify"]["anyOf"][0]["additionalProperties"]["anyOf"]
    assert {"$ref": "#/$defs/FileOptions"} in channels
    page = reference()
    assert "### `checks.port`\n\nPorts of this machine that must accept connections.\n" in page
    assert "| `ports` | table | – | Ports by name |" in page
    assert "### `notify.<name>`, type file\n" in page
