"""What does one endpoint say and offer, before TLS and in it?"""

from __future__ import annotations

import ssl
import time
from typing import NamedTuple

from mailmon.catalogue import Findings
from mailmon.clients.records import Records
from mailmon.diagnose import handshake
from mailmon.diagnose.certificate import OPPORTUNISTIC, Certificates, Unreadable, now_utc
from mailmon.diagnose.demand import Demands
from mailmon.diagnose.greeting import judge_greeting, judge_smtp_form
from mailmon.diagnose.guests import judge_vrfy
from mailmon.diagnose.handshake import Secured, TlsKit
from mailmon.diagnose.line import Dialer
from mailmon.diagnose.offers import judge_after_tls, judge_before_tls
from mailmon.diagnose.opening import Opener
from mailmon.diagnose.relay import ask_once, forms, verdict_of_one
from mailmon.diagnose.speakers import SmtpSpeaker, Speaker, speaker_for
from mailmon.diagnose.trouble import tell_broken, tell_no_handshake, tell_unreachable
from mailmon.errors import StageError
from mailmon.model.diagnosis import Service


class Tools(NamedTuple):
    """What all endpoints share. `demands` says what MTA-STS and DANE ask for; without it nothing is demanded."""

    kit: TlsKit
    records: Records
    demands: Demands | None = None


class Session:
    """Looks at one endpoint. `found` and `service` hold what was learnt, however it ends."""

    def __init__(self, dialer: Dialer, tools: Tools) -> None:
        self.dialer, self.tools = dialer, tools
        self.endpoint, self.options = dialer.endpoint, dialer.options
        self.found = Findings(self.endpoint.target)
        self.service = Service(self.endpoint.target, self.endpoint.address, self.endpoint.protocol)
        self.opener = Opener(dialer, tools.kit)
        self.is_open = self.is_secured = self.is_complete = False
        self.secured: Secured | None = None
        self.offers_login = False
        self.local_address = ""

    def run(self) -> None:
        """Talk to the end of what can be asked; what breaks becomes a finding."""
        try:
            self._run()
        except StageError as exc:
            tell_broken(self, exc)
        except OSError as exc:
            self.found.unknown(self.id_of("connection_lost"), f"the connection broke: {handshake.why_failed(exc)}")
        if self.secured:
            # After the conversation: fetching a policy takes its time, and servers hang up on who is silent.
            self._judge_tls(self.secured)

    def _run(self) -> None:
        try:
            wire = self.dialer.dial("session")
        except OSError as exc:
            tell_unreachable(self, exc)
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
            self.found.fail(self.id_of("starttls_refused"), f"STARTTLS is offered, and refused: {refusal[:200]}")
            self.found.skipped("tls.handshake_failed", "STARTTLS was refused")
            return
        self.found.passed(self.id_of("starttls_missing"), "it offers STARTTLS")
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
            self.found.unknown(self.id_of("auth_before_tls"), "it does not tell its capabilities")
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
            self._speaker = again = self.opener.before_tls("without verification")
            sock = again.wire.handshake(self.tools.kit.lax())
            secured = handshake.read_secured(sock, exc)
        except TimeoutError:
            self.found.unknown("tls.handshake_failed", f"no TLS handshake within {self.options.timeout_s:.0f} s")
            return False
        except OSError as exc:
            tell_no_handshake(self, exc)
            return False
        self.is_secured, self.secured = True, secured
        self.service.timings["tls_s"] = round(time.monotonic() - begun, 4)
        return True

    def _judge_tls(self, secured: Secured) -> None:
        self.found.passed("tls.handshake_failed", f"{secured.version}, {secured.cipher}")
        try:
            certificates = Certificates(secured)
        except Unreadable as exc:
            self.found.unknown("tls.cert_untrusted", str(exc))
            return
        self.service.tls = certificates.facts
        terms = self.tools.demands.terms(self.endpoint, secured.chain) if self.tools.demands else OPPORTUNISTIC
        certificates.judge(self.found, self.endpoint, now_utc(), terms)
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

    def id_of(self, problem: str) -> str:
        """Return an id of this endpoint's protocol."""
        return f"{self.endpoint.protocol}.{problem}"
