"""A command gets the alert, and never holds up a run."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from mailmon.model import AlertKind, Health
from mailmon.notify.channel import AnyChannel
from mailmon.notify.command import CommandOptions
from mailmon.render.document import alert_document
from mailmon.typedjson.validate import find_errors
from tests.notify.samples import ALERT_ID, SENTINEL, alert, change, channel, refusal, said_by, send, took_s


def script(directory: Path, text: str, *arguments: str, timeout_s: float = 10.0) -> AnyChannel:
    """Return a channel whose command is a shell script of this text."""
    path = directory / "notify.sh"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return channel(CommandOptions(command=(str(path), *arguments), timeout_s=timeout_s))


def is_running(pid_file: Path) -> bool:
    """Say whether the process of a pid file is there, and no zombie that only waits to be collected."""
    stat = Path(f"/proc/{pid_file.read_text().strip()}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition: Any, timeout_s: float = 3.0) -> bool:
    until_s = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < until_s:
        time.sleep(0.02)
    return bool(condition())


def test_the_command_gets_the_alert_as_json_and_its_arguments_as_they_are(tmp_path: Path) -> None:
    given = alert(AlertKind.PROBLEM, change(Health.DOWN, "main"))
    to = script(tmp_path, f'cat > {tmp_path}/in; printf "%s|" "$@" > {tmp_path}/args', "a b", "$(touch x)", "*")
    assert send(to, given) == f"{to.options.command[0]} ended with exit code 0"
    assert json.loads((tmp_path / "in").read_text()) == json.loads(json.dumps(alert_document(given)))
    assert (tmp_path / "args").read_text() == "a b|$(touch x)|*|"


def test_the_environment_has_the_alert_in_short_and_none_of_our_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILMON_MAIN_PASSWORD", SENTINEL)
    monkeypatch.setenv("MAILMON_CONFIG", "/x")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", f"/run/{SENTINEL}")
    monkeypatch.setenv("ELSEWHERE", "stays")
    send(script(tmp_path, f"env > {tmp_path}/env"), alert(title="A\x00title\nof ours"))
    lines = (tmp_path / "env").read_text().splitlines()
    assert sorted(line for line in lines if line.startswith("MAILMON_")) == [
        f"MAILMON_ALERT_ID={ALERT_ID}",
        "MAILMON_ALERT_KIND=problem",
        "MAILMON_ALERT_TITLE=A\\x00title\\nof ours",
    ]
    assert "ELSEWHERE=stays" in lines
    assert not [line for line in lines if SENTINEL in line]


def test_a_failure_is_told_with_its_exit_code_and_the_first_line_of_stderr(tmp_path: Path) -> None:
    to = script(tmp_path, "echo unseen; echo; printf 'no \\033[31mroute\\nsecond\\n' >&2; exit 3")
    error = refusal(to)
    assert error.message == f"{to.options.command[0]}: ended with exit code 3: no \\x1b[31mroute"
    assert not error.is_permanent


def test_a_failure_without_words_and_a_signal_are_told(tmp_path: Path) -> None:
    assert refusal(script(tmp_path, "exit 1")).message.endswith("ended with exit code 1")
    assert refusal(script(tmp_path, "kill -9 $$")).message.endswith("was ended by signal 9")


def test_a_long_line_of_stderr_is_cut(tmp_path: Path) -> None:
    error = refusal(script(tmp_path, "head -c 5000 /dev/zero | tr '\\0' x >&2; exit 1"))
    assert error.message.endswith("xxx…")
    assert len(error.message) < 350


@pytest.mark.parametrize(
    ("command", "words"),
    [("/nonexistent/notify", "No such file or directory"), ("/etc/passwd", "Permission denied"), ("/", "denied")],
)
def test_a_program_that_cannot_be_started_is_a_permanent_refusal(command: str, words: str) -> None:
    error = refusal(channel(CommandOptions(command=(command, SENTINEL))))
    assert error.is_permanent
    assert error.message.startswith(f"{command}: ")
    assert words in error.message
    assert SENTINEL not in said_by(error)


def test_a_file_that_is_no_program_is_a_permanent_refusal(tmp_path: Path) -> None:
    path = tmp_path / "plain"
    path.write_text("\0\1\2 not a program")
    path.chmod(0o755)
    error = refusal(channel(CommandOptions(command=(str(path),))))
    assert (error.is_permanent, "Exec format error" in error.message) == (True, True)


def test_a_command_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    to = script(tmp_path, f"sleep 60 & echo $! > {tmp_path}/child; echo $$ > {tmp_path}/self; wait")
    error = None

    def hang() -> None:
        nonlocal error
        error = refusal(to, timeout_s=0.5)

    assert 0.4 < took_s(hang) < 1.5
    assert error is not None
    assert error.message.endswith("not finished within 0.5 s, it was killed")
    assert not error.is_permanent
    assert wait_for(lambda: not is_running(tmp_path / "child"))
    assert wait_for(lambda: not is_running(tmp_path / "self"))


def test_a_command_that_ignores_polite_signals_is_killed_too(tmp_path: Path) -> None:
    to = script(tmp_path, "trap '' TERM INT HUP; while :; do sleep 0.1; done")
    assert took_s(lambda: refusal(to, timeout_s=0.4)) < 1.5


def test_the_shorter_of_the_two_limits_counts(tmp_path: Path) -> None:
    to = script(tmp_path, "sleep 30", timeout_s=1.0)
    assert 0.9 < took_s(lambda: refusal(to, timeout_s=20)) < 2.0


@pytest.mark.parametrize(("code", "redirection"), [(0, ""), (0, "2>&1"), (4, "")])
def test_a_grandchild_that_keeps_the_pipes_open_holds_nothing_up(tmp_path: Path, code: int, redirection: str) -> None:
    to = script(tmp_path, f"(sleep 20 & echo $! > {tmp_path}/child) {redirection}; echo told >&2; exit {code}")
    try:
        work = (lambda: send(to)) if code == 0 else (lambda: refusal(to).message.index("exit code 4: told"))
        assert took_s(work) < 1.5
    finally:
        os.kill(int((tmp_path / "child").read_text()), 9)


@pytest.mark.parametrize("stream", ["", ">&2"])
def test_a_flood_of_output_is_bounded_in_memory_and_time(tmp_path: Path, stream: str) -> None:
    import tracemalloc

    endless = script(tmp_path, f"yes flood {stream}")
    tracemalloc.start()
    try:
        assert took_s(lambda: refusal(endless, timeout_s=1.0)) < 2.0
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()
    ends = script(tmp_path, f"yes flood | head -c 20000000 {stream}; echo last >&2; exit 2")
    message = refusal(ends).message
    assert message.endswith("exit code 2: flood" if stream else "exit code 2: last")


@pytest.mark.parametrize("text", ["exit 0", "exec 0<&-; sleep 0.2; exit 0", "sleep 0.3"])
def test_a_command_that_does_not_read_is_no_error(tmp_path: Path, text: str) -> None:
    assert send(script(tmp_path, text), alert(body="x" * 2_000_000)).endswith("exit code 0")


def test_a_command_that_reads_late_and_slowly_gets_it_all(tmp_path: Path) -> None:
    to = script(tmp_path, f"sleep 0.2; wc -c > {tmp_path}/size")
    given = alert(body="x" * 500_000)
    send(to, given)
    assert int((tmp_path / "size").read_text()) == len(json.dumps(alert_document(given)))


def test_nothing_is_left_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        send(script(tmp_path, "exit 0"))
        refusal(script(tmp_path, "exit 1"))
        refusal(script(tmp_path, "sleep 9"), timeout_s=0.1)
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"command": []}, "begins with a program"),
        ({"command": [""]}, "begins with a program"),
        ({"command": "echo hello"}, "array"),
        ({"command": ["echo\0x"]}, "text without NUL"),
        ({}, "required"),
        ({"command": ["x"], "timeout_s": 0}, "between 1 and 3600"),
        ({"command": ["x"], "ca_file": "/x"}, "no use for it"),
    ],
)
def test_a_command_that_is_none_is_a_mistake(options: dict[str, Any], words: str) -> None:
    assert any(words in error["msg"] for error in find_errors(CommandOptions, {"type": "command", **options}))
