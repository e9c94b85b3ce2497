"""The conversation with one endpoint: greeting, capabilities, STARTTLS, certificate, and what a failure means."""

from __future__ import annotations

import contextlib
import errno
import ssl
import time

from mailmon.clients.resolver import has_route_to
from mailmon.diagnose import handshake
from mailmon.diagnose.certificate import OPPORTUNISTIC, Certificates, Unreadable, is_forward_secret, now_utc
from mailmon.diagnose.greeting import (
    is_first_contact,
    judge_after_tls,
    judge_before_tls,
    judge_ehlo_refused,
    judge_greeting,
    judge_smtp_form,
)
from mailmon.diagnose.handshake import Secured
from mailmon.diagnose.protocols import Client, SmtpClient, client_for
from mailmon.diagnose.relay import Asker, Tried, ask_plainly, forms, verdict_of_one
from mailmon.diagnose.session import Session
from mailmon.errors import StageError
from mailmon.findings.software import identify
from mailmon.model.findings import Severity

# Time-out of a TLS handshake with a port that sent no greeting, in seconds.
PROBE_S = 3.0
NO_IPV6 = "this machine has no IPv6, or no route"
_NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL)
CLIENT_CERTIFICATE = "tls.client_cert_required"


def converse(session: Session) -> None:
    """Ask an endpoint all that one connection can tell; failures become findings."""
    conversation = _Conversation(session)
    try:
        conversation.run()
    except StageError as exc:
        _report_broken(session, exc)
    except OSError as exc:
        said = f"the connection broke: {handshake.why_failed(exc)}"
        session.found.unknown(session.id_of("connection_lost"), said)
    # After the conversation: fetching a policy takes its time, and servers hang up on idle clients.
    if session.secured:
        _judge_tls(session, session.secured)
    elif conversation.shown:
        _judge_certificate(session, conversation.shown)
    if session.context.tls_policy:
        session.found.all = session.context.tls_policy.weighed(session.endpoint, session.found.all)


def judge_again(session: Session, client: SmtpClient) -> None:
    """Judge a later connection of the same run, where a screen in front of the server may have held the first."""
    session.add_extensions(client)
    _judge_offers(session, client, _ask_of_relaying(session, client))


def judge_first(session: Session) -> None:
    """Judge the first connection after all, because a later one failed."""
    if session.first:
        _judge_offers(session, *session.first)


class _Conversation:
    """Talks to one endpoint. `shown` is what the server presented in a handshake that failed.

    A server that demands a certificate of ours ends one like that.
    """

    def __init__(self, session: Session) -> None:
        self._session, self._found, self._service = session, session.found, session.service
        self._is_implicit_tls = session.endpoint.is_implicit_tls
        self._later: Client | None = None  # on a second connection, if the first handshake failed
        self.shown: Secured | None = None

    def run(self) -> None:
        """Hold the conversation. Raises StageError, OSError."""
        session = self._session
        try:
            wire = session.dialer.dial("session")
        except OSError as exc:
            _report_unreachable(session, exc)
            return
        session.is_open, session.local_address = True, wire.local_address
        self._service.timings["connect_s"] = round(session.dialer.connect_s, 4)
        self._found.passed("tcp.unreachable", f"it answers at {session.endpoint.address}")
        client = client_for(wire, session.options)
        begun = time.monotonic()
        try:
            if self._is_implicit_tls and not self._begin_tls(client, begun):
                return
            self._converse(self._later or client)
        finally:
            if session.is_complete:
                (self._later or client).say_goodbye()
            wire.close()
            if self._later:
                self._later.close()

    def _converse(self, client: Client) -> None:
        session, found = self._session, self._found
        begun = time.monotonic()
        greeting = client.greet()
        self._service.timings["banner_s"] = round(time.monotonic() - begun, 4)
        self._service.banner = greeting.text
        if not judge_greeting(session, greeting):
            return
        begun = time.monotonic()
        if not self._ask(client):
            return
        self._service.timings["ehlo_s"] = round(time.monotonic() - begun, 4)
        if self._is_implicit_tls:
            self._finish(client)
            return
        is_begun = client.is_mute and not client.start_tls()
        judge_before_tls(session, client, offers_tls=is_begun or client.offers_starttls)
        if not (is_begun or client.offers_starttls):
            self._finish(client)
            return
        refusal = "" if is_begun else client.start_tls()
        if refusal:
            found.fail(session.id_of("starttls_refused"), f"STARTTLS is offered, and refused: {refusal[:200]}")
            found.skipped("tls.handshake_failed", "STARTTLS was refused")
            return
        found.passed(session.id_of("starttls_missing"), "it offers STARTTLS")
        if self._begin_tls(client, time.monotonic()):
            client = self._later or client
            if self._ask(client):
                self._finish(client)

    def _ask(self, client: Client) -> bool:
        """Ask for the capabilities; return whether the conversation can go on."""
        session = self._session
        if client.ask():
            session.add_extensions(client)
            if isinstance(client, SmtpClient):
                self._service.ehlo = client.ehlo_words
            return True
        if isinstance(client, SmtpClient):
            judge_ehlo_refused(session, client)
            if client.knows_helo:  # without extensions, but the other questions can be asked
                self._service.ehlo = client.ehlo_words
                _judge_relaying(session, _ask_of_relaying(session, client))
                session.is_complete = True
        elif not self._is_implicit_tls:
            self._found.unknown(session.id_of("auth_before_tls"), "it does not list its capabilities")
        return False

    def _finish(self, client: Client) -> None:
        """Judge the final capabilities, inside TLS if there is TLS."""
        session = self._session
        session.offers_login = bool(client.logins())
        session.is_complete = True
        if not isinstance(client, SmtpClient):
            if not identify(session.endpoint.protocol, self._service.banner):
                with contextlib.suppress(StageError, OSError):  # everything else is known by now
                    session.software_words = client.ask_name()
            return
        judge_smtp_form(session, client)
        tried = _ask_of_relaying(session, client)
        session.first = (client, tried)
        session.is_first_contact = is_first_contact(client, tried)
        if not session.is_first_contact:
            _judge_offers(session, client, tried)

    def _begin_tls(self, client: Client, begun: float) -> bool:
        """Do the handshake; if the chain is not valid, again on a new connection that accepts it."""
        session = self._session
        try:
            secured = handshake.read_secured(client.wire.handshake(session.context.kit.verifying()))
        except ssl.SSLCertVerificationError as exc:
            client.wire.close()
            if not (accepted := self._begin_again(exc)):
                return False
            secured = accepted
        except TimeoutError:
            said = f"no TLS handshake within {session.options.timeout_s:.0f} s"
            self._found.unknown("tls.handshake_failed", said)
            return False
        except OSError as exc:
            _report_no_handshake(session, exc)
            self.shown = handshake.shown_with(exc)
            return False
        session.secured = secured
        self._service.timings["tls_s"] = round(time.monotonic() - begun, 4)
        return True

    def _begin_again(self, refused: ssl.SSLCertVerificationError) -> Secured | None:
        """Do the handshake on a new connection, whatever the chain; report why if that fails."""
        session = self._session
        self.shown = handshake.shown_with(refused)
        words = ""
        for pause_s in (0.0, session.options.pause_s):
            time.sleep(session.dialer.deadline.bound_s(pause_s))
            try:
                self._later = again = session.opener.before_tls("without verification")
                return handshake.read_secured(again.wire.handshake(session.context.kit.lax()), refused)
            except StageError as exc:
                words = exc.said
                break  # it was asked several times already
            except OSError as exc:
                words = handshake.why_failed(exc)
                if self._later:
                    self._later.close()
                if not handshake.is_hang_up(exc):
                    _report_no_handshake(session, exc)
                    return None
        said = f"the chain is not valid, and the server admitted no second connection to ignore that: {words}"
        self._found.unknown("tls.handshake_failed", said)
        return None


def _judge_offers(session: Session, client: SmtpClient, tried: list[Tried]) -> None:
    judge_after_tls(session, client)
    _judge_relaying(session, tried)


def _judge_relaying(session: Session, tried: list[Tried]) -> None:
    if session.options.relay == "one" and tried:
        verdict_of_one(session.found, tried, session.why_trusted)


def _ask_of_relaying(session: Session, client: SmtpClient) -> list[Tried]:
    """Ask for one foreign recipient."""
    if session.options.relay == "none":
        return []
    asker = Asker(lambda: session.connect_smtp("relaying"), session.endpoint, session.options, client)
    try:
        return ask_plainly(asker, forms(session.endpoint, session.options))
    except (StageError, OSError) as exc:
        if session.options.relay == "one":
            words = exc.said if isinstance(exc, StageError) else handshake.why_failed(exc)
            session.found.unknown("smtp.open_relay", f"not tested: {words}")
        return []
    finally:
        asker.close()


def _judge_tls(session: Session, secured: Secured) -> None:
    session.found.passed("tls.handshake_failed", f"{secured.version}, {secured.cipher}")
    if certificates := _judge_certificate(session, secured):
        session.service.tls = certificates.facts
        _judge_version(session, secured)


def _judge_certificate(session: Session, secured: Secured) -> Certificates | None:
    try:
        certificates = Certificates(secured)
    except Unreadable as exc:
        session.found.unknown("tls.cert_untrusted", str(exc))
        return None
    policy = session.context.tls_policy
    terms = policy.terms(session.endpoint, secured.chain) if policy else OPPORTUNISTIC
    certificates.judge(session.found, session.endpoint, now_utc(), terms)
    return certificates


def _judge_version(session: Session, secured: Secured) -> None:
    """Judge the version and the cipher suite that were agreed on."""
    found = session.found
    if secured.version in ("TLSv1", "TLSv1.1"):
        said = f"nothing newer than {secured.version} is offered: today's clients refuse it"
        found.fail("tls.old_version", said, Severity.ERROR)
    is_new = secured.version == "TLSv1.3"
    found.judge("tls.no_tls13", is_new, "TLS 1.3 is offered", f"TLS 1.3 is not offered, only {secured.version}")
    said = f"{secured.cipher} has no forward secrecy"
    found.judge("tls.no_forward_secrecy", is_forward_secret(secured), "it has forward secrecy", said)


def _report_unreachable(session: Session, exc: OSError) -> None:
    """Report why no connection came about: our fault, the server's, or one of a port that need not be open."""
    words, address = handshake.why_failed(exc), session.endpoint.address
    session.is_refused = isinstance(exc, ConnectionRefusedError)
    if ":" in address and (exc.errno in _NO_ROUTE or not has_route_to(address)):
        report = session.found.unknown if session.endpoint.is_asked_for else session.found.skipped
        report("tcp.unreachable", f"{NO_IPV6}, so {address} was not tested")
    elif not session.endpoint.is_asked_for:
        why = " (no answer)" if isinstance(exc, TimeoutError) else f" ({words})"
        session.found.skipped("tcp.unreachable", f"not open from here{why}")
    elif isinstance(exc, TimeoutError):
        said = f"no answer from {address} within {session.options.timeout_s:.0f} s"
        session.found.unknown("tcp.unreachable", f"{said}: a firewall may drop the packets, or the host is down")
    else:
        session.found.fail("tcp.unreachable", f"{address} is not reached: {words}")


def _report_broken(session: Session, exc: StageError) -> None:
    """Report what ended the conversation; a port that waits for TLS says nothing either."""
    is_mute = exc.finding_id.endswith(".timeout") and not session.service.banner
    if is_mute and not session.endpoint.is_implicit_tls and _waits_for_tls(session):
        said = "the port waits for TLS from the first byte where plain text is expected"
        session.found.fail(session.id_of("tls_on_plain_port"), said)
    elif exc.finding_id == CLIENT_CERTIFICATE:
        _report_client_certificate(session, exc.said)
    elif exc.is_silence:
        session.found.unknown(exc.finding_id, f"{exc.stage}: {exc.said}")
    else:
        session.found.fail(exc.finding_id, f"{exc.stage}: {exc.said}")


def _report_no_handshake(session: Session, exc: OSError) -> None:
    """Report why a handshake failed."""
    greeting = _plain_greeting(session) if session.endpoint.is_implicit_tls and handshake.is_plaintext(exc) else ""
    if greeting:
        said = "the port speaks plain text where TLS is expected from the first byte"
        session.found.fail(session.id_of("plaintext_on_tls_port"), said, evidence=greeting)
        session.found.skipped("tls.handshake_failed", "there is no TLS on this port")
        return
    if handshake.is_own_limit(exc):
        session.found.unknown("tls.handshake_failed", f"the OpenSSL here cannot do it: {handshake.why_failed(exc)}")
        return
    words = handshake.explained(exc)
    if words.finding_id == CLIENT_CERTIFICATE:
        _report_client_certificate(session, words.said)
        return
    session.found.fail("tls.handshake_failed", f"the TLS handshake failed: {words.said}", fix=words.advice)


def _report_client_certificate(session: Session, words: str) -> None:
    """Report that only clients with a certificate are admitted: intended or not, nothing can be examined."""
    said = f"it demands a certificate of the client, so nothing could be examined: {words}"
    session.found.unknown(CLIENT_CERTIFICATE, said)


def _plain_greeting(session: Session) -> str:
    """Return the greeting that the port sends in clear, "" if it sends none."""
    try:
        client = client_for(session.dialer.dial("plain text"), session.options)
        try:
            greeting = client.greet()
        finally:
            client.close()
    except (OSError, StageError):
        return ""
    return greeting.text[:200] if greeting.is_good or greeting.text[:3] not in ("500", "501", "502") else ""


def _waits_for_tls(session: Session) -> bool:
    """Return whether a port that sends nothing in clear does a TLS handshake."""
    try:
        wire = session.dialer.dial("TLS at once?")
        try:
            wire.handshake(session.context.kit.lax(), PROBE_S)
        finally:
            wire.close()
    except (OSError, StageError):
        return False
    return True
