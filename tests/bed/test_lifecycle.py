"""Beds start, stop and stay apart."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import Bed, BedError, bed_directory, missing_programs
from .clients import delivery_of, eventually, send
from .processes import start_time

_MISSING = missing_programs()
pytestmark = [
    pytest.mark.bed,
    pytest.mark.skipif(bool(_MISSING), reason=f"no mail server to test with; missing: {', '.join(_MISSING)}"),
]


@pytest.fixture
def directory() -> Iterator[Path]:
    made = bed_directory()
    yield made
    shutil.rmtree(made)


def test_a_second_bed_runs_beside_the_first_and_stop_leaves_no_process(bed: Bed, directory: Path) -> None:
    first = bed.all_pids
    with Bed(directory, users=1) as second:
        assert not set(second.ports.values()) & set(bed.ports.values())
        send(second, second.user)
        assert len(eventually(lambda: second.mails("monitor"))) == 1
        pids = second.all_pids
        assert len(pids) > 5
    assert [pid for pid in pids if start_time(pid)] == []
    assert second.processes == {}
    assert set(bed.processes.values()) <= first
    assert bed.problems() == []


def test_a_crash_of_the_masters_leaves_nothing_that_stop_does_not_find(directory: Path) -> None:
    bed = Bed(directory, users=1)
    bed.start()
    for name in ("postfix", "dovecot"):
        os.kill(bed.processes[name], 9)
    pids = bed.all_pids
    bed.stop()
    assert [pid for pid in pids if start_time(pid)] == []


def test_a_bed_started_by_hand_is_found_again_and_stopped(directory: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tests.bed", *arguments, "--dir", str(directory)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert run("start", "--users", "2").returncode == 0
    assert "export TB_SUBMISSION=" in (directory / "env.sh").read_text()
    assert run("start").stderr.endswith("a bed is running here already\n")
    assert "all servers answer" in run("status").stdout
    message_id = send(Bed.attached(directory), "monitor@mail.test")
    assert delivery_of(Bed.attached(directory), message_id).status == "sent"
    assert message_id in run("deliveries").stdout
    assert run("stop").returncode == 0
    assert Bed.attached(directory).all_pids == set()


def test_an_unfit_directory_is_refused_with_advice(directory: Path) -> None:
    for unfit in (directory / ("long" * 20), directory / "a space"):
        with pytest.raises(BedError, match=r"Use bed_directory\(\)"):
            Bed(unfit).start()
    directory.chmod(0o700)
    with pytest.raises(BedError, match="not searchable"):
        Bed(directory / "bed").start()


def test_a_port_in_use_is_refused(bed: Bed, directory: Path) -> None:
    taken = bed.ports["imaps"]
    with pytest.raises(BedError, match=f"port {taken}, wanted for imaps, is in use"):
        Bed(directory, ports={"imaps": taken}).start()
