"""Does the window of the alarms hold every refusal that matters, however much else came back?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailmon.mail.bounce import Classification, Kind
from mailmon.mail.bounce.values import Form, Recipient
from mailmon.model.bounces import Refusal
from mailmon.store.history.bounces import Folder, Run, SeenMessage
from mailmon.store.history.history import History

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def seen(uid: int, domain: str, reason: str, hours: float, status: str = "5.7.26") -> SeenMessage:
    recipient = Recipient(f"a@{domain}", status, "failed", reason, reason == "userunknown", f"550 {uid}")
    found = Classification(Kind.BOUNCE, Form.DSN, (recipient,))
    return SeenMessage(uid, "", b"%032d" % uid, NOW - timedelta(hours=hours), found)


def test_a_refusal_is_not_crowded_out_and_what_is_old_or_another_account_s_does_not_count(tmp_path: Path) -> None:
    run = Run("run", NOW)
    crowd = [seen(number, f"d{number}.example.org", "userunknown", 1, "5.1.1") for number in range(1, 1500)]
    refused = [
        seen(2001, "gmail.com", "authfailure", 20),
        seen(2002, "gmail.com", "authfailure", 19),
        seen(2003, "gmail.com", "authfailure", 30),
        seen(2004, "example.net", "authfailure", 25),
        seen(2005, "example.com", "authfailure", 2, "4.7.26"),
    ]
    with History(tmp_path / "state.json", NOW) as history:
        history.record(Folder("main", "INBOX", 7), 3000, [*crowd, *refused], run)
        history.record(Folder("other", "INBOX", 7), 3000, [seen(1, "example.com", "blocked", 1)], run)
        window = history.window("main", NOW - timedelta(days=1), ("authfailure", "blocked"))
    assert window.refusals == (Refusal("gmail.com", "authfailure", "5.7.26", "550 2002"),)
    assert window.classes == {"hard": 1499, "soft": 3}
    assert (window.domains["gmail.com"], len(window.domains)) == (2, 1501)
