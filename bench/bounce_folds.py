"""Accuracy of the bounce classifier for systems whose phrases it does not know.

Of the labelled mail every fifth system is held out, five times. The rows that only the systems held out attest are
switched off, and what is then said of their messages is scored. A row is attested by what it hits: in the first table
by this mail alone, in the second also by what other systems say in tests/data and tests/mail/bounce. The third table
counts the rows that none of these hits: what such a row is worth is not shown by any figure (docs/bounces.md says which
of them stay, and why).
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from bench.environment import SkipError
from bench.tables import Bound, print_table
from mailmon.mail.bounce import classify, reasons
from mailmon.mail.bounce.tables import FILES, IDEAS, Table, Tables, Words, build, tables
from mailmon.mail.phrases import Row, finder, read_rows
from tests.mail.bounce import answers, answers_of_others
from tests.mail.bounce.notifications import dsn

FOLDS = 5
LEAST_HARD, LEAST_GROUPS = 95.0, 90.0
DATA = Path(__file__).parents[1] / "tests" / "data"
# Systems that are called something else elsewhere, by how their name begins in the labelled mail.
ALSO = {
    "franceptt": ("orange", "la poste", "sfr", "free"),
    "gsuite": ("google", "gmail"),
    "gmail": ("google", "gmail"),
    "google": ("google", "gmail"),
    "office365": ("exchange online", "microsoft", "outlook"),
    "outlook": ("exchange online", "microsoft", "outlook"),
    "exchange": ("exchange",),
    "einsundeins": ("1&1", "gmx", "web.de", "ionos"),
    "gmx": ("1&1", "gmx", "web.de"),
    "tencent": ("tencent", "qq"),
    "nttdocomo": ("docomo",),
    "ezweb": ("kddi", "docomo"),
    "kddi": ("kddi", "docomo"),
    "yahoo": ("yahoo", "aol"),
    "aol": ("yahoo", "aol"),
    "receivingses": ("amazon",),
    "amazon": ("amazon",),
    "v5sendmail": ("sendmail",),
}
_ANSWERS = (answers.PROVIDERS, answers_of_others.PROVIDERS, answers_of_others.SERVERS)
FIGURES = ("detection", "hard", "reason", "reason_coarse")

Rows = dict[str, tuple[Row, ...]]


class Message(NamedTuple):
    """A labelled message: its system, what the judge expects of it, its bytes and the rows that it hits."""

    system: str
    truth: dict[str, Any]
    raw: bytes
    hits: frozenset[tuple[str, Row]]


def measure(_rounds: int) -> list[Bound]:
    """Score each fold with its rows switched off; skip where there is no labelled mail."""
    folder = Path(os.environ.get("MAILMON_TEST_DATA", "/nonexistent")) / "bounce"
    if not (folder / "score.py").exists():
        raise SkipError("MAILMON_TEST_DATA holds no bounce/score.py")
    judge = _load(folder / "score.py")
    rows: Rows = {name: read_rows(name) for name in FILES}
    messages = list(_messages(folder / "dev", rows))
    elsewhere = list(_elsewhere(rows))
    _show(judge, messages, rows, [], "this mail")
    figures = _show(judge, messages, rows, elsewhere, f"this mail and {len(elsewhere)} texts of named systems")
    _show_idle(rows, [text.hits for text in (*messages, *elsewhere)])
    return [
        Bound("hard or soft wrong, held out", 100 - figures["hard"], 100 - LEAST_HARD, "{:.2f} %"),
        Bound("group of reasons wrong, held out", 100 - figures["reason_coarse"], 100 - LEAST_GROUPS, "{:.2f} %"),
    ]


def _show(judge: ModuleType, messages: list[Message], rows: Rows, more: list[Message], by: str) -> dict[str, float]:
    """Print a table of the folds, each without the rows that nobody else attests; return the figures of all."""
    systems = sorted({message.system for message in messages if message.truth["kind"] in ("bounce", "delayed")})
    table: list[tuple[str, ...]] = []
    hit, total = dict.fromkeys(FIGURES, 0), dict.fromkeys(FIGURES, 0)
    for fold in range(FOLDS):
        out = set(systems[fold::FOLDS])
        held_out = [message for message in messages if message.system in out]
        names = {name for system in out for name in _names(system)}
        others = [message for message in messages if message.system not in out]
        others += [text for text in more if not any(name in text.system.lower() for name in names)]
        kept = _without(rows, held_out, others)
        off = sum(map(len, rows.values())) - sum(map(len, kept.values()))
        ratios = _score(judge, held_out, kept)
        for name in FIGURES:
            hit[name] += ratios[name].hit
            total[name] += ratios[name].total
        shown = (f"{ratios[name].percent:.1f}" for name in FIGURES)
        table.append((str(fold + 1), str(len(held_out)), str(off), *shown))
    figures = {name: 100 * hit[name] / total[name] for name in FIGURES}
    table.append(("all", "", "", *(f"{figures[name]:.1f}" for name in FIGURES)))
    print_table(
        f"Every fifth system held out; rows attested by {by}", ("fold", "messages", "rows off", *FIGURES), table
    )
    return figures


def _show_idle(rows: Rows, texts: list[frozenset[tuple[str, Row]]]) -> None:
    """Print how many rows of each file no text hits, and no answer from the host that gives it."""
    hits = _hits(rows)
    given = [answer for table in _ANSWERS for answer in answers.read(table)]
    hit = set().union(*texts, *(hits(dsn(one.status, one.words, remote=one.host)) for one in given))
    idle = {name: sum((name, row) not in hit for row in listed) for name, listed in rows.items()}
    table = [(name, str(len(rows[name])), str(idle[name])) for name in FILES if name != "nothing"]
    table.append(("all", str(sum(len(rows[name]) for name in idle)), str(sum(idle.values()) - idle["nothing"])))
    print_table("Rows, and those that no text of these hits", ("file", "rows", "not hit"), table)


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("bounce_judge", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _messages(folder: Path, rows: Rows) -> Iterator[Message]:
    hits = _hits(rows)
    for line in (folder / "truth.jsonl").read_text().splitlines():
        truth = _corrected(json.loads(line))
        raw = (folder / truth["file"]).read_bytes()
        yield Message(truth.get("group") or truth["system"], truth, raw, hits(raw))


def _corrected(truth: dict[str, Any]) -> dict[str, Any]:
    """Return a label as the rule is now: an unknown user is `filtered` only where DATA is known to have been refused.

    The labels of the older corpus call it so where the command is not known, too.
    """
    for recipient, seen in zip(truth.get("recipients", ()), truth.get("sisimai", ()), strict=False):
        is_sure = tables().sure_users(reasons.plain(seen.get("diagnosticcode", "")))
        is_of_mailbox = str(recipient.get("status", ""))[1:3] == ".2"
        if recipient.get("reason") == "filtered" and is_sure and not seen.get("smtpcommand") and not is_of_mailbox:
            recipient |= {"reason": "userunknown", "hard": True}
    return truth


def _elsewhere(rows: Rows) -> Iterator[Message]:
    """Yield what named systems say in the data of the tests; of labelled bounces only the part that one may know."""
    hits = _hits(rows)
    known = DATA / "bounces" / "dev"
    if known.exists():
        yield from _messages(known, rows)
    for name in ("server_texts.json", "server_texts_more.json"):
        for text in json.loads((DATA / name).read_text()):
            if text["protocol"] == "smtp":
                raw = dsn(f"{text['text'][0]}.0.0", text["text"])
                yield Message(text["system"], {}, raw, hits(raw))
    for table in _ANSWERS:
        system = ""
        for line in table.strip().split("\n"):
            if line.startswith(" "):
                _, status, words = line.split(maxsplit=2)
                raw = dsn(status, words)
                yield Message(system, {}, raw, hits(raw))
            else:
                system = line


def _hits(rows: Rows) -> Callable[[bytes], frozenset[tuple[str, Row]]]:
    """Return a function that says which rows a message hits."""
    tests = {name: [(row, finder([row.phrase]), row.signs.split(" | ")) for row in rows[name]] for name in FILES}

    def hits(raw: bytes) -> frozenset[tuple[str, Row]]:
        return frozenset(
            (name, row)
            for name, texts in _asked(raw).items()
            for row, test, signs in tests[name]
            if any(test(text) and any(sign in text for sign in signs) for text in texts)
        )

    return hits


def _names(system: str) -> tuple[str, ...]:
    """Return what a system of the labelled mail is called elsewhere, in lower case."""
    name = system.partition("-")[2].lower()
    return next((also for begin, also in ALSO.items() if name.startswith(begin)), (name,) if name else ())


def _asked(raw: bytes) -> dict[str, set[str]]:
    """Return what the rows of each file are compared with, as if no row before them had fitted."""
    asked: dict[str, set[str]] = defaultdict(set)

    def note(*names: str) -> Callable[[str], bool]:
        def test(text: str) -> bool:
            for name in names:
                asked[name].add(text)
            return False

        return test

    def table(name: str) -> Table:
        return Table(note(name), ())

    usual, rare = (Words(*(table(f"{before}{idea}") for idea in IDEAS)) for before in ("", "rare_"))
    sure = note("sure_users", "users")
    with _using(Tables((((" ",), table("hosts")),), table("products"), table("ours"), (), sure, usual, rare)):
        classify(raw)
    return asked


def _without(rows: Rows, held_out: list[Message], others: list[Message]) -> Rows:
    """Return the rows that hit others too, or nothing."""
    off = {hit for message in held_out for hit in message.hits} - {hit for message in others for hit in message.hits}
    return {name: tuple(row for row in listed if (name, row) not in off) for name, listed in rows.items()}


def _score(judge: ModuleType, messages: list[Message], rows: Rows) -> dict[str, Any]:
    results: dict[str, dict[str, Any]] = {}
    with _using(build(rows)):
        for message in messages:
            found = classify(message.raw)
            recipients = [
                {"address": one.address, "status": one.status, "reason": one.reason, "hard": one.is_hard}
                for one in found.recipients
            ]
            results[message.truth["file"]] = {"kind": found.kind.value, "recipients": recipients}
    score = judge.compare([message.truth for message in messages], results, "group")
    return {name: score.ratios[name] for name in FIGURES}


@contextmanager
def _using(reduced: Tables) -> Iterator[None]:
    usual = vars(reasons)["tables"]
    vars(reasons)["tables"] = lambda: reduced
    try:
        yield
    finally:
        vars(reasons)["tables"] = usual
