"""The words that people grep for, their colours, and what becomes of them where nobody can read them."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.embedded import kinds, probes_in, two_of_each
from tests.monitor import Monitor

PROBE_ID = r"<mm[0-9a-f]{32}@example\.org>"


def must_match(patterns: list[str], text: str) -> None:
    lines = text.splitlines()
    assert len(lines) == len(patterns), text
    for pattern, line in zip(patterns, lines, strict=True):
        assert re.fullmatch(pattern, line), f"{pattern!r} does not fit {line!r}"


def test_a_green_run_reads_as_people_grep_for_it(monitor: Monitor, sandbox: Sandbox) -> None:
    run = monitor.run("check")
    green = [
        "✓ IMAP Auth: OK",
        "✓ SMTP Auth: OK",
        rf"✓ Send Test: OK \(Message-ID: {PROBE_ID}\)",
        r"✓ Receive Test: Email delivered in \d+\.\ds",
        r"✓ Cleanup: OK \(removed 1\)",
        "5 ok",
    ]
    must_match(green, run.stdout)
    assert run.stderr == ""
    sandbox.faults.delivery_delay_s = 0.3
    assert "✓ Receive Test: Email delivered in 0.3s\n" in monitor.run("check").stdout


def test_with_several_accounts_and_routes_the_name_stands_in_brackets(
    sandbox: Sandbox, receiver: Receiver, tmp_path: Path
) -> None:
    run = Monitor(tmp_path, two_of_each(sandbox, receiver)).run("check")
    *lines, last = run.stdout.splitlines()
    labels = [line.partition(":")[0] for line in lines]
    assert last == "10 ok"
    accounts = [f"✓ {label} ({name})" for name in ("main", "second") for label in ("IMAP Auth", "SMTP Auth")]
    routes = [f"✓ {label} ({name})" for name in ("out", "back") for label in ("Send Test", "Receive Test", "Cleanup")]
    assert labels == accounts + routes


def test_the_words_of_a_step_do_not_depend_on_how_many_are_asked_for(
    sandbox: Sandbox, receiver: Receiver, tmp_path: Path
) -> None:
    """Several accounts are configured: what is said of one of them must name it, in the alert too."""
    monitor = Monitor(tmp_path, two_of_each(sandbox, receiver))
    assert "✓ IMAP Auth (second): OK\n" in monitor.run("check", "second").stdout


def test_a_failed_run_reads_as_people_grep_for_it(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.refuse_login = {"smtp"}
    run = monitor.run("check")
    port = sandbox.smtp_port
    failed = [
        "✓ IMAP Auth: OK",
        rf"❌ SMTP Auth: 127\.0\.0\.1:{port}: login: 535 5\.7\.8 Authentication credentials invalid",
        r"  → Check the password file; .*",
        "– Send Test: skipped, because smtp_auth:main did not succeed",
        "– Receive Test: skipped, because send:main did not succeed",
        "✓ Cleanup: OK",
        rf"alert sent: ntfy: 127\.0\.0\.1:{port}: SMTP Auth failing since \d\d:\d\d [+-]\d{{4}}: login: 535 .*",
        "2 ok, 1 failed, 2 skipped · alert sent to ntfy",
    ]
    must_match(failed, run.stdout)
    assert run.exit_code == 1


def test_lost_mail_reads_as_people_grep_for_it(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.lose_mail = True
    lines = monitor.run("check").stdout.splitlines()
    said = r"❌ Receive Test: not received within 1 s; accepted by 127\.0\.0\.1:\d+ as queue id [0-9A-F]{10}"
    assert re.fullmatch(said, lines[3])


def on_a_terminal(monitor: Monitor, *arguments: str, **environ: str) -> str:
    """Return what a command writes to a terminal."""
    monitor.write()
    parent, child = pty.openpty()
    env = {**monitor.environment(), "TERM": "xterm", **environ}
    with subprocess.Popen(monitor.command(*arguments), env=env, stdout=child, stderr=subprocess.PIPE) as process:
        os.close(child)
        written = b""
        try:
            while chunk := os.read(parent, 65536):
                written += chunk
        except OSError:  # the other end of a terminal that is closed
            pass
        process.communicate(timeout=30)
    os.close(parent)
    return written.decode()


GREEN, RED = "\x1b[32m✓ IMAP Auth: OK\x1b[0m", "\x1b[31m❌ SMTP Auth"


def test_on_a_terminal_there_is_colour(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.refuse_login = {"smtp"}
    written = on_a_terminal(monitor, "check")
    assert GREEN in written
    assert RED in written
    assert "\x1b[31mdown" in on_a_terminal(monitor, "status")


@pytest.mark.parametrize(("arguments", "environ"), [((), {"NO_COLOR": "1"}), (("--color", "never"), {})])
def test_a_terminal_gets_no_colour_where_none_is_wanted(
    monitor: Monitor, arguments: tuple[str, ...], environ: dict[str, str]
) -> None:
    for command in ("check", "status"):
        assert "\x1b" not in on_a_terminal(monitor, command, *arguments, **environ)


def test_what_is_no_terminal_gets_colour_only_on_demand(monitor: Monitor) -> None:
    assert "\x1b" not in monitor.run("check").stdout
    monitor.environ["NO_COLOR"] = "1"
    assert GREEN in monitor.run("check", "--color", "always").stdout
    assert "\x1b" not in monitor.run("check", "--json", "--color", "always").stdout


def run_into(monitor: Monitor, redirection: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a check in a shell whose redirection takes its output away."""
    monitor.write()
    return subprocess.run(
        ["sh", "-c", f'"$@" {redirection}', "sh", *monitor.command("check")],
        env={**monitor.environment(), **environ}, capture_output=True, text=True, errors="replace",
        timeout=30, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("redirection", [">/dev/full", ">&-", "| true", "2>&1 | true", ">/dev/full 2>&1", "2>&-"])
def test_a_run_whose_words_nobody_can_read_still_alerts_and_cleans_up(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver, redirection: str
) -> None:
    """A full disk under the log file, or a pipe that was closed, must not keep the alert from anybody."""
    monitor.check()
    sandbox.faults.lose_mail = True
    result = run_into(monitor, redirection)
    assert "Traceback" not in result.stdout + result.stderr
    assert "Exception ignored" not in result.stderr
    assert "a bug in mailmon" not in result.stderr
    assert kinds(receiver) == ["problem"]
    assert probes_in(sandbox) == []


def test_a_stdout_that_cannot_show_the_marks_does_not_end_the_run(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.faults.refuse_login = {"smtp"}
    result = run_into(monitor, "", PYTHONIOENCODING="latin-1")
    assert result.returncode == 1, result.stderr
    assert "SMTP Auth: 127.0.0.1" in result.stdout
    assert kinds(receiver) == ["problem"]


def test_the_transcript_goes_to_stderr_with_both_sides(monitor: Monitor) -> None:
    run = monitor.run("check", "-v")
    assert run.exit_code == 0
    assert len(run.stdout.splitlines()) == 6
    first, *lines = run.stderr.splitlines()
    assert first == f"state: {monitor.state_file}"
    sides = [re.fullmatch(r"127\.0\.0\.1:\d+\s+\d+\.\d{3}  ([CS]): .*", line) for line in lines]
    assert all(sides)
    assert {side[1] for side in sides if side} == {"C", "S"}
    assert "C: AUTH PLAIN ****" in run.stderr
    assert re.search(r"C: \S+ LOGIN \*\*\*\*", run.stderr)
