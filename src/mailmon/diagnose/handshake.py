"""TLS contexts and the outcome of a handshake. Old versions and weak certificates are accepted, and judged later."""

from __future__ import annotations

import ssl
import threading
import warnings
from typing import NamedTuple

from mailmon.clients.failure import explain_tls, words_of
from mailmon.clients.tls import CLOSED, SENT, Sent, TellingSocket, sent_chain, verified_chain, why_unusable
from mailmon.errors import MailmonError
from mailmon.mail.tls_words import PLAINTEXT, Words, of_reason

# Errors of the OpenSSL here when it does not even try: they tell nothing about the server.
_OURS = ("NO_PROTOCOLS_AVAILABLE", "UNSUPPORTED_PROTOCOL", "NO_CIPHERS_AVAILABLE", "INTERNAL_ERROR")
_OLD = {"TLSv1.1": ssl.TLSVersion.TLSv1_1, "TLSv1.0": ssl.TLSVersion.TLSv1}


class Secured(NamedTuple):
    """A handshake that succeeded. `chain` is what the server sent, as DER, the leaf first.

    `verify_code` is OpenSSL's verdict on the chain (x509_vfy.h), 0 if it is valid; names are not part of it. `why` is
    that verdict in words, with the certificate that it is about. `path` leads from the leaf to a trusted certificate;
    it need not contain all that was sent.
    """

    version: str
    cipher: str
    chain: tuple[bytes, ...]
    verify_code: int = 0
    verify_message: str = ""
    why: str = ""
    path: tuple[bytes, ...] = ()


class TlsKit:
    """The contexts of one run: one that verifies the chain, one that accepts any, some for old offers only."""

    def __init__(self, ca_file: str | None) -> None:
        self._ca_file = ca_file
        self._lock = threading.Lock()
        self._made: dict[str, ssl.SSLContext] = {}

    def verifying(self) -> ssl.SSLContext:
        """Return the context that fails the handshake if the chain is not valid."""
        return self._get("verifying")

    def lax(self) -> ssl.SSLContext:
        """Return the context that accepts any certificate."""
        return self._get("lax")

    def old(self, version: str) -> ssl.SSLContext:
        """Return the context that offers TLS 1.1, or TLS 1.0, and nothing else."""
        return self._get(version)

    def dhe(self) -> ssl.SSLContext:
        """Return the context that offers nothing but DHE, whose group the server chooses."""
        return self._get("dhe")

    def _get(self, kind: str) -> ssl.SSLContext:
        with self._lock:
            if kind not in self._made:
                self._made[kind] = self._make(kind)
            return self._made[kind]

    def _make(self, kind: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.sslsocket_class = TellingSocket
        # At the default level OpenSSL refuses weak keys, SHA-1 and TLS 1.1 without saying which it was.
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            if kind in _OLD:
                context.minimum_version = context.maximum_version = _OLD[kind]
            if kind == "dhe":
                context.maximum_version = ssl.TLSVersion.TLSv1_2
                context.set_ciphers("DHE:@SECLEVEL=0")
        if kind != "verifying":
            context.verify_mode = ssl.CERT_NONE
            return context
        # docs/decisions/0006-certificates.md
        context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
        try:
            if self._ca_file:
                context.load_verify_locations(self._ca_file)
                # An intermediate in the file is trusted by itself, as by OpenSSL's tools and other libraries.
                context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            else:
                context.load_default_certs()
        except OSError as exc:
            raise MailmonError(f"ca_file {self._ca_file}: {why_unusable(exc)}") from exc
        return context


def read_secured(sock: ssl.SSLSocket, refused: ssl.SSLCertVerificationError | None = None) -> Secured:
    """Return the outcome of a handshake; `refused` is why the chain was not valid in an earlier one."""
    leaf = sock.getpeercert(binary_form=True)
    chain = sent_chain(sock) or ((leaf,) if leaf else ())
    secured = Secured(sock.version() or "?", (sock.cipher() or ("?",))[0], chain)
    if refused is None:
        return secured._replace(path=verified_chain(sock))
    # There may be several servers behind one address: the verdict belongs to the chain that was sent with it.
    judged = shown_with(refused)
    return _with_verdict(secured._replace(chain=judged.chain if judged else chain), refused)


def shown_with(exc: OSError) -> Secured | None:
    """Return what a server presented in a handshake that failed, None if it presented nothing.

    If the failure is not about the chain, the chain was found valid before.
    """
    sent: Sent | None = getattr(exc, SENT, None)
    if not sent or not sent.chain:
        return None
    shown = Secured("", "", sent.chain)
    return _with_verdict(shown, exc) if isinstance(exc, ssl.SSLCertVerificationError) else shown


def _with_verdict(secured: Secured, refused: ssl.SSLCertVerificationError) -> Secured:
    code, message = refused.verify_code, refused.verify_message
    return secured._replace(verify_code=code, verify_message=message, why=explain_tls(refused, "").said)


def is_plaintext(exc: OSError) -> bool:
    """Return whether a handshake failed because the server speaks plain text."""
    return isinstance(exc, ssl.SSLError) and of_reason(exc.reason or "").finding_id == PLAINTEXT


def is_hang_up(exc: OSError) -> bool:
    """Return whether the server closed the connection without an alert, which may have nothing to do with TLS."""
    return isinstance(exc, (ConnectionError, *CLOSED))


def is_own_limit(exc: OSError) -> bool:
    """Return whether the OpenSSL here cannot do what was to be tried."""
    return isinstance(exc, ssl.SSLError) and exc.reason in _OURS


def why_failed(exc: OSError) -> str:
    """Return in a few words why a handshake failed."""
    return words_of(exc)


def explained(exc: OSError) -> Words:
    """Return why a handshake failed, with advice unless that is about a configuration of mailmon."""
    words = explain_tls(exc, "") if isinstance(exc, ssl.SSLError) else Words("", words_of(exc))
    return words if "`" not in words.advice else words._replace(advice="")
