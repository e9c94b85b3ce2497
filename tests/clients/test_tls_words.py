"""A TLS connection that fails says which certificate is meant, what came back and what to do, in words of its own."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes

from mailmon.clients.deadline import Deadline
from mailmon.clients.fetch import Fetch, FetchError
from mailmon.clients.http import Request, post
from mailmon.clients.server import Keys, Security, Server, Trust
from mailmon.clients.tls import TlsContexts
from mailmon.clients.wire import connect
from mailmon.errors import DeliveryError, Stage, StageError
from mailmon.mail import tls_words
from mailmon.text import Masker
from tests.clients.tls_peer import Made, context_for, make, root, serving

NO_KEYS = Keys()
RAW = re.compile(r"_ssl\.c|\[SSL|Errno|(?!SSL_CERT_FILE)\b[A-Z]{3,}_[A-Z_]{3,}|Error\b")


def greet(sock: socket.socket) -> None:
    sock.sendall(b"* OK ready\r\n")
    sock.recv(100)


def failure(
    port: int, ca: Path | None, host: str = "localhost", *, pins: tuple[str, ...] = (), keys: Keys = NO_KEYS
) -> StageError:
    """Return how the IMAP client fails at a server on loopback."""
    trust = Trust(str(ca) if ca else None, pins)
    server = Server("imap", host, port, Security.TLS, trust, 2.0, keys=keys)
    with pytest.raises(StageError) as caught:
        converse(server)
    assert not RAW.search(caught.value.message + caught.value.advice), caught.value.message
    return caught.value


def only(context: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version


def converse(server: Server) -> None:
    wire = connect(server, [(socket.AF_INET, ("127.0.0.1", server.port))], Deadline(5), Masker())
    try:
        wire.start_tls(TlsContexts())
        wire.begin(Stage.GREETING)
        wire.read_line()
    finally:
        wire.close()


@pytest.fixture
def shown(tmp_path: Path) -> Callable[..., StageError]:
    """Return what is said of a server that shows a certificate, where a CA is trusted."""

    def show(made: Made, trusted: Made, host: str = "localhost", keys: Keys = NO_KEYS) -> StageError:
        ca = tmp_path / "ca.pem"
        ca.write_bytes(trusted.pem)
        with serving(context_for(made, tmp_path), greet) as port:
            return failure(port, ca, host, keys=keys)

    return show


def test_an_expired_certificate_says_which_and_since_when(shown: Callable[..., StageError]) -> None:
    exc = shown(make("mx", root(), names=("localhost",), days=(-60, -2)), root())
    assert exc.finding_id == "tls.cert_expired"
    assert re.search(r"the certificate has expired \(on \d{4}-\d\d-\d\d: mx\)", exc.message)
    assert "Renew it" in exc.advice


def test_an_expired_intermediate_is_named_and_the_leaf_is_called_valid(
    shown: Callable[..., StageError],
) -> None:
    old = make("Old Intermediate", root(), is_ca=True, days=(-60, -3))
    exc = shown(make("mx", old, names=("localhost",)), root())
    assert exc.finding_id == "tls.cert_expired"
    assert re.search(r"the intermediate certificate Old Intermediate has expired on \d{4}-", exc.message)
    assert re.search(r"the server's own certificate \(mx\) is good until \d{4}-", exc.message)
    assert "Renew" not in exc.advice
    assert "need not be renewed" in exc.advice


def test_an_expired_root_is_named_although_no_server_sends_it(shown: Callable[..., StageError]) -> None:
    old = make("Old Root", is_ca=True, days=(-90, -1))
    exc = shown(make("mx", old, names=("localhost",)), old, keys=Keys("accounts.main.imap"))
    assert re.search(r"the CA certificate Old Root has expired on .*\(mx\) is good until", exc.message)
    assert "`accounts.main.imap.ca_file`" in exc.advice


def test_an_intermediate_that_is_not_valid_yet_is_named(shown: Callable[..., StageError]) -> None:
    early = make("Early Intermediate", root(), is_ca=True, days=(3, 90))
    exc = shown(make("mx", early, names=("localhost",)), root())
    assert exc.finding_id == "tls.cert_not_yet_valid"
    assert "a certificate above the server's is not valid yet: Early Intermediate" in exc.message


def test_a_wrong_name_says_which_names_the_certificate_has_and_which_was_asked(
    shown: Callable[..., StageError],
) -> None:
    made = make("x", root(), names=("mail.example.net", "imap.example.net"))
    exc = shown(made, root(), "localhost", Keys(is_flat=True))
    assert exc.finding_id == "tls.cert_name"
    assert "it is for mail.example.net, imap.example.net, not for localhost" in exc.message
    assert "Set `imap_host` to a name that the certificate has" in exc.advice


def test_a_certificate_without_names_says_so(shown: Callable[..., StageError]) -> None:
    assert "it is for no name at all, not for localhost" in shown(make("mx", root()), root()).message


def test_a_final_dot_in_the_host_name_is_no_part_of_the_name(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(root().pem)
    asked: list[str | None] = []
    context = context_for(make("mx", root(), names=("localhost",)), tmp_path)
    context.sni_callback = lambda _sock, name, _context: asked.append(name)
    with serving(context, greet) as port:
        converse(Server("imap", "localhost.", port, Security.TLS, Trust(str(ca)), 2.0))
        fetch = Fetch("localhost.", port, "/", ("127.0.0.1",), str(ca))
        with pytest.raises(FetchError) as caught:  # it greets as IMAP, so there is no HTTP to be had
            fetch.run(2.0)
    assert asked == ["localhost", "localhost"]
    assert "certificate" not in caught.value.message


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (Keys(is_flat=True), r'"tls_sha256": "{digest}"'),
        (Keys("accounts.main.imap"), r'"tls_sha256": \["{digest}"\] in accounts\.main\.imap'),
    ],
)
def test_the_digest_of_an_untrusted_certificate_is_shown_ready_to_paste(
    shown: Callable[..., StageError], keys: Keys, line: str
) -> None:
    for made in (make("mx", make("Unknown CA", is_ca=True), names=("localhost",)), make("mx", names=("localhost",))):
        digest = made.certificate.fingerprint(hashes.SHA256()).hex()
        exc = shown(made, root(), "localhost", keys)
        assert exc.finding_id in ("tls.cert_untrusted", "tls.cert_self_signed")
        assert re.search(line.replace("{digest}", digest), exc.advice), exc.advice
        assert ("`ca_file`" if keys.is_flat else "`accounts.main.imap.ca_file`") in exc.advice


def test_a_pin_that_does_not_match_keeps_the_others_in_the_flat_form(tmp_path: Path) -> None:
    made = make("mx", names=("localhost",))
    with serving(context_for(made, tmp_path), greet) as port:
        exc = failure(port, None, pins=("ab" * 32,), keys=Keys(is_flat=True))
    assert exc.finding_id == "tls.pin_mismatch"
    assert re.search(rf'"tls_sha256": \["[0-9a-f]{{64}}", "{"ab" * 32}"\]', exc.advice)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_demands_a_certificate_of_ours_says_so(tmp_path: Path, version: ssl.TLSVersion) -> None:
    """With TLS 1.3 this came as `the connection broke: [SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] (_ssl.c:2580)`."""
    ca = tmp_path / "ca.pem"
    ca.write_bytes(root().pem)
    context = context_for(make("mx", root(), names=("localhost",)), tmp_path)
    context.load_verify_locations(ca)
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = context.maximum_version = version
    with serving(context, greet) as port:
        exc = failure(port, ca)
    # TLS 1.2 has no alert for it: the handshake fails after the server's own certificate was shown.
    assert exc.finding_id == "tls.client_cert_required"
    assert "demands a certificate of the client" in exc.message


@pytest.mark.parametrize(
    ("version", "ciphers", "words"),
    [
        (ssl.TLSVersion.TLSv1_1, "DEFAULT:@SECLEVEL=0", "too old|takes none of the TLS versions"),
        (ssl.TLSVersion.TLSv1_2, "NULL:@SECLEVEL=0", "no cipher in common"),
    ],
)
def test_old_versions_and_ciphers_of_a_server_are_told_apart(
    tmp_path: Path, version: ssl.TLSVersion, ciphers: str, words: str
) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(root().pem)
    context = context_for(make("mx", root(), names=("localhost",)), tmp_path)
    context.set_ciphers(ciphers)
    only(context, version)
    with serving(context, greet) as port:
        exc = failure(port, ca)
    assert re.search(words, exc.message), exc.message
    assert exc.advice


def test_a_weak_key_is_called_weak(shown: Callable[..., StageError], tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    weak = make("mx", root(), names=("localhost",), key=rsa.generate_private_key(65537, 1024))
    ca = tmp_path / "ca.pem"
    ca.write_bytes(root().pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context_for(make("other", root()), tmp_path)
    file = tmp_path / "weak.pem"
    from cryptography.hazmat.primitives import serialization

    private = weak.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + weak.pem)
    context.load_cert_chain(file)
    with serving(context, greet) as port:
        exc = failure(port, ca)
    assert (exc.finding_id, exc.advice) == ("tls.cert_weak_key", tls_words.VERDICTS[66].advice)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda sock: sock.sendall(b"* OK IMAP4rev1 ready\r\n"), "plain text"),
        (lambda sock: sock.close(), "closed the connection"),
        (lambda sock: sock.sendall(b"\x15\x03\x03\x00\x02\x02\x28"), "no cipher in common"),
        (lambda sock: sock.sendall(b"\x15\x03\x03\x00\x02\x02\x50"), "an error of its own"),
        (lambda sock: sock.sendall(b"\x15\x03\x03\x00\x02\x02\x70"), "no certificate for the name"),
        (lambda sock: sock.sendall(b"\x15\x03\x03\x00\x02\x02\x46"), "none of the TLS versions"),
        (lambda sock: sock.sendall(b"\x15\x03\x03\x00\x02\x02\x30"), "refuses the certificate of the client"),
        (lambda sock: sock.sendall(b"\x15\x03\x03\x00\x02\x02\x47"), "no cipher in common"),
        (lambda sock: sock.sendall(b"\x15\x03\x03\x00\x02\x02\x32"), "did not take something"),
        (lambda sock: sock.sendall(b"\x16\x03\x03\x00\x04\x02\x00\x00\x00"), "invalid TLS handshake"),
    ],
)
def test_what_comes_instead_of_a_handshake_is_told_in_words(
    answer: Callable[[socket.socket], None], words: str
) -> None:
    def after_hello(sock: socket.socket) -> None:
        sock.recv(2000)
        answer(sock)
        with contextlib.suppress(OSError):
            sock.recv(2000)

    with serving(None, after_hello) as port:
        exc = failure(port, None)
    assert words in exc.message, exc.message


def test_every_reason_of_openssl_is_told_in_words_without_its_source() -> None:
    import _ssl

    for (_, _), reason in _ssl.err_codes_to_names.items():
        words = tls_words.of_reason(reason)
        assert words.said
        assert not RAW.search(words.said + words.advice), words
        assert words.finding_id.startswith("tls.") or words.finding_id == tls_words.PLAINTEXT


def test_every_verdict_of_openssl_on_a_chain_is_told_in_words() -> None:
    from mailmon.clients.failure import explain_tls

    for code in range(100):
        exc = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] odd (_ssl.c:1006)")
        exc.verify_code, exc.verify_message = code, "odd (_ssl.c:1006)"
        words = explain_tls(exc, "mail.example.org")
        assert words.finding_id.startswith("tls.")
        assert not RAW.search(words.said + words.advice), words


def request(url: str, ca: Path | None = None) -> Request:
    return Request("the channel", url, b"{}", {}, Masker(), str(ca) if ca else None, "notify.team.ca_file")


def refused(url: str, ca: Path | None = None) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        post(request(url, ca), 3.0)
    assert not RAW.search(caught.value.message + caught.value.advice), caught.value.message
    return caught.value


@pytest.mark.parametrize(
    ("how", "words", "advice"),
    [
        ("expired", "the certificate has expired (on ", "Renew it"),
        ("intermediate", "the intermediate certificate Old Intermediate has expired", "need not be renewed"),
        ("wrong_name", "it is for hooks.example.net, not for localhost", "a name that the certificate has"),
        ("self_signed", "the certificate is self-signed", "Set `notify.team.ca_file` to a copy of it."),
        ("unknown", "the issuer of the certificate is unknown", "`notify.team.ca_file`"),
    ],
)
def test_a_channels_bad_certificates_are_told_apart_as_those_of_mail_servers(
    tmp_path: Path, how: str, words: str, advice: str
) -> None:
    old = make("Old Intermediate", root(), is_ca=True, days=(-60, -3))
    made = {
        "expired": lambda: make("hooks", root(), names=("localhost",), days=(-60, -2)),
        "intermediate": lambda: make("hooks", old, names=("localhost",)),
        "wrong_name": lambda: make("hooks", root(), names=("hooks.example.net",)),
        "self_signed": lambda: make("localhost", names=("localhost",)),
        "unknown": lambda: make("hooks", make("Unknown CA", is_ca=True), names=("localhost",)),
    }[how]()
    ca = tmp_path / "ca.pem"
    ca.write_bytes(root().pem)
    with serving(context_for(made, tmp_path), greet) as port:
        exc = refused(f"https://localhost:{port}/hook", ca)
    assert words in exc.message
    assert advice in exc.advice


def test_a_channel_with_old_tls_or_without_tls_says_so(tmp_path: Path) -> None:
    context = context_for(make("hooks", root(), names=("localhost",)), tmp_path)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    only(context, ssl.TLSVersion.TLSv1_1)
    with serving(context, greet) as port:
        assert "TLS versions" in refused(f"https://localhost:{port}/").message
    with serving(None, lambda sock: sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        exc = refused(f"https://localhost:{port}/")
    assert "plain HTTP where TLS is expected" in exc.message


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_channel_that_demands_a_certificate_of_ours_says_so(tmp_path: Path, version: ssl.TLSVersion) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(root().pem)
    context = context_for(make("hooks", root(), names=("localhost",)), tmp_path)
    context.load_verify_locations(ca)
    context.verify_mode = ssl.CERT_REQUIRED
    only(context, version)
    with serving(context, greet) as port:
        exc = refused(f"https://localhost:{port}/", ca)
    # With TLS 1.3 the request may go out before the alert is read, into a connection that is closed.
    closed = version is ssl.TLSVersion.TLSv1_3 and "closed the connection" in exc.message
    assert closed or "demands a certificate of the client" in exc.message, exc.message
    assert "smtpd" not in exc.advice


def test_plain_http_towards_a_tls_port_is_advised_to_use_https(tmp_path: Path) -> None:
    with serving(context_for(make("hooks", root(), names=("localhost",)), tmp_path), greet) as port:
        exc = refused(f"http://localhost:{port}/")
    assert "https://" in exc.advice, exc.message


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://127.0.0.1:1/", "connection refused"),
        ("gopher://example.org/", "must begin with https:// or http://"),
        ("example.org/hook", "must begin with https:// or http://"),
        ("https://no-such-host.invalid/", "no such host name|could not be looked up"),
        ("https://[::zz]/", "cannot be used"),
        (f"https://{'a' * 80}.example.org/", "cannot be used|cannot be encoded|no such host name|looked up"),
    ],
)
def test_no_channel_failure_is_told_by_a_name_of_python(url: str, words: str) -> None:
    assert re.search(words, refused(url).message), refused(url).message


@pytest.mark.parametrize(
    ("answer", "words"),
    [(b"", "closed the connection"), (b"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP|closed the connection")],
)
def test_an_answer_that_is_no_http_is_told_in_words(answer: bytes, words: str) -> None:
    def speak(sock: socket.socket) -> None:
        sock.recv(2000)
        sock.sendall(answer)

    with serving(None, speak) as port:
        assert re.search(words, refused(f"http://127.0.0.1:{port}/").message)


def test_a_ca_file_without_a_certificate_is_told_as_that(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    with serving(context_for(make("hooks", root(), names=("localhost",)), tmp_path), greet) as port:
        assert "ca_file" in refused(f"https://localhost:{port}/", empty).message
        assert "No such file" in refused(f"https://localhost:{port}/", tmp_path / "missing.pem").message
