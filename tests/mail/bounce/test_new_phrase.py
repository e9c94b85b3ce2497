"""A bounce phrase is one row: added to a copy of the package, it is classified (CONTRIBUTING.md)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import mailmon
from tests.mail.bounce.notifications import dsn

ANSWER = "550 the pigeon loft has no more room"


def reason_with(rows: str, folder: Path) -> tuple[str, bool]:
    """Return the reason, and whether it is hard, that a package with more rows in states.tsv finds."""
    package = Path(mailmon.__file__).parent
    shutil.copytree(package, folder / "mailmon", ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "mailmon/mail/bounce/phrases/states.tsv").open("a", encoding="utf-8") as table:
        table.write(rows)
    message = folder / "bounce.eml"
    message.write_bytes(dsn("5.0.0", ANSWER))
    command = [sys.executable, "-m", "mailmon", "bounces", "classify", str(message)]
    shown = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True).stdout
    recipient = json.loads(shown)["recipients"][0]
    return recipient["reason"], recipient["hard"]


def test_a_row_is_enough_for_a_new_phrase(tmp_path: Path) -> None:
    assert reason_with("", tmp_path / "before") == ("undefined", False)
    row = "pigeon loft has no more room\tmailboxfull\tPigeonMail\n"
    assert reason_with(row, tmp_path / "after") == ("mailboxfull", False)
