"""Every place of an address is masked, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from mailmon.mail.bounce.values import Original, Recipient
from mailmon.model.bounces import BounceRow, LoggedMessage
from mailmon.render.bounces import masked_message
from mailmon.store.bouncelog.log import BounceLog, Reader
from mailmon.store.bouncelog.writing import Folder, Outcome
from tests.store.bouncelog.samples import NOON, RUN, seen

SECRET = "john.qxk@qxk.example"
ONE = Recipient(
    SECRET,
    "5.1.1",
    "failed",
    "userunknown",
    True,
    f"550 <{SECRET}> john, carl too",
    "qxk.example",
    "qxk.example",
    SECRET,
)
OTHER = Recipient("carl.zvq@zvq.example", "5.1.1", "failed", "userunknown", True, "550 no QXK, zvq.example", "", "")
ORIGINAL = Original(f"<{SECRET}>", "For John", SECRET, (SECRET,), (SECRET, "qxk"))
KEPT = {
    "id", "received_at", "kind", "status", "action", "reason", "is_hard", "rows", "seen_at", "run_id", "uidvalidity",
    "uid", "digest", "form", "feedback_type", "outcome", "evidence",
}  # fmt: skip


def message(tmp_path: Path) -> LoggedMessage:
    place = Folder(f"account of {SECRET}", f"INBOX/{SECRET}", 1)
    one = seen(1, ONE, OTHER, original=ORIGINAL, outcome=Outcome.PROBLEM)
    with BounceLog(tmp_path / "state.json", NOON) as log:
        log.record(place, 1, [one._replace(message_id=f"<{SECRET}>", problem=f"cannot read {SECRET}")], RUN)
    with Reader(tmp_path / "state.json", NOON) as reader:
        found = reader.message(1)
    assert found is not None
    return found


def test_no_place_tells_an_address(tmp_path: Path) -> None:
    plain = message(tmp_path)
    masked = masked_message(plain)
    assert not re.search("john|qxk|carl|zvq", str(masked), re.IGNORECASE)
    for name in set(LoggedMessage._fields) - KEPT:
        assert getattr(masked, name) != getattr(plain, name), name
    for name in set(BounceRow._fields) - KEPT:
        assert getattr(masked.rows[0], name) != getattr(plain.rows[0], name), name


def test_what_is_no_address_stays(tmp_path: Path) -> None:
    plain = message(tmp_path)
    masked = masked_message(plain)
    for name in KEPT & set(BounceRow._fields):
        assert getattr(masked.rows[0], name) == getattr(plain.rows[0], name), name
    for name in KEPT & set(LoggedMessage._fields) - {"rows"}:
        assert getattr(masked, name) == getattr(plain, name), name
