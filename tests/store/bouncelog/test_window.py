"""The alarms' window holds every refusal that matters, however much else came back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailmon.mail.bounce import Classification, Kind
from mailmon.mail.bounce.values import Form, Recipient
from mailmon.model.bounces import Hearsay, Refusal
from mailmon.store.bouncelog.log import BounceLog
from mailmon.store.bouncelog.writing import Folder, Run, SeenMessage

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def seen(uid: int, domain: str, reason: str, hours: float, status: str = "5.7.26") -> SeenMessage:
    recipient = Recipient(f"a@{domain}", status, "failed", reason, reason == "userunknown", f"550 {uid}")
    found = Classification(Kind.BOUNCE, Form.DSN, (recipient,))
    return SeenMessage(uid, "", b"%032d" % uid, NOW - timedelta(hours=hours), found, evidence="local")


def test_a_refusal_is_not_crowded_out_by_old_rows_or_other_accounts(tmp_path: Path) -> None:
    run = Run("run", NOW)
    crowd = [seen(number, f"d{number}.example.org", "userunknown", 1, "5.1.1") for number in range(1, 1500)]
    refused = [
        seen(2001, "gmail.com", "authfailure", 20),
        seen(2002, "gmail.com", "authfailure", 19),
        seen(2003, "gmail.com", "authfailure", 30),
        seen(2004, "example.net", "authfailure", 25),
        seen(2005, "example.com", "authfailure", 2, "4.7.26"),
    ]
    with BounceLog(tmp_path / "state.json", NOW) as log:
        log.record(Folder("main", "INBOX", 7), 3000, [*crowd, *refused], run)
        log.record(Folder("other", "INBOX", 7), 3000, [seen(1, "example.com", "blocked", 1)], run)
        window = log.window("main", NOW - timedelta(days=1), ("authfailure", "blocked"))
    assert window.refusals == (Refusal("gmail.com", "authfailure", "5.7.26", "550 2002"),)
    assert window.classes == {"hard": 1499, "soft": 3}
    assert (window.domains["gmail.com"], len(window.domains)) == (2, 1501)


def test_what_has_no_evidence_is_counted_apart_with_its_recipients_and_runs(tmp_path: Path) -> None:
    place = Folder("main", "INBOX", 7)
    forged = [seen(number, "gmail.com", "authfailure", 1)._replace(evidence="") for number in (1, 2, 3)]
    signed = seen(4, "example.net", "blocked", 1)._replace(evidence="reporter")
    with BounceLog(tmp_path / "state.json", NOW) as log:
        log.record(place, 2, forged[:2], Run("run-1", NOW))
        (third, _) = log.record(place, 4, [forged[2], signed], Run("run-2", NOW))
        window = log.window("main", NOW - timedelta(days=1), ("authfailure", "blocked"))
        assert window.classes == {"soft": 1}
        assert window.unverified.classes["soft"] == Hearsay(3, 3, 1, "run-1", "run-2")
        ((refusal, hearsay),) = window.unverified.refusals
        assert (refusal.domain, hearsay) == ("gmail.com", Hearsay(3, 3, 1, "run-1", "run-2"))
        assert window.refusals == (Refusal("example.net", "blocked", "5.7.26", "550 4", is_own_word=True),)
        log.set_evidence(third.id, "signed")
        window = log.window("main", NOW - timedelta(days=1), ("authfailure", "blocked"))
    assert sorted(one.domain for one in window.refusals) == ["example.net", "gmail.com"]
    assert window.unverified.refusals[0][1].messages == 2
