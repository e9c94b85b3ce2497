"""`mailmon bounces classify`: one JSON object per message, in order, whatever the files are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mailmon.app.bounces import classify
from mailmon.cli import cli
from tests.mail.bounce.letters import LETTERS
from tests.mail.bounce.notifications import dsn, report

BOUNCE = LETTERS[0].raw
LATE = LETTERS[2].raw
FROM_LINE = b"From MAILER-DAEMON Mon Feb  2 10:00:00 2026\n"


def rows(*names: str, stdin: bytes = b"", exit_code: int = 0) -> list[dict[str, Any]]:
    result = CliRunner().invoke(cli, ["bounces", "classify", *names], input=stdin)
    assert result.exit_code == exit_code
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
    found = rows(letter, str(tmp_path / "none.eml"), letter, exit_code=1)
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


def test_a_folder_of_saved_messages_is_read_by_path(tmp_path: Path) -> None:
    (tmp_path / "b" / "deep").mkdir(parents=True)
    (tmp_path / ".hidden").mkdir()
    for name in ("c.eml", "a.EML", "b/deep/1.eml", ".hidden/2.eml", ".3.eml"):
        (tmp_path / name).write_bytes(BOUNCE)
    (tmp_path / "truth.jsonl").write_text("{}\n")
    found = rows(str(tmp_path))
    assert [str(Path(row["file"]).relative_to(tmp_path)) for row in found] == ["a.EML", "b/deep/1.eml", "c.eml"]
    assert {row["kind"] for row in found} == {"bounce"}


def test_a_folder_without_any_name_in_eml_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "1.msg").write_bytes(BOUNCE)
    (tmp_path / "2").write_bytes(LATE)
    os.mkfifo(tmp_path / "3")
    assert [row["kind"] for row in rows(str(tmp_path))] == ["bounce", "delayed"]


def test_json_is_taken_and_changes_nothing(letter: str) -> None:
    assert rows("--json", letter) == rows(letter)


@pytest.mark.parametrize(
    "raw", [bytes(range(256)) * 40, b"\x89PNG\r\n\x1a\n" + b"\0" * 50, b"just text\n", b"", b"\n\n"]
)
def test_what_is_no_message_gives_an_error_and_the_others_are_read(letter: str, tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "rubbish").write_bytes(raw)
    found = rows(letter, str(tmp_path / "rubbish"), letter, exit_code=1)
    assert [row["kind"] for row in found] == ["bounce", "other", "bounce"]
    assert found[1]["error"].startswith("not a message")
    assert found[1]["recipients"] == []


def test_a_message_with_a_poor_beginning_is_still_a_message(tmp_path: Path) -> None:
    for number, begin in enumerate((b"\n", b"From nobody\n", b"a line that is no field\n")):
        (tmp_path / f"{number}.eml").write_bytes(begin + BOUNCE)
    assert len(rows(str(tmp_path))) == 3


def test_a_forward_tells_the_address_that_was_written_to(tmp_path: Path) -> None:
    fields = "Original-Recipient: rfc822;ann@old.example\nFinal-Recipient: rfc822;bob@example.org\nAction: failed\n"
    (tmp_path / "x.eml").write_bytes(report(f"Reporting-MTA: dns; mx.example.net\n\n{fields}Status: 5.1.1"))
    [recipient] = rows(str(tmp_path / "x.eml"))[0]["recipients"]
    assert (recipient["address"], recipient["original_recipient"]) == ("bob@example.org", "ann@old.example")


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    [row] = rows(str(tmp_path), exit_code=1)
    assert row["kind"] == "other"
    assert "neither new nor cur" in row["error"]


def test_no_file_is_wrong_usage() -> None:
    assert CliRunner().invoke(cli, ["bounces", "classify"]).exit_code == 2


def test_a_pipe_that_nobody_writes_into_is_given_up(
    letter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classify, "PIPE_TIMEOUT_S", 0.1)
    os.mkfifo(tmp_path / "pipe")
    silent, read = rows(str(tmp_path / "pipe"), letter, exit_code=1)
    assert silent["error"] == "nothing was written to this pipe within 0.1 s"
    assert read["kind"] == "bounce"


def test_a_pipe_that_somebody_writes_into_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(BOUNCE,))
    writer.start()
    [row] = rows(str(pipe))
    writer.join(10)
    assert row["kind"] == "bounce"


@pytest.mark.parametrize(
    "words", [("bounces", "classify"), ("spf", "--ip", "192.0.2.1", "--mail-from", "a@b.test", "--helo")]
)
def test_a_full_disk_is_told_as_such_and_is_no_bug(letter: str, words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        more = ("mx.b.test", "--nameserver", "127.0.0.1:9") if words[0] == "spf" else (letter,)
        command = [sys.executable, "-m", "mailmon", *words, *more]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    assert done.returncode == 74
    assert done.stderr.startswith("mailmon: the output cannot be written: No space left on device\n")
