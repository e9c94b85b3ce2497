"""Delivery status notifications that the sandbox writes (RFC 3464)."""

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from mailmon.sandbox import rfc822
from mailmon.sandbox.bounce_forms import FORMS, POSTFIX_DELAY

_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")

_TEMPLATE = """\
Return-Path: <>
Date: {date}
From: Mail Delivery System <MAILER-DAEMON@{hostname}>
To: {sender}
Subject: {subject}
Message-ID: <{boundary}@{hostname}>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"

This is a MIME-encapsulated message.

--{boundary}
Content-Type: text/plain; charset=us-ascii
Content-Description: Notification

This is the mail system at host {hostname}.

Your message could not be delivered to one or more recipients.

<{recipient}>: {reason}

--{boundary}
Content-Type: message/delivery-status
Content-Description: Delivery report

Reporting-MTA: dns; {hostname}
Arrival-Date: {date}

Final-Recipient: rfc822; {recipient}
Original-Recipient: rfc822;{recipient}
Action: {action}
Status: {status}
Diagnostic-Code: {diagnostic}

--{boundary}
Content-Type: {returned_type}
Content-Description: Undelivered Message

"""


@dataclass(frozen=True)
class Failure:
    """One message that is not delivered to one recipient; the reason starts with the enhanced status code."""

    sender: str
    recipient: str
    raw: bytes
    reason: str


def build_bounce(failure: Failure, hostname: str, headers_only: bool = False, form: str | None = None) -> bytes:
    """Build the delivery status notification: multipart/report, null Return-Path (RFC 3464 section 2, RFC 3834).

    With a form it is written as that system does; KeyError for one that is not known.
    """
    if form and form != POSTFIX_DELAY:
        return _build_in_words(failure, hostname, headers_only, form)
    match = _STATUS.match(failure.reason)
    boundary = secrets.token_hex(12)
    head = _TEMPLATE.format(
        date=format_datetime(datetime.now(UTC)),
        hostname=hostname,
        sender=failure.sender,
        recipient=failure.recipient,
        reason=failure.reason,
        status=match.group() if match else ("4.4.1" if form else "5.0.0"),
        action="delayed" if form else "failed",
        subject="Delayed Mail (still being retried)" if form else "Undelivered Mail Returned to Sender",
        diagnostic=f"X-Postfix; {failure.reason}" if form else f"smtp; 550 {failure.reason}",
        boundary=boundary,
        returned_type="text/rfc822-headers" if headers_only else "message/rfc822",
    )
    returned = rfc822.split(failure.raw)[0] if headers_only else failure.raw
    return head.replace("\n", "\r\n").encode() + returned + f"\r\n--{boundary}--\r\n".encode()


def _build_in_words(failure: Failure, hostname: str, headers_only: bool, form: str) -> bytes:
    values = {
        "date": format_datetime(datetime.now(UTC)),
        "hostname": hostname,
        "sender": failure.sender,
        "recipient": failure.recipient,
        "reason": failure.reason,
    }
    returned = rfc822.split(failure.raw)[0] if headers_only else failure.raw
    return FORMS[form].format(**values).replace("\n", "\r\n").encode() + returned
