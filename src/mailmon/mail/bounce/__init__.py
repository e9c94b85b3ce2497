"""The bounce classifier: failed recipients and reasons. See docs/bounces.md."""

from __future__ import annotations

from mailmon.mail.bounce.classify import classify
from mailmon.mail.bounce.values import Classification, Form, Kind, Original, Recipient

__all__ = ["Classification", "Form", "Kind", "Original", "Recipient", "classify"]
