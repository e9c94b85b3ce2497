"""The parts of the matrix that need no server: what is compared, and the table."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers import table
from tests.servers.combinations import ROWS
from tests.servers.parts import Stored, read_maildir
from tests.servers.scenario import HEADINGS, difference


def test_every_row_has_a_name_of_its_own() -> None:
    assert len({row.key for row in ROWS}) == len(ROWS)


def test_a_maildir_is_read_with_its_flags_and_folders(tmp_path: Path) -> None:
    for place in ("new", "cur", ".Sub/new", ".Sub/cur"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "new/1.host").write_bytes(b"one")
    (tmp_path / "cur/2.host,S=3:2,FT").write_bytes(b"two")
    (tmp_path / ".Sub/cur/3.host:2,Sab").write_bytes(b"three")
    seen = [(one.folder, sorted(one.flags), one.is_recent) for one in read_maildir(tmp_path)]
    assert sorted(seen) == [
        ("INBOX", [], True),
        ("INBOX", ["\\Deleted", "\\Flagged"], False),
        ("Sub", ["\\Seen"], False),
    ]


def test_a_message_that_is_gone_marked_or_changed_is_seen() -> None:
    before = [Stored("INBOX", frozenset(), "aaaa"), Stored("INBOX", frozenset(), "aaaa")]
    assert difference(before, [*before, Stored("INBOX", frozenset(), "bbbb")]) == ""
    assert "is gone" in difference(before, before[:1])
    assert "is gone" in difference(before, [before[0], before[0]._replace(flags=frozenset({"\\Seen"}))])
    assert "is gone" in difference(before, [before[0], before[0]._replace(digest="cccc")])


def test_what_went_wrong_is_a_note_below_the_table() -> None:
    verdicts = [
        {"cell": "green", "word": "yes", "remark": ""},
        {"cell": "held", "word": "no", "remark": "lost"},
        {"cell": "full", "word": "no", "remark": "lost"},
        {"cell": "diagnose", "word": "yes", "remark": "tls.old_version"},
    ]
    lines = table.render([{"servers": "A 1 + B 2, IMAP", "verdicts": verdicts}]).splitlines()
    cells = dict(zip(HEADINGS, [cell.strip() for cell in lines[2].split("|")[2:-1]], strict=True))
    assert [cells[name] for name in ("green", "held", "full", "diagnose", "foreign")] == [
        "yes", "**no** (1)", "**no** (1)", "yes (2)", "-",
    ]  # fmt: skip
    assert lines[-2:] == ["1. lost", "2. tls.old_version"]


def test_the_table_takes_the_place_of_the_old_one() -> None:
    page = f"before\n{table.BEGIN}\n\nold\n\n{table.END}\nafter\n"
    assert table.put(page, "new") == f"before\n{table.BEGIN}\n\nnew\n\n{table.END}\nafter\n"
    with pytest.raises(ValueError, match="missing"):
        table.put("nothing", "new")
