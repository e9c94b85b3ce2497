"""The configuration with which mailmon monitors the sandbox."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from mailmon.sandbox.server import Sandbox


def write_configuration(sandbox: Sandbox, directory: Path, changes: dict[str, Any] | None = None) -> Path:
    """Write config.json and the password beside it, both for the owner only; return the configuration's path.

    `changes` are top-level keys that are added, or replaced.
    """
    user, password = next(iter(sandbox.users.items()))
    _write(directory / "password", password + "\n")
    trust = {"ca_file": str(sandbox.ca_file)}
    document: dict[str, Any] = {
        "accounts": {
            "main": {
                "address": user,
                "password_file": "password",
                "smtp": {"host": sandbox.host, "port": sandbox.smtp_port, **trust},
                "imap": {"host": sandbox.host, "port": sandbox.imaps_port, **trust},
            }
        },
        "routes": {"main": {"from": "main", "to": user, "in": "main", "receive_timeout_s": 5}},
        "notify": "none",
        "state_file": "state/state.json",
    }
    path = directory / "config.json"
    _write(path, json.dumps(document | (changes or {}), indent=2) + "\n")
    return path


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
