"""What does one endpoint say and offer, before TLS and in it?"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from mailmon.clients.records import Records
from mailmon.diagnose import handshake
from mailmon.diagnose.catalogue import Findings
from mailmon.diagnose.certificate import Certificates, Unreadable, now_utc
from mailmon.diagnose.greeting import judge_greeting, judge_smtp_form
from mailmon.diagnose.guests import judge_vrfy
from mailmon.diagnose.handshake import Secured, TlsKit
from mailmon.diagnose.line import Dialer
from mailmon.diagnose.offers import judge_after_tls, judge_before_tls
from mailmon.diagnose.relay import ask_once, forms, verdict_of_one
from mailmon.diagnose.speakers import SmtpSpeaker, Speaker, speaker_for
from mailmon.errors import StageError
from mailmon.mail.text import visible
from mailmon.model.diagnosis import Service

PROBE_S = 3.0


class Tools(NamedTuple):
    """What all endpoints share. `is_tls_demanded` says of a host whether MTA-STS or DANE asks for good TLS."""

    kit: TlsKit
    records: Records
    is_tls_demanded: Callable[[str], bool] = lambda _host: False


class Session:
    """Looks at one endpoint. `found` and `service` hold what was learnt, however it ends."""

    def __init__(self, dialer: Dialer, tools: Tools) -> None:
        self.dialer, self.tools = dialer, tools
        self.endpoint, self.options = dialer.endpoint, dialer.options
        self.found = Findings(self.endpoint.target)
        self.service = Service(self.endpoint.target, self.endpoint.address, self.endpoint.protocol)
        self.is_open = self.is_secured = self.is_complete = False
        self.secured: Secured | None = None
        self.offers_login = False
        self.local_address = ""

    def run(self) -> None:
        """Talk to the end of what can be asked; what breaks becomes a finding."""
        try:
            self._run()
        except StageError as exc:
            self._broken(exc)
        except OSError as exc:
            self.found.unknown(self._id("connection_lost"), f"the connection broke: {visible(str(exc), 100)}")

    def plain(self, purpose: str) -> Speaker:
        """Open a session that is greeted and has told its capabilities, in clear. Raises StageError, OSError."""
        with self._opening(purpose) as speaker:
            if not speaker.greet().is_good:
                raise speaker.wire.error("greeting_rejected", "the greeting was a refusal")
            speaker.ask()
        return speaker

    def secure(self, purpose: str, context: ssl.SSLContext | None = None) -> Speaker:
        """Open a session inside TLS, certificate and all taken as they are. Raises StageError, OSError."""
        context = context or self.tools.kit.lax()
        if not self.is_secured:
            return self.plain(purpose)
        with self._opening(purpose) as speaker:
            if not self.endpoint.is_implicit_tls:
                speaker.greet()
                speaker.ask()
                speaker.start_tls()
            speaker.wire.handshake(context)
            if self.endpoint.is_implicit_tls:
                speaker.greet()
            speaker.ask()
        return speaker

    @contextmanager
    def _opening(self, purpose: str) -> Iterator[Speaker]:
        """Dial; close the connection where it does not get as far as it should."""
        wire = self.dialer.dial(purpose)
        try:
            yield speaker_for(wire, self.options)
        except BaseException:
            wire.close()
            raise

    def _run(self) -> None:
        try:
            wire = self.dialer.dial("session")
        except OSError as exc:
            self._unreachable(exc)
            return
        self.is_open, self.local_address = True, wire.local_address
        self.service.timings["connect_s"] = round(self.dialer.connect_s, 4)
        self.found.passed("tcp.unreachable", f"it answers at {self.endpoint.address}")
        speaker = speaker_for(wire, self.options)
        begun = time.monotonic()
        try:
            if self.endpoint.is_implicit_tls and not self._begin_tls(speaker, begun):
                return
            self._converse(self._speaker or speaker)
        finally:
            wire.close()
            if self._speaker:
                self._speaker.close()

    _speaker: Speaker | None = None

    def _converse(self, speaker: Speaker) -> None:
        begun = time.monotonic()
        greeting = speaker.greet()
        self.service.timings["banner_s"] = round(time.monotonic() - begun, 4)
        self.service.banner = greeting.text
        if not judge_greeting(self, greeting):
            return
        begun = time.monotonic()
        if not self._ask(speaker):
            return
        self.service.timings["ehlo_s"] = round(time.monotonic() - begun, 4)
        if self.endpoint.is_implicit_tls:
            self._finish(speaker)
            return
        judge_before_tls(self, speaker)
        if not speaker.offers_starttls:
            self._finish(speaker)
            return
        refusal = speaker.start_tls()
        if refusal:
            self.found.fail(self._id("starttls_refused"), f"STARTTLS is offered, and refused: {refusal[:200]}")
            self.found.skipped("tls.handshake_failed", "STARTTLS was refused")
            return
        self.found.passed(self._id("starttls_missing"), "it offers STARTTLS")
        if self._begin_tls(speaker, time.monotonic()):
            speaker = self._speaker or speaker
            if self._ask(speaker):
                self._finish(speaker)

    def _ask(self, speaker: Speaker) -> bool:
        if speaker.ask():
            self.service.extensions += [name for name in speaker.capabilities if name not in self.service.extensions]
            if isinstance(speaker, SmtpSpeaker):
                self.service.ehlo = speaker.ehlo_words
            return True
        if isinstance(speaker, SmtpSpeaker):
            self.found.fail("smtp.ehlo_refused", "EHLO is refused: no TLS, no login, no size limit can be asked for")
        else:
            self.found.unknown(self._id("auth_before_tls"), "it does not tell its capabilities")
        return False

    def _finish(self, speaker: Speaker) -> None:
        """Judge what is offered at the end, inside TLS where there is some."""
        judge_after_tls(self, speaker)
        self.offers_login = bool(speaker.logins())
        if isinstance(speaker, SmtpSpeaker):
            judge_smtp_form(self, speaker)
            self._ask_strangers_questions(speaker)
        self.is_complete = True

    def _ask_strangers_questions(self, speaker: SmtpSpeaker) -> None:
        """Ask what some servers hang up at: that tells nothing of the rest."""
        finding_id = "smtp.vrfy_enabled"
        try:
            judge_vrfy(speaker, self.mailbox, self.found)
            finding_id = "smtp.open_relay"
            if self.options.relay == "one":
                verdict_of_one(self.found, ask_once(speaker, forms(self.endpoint, self.options)[0]))
        except StageError as exc:
            self.found.unknown(finding_id, f"it could not be told: {exc.said}")

    @property
    def mailbox(self) -> str:
        """Return a mailbox of the server's own: the one that was named, else its postmaster."""
        return self.options.mailbox or f"postmaster@{self.options.domain or self.endpoint.host}"

    def _begin_tls(self, speaker: Speaker, begun: float) -> bool:
        """Do the handshake and judge it; where the chain is not good, again on a new connection that takes it."""
        try:
            secured = handshake.read_secured(speaker.wire.handshake(self.tools.kit.verifying()))
        except ssl.SSLCertVerificationError as exc:
            speaker.wire.close()
            self._speaker = again = self._reopen()
            sock = again.wire.handshake(self.tools.kit.lax())
            secured = handshake.read_secured(sock, exc.verify_code, exc.verify_message)
        except TimeoutError:
            self.found.unknown("tls.handshake_failed", f"no TLS handshake within {self.options.timeout_s:.0f} s")
            return False
        except OSError as exc:
            self._no_handshake(exc)
            return False
        self.is_secured, self.secured = True, secured
        self.service.timings["tls_s"] = round(time.monotonic() - begun, 4)
        self._judge_tls(secured)
        return True

    def _reopen(self) -> Speaker:
        with self._opening("without verification") as speaker:
            if not self.endpoint.is_implicit_tls:
                speaker.greet()
                speaker.ask()
                speaker.start_tls()
        return speaker

    def _judge_tls(self, secured: Secured) -> None:
        self.found.passed("tls.handshake_failed", f"{secured.version}, {secured.cipher}")
        try:
            certificates = Certificates(secured)
        except Unreadable as exc:
            self.found.unknown("tls.cert_untrusted", str(exc))
            return
        self.service.tls = certificates.facts
        is_demanded = self.endpoint.protocol == "smtp" and self.tools.is_tls_demanded(self.endpoint.host)
        certificates.judge(self.found, self.endpoint, now_utc(), is_demanded=is_demanded)
        if secured.version in ("TLSv1", "TLSv1.1"):
            from mailmon.model.facts import Severity

            said = f"nothing newer than {secured.version} is offered: clients of today refuse it"
            self.found.fail("tls.old_version", said, Severity.ERROR)
        is_new = secured.version == "TLSv1.3"
        self.found.judge(
            "tls.no_tls13", is_new, "TLS 1.3 is offered", f"TLS 1.3 is not offered, only {secured.version}"
        )
        said = f"{secured.cipher} has no forward secrecy"
        self.found.judge("tls.no_forward_secrecy", certificates.facts.is_forward_secret, "it has forward secrecy", said)

    def _no_handshake(self, exc: OSError) -> None:
        words = self._plain_greeting() if self.endpoint.is_implicit_tls and handshake.is_plaintext(exc) else ""
        if words:
            said = "the port speaks plain text where TLS is expected from the first byte"
            self.found.fail(self._id("plaintext_on_tls_port"), said, evidence=words)
            self.found.skipped("tls.handshake_failed", "there is no TLS on this port")
            return
        if handshake.is_own_limit(exc):
            self.found.unknown("tls.handshake_failed", f"the OpenSSL here cannot do it: {handshake.why_failed(exc)}")
            return
        self.found.fail("tls.handshake_failed", f"the TLS handshake failed: {handshake.why_failed(exc)}")

    def _plain_greeting(self) -> str:
        """Return the greeting that the port gives in clear, "" where it gives none."""
        try:
            speaker = speaker_for(self.dialer.dial("plain text"), self.options)
            try:
                greeting = speaker.greet()
            finally:
                speaker.close()
        except (OSError, StageError):
            return ""
        return greeting.text[:200] if greeting.is_good or greeting.text[:3] not in ("500", "501", "502") else ""

    def _unreachable(self, exc: OSError) -> None:
        words = f"{exc.strerror or exc}".lower()
        if not self.endpoint.is_asked_for:
            silent = isinstance(exc, TimeoutError)
            self.found.skipped("tcp.unreachable", "not open from here" + (" (no answer)" if silent else f" ({words})"))
        elif isinstance(exc, TimeoutError):
            said = f"no answer from {self.endpoint.address} within {self.options.timeout_s:.0f} s"
            self.found.unknown("tcp.unreachable", f"{said}: a firewall may drop the packets, or the host is down")
        else:
            self.found.fail("tcp.unreachable", f"{self.endpoint.address} is not reached: {words}")

    def _broken(self, exc: StageError) -> None:
        """Tell what ended the conversation; silence is looked into, for a port that waits for TLS is silent too."""
        name = exc.finding_id.partition(".")[2]
        if (
            name == "timeout"
            and not self.service.banner
            and not self.endpoint.is_implicit_tls
            and self._waits_for_tls()
        ):
            said = "the port waits for TLS from the first byte where plain text is expected"
            self.found.fail(self._id("tls_on_plain_port"), said)
        elif exc.is_silence:
            self.found.unknown(exc.finding_id, f"{exc.stage}: {exc.said}")
        else:
            self.found.fail(exc.finding_id, f"{exc.stage}: {exc.said}")

    def _waits_for_tls(self) -> bool:
        try:
            wire = self.dialer.dial("TLS at once?")
            try:
                wire.handshake(self.tools.kit.lax(), PROBE_S)
            finally:
                wire.close()
        except (OSError, StageError):
            return False
        return True

    def _id(self, problem: str) -> str:
        return f"{self.endpoint.protocol}.{problem}"
