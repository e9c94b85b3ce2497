"""Faults of a mail server, each with what every step must find."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.faults.dsl import CERTIFICATE, Fault, Observation
from tests.faults.harness import Harness


def failed(cause: str) -> Observation:
    """Return the observation of a failed step."""
    return Observation("failed", cause)


def server(name: str, value: object, *checks: str, status: str = "failed", cause: str = "") -> Fault:
    """Return a fault of the embedded server: one of its Faults (src/mailmon/sandbox/faults.py)."""
    # In an order of its own: a test's name must be the same in each process that collects it.
    shown = f"{{{', '.join(map(repr, sorted(value)))}}}" if isinstance(value, set) else value
    hits = dict.fromkeys(checks, Observation(status, cause or f"{name}={shown}"))
    return Fault(f"{name}={shown}", lambda harness: setattr(harness.sandbox.faults, name, value), hits)


def _links(apply: Callable[[Harness], None], name: str, *services: str) -> Fault:
    return Fault(name, apply, {f"{service}_auth": failed(name.partition(" ")[2]) for service in services})


def _wait(seconds: float) -> Callable[[Harness], None]:
    return lambda _: time.sleep(seconds)


smtp_refuses = server("refuse_login", {"smtp"}, "smtp_auth", cause="login refused")
imap_refuses = server("refuse_login", {"imap"}, "imap_auth", cause="login refused")
both_refuse = server("refuse_login", {"smtp", "imap"}, "smtp_auth", "imap_auth", cause="login refused")
smtp_closed = _links(lambda harness: harness.smtp.refuse(), "smtp closed", "smtp")
imap_closed = _links(lambda harness: harness.imap.refuse(), "imap closed", "imap")
smtp_silent = _links(lambda harness: setattr(harness.smtp, "is_silent", True), "smtp silent", "smtp")
imap_silent = _links(lambda harness: setattr(harness.imap, "is_silent", True), "imap silent", "imap")
plain_text = server("plaintext_on_tls", True, "imap_auth")
greets_554 = server("greeting", "554 5.3.2 no service here", "smtp_auth")
expired = server("certificate", "expired", "smtp_auth", "imap_auth")
wrong_name = server("certificate", "wrong_name", "smtp_auth", "imap_auth")
self_signed = server("certificate", "self_signed", "smtp_auth", "imap_auth")
expires_soon = server("certificate", "soon", CERTIFICATE, status="warning")
mail_421 = server("mail_reply", "421 4.3.2 shutting down", "send")
rcpt_450 = server("rcpt_reply", "450 4.2.0 greylisted", "send")
rcpt_550 = server("rcpt_reply", "550 5.1.1 no such user", "send")
data_451 = server("data_reply", "451 4.7.1 try again later", "send")
data_554 = server("data_reply", "554 5.7.1 this is spam", "send")
loses_mail = server("lose_mail", True, "receive")
bounces = server("bounce", "5.2.2 mailbox full", "receive")
into_junk = server("folder", "Junk", "receive", cause="lose_mail=True")
cuts_imap = server("cut_imap", True, "receive")
delivers_twice = server("duplicate", True, "cleanup", status="warning")
is_late = server("delivery_delay_s", 2.2, "receive", cause="lose_mail=True")
is_slow = server("delivery_delay_s", 1.0, "receive", status="warning")


def _spoil_authority(harness: Harness) -> None:
    """Break the CA file: mailmon cannot ask that server then."""
    spoilt = harness.directory / "spoilt.pem"
    spoilt.write_text("no certificate")
    good = harness.account["smtp"]["ca_file"]
    harness.account["smtp"]["ca_file"] = str(spoilt)
    harness.repairs.append(lambda: harness.account["smtp"].update(ca_file=good))


cannot_tell = Fault("spoilt ca_file", _spoil_authority, {"smtp_auth:main": Observation("unknown")})
# What a mail server does that is odd, but no failure.
harmless = [
    server("read_only", True),
    server("no_uidplus", True),
    server("search_lies", "none"),
    server("strip_headers", True),
    server("footer", True),
]
