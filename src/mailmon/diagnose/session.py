"""What does one endpoint say and offer, before TLS and in it?"""

from __future__ import annotations

import contextlib
import ssl
import time
from typing import NamedTuple

from mailmon.clients.records import Records
from mailmon.clients.resolver import is_own_machine
from mailmon.diagnose import handshake
from mailmon.diagnose.capabilities import is_first_contact, judge_after_tls, judge_before_tls
from mailmon.diagnose.certificate import OPPORTUNISTIC, Certificates, Unreadable, is_forward_secret, now_utc
from mailmon.diagnose.connect import Opener
from mailmon.diagnose.connection import Dialer
from mailmon.diagnose.demand import Demands
from mailmon.diagnose.failures import tell_broken, tell_no_handshake, tell_unreachable
from mailmon.diagnose.greeting import judge_ehlo_refused, judge_greeting, judge_smtp_form
from mailmon.diagnose.handshake import Secured, TlsKit
from mailmon.diagnose.relay import Asker, Tried, ask_plainly, forms, own_mailbox, verdict_of_one
from mailmon.diagnose.speakers import SmtpSpeaker, Speaker, speaker_for
from mailmon.errors import StageError
from mailmon.findings import Findings
from mailmon.findings.software import identify
from mailmon.model.diagnosis import Service


class SessionContext(NamedTuple):
    """What all endpoints share. `demands` says what MTA-STS and DANE ask for; without it nothing is demanded."""

    kit: TlsKit
    records: Records
    demands: Demands | None = None


class Session:
    """Looks at one endpoint. `found` and `service` hold what was learnt, however it ends."""

    def __init__(self, dialer: Dialer, tools: SessionContext) -> None:
        self.dialer, self.tools = dialer, tools
        self.endpoint, self.options = dialer.endpoint, dialer.options
        self.found = Findings(self.endpoint.target)
        self.service = Service(self.endpoint.target, self.endpoint.address, self.endpoint.protocol)
        self.opener = Opener(dialer, tools.kit)
        self.is_refused = False
        self.left: list[str] = []  # the tokens of messages that a test left in our mailbox
        self.is_open = self.is_secured = self.is_complete = self.is_first_contact = False
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
        # After the conversation: fetching a policy takes its time, and servers hang up on who is silent.
        if self.secured:
            self._judge_tls(self.secured)
        elif self._shown:
            self._judge_certificate(self._shown)
        if self.tools.demands:
            self.found.all = self.tools.demands.weighed(self.endpoint, self.found.all)

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
            if self.is_complete:
                (self._speaker or speaker).say_goodbye()
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
        is_begun = speaker.is_mute and not speaker.start_tls()
        judge_before_tls(self, speaker, offers_tls=is_begun or speaker.offers_starttls)
        if not (is_begun or speaker.offers_starttls):
            self._finish(speaker)
            return
        refusal = "" if is_begun else speaker.start_tls()
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
            judge_ehlo_refused(self, speaker)
            if speaker.knows_helo:  # without extensions, but the other questions can be asked
                self.service.ehlo = speaker.ehlo_words
                tried = self._ask_of_relaying(speaker)
                if self.options.relay == "one" and tried:
                    verdict_of_one(self.found, tried, self.why_trusted)
                self.is_complete = True
        else:
            if not self.endpoint.is_implicit_tls:
                self.found.unknown(self.id_of("auth_before_tls"), "it does not tell its capabilities")
        return False

    def _finish(self, speaker: Speaker) -> None:
        """Judge what is offered at the end, inside TLS where there is some."""
        self.offers_login = bool(speaker.logins())
        self.is_complete = True
        if not isinstance(speaker, SmtpSpeaker):
            if not identify(self.endpoint.protocol, self.service.banner):
                with contextlib.suppress(StageError, OSError):  # all else is known by now
                    self.software_words = speaker.ask_name()
            return
        judge_smtp_form(self, speaker)
        tried = self._ask_of_relaying(speaker)
        self._first = (speaker, tried)
        self.is_first_contact = is_first_contact(speaker, tried)
        if not self.is_first_contact:
            self._judge_words(speaker, tried)

    def judge_again(self, speaker: SmtpSpeaker) -> None:
        """Judge a later session of the same run where the first may have been held by a screen before the server."""
        known = self.service.extensions
        known += [name for name in speaker.capabilities if name not in known]
        self._judge_words(speaker, self._ask_of_relaying(speaker))

    def judge_first(self) -> None:
        """Judge the first session after all, as there is no later one."""
        if self._first:
            self._judge_words(*self._first)

    # What the server calls its software, where it was asked.
    software_words = ""
    _first: tuple[SmtpSpeaker, list[Tried]] | None = None

    def _judge_words(self, speaker: SmtpSpeaker, tried: list[Tried]) -> None:
        judge_after_tls(self, speaker)
        if self.options.relay == "one" and tried:
            verdict_of_one(self.found, tried, self.why_trusted)

    def _ask_of_relaying(self, speaker: SmtpSpeaker) -> list[Tried]:
        """Ask for one foreign recipient, the gravest question first."""
        if self.options.relay == "none":
            return []
        asker = Asker(self._again, self.endpoint, self.options, speaker)
        try:
            return ask_plainly(asker, forms(self.endpoint, self.options))
        except (StageError, OSError) as exc:
            if self.options.relay == "one":
                words = exc.said if isinstance(exc, StageError) else handshake.why_failed(exc)
                self.found.unknown("smtp.open_relay", f"it could not be told: {words}")
            return []
        finally:
            asker.close()

    def _again(self) -> SmtpSpeaker:
        purpose = "relaying"
        speaker = self.opener.in_tls(purpose) if self.is_secured else self.opener.plain(purpose)
        assert isinstance(speaker, SmtpSpeaker)
        return speaker

    @property
    def why_trusted(self) -> str:
        """Return why the server may trust us more than others, "" where nothing says so."""
        if self.options.is_trusted:
            return "we are in its trusted network"
        is_own = is_own_machine(self.endpoint.address, self.local_address)
        return "this is its own machine, which most servers trust" if is_own else ""

    @property
    def mailbox(self) -> str:
        """Return a mailbox of the server's own: the one that was named, else its postmaster."""
        return own_mailbox(self.endpoint, self.options)

    def _begin_tls(self, speaker: Speaker, begun: float) -> bool:
        """Do the handshake and judge it; where the chain is not good, again on a new connection that takes it."""
        try:
            secured = handshake.read_secured(speaker.wire.handshake(self.tools.kit.verifying()))
        except ssl.SSLCertVerificationError as exc:
            speaker.wire.close()
            if not (taken := self._begin_again(exc)):
                return False
            secured = taken
        except TimeoutError:
            self.found.unknown("tls.handshake_failed", f"no TLS handshake within {self.options.timeout_s:.0f} s")
            return False
        except OSError as exc:
            tell_no_handshake(self, exc)
            self._shown = handshake.shown_with(exc)
            return False
        self.is_secured, self.secured = True, secured
        self.service.timings["tls_s"] = round(time.monotonic() - begun, 4)
        return True

    # What the server showed in a handshake that came to nothing, as where it demands a certificate of ours.
    _shown: Secured | None = None

    def _begin_again(self, refused: ssl.SSLCertVerificationError) -> Secured | None:
        """Do the handshake on a new connection, whatever the chain; tell why where that comes to nothing."""
        self._shown = handshake.shown_with(refused)
        words = ""
        for pause_s in (0.0, self.options.pause_s):
            time.sleep(self.dialer.deadline.bound_s(pause_s))
            try:
                self._speaker = again = self.opener.before_tls("without verification")
                return handshake.read_secured(again.wire.handshake(self.tools.kit.lax()), refused)
            except StageError as exc:
                words = exc.said
                break  # it was asked several times already
            except OSError as exc:
                words = handshake.why_failed(exc)
                if self._speaker:
                    self._speaker.close()
                if not handshake.is_hang_up(exc):
                    tell_no_handshake(self, exc)
                    return None
        said = f"the chain is not good, and the server let us in no second time to look past it: {words}"
        self.found.unknown("tls.handshake_failed", said)
        return None

    def _judge_tls(self, secured: Secured) -> None:
        self.found.passed("tls.handshake_failed", f"{secured.version}, {secured.cipher}")
        if certificates := self._judge_certificate(secured):
            self.service.tls = certificates.facts
            self._judge_handshake(secured)

    def _judge_certificate(self, secured: Secured) -> Certificates | None:
        try:
            certificates = Certificates(secured)
        except Unreadable as exc:
            self.found.unknown("tls.cert_untrusted", str(exc))
            return None
        terms = self.tools.demands.terms(self.endpoint, secured.chain) if self.tools.demands else OPPORTUNISTIC
        certificates.judge(self.found, self.endpoint, now_utc(), terms)
        return certificates

    def _judge_handshake(self, secured: Secured) -> None:
        if secured.version in ("TLSv1", "TLSv1.1"):
            from mailmon.model.findings import Severity

            said = f"nothing newer than {secured.version} is offered: clients of today refuse it"
            self.found.fail("tls.old_version", said, Severity.ERROR)
        is_new = secured.version == "TLSv1.3"
        self.found.judge(
            "tls.no_tls13", is_new, "TLS 1.3 is offered", f"TLS 1.3 is not offered, only {secured.version}"
        )
        said = f"{secured.cipher} has no forward secrecy"
        self.found.judge("tls.no_forward_secrecy", is_forward_secret(secured), "it has forward secrecy", said)

    def id_of(self, problem: str) -> str:
        """Return an id of this endpoint's protocol."""
        return f"{self.endpoint.protocol}.{problem}"
