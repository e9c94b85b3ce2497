"""What is offered to see it refused: old versions of TLS, small groups; also at servers that limit connections."""

from __future__ import annotations

import ssl
import subprocess
import warnings
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from mailmon.diagnose.key_exchange import dh_bits
from mailmon.diagnose.plan import KINDS, Options, Request
from mailmon.diagnose.run import diagnose
from mailmon.model.findings import Finding
from tests.diagnose.issuing import ca_file, issue, server_context
from tests.diagnose.mail_server import MailServer, mail_server
from tests.domain.nameserver import serving

CA = issue("Public CA", is_ca=True)
LEAF = issue("localhost", CA, key=rsa.generate_private_key(65537, 2048))
GROUPS = {1024: "dh_1024_160", 1536: "modp_1536", 2048: "ffdhe2048", 3072: "ffdhe3072"}


def context(folder: Path, *, oldest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2, group: str = "") -> ssl.SSLContext:
    made = server_context(folder, (LEAF,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made.minimum_version = oldest
    if group:
        made.load_dh_params(group)
    return made


def group_file(folder: Path, bits: int) -> str:
    """Return a file with a group."""
    file = folder / "dh.pem"
    command = ["openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", f"group:{GROUPS[bits]}"]
    file.write_bytes(subprocess.run(command, capture_output=True, check=True).stdout)
    return str(file)


def look(server: MailServer, folder: Path, kind: str = "smtp") -> dict[str, Finding]:
    options = Options(ca_file(folder, CA), 2.0, 15.0, relay="none", family="4", pause_s=0.25)
    with serving([]) as names:
        kinds = (KINDS[kind]._replace(port=server.port),)
        request = Request("localhost", kinds, False, (("127.0.0.1", names.port),))
        return {one.id: one for one in diagnose(request, options).findings}


@pytest.mark.parametrize(
    ("bits", "verdict"),
    [(1024, "warning"), (1536, "warning"), (2048, "pass"), (3072, "pass"), (0, "pass")],
)
def test_a_group_that_is_too_small_is_measured(bits: int, verdict: str, tmp_path: Path) -> None:
    group = group_file(tmp_path, bits) if bits else ""
    with mail_server(context(tmp_path, group=group)) as server:
        found = look(server, tmp_path)["tls.weak_dh"]
    assert (found.severity or found.status) == verdict
    assert (f"{bits} bits" in found.message) is bool(bits)


def test_the_group_of_a_server_with_nothing_newer_than_tls_1_0_is_measured_too(tmp_path: Path) -> None:
    made = context(tmp_path, oldest=ssl.TLSVersion.TLSv1, group=group_file(tmp_path, 1024))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made.maximum_version = ssl.TLSVersion.TLSv1
    with mail_server(made) as server:
        found = look(server, tmp_path)
    assert [str(found[one].severity) for one in ("tls.old_version", "tls.weak_dh")] == ["error", "warning"]


@pytest.mark.parametrize("kind", ["smtp", "smtps"])
@pytest.mark.parametrize(
    ("oldest", "verdict", "words"),
    [
        (ssl.TLSVersion.TLSv1, "fail", "TLSv1.1 and TLSv1.0 are still accepted beside newer versions"),
        (ssl.TLSVersion.TLSv1_1, "fail", "TLSv1.1 is still accepted beside newer versions"),
        (ssl.TLSVersion.TLSv1_2, "pass", "are refused"),
    ],
)
def test_a_server_that_takes_one_connection_at_a_time_is_asked_more_slowly(
    oldest: ssl.TLSVersion, verdict: str, words: str, kind: str, tmp_path: Path
) -> None:
    """Courier with MAXPERIP=1: the connection that it refused counted as TLS 1.0 refused."""
    is_implicit = kind == "smtps"
    made = context(tmp_path, oldest=oldest)
    with mail_server(made, is_implicit=is_implicit, max_clients=1, lingers_s=0.05) as server:
        found = look(server, tmp_path, kind)["tls.old_version"]
        assert server.turned_away
    assert (found.status, words in found.message) == (verdict, True), found.message


@pytest.mark.parametrize("kind", ["smtp", "smtps"])
def test_of_a_server_that_only_hangs_up_nothing_is_said_to_be_refused(kind: str, tmp_path: Path) -> None:
    made = context(tmp_path, oldest=ssl.TLSVersion.TLSv1)
    with mail_server(made, is_implicit=kind == "smtps", max_clients=1, lingers_s=30) as server:
        found = look(server, tmp_path, kind)
    assert [found[one].status for one in ("tls.old_version", "tls.weak_dh")] == ["unknown", "unknown"]


class HangsUp(MailServer):
    """A server that closes the connection at an old version, without an alert, as some Exchange servers do."""

    def _begin_tls(self, sock):  # type: ignore[no-untyped-def]
        hello = sock.recv(2000, 2)  # MSG_PEEK
        if b"\x03\x04" not in hello[60:]:
            sock.close()
            raise OSError
        return super()._begin_tls(sock)


@pytest.mark.parametrize("kind", ["smtp", "smtps"])
def test_a_server_that_hangs_up_at_old_versions_only_refuses_them(kind: str, tmp_path: Path) -> None:
    server = HangsUp(context(tmp_path, oldest=ssl.TLSVersion.TLSv1), is_implicit=kind == "smtps")
    try:
        found = look(server, tmp_path, kind)
    finally:
        server.close()
    assert [found[one].status for one in ("tls.old_version", "tls.weak_dh")] == ["pass", "pass"]


def message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + len(body).to_bytes(3) + body


def records(handshake: bytes, size: int = 100) -> bytes:
    parts = [handshake[at : at + size] for at in range(0, len(handshake), size)]
    return b"".join(b"\x16\x03\x03" + len(part).to_bytes(2) + part for part in parts)


def vector(value: bytes) -> bytes:
    return len(value).to_bytes(2) + value


PRIME = b"\xff" * 128
EXCHANGE = vector(PRIME) + vector(b"\x02") + vector(b"\x55" * 128) + b"signature"
WHOLE = message(2, b"hello" * 10) + message(11, b"chain" * 300) + message(12, EXCHANGE) + message(14, b"")


@pytest.mark.parametrize(
    ("received", "bits"),
    [
        (records(WHOLE), 1024),
        (records(WHOLE, 16000), 1024),
        (records(WHOLE, 1), 1024),
        (records(message(12, vector(b"\0\x01" + b"\xff" * 95) + vector(b"\x05") + vector(b"\x07"))), 761),
        (records(message(12, EXCHANGE)) + b"\x15\x03\x03\0\x02\x02\x28", 1024),
        (records(message(2, b"hello") + message(14, b"")), None),
        (records(WHOLE)[:-1500], None),
        (records(message(12, b"\x03\0\x1d\x20" + b"x" * 32)), None),  # an elliptic curve
        (records(message(12, vector(b"") + vector(b"\x02") + vector(b"\x03"))), None),
        (b"\x15\x03\x03\0\x02\x02\x28", None),
        (b"220 mx ESMTP\r\n", None),
        (b"", None),
    ],
)
def test_the_bits_of_the_prime_are_read_from_what_came(received: bytes, bits: int | None) -> None:
    assert dh_bits(received) == bits


@given(st.binary(max_size=300), st.booleans())
def test_what_makes_no_sense_has_no_bits_or_few(raw: bytes, is_wrapped: bool) -> None:
    bits = dh_bits(records(raw) if is_wrapped else raw)
    assert bits is None or 0 < bits <= 8 * len(raw)
