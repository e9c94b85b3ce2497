"""Waiting until every server of the bed answers, with the right certificate."""

import imaplib
import poplib
import smtplib
import socket
import ssl
from collections.abc import Callable

from . import dkim
from .settings import LOOPBACK, PASSWORD, USER, Settings

_TIMEOUT_S = 5.0
_BANNERS = {"smtp": b"220", "submission": b"220", "lmtp": b"220", "proxy": b"220", "imap": b"* OK", "pop3": b"+OK"}
_TLS_BANNERS = {"smtps": b"220", "imaps": b"* OK", "pop3s": b"+OK"}
# id, flags "recursion desired", one question: mail.test MX IN
_DNS_QUERY = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04mail\x04test\x00\x00\x0f\x00\x01"


def problems(settings: Settings) -> list[str]:
    """Name each server that does not answer as it should, with what came instead."""
    found: list[str] = []
    for name in (*_BANNERS, *_TLS_BANNERS):
        _note(found, name, _check_banner, settings)
    _note(found, "milter", _check_milter, settings)
    _note(found, "dns", _check_dns, settings)
    if not found:
        # a server that listens may still wait for its own helpers: one real login
        _note(found, "login", _check_login, settings)
    return found


def served_certificates(settings: Settings) -> dict[str, bytes]:
    """Fetch the certificate (DER) that each TLS port shows, by the port's name. OSError when one does not answer."""
    ports = settings.ports
    found = {}
    for name in _TLS_BANNERS:
        with _connect(settings, name) as connection:
            found[name] = _certificate(connection)
    for name in ("smtp", "submission"):
        with smtplib.SMTP(LOOPBACK, ports[name], timeout=_TIMEOUT_S) as smtp:
            smtp.starttls(context=_unverified())
            found[name] = _certificate(smtp.sock)
    with imaplib.IMAP4(LOOPBACK, ports["imap"], timeout=_TIMEOUT_S) as imap:
        imap.starttls(ssl_context=_unverified())
        found["imap"] = _certificate(imap.sock)
    pop3 = poplib.POP3(LOOPBACK, ports["pop3"], timeout=_TIMEOUT_S)
    try:
        pop3.stls(context=_unverified())
        found["pop3"] = _certificate(pop3.sock)
    finally:
        pop3.close()
    return found


def _note(found: list[str], name: str, check: Callable[[Settings, str], None], settings: Settings) -> None:
    try:
        check(settings, name)
    except (OSError, imaplib.IMAP4.error) as error:
        found.append(f"{name}: {error}")


def _check_banner(settings: Settings, name: str) -> None:
    wanted = (_BANNERS | _TLS_BANNERS)[name]
    with _connect(settings, name) as connection:
        banner = connection.recv(200)
    if not banner.startswith(wanted):
        raise OSError(f"greets with {banner!r}")


def _check_milter(settings: Settings, _name: str) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_TIMEOUT_S)
        connection.connect(str(dkim.socket_path(settings.directory)))


def _check_dns(settings: Settings, name: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.settimeout(_TIMEOUT_S)
        connection.connect((LOOPBACK, settings.ports[name]))  # a closed port then refuses at once
        connection.send(_DNS_QUERY)
        answer = connection.recv(512)
    if not int.from_bytes(answer[6:8]):
        raise OSError("no answer for the MX of mail.test")


def _check_login(settings: Settings, _name: str) -> None:
    with imaplib.IMAP4_SSL(
        LOOPBACK, settings.ports["imaps"], ssl_context=_unverified(), timeout=_TIMEOUT_S
    ) as connection:
        connection.login(USER, PASSWORD)


def _connect(settings: Settings, name: str) -> socket.socket:
    connection = socket.create_connection((LOOPBACK, settings.ports[name]), _TIMEOUT_S)
    if name not in _TLS_BANNERS:
        return connection
    try:
        return _unverified().wrap_socket(connection)
    except OSError:
        connection.close()
        raise


def _certificate(connection: socket.socket | None) -> bytes:
    assert isinstance(connection, ssl.SSLSocket)
    return connection.getpeercert(binary_form=True) or b""


def _unverified() -> ssl.SSLContext:
    """Accept any certificate: here the question is only which one comes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
