"""A server that hangs delays only its own checks."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from pathlib import Path
from typing import Any

from mailmon.sandbox import Sandbox
from tests.embedded import MAIN, account_of, monitor_of, route_to
from tests.link import Link
from tests.monitor import Monitor

HUNG, TIMEOUT_S = 30, 2.0


def with_hung_accounts(sandbox: Sandbox, directory: Path, link: Link) -> Monitor:
    """Return a monitor of thirty accounts on a host that says nothing, and one on a host that is well."""
    link.is_silent = True
    monitor = monitor_of(sandbox, directory)
    silent = {"host": "localhost", "connect_to": "127.0.0.1", "port": link.port, "timeout_s": TIMEOUT_S}
    hung: dict[str, Any] = {
        f"hung{n:02d}": {"address": f"hung{n}@example.org", "password": "x", "imap": silent} for n in range(HUNG)
    }
    monitor.config["accounts"] = {**hung, "well": account_of(sandbox)}
    monitor.config["routes"] = {"well": route_to(MAIN, "well", "well")}
    return monitor


def test_the_others_wait_no_longer_than_its_time_out(sandbox: Sandbox, tmp_path: Path) -> None:
    """As the server sees it: thirty log-ins that each take their whole time, on sixteen workers."""
    with Link(sandbox.imaps_port) as link:
        monitor = with_hung_accounts(sandbox, tmp_path, link)
        began_s = time.monotonic()
        with monitor.start(("check", "--json")) as process:
            while not sandbox.logins["smtp", "ok"] and time.monotonic() - began_s < 30:
                time.sleep(0.05)
            well_after_s = time.monotonic() - began_s
            stdout, _ = process.communicate(timeout=60)
        took_s = time.monotonic() - began_s
    assert well_after_s < TIMEOUT_S + 1.0
    assert took_s < TIMEOUT_S * (HUNG // 12 + 1) + 4.0
    assert '"id": "receive:well"' in stdout
    assert stdout.count('"status": "failed"') >= HUNG


def test_a_long_run_says_on_a_terminal_how_far_it_is(sandbox: Sandbox, tmp_path: Path) -> None:
    with Link(sandbox.imaps_port) as link:
        monitor = with_hung_accounts(sandbox, tmp_path, link)
        monitor.write()
        ours, theirs = pty.openpty()
        environ = {**monitor.environment(), "TERM": "xterm"}
        with subprocess.Popen(monitor.command("check"), stdout=subprocess.PIPE, stderr=theirs, env=environ) as process:
            os.close(theirs)
            shown = _read_all(ours)
            stdout, _ = process.communicate(timeout=60)
    lines = re.findall(r"(\d+) of 35 steps, (\d+) failed; imap_auth:hung\d\d for \d", shown)
    assert len({done for done, _ in lines}) > 1, shown
    assert shown.rstrip().endswith("\x1b[K") or shown.endswith("\r\n")
    assert "of 35 steps" not in stdout.decode()


def _read_all(descriptor: int) -> str:
    data, until_s = b"", time.monotonic() + 60
    while time.monotonic() < until_s:
        if not select.select([descriptor], [], [], 1.0)[0]:
            continue
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:
            break
        if not chunk:
            break
        data += chunk
    return data.decode()
