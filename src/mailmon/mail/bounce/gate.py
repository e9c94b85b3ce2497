"""Does this message speak for a mail system, so that it may be read as a notification?

Anybody can write "550 user unknown" into a mail. A person's reply, a forwarded bounce, an absence notice, a digest of
a list and a receipt are no notifications (RFC 3834, RFC 8098).
"""

from __future__ import annotations

from typing import NamedTuple

from mailmon.mail.bounce.decoding import decode_header
from mailmon.mail.bounce.match import finder, read_phrases
from mailmon.mail.bounce.message import Headers, Message, first
from mailmon.mail.bounce.values import Form
from mailmon.mail.bounce.words import DAEMONS, NO_NOTIFICATION, NOTICES, SUBJECTS
from mailmon.mail.systems import LISTS

STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
RECEIPT_TYPES = ("message/disposition-notification", "message/global-disposition-notification")
_FORWARDS = ("fwd:", "fw:", "wg:", "tr:", "i:", "rv:", "vs:")
_REPLIES = ("re:", "aw:", "sv:", "antw:", "r:", "odp:")

_is_daemon = finder(read_phrases(DAEMONS))
_is_subject = finder(read_phrases(SUBJECTS))
_is_notice = finder(read_phrases(NOTICES))
_is_other = finder(read_phrases(NO_NOTIFICATION))


class Gate(NamedTuple):
    """What is believed of a message, and what it is if that says nothing.

    `fields` and `prose` say whether those are believed. With `needs_list` prose is believed only where it lists whom
    it could not reach: the subject is not that of a notification. `may_be_own`: it may tell of its own recipient.
    """

    fields: bool
    prose: bool
    subject: str
    form: Form
    needs_list: bool = False
    may_be_own: bool = False


def judge_sender(message: Message, *, is_ours: bool = False) -> Gate:
    """Judge by the headers alone who writes.

    With `is_ours` the message is known to hold something of ours that nobody can guess: the subject of a notification
    is then enough, whoever writes it, and it may tell of its own recipient.
    """
    headers = message.headers
    subject = decode_header(first(headers, "subject")[:1000]).lower().lstrip()
    form = _form(message, subject)
    if form is Form.MDN or _is_notice(subject):
        return Gate(False, False, subject, form)
    sender = decode_header(first(headers, "from")[:1000]).lower()
    is_daemon = is_of_a_system(headers)
    has_null_path = any(path.replace(" ", "") == "<>" for path in headers.get("return-path", ()))
    is_named = "x-failed-recipients" in headers
    fits = _is_subject(subject)
    # Old Sendmail and some gateways name no writer at all; fml and Majordomo write as the list's administrator.
    is_nameless = "from" not in headers or _is_list(sender)
    is_system = is_daemon or is_named or has_null_path or (fits and (is_ours or is_nameless))
    is_persons = subject.startswith(_FORWARDS) or (not is_daemon and subject.startswith(_REPLIES))
    is_absence = (form is Form.AUTO_REPLY or _is_other(subject)) and not (is_daemon and fits)
    if form is Form.AUTO_REPLY and is_daemon and not _is_other(subject):  # Postfix marks its notifications so
        is_absence = False
    believed = is_system and not is_persons and not is_absence
    reported = _is_report(message) and not subject.startswith(_FORWARDS)
    may_be_own = is_ours or (is_daemon and has_null_path)
    return Gate(believed or reported, believed, subject, form, not (is_named or fits), may_be_own)


def is_of_a_system(headers: Headers) -> bool:
    """Say whether the From field names a mail system, or nobody."""
    sender = decode_header(first(headers, "from")[:1000]).lower()
    return _is_daemon(sender) or ("from" in headers and sender in ("", "<>"))


def _is_report(message: Message) -> bool:
    if message.type != "multipart/report":
        return False
    kind = message.parameters.get("report-type", "").lower()
    return kind in ("delivery-status", "global-delivery-status", "") and any(
        part.type in STATUS_TYPES for part in message.parts
    )


def _is_list(sender: str) -> bool:
    """Say whether the software of a mailing list writes (fml, Majordomo, Mailman)."""
    return any(mark in sender for mark in LISTS)


def _form(message: Message, subject: str) -> Form:
    if message.parameters.get("report-type", "").lower() == "disposition-notification" or any(
        part.type in RECEIPT_TYPES for part in message.parts
    ):
        return Form.MDN
    headers = message.headers
    submitted = first(headers, "auto-submitted").lower()
    if submitted.startswith("auto-replied") or "x-autoreply" in headers or "x-autorespond" in headers:
        return Form.AUTO_REPLY
    return Form.AUTO_REPLY if _is_other(subject) and "auto" in subject else Form.NONE
