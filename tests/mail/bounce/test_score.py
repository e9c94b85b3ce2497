"""Scores of the classifier on labelled mail from outside, against bounds, counted as the judge counts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# The judge's names: at least so many per cent, or at most 0.
AT_LEAST = {
    "detection": 98,
    "delayed": 100,
    "recipient_found": 96,
    "status": 96,
    "hard": 95,
    "reason": 85,
    "reason_coarse": 92,
}
NONE = ("false_positive", "false_hard")


@pytest.mark.parametrize("line_ends", [(), ("--crlf",)], ids=["LF", "CRLF"])
def test_the_figures_of_the_judge(test_data: Path, line_ends: tuple[str, ...]) -> None:
    folder = test_data / "bounce"
    if not (folder / "score.py").exists():
        pytest.skip("MAILMON_TEST_DATA holds no bounce/score.py")
    command = [sys.executable, "-m", "mailmon", "bounces", "classify"]
    judge = [sys.executable, str(folder / "score.py"), str(folder / "dev"), "--json", *line_ends, "--", *command]
    answer = subprocess.run(judge, capture_output=True, text=True, timeout=120, check=True)
    figures: dict[str, Any] = json.loads(answer.stdout)
    assert figures["missing"] == figures["bad_lines"] == 0
    assert {name: figures[name] for name, least in AT_LEAST.items() if figures[name] < least} == {}
    assert {name: figures[name] for name in NONE if figures[name]} == {}
