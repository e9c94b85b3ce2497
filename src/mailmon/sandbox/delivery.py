"""Delivery of accepted messages, with the faults that concern it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from mailmon.sandbox import rfc822
from mailmon.sandbox.accounts import Accounts
from mailmon.sandbox.dsn import Failure, build_bounce
from mailmon.sandbox.faults import Faults
from mailmon.sandbox.store import Store

_PIXEL = b'<img src="https://track.example.org/p.gif?id=1" width="1" height="1">'
_FOOTER = b"\r\n-- \r\nThis message was scanned by sandbox.\r\n"


@dataclass
class AcceptedMail:
    """One accepted message; the times are time.monotonic(), delivered_at is that of the first copy of any recipient."""

    queue_id: str
    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    accepted_at: float
    delivered_at: float | None = None


class Delivery:
    """Local delivery, with the faults that concern it; runs in the thread of the event loop."""

    def __init__(self, hostname: str, accounts: Accounts, store: Store, faults: Faults) -> None:
        self.accepted: list[AcceptedMail] = []
        self._hostname = hostname
        self._accounts = accounts
        self._store = store
        self._faults = faults

    def accept(self, mail: AcceptedMail, received_from: str) -> None:
        """Take the responsibility for the mail; received_from is the from clause (RFC 5321 section 4.4)."""
        self.accepted.append(mail)
        faults = self._faults
        if faults.lose_mail:
            return
        if faults.bounce is not None:
            reason = faults.bounce
            _after(faults.delivery_delay_s, lambda: self._bounce(mail, reason))
        else:
            _after(faults.delivery_delay_s, lambda: self._deliver(mail, received_from))

    def _deliver(self, mail: AcceptedMail, received_from: str) -> None:
        self._drop_copy(mail, received_from)
        if self._faults.duplicate:
            _after(self._faults.duplicate_delay_s, lambda: self._drop_copy(mail, received_from))

    def _drop_copy(self, mail: AcceptedMail, received_from: str) -> None:
        for recipient in mail.recipients:
            owner = self._accounts.owner(recipient)
            if owner is None:
                continue
            trace = (
                f"Return-Path: <{mail.sender}>\r\n"
                f"Received: from {received_from}\r\n"
                f"\tby {self._hostname} (sandbox) with ESMTPSA id {mail.queue_id}\r\n"
                f"\tfor <{recipient}>; {format_datetime(datetime.now(UTC))}\r\n"
            )
            raw = trace.encode() + self._deformed(mail.raw)
            if mail.delivered_at is None:
                mail.delivered_at = time.monotonic()
            self._store.mailbox(owner, self._faults.folder).append(raw)

    def _bounce(self, mail: AcceptedMail, reason: str) -> None:
        owner = self._accounts.owner(mail.sender)
        if owner is None:
            return
        for recipient in mail.recipients:
            failure = Failure(mail.sender, recipient, mail.raw, reason)
            bounce = build_bounce(failure, self._hostname, self._faults.bounce_headers_only, self._faults.bounce_form)
            self._store.mailbox(owner, self._faults.folder).append(bounce)

    def _deformed(self, raw: bytes) -> bytes:
        body = rfc822.split(raw)[1]
        lines = rfc822.header_lines(raw)
        if self._faults.strip_headers:
            lines = [line for line in lines if not rfc822.field_name(line).startswith("x-")]
        if self._faults.glue and lines:
            lines[-1] += b"List-Unsubscribe: <x>"
        if self._faults.strip_headers or self._faults.glue:
            raw = b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body
        if self._faults.pixel:
            raw = raw.replace(b"</body>", _PIXEL + b"</body>")
        return raw + _FOOTER if self._faults.footer else raw


def _after(delay_s: float, action: Callable[[], None]) -> None:
    if delay_s > 0:
        asyncio.get_running_loop().call_later(delay_s, action)
    else:
        action()
