"""Phrases by which notifications are recognised, from a table in the package: one row per phrase, with its kind.

A new system or language is a row in bounce/phrases/notifications.tsv. The columns: the phrase in lower case (`*` stands
for any words between), its kind, and who sends it. The table is read when it is first asked.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

# Each kind, and where its phrases are looked for and what they then mean.
KINDS = {
    "daemon": "in the From field: a mail system writes",
    "subject": "in the Subject field: a notification",
    "notice": "in the Subject field: list managers, quarantines and quotas, whoever writes",
    "report": "in the Subject field: figures of a period, whoever writes",
    "other": "in the Subject field: no notification, unless a mail system writes and it is a subject of one too",
    "success subject": "at the beginning of the Subject field: a delivery that succeeded",
    "success": "in the text: the same, where no code of failure stands",
    "start": "in a line that opens the list of recipients",
    "end": "at the beginning of a line that opens the returned message",
    "delay": "in the Subject field or the text: the mail is late and still under way",
    "failure": "in the text: it has failed for good, even beside a word of delay",
    "trouble": "in the Subject field or the text: something failed at all",
}
_TABLE = Path(__file__).parent / "bounce" / "phrases" / "notifications.tsv"


@lru_cache(maxsize=32)
def phrases(kind: str) -> tuple[str, ...]:
    """Return the phrases of a kind, in the order of the table; () for a kind that has none."""
    return tuple(phrase for phrase, its_kind in _rows() if its_kind == kind)


@lru_cache(maxsize=1)
def _rows() -> tuple[tuple[str, str], ...]:
    lines = _TABLE.read_text(encoding="utf-8").splitlines()[1:]
    return tuple((phrase, kind) for phrase, kind, _ in (line.split("\t") for line in lines))
