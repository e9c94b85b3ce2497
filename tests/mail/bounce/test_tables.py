"""The phrase files are complete, strict and free of rows that can never decide (mail/bounce/phrases)."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import combinations

import pytest

from mailmon.mail.bounce.tables import FILES, IDEAS, tables
from mailmon.mail.phrases import Row, finder, parse, read_rows

HEAD = "phrase\treason\twho sends it"


@pytest.mark.parametrize("name", FILES)
def test_each_row_names_a_phrase_a_reason_and_who_sends_it(name: str) -> None:
    for row in read_rows(name):
        assert row.phrase == row.phrase.lower(), row
        assert re.fullmatch(r"[a-z]+", row.meaning), row
        assert len(row.senders) >= 2, row
        assert not re.search("nearly all|others|[?]", row.senders), row
        assert row.phrase.count(" ~ ") <= 1, row
        assert "~" not in row.phrase.replace(" ~ ", ""), row
        assert " ~ " in row.phrase or "|" not in row.phrase or name == "products", row


BROKEN = [
    "",
    "phrase\treason\n",
    f"{HEAD}\nmailbox full\tmailboxfull\n",
    f"{HEAD}\nmailbox full\tmailboxfull\tExim\tmore\n",
    f"{HEAD}\nmailbox full\t\tExim\n",
    f"{HEAD}\n mailbox full\tmailboxfull\tExim\n",
    f"{HEAD}\n\nmailbox full\tmailboxfull\tExim\n",
]


@pytest.mark.parametrize("text", BROKEN)
def test_a_file_that_is_not_as_it_should_be_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="line"):
        parse(text)


@pytest.mark.parametrize("name", FILES)
def test_no_row_stands_twice_or_holds_another_of_its_reason(name: str) -> None:
    rows = read_rows(name)
    for one, other in combinations((row for row in rows if not set("*~|") & set(row.phrase)), 2):
        if (one.meaning, one.signs) == (other.meaning, other.signs) and name not in ("hosts", "products"):
            assert one.phrase not in other.phrase, (one, other)
            assert other.phrase not in one.phrase, (one, other)
    assert len({(row.phrase, row.signs) for row in rows}) == len(rows)


@pytest.mark.parametrize("idea", IDEAS)
def test_a_rare_phrase_is_not_said_by_a_usual_one_of_its_reason_already(idea: str) -> None:
    def of(reason: str, rows: tuple[Row, ...]) -> list[str]:
        return [row.phrase for row in rows if row.meaning == reason]

    rare, usual = read_rows(f"rare_{idea}"), read_rows(idea)
    for reason in {row.meaning for row in rare}:
        is_usual = finder(of(reason, usual))
        assert [phrase for phrase in of(reason, rare) if "~" not in phrase and is_usual(phrase)] == []


def test_a_few_words_between_are_found_but_no_sentence_is_bridged() -> None:
    test = finder(["mailbox|inbox ~ full"])
    assert test("the inbox of this user is full")
    assert not test("the mailbox said: full of hope")
    assert not test("the mailbox was read successfully")
    assert not test("mailbox / full")


def test_a_quiet_check_reads_no_phrases() -> None:
    """They are read when the first bounce is judged, not when the classifier is imported."""
    words = "import mailmon.mail.bounce, mailmon.mail.bounce.tables as t; print(t.tables.cache_info().currsize)"
    assert subprocess.check_output([sys.executable, "-c", words], text=True, timeout=20).strip() == "0"


def test_all_files_are_tables() -> None:
    assert len(tables().hosts) > 10
    assert all(tables().usual)
    assert all(tables().rare)
