"""The channels tell whether our own network works: a server that is silent is excused only when they are silent too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mailmon.sandbox import Sandbox
from tests.embedded import monitor_of
from tests.integration.test_network import UPLINK, alone, alone_with
from tests.monitor import Monitor

UUID = "5f9f5a1e-4a52-4c7b-8a3e-3d7f6d1c2b1a"
RUN = """
import json, subprocess, sys
run = subprocess.run(sys.argv[1:], capture_output=True, text=True)
print(json.dumps([run.returncode, run.stdout, run.stderr]))
"""
NTFY = {"phone": {"type": "ntfy", "topic": "x", "server": "http://203.0.113.9:2586"}}
SILENT = "203.0.113.9:2586 does not answer either"
PROXY = "http://127.0.0.1:9"


@pytest.fixture
def cut_off(sandbox: Sandbox, tmp_path: Path) -> Monitor:
    """A monitor of a server that is silent."""
    monitor = monitor_of(sandbox, tmp_path)
    for service in ("smtp", "imap"):
        monitor.config["accounts"]["main"][service] |= {"host": "192.0.2.10", "timeout_s": 1}
    return monitor


def check(monitor: Monitor) -> tuple[int, dict[str, Any], str]:
    """Run a cycle behind a gateway that is dead; return its exit code, its document and its transcript."""
    environment = {key: value for key, value in monitor.environment().items() if not key.lower().endswith("_proxy")}
    monitor.write()
    command = monitor.command("check", "--json", "--dry-run")
    [line] = alone_with(UPLINK, RUN, *command, environment={**environment, **monitor.environ})
    exit_code, stdout, stderr = json.loads(line)
    return exit_code, json.loads(stdout), stderr


def login(document: dict[str, Any]) -> str:
    """Return what is said of the first login."""
    message: str = document["steps"][0]["message"]
    return message


@alone
@pytest.mark.parametrize(
    ("notify", "ping", "evidence"),
    [
        (NTFY, "", SILENT),
        ({"chat": {"type": "discord", "webhook": "https://203.0.113.8/hook"}}, "", "the host of chat does not answer"),
        ("none", f"http://203.0.113.7/{UUID}", "the host of ping does not answer either"),
        (NTFY, f"http://203.0.113.7/{UUID}", "neither 203.0.113.9:2586 nor the host of ping answers"),
    ],
)
def test_a_channel_that_is_silent_too_shows_that_it_is_us(
    cut_off: Monitor, notify: dict[str, Any] | str, ping: str, evidence: str
) -> None:
    cut_off.config |= {"notify": notify, **({"ping": {"url": ping}} if ping else {})}
    exit_code, document, stderr = check(cut_off)
    assert (exit_code, document["status"]) == (75, "unknown"), stderr
    assert evidence in login(document)
    for secret in ("203.0.113.8", "203.0.113.7", UUID):
        assert secret not in json.dumps(document) + stderr


@alone
@pytest.mark.parametrize(
    ("notify", "environ"),
    [
        ("none", {}),
        # On the server that is watched, and on this machine.
        ({"phone": {"type": "ntfy", "topic": "x", "server": "http://192.0.2.10:2586"}}, {}),
        ({"phone": {"type": "ntfy", "topic": "x", "server": "http://127.0.0.1:9"}}, {}),
        # What is reached through a proxy only says nothing of our own connections.
        (NTFY, {"http_proxy": PROXY}),
        (NTFY, {"HTTPS_PROXY": PROXY}),
        (NTFY, {"ALL_PROXY": PROXY}),
    ],
)
def test_without_an_independent_channel_silence_is_a_failure(
    cut_off: Monitor, notify: dict[str, Any] | str, environ: dict[str, str]
) -> None:
    cut_off.config["notify"] = notify
    cut_off.environ |= environ
    exit_code, document, stderr = check(cut_off)
    assert (exit_code, document["status"]) == (1, "failed"), stderr
    assert login(document).endswith("no answer within 1 s")


@alone
def test_a_target_that_was_named_counts_behind_a_proxy_too(cut_off: Monitor) -> None:
    cut_off.config |= {"notify": NTFY, "reachability": ["203.0.113.9:53"]}
    cut_off.environ["HTTPS_PROXY"] = PROXY
    exit_code, document, _ = check(cut_off)
    assert exit_code == 75
    assert "203.0.113.9:53 does not answer either" in login(document)
