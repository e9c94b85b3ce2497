"""What did the TLS handshake come to? Old versions and weak certificates are let in here, to be judged afterwards."""

from __future__ import annotations

import ssl
import threading
import warnings
from typing import NamedTuple

from mailmon.clients.failure import explain_tls, words_of
from mailmon.clients.tls import CLOSED, SENT, Sent, TellingSocket, sent_chain, verified_chain, why_unusable
from mailmon.errors import MailmonError
from mailmon.mail.tls_words import PLAINTEXT, Words, of_reason

# What it says when it would not even try: then nothing is known of the server.
_OURS = ("NO_PROTOCOLS_AVAILABLE", "UNSUPPORTED_PROTOCOL", "NO_CIPHERS_AVAILABLE", "INTERNAL_ERROR")
_OLD = {"TLSv1.1": ssl.TLSVersion.TLSv1_1, "TLSv1.0": ssl.TLSVersion.TLSv1}


class Secured(NamedTuple):
    """A handshake that came about. `chain` is what the server sent, as DER, the leaf first.

    `verify_code` is OpenSSL's verdict on the chain (x509_vfy.h), 0 where it is good; names are not part of it.
    `why` is that verdict in words, which name the certificate that it is about. `path` is how a good chain leads to
    what is trusted here, which need not be by all that was sent.
    """

    version: str
    cipher: str
    chain: tuple[bytes, ...]
    verify_code: int = 0
    verify_message: str = ""
    why: str = ""
    path: tuple[bytes, ...] = ()


class TlsKit:
    """The contexts of one run: one that verifies the chain, one that takes any, one for old versions only."""

    def __init__(self, ca_file: str | None) -> None:
        self._ca_file = ca_file
        self._lock = threading.Lock()
        self._made: dict[str, ssl.SSLContext] = {}

    def verifying(self) -> ssl.SSLContext:
        """Return the context that ends the handshake where the chain is not good."""
        return self._get("verifying")

    def lax(self) -> ssl.SSLContext:
        """Return the context that takes whatever comes."""
        return self._get("lax")

    def old(self, version: str) -> ssl.SSLContext:
        """Return the context that offers TLS 1.1, or TLS 1.0, and nothing else."""
        return self._get(version)

    def dhe(self) -> ssl.SSLContext:
        """Return the context that offers Diffie-Hellman in a group of the server's own, and nothing else."""
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
        # At the usual level OpenSSL refuses weak keys, SHA-1 and TLS 1.1 without saying which it was.
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
                # An intermediate in the file is trusted as it is, as OpenSSL's own tools and other libraries have it.
                context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            else:
                context.load_default_certs()
        except OSError as exc:
            raise MailmonError(f"ca_file {self._ca_file}: {why_unusable(exc)}") from exc
        return context


def read_secured(sock: ssl.SSLSocket, refused: ssl.SSLCertVerificationError | None = None) -> Secured:
    """Return what is known of a connection after its handshake; `refused` is why the chain was not good before."""
    leaf = sock.getpeercert(binary_form=True)
    chain = sent_chain(sock) or ((leaf,) if leaf else ())
    secured = Secured(sock.version() or "?", (sock.cipher() or ("?",))[0], chain)
    if refused is None:
        return secured._replace(path=verified_chain(sock))
    # Behind one address there may be several servers: the verdict is on what was sent with it.
    judged = shown_with(refused)
    return _with_verdict(secured._replace(chain=judged.chain if judged else chain), refused)


def shown_with(exc: OSError) -> Secured | None:
    """Return what a server showed in a handshake that failed, None where it got to show nothing.

    Where the failure is not about the chain, the chain was found to be good before.
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
    """Say whether a handshake failed because the server speaks plain text."""
    return isinstance(exc, ssl.SSLError) and of_reason(exc.reason or "").finding_id == PLAINTEXT


def is_hang_up(exc: OSError) -> bool:
    """Say whether the server ended the connection without a word, which need not be about what was offered."""
    return isinstance(exc, (ConnectionError, *CLOSED))


def is_own_limit(exc: OSError) -> bool:
    """Say whether our own OpenSSL would not do what was to be tried."""
    return isinstance(exc, ssl.SSLError) and exc.reason in _OURS


def why_failed(exc: OSError) -> str:
    """Return in a few words why a handshake failed."""
    return words_of(exc)


def explained(exc: OSError) -> Words:
    """Return why a handshake failed, with advice where it is not about a configuration."""
    words = explain_tls(exc, "") if isinstance(exc, ssl.SSLError) else Words("", words_of(exc))
    return words if "`" not in words.advice else words._replace(advice="")
