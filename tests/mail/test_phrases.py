"""The table of phrases that recognise notifications is well-formed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailmon.mail import phrases as module
from mailmon.mail.phrases import KINDS, phrases

ROWS = (Path(module.__file__).parent / "bounce/phrases/notifications.tsv").read_text(encoding="utf-8").splitlines()


def test_each_row_has_a_phrase_a_documented_kind_and_who_sends_it() -> None:
    assert ROWS[0] == "phrase\tkind\twho sends it"
    for row in ROWS[1:]:
        phrase, kind, who = row.split("\t")
        assert phrase == phrase.lower().strip(), row
        assert kind in KINDS, row
        assert len(who) > 2, row


@pytest.mark.parametrize("kind", KINDS)
def test_no_phrase_of_a_kind_is_never_asked_because_another_stands_in_it(kind: str) -> None:
    listed = [phrase for phrase in phrases(kind) if "*" not in phrase]
    assert len(listed) == len(set(listed)) > 0
    if kind not in ("end", "success subject"):  # those are looked for at the beginning
        assert [(one, other) for one in listed for other in listed if one != other and other in one] == []


def test_an_unknown_kind_has_no_phrases() -> None:
    assert phrases("none") == ()
