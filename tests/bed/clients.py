"""Sending and reading mail in the bed's own tests, with the standard library's clients only."""

import imaplib
import smtplib
import ssl
import time
from collections.abc import Callable
from email.utils import make_msgid
from typing import TypeVar

from .bed import Bed
from .deliveries import Delivery

_T = TypeVar("_T")


def trust(bed: Bed) -> ssl.SSLContext:
    """Trust the bed's authority."""
    return ssl.create_default_context(cafile=bed.ca_file)


def send(bed: Bed, recipient: str) -> str:
    """Submit a mail as the monitor's account; return its Message-ID."""
    message_id = make_msgid(domain="probe.test")
    text = f"From: {bed.user}\r\nTo: {recipient}\r\nSubject: probe\r\nMessage-ID: {message_id}\r\n\r\nhello\r\n"
    with smtplib.SMTP(bed.host, bed.ports["submission"], timeout=10) as smtp:
        smtp.starttls(context=trust(bed))
        smtp.login(bed.user, bed.password)
        smtp.sendmail(bed.user, [recipient], text)
    return message_id


def imap_session(bed: Bed) -> imaplib.IMAP4_SSL:
    """Log in as the monitor's account."""
    connection = imaplib.IMAP4_SSL(bed.host, bed.ports["imaps"], ssl_context=trust(bed), timeout=10)
    connection.login(bed.user, bed.password)
    return connection


def eventually(ask: Callable[[], list[_T]], timeout_s: float = 10.0) -> list[_T]:
    """Ask again until the answer is not empty; return the last answer."""
    deadline = time.monotonic() + timeout_s
    while not (answer := ask()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return answer


def delivery_of(bed: Bed, message_id: str) -> Delivery:
    """Wait for the log to tell of the mail; return its last attempt so far."""
    found = eventually(lambda: [one for one in bed.deliveries() if one.message_id == message_id])
    return found[-1]


def only_mail(bed: Bed, account: str = "monitor") -> bytes:
    """Wait for the one mail of the account and read it."""
    (mail,) = eventually(lambda: bed.mails(account))
    return mail.read_bytes()
