"""Delivery status notifications for our own probes (RFC 3464)."""

from __future__ import annotations

import json
import time
from email.encoders import encode_base64, encode_quopri
from email.mime.text import MIMEText
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailmon.mail.probe.probe import read_marks
from mailmon.mail.probe.returned import MAX_BYTES, read_report
from tests.mail.bounce.letters import LETTERS, ORIGINAL, Letter
from tests.mail.samples import (
    DELAYED_FIELDS,
    EXCHANGE_FIELDS,
    EXIM_FIELDS,
    FOREIGN_KEY,
    KEY,
    OTHER_TOKEN,
    POSTFIX_FIELDS,
    TOKEN,
    dsn,
    headers,
    message,
    notice,
)

EXCHANGE_REASON = "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (POSTFIX_FIELDS, "552 5.2.2 <monitor@example.org>: mailbox full"),
        (EXIM_FIELDS, "5.0.0 550 Unrouteable address"),
        (EXCHANGE_FIELDS, EXCHANGE_REASON),
        (
            "Final-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.3.0\n",
            "5.3.0 (systemerror: an internal error of the receiving server)",
        ),
        ("Final-Recipient: rfc822; a@example.org\nAction: failed\n", "5.0.0 (no reason given)"),
        (
            "Final-Recipient: rfc822; a@example.org\nAction: Failed\nStatus: 5.1.1 (bad mailbox)\n"
            "Diagnostic-Code: 550 5.1.1 no such user\n",
            "550 5.1.1 no such user",
        ),
        (
            "Final-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.3.0\n"
            "Diagnostic-Code: x-unix; unknown mail system error 101\n",
            "5.3.0 unknown mail system error 101",
        ),
    ],
)
def test_a_failed_delivery_says_why(fields: str, reason: str) -> None:
    report = read_report(dsn(fields), KEY)
    assert report is not None
    assert (report.tokens, report.has_failed, report.reason) == ((TOKEN,), True, reason)


def test_a_delay_is_no_failure() -> None:
    report = read_report(dsn(DELAYED_FIELDS, subject="Delayed Mail (still being retried)"), KEY)
    assert report is not None
    assert (report.tokens, report.has_failed, report.may_be_deleted) == ((TOKEN,), False, False)


def around_probe(letter: Letter) -> bytes:
    """Return a sample notification as it would be written about a probe from a mailbox to itself."""
    text = letter.text if ORIGINAL in letter.text else f"{letter.text}\n\n--- Original message ---\n\n{ORIGINAL}"
    text = text.replace(ORIGINAL, headers().decode()).replace("bob@example.org", "monitor@example.org")
    fields = letter.fields.replace("bob@example.org", "monitor@example.org")
    return letter._replace(text=text, fields=fields).raw.replace(b"alice@example.com", b"monitor@example.org")


@pytest.mark.parametrize("letter", LETTERS, ids=[letter.system for letter in LETTERS])
@pytest.mark.parametrize("path", [b"Return-Path: <>\n", b""], ids=["null path", "no path"])
def test_every_form_that_the_classifier_knows_is_read_of_a_probe(letter: Letter, path: bytes) -> None:
    """What `bounces classify` read was "not received" in a check: there were two readers."""
    raw = around_probe(letter).replace(b"Return-Path: <>\n", path)
    assert read_marks(raw.partition(b"\n\n")[0] + b"\n\n", KEY).may_be_report
    report = read_report(raw, KEY, lambda _token: "monitor@example.org")
    assert report is not None
    assert (report.tokens, report.has_failed) == ((TOKEN,), letter.kind == "bounce")
    assert letter.status in report.reason
    assert len(report.reason) > len(letter.status) + 5
    assert report.reason.count(letter.status) == 1
    assert "mailmon" not in report.reason


def test_the_samples_of_other_systems_pass_the_look_at_the_header(test_data: Path) -> None:
    truth = [json.loads(line) for line in (test_data / "bounce" / "dev" / "truth.jsonl").read_text().splitlines()]
    missed = []
    for row in truth:
        raw = (test_data / "bounce" / "dev" / row["file"]).read_bytes()
        if row["kind"] in ("bounce", "delayed") and not read_marks(raw, KEY).may_be_report:
            missed.append(row["file"])
    assert missed == []


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_a_token_is_found_in_an_encoded_part(encoding: str) -> None:
    part = MIMEText(f"Zustellung an monitor@example.org fehlgeschlagen: 550 5.1.1\n{'x' * 60} {TOKEN}\n")
    del part["Content-Transfer-Encoding"]
    (encode_base64 if encoding == "base64" else encode_quopri)(part)
    part["From"], part["Return-Path"], part["Subject"] = "postmaster@example.org", "<>", "Unzustellbar"
    report = read_report(part.as_bytes(), KEY, lambda _token: "monitor@example.org")
    assert report is not None
    assert (report.tokens, report.has_failed) == ((TOKEN,), True)


@pytest.mark.parametrize(
    ("words", "has_failed"),
    [
        ("Ihre Nachricht kam nicht an: 550 5.1.1 Benutzer nicht bekannt", True),
        ("Votre message n'est pas parti : 552 5.2.2 boîte pleine", True),
        ("Ihre Nachricht ist noch da: 451 4.4.1 mx2 antwortet nicht", False),
    ],
)
def test_in_a_language_that_no_table_knows_the_codes_carry(words: str, has_failed: bool) -> None:
    for subject in ("Mitteilung", "Mail delivery"):
        report = read_report(notice(subject, words), KEY, lambda _token: "monitor@example.org")
        assert report is not None
        assert report.has_failed is has_failed


@pytest.mark.parametrize(
    "subject", ["Re: Undelivered mail", "Fwd: Undelivered mail", "Automatic reply: failure notice"]
)
def test_a_person_s_letter_about_a_bounce_says_nothing(subject: str) -> None:
    raw = notice(subject, "<monitor@example.org>: 550 5.1.1 unknown user").replace(
        b"Mail Delivery System <Mailer-Daemon@mail.example.org>", b"Jo <jo@example.org>"
    )
    assert read_report(raw, KEY, lambda _token: "monitor@example.org") is None


def test_a_person_s_letter_that_quotes_a_signed_probe_is_never_deleted() -> None:
    raw = around_probe(LETTERS[0]).replace(b"MAILER-DAEMON@mx.example.net", b"Jo <jo@example.org>")
    report = read_report(raw, KEY, lambda _token: "monitor@example.org")
    assert report is None or not report.may_be_deleted


def test_a_bounce_of_qmail_that_returns_our_signed_headers_may_be_deleted() -> None:
    report = read_report(around_probe(LETTERS[0]), KEY)
    assert report is not None
    assert report.may_be_deleted


def test_a_full_mailbox_is_told_in_exim_s_words() -> None:
    fields = "Action: failed\nFinal-Recipient: rfc822;monitor@example.org\nStatus: 5.0.0\n"
    prose = "The following address(es) failed:\n\n  monitor@example.org\n    mailbox is full: retry timeout exceeded"
    report = read_report(dsn(fields, prose=prose), KEY)
    assert report is not None
    assert report.reason == "5.0.0 mailbox is full: retry timeout exceeded"


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_a_receipt_reports_no_trouble(action: str) -> None:
    fields = f"Final-Recipient: rfc822; monitor@example.org\nAction: {action}\nStatus: 2.0.0\n"
    assert read_report(dsn(fields), KEY) is None


def test_the_failed_one_of_two_recipients_counts() -> None:
    fields = "Final-Recipient: rfc822; a@example.org\nAction: relayed\nStatus: 2.0.0\n\n" + POSTFIX_FIELDS
    report = read_report(dsn(fields), KEY)
    assert report is not None
    assert report.has_failed


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("<monitor@example.org>: 550 5.1.1 unknown user", "550 5.1.1 unknown user"),
        (
            "192.0.2.1 failed after I sent the message.\nRemote host said: 554 5.7.1 spam",
            "192.0.2.1 failed after I sent the message. Remote host said: 554 5.7.1 spam",
        ),
    ],
)
def test_a_bounce_in_prose_is_known_by_the_reply_that_it_quotes(words: str, reason: str) -> None:
    report = read_report(notice("failure notice", words), KEY)
    assert report is not None
    assert (report.has_failed, report.reason, report.may_be_deleted) == (True, reason, False)


@pytest.mark.parametrize(
    "words",
    [
        "Your message was delayed; the server said: 451 4.7.1 greylisted. It will be retried.",
        "Your message has not been delivered yet. connect to 192.0.2.7:587 timed out; no action is required.",
        "Your message of 512 bytes has been delayed.",
    ],
)
def test_a_warning_in_prose_is_no_bounce(words: str) -> None:
    report = read_report(notice("Warning: message delayed 4 hours", words), KEY)
    assert report is None or not report.has_failed


def test_a_mailer_that_says_nothing_we_understand_reports_nothing() -> None:
    assert read_report(notice("hello", "All is well."), KEY) is None


def test_a_bounce_of_other_mail_is_none_of_ours() -> None:
    other = b"From: jo@example.org\r\nSubject: lunch\r\n\r\n"
    assert read_report(dsn(POSTFIX_FIELDS, returned=other), KEY) is None


def test_a_bounce_that_returns_our_signed_headers_may_be_deleted() -> None:
    report = read_report(dsn(POSTFIX_FIELDS), KEY)
    assert report is not None
    assert report.may_be_deleted


def test_a_bounce_that_returns_the_whole_probe_may_be_deleted() -> None:
    report = read_report(dsn(POSTFIX_FIELDS, returned=message()), KEY)
    assert report is not None
    assert report.may_be_deleted


@pytest.mark.parametrize(
    "returned",
    [
        headers(key=FOREIGN_KEY),
        b"Subject: mailmon probe " + TOKEN.encode() + b"\r\n\r\n",
        b"X-Mailmon-Token: " + TOKEN.encode() + b"\r\n" + headers(),
        headers().replace(b"X-Mailmon-Token: " + TOKEN.encode(), b"X-Mailmon-Token: " + OTHER_TOKEN.encode()),
    ],
)
def test_a_bounce_without_our_valid_signature_stays(returned: bytes) -> None:
    report = read_report(dsn(POSTFIX_FIELDS, returned=returned), KEY)
    assert report is not None
    assert not report.may_be_deleted


def test_a_bounce_that_a_person_forwarded_stays() -> None:
    inner = dsn(POSTFIX_FIELDS)
    forwarded = (
        (
            b"From: jo@example.org\r\nSubject: look at this\r\n"
            b'Content-Type: multipart/mixed; boundary="F"\r\n\r\n--F\r\nContent-Type: message/rfc822\r\n\r\n'
        )
        + inner
        + b"\r\n--F--\r\n"
    )
    report = read_report(forwarded, KEY)
    assert report is None or not report.may_be_deleted


def test_a_delayed_notice_stays() -> None:
    report = read_report(dsn(DELAYED_FIELDS), KEY)
    assert report is not None
    assert not report.may_be_deleted


def test_escape_codes_in_a_diagnostic_are_made_visible() -> None:
    fields = "Final-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; \x1b[2Jno\n"
    report = read_report(dsn(fields), KEY)
    assert report is not None
    assert report.reason == "5.1.1 \\x1b[2Jno"


FRAGMENT = st.sampled_from(
    [b"\r\n", b"\n\n", b"\n \n", b"Action: failed\r\n", b"Status: 5.1.1\r\n", b"Diagnostic-Code: smtp; x\r\n"]
) | st.sampled_from([TOKEN.encode(), b"550 5.1.1 no", headers(), b"Content-Type: multipart/report\r\n", b"Action:\n"])


@settings(deadline=None)
@given(st.lists(st.binary(max_size=20) | FRAGMENT, max_size=20).map(b"".join))
def test_any_bytes_can_be_read(raw: bytes) -> None:
    report = read_report(raw, KEY)
    assert report is None or report.reason.isprintable()


@pytest.mark.parametrize(
    "unit",
    [
        b"\n", b"\n ", b"\n a", b"\n\n", b" ", b"a:\n", b"Action: failed\n", b"\n\t\n ", b"550 ", b"5", b"550 5.",
        b"X-Mailmon-Token:\n", b"\n\nX-Mailmon-Token: x", TOKEN.encode(), b"mm", b"mm0", b"Status: 5.1.", b"\xff", b";",
    ],
)  # fmt: skip
def test_a_hostile_notification_is_read_in_linear_time(unit: bytes) -> None:
    head = b"Content-Type: multipart/report\n\n" + TOKEN.encode() + b"\nAction: failed\nStatus: 5.0.0\nA: b"
    started_s = time.process_time()
    read_report(head + unit * (2 * MAX_BYTES // len(unit)), KEY)
    assert time.process_time() - started_s < 1.0
