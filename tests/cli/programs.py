"""Runs of commands that need no server, as processes of their own (tests/warm.py)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests import warm

COMMAND = [sys.executable, "-m", "mailmon"]


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a command: nothing of ours that could change what it does."""
    foreign = ("MAILMON_", "SSL_CERT", "XDG_", "NO_COLOR", "COLUMNS", "STATE_DIRECTORY", "PYTHONIOENCODING")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    return {**kept, "HOME": str(home), **more}


def run(home: Path, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run `mailmon` with these arguments, without a configuration of its own."""
    environ = environment(home, **(env or {}))
    if warm.is_fit(environ):
        return subprocess.CompletedProcess([*COMMAND, *arguments], *warm.run(arguments, environ, 60.0, home))
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
        cwd=home,
    )
