"""What the IMAP, POP3 and SMTP clients share: a connection with its clock, its certificate, STARTTLS and SASL."""

from __future__ import annotations

from base64 import b64decode, b64encode

from mailmon.clients.sasl import Exchange, SaslError
from mailmon.clients.tls import PeerCertificate, TlsContexts
from mailmon.clients.wire import Wire
from mailmon.errors import Stage, StageError

_NOT_VERIFIED = "The password was not sent. Check which server answers at this address."


class Conversation:
    """One connection to a server, of any protocol."""

    def __init__(self, wire: Wire, contexts: TlsContexts) -> None:
        self._wire = wire
        self._contexts = contexts

    def begin(self, stage: Stage, timeout_s: float | None = None) -> None:
        """Start a new command with its own deadline."""
        self._wire.begin(stage, timeout_s)

    def now_s(self) -> float:
        """Return the monotonic clock."""
        return self._wire.now_s()

    def certificate(self) -> PeerCertificate | None:
        """Return the server's certificate, None where it was not verified by its chain."""
        return self._wire.certificate()

    def _answer(self, exchange: Exchange, challenge: bytes) -> bytes:
        """Return what is said to a challenge (base64), in base64. Raises StageError where nothing can be."""
        try:
            decoded = b64decode(challenge)
        except ValueError:
            decoded = b""  # some say words; what needs a challenge will say that it is none
        try:
            return b64encode(exchange.answer(decoded))
        except SaslError as exc:
            raise self._sasl_error(exc) from exc

    def _finish(self, exchange: Exchange) -> None:
        """Let a login that the server accepted be verified by its mechanism. Raises StageError."""
        try:
            exchange.finish()
        except SaslError as exc:
            raise self._sasl_error(exc) from exc

    def _sasl_error(self, exc: SaslError) -> StageError:
        from mailmon.mail.advice import advice_on

        advice = {"login_refused": advice_on("wrong-credentials"), "server_not_verified": _NOT_VERIFIED}
        return self._wire.error(exc.problem, exc.message, advice.get(exc.problem, ""))

    def _begin_starttls(self, *, is_offered: bool, command: str = "STARTTLS") -> None:
        """Begin the stage of TLS. Raises StageError, with nothing sent, where the server does not offer it."""
        self._wire.begin(Stage.TLS)
        if not is_offered:
            raise self._wire.error(
                "starttls_missing",
                f"the server does not offer {command}",
                "Nothing was sent. Use the TLS port, or set `security` to plain if the network is trusted.",
            )


def password_exchange(mechanism: str, username: str, password: str) -> Exchange:
    """Return a login with a password by one of `password_mechanisms`."""
    if mechanism == "PLAIN":
        return Exchange(mechanism, f"\0{username}\0{password}")
    if mechanism == "LOGIN":
        return Exchange(mechanism, username, password)
    from mailmon.clients.scram import Scram

    return Scram(username, password)
