"""The command `mailmon-main` runs a subcommand as the unit would, and passes its result on."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.nix.conftest import Made
from tests.nix.support import directives, needs_nix

pytestmark = [
    needs_nix,
    pytest.mark.skipif(os.geteuid() != 0, reason="the command asks for root"),
]

# Takes down its arguments, and ends as the command would.
_SYSTEMD_RUN = """#!/bin/sh
for word in "$@"; do printf '%s\\n' "$word"; done >{words}
cat
exit {code}
"""


def run(
    made: Made, tmp_path: Path, *arguments: str, code: int = 0, environ: dict[str, str] | None = None, text: str = ""
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run the command of `every-option` with a systemd-run of our own; return its end and what that was asked for."""
    words = tmp_path / "words"
    program = made.machine.programs / "bin" / "systemd-run"
    before = program.read_text()
    program.write_text(_SYSTEMD_RUN.format(words=words, code=code))
    wrapper = tmp_path / "mailmon-main"
    wrapper.write_text(made.of["every-option"]["wrappers"]["mailmon-main"])
    try:
        done = subprocess.run(
            ["bash", str(wrapper), *arguments],
            input=text,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env={"PATH": os.environ["PATH"], **(environ or {})},
        )
    finally:
        program.write_text(before)
    return done, words.read_text().splitlines() if words.exists() else []


def test_it_has_the_properties_of_the_unit(made: Made, tmp_path: Path) -> None:
    _, words = run(made, tmp_path, "status")
    asked = [word.removeprefix("--property=") for word in words if word.startswith("--property=")]
    units = made.of["every-option"]["units"]
    unit = [f"{key}={value}" for key, value in directives(units["mailmon-main-failure.service"])]
    own = ("Type=", "ExecStart=", "TimeoutStartSec=", "Environment=")
    assert sorted(asked) == sorted(line for line in unit if not line.startswith(own))


def test_it_gives_the_words_of_the_person_to_mailmon_and_its_configuration(made: Made, tmp_path: Path) -> None:
    done, words = run(made, tmp_path, "silence", "office", "--why", "new disk; $(id) 'x' $HOME", "--for", "2h")
    after = words[words.index("--") + 1 :]
    assert after == [
        str(made.machine.programs / "bin" / "mailmon"),
        # systemd takes two dollars for one, and puts nothing in.
        *("silence", "office", "--why", "new disk; $$(id) 'x' $$HOME", "--for", "2h"),
    ]
    path = next(word for word in words if word.startswith("--setenv=MAILMON_CONFIG=")).rpartition("=")[2]
    assert json.loads(Path(path).read_text()) == made.of["every-option"]["documents"]["mailmon-main"]
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("code", [0, 1, 69, 75, 78])
def test_it_ends_as_mailmon_ended(made: Made, tmp_path: Path, code: int) -> None:
    done, words = run(made, tmp_path, "check", code=code)
    assert done.returncode == code
    # With it, systemd-run would call 1 and 75 a success, and end with 0.
    assert not [word for word in words if "SuccessExitStatus" in word]


def test_it_needs_no_terminal_and_passes_on_what_is_read_and_written(made: Made, tmp_path: Path) -> None:
    done, words = run(made, tmp_path, "status", text="a line\n")
    assert done.stdout == "a line\n"
    assert {"--pipe", "--wait", "--collect", "--quiet"} <= set(words)


def test_it_passes_on_how_the_person_reads_and_nothing_else_of_their_environment(made: Made, tmp_path: Path) -> None:
    given = {"TERM": "xterm", "NO_COLOR": "", "LANG": "C.UTF-8", "TZ": "Europe/Berlin", "MAILMON_MAIN_PASSWORD": "x"}
    _, words = run(made, tmp_path, "status", environ=given)
    passed = {word.removeprefix("--setenv=") for word in words if word.startswith("--setenv=")}
    assert {"TERM=xterm", "NO_COLOR=", "LANG=C.UTF-8", "TZ=Europe/Berlin"} <= passed
    assert {word.partition("=")[0] for word in passed} == {
        *("TERM", "NO_COLOR", "LANG", "TZ", "MAILMON_CONFIG", "MAILMON_BOOT_ID")
    }


def test_it_refuses_when_not_root_and_says_what_to_type(made: Made, tmp_path: Path) -> None:
    wrapper = tmp_path / "mailmon-main"
    wrapper.write_text(made.of["every-option"]["wrappers"]["mailmon-main"])
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "bash", "-s", "status", "--json"],
        input=wrapper.read_text(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 77
    assert "only root can run this as the unit's user: sudo mailmon-main status --json" in done.stderr
    assert done.stdout == ""
