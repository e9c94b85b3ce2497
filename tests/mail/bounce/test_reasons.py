"""Reasons in replies of real servers (docs/bounces.md)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mailmon.mail.bounce import classify
from mailmon.mail.bounce.reasons import by_status, find_command
from mailmon.mail.bounce.status_codes import BY_COMMAND, CATEGORIES, CODES, REFINED, REFUSED, REPLIES, SUBJECTS
from mailmon.mail.bounce.tables import FILES, commands
from mailmon.mail.phrases import read_rows
from tests.mail.bounce.notifications import dsn

# The status field, the diagnostic, the reason.
ANSWERS = [
    (
        "5.1.1",
        "550-5.1.1 The email account that you tried to reach does not exist. Please try double-checking",
        "userunknown",
    ),
    ("5.2.2", "552-5.2.2 The recipient's inbox is out of storage space", "mailboxfull"),
    (
        "5.7.26",
        "550-5.7.26 Your email has been blocked because the sender is unauthenticated."
        " Gmail requires all senders to authenticate with either SPF or DKIM.",
        "authfailure",
    ),
    (
        "5.7.1",
        "550-5.7.1 [192.0.2.1] Gmail has detected that this message is likely"
        " unsolicited mail. To reduce the amount of spam sent to Gmail, this message has been blocked",
        "spamdetected",
    ),
    ("5.2.1", "550-5.2.1 The email account that you tried to reach is inactive", "suspend"),
    (
        "5.4.1",
        "550 5.4.1 Recipient address rejected: Access denied."
        " [AM0EUR02FT1.eop-EUR02.prod.protection.outlook.com 2026-01-01T00:00:00.000Z]",
        "userunknown",
    ),
    ("5.7.1", "550 5.7.1 Service unavailable, Client host [192.0.2.1] blocked using Spamhaus.", "blocked"),
    ("5.7.511", "550 5.7.511 Access denied, banned sender[192.0.2.1].", "blocked"),
    ("5.7.64", "550 5.7.64 TenantAttribution; Relay Access Denied", "norelaying"),
    (
        "5.7.133",
        "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication"
        " required; Delivery restriction check failed because the sender was not authenticated when sending to"
        " this group",
        "securityerror",
    ),
    ("5.7.1", "554 5.7.1 [CS01] Message rejected due to local policy.", "policyviolation"),
    ("5.1.1", "550 5.1.1 <bob@example.org>: inactive email address", "suspend"),
    ("5.1.1", "550 5.1.1 <bob@example.org>: Recipient address rejected: Address does not exist", "userunknown"),
    ("4.7.25", "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]", "requireptr"),
    ("5.7.1", "554 5.7.1 <bob@example.org>: Relay access denied", "norelaying"),
    ("5.7.1", "554 5.7.1 [1] Message rejected under suspicion of SPAM; https://ya.cc/1IrBc", "spamdetected"),
    ("4.3.0", "451 4.3.0 <bob@example.org>: Temporary lookup failure", "systemerror"),
    ("4.3.1", "452 4.3.1 Insufficient system storage", "systemfull"),
    (
        "5.4.4",
        "Host or domain name not found. Name service error for name=example.org type=AAAA: Host not found",
        "hostunknown",
    ),
    ("4.4.1", "connect to mx.example.org[192.0.2.7]:25: Connection refused", "networkerror"),
    ("4.4.1", "connect to mx.example.org[192.0.2.7]:25: Connection timed out", "expired"),
    (
        "5.7.509",
        "550 5.7.509 Access denied, sending domain example.com does not pass DMARC"
        " verification and has a DMARC policy of reject.",
        "authfailure",
    ),
    (
        "5.7.515",
        "550 5.7.515 Access denied, sending domain example.com doesn't meet the required authentication level.",
        "authfailure",
    ),
    ("5.7.57", "550 5.7.57 Client not authenticated to send mail", "securityerror"),
    (
        "5.6.211",
        "554 5.6.211 Invalid MIME Content: Single text value size (32796) exceeded allowed maximum (32768)",
        "contenterror",
    ),
    (
        "5.7.0",
        "552-5.7.0 This message was blocked because its content presents a potential security issue",
        "policyviolation",
    ),
    (
        "4.7.0",
        "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints",
        "badreputation",
    ),
    ("5.7.1", "550 5.7.1 Message rejected because the message size exceeds limits", "mesgtoobig"),
    (
        "5.7.25",
        "550-5.7.25 [192.0.2.1] The IP address sending this message does not have a PTR record setup",
        "requireptr",
    ),
    ("5.0.0", "550 Sender verify failed", "rejected"),
    (
        "5.7.1",
        "550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy",
        "policyviolation",
    ),
    (
        "5.1.10",
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
        "userunknown",
    ),
    ("5.2.2", "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException", "mailboxfull"),
    ("5.4.14", "554 5.4.14 Hop count exceeded - possible mail loop ATTR34", "networkerror"),
    ("4.4.7", "550 4.4.7 QUEUE.Expired; message expired", "expired"),
    ("5.7.0", "550 5.7.0 Local Policy Violation - SPF fail", "authfailure"),
    ("5.1.1", "550 5.1.1 <bob@example.org>: Email address could not be found, or was misspelled (G8)", "userunknown"),
    (
        "5.1.0",
        "550 Administrative prohibition - envelope blocked - https://community.mimecast.com/docs/DOC-1369#550",
        "policyviolation",
    ),
    ("5.0.0", "554 Email rejected due to security policies - MCSpamSignature.x.x", "virusdetected"),
    ("5.7.1", "553 5.7.1 Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.1", "blocked"),
    ("5.1.1", "550 5.1.1 User unknown; rejecting", "userunknown"),
]


@pytest.mark.parametrize(("status", "diagnostic", "reason"), ANSWERS)
def test_the_reason_of_an_answer(status: str, diagnostic: str, reason: str) -> None:
    assert classify(dsn(status, diagnostic)).recipients[0].reason == reason


HARD = [
    ("5.1.1", "550 5.1.1 User unknown", True),
    ("4.1.1", "450 4.1.1 User unknown", False),
    ("5.1.2", "550 5.1.2 Host unknown", True),
    ("5.1.6", "551 5.1.6 recipient has moved", True),
    ("5.3.2", "521 5.3.2 System not accepting network messages", True),
    ("4.3.2", "421 4.3.2 System not accepting network messages", False),
    ("5.2.2", "552 5.2.2 Mailbox full", False),
    ("5.0.0", "550 User unknown", True),
]


@pytest.mark.parametrize(("status", "diagnostic", "hard"), HARD)
def test_hard_is_what_will_not_be_better_tomorrow(status: str, diagnostic: str, hard: bool) -> None:
    assert classify(dsn(status, diagnostic)).recipients[0].is_hard is hard


def test_an_unknown_user_is_sure_only_in_answer_to_rcpt() -> None:
    words = "<bob@example.org>: host mx.example.org said: 550 User unknown (in reply to {} command)"
    reasons = [
        classify(dsn("5.0.0", "550 User unknown", text=words.format(command))).recipients[0].reason
        for command in ("RCPT TO", "end of DATA", "MAIL FROM")
    ]
    assert reasons == ["userunknown", "filtered", "rejected"]


def test_the_category_of_powermta_counts() -> None:
    raw = dsn("5.2.1", "550 5.2.1 no", more="X-PowerMTA-BounceCategory: bad-mailbox\n")
    assert classify(raw).recipients[0].reason == "userunknown"


def test_phrases_name_the_command_that_was_refused() -> None:
    assert {command for command, _ in commands()} == {"RCPT", "DATA", "MAIL", "EHLO"}
    assert find_command("remote server said, in reply to rcpt to command: no") == "RCPT"


def test_every_reason_is_documented_with_what_to_do() -> None:
    page = (Path(__file__).parents[3] / "docs" / "bounces.md").read_text()
    documented = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    told = {row.meaning for name in FILES for row in read_rows(name)} | {"undefined", "delivered", "feedback"}
    for codes in (CODES, SUBJECTS, REPLIES, CATEGORIES, REFINED, REFUSED, BY_COMMAND):
        told |= set(codes.values())
    assert told <= documented


# All details that the registry of IANA lists for each subject (RFC 5248 section 4), but the general ones.
REGISTERED = {"1": 10, "2": 4, "3": 6, "4": 7, "5": 6, "6": 10, "7": 30}


def test_each_registered_code_means_something_without_words() -> None:
    codes = [f"5.{subject}.{detail}" for subject, last in REGISTERED.items() for detail in range(1, last + 1)]
    assert [code for code in codes if not by_status(code)] == []
