"""The sandbox starts, stops and counts."""

import base64
import hashlib
import imaplib
import logging
import smtplib
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest

from mailmon.sandbox import Faults, Sandbox
from tests.sandbox.clients import MONITOR, SECOND, TIMEOUT_S, imap_client, imap_stranger, smtp_client, submit, trusting


def test_a_sandbox_starts_and_stops_quickly_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    started_at = time.monotonic()
    with Sandbox():
        pass
    assert time.monotonic() - started_at < 1.0
    assert set(threading.enumerate()) == before


def test_stopping_cuts_off_the_clients_that_are_still_there() -> None:
    with Sandbox() as sandbox:
        imap = imap_client(sandbox)
        smtp = smtp_client(sandbox)
        started_at = time.monotonic()
    assert time.monotonic() - started_at < 1.0
    with pytest.raises((imaplib.IMAP4.abort, OSError)):
        imap.noop()
    smtp.close()
    imap.shutdown()


def test_stopping_twice_or_before_the_start_does_nothing() -> None:
    sandbox = Sandbox()
    sandbox.stop()
    sandbox.start()
    sandbox.stop()
    sandbox.stop()


def test_a_sandbox_can_be_started_again_on_the_same_ports() -> None:
    sandbox = Sandbox()
    sandbox.start()
    port = sandbox.imaps_port
    sandbox.stop()
    with sandbox:
        assert sandbox.imaps_port == port
        imap_client(sandbox).logout()


def test_a_port_that_is_taken_is_an_error_at_the_start() -> None:
    before = set(threading.enumerate())
    with socket.create_server(("127.0.0.1", 0)) as other:
        sandbox = Sandbox(ports={"imap": other.getsockname()[1]})
        with pytest.raises(OSError, match="in use"):
            sandbox.start()
    assert set(threading.enumerate()) == before


def test_all_ports_are_on_loopback_and_different(sandbox: Sandbox) -> None:
    ports = {sandbox.smtp_port, sandbox.smtps_port, sandbox.imap_port, sandbox.imaps_port}
    assert len(ports) == 4
    assert 0 not in ports
    assert sandbox.host == "127.0.0.1"


def test_each_sandbox_has_passwords_of_its_own() -> None:
    assert Sandbox().users.keys() == {MONITOR, SECOND}
    assert Sandbox().users != Sandbox().users


def test_users_and_directory_can_be_given(tmp_path: Path) -> None:
    with Sandbox(users={"Me@example.org": "secret"}, directory=tmp_path / "new") as sandbox:
        assert sandbox.ca_file == tmp_path / "new" / "ca.pem"
        with smtplib.SMTP_SSL("127.0.0.1", sandbox.smtps_port, "c.example.org", context=trusting(sandbox)) as client:
            client.login("me@example.org", "secret")
    assert sandbox.ca_file.exists()


def test_the_certificate_file_of_its_own_is_removed_at_the_end() -> None:
    with Sandbox() as sandbox:
        assert sandbox.ca_file.exists()
    assert not sandbox.ca_file.parent.exists()


def test_connections_and_logins_are_counted(sandbox: Sandbox) -> None:
    submit(sandbox)
    imap_client(sandbox).logout()
    with imap_stranger(sandbox) as stranger, pytest.raises(imaplib.IMAP4.error):
        stranger.login(SECOND, "wrong")
    assert sandbox.connections == {"smtp": 1, "imap": 2}
    assert sandbox.logins == {("smtp", "ok"): 1, ("imap", "ok"): 1, ("imap", "refused"): 1}


def test_the_fingerprint_is_that_of_the_certificate_shown(sandbox: Sandbox) -> None:
    with (
        socket.create_connection((sandbox.host, sandbox.imaps_port), TIMEOUT_S) as plain,
        trusting(sandbox).wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        shown = secured.getpeercert(binary_form=True)
    assert shown is not None
    assert sandbox.certificate_sha256 == hashlib.sha256(shown).hexdigest()


def test_no_password_and_no_message_is_logged(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    submit(sandbox)
    with imap_client(sandbox) as client:
        client.fetch("1", "BODY[]")
    with smtp_client(sandbox) as smtp, pytest.raises(smtplib.SMTPAuthenticationError):
        smtp.login(MONITOR, "sentinel")
    secrets = [sandbox.users[MONITOR], base64.b64encode(sandbox.users[MONITOR].encode()).decode(), "sentinel", "Hello."]
    assert [secret for secret in secrets if secret in caplog.text] == []


@pytest.mark.parametrize("service", ["smtp", "imap"])
def test_a_service_that_does_not_listen_refuses_connections_until_it_listens_again(
    sandbox: Sandbox, service: str
) -> None:
    ports = {"smtp": (sandbox.smtp_port, sandbox.smtps_port), "imap": (sandbox.imap_port, sandbox.imaps_port)}
    sandbox.stop_listening(service)
    for port in ports[service]:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
    sandbox.start_listening(service)
    submit(sandbox)
    imap_client(sandbox).logout()


def test_open_connections_go_on_when_a_service_does_not_listen_any_more(sandbox: Sandbox) -> None:
    client = imap_client(sandbox)
    sandbox.stop_listening("imap")
    assert client.noop()[0] == "OK"
    client.logout()


@pytest.mark.parametrize("kind", ["smtp_port", "smtps_port", "imap_port", "imaps_port"])
def test_a_refused_connection_is_closed_without_a_word(sandbox: Sandbox, kind: str) -> None:
    sandbox.faults.refuse_connection = {"smtp", "imap"}
    with socket.create_connection((sandbox.host, getattr(sandbox, kind)), TIMEOUT_S) as client:
        assert client.recv(100) == b""


@pytest.mark.parametrize("kind", ["smtp_port", "smtps_port", "imap_port", "imaps_port"])
def test_a_silent_service_takes_the_connection_and_says_nothing(kind: str) -> None:
    with (
        Sandbox(faults=Faults(silent={"smtp", "imap"})) as sandbox,
        socket.create_connection((sandbox.host, getattr(sandbox, kind)), TIMEOUT_S) as client,
    ):
        client.sendall(b"\x16\x03\x01")
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.recv(100)


def test_the_implicit_tls_port_can_speak_plain_text(sandbox: Sandbox) -> None:
    sandbox.faults.plaintext_on_tls = True
    with pytest.raises(ssl.SSLError):
        imap_client(sandbox)
    with socket.create_connection((sandbox.host, sandbox.imaps_port), TIMEOUT_S) as client:
        assert client.recv(100).startswith(b"* OK ")


@pytest.mark.parametrize(
    ("certificate", "code"),
    [("expired", 10), ("wrong_name", 64), ("self_signed", 18)],  # X509_V_ERR_ numbers of OpenSSL
)
@pytest.mark.parametrize("kind", ["smtp", "smtps", "imap", "imaps"])
def test_a_bad_certificate_fails_in_the_way_asked_for(sandbox: Sandbox, certificate: str, code: int, kind: str) -> None:
    sandbox.faults.certificate = certificate
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        _connect(sandbox, kind)
    assert caught.value.verify_code == code
    sandbox.faults.certificate = "good"
    _connect(sandbox, kind)


def test_a_certificate_can_have_five_days_left(sandbox: Sandbox) -> None:
    sandbox.faults.certificate = "soon"
    with (
        socket.create_connection((sandbox.host, sandbox.smtps_port), TIMEOUT_S) as plain,
        trusting(sandbox).wrap_socket(plain, server_hostname="127.0.0.1") as secured,
    ):
        certificate = secured.getpeercert()
    assert certificate is not None
    left_s = ssl.cert_time_to_seconds(str(certificate["notAfter"])) - time.time()
    assert int(left_s // 86400) == 5


def _connect(sandbox: Sandbox, kind: str) -> None:
    context, host, port = trusting(sandbox), sandbox.host, getattr(sandbox, f"{kind}_port")
    if kind == "smtp":
        with smtplib.SMTP(host, port, "c.example.org", TIMEOUT_S) as smtp:
            smtp.starttls(context=context)
    elif kind == "smtps":
        smtplib.SMTP_SSL(host, port, "c.example.org", timeout=TIMEOUT_S, context=context).quit()
    elif kind == "imap":
        imap = imaplib.IMAP4(host, port, TIMEOUT_S)  # its own "with" hides the error behind that of the LOGOUT
        imap.starttls(context)
        imap.logout()
    else:
        imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=TIMEOUT_S).logout()
