"""Does the server relay anybody's mail to anywhere?

Each known form of address is tried, up to the answer to DATA; then the connection is closed, so that no message is ever
sent. Only a server that asks for the message is a relay: many accept every RCPT and refuse later.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import NamedTuple

from mailmon.catalogue import Findings
from mailmon.diagnose.plan import Options
from mailmon.diagnose.speakers import SmtpSpeaker
from mailmon.mail.reply import Reply
from mailmon.model.diagnosis import Endpoint

# Postfix slows a client down after 10 errors and hangs up after 20.
FORMS_A_CONNECTION = 6
MAX_SINKS = 2
EXTERNAL_SENDER = "mailmon-relay-test@example.net"
NOBODY, CONTROL = "mailmon-no-such-mailbox-7f3a", "any mailbox"
_ABOUT_ADDRESS = re.compile(
    r"null ?mx|does not accept mail|domain not found|unknown (?:user|mailbox|recipient)|user unknown|no such|"
    r"sender address rejected|domain of sender|5\.1\.\d|5\.7\.27",
    re.IGNORECASE,
)


class Form(NamedTuple):
    """One way to ask for relaying. `is_own` recipients end in the server's own domain, as those of a catch-all do."""

    name: str
    sender: str
    recipient: str
    is_own: bool = False


class Said(StrEnum):
    """What a form came to."""

    RELAYED = "asks for the message"
    SINK = "accepted, and refused at DATA"
    DENIED = "refused"
    ABOUT_ADDRESS = "refused for its address"
    LATER = "refused for now"
    ACCEPTED = "accepted"


class Tried(NamedTuple):
    """One form and its answer."""

    form: Form
    said: Said
    reply: str


def forms(endpoint: Endpoint, options: Options) -> list[Form]:
    """Return the classic forms, those that tell most first."""
    recipient = options.relay_recipient
    local, _, domain = recipient.rpartition("@")
    own = options.domain or endpoint.host
    literal = f"[IPv6:{endpoint.address}]" if ":" in endpoint.address else f"[{endpoint.address}]"
    return [
        Form("plain", EXTERNAL_SENDER, recipient),
        Form("null sender", "", recipient),
        Form("sender of the own domain", f"postmaster@{own}", recipient),
        Form("source route", EXTERNAL_SENDER, f"@{own}:{recipient}"),
        Form("sender at the address literal", f"postmaster@{literal}", recipient),
        Form("percent", EXTERNAL_SENDER, f"{local}%{domain}@{own}", is_own=True),
        Form("UUCP path", EXTERNAL_SENDER, f"{domain}!{local}@{own}", is_own=True),
        Form("quoted", EXTERNAL_SENDER, f'"{recipient}"@{own}', is_own=True),
        Form("percent at the address literal", EXTERNAL_SENDER, f"{local}%{domain}@{literal}", is_own=True),
        Form("quoted without a domain", EXTERNAL_SENDER, f'"{recipient}"', is_own=True),
        Form("UUCP path without a domain", EXTERNAL_SENDER, f"{domain}!{local}", is_own=True),
        Form("percent without a domain", EXTERNAL_SENDER, f"{local}%{domain}", is_own=True),
    ]


def ask_once(speaker: SmtpSpeaker, form: Form) -> Tried:
    """Ask for one RCPT and take it back; nothing is proven by a server that accepts it."""
    reply, _ = _recipient(speaker, form)
    tried = Tried(form, _read(reply), str(reply))
    speaker.command("RSET")
    return tried


def try_all(open_session: Callable[[], SmtpSpeaker], all_forms: list[Form]) -> list[Tried]:
    """Try the forms until one is taken. Raises StageError, OSError.

    Where any mailbox of the own domain is taken, a trick with that domain is just one more mailbox and not tried.
    """
    own = next(form for form in all_forms if form.is_own)
    control = Form(CONTROL, own.sender, f"{NOBODY}@{own.recipient.rpartition('@')[2]}", is_own=True)
    tried: list[Tried] = []
    left = [control, *all_forms]
    while left:
        speaker = open_session()
        try:
            for form in left[:FORMS_A_CONNECTION]:
                tried.append(ask_once(speaker, form) if form is control else _try(speaker, form))
                if tried[-1].said is Said.RELAYED or sum(one.said is Said.SINK for one in tried) >= MAX_SINKS:
                    return tried
        finally:
            speaker.close()
        left = [form for form in left[FORMS_A_CONNECTION:] if not (form.is_own and _has_catch_all(tried))]
    return tried


def verdict(found: Findings, tried: Iterable[Tried], *, is_trusted: bool) -> None:
    """Judge what all forms came to."""
    seen = list(tried)
    evidence = "; ".join(f"{one.form.name}: {one.said} ({one.reply[:100]})" for one in seen)
    relayed = [one for one in seen if one.said is Said.RELAYED]
    direct = [one for one in seen if not one.form.is_own]
    if relayed and is_trusted:
        found.unknown("smtp.open_relay", "it relays for us, but we are in its trusted network", evidence=evidence)
    elif relayed:
        form = relayed[0].form
        said = f"an open relay: it takes mail from <{form.sender}> to <{form.recipient}> ({form.name}) without a login"
        found.fail("smtp.open_relay", said, evidence=evidence)
    elif any(one.said in (Said.SINK, Said.ACCEPTED) for one in direct):
        found.unknown("smtp.open_relay", "it accepts foreign recipients, but not the message", evidence=evidence)
    elif any(one.said is Said.LATER for one in direct):
        found.unknown("smtp.open_relay", "it refuses for now only (greylisting?): ask again later", evidence=evidence)
    elif any(one.said is Said.DENIED for one in direct):
        hidden = " (what it does with %, ! and quotes its catch-all hides)" if _has_catch_all(seen) else ""
        found.passed("smtp.open_relay", f"it refuses to relay{hidden}", evidence=evidence)
    else:
        said = "it refuses the test's addresses, not relaying: name another with --relay-recipient"
        found.unknown("smtp.open_relay", said, evidence=evidence)


def verdict_of_one(found: Findings, tried: Tried) -> None:
    """Judge a single RCPT: refused is good, accepted proves nothing."""
    if tried.said is Said.DENIED:
        found.passed("smtp.open_relay", "it refuses to relay (one form tried)", evidence=tried.reply)
    elif tried.said is Said.ACCEPTED:
        said = "it accepts a foreign recipient; whether it takes the message tells --relay-test"
        found.unknown("smtp.open_relay", said, evidence=tried.reply)
    else:
        found.unknown("smtp.open_relay", f"the test's recipient was {tried.said}", evidence=tried.reply)


def _has_catch_all(tried: Iterable[Tried]) -> bool:
    return any(one.form.name == CONTROL and one.said is Said.ACCEPTED for one in tried)


def _try(speaker: SmtpSpeaker, form: Form) -> Tried:
    reply, is_recipient = _recipient(speaker, form)
    said = _read(reply)
    if said is Said.ACCEPTED and is_recipient:
        reply = speaker.command("DATA")
        said = Said.RELAYED if reply.code == 354 else Said.SINK
    if said is not Said.RELAYED:
        speaker.command("RSET")
    return Tried(form, said, str(reply))


def _recipient(speaker: SmtpSpeaker, form: Form) -> tuple[Reply, bool]:
    """Return the answer to RCPT, or that to MAIL where it is a refusal."""
    reply = speaker.command(f"MAIL FROM:<{form.sender}>")
    if reply.code != 250:
        return reply, False
    return speaker.command(f"RCPT TO:<{form.recipient}>"), True


def _read(reply: Reply) -> Said:
    if reply.is_positive:
        return Said.ACCEPTED
    if reply.is_transient:
        return Said.LATER
    return Said.ABOUT_ADDRESS if _ABOUT_ADDRESS.search(str(reply)) else Said.DENIED
