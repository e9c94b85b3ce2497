"""Labelled bounces: the data that the classifier is judged against (tests/data/bounces/README.md)."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parent.parent / "data" / "bounces"
PARTS = ("dev", "held_out")
Row = dict[str, Any]

KEYS = {"file", "system", "source", "kind", "recipients", "lang", "era", "note", "debatable"}
WORDS = (
    "userunknown hostunknown hasmoved notaccept mailboxfull systemfull mesgtoobig exceedlimit suspend authfailure"
    " badreputation blocked requireptr rejected norelaying policyviolation securityerror spamdetected virusdetected"
    " contenterror notcompliantrfc filtered expired networkerror systemerror toomanyconn speeding mailererror onhold"
    " undefined syntaxerror delivered feedback"
)
REASONS = set(WORDS.split())
HARD = {"userunknown", "hostunknown", "hasmoved", "notaccept"}
STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
OURS = re.compile(r"[^@\s]+@([a-z0-9-]+\.)*example(\.(org|com|net))?", re.IGNORECASE)


@cache
def labels(part: str) -> list[Row]:
    return [json.loads(line) for line in (DATA / part / "truth.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("part", PARTS)
def test_each_message_has_one_label(part: str) -> None:
    assert sorted(row["file"] for row in labels(part)) == sorted(p.name for p in (DATA / part).glob("*.eml"))
    assert len(labels(part)) >= 100


@pytest.mark.parametrize("part", PARTS)
def test_labels_use_the_words_of_the_readme(part: str) -> None:
    for row in labels(part):
        assert set(row) == KEYS, row["file"]
        assert row["kind"] in {"bounce", "delayed", "feedback", "other"}, row["file"]
        assert row["source"], row["file"]
        assert row["system"], row["file"]
        assert bool(row["recipients"]) or row["kind"] == "other", row["file"]
        for recipient in row["recipients"]:
            assert set(recipient) == {"address", "status", "hard", "reason"}, row["file"]
            assert all(OURS.fullmatch(a) for a in recipient["address"].split("|")), row["file"]
            assert all(STATUS.fullmatch(s) for s in (recipient["status"] or "5.0.0").split("|")), row["file"]
            assert set((recipient["reason"] or "undefined").split("|")) <= REASONS, row["file"]


@pytest.mark.parametrize("part", PARTS)
def test_only_failed_addresses_and_domains_are_labelled_hard(part: str) -> None:
    for row in labels(part):
        for recipient in row["recipients"]:
            if recipient["hard"]:
                assert row["kind"] == "bounce", row["file"]
                assert set(recipient["reason"].split("|")) & HARD, row["file"]


def test_a_system_stands_wholly_in_one_part() -> None:
    dev, held_out = ({row["system"] for row in labels(part)} for part in PARTS)
    assert not dev & held_out


def test_the_parts_cover_kinds_languages_and_decades() -> None:
    for part in PARTS:
        kinds = Counter(row["kind"] for row in labels(part))
        assert kinds["bounce"] >= 80
        assert kinds["other"] >= 18
        assert kinds["delayed"] >= 8
        assert len({row["lang"] for row in labels(part)}) >= 10
        assert len({row["era"] for row in labels(part)}) >= 3


def test_the_data_stays_small_enough_to_review() -> None:
    sizes = {path: path.stat().st_size for path in DATA.rglob("*") if path.is_file()}
    assert sum(sizes.values()) < 600_000
    assert all(size < 6_000 for path, size in sizes.items() if path.suffix == ".eml")
