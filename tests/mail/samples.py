"""Sample mail: probes, and the notifications that servers write about them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mailmon.mail.probe.probe import compose
from mailmon.model import Fate, Probe

KEY = bytes(range(32))
FOREIGN_KEY = bytes(32)
TOKEN = "mm0123456789abcdef0123456789abcdef"
OTHER_TOKEN = "mmfedcba9876543210fedcba9876543210"
SENT_AT = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)


def probe(token: str = TOKEN, *, fate: Fate = Fate.PLANNED, age: timedelta = timedelta()) -> Probe:
    """Return a probe of the route `main` from the account `main` to itself; accepted unless it is only planned."""
    at = SENT_AT - age
    planned = Probe(token, "main", "monitor@example.org", "monitor@example.org", "main", at, fate)
    if fate is Fate.PLANNED:
        return planned
    settled_at = None if fate is Fate.WAITING else at + timedelta(seconds=2)
    return planned._replace(
        accepted_at=at + timedelta(seconds=1),
        accepted_by="mail.example.org:587",
        queue_id="4XyZ12abcD",
        settled_at=settled_at,
    )


def message(token: str = TOKEN, key: bytes = KEY) -> bytes:
    """Return a probe as it is sent."""
    return compose(probe(token), key, "0.1.0")


def headers(token: str = TOKEN, key: bytes = KEY) -> bytes:
    """Return the headers of a probe as it is sent."""
    return message(token, key).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def dsn(
    fields: str,
    *,
    prose: str = "I am sorry to have to inform you.",
    returned: bytes | None = None,
    sender: str = "MAILER-DAEMON@mail.example.org (Mail Delivery System)",
    subject: str = "Undelivered Mail Returned to Sender",
) -> bytes:
    """Return a multipart/report (RFC 3462, RFC 3464); `fields` are its recipient fields."""
    inner = headers() if returned is None else returned
    text = f"""\
Return-Path: <>
From: {sender}
To: monitor@example.org
Subject: {subject}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="B/mail.example.org"

This is a MIME-encapsulated message.

--B/mail.example.org
Content-Type: text/plain; charset=us-ascii

{prose}

--B/mail.example.org
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.org
Arrival-Date: Sun,  1 Mar 2026 12:00:06 +0000 (UTC)

{fields}
--B/mail.example.org
Content-Type: text/rfc822-headers

"""
    return text.replace("\n", "\r\n").encode() + inner + b"\r\n--B/mail.example.org--\r\n"


POSTFIX_FIELDS = """\
Final-Recipient: rfc822; monitor@example.org
Original-Recipient: rfc822;monitor@example.org
Action: failed
Status: 5.2.2
Remote-MTA: dns; store.example.org
Diagnostic-Code: smtp; 552 5.2.2 <monitor@example.org>: mailbox
    full
"""
EXIM_FIELDS = """\
Action: failed
Final-Recipient: rfc822;monitor@example.org
Status: 5.0.0
Remote-MTA: dns; mx.example.org
Diagnostic-Code: smtp; 550 Unrouteable address
"""
EXCHANGE_FIELDS = """\
Final-Recipient: rfc822;monitor@example.org
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup
X-Display-Name: monitor@example.org
"""
DELAYED_FIELDS = """\
Final-Recipient: rfc822; monitor@example.org
Action: delayed
Status: 4.4.1
Diagnostic-Code: X-Postfix; connect to mx.example.org[192.0.2.7]:25: Connection timed out
Will-Retry-Until: Fri,  6 Mar 2026 12:00:06 +0000 (UTC)
"""
NOTICE = f"""\
From: Mail Delivery System <Mailer-Daemon@mail.example.org>
To: monitor@example.org
Subject: %s
Content-Type: text/plain

%s

Subject: mailmon probe {TOKEN}
"""


def notice(subject: str, words: str) -> bytes:
    """Return a notification in prose, without a machine-readable part."""
    return (NOTICE % (subject, words)).replace("\n", "\r\n").encode()
