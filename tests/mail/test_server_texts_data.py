"""Labelled replies of real servers: the data that advice is judged against (tests/data/README.md)."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, cast

import pytest

DATA = Path(__file__).parent.parent / "data"
Text = dict[str, Any]

KEYS = {"system", "protocol", "stage", "text", "lasting", "fault", "essence", "advice", "never", "source"}
STAGES = {
    "smtp": {"connect", "ehlo", "starttls", "login", "mail", "rcpt", "data", "body"},
    "imap": {
        "greeting",
        "starttls",
        "login",
        "select",
        "list",
        "search",
        "fetch",
        "store",
        "expunge",
        "append",
        "idle",
    },
    "pop3": {"greeting", "starttls", "login", "list", "retr", "dele"},
}
BEGINNING = {
    "smtp": re.compile(r"[45]\d\d \S"),
    "imap": re.compile(r"(NO|BAD|\* BYE) \S"),
    "pop3": re.compile(r"-ERR \S"),
}
REFUSED_AT = {
    "login": {"login"},
    "first contact": {"connect", "greeting", "ehlo", "starttls"},
    "sender": {"mail"},
    "recipient": {"rcpt"},
    "message": {"data", "body"},
    "mailbox": {"select", "list", "search", "fetch", "store", "expunge", "append", "idle", "retr", "dele"},
}
FAMILIES = {  # how the systems of each family are named in the data
    "Postfix": ("Postfix", "Postfix with Postgrey", "mailcow"),
    "Exim": ("Exim", "cPanel (Exim)"),
    "Sendmail": ("Sendmail",),
    "OpenSMTPD": ("OpenSMTPD",),
    "Exchange and Microsoft 365": ("Exchange Server", "Microsoft 365", "Outlook.com"),
    "Gmail": ("Gmail", "Google Workspace SMTP relay"),
    "Yahoo and AOL": ("Yahoo", "AOL"),
    "Dovecot": ("Dovecot", "Dovecot 2.3", "Dovecot 2.4", "Dovecot LMTP", "Dovecot submission", "Dovecot with Postfix"),
    "Cyrus": ("Cyrus",),
    "Courier": ("Courier", "Courier-IMAP"),
    "Stalwart": ("Stalwart",),
    "Haraka": ("Haraka",),
    "qmail": ("qmail", "netqmail", "qmail with acceptutils"),
}


def load(name: str) -> list[Text]:
    return cast(list[Text], json.loads((DATA / name).read_text(encoding="utf-8")))


def vocabulary(heading: str) -> set[str]:
    """Return the labels of the table below a heading of the README."""
    section = (DATA / "README.md").read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `([a-z0-9-]+)` \|", section, flags=re.MULTILINE))


OPEN, HELD_OUT = load("server_texts.json"), load("server_texts_held_out.json")
MORE = load("server_texts_more.json")
EVERY = OPEN + HELD_OUT + MORE


FAULTS, ESSENCES = vocabulary("Faults"), vocabulary("Essences")


def mislabelled(entry: Text) -> list[str]:
    """Return what is wrong with the keys and labels of an entry."""
    if not KEYS <= set(entry) <= KEYS | {"lasting_why"}:
        return ["keys"]
    wrong = {
        "stage": entry["stage"] not in STAGES[entry["protocol"]],
        "text": not BEGINNING[entry["protocol"]].match(entry["text"])
        or entry["text"] != " ".join(entry["text"].split()),
        "lasting": entry["lasting"] not in ("temporary", "permanent"),
        "fault": entry["fault"] not in FAULTS,
        "essence": entry["essence"] not in ESSENCES,
        "source": not re.fullmatch(r"[^/\s].*\S", entry["source"]) or "/home/" in entry["source"],
        "advice": not entry["advice"].endswith(".") or len(entry["advice"]) > 240,
        "never": any(word != word.lower() or not word.strip() for word in entry["never"]),
    }
    return [key for key, is_wrong in wrong.items() if is_wrong]


def test_each_text_has_the_keys_and_labels_that_the_readme_lists() -> None:
    assert [(entry["text"], wrong) for entry in EVERY if (wrong := mislabelled(entry))] == []


def test_the_labelled_advice_keeps_its_own_prohibitions() -> None:
    assert [
        (entry["text"], word) for entry in EVERY for word in entry["never"] if word in entry["advice"].lower()
    ] == []


def test_lasting_agrees_with_the_code_unless_a_reason_is_given() -> None:
    by_code = {"4": "temporary", "5": "permanent"}
    assert [
        entry["text"]
        for entry in EVERY
        if entry["protocol"] == "smtp" and ("lasting_why" in entry) != (entry["lasting"] != by_code[entry["text"][0]])
    ] == []


def test_no_text_occurs_twice() -> None:
    assert [key for key, count in Counter((e["protocol"], e["text"]) for e in EVERY).items() if count > 1] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_each_widespread_system_has_at_least_five_texts(family: str) -> None:
    assert sum(entry["system"] in FAMILIES[family] for entry in EVERY) >= 5


def test_the_texts_are_many_and_cover_the_stages_of_a_cycle() -> None:
    assert len(EVERY) >= 130
    found = {(entry["protocol"], entry["stage"]) for entry in EVERY}
    assert {("smtp", stage) for stage in STAGES["smtp"]} <= found
    assert {("imap", stage) for stage in ("greeting", "login", "select", "append", "fetch", "expunge")} <= found
    assert {("pop3", stage) for stage in ("greeting", "login", "retr", "dele")} <= found


def test_the_further_texts_reach_every_stage_at_which_a_cycle_is_refused() -> None:
    kinds = Counter(kind for entry in MORE for kind, stages in REFUSED_AT.items() if entry["stage"] in stages)
    least = {"login": 45, "first contact": 15, "sender": 20, "recipient": 35, "message": 25, "mailbox": 10}
    assert len(MORE) >= 150
    assert {kind: kinds[kind] for kind in least if kinds[kind] < least[kind]} == {}


def test_every_label_of_the_readme_is_used() -> None:
    assert {entry["essence"] for entry in EVERY} == ESSENCES
    assert {entry["fault"] for entry in EVERY} == FAULTS


def test_whole_systems_are_held_out_and_bring_no_label_of_their_own() -> None:
    ours, held = {entry["system"] for entry in OPEN}, {entry["system"] for entry in HELD_OUT}
    assert ours.isdisjoint(held)
    assert held.isdisjoint(entry["system"] for entry in MORE)
    assert len(held) >= 4
    assert [family for family, systems in FAMILIES.items() if set(systems) <= held]
    assert 0.2 <= len(HELD_OUT) / len(OPEN + HELD_OUT) <= 0.25
    assert {entry["essence"] for entry in HELD_OUT} <= {entry["essence"] for entry in OPEN}
