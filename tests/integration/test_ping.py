"""Pings to an outside watcher, and the test message."""

from __future__ import annotations

import http.server
import signal
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.embedded import kinds
from tests.monitor import Monitor

UUID = "5f9f5a1e-4a52-4c7b-8a3e-3d7f6d1c2b1a"


@pytest.fixture
def pinged(monitor: Monitor, receiver: Receiver) -> Monitor:
    """A monitor with a ping address and no other channel."""
    monitor.config |= {"notify": "none", "ping": {"url": f"{receiver.url}/{UUID}"}}
    return monitor


def test_a_good_run_pings_at_its_start_and_at_its_end(pinged: Monitor, receiver: Receiver) -> None:
    assert pinged.check().exit_code == 0
    assert [request.path for request in receiver.requests] == [f"/{UUID}/start", f"/{UUID}"]
    assert b"receive:main: ok: Email delivered in 0." in receiver.requests[1].body


def test_a_failed_run_pings_fail_and_says_why(pinged: Monitor, sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.faults.refuse_login = {"smtp"}
    assert pinged.check().exit_code == 1
    assert [request.path for request in receiver.requests] == [f"/{UUID}/start", f"/{UUID}/fail"]
    assert b"535 5.7.8" in receiver.requests[1].body


def test_a_run_with_a_warning_only_is_a_success(pinged: Monitor, sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.faults.duplicate = True
    assert pinged.check().exit_code == 0
    assert receiver.requests[-1].path == f"/{UUID}"


@pytest.mark.parametrize("status", [404, 500])
def test_a_ping_that_is_refused_changes_no_exit_code(pinged: Monitor, receiver: Receiver, status: int) -> None:
    receiver.status = status
    assert pinged.check().exit_code == 0


def test_a_watcher_that_cannot_be_reached_changes_no_exit_code_and_holds_nothing_up(pinged: Monitor) -> None:
    pinged.config["ping"]["url"] = f"http://127.0.0.1:1/{UUID}"
    run = pinged.check()
    assert run.exit_code == 0
    assert run.took_s < 3


@pytest.mark.slow
def test_a_watcher_that_hangs_changes_no_exit_code(pinged: Monitor, receiver: Receiver) -> None:
    receiver.hang = True
    run = pinged.check()
    assert run.exit_code == 0
    assert run.took_s < 15


def test_a_run_that_finds_the_lock_held_pings_nothing(pinged: Monitor, sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.faults.delivery_delay_s = 0.3
    with pinged.start(["check"]) as first:
        until_s = time.monotonic() + 10
        while not sandbox.accepted and time.monotonic() < until_s:
            time.sleep(0.005)
        first.send_signal(signal.SIGSTOP)
        try:
            assert pinged.check().exit_code == 75
        finally:
            first.send_signal(signal.SIGCONT)
        first.communicate(timeout=20)
    assert [request.path for request in receiver.requests] == [f"/{UUID}/start", f"/{UUID}"]


def test_notify_test_says_what_came_back_from_each_channel(monitor: Monitor, receiver: Receiver) -> None:
    monitor.config["notify"]["chat"] = {"type": "discord", "webhook": f"{receiver.url}/hook"}
    monitor.config["ping"] = {"url": f"{receiver.url}/{UUID}"}
    run = monitor.run("notify", "test")
    assert run.exit_code == 0
    assert run.stdout.splitlines() == [
        f"✓ ntfy: {receiver.url} answered 200",
        "✓ chat: Discord answered 200",
        "✓ ping: the ping URL answered 200",
    ]
    assert kinds(receiver) == ["test"]
    assert "✅\n" in str(receiver.ntfy_messages()[0]["message"])
    assert not monitor.state_file.exists()


def test_notify_test_of_one_channel_asks_no_other(monitor: Monitor, receiver: Receiver) -> None:
    monitor.config["notify"]["chat"] = {"type": "discord", "webhook": f"{receiver.url}/hook"}
    run = monitor.run("notify", "test", "chat", "--json")
    assert run.document == {
        "schema": "mailmon/notify/1",
        "channels": [{"channel": "chat", "status": "sent", "message": "Discord answered 200"}],
    }
    assert [request.path for request in receiver.requests] == ["/hook?wait=true"]


def test_notify_test_fails_with_the_words_of_the_receiver(monitor: Monitor, receiver: Receiver) -> None:
    receiver.status, receiver.body = 403, b'{"error": "forbidden\x1b[0m"}'
    run = monitor.run("notify", "test")
    assert run.exit_code == 69
    assert run.stdout.startswith(f"❌ ntfy: ntfy at {receiver.url}: answered 403: ")
    assert "forbidden\\x1b[0m" in run.stdout
    assert monitor.run("notify", "test", "--json").document["channels"][0]["status"] == "failed"


def test_notify_test_of_a_channel_that_is_not_there_names_those_that_are(monitor: Monitor) -> None:
    run = monitor.run("notify", "test", "nfty")
    assert run.exit_code == 2
    assert "unknown channel 'nfty' (configured: ntfy" in run.stderr
    monitor.config["notify"] = "none"
    assert monitor.run("notify", "test").exit_code == 78


class _Taker(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        answer = b'{"id":"abc"}'
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def https(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server with TLS whose CA only its file knows: its address and that file."""
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    ca_file = tmp_path / "web-ca.pem"
    ca_file.write_bytes(ca.cert_pem.bytes())
    with http.server.HTTPServer(("127.0.0.1", 0), _Taker) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"https://127.0.0.1:{server.server_address[1]}", ca_file
        server.shutdown()


@pytest.mark.parametrize("way", ["none", "ca_file", "SSL_CERT_FILE"])
def test_a_receiver_with_a_ca_of_its_own_is_trusted_where_the_ca_is_named(
    monitor: Monitor, https: tuple[str, Path], way: str
) -> None:
    url, ca_file = https
    channel = {"server": url, "topic": "x"}
    monitor.config["notify"] = {"ntfy": channel}
    if way == "ca_file":
        channel["ca_file"] = str(ca_file)
    elif way == "SSL_CERT_FILE":
        monitor.environ["SSL_CERT_FILE"] = str(ca_file)
    run = monitor.run("notify", "test")
    assert run.exit_code == (69 if way == "none" else 0), run.stdout
    if way == "none":
        assert "the issuer of the certificate is unknown" in run.stdout


def test_a_ca_file_of_a_receiver_counts_from_the_directory_of_the_configuration(
    monitor: Monitor, https: tuple[str, Path]
) -> None:
    """As the ca_file of a mail server does."""
    url, ca_file = https
    monitor.config["notify"] = {"ntfy": {"server": url, "topic": "x", "ca_file": ca_file.name}}
    run = monitor.run("notify", "test")
    assert run.exit_code == 0, run.stdout
