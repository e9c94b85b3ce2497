"""Options named in fixes exist in the installed programs."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailmon.findings.software_fixes import Block, sections

PLACES = ("/PATH/privkey.pem", "/PATH/fullchain.pem", "/PATH/dh2048.pem")


def blocks(begin: str, place: str = "") -> Iterator[Block]:
    for found in sections().values():
        yield from (one for one in found if one.lines and one.head.startswith(begin) and place in one.head)


def test_postfix_knows_each_option_of_main_cf() -> None:
    postconf = shutil.which("postconf") or shutil.which("postconf", path="/usr/sbin")
    if not postconf:
        pytest.skip("Postfix is not installed")
    given = [line for block in blocks("Postfix", "main.cf") for line in block.lines if not line.startswith("    ")]
    options = {line.partition("=")[0].strip() for line in given}
    assert len(options) > 10
    done = subprocess.run([postconf, "-d", *sorted(options)], capture_output=True, text=True, check=False)
    assert "unknown" not in done.stderr
    assert {line.partition(" =")[0] for line in done.stdout.splitlines()} == options


def test_dovecot_takes_each_block_for_its_version(tmp_path: Path) -> None:
    doveconf, dovecot = shutil.which("doveconf"), shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin")
    if not doveconf or not dovecot:
        pytest.skip("Dovecot is not installed")
    version = subprocess.run([dovecot, "--version"], capture_output=True, text=True, check=True).stdout[:3]
    if version != "2.3":
        pytest.skip(f"Dovecot {version} wants more of a configuration than a block")
    pem = tmp_path / "pem"
    pem.write_text("x")
    own = [one for one in blocks("Dovecot") if "2.4" not in one.head or "2.3" in one.head]
    own = [one for one in own if not one.lines[0].strip().startswith("doveadm ")]
    assert len(own) > 6
    for block in own:
        text = "\n".join(block.lines)
        for place in PLACES:
            text = text.replace(place, str(pem))
        file = tmp_path / "dovecot.conf"
        file.write_text(text + "\n")
        done = subprocess.run([doveconf, "-n", "-c", str(file)], capture_output=True, text=True, check=False)
        assert (done.returncode, "rror" in done.stderr) == (0, False), block.text + done.stderr
