"""Mail that is no bounce (RFC 3834, RFC 5965, RFC 8098)."""

from __future__ import annotations

import json

import pytest

from mailmon.mail.bounce import Form, Kind, classify
from tests.mail.bounce.letters import LETTERS, Letter
from tests.mail.bounce.notifications import dsn, report

PERSON = "Carol <carol@example.com>"
BOUNCED = LETTERS[0].text


def mail(subject: str, text: str, sender: str = PERSON, fields: str = "") -> bytes:
    head = f"Return-Path: <carol@example.com>\nFrom: {sender}\nTo: alice@example.com\nSubject: {subject}\n{fields}"
    return f"{head}Content-Type: text/plain; charset=utf-8\n\n{text}\n".encode()


OTHERS = {
    "a person forwards a bounce": mail("Fwd: failure notice", f"Look:\n\n{BOUNCED}"),
    "a person quotes a bounce": mail("Re: failure notice", "> " + BOUNCED.replace("\n", "\n> ")),
    "a person pastes a bounce": mail("failure notice", BOUNCED),
    "a postmaster forwards a bounce": mail("FW: failure notice", BOUNCED, "Postmaster <postmaster@example.com>"),
    "a person forwards the fields": mail("Undeliverable", dsn("5.1.1", "550 no").decode()),
    "an absence notice": mail("Automatic reply: Minutes", "I am away.", fields="Auto-Submitted: auto-replied\n"),
    "an absence notice about a bounce": Letter(
        "", "Automatic reply: Undelivered Mail", "bob@example.org could not be delivered to", sender=PERSON
    ).raw,
    "an absence notice with an empty return path": Letter(
        "", "Out of Office", "I was unable to read mail to bob@example.org", sender=PERSON
    ).raw,
    "a digest": mail("List digest, Vol 3", BOUNCED, "list-request@example.com"),
    "a mailing list about its member": Letter(
        "",
        "Bounce action notification",
        "Member: bob@example.org\nAction: disabled",
        sender="mailman-bounces@example.com",
    ).raw,
    "a summary of a quarantine": Letter(
        "", "Quarantine summary", "Blocked messages:\nbob@example.org rejected", sender="postmaster@example.com"
    ).raw,
    "a job of the system that failed": Letter(
        "",
        "Backup failed",
        "error: cannot open /dev/sdb\nask bob@example.org",
        sender="System Administrator <root@x.example>",
    ).raw,
    "phishing": mail(
        "Your messages could not be delivered",
        "Your mailbox is full: messages to alice@example.com were returned. Click http://x.example/",
        "Mail Administrator <postmaster@x.example>",
    ),
    "a receipt": report(
        "Final-Recipient: rfc822;bob@example.org\nDisposition: manual-action/MDN-sent-manually; displayed",
        kind="disposition-notification",
        part="message/disposition-notification",
        sender="bob@example.org",
        subject="Read: Minutes",
    ),
    "a receipt of a daemon": report(
        "Final-Recipient: rfc822;bob@example.org\nDisposition: automatic-action/MDN-sent-automatically; deleted",
        kind="disposition-notification",
        part="message/disposition-notification",
    ),
    "a delivery that succeeded": dsn("2.0.0", "250 2.0.0 Ok", action="delivered"),
    "a report of DMARC": mail("Report Domain: example.com", "3 messages failed", "postmaster@example.org"),
}


@pytest.mark.parametrize("raw", OTHERS.values(), ids=OTHERS.keys())
def test_it_is_no_bounce_and_nobody_is_hard(raw: bytes) -> None:
    found = classify(raw)
    assert found.kind is Kind.OTHER
    assert not any(recipient.is_hard for recipient in found.recipients)


def test_a_complaint_is_feedback() -> None:
    fields = (
        "Feedback-Type: abuse\nUser-Agent: X/1\nVersion: 1\nOriginal-Mail-From: <alice@example.com>\n"
        "Original-Rcpt-To: <bob@example.org>\nReporting-MTA: dns; mx.example.org"
    )
    found = classify(report(fields, kind="feedback-report", part="message/feedback-report", sender="fbl@example.org"))
    assert (found.kind, found.form, found.feedback_type) == (Kind.FEEDBACK, Form.ARF, "abuse")
    [recipient] = found.recipients
    assert recipient[:5] == ("bob@example.org", "", "", "feedback", False)
    assert recipient.reporting_mta == "mx.example.org"
    assert found.original.message_id == "<1@example.com>"


def amazon(kind: str, about: dict[str, object]) -> bytes:
    document = {"notificationType": kind.title(), "mail": {"source": "alice@example.com"}, kind: about}
    return mail("AWS Notification Message", json.dumps(document), "SES <no-reply@sns.amazonaws.com>")


def test_a_bounce_in_the_json_of_amazon_is_read() -> None:
    entry = {
        "emailAddress": "bob@example.org",
        "action": "failed",
        "status": "5.1.1",
        "diagnosticCode": "smtp; 550 unknown",
    }
    found = classify(amazon("bounce", {"bouncedRecipients": [entry], "reportingMTA": "dns; a.example.com"}))
    assert (found.kind, found.form) == (Kind.BOUNCE, Form.JSON)
    [recipient] = found.recipients
    assert recipient[:5] == ("bob@example.org", "5.1.1", "failed", "userunknown", True)
    assert (recipient.reporting_mta, found.original.envelope_sender) == ("a.example.com", "alice@example.com")


def test_a_complaint_and_a_delivery_in_the_json_of_amazon_are_no_bounces() -> None:
    found = classify(amazon("complaint", {"complainedRecipients": [{"emailAddress": "bob@example.org"}]}))
    assert (found.kind, found.recipients[0].reason) == (Kind.FEEDBACK, "feedback")
    assert classify(amazon("delivery", {"recipients": ["bob@example.org"]})).kind is Kind.OTHER
