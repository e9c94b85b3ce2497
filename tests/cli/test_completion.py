"""Completion of commands, options and names of the configuration in each shell."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.programs import environment, run

CONFIG = {
    "accounts": {
        name: {"address": f"{name}@example.org", "smtp": {"host": "h.example"}, "imap": {"host": "h.example"}}
        for name in ("office", "outside")
    },
    "routes": {"outgoing": {"from": "office", "to": "outside@example.org", "in": "outside"}},
    "notify": {"phone": {"type": "ntfy"}, "desk": {"type": "ntfy"}},
}


def complete(tmp_path: Path, *words: str) -> list[str]:
    """Return what a real bash would offer for the last word."""
    script = tmp_path / "completion.bash"
    script.write_text(run(tmp_path, "completion", "bash").stdout)
    program = tmp_path / "mailmon"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m mailmon "$@"\n')
    program.chmod(0o755)
    line = " ".join(f"'{word}'" for word in ("mailmon", *words))
    ask = f"COMP_WORDS=({line}); COMP_CWORD={len(words)}; _mailmon_completion {program}"
    asked = f'source {script}; {ask}; printf "%s\\n" "${{COMPREPLY[@]}}"'
    told = subprocess.run(
        ["bash", "--norc", "-c", asked],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert told.stderr == ""
    return told.stdout.split()


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIG))
    return str(path)


def test_bash_completes_commands_and_options(tmp_path: Path) -> None:
    assert complete(tmp_path, "che") == ["check", "checks"]
    assert complete(tmp_path, "check", "--dry") == ["--dry-run"]
    assert complete(tmp_path, "check", "--color", "") == ["auto", "always", "never"]
    assert complete(tmp_path, "explain", "tls.cert_exp") == ["tls.cert_expired", "tls.cert_expiring"]


def test_bash_completes_what_is_configured(tmp_path: Path, config: str) -> None:
    assert complete(tmp_path, "check", "--config", config, "o") == ["office", "outgoing", "outside"]
    assert complete(tmp_path, "--config", config, "notify", "test", "") == ["desk", "phone"]
    assert complete(tmp_path, "silence", "--config", config, "receive") == ["receive:outgoing"]


def test_a_configuration_with_mistakes_completes_nothing(tmp_path: Path, config: str) -> None:
    Path(config).write_text("{")
    assert complete(tmp_path, "check", "--config", config, "o") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_the_shell_reads(tmp_path: Path, shell: str) -> None:
    script = run(tmp_path, "completion", shell)
    assert (script.returncode, script.stderr) == (0, "")
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    checked = subprocess.run(
        [shell, "-n"], input=script.stdout, capture_output=True, text=True, timeout=60, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
