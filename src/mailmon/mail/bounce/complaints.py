"""Complaints of recipients: feedback loops (RFC 5965), and those that deviate from it."""

from __future__ import annotations

from collections.abc import Iterable

from mailmon.mail.bounce.addresses import first_address, typed_address
from mailmon.mail.bounce.original import read_original, returned_headers
from mailmon.mail.bounce.values import Classification, Form, Kind, Original, Recipient
from mailmon.mail.message.header import Headers, first, read_head
from mailmon.mail.message.read import Message
from mailmon.text import visible

# Feedback loops without a feedback-report part: words in From, Subject and text, and the feedback type.
LOOPS = (
    ("staff@hotmail.com", "complaint about message from", "", "abuse"),  # Outlook.com, JMRP
    ("", "", "apple mail sent this email to unsubscribe", "opt-out"),  # Apple Mail
)
REASON = "feedback"
_ABOUT = ("original-rcpt-to", "removal-recipient", "original-recipient")
_MARKS = ("x-hmxmroriginalrecipient",)


def read_complaint(message: Message) -> Classification | None:
    """Return the content of a complaint, None for any other message."""
    part = next((part for part in message.parts if part.type == "message/feedback-report"), None)
    if part is None and message.parameters.get("report-type", "").lower() != "feedback-report":
        return _of_a_loop(message)
    fields = read_head(part.text.lstrip("\n"), 0)[0] if part else {}
    returned = returned_headers(message, "")
    return _complaint(message, fields, returned, first(fields, "feedback-type").lower() or "abuse", Form.ARF)


def _of_a_loop(message: Message) -> Classification | None:
    sender, subject = first(message.headers, "from").lower(), first(message.headers, "subject").lower()
    for writer, about, words, kind in LOOPS:
        if writer not in sender or about not in subject:
            continue
        if not words or any(
            words in part.text[:2000].lower() for part in message.parts[:3] if part.type == "text/plain"
        ):
            returned = returned_headers(message, "")
            return _complaint(message, {}, returned, kind, Form.COMPLAINT)
    return None


def _complaint(message: Message, fields: Headers, returned: Headers, kind: str, form: Form) -> Classification:
    named = [typed_address(value) for name in _ABOUT for value in fields.get(name, ())]
    named += [first_address(first(returned, name)) for name in _MARKS]
    named = [address for address in named if address] or [first_address(first(returned, "to")[:2000])]
    mta = first(fields, "reporting-mta").rpartition(";")[2].strip()
    sender = typed_address(first(fields, "original-mail-from"))
    return complaint_about(named, kind, form, mta, read_original(returned, message.headers, sender))


def complaint_about(
    addresses: Iterable[str], kind: str, form: Form, reporting_mta: str, original: Original
) -> Classification:
    """Return a complaint of these recipients; `kind` is the feedback type."""
    mta = visible(reporting_mta, 255)
    recipients = tuple(
        Recipient(address, "", "", REASON, False, visible(f"{kind} complaint", 100), mta)
        for address in dict.fromkeys(addresses)
        if address
    )
    return Classification(Kind.FEEDBACK, form, recipients, original, visible(kind, 60))
