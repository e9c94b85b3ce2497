"""What a connection and a file tell of a certificate: its name, its end, and how long it is valid in all."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest

from mailmon.clients.certificate import read_leaf, read_leaf_file
from mailmon.clients.tls import peer_certificate
from tests.diagnose.issuing import ca_file, issue, server_context
from tests.diagnose.mail_server import mail_server

CA = issue("Public CA", is_ca=True)
SIX_DAYS = issue("mx.mail.test", CA, age_days=0.1, left_days=6.57)


def test_a_connection_and_a_file_tell_the_same_lifetime(tmp_path: Path) -> None:
    """A certificate of six days was warned of from its first hour on, for only its end was known."""
    context = ssl.create_default_context(cafile=ca_file(tmp_path, CA))
    with (
        mail_server(server_context(tmp_path, (SIX_DAYS, CA)), is_implicit=True) as server,
        socket.create_connection(("127.0.0.1", server.port), 5) as plain,
        context.wrap_socket(plain, server_hostname="mx.mail.test") as secured,
    ):
        shown = peer_certificate(secured)
    file = tmp_path / "fullchain.pem"
    file.write_bytes(SIX_DAYS.pem + CA.pem)
    assert shown is not None
    assert shown.lifetime_days == pytest.approx(6.67, abs=0.001)
    assert shown == read_leaf(SIX_DAYS.der).about == read_leaf_file(str(file)).about
