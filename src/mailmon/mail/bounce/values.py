"""The values that the classifier returns."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What a message is: mail that came back, mail that is late, a complaint, or none of these."""

    BOUNCE = "bounce"
    DELAYED = "delayed"
    FEEDBACK = "feedback"
    OTHER = "other"


class Form(StrEnum):
    """How the message says it: in the fields of a standard, in words only, or what else was recognised."""

    DSN = "dsn"
    TEXT = "text"
    JSON = "json"
    ARF = "arf"
    COMPLAINT = "complaint"
    MDN = "mdn"
    AUTO_REPLY = "auto_reply"
    NONE = ""


class Recipient(NamedTuple):
    """One address that the notification is about.

    `status` is an enhanced status code (RFC 3463); where the message has none it is x.0.0 with the class of what
    happened, and "" in a complaint. `action` is that of RFC 3464 section 2.3.3, `reason` a word of docs/bounces.md.
    `original_recipient` is the address that the sender wrote to, "" where it is the same or is not known.
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
    """What is known of the message that came back; "" and () where nothing is."""

    message_id: str = ""
    subject: str = ""
    envelope_sender: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()


class Classification(NamedTuple):
    """What a message is, whom it is about, and which message it answers. `feedback_type` is that of RFC 5965."""

    kind: Kind
    form: Form
    recipients: tuple[Recipient, ...] = ()
    original: Original = Original()
    feedback_type: str = ""
