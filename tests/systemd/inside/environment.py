"""The environment of the scenarios: a mail server, a receiver of alerts, and the units."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import stat
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mailmon.sandbox import Faults, Sandbox
from mailmon.sandbox.receiver import Receiver

SERVICE, TIMER, FAILURE = "mailmon.service", "mailmon.timer", "mailmon-failure@config.service"
ETC = Path("/etc/mailmon")
PROGRAM = "/opt/mailmon/bin/mailmon"
MAIN, SECOND = "monitor@example.org", "second@example.org"
TOPIC = "topic-that-nobody-may-see"
_KINDS = {"rotating_light": "problem", "warning": "warning", "white_check_mark": "recovery", "wave": "test"}
_SHOWN = ("Result", "ActiveState", "ExecMainStatus", "ExecMainCode", "InvocationID")
_PATIENCE_S = 20.0
_EXIT_CGROUP = "219"


class MachineError(Exception):
    """systemd could not put a process into its cgroup: seen once in hundreds of runs, and no matter of the unit."""


def call(*command: str, env: Mapping[str, str] | None = None, user: str = "") -> dict[str, Any]:
    """Run a command, as another user where one is named; return its exit code and its words."""
    other = pwd.getpwnam(user) if user else None
    ran = subprocess.run(
        command,
        env=env,
        stdin=subprocess.DEVNULL,
        user=other.pw_uid if other else None,
        group=other.pw_gid if other else None,
        extra_groups=[] if other else None,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return {"command": " ".join(command), "exit": ran.returncode, "stdout": ran.stdout, "stderr": ran.stderr}


def shell(line: str, **more: str) -> dict[str, Any]:
    """Run a line of the page as root's shell does."""
    return {**call("/bin/sh", "-c", line, env={**os.environ, **more}), "command": line}


def show(unit: str, *properties: str) -> dict[str, str]:
    """Return what systemd knows of a unit."""
    names = properties or _SHOWN
    said: dict[str, str] = {}
    for line in call("systemctl", "show", unit, *(f"--property={name}" for name in names))["stdout"].splitlines():
        name, _, value = line.partition("=")
        said[name] = f"{said[name]}\n{value}" if name in said else value  # one line for each time of a timer
    return said


def journal(unit: str) -> str:
    """Return what a unit has said."""
    call("journalctl", "--sync")
    return str(call("journalctl", "--no-pager", "--output=cat", f"--unit={unit}")["stdout"])


def eventually(is_so: Callable[[], object], what: str, patience_s: float = _PATIENCE_S) -> None:
    """Wait until something is so. Raises TimeoutError."""
    end = time.monotonic() + patience_s
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError(f"waited in vain: {what}")
        time.sleep(0.05)


def files_in(directory: Path) -> dict[str, list[str | int]]:
    """Return mode, user and group of a directory, as ".", and of what is in it."""
    paths = {".": directory, **{path.name: path for path in directory.iterdir()}}
    return {
        name: [f"{stat.S_IMODE(path.stat().st_mode):04o}", path.stat().st_uid, path.stat().st_gid]
        for name, path in paths.items()
    }


class Environment:
    """The servers of a trial and the units that watch them."""

    def __init__(self, sandbox: Sandbox, receiver: Receiver, page: Mapping[str, Any]) -> None:
        self.sandbox = sandbox
        self.receiver = receiver
        self.page = page
        self._known_alerts = 0

    def config(self, address: str = MAIN, **more: Any) -> dict[str, Any]:
        """Return a configuration of one account and one route, without secrets."""
        trust = {"host": "127.0.0.1", "ca_file": "ca.pem", "timeout_s": 10}
        account = {
            "address": address,
            "smtp": {"port": self.sandbox.smtp_port, **trust},
            "imap": {"port": self.sandbox.imaps_port, **trust},
        }
        return {
            "accounts": {"main": account},
            "routes": {"main": {"from": "main", "to": address, "in": "main", "receive_timeout_s": 20}},
            "checks": {"defaults": {"failure_threshold": 1}},
            "notify": {"ntfy": {"server": self.receiver.url}},
            **more,
        }

    def write(self, document: Mapping[str, Any], name: str = "config") -> None:
        """Write a configuration that everybody may read, and the CA beside it."""
        (ETC / f"{name}.json").write_text(json.dumps(document))
        shutil.copy(self.sandbox.ca_file, ETC / "ca.pem")
        for path in (ETC / f"{name}.json", ETC / "ca.pem"):
            path.chmod(0o644)

    def inject(self, **faults: Any) -> None:
        """Set these faults of the mail server and no others."""
        for name, value in {**vars(Faults()), **faults}.items():
            setattr(self.sandbox.faults, name, value)

    def drop_in(self, unit: str, text: str) -> None:
        """Put a drop-in beside a unit, as `systemctl edit` does."""
        directory = Path(f"/etc/systemd/system/{unit}.d")
        directory.mkdir(exist_ok=True)
        (directory / "override.conf").write_text(text)
        call("systemctl", "daemon-reload")

    def reset(self) -> None:
        """Put everything back to where it works, with one good run that is remembered."""
        call("systemctl", "disable", "--now", TIMER)
        for unit in (SERVICE, TIMER, FAILURE):
            shutil.rmtree(f"/etc/systemd/system/{unit}.d", ignore_errors=True)
        call("systemctl", "daemon-reload")
        self.inject()
        self.receiver.status = 200
        self.write(self.config())
        self.run()
        self.new_alerts()

    def run(self, unit: str = SERVICE) -> dict[str, Any]:
        """Start a unit and wait for its end, and for that of the failure unit where it fails; return all that came."""
        name = "config" if unit == SERVICE else unit.removeprefix("mailmon@").removesuffix(".service")
        failure = f"mailmon-failure@{name}.service"
        before, last = show(failure)["InvocationID"], show(unit)["InvocationID"]
        started = call("systemctl", "start", unit)
        shown = show(unit)
        if shown["InvocationID"] == last:
            raise RuntimeError(f"{unit} was not started: {started}")
        if shown["ExecMainStatus"] == _EXIT_CGROUP:
            raise MachineError(journal(unit)[-500:])
        if shown["ActiveState"] == "failed":
            with contextlib.suppress(TimeoutError):  # that it never starts is for a test to say
                eventually(lambda: show(failure)["InvocationID"] != before, f"{failure} is started", 3.0)
            eventually(lambda: show(failure)["ActiveState"] in ("inactive", "failed"), f"{failure} ends")
        told = show(failure) if show(failure)["InvocationID"] != before else None
        return {"exit": started["exit"], "unit": shown, "failure_unit": told, "alerts": self.new_alerts()}

    def new_alerts(self) -> list[dict[str, str]]:
        """Return the alerts that have come since the last question."""
        messages = self.receiver.ntfy_messages()
        fresh, self._known_alerts = messages[self._known_alerts :], len(messages)
        return [{"kind": _KINDS[m["tags"][0]], "title": str(m["title"]), "text": str(m["message"])} for m in fresh]  # type: ignore[index]

    def state(self, name: str = "config") -> dict[str, Any]:
        """Return the state file of an instance."""
        document: dict[str, Any] = json.loads(Path(f"/var/lib/mailmon/{name}/state.json").read_text())
        return document

    def commands(self, heading: str) -> Sequence[str]:
        """Return the commands under a heading of the page."""
        return [str(line) for line in self.page["commands"][heading]]

    def asked(self, line: str, answers: Mapping[str, str]) -> str:
        """Return a command of the page with its question answered: there is no terminal to ask at."""
        for question, answer in answers.items():
            line = line.replace(f"systemd-ask-password '{question}'", f"echo '{answer}'")
        return line
