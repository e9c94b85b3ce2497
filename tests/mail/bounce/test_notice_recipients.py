"""Recipients of notices: not for mail that is no bounce, and no address that only the message names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mailmon.mail.bounce import classify
from mailmon.mail.bounce.advice import ADVICE
from mailmon.mail.bounce.notice_recipients import NoticeRules, choose_recipients
from mailmon.mail.bounce.ownership import NOTICE_HEADER, NOTICE_ID, find_evidence
from tests.mail.samples import dsn

OFFICE = ("office@example.org", "boss@example.org")
FIELDS = "Final-Recipient: rfc822; {}\nAction: {}\nStatus: {}\n"
PAGE = Path(__file__).parent.parent.parent.parent / "docs" / "bounces.md"


def bounce(address: str = "bob@example.net", action: str = "failed", status: str = "5.1.1", more: str = "") -> bytes:
    returned = f"From: alice@example.org\nTo: {address}\nCc: victim@example.com, boss@example.org\n{more}Subject: x\n\n"
    return dsn(FIELDS.format(address, action, status), returned=returned.encode())


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (bounce(), OFFICE),
        (bounce(address="Boss@example.org"), OFFICE[:1]),
        (bounce(action="delayed", status="4.4.1"), ()),
        (bounce(action="delivered", status="2.0.0"), ()),
        (bounce(more=f"Message-ID: <{NOTICE_ID}7-00@example.org>\n"), ()),
        (bounce(more=f"{NOTICE_HEADER}: 7\n"), ()),
        (b"From: bob@example.org\nTo: alice@example.com\nCc: boss@example.org\nSubject: lunch?\n\nAt noon?\n", ()),
    ],
    ids=["bounce", "not reached itself", "delay", "delivered", "of our notice", "of our notice too", "lunch"],
)
def test_who_is_told(raw: bytes, told: tuple[str, ...]) -> None:
    """Other programs wrote to the Cc of whatever they read; a forged bounce has no say in who is told."""
    found = classify(raw)
    assert choose_recipients(found, NoticeRules(OFFICE), find_evidence(raw, found, ())).recipients == told


def test_the_advice_is_that_of_the_page() -> None:
    page = PAGE.read_text("utf-8")
    rows = re.findall(r"^\| `([a-z]+)` \| ([^|]+) \| ([^|]+) \|$", page[page.index("| Reason |") :], re.MULTILINE)
    assert {name: (meaning.strip(), advice.strip()) for name, meaning, advice in rows} == dict(ADVICE)
