"""What does `mailmon bounces classify` print? One JSON object a message, in order, whatever the files are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mailmon.cli import cli
from tests.mail.bounce.letters import LETTERS
from tests.mail.bounce.notifications import dsn

BOUNCE = LETTERS[0].raw
LATE = LETTERS[2].raw
FROM_LINE = b"From MAILER-DAEMON Mon Feb  2 10:00:00 2026\n"


def rows(*names: str, stdin: bytes = b"") -> list[dict[str, Any]]:
    result = CliRunner().invoke(cli, ["bounces", "classify", *names], input=stdin)
    assert result.exit_code == 0
    assert result.stderr == ""
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def letter(tmp_path: Path) -> str:
    (tmp_path / "bounce.eml").write_bytes(BOUNCE)
    return str(tmp_path / "bounce.eml")


def test_a_message_is_a_line(letter: str) -> None:
    [row] = rows(letter)
    assert list(row) == ["file", "kind", "type", "recipients", "feedback_type", "original"]
    assert (row["file"], row["kind"], row["type"]) == (letter, "bounce", "text")
    [recipient] = row["recipients"]
    assert recipient == {
        "address": "bob@example.org",
        "status": "5.1.1",
        "action": "failed",
        "reason": "userunknown",
        "hard": True,
        "diagnostic": "192.0.2.7 does not like recipient. Remote host said: 550 5.1.1 no mailbox by that name"
        " Giving up on"
        " 192.0.2.7.",
        "reporting_mta": "",
        "remote_mta": "",
    }
    assert row["original"] == {
        "message_id": "<1@example.com>",
        "subject": "Minutes",
        "envelope_sender": "alice@example.com",
        "to": ["bob@example.org"],
        "cc": [],
    }


def test_files_keep_their_order_and_a_missing_one_ends_nothing(letter: str, tmp_path: Path) -> None:
    found = rows(letter, str(tmp_path / "none.eml"), letter)
    assert [row["kind"] for row in found] == ["bounce", "other", "bounce"]
    assert found[1] == {
        "file": str(tmp_path / "none.eml"),
        "kind": "other",
        "error": "No such file or directory",
        "recipients": [],
    }


def test_standard_input_is_read() -> None:
    [row] = rows("-", stdin=dsn("5.2.2", "552 5.2.2 Mailbox full"))
    assert (row["file"], row["recipients"][0]["reason"]) == ("-", "mailboxfull")


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_the_messages_of_an_mbox_are_numbered(tmp_path: Path, line_end: bytes) -> None:
    box = tmp_path / "box"
    quoted = b">From here on it is a text.\n"
    content = FROM_LINE + BOUNCE + quoted + b"\n" + FROM_LINE + LATE + b"\n"
    box.write_bytes(content.replace(b"\n", line_end))
    assert [(row["file"], row["kind"]) for row in rows(str(box))] == [(f"{box}#1", "bounce"), (f"{box}#2", "delayed")]
    assert [row["file"] for row in rows("-", stdin=content)] == ["-#1", "-#2"]


def test_a_saved_message_with_a_from_line_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "x.eml").write_bytes(FROM_LINE + BOUNCE + b"\n" + FROM_LINE + LATE)
    [row] = rows(str(tmp_path / "x.eml"))
    assert (row["file"], row["kind"]) == (str(tmp_path / "x.eml"), "bounce")


def test_an_mbox_larger_than_what_is_read_at_once(tmp_path: Path) -> None:
    box = tmp_path / "box"
    padding = b"X-Padding: " + b"a" * 60_000 + b"\n"
    box.write_bytes(b"".join(FROM_LINE + padding + BOUNCE + b"\n" for _ in range(40)))
    found = rows(str(box))
    assert [row["kind"] for row in found] == ["bounce"] * 40
    assert found[-1]["file"] == f"{box}#40"


def test_a_maildir_is_read_new_before_cur(tmp_path: Path) -> None:
    for folder, name, raw in (("cur", "2:2,S", LATE), ("new", "1", BOUNCE), ("tmp", "3", BOUNCE)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(raw)
    assert [(Path(row["file"]).name, row["kind"]) for row in rows(str(tmp_path))] == [
        ("1", "bounce"),
        ("2:2,S", "delayed"),
    ]


def test_a_directory_that_is_no_maildir_says_so(tmp_path: Path) -> None:
    [row] = rows(str(tmp_path))
    assert row["kind"] == "other"
    assert "neither new nor cur" in row["error"]


def test_no_file_is_wrong_usage() -> None:
    assert CliRunner().invoke(cli, ["bounces", "classify"]).exit_code == 2
