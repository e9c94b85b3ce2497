"""How does a person read that mail was not delivered? (RFC 5322, RFC 3834 section 5)"""

from __future__ import annotations

import html
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from mailmon.mail.bounce.advice import ADVICE
from mailmon.mail.bounce.ownership import NOTICE_HEADER, NOTICE_ID
from mailmon.mail.message.write import harmless
from mailmon.model.bounces import BounceRow, LoggedMessage, Notice
from mailmon.text import visible

MAX_NAMED = 20
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body style="font:16px/1.45 sans-serif;margin:0;padding:12px"><div style="max-width:640px;overflow-wrap:anywhere">
<h1 style="font-size:19px">{title}</h1>
{paragraphs}
</div></body>
</html>
"""


def compose_notice(message: LoggedMessage, notice: Notice, sender: str) -> bytes:
    """Return the notice as a message with CRLF line ends; a repetition is the same message, by its Message-ID too.

    What servers wrote is quoted with its control characters made visible, and escaped in HTML.
    """
    title = harmless(f"Not delivered: {visible(message.rows[0].original_subject, 150) or '(no subject)'}")
    paragraphs = [[harmless(line) for line in lines] for lines in _paragraphs(message)]
    letter = EmailMessage(policy=SMTP)
    letter["From"] = sender
    letter["To"] = notice.recipient
    letter["Subject"] = title
    letter["Date"] = format_datetime(notice.created_at)
    letter["Message-ID"] = f"<{NOTICE_ID}{notice.id}-{message.digest[:16]}@{sender.rpartition('@')[2]}>"
    # No vacation notice, and no other monitor, shall answer.
    letter["Auto-Submitted"] = "auto-generated"
    letter[NOTICE_HEADER] = str(notice.id)
    letter["X-Auto-Response-Suppress"] = "All"
    letter.set_content("\n\n".join("\n".join(lines) for lines in paragraphs) + "\n")
    blocks = "\n".join(f"<p>{'<br>'.join(map(html.escape, lines))}</p>" for lines in paragraphs)
    letter.add_alternative(_PAGE.format(title=html.escape(title), paragraphs=blocks), subtype="html")
    return letter.as_bytes()


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
    told = [f"{name}: {visible(text, 1000)}" for name, text in facts if text]
    yield ["The message, as far as the server says:", *told] if told else ["The server does not say which message."]
    yield [f"mailmon, bounce {head.id} of account {head.account}; nothing in it is verified."]


def _why(row: BounceRow) -> Iterator[str]:
    meaning, advice = ADVICE.get(row.reason, ("", ""))
    yield f"Reason: {meaning or row.reason} ({row.status})"
    if advice:
        yield f"What to do: {advice}"
    if row.diagnostic:
        yield f"The server's words: {visible(row.diagnostic, 500)}"
