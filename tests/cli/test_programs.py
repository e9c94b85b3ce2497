"""The demo, the sandbox as a program of its own, pipes that close early, and `python -m mailmon`."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.programs import COMMAND, environment, run


def test_the_demo_shows_a_failure_its_alert_and_the_recovery(tmp_path: Path) -> None:
    started_s = time.monotonic()
    result = run(tmp_path, "demo", "--fast", env={"TMPDIR": str(tmp_path)})
    assert result.returncode == 0, result.stderr
    assert time.monotonic() - started_s < 30
    assert result.stderr == ""
    assert re.findall(r"exit code (\d+)", result.stdout) == ["0", "1", "1", "1", "0"]
    for words in ("✓ Receive Test: Email delivered in", "SMTP Auth failing", "Receive Test failing", "recovered after"):
        assert words in re.sub(r"[\s│]+", " ", result.stdout), words
    assert result.stdout.count("ntfy · demo") == 3
    assert "\x1b" not in result.stdout
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Run `mailmon sandbox` until the test ends; yield the process and its directory."""
    place = tmp_path / "place"
    command = [*COMMAND, "sandbox", "--directory", str(place), "--seconds", "20"]
    with subprocess.Popen(
        command, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield process, place
        process.kill()


def read_until(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return line
    raise AssertionError(f"{words!r} did not come")


def test_the_sandbox_can_be_checked_broken_and_mended_by_a_file(
    served: tuple[subprocess.Popen[str], Path], tmp_path: Path
) -> None:
    process, place = served
    hint = read_until(process, "try it:")
    read_until(process, "end it:")
    config = hint.rpartition(" ")[2].strip()
    assert hint.split()[2:4] == ["mailmon", "check"]
    assert run(tmp_path, "check", "--config", config).returncode == 0
    (place / "faults").write_text("refuse_login=smtp,imap\n\nrcpt_reply=450 4.2.0 greylisted\n")
    assert read_until(process, "faults:") == "faults: refuse_login=smtp,imap, rcpt_reply=450 4.2.0 greylisted\n"
    broken = run(tmp_path, "check", "--json", "--config", config)
    assert broken.returncode == 1
    failed = [step["id"] for step in json.loads(broken.stdout)["steps"] if step["status"] == "failed"]
    assert failed == ["imap_auth:main", "smtp_auth:main"]
    (place / "faults").write_text("")
    read_until(process, "faults: none")
    assert run(tmp_path, "check", "--config", config).returncode == 0


def test_a_fault_that_there_is_not_is_a_warning_and_the_sandbox_goes_on(
    served: tuple[subprocess.Popen[str], Path], tmp_path: Path
) -> None:
    process, place = served
    read_until(process, "end it:")
    (place / "faults").write_text("nonsense\n")
    time.sleep(0.5)
    (place / "faults").write_bytes(b"\xff\xfe\n")
    time.sleep(0.5)
    (place / "new").write_text("lose_mail\n")
    (place / "new").rename(place / "faults")  # a file that is written in place is empty for a moment
    assert read_until(process, "faults: ") == "faults: lose_mail\n"
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "unknown fault 'nonsense'" in stderr
    assert "Traceback" not in stderr


def test_the_files_of_the_sandbox_are_for_the_owner_only(
    served: tuple[subprocess.Popen[str], Path], tmp_path: Path
) -> None:
    process, place = served
    read_until(process, "end it:")
    assert {path.name: path.stat().st_mode & 0o777 for path in place.iterdir() if path.name != "ca.pem"} == {
        "config.json": 0o600, "password": 0o600,
    }  # fmt: skip


def test_the_sandbox_ends_by_itself_and_leaves_nothing(tmp_path: Path) -> None:
    started_s = time.monotonic()
    result = run(
        tmp_path, "sandbox", "--seconds", "0.4", "--fault", "delivery_delay_s=0.5", "--fault", "lose_mail",
        env={"TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert 0.4 <= time.monotonic() - started_s < 5
    assert list(tmp_path.iterdir()) == []


def test_the_faults_of_the_sandbox_are_listed(tmp_path: Path) -> None:
    result = run(tmp_path, "sandbox", "--list-faults")
    names = [line.split()[0] for line in result.stdout.splitlines()]
    assert {"refuse_login", "lose_mail", "bounce", "search_lies", "cut_imap"} <= set(names)
    assert all(len(line.split(maxsplit=1)) == 2 for line in result.stdout.splitlines())
    # Each with words of its own: a fault that is not described cannot be used.
    described = {line[44:].strip() for line in result.stdout.splitlines()}
    assert len(described) == len(names)
    assert all(len(words.split()) >= 3 for words in described), described


@pytest.mark.parametrize("arguments", [("--help",), ("config", "schema"), ("checks",), ("sandbox", "--list-faults")])
def test_a_pipe_that_closes_early_is_no_accident(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    with subprocess.Popen(
        [*COMMAND, *arguments], env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        stderr = process.stderr.read()
        process.wait(timeout=20)
    assert stderr == b""
    assert process.returncode in (0, 141)


def test_head_takes_one_line_in_peace(tmp_path: Path) -> None:
    result = subprocess.run(
        ["sh", "-c", '"$@" | head -1', "sh", *COMMAND, "config", "schema"],
        env=environment(tmp_path), capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert (result.stdout, result.stderr) == ("{\n", "")


def test_the_installed_command_and_the_module_are_the_same(tmp_path: Path) -> None:
    installed = shutil.which("mailmon", path=str(Path(sys.executable).parent))
    if installed is None:
        pytest.skip("the command is not installed beside this interpreter")
    result = subprocess.run(
        [installed, "checks"], env=environment(tmp_path), capture_output=True, text=True, check=True
    )
    assert result.stdout == run(tmp_path, "checks").stdout
