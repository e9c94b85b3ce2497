"""Open relay test: mail from a stranger to a stranger, in every known form (RFC 5321 sections 3.6.2, 7.1).

Each form is tried up to the reply to DATA; then the connection is closed, so that no message is ever sent. Only a
server that asks for the message is a relay: many accept every RCPT and refuse later. Only a server that refuses to
relay is not: one that refuses this machine, its name or its sender may relay for others (mail/relaying.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from mailmon.clients.records import is_address
from mailmon.diagnose.plan import Options
from mailmon.diagnose.protocols import SmtpClient
from mailmon.errors import StageError
from mailmon.findings import Findings
from mailmon.mail.relaying import Asked, Refused, what_is_refused
from mailmon.mail.reply import Reply
from mailmon.model.diagnosis import Endpoint

# Postfix slows a client down after 10 errors and hangs up after 20. Earlier hang-ups are noticed (chasquid: 3).
ERRORS_A_CONNECTION = 6
# Courier waits 8 s after each error of a session, but not in a new connection.
SLOW_S = 2.0
MAX_CONNECTIONS = 16
MAX_SINKS = 2
NOBODY = "mailmon-no-such-mailbox-7f3a"
CONTROL, UNQUALIFIED = "any mailbox", "any mailbox without a domain"
AT_LITERAL = "any mailbox at the address literal"
CONTROLS = (CONTROL, AT_LITERAL, UNQUALIFIED)


class Form(NamedTuple):
    """One way to ask for relaying.

    `is_own` recipients end in the server's own domain or address, or have no domain: if the server accepts the mailbox
    of `control`, which does not exist, it has a catch-all that accepts these too.
    """

    name: str
    sender: str
    recipient: str
    is_own: bool = False
    control: str = CONTROL


class Outcome(StrEnum):
    """The outcome of a form."""

    RELAYED = "asks for the message"
    SINK = "accepted, and refused at DATA"
    ACCEPTED = "accepted"
    DENIED = "refused"
    FOREIGN = "refused, unlike a mailbox of its own"
    CLIENT = "refused because of this machine's address"
    HELO = "refused because of the name in EHLO"
    SENDER = "refused because of its sender"
    ABOUT_ADDRESS = "refused because of its recipient's domain"
    TLS = "refused without TLS"
    LATER = "refused temporarily"
    UNCLEAR = "refused without a reason"


_OUTCOMES = {
    Refused.RELAYING: Outcome.DENIED,
    Refused.CLIENT: Outcome.CLIENT,
    Refused.HELO: Outcome.HELO,
    Refused.SENDER: Outcome.SENDER,
    Refused.TARGET: Outcome.ABOUT_ADDRESS,
    Refused.TLS: Outcome.TLS,
    Refused.LATER: Outcome.LATER,
    Refused.OTHER: Outcome.UNCLEAR,
}
_GOOD = (Outcome.DENIED, Outcome.FOREIGN)
_OPEN = (Outcome.SINK, Outcome.ACCEPTED)
# Why the result is unknown, and advice; those first that something can be done about.
_WHY = {
    Outcome.CLIENT: (
        "it refuses this machine (a block list, its address or its PTR record)",
        "test from another machine, or exempt this one at the server",
    ),
    Outcome.HELO: ("it refuses the name in EHLO", "give a name that resolves to this machine with --helo"),
    Outcome.SENDER: ("it refuses the senders of the test", "give another with --mail-from"),
    Outcome.ABOUT_ADDRESS: (
        "it refuses the domain of the test's recipient",
        "name another recipient with --relay-recipient",
    ),
    Outcome.TLS: ("it accepts no mail without TLS", "find out why TLS is missing"),
    Outcome.LATER: ("it refuses temporarily (greylisting, a rate limit?)", "try again later"),
    Outcome.UNCLEAR: (
        "it refuses the recipient without a reason, and no mailbox of its own is known to compare with",
        "name one with --mailbox",
    ),
}


class Tried(NamedTuple):
    """One form, its outcome and the reply."""

    form: Form
    outcome: Outcome
    reply: str


def own_domain(endpoint: Endpoint, options: Options) -> str:
    """Return the domain of the server's own mailboxes: the one that was asked for, else its name or address literal."""
    own = options.domain or endpoint.host
    if not is_address(own):
        return own
    return f"[IPv6:{own}]" if ":" in own else f"[{own}]"


def own_mailbox(endpoint: Endpoint, options: Options) -> str:
    """Return a mailbox of the server's own: the one that was named, else its postmaster."""
    return options.mailbox or f"postmaster@{own_domain(endpoint, options)}"


def _own_mailboxes(endpoint: Endpoint, options: Options) -> tuple[str, ...]:
    """Return mailboxes of which one should exist; if no domain was named, it may be the one above the host's name."""
    above = endpoint.host.partition(".")[2]
    guessed = () if options.mailbox or options.domain or "." not in above else (f"postmaster@{above}",)
    return (own_mailbox(endpoint, options), *(() if is_address(endpoint.host) else guessed), "postmaster")


def forms(endpoint: Endpoint, options: Options) -> list[Form]:
    """Return the classic forms, the most telling first."""
    recipient, sender = options.relay_recipient, options.mail_from
    local, _, domain = recipient.rpartition("@")
    own = own_domain(endpoint, options)
    literal = f"[IPv6:{endpoint.address}]" if ":" in endpoint.address else f"[{endpoint.address}]"
    return [
        Form("plain", sender, recipient),
        Form("null sender", "", recipient),
        Form("sender of the own domain", own_mailbox(endpoint, options), recipient),
        Form("source route", sender, f"@{own}:{recipient}"),
        Form("sender at the address literal", f"postmaster@{literal}", recipient),
        Form("percent", sender, f"{local}%{domain}@{own}", is_own=True),
        Form("UUCP path", sender, f"{domain}!{local}@{own}", is_own=True),
        Form("quoted", sender, f'"{recipient}"@{own}', is_own=True),
        Form("percent at the address literal", sender, f"{local}%{domain}@{literal}", is_own=True, control=AT_LITERAL),
        Form("quoted without a domain", sender, f'"{recipient}"', is_own=True, control=UNQUALIFIED),
        Form("UUCP path without a domain", sender, f"{domain}!{local}", is_own=True, control=UNQUALIFIED),
        Form("percent without a domain", sender, f"{local}%{domain}", is_own=True, control=UNQUALIFIED),
    ]


class Asker:
    """Tries form after form, on as many connections as that takes: servers hang up after a few errors.

    `given` is an open connection to begin with, which is not closed. A refusal without a reason is compared with the
    reply for a mailbox of the server's own.
    """

    def __init__(
        self,
        open_session: Callable[[], SmtpClient],
        endpoint: Endpoint,
        options: Options,
        given: SmtpClient | None = None,
    ) -> None:
        self._open_session, self._own = open_session, _own_mailboxes(endpoint, options)
        self._needs_login = endpoint.needs_login
        self._given = self._client = given
        self._errors = self._connections = 0
        self._max_errors = ERRORS_A_CONNECTION
        self._takes_own: bool | None = None

    def ask(self, form: Form, *, asks_for_data: bool) -> Tried:
        """Return the outcome of a form, tried again if an earlier one ended the session.

        Raises StageError, OSError.
        """
        while True:
            is_fresh = self._errors == 0
            client = self._ready()
            begun = time.monotonic()
            try:
                tried = self._try(client, form, asks_for_data=asks_for_data)
            except StageError as exc:
                self._max_errors = min(self._max_errors, max(self._errors, 1))
                self.close()
                if is_fresh or not exc.lost or self._connections >= MAX_CONNECTIONS:
                    raise
                continue
            is_over = tried.reply.startswith("421")
            if is_over:
                self._max_errors = min(self._max_errors, max(self._errors - 1, 1))
            if is_over or tried.outcome is Outcome.RELAYED or time.monotonic() - begun > SLOW_S:
                self.close()
            if not is_over or is_fresh or self._connections >= MAX_CONNECTIONS:
                return tried

    def close(self) -> None:
        """End the session, if there is one."""
        if self._client and self._client is not self._given:
            self._client.close()
        self._client, self._errors = None, 0

    def _ready(self) -> SmtpClient:
        if self._errors >= self._max_errors:
            self.close()
        if self._client is None:
            self._connections += 1
            self._client = self._open_session()
        return self._client

    def _try(self, client: SmtpClient, form: Form, *, asks_for_data: bool) -> Tried:
        reply, outcome = self._recipient(client, form)
        if outcome is Outcome.ACCEPTED and asks_for_data and form.name not in CONTROLS:
            reply = client.command("DATA")
            outcome = Outcome.RELAYED if reply.code == 354 else _read(reply, self._asked(client, form))
            outcome = outcome if outcome in (Outcome.RELAYED, Outcome.DENIED) else Outcome.SINK
        if outcome is Outcome.UNCLEAR and not form.is_own and self._takes_own_mail(client):
            outcome = Outcome.FOREIGN
        if outcome is not Outcome.RELAYED and reply.code != 421:
            self._reset(client)
        return Tried(form, outcome, str(reply))

    def _reset(self, client: SmtpClient) -> None:
        """Reset the transaction; if the server hangs up, the reply received before still counts."""
        try:
            is_over = client.command("RSET").code == 421
        except StageError:
            is_over = True
        if is_over:
            self.close()

    def _recipient(self, client: SmtpClient, form: Form) -> tuple[Reply, Outcome]:
        """Return the reply to RCPT, or to MAIL if that is refused, and its meaning."""
        reply = client.command(f"MAIL FROM:<{form.sender}>")
        is_recipient = reply.code == 250
        if is_recipient:
            reply = client.command(f"RCPT TO:<{form.recipient}>")
        self._errors += not reply.is_positive
        return reply, _read(reply, self._asked(client, form, is_recipient=is_recipient))

    def _asked(self, client: SmtpClient, form: Form, *, is_recipient: bool = True) -> Asked:
        wants_login = self._needs_login and "AUTH" in client.capabilities
        return Asked(client.helo_name, form.sender, is_recipient, wants_login)

    def _takes_own_mail(self, client: SmtpClient) -> bool:
        """Return whether this transaction accepts a mailbox of the server's own; ask once (RFC 5321 section 4.5.1)."""
        if self._takes_own is None:
            self._takes_own = False
            for mailbox in self._own:
                try:
                    reply = client.command(f"RCPT TO:<{mailbox}>")
                except StageError:  # it hangs up after so many errors: nothing was accepted
                    break
                self._takes_own = reply.is_positive
                if self._takes_own or reply.code == 421:
                    break
                self._errors += 1
        return bool(self._takes_own)


def ask_plainly(asker: Asker, all_forms: Sequence[Form]) -> list[Tried]:
    """Try one RCPT and reset; again with another sender if the first is refused.

    A domain that sends no mail (RFC 7505) is refused as a sender before the recipient is checked. Raises StageError,
    OSError.
    """
    tried: list[Tried] = []
    for form in all_forms[:3]:
        tried.append(asker.ask(form, asks_for_data=False))
        if tried[-1].outcome is not Outcome.SENDER:
            break
    return tried


def try_all(asker: Asker, all_forms: Sequence[Form], is_time_left: Callable[[], bool] = lambda: True) -> list[Tried]:
    """Try the forms until one is accepted or the time is over. Raises StageError and OSError only without any result.

    If every mailbox of the own domain is accepted, forms within that domain prove nothing and are not tried; likewise
    forms without a domain if every bare word is a mailbox (OpenSMTPD), and forms at the address if every one is.
    """
    tried: list[Tried] = []
    try:
        for form in _with_controls(all_forms):
            if not is_time_left() and tried:
                break
            if _is_pointless(form, tried):
                continue
            sender = _good_sender(tried) if form.is_own or form.name == "source route" else form.sender
            tried.append(asker.ask(form._replace(sender=sender), asks_for_data=True))
            if tried[-1].outcome is Outcome.RELAYED or sum(one.outcome is Outcome.SINK for one in tried) >= MAX_SINKS:
                break
    except (StageError, OSError):
        if not tried:
            raise
    finally:
        asker.close()
    return tried


def _with_controls(all_forms: Sequence[Form]) -> list[Form]:
    """Return the forms with their controls, each before the first form that depends on it."""
    ordered: list[Form] = []
    for form in all_forms:
        if form.is_own and not any(one.name == form.control for one in ordered):
            place = "" if form.control == UNQUALIFIED else f"@{form.recipient.rpartition('@')[2]}"
            ordered.append(Form(form.control, form.sender, f"{NOBODY}{place}", is_own=True))
        ordered.append(form)
    return ordered


def _is_pointless(form: Form, tried: Iterable[Tried]) -> bool:
    """Return whether the form's control was accepted."""
    is_trick = form.is_own and form.name not in CONTROLS
    return is_trick and any(one.outcome is Outcome.ACCEPTED and one.form.name == form.control for one in tried)


def _good_sender(tried: Sequence[Tried]) -> str:
    """Return the first sender that was not refused for itself, else the first of all."""
    good = (one.form.sender for one in tried if one.outcome is not Outcome.SENDER and not one.form.is_own)
    return next(good, tried[0].form.sender)


def verdict(
    found: Findings, tried: Iterable[Tried], *, trust: str = "", planned: int = 0, is_near: bool = False
) -> None:
    """Judge the outcome of all forms.

    `trust` says why the server trusts us, `is_near` that it may, because we share a private network; `planned` is the
    number of forms to try.
    """
    seen = list(tried)
    evidence = "; ".join(f"{one.form.name}: {one.outcome} ({one.reply[:100]})" for one in seen)
    relayed = next((one.form for one in seen if one.outcome is Outcome.RELAYED), None)
    direct = [one for one in seen if not one.form.is_own]
    if relayed and trust:
        said = f"it relays for us, but {trust}: test from another machine"
        found.unknown("smtp.open_relay", said, evidence=evidence)
    elif relayed:
        asked = f"from <{relayed.sender}> to <{relayed.recipient}> ({relayed.name})"
        said = f"an open relay: it accepts mail {asked} without a login"
        said += "; if it should trust this private network, add --trusted-client" if is_near else ""
        found.fail("smtp.open_relay", said, evidence=evidence)
    elif any(one.outcome in _OPEN for one in direct):
        words = next(one.reply for one in direct if one.outcome in _OPEN)[:160]
        found.unknown(
            "smtp.open_relay", f"it accepts foreign recipients, but not the message: {words}", evidence=evidence
        )
    elif any(one.outcome in _GOOD for one in direct):
        found.passed("smtp.open_relay", f"it refuses to relay{_what_is_open(seen, planned)}", evidence=evidence)
    else:
        found.unknown("smtp.open_relay", _why_unknown(direct), evidence=evidence)


def verdict_of_one(found: Findings, tried: Sequence[Tried], trust: str = "") -> None:
    """Judge a single RCPT, from however many senders: a refusal is good, acceptance proves nothing."""
    last = tried[-1]
    evidence = "; ".join(f"<{one.form.sender}>: {one.reply[:200]}" for one in tried)
    if last.outcome in _GOOD:
        found.passed("smtp.open_relay", "it refuses to relay (one form tried)", evidence=evidence)
    elif last.outcome is Outcome.ACCEPTED:
        said = f"it accepts a foreign recipient, but {trust}: test from another machine"
        said = said if trust else "it accepts a foreign recipient; --relay-test shows whether it accepts the message"
        found.unknown("smtp.open_relay", said, evidence=evidence)
    else:
        found.unknown("smtp.open_relay", _why_unknown(tried), evidence=evidence)


def _what_is_open(seen: Sequence[Tried], planned: int) -> str:
    """Return what remains unknown although relaying is refused, "" if nothing does."""
    left = []
    asked = sum(one.form.name not in CONTROLS for one in seen)
    taken = [one.form.name for one in seen if one.outcome is Outcome.ACCEPTED and one.form.name in CONTROLS]
    if CONTROL in taken:
        left.append("its catch-all hides how it treats %, ! and quotes")
    if AT_LITERAL in taken:
        left.append("it accepts any mailbox at its address, so % there proves nothing")
    if UNQUALIFIED in taken:
        left.append("it accepts any recipient without a domain, so %, ! and quotes without one were not tried")
    if planned > asked and not taken:
        left.append(f"{asked} of {planned} forms tried: it answers too slowly, or hangs up")
    return f" ({'; '.join(left)})" if left else ""


def _why_unknown(tried: Sequence[Tried]) -> str:
    """Return why the result is unknown, with the server's reply, and what to do about it."""
    replies = {one.outcome: one.reply for one in reversed(tried)}
    for kind, (why, advice) in _WHY.items():
        if kind in replies:
            return f"whether it relays is unknown: {why}: {replies[kind][:200]} ({advice})"
    return "whether it relays is unknown: nothing was answered"


def _read(reply: Reply, asked: Asked) -> Outcome:
    return Outcome.ACCEPTED if reply.is_positive else _OUTCOMES[what_is_refused(reply, asked)]
