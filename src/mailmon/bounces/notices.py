"""Delivery of notices about bounces. Each stays queued in the bounce log until a server accepts it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from mailmon.bounces.context import BounceContext, NoticeSettings
from mailmon.clients.smtp import SmtpClient
from mailmon.errors import StageError
from mailmon.model.bounces import Notice
from mailmon.render.notice import compose_notice
from mailmon.store.bouncelog.log import BounceLog

BATCH = 50
# A bounce of a notice would be a bounce of a bounce: the null sender prevents it (RFC 5321 section 4.5.5).
NULL_SENDER = ""


class Sent(NamedTuple):
    """How many notices were accepted and refused, with the last refusal."""

    taken: int = 0
    failed: int = 0
    error: str = ""
    advice: str = ""


def send_due(context: BounceContext, log: BounceLog, settings: NoticeSettings, is_over: Callable[[], bool]) -> Sent:
    """Send due notices, oldest first, up to the hourly limit. Raises StateError.

    A permanently refused recipient is given up; any other failure ends this round, and the rest stays queued.
    """
    now = context.now()
    allowed = settings.max_per_hour - log.notices_sent_since(now - timedelta(hours=1))
    due = log.notices_due(now, min(BATCH, allowed)) if allowed > 0 else []
    done, client = Sent(), None
    try:
        for notice in due:
            if is_over():
                break
            log.begin_notice(notice, now)
            try:
                client = client or context.open_sender(settings.account)
                _send(client, log, notice, settings)
            except StageError as exc:
                is_final = exc.finding_id == "smtp.rcpt_refused" and not exc.is_temporary
                log.end_notice(notice, now, exc.message, is_final=is_final)
                done = done._replace(failed=done.failed + 1, error=exc.message, advice=exc.advice)
                if not is_final:
                    break
            else:
                log.end_notice(notice, now)
                done = done._replace(taken=done.taken + 1)
    finally:
        if client:
            client.close()
    return done


def _send(client: SmtpClient, log: BounceLog, notice: Notice, settings: NoticeSettings) -> None:
    message = log.message(notice.message)
    assert message is not None, "the database removes notices with their message"
    letter = compose_notice(message, notice, settings.sender)
    try:
        client.send(NULL_SENDER, notice.recipient, letter)
    except StageError as exc:
        if not _is_about_sender(exc):
            raise
        # Its bounces come back to us, and are known by their Message-ID (mail/bounce/notice_recipients.py).
        client.send(settings.account.address, notice.recipient, letter)


def _is_about_sender(exc: StageError) -> bool:
    """Return whether a server refuses the null sender because users may send only under their own address."""
    is_refusal = exc.finding_id in ("smtp.mail_refused", "smtp.rcpt_refused") and not exc.is_temporary
    return is_refusal and any(sign in exc.said for sign in ("<>", "5.7.", "553"))
