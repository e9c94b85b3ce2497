"""The values that the classifier returns."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """The kind of a message: bounce, delay warning, complaint, or none of these."""

    BOUNCE = "bounce"
    DELAYED = "delayed"
    FEEDBACK = "feedback"
    OTHER = "other"


class Form(StrEnum):
    """The format of a message: standard fields, prose, or another known format."""

    DSN = "dsn"
    TEXT = "text"
    JSON = "json"
    ARF = "arf"
    COMPLAINT = "complaint"
    MDN = "mdn"
    AUTO_REPLY = "auto_reply"
    NONE = ""


class Recipient(NamedTuple):
    """One recipient of a notification.

    `status` is an enhanced status code (RFC 3463): x.0.0 with the right class if the message has none, and "" in a
    complaint. `action` is that of RFC 3464 section 2.3.3, `reason` a word of docs/bounces.md.
    `original_recipient` is the address that the sender used, "" if it is the same or unknown.
    """

    address: str
    status: str
    action: str
    reason: str
    is_hard: bool
    diagnostic: str = ""
    reporting_mta: str = ""
    remote_mta: str = ""
    original_recipient: str = ""


class Original(NamedTuple):
    """The returned message, as far as known; "" and () for unknown values."""

    message_id: str = ""
    subject: str = ""
    envelope_sender: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()


class Classification(NamedTuple):
    """The kind of a message, its recipients, and the message it is about. `feedback_type` is that of RFC 5965."""

    kind: Kind
    form: Form
    recipients: tuple[Recipient, ...] = ()
    original: Original = Original()
    feedback_type: str = ""
