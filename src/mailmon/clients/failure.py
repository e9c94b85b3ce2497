"""Words for connections that failed: what Python, OpenSSL, http.client and requests raise never shows as it is.

Loaded only when something failed.
"""

from __future__ import annotations

import http.client
import os
import re
import socket
import ssl
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from mailmon import safe
from mailmon.clients.server import Server
from mailmon.clients.tls import CLOSED, MAX_CA_BYTES, SENT, Sent, why_unusable
from mailmon.errors import Stage, StageError
from mailmon.mail import tls_words
from mailmon.mail.tls_words import Words
from mailmon.text import visible

if TYPE_CHECKING:
    from cryptography import x509

MAX_NAMES, MAX_NAME_CHARS = 10, 120
_MAX_DEPTH = 20
_HANDSHAKE_FAILURE = "SSLV3_ALERT_HANDSHAKE_FAILURE"
# What a library adds to OpenSSL's words: the line of its C source.
_PLACE = re.compile(r" ?\(_ssl\.c:\d{1,9}\)")


def tls_error(exc: OSError, server: Server) -> StageError | None:
    """Return what a failed TLS handshake means, None when the connection broke."""
    if not isinstance(exc, ssl.SSLError) or isinstance(exc, CLOSED):
        return None
    words = explain_tls(exc, server.host.rstrip("."))
    finding_id, advice = words.finding_id, words.advice
    if finding_id == tls_words.PLAINTEXT:
        finding_id = f"{server.protocol}.plaintext_on_tls_port"
    if getattr(exc, "verify_code", 0) in tls_words.UNTRUSTED and (digest := digest_sent(exc)):
        advice += f" Or pin it, once you have made sure that it is the right one: {server.keys.pin(digest)}"
    is_certificate = isinstance(exc, ssl.SSLCertVerificationError)
    stage = Stage.CERTIFICATE if is_certificate else Stage.TLS
    return StageError(finding_id, stage, server.target, words.said, server.keys.named(advice, server.protocol))


def explain_tls(exc: ssl.SSLError, asked: str) -> Words:
    """Return what a failed TLS connection means. `asked` is the name or address that the certificate is held against.

    Where the server sent certificates, those that the trouble is about are named.
    """
    if isinstance(exc, ssl.SSLCertVerificationError):
        return _explain_verdict(exc, asked)
    if isinstance(exc, CLOSED):
        return Words("tls.handshake_failed", "the server closed the connection", "")
    sent: Sent | None = getattr(exc, SENT, None)
    if exc.reason == _HANDSHAKE_FAILURE and sent and sent.chain:
        # It had a cipher, and showed its certificate: with TLS 1.2 that is how ours is demanded.
        return tls_words.CLIENT_CERT
    return tls_words.of_reason(visible(exc.reason or _without_place(str(exc)), 200))


def unusable_ca(file: str) -> str:
    """Return why a file with CA certificates cannot be used, "" where it can."""
    try:
        safe.must_be_regular(file, MAX_CA_BYTES)
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except OSError as exc:
        return why_unusable(exc)
    return ""


def digest_sent(exc: BaseException) -> str:
    """Return the SHA-256 of the server's own certificate where one was sent before the failure, else ""."""
    import hashlib

    sent: Sent | None = getattr(exc, SENT, None)
    return hashlib.sha256(sent.chain[0]).hexdigest() if sent and sent.chain else ""


def words_of(exc: BaseException, asked: str = "", default: str = "the connection broke") -> str:
    """Return in a few words why a connection failed, whatever library says so. No address and no URL is in them."""
    root = root_of(exc)
    if any(type(one).__name__ == "ProxyError" for one in _chain_of(exc)) and type(root).__name__ != "ProxyError":
        return f"the proxy (HTTP_PROXY, HTTPS_PROXY) did not let it through: {_words_of_root(root, asked, default)}"
    return _words_of_root(root, asked, default)


def _words_of_root(root: BaseException, asked: str, default: str) -> str:
    if isinstance(root, ssl.SSLError):
        return explain_tls(root, asked).said
    if isinstance(root, socket.gaierror):
        temporary = root.errno in (socket.EAI_AGAIN, socket.EAI_FAIL)
        return "its host name could not be looked up" if temporary else "no such host name"
    if isinstance(root, UnicodeError):
        return "its host name cannot be encoded"
    if isinstance(root, TimeoutError):
        return "no answer in time"
    if isinstance(root, http.client.RemoteDisconnected | http.client.IncompleteRead | ConnectionResetError):
        return "the server closed the connection without a whole answer"
    if isinstance(root, http.client.HTTPException):
        return "its answer is not HTTP"
    if isinstance(root, OSError) and root.errno:
        return os.strerror(root.errno).lower()
    return _WORDS_BY_NAME.get(type(root).__name__, default)


def root_of(exc: BaseException) -> BaseException:
    """Return the failure that others were made of: requests wraps urllib3's, which wraps Python's.

    That is the innermost that there are words for.
    """
    found = exc
    for inner in _chain_of(exc):
        if isinstance(inner, ssl.SSLError | socket.gaierror) or (isinstance(inner, OSError) and inner.errno):
            return inner
        if (
            isinstance(inner, UnicodeError | http.client.HTTPException | TimeoutError | ConnectionError)
            or type(inner).__name__ in _WORDS_BY_NAME
        ):
            found = inner
    return found


# By name: neither requests nor urllib3 need be there to say it.
_WORDS_BY_NAME = {
    "InvalidSchema": "its address must begin with https:// or http://",
    "MissingSchema": "its address must begin with https:// or http://",
    "InvalidURL": "its address cannot be used",
    "LocationParseError": "its address cannot be used",
    "LocationValueError": "its address cannot be used",
    "ValueError": "its address cannot be used",
    "InvalidProxyURL": "the address of the proxy cannot be used (HTTP_PROXY, HTTPS_PROXY)",
    "ProxySchemeUnknown": "the address of the proxy cannot be used (HTTP_PROXY, HTTPS_PROXY)",
    "ProxyError": "the proxy did not let it through (HTTP_PROXY, HTTPS_PROXY)",
    "InvalidHeader": "a header cannot be sent: it holds a line break or a character that HTTP does not have",
    "ContentDecodingError": "its answer cannot be decoded",
    "DecodeError": "its answer cannot be decoded",
    "ChunkedEncodingError": "its answer broke off",
    "ProtocolError": "the server closed the connection without a whole answer",
    "InvalidChunkLength": "its answer is not HTTP",
    "TooManyRedirects": "it redirects without end",
    "NameResolutionError": "no such host name",
}


def _chain_of(exc: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those below it, the outermost first; each once, and a bounded number of them."""
    waiting, seen = [exc], {id(exc)}
    for _ in range(_MAX_DEPTH):
        if not waiting:
            return
        one = waiting.pop(0)
        yield one
        below = [getattr(one, "reason", None), *one.args, one.__cause__, one.__context__]
        for inner in below:
            if isinstance(inner, BaseException) and id(inner) not in seen:
                seen.add(id(inner))
                waiting.append(inner)


def _without_place(text: str) -> str:
    return _PLACE.sub("", text)


def _explain_verdict(exc: ssl.SSLCertVerificationError, asked: str) -> Words:
    code = getattr(exc, "verify_code", 0)
    message = visible(_without_place(str(getattr(exc, "verify_message", ""))), 200)
    unknown = tls_words.UNKNOWN_VERDICT
    words = tls_words.VERDICTS.get(code, unknown._replace(said=f"{unknown.said}{f': {message}' if message else ''}"))
    sent: Sent | None = getattr(exc, SENT, None)
    chain = _read(sent.chain) if sent else []
    if code in (tls_words.WRONG_NAME, tls_words.WRONG_ADDRESS):
        return _wrong_name(words, chain, asked)
    if code == tls_words.EXPIRED and sent and chain:
        return _expired(words, chain, sent)
    if code == tls_words.NOT_YET_VALID and chain:
        return _not_yet_valid(words, chain)
    return words


def _wrong_name(words: Words, chain: list[x509.Certificate], asked: str) -> Words:
    if not chain:
        named = f": {asked} was asked for" if asked else ""
        return words._replace(said=f"{words.said}{named}", advice="Check `host`, or get a certificate for that name.")
    names = names_in(chain[0])
    listed = ", ".join(names[:MAX_NAMES]) + (f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else "")
    said = f"the certificate is for another name: it is for {listed or 'no name at all'}"
    advice = f"Set `host` to a name that the certificate has, or get one for {asked or 'the name that is asked for'}."
    return words._replace(said=f"{said}, not for {asked}" if asked else said, advice=advice)


class _About(NamedTuple):
    """A certificate in words."""

    name: str
    begins: datetime
    ends: datetime


def _expired(words: Words, chain: list[x509.Certificate], sent: Sent) -> Words:
    """Name what has expired: the server's own certificate, one above it that it sends, or the CA that is trusted."""
    now = datetime.now(UTC)
    leaf = _about(chain[0])
    if leaf.ends < now:
        return words._replace(said=f"{words.said} (on {leaf.ends:%Y-%m-%d}: {leaf.name})")
    good = f"the server's own certificate ({leaf.name}) is good until {leaf.ends:%Y-%m-%d}"
    for one in chain[1:]:
        about = _about(one)
        if about.ends < now and one.issuer != one.subject:
            said = f"the intermediate certificate {about.name} has expired on {about.ends:%Y-%m-%d}; {good}"
            advice = "Let the server send its CA's present intermediate certificate; its own need not be renewed."
            return words._replace(said=said, advice=advice)
    roots = [one for one in (*chain[1:], *_trusted(sent, chain)) if _about(one).ends < now]
    if not roots:
        return words._replace(said=f"a CA certificate above the server's has expired; {good}", advice=_NEW_ROOT)
    about = _about(roots[0])
    return words._replace(
        said=f"the CA certificate {about.name} has expired on {about.ends:%Y-%m-%d}; {good}", advice=_NEW_ROOT
    )


_NEW_ROOT = (
    "Put the CA's new certificate into `ca_file`, or update this machine's CA certificates; the server's own need not "
    "be renewed."
)


def _not_yet_valid(words: Words, chain: list[x509.Certificate]) -> Words:
    now = datetime.now(UTC)
    for number, about in enumerate(map(_about, chain)):
        if about.begins > now:
            what = "the certificate" if number == 0 else "a certificate above the server's"
            return words._replace(said=f"{what} is not valid yet: {about.name}, from {about.begins:%Y-%m-%d %H:%M} UTC")
    return words


def _trusted(sent: Sent, chain: list[x509.Certificate]) -> list[x509.Certificate]:
    """Return the trusted certificates that have issued one of the chain."""
    wanted = {one.issuer for one in chain}
    return [one for one in _read(tuple(sent.context.get_ca_certs(binary_form=True))) if one.subject in wanted]


def _read(ders: tuple[bytes, ...]) -> list[x509.Certificate]:
    """Return the certificates that can be read; an odd one hides those behind it, for the order counts."""
    from cryptography import x509

    found: list[x509.Certificate] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for der in ders:
            try:
                one = x509.load_der_x509_certificate(der)
                _about(one)
            except (ValueError, TypeError, x509.InvalidVersion):
                break
            found.append(one)
    return found


def _about(certificate: x509.Certificate) -> _About:
    from cryptography.x509.oid import NameOID

    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    name = str(common[0].value) if common else (names_in(certificate) or [certificate.subject.rfc4514_string()])[0]
    return _About(
        visible(name, MAX_NAME_CHARS) or "without a name",
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )


def names_in(certificate: x509.Certificate) -> list[str]:
    """Return the names and addresses that a certificate is for; its CN does not count (RFC 9525). Never raises."""
    from cryptography import x509

    try:
        listed: Any = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [*listed.get_values_for_type(x509.DNSName), *map(str, listed.get_values_for_type(x509.IPAddress))]
    except (x509.ExtensionNotFound, ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return []
    return [visible(name, MAX_NAME_CHARS) for name in names]
