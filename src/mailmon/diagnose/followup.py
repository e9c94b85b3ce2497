"""Questions asked on further connections, once the conversation with an endpoint is complete."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mailmon.diagnose import handshake, relay
from mailmon.diagnose.conversation import judge_again, judge_first
from mailmon.diagnose.intrusive import judge_injection, judge_password, judge_smuggling
from mailmon.diagnose.names import is_inside
from mailmon.diagnose.session import Session
from mailmon.diagnose.vrfy import judge_vrfy
from mailmon.diagnose.weak_tls import Prober
from mailmon.errors import Stage, StageError
from mailmon.mail.advice import advise, refusal_in


class Followup(NamedTuple):
    """A question and how it is asked; `finding_id` is reported as unknown if the connection fails."""

    finding_id: str
    ask: Callable[[], None]


def followups(session: Session) -> list[Followup]:
    """Return what is worth asking; it is added to the session's findings."""
    if not session.is_complete:
        return []
    protocol, options = session.endpoint.protocol, session.options
    asked: list[Followup] = []
    if session.is_secured:
        asked.append(Followup("tls.old_version", lambda: handshakes(session)))
    if protocol == "smtp":
        if options.relay == "all":
            asked.append(Followup("smtp.open_relay", lambda: relaying(session)))
        asked.append(Followup("smtp.vrfy_enabled", lambda: users(session)))
        if session.is_first_contact:
            asked.append(Followup("smtp.ext_missing", lambda: second_contact(session)))
    if options.username and session.offers_login and session.is_secured:
        asked.append(Followup(f"{protocol}.login_refused", lambda: login(session)))
    if options.is_intrusive:
        asked += _intrusive(session)
    return asked


def _intrusive(session: Session) -> list[Followup]:
    protocol = session.endpoint.protocol
    asked = []
    if session.is_secured and not session.endpoint.is_implicit_tls:
        asked.append(Followup(f"{protocol}.starttls_injection", lambda: injection(session)))
    if session.offers_login:
        asked.append(Followup(f"{protocol}.any_password_accepted", lambda: password(session)))
    if protocol == "smtp":
        asked.append(Followup("smtp.smuggling", lambda: smuggling(session)))
    return asked


def ask(session: Session, followup: Followup) -> None:
    """Ask one question; if the connection fails, report it as unknown."""
    try:
        followup.ask()
    except (StageError, OSError) as exc:
        words = exc.said if isinstance(exc, StageError) else handshake.why_failed(exc)
        session.found.unknown(followup.finding_id, f"not tested: {words}")


def handshakes(session: Session) -> None:
    """Try handshakes that should be refused, one after the other: some servers limit their connections."""
    prober = Prober(session)
    if session.secured and session.secured.version not in ("TLSv1", "TLSv1.1"):
        prober.old_versions()
    prober.dh_group()


def relaying(session: Session) -> None:
    """Try every form of relaying, for at most half of the time that is left."""
    deadline, forms = session.dialer.deadline, relay.forms(session.endpoint, session.options)
    until_s = deadline.monotonic() + deadline.remaining_s() / 2
    asker = relay.Asker(lambda: session.connect_smtp("relaying"), session.endpoint, session.options)
    tried = relay.try_all(asker, forms, lambda: deadline.monotonic() < until_s)
    is_near = is_inside(session.endpoint.address)
    relay.verdict(session.found, tried, trust=session.why_trusted, planned=len(forms), is_near=is_near)


def users(session: Session) -> None:
    """Send VRFY and EXPN on a separate connection: each refusal is an error, and servers hang up after a few."""
    client = session.connect_smtp("VRFY and EXPN")
    try:
        judge_vrfy(client, session.mailbox, session.found)
    finally:
        client.close()


def second_contact(session: Session) -> None:
    """Ask again for capabilities and relaying: postscreen answers a new client's first session itself."""
    try:
        client = session.connect_smtp("second contact")
    except (StageError, OSError):
        judge_first(session)
        return
    try:
        judge_again(session, client)
    finally:
        client.close()


def injection(session: Session) -> None:
    """Send a command with STARTTLS in one packet."""
    client = session.opener.plain("command before TLS")
    try:
        judge_injection(
            session.endpoint.protocol,
            client,
            lambda: client.wire.handshake(session.context.kit.lax()),
            session.found,
        )
    finally:
        client.close()


def password(session: Session) -> None:
    """Try a wrong password."""
    client = session.connect("wrong password")
    try:
        judge_password(session.endpoint.protocol, client, session.mailbox, session.found)
    finally:
        client.close()


def smuggling(session: Session) -> None:
    """Look for false ends of a message."""
    session.left += judge_smuggling(
        lambda: session.connect_smtp("false ends of a message"), session.mailbox, session.found
    )


def login(session: Session) -> None:
    """Log in with the configured credentials and note what is offered then."""
    options, finding_id = session.options, f"{session.endpoint.protocol}.login_refused"
    client = session.opener.in_tls("login")
    try:
        is_in, words = client.log_in(options.username, options.password)
        if not is_in:
            said_by = "imap" if session.endpoint.protocol == "sieve" else session.endpoint.protocol
            fix = advise(refusal_in(said_by, Stage.LOGIN, words)).text
            session.found.fail(finding_id, f"the login as {options.username} is refused: {words[:200]}", fix=fix)
            return
        session.found.passed(finding_id, f"the login as {options.username} works")
        if client.ask():
            session.add_extensions(client)
    finally:
        client.close()
