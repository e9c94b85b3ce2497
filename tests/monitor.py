"""Runs of the real command, as a process of its own, as a timer starts it; see tests/warm.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import warm


@dataclass(frozen=True)
class Run:
    """One run of the command: what it said and how it ended."""

    exit_code: int
    stdout: str
    stderr: str
    took_s: float

    @property
    def document(self) -> dict[str, Any]:
        """Return the JSON document on stdout."""
        document: dict[str, Any] = json.loads(self.stdout)
        return document

    def step(self, step_id: str) -> dict[str, Any]:
        """Return one step of the document."""
        return next(step for step in self.document["steps"] if step["id"] == step_id)

    @property
    def troubled(self) -> list[str]:
        """Return the ids of the steps that neither went well nor were skipped."""
        return [step["id"] for step in self.document["steps"] if step["status"] not in ("ok", "skipped")]


@dataclass
class Monitor:
    """A configuration in a directory of its own, and the command to run with it."""

    directory: Path
    config: dict[str, Any]
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Return the configuration file."""
        return self.directory / "config.json"

    @property
    def state_file(self) -> Path:
        """Return the state file."""
        return self.directory / "state" / "state.json"

    def write(self) -> None:
        """Write the configuration, for the owner only."""
        self.path.write_text(json.dumps({"state_file": "state/state.json", **self.config}))
        self.path.chmod(0o600)

    def command(self, *arguments: str) -> list[str]:
        """Return the argv of a run."""
        return [sys.executable, "-m", "mailmon", *arguments, "--config", str(self.path)]

    def environment(self) -> dict[str, str]:
        """Return the environment of a run: nothing of ours that could change what it does."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("MAILMON_", "SSL_CERT", "XDG_"))}
        return {**kept, "HOME": str(self.directory), **self.environ}

    def start(self, arguments: Sequence[str]) -> subprocess.Popen[str]:
        """Start the command without waiting for it."""
        self.write()
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(self.command(*arguments), text=True, env=self.environment(), **pipes)  # type: ignore[call-overload, no-any-return]

    def run(self, *arguments: str, timeout_s: float = 60.0) -> Run:
        """Run the command to its end."""
        started_s = time.monotonic()
        command = self.command(*arguments)
        if command[:3] == [sys.executable, "-m", "mailmon"] and warm.is_fit(self.environment()):
            self.write()
            return Run(*warm.run(command[3:], self.environment(), timeout_s), time.monotonic() - started_s)
        with self.start(arguments) as process:
            stdout, stderr = process.communicate(timeout=timeout_s)
        return Run(process.returncode, stdout, stderr, time.monotonic() - started_s)

    def check(self, *arguments: str) -> Run:
        """Run one cycle with its document on stdout."""
        return self.run("check", "--json", *arguments)
