"""Output of `mailmon dns`: width, characters and colours of the terminal, plain for other programs."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest
from click.testing import CliRunner

from mailmon.cli import cli
from mailmon.mail.records.zone_file import quoted
from tests.domain.cases import DOMAIN, Case, Changes, zones_of
from tests.domain.nameserver import serving

UTF8 = b'"v=DMARC1; p=none; rua=mailto:d@firm.example; n=gr\\195\\188\\195\\159e"'.decode()
CHANGES: Changes = {"_smtp._tls TXT": None, "_dmarc TXT": [UTF8], "@ TXT": ['"v=spf1 a -all"', '"v=spf1 mx ~all"']}


def run(*more: str, **env: str) -> str:
    with serving(zones_of(Case("", "", CHANGES))) as server:
        command = ["dns", DOMAIN, "--no-connect", "--nameserver", f"127.0.0.1:{server.port}", *more]
        return CliRunner(env={"COLUMNS": "", "LC_ALL": "C.UTF-8", **env}).invoke(cli, command).stdout


def run_on_terminal(columns: int, *, shows_progress: bool = False, **env: str) -> str:
    """Return what is written to a terminal of so many columns, with stderr where that is asked for."""
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "NO_COLOR", "LC_ALL")}
    with serving(zones_of(Case("", "", CHANGES))) as server:
        command = [sys.executable, "-m", "mailmon", "dns", DOMAIN, "--no-connect"]
        command += ["--nameserver", f"127.0.0.1:{server.port}"]
        stderr = inner if shows_progress else subprocess.DEVNULL
        with subprocess.Popen(command, stdout=inner, stderr=stderr, env={**environment, **env}):
            os.close(inner)
            said = b""
            try:
                while piece := os.read(outer, 65536):
                    said += piece
            except OSError:  # EIO: the other side is closed
                pass
    os.close(outer)
    return said.decode().replace("\r\n", "\n")


def test_on_a_terminal_it_is_as_wide_as_that_and_coloured() -> None:
    said = run_on_terminal(62)
    assert "\x1b[31m✗ error   \x1b[0m spf.multiple_records" in said
    lines = re.sub(r"\x1b\[\d+m", "", said.partition("Records to publish")[0]).splitlines()
    assert 50 < max(map(len, lines)) <= 62


def test_no_color_and_a_terminal_without_utf8_are_heeded() -> None:
    said = run_on_terminal(100, NO_COLOR="1", LC_ALL="C")
    assert "\x1b" not in said
    # What is to be published is never written another way.
    assert said.partition("Records to publish")[0].isascii()
    assert "\nx error    spf.multiple_records" in said
    assert "\n* notice   tlsrpt.none" in said


@pytest.mark.parametrize(
    "env",
    [
        {"LC_ALL": "C"},
        {"LANG": "C", "LC_CTYPE": ""},
        {"LC_ALL": "POSIX"},
        {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
    ],
)
def test_where_the_terminal_has_no_utf8_the_progress_line_turns_in_ascii(env: dict[str, str]) -> None:
    said = run_on_terminal(100, shows_progress=True, TERM="xterm", **env)
    assert "\\u28" not in said
    assert not re.search("[\u2800-\u28ff]", said)
    assert " of 11: " in said


def test_columns_hold_for_a_pipe_too() -> None:
    lines = run(COLUMNS="64").partition("Records to publish")[0].splitlines()
    assert 50 < max(map(len, lines)) <= 64
    assert not any("\t" in line for line in lines)


@pytest.mark.parametrize("columns", ["", "0", "-5", "wide", "99999"])
def test_piped_each_record_is_one_line_that_awk_can_split(columns: str) -> None:
    fields = [line.split("\t") for line in run(COLUMNS=columns).splitlines() if "\t" in line]
    assert ["✗", DOMAIN, "TXT", "v=spf1 mx ~all"] in fields
    assert ["•", f"_smtp._tls.{DOMAIN}", "TXT", "nothing"] in fields
    assert ["✓", "2620:fe::10", "PTR", "mx1.firm.example"] in fields


def test_utf8_in_a_text_record_is_shown_as_it_was_written() -> None:
    assert "n=grüße" in run()
    assert "n=grüße" in run("--json")
    assert quoted("n=grüße") == r'"n=gr\195\188\195\159e"', "as its bytes, in a zone file"


def test_an_encoding_without_the_symbols_gets_plain_ones() -> None:
    env = {**os.environ, "PYTHONIOENCODING": "latin-1", "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-m", "mailmon", "spf", "--ip", "192.0.2.1", "--helo", "x.example"]
    done = subprocess.run([*command, "--nameserver", "127.0.0.1:9", "--timeout", "0.5"], capture_output=True, env=env)
    assert done.stdout.startswith(b"temperror: x.example: TXT: ")
    done.stdout.decode("ascii")
