"""A configuration with mistakes is refused when the system is built: the build's script, with the real mailmon."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.nix.support import HERE, Machine, make_machine, needs_nix

pytestmark = needs_nix


def build(tmp_path: Path, settings: str) -> tuple[subprocess.CompletedProcess[str], str, Path]:
    """Run the build of a configuration with these settings; return how it went, what went in and where it comes out."""
    machine = make_machine(tmp_path)
    program = machine.programs / "bin" / "mailmon"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m mailmon "$@"\n')
    made = _evaluate(machine, settings)
    out, home = tmp_path / "out", tmp_path / "build"
    home.mkdir()
    done = subprocess.run(
        ["bash", "-eu", "-c", made["script"]],
        env={"PATH": "/usr/bin:/bin", "written": made["written"], "out": str(out), "TMPDIR": str(home)},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done, made["written"], out


def _evaluate(machine: Machine, settings: str) -> dict[str, str]:
    basis = f"(import {HERE / 'accepted.nix'}).minimal"
    answer = machine.evaluate(f"{{ it = {{ imports = [ {basis} {{ services.mailmon.settings = {settings}; }} ]; }}; }}")
    assert answer.is_content, answer.error
    made: dict[str, str] = answer.value["it"]["build"]
    return made


def test_a_good_configuration_is_what_comes_out(tmp_path: Path) -> None:
    done, written, out = build(tmp_path, '{ reachability = [ "192.0.2.1:443" ]; }')
    assert (done.returncode, done.stderr) == (0, "")
    assert "192.0.2.1:443" in out.read_text() == Path(written).read_text()


def test_an_unknown_key_ends_the_build_with_its_place(tmp_path: Path) -> None:
    done, _, out = build(tmp_path, '{ checks.receive.colour = "red"; }')
    assert done.returncode == 78
    assert "checks.receive.colour" in done.stderr
    assert not out.exists()
