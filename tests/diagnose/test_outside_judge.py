"""The score of an outside judge that knows nothing of this code: 64 servers, the command as a process, twice each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.full import FULL

# Ten of the 64 servers, which have certificates of all kinds; `make soak` has all of them judged, in both forms.
SAMPLE = ["--only", "*s", "--no-text"]


def test_the_outside_judge_is_content(test_data: Path) -> None:
    judge = test_data / "diagnose" / "score_diagnose.py"
    if not judge.exists():
        pytest.skip("MAILMON_TEST_DATA holds no diagnose/score_diagnose.py")
    bars = [
        "--min",
        "recall=1",
        "--min",
        "precision=1",
        "--min",
        "robust=1",
        "--min",
        "facts=1",
        "--min",
        "servers=0.98",
    ]
    command = [str(Path(sys.executable).with_name("mailmon")), "diagnose"]
    done = subprocess.run(
        [sys.executable, str(judge), "dev", "--jobs", "6", *([] if FULL else SAMPLE), *bars, "--", *command],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
