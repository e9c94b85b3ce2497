"""The notice that a message was not delivered, as a mail message (RFC 5322, RFC 3834 section 5)."""

from __future__ import annotations

from collections.abc import Iterator

from mailmon.mail.bounce.advice import ADVICE
from mailmon.mail.bounce.ownership import NOTICE_HEADER, NOTICE_ID
from mailmon.mail.message.write import alternative, encoded_words, harmless, html_page
from mailmon.mail.probe.probe import format_date
from mailmon.model.bounces import BounceRow, LoggedMessage, Notice
from mailmon.text import visible

MAX_NAMED = 20


def compose_notice(message: LoggedMessage, notice: Notice, sender: str) -> bytes:
    """Return the notice as a message with CRLF line ends; a repetition is the same message, by its Message-ID too.

    What servers wrote is quoted with its control characters made visible, and escaped in HTML.
    """
    subject = visible(message.rows[0].original_subject, 150) or "(no subject)"
    title = harmless(f"Not delivered: {subject}", one_line=True)
    paragraphs = [[harmless(line) for line in lines] for lines in _paragraphs(message)]
    *shown, footer = paragraphs
    headers = [
        f"From: {sender}",
        f"To: {notice.recipient}",
        f"Subject: {encoded_words(title)}",
        f"Date: {format_date(notice.created_at)}",
        f"Message-ID: <{NOTICE_ID}{notice.id}-{message.digest[:16]}@{sender.rpartition('@')[2]}>",
        # No vacation notice, and no other monitor, shall answer.
        "Auto-Submitted: auto-generated",
        f"{NOTICE_HEADER}: {notice.id}",
        "X-Auto-Response-Suppress: All",
    ]
    text = "\n\n".join("\n".join(lines) for lines in paragraphs) + "\n"
    boundary = f"=_mailmon_{notice.id}_{message.digest[:16]}"
    return alternative(headers, text, html_page(title, shown, " ".join(footer)), boundary)


def _paragraphs(message: LoggedMessage) -> Iterator[list[str]]:
    failed = [row for row in message.rows if row.is_hard is not None and row.action == "failed"]
    yield [
        "A message came back: it was not delivered to",
        *(f"  {visible(r.address, 320)}" for r in failed[:MAX_NAMED]),
    ]
    if len(failed) > MAX_NAMED:
        yield [f"and {len(failed) - MAX_NAMED} others."]
    for row in {row.reason: row for row in failed[:MAX_NAMED]}.values():
        yield list(_why(row))
    head = message.rows[0]
    facts = (
        ("Subject", head.original_subject),
        ("To", ", ".join(head.original_to)),
        ("Cc", ", ".join(head.original_cc)),
        ("Message-ID", head.original_message_id),
    )
    lines = [f"{name}: {visible(text, 1000)}" for name, text in facts if text]
    yield ["The message, as far as the server says:", *lines] if lines else ["The server does not say which message."]
    yield [f"mailmon, bounce {head.id} of account {head.account}; nothing in it is verified."]


def _why(row: BounceRow) -> Iterator[str]:
    meaning, advice = ADVICE.get(row.reason, ("", ""))
    yield f"Reason: {meaning or row.reason} ({row.status})"
    if advice:
        yield f"What to do: {advice}"
    if row.diagnostic:
        yield f"The server's words: {visible(row.diagnostic, 500)}"
