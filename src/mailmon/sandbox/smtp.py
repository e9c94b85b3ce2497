"""The submission server of the sandbox (RFC 5321, RFC 6409)."""

import asyncio
import base64
import secrets
import time
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from mailmon.sandbox.delivery import AcceptedMail
from mailmon.sandbox.site import Site

_IDLE_S = 300.0
_SIZE_LIMIT_BYTES = 16 * 1024 * 1024


def submission_protocol(site: Site, implicit_tls: bool) -> asyncio.Protocol:
    """Return the protocol of one connection; without implicit TLS, STARTTLS must come before AUTH and MAIL."""
    return _Submission(site, implicit_tls)


class _Policy:
    """The decisions that aiosmtpd leaves to us; its hooks are found by their names."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def handle_MAIL(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self._site.faults.mail_reply or "250 2.1.0 Ok"
        if reply.startswith("2"):
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return reply

    async def handle_RCPT(
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        sender = envelope.mail_from or ""
        if self._site.accounts.owner(sender) != session.auth_data:
            return f"553 5.7.1 <{sender}>: Sender address rejected: not owned by the logged-in user"
        if self._site.accounts.owner(address) is None:
            return f"550 5.1.1 <{address}>: Recipient address rejected: User unknown"
        helo = session.host_name or ""
        if helo.startswith(tuple(self._site.faults.refused_helo)):
            return f"504 5.5.2 <{helo}>: Helo command rejected: need fully-qualified hostname"
        reply = self._site.faults.rcpt_reply or "250 2.1.5 Ok"
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return reply

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:
        reply = self._site.faults.data_reply
        if reply is not None and not reply.startswith("2"):
            return reply
        queue_id = secrets.token_hex(5).upper()
        mail = AcceptedMail(
            queue_id,
            envelope.mail_from or "",
            tuple(envelope.rcpt_tos),
            envelope.original_content or b"",
            time.monotonic(),
        )
        host = session.peer[0] if session.peer else "unknown"
        self._site.delivery.accept(mail, f"{session.host_name} (unknown [{host}])")
        return reply or f"250 2.0.0 Ok: queued as {queue_id}"

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:
        """Take a token; a refused one is told by a challenge that the client answers with nothing."""
        answer = base64.b64decode(args[1]) if len(args) > 1 else await server.challenge_auth("")
        if not isinstance(answer, bytes):
            return AuthResult(success=False)
        address = self._site.accounts.login_with_token("smtp", answer)
        if address is None:
            await server.challenge_auth('{"status":"400","schemes":"Bearer"}')
            return AuthResult(success=False, handled=False, message="535 5.7.8 Username and Password not accepted")
        return AuthResult(success=True, auth_data=address)

    async def handle_exception(self, _error: Exception) -> str:
        # Without this hook aiosmtpd prints a traceback for each client that gives up in the TLS handshake.
        return "451 4.3.0 Internal error"


class _QuietSession(Session):
    # aiosmtpd sets its deprecated property at each login and logs a warning about itself.
    login_data = None


class _Submission(SMTP):
    def __init__(self, site: Site, implicit_tls: bool) -> None:
        self._site = site
        self._is_greeted = False
        super().__init__(
            _Policy(site),
            data_size_limit=_SIZE_LIMIT_BYTES,
            hostname=site.hostname,
            ident="ESMTP sandbox",
            tls_context=None if implicit_tls else site.tls,
            require_starttls=not implicit_tls,
            auth_required=True,
            enable_SMTPUTF8=not site.faults.no_smtputf8,
            auth_exclude_mechanism=[] if site.accounts.has_tokens else ["XOAUTH2"],
            authenticator=self._check_login,
            timeout=site.faults.smtp_idle_s or _IDLE_S,
            loop=asyncio.get_running_loop(),
        )
        # aiosmtpd takes "TLS" for STARTTLS only and would not offer AUTH under implicit TLS; as an argument this
        # would earn a warning.
        self._auth_require_tls = not implicit_tls

    def _create_session(self) -> Session:
        return _QuietSession(self.loop)

    def _timeout_cb(self) -> None:
        """End a session that is idle, as Postfix does it (RFC 5321 section 4.5.3.2.7)."""
        goodbye = self._site.faults.smtp_goodbye
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.write(f"{goodbye}\r\n".encode() if goodbye is not None else b"")
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Clean up; after a TLS handshake that failed there is nothing to clean up, and aiosmtpd would stumble."""
        if self.session is not None:
            super().connection_lost(error)

    async def push(self, status: Any) -> None:
        """Send a reply, the first time the greeting; after a 421 the connection ends (RFC 5321 section 3.8)."""
        is_greeting, self._is_greeted = not self._is_greeted, True
        if is_greeting and self._site.faults.greeting is not None:
            status = self._site.faults.greeting
        await super().push(status)
        is_refusal = is_greeting and not status.startswith("2")
        is_farewell = isinstance(status, str) and status.startswith("421")
        if (is_refusal or is_farewell) and self.transport is not None:
            self.transport.close()

    def _check_login(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, credentials: LoginPassword
    ) -> AuthResult:
        address = self._site.accounts.login("smtp", credentials.login, credentials.password)
        if address is None:
            words = self._site.accounts.refusal(credentials.login, credentials.password)
            return AuthResult(success=False, handled=False, message=f"535 5.7.8 {words}")
        return AuthResult(success=True, auth_data=address)
