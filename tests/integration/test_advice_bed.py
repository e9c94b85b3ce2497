"""Advice on what a real Postfix and a real Dovecot can be made to say."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailmon.clients.server import Keys
from mailmon.mail.advice import advice_on
from tests.bed import Bed
from tests.bed import postfix as bed_postfix
from tests.bed.clients import imap_session
from tests.monitor import Monitor, Run

STEP = {"login": "smtp_auth:main", "mail": "send:main", "imap": "imap_auth:main"}


@pytest.fixture
def postfix(bed: Bed) -> Iterator[Path]:
    """Put main.cf back as it was after a test."""
    bed.reset()
    path = bed.directory / "postfix" / "main.cf"
    before = path.read_text()
    yield bed.directory
    path.write_text(before)
    bed_postfix.reload(bed.directory)


@pytest.fixture
def users(bed: Bed) -> Iterator[Path]:
    """Put Dovecot's users and configuration back as they were after a test."""
    bed.reset()
    paths = [bed.directory / "users", bed.directory / "dovecot.conf"]
    before = [path.read_text() for path in paths]
    yield paths[0]
    for path, text in zip(paths, before, strict=True):
        path.write_text(text)
    os.kill(bed.processes["dovecot"], signal.SIGHUP)
    wait_for_login(bed)


def wait_for_login(bed: Bed, answer: str = "") -> None:
    """Wait until Dovecot answers logins, with certain words if any are given: its processes change one by one."""
    deadline_s, agreed = time.monotonic() + 20, 0
    while agreed < 4:
        said = answer_of_login(bed)
        agreed = agreed + 1 if said and answer in said else 0
        assert time.monotonic() < deadline_s, said
        time.sleep(0.1)


def answer_of_login(bed: Bed) -> str:
    context = ssl.create_default_context(cafile=str(bed.ca_file))
    with (
        contextlib.suppress(OSError),
        socket.create_connection(("127.0.0.1", bed.ports["imaps"]), 5) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as sock,
        sock.makefile("rb") as lines,
    ):
        lines.readline()
        sock.sendall(f"a LOGIN {bed.user} {bed.password}\r\n".encode())
        answer = lines.readline().decode()
        sock.sendall(b"b LOGOUT\r\n")
        return answer
    return ""


def check(bed: Bed, directory: Path, smtp: dict[str, Any] | None = None, to: str = "", **more: Any) -> Run:
    trust = {"host": "localhost", "ca_file": str(bed.ca_file), "timeout_s": 10}
    account: dict[str, Any] = {
        "address": bed.user,
        "password": bed.password,
        "smtp": smtp or {"port": bed.ports["submission"], "security": "starttls", **trust},
        "imap": {"port": bed.ports["imaps"], "security": "tls", **trust},
        **more,
    }
    routes = {"main": {"from": "main", "to": to or bed.user, "in": "main", "receive_timeout_s": 1}}
    return Monitor(directory, {"accounts": {"main": account}, "routes": routes, "notify": "none"}).check("--json")


def assert_advised(run: Run, step_id: str, said: str, cause: str) -> None:
    step = run.step(step_id)
    assert said in step["message"]
    advice = Keys("accounts.main.smtp").named(advice_on(cause), "smtp")
    assert advice in step["advice"], step


PARAMETERS = {
    "helo": "smtpd_helo_restrictions", "sender": "smtpd_sender_restrictions",
    "recipient": "smtpd_recipient_restrictions", "sender_login": "smtpd_sender_login_maps",
}  # fmt: skip
# Where a restriction is put, what Postfix says by it, and the cause.
POSTFIX = [
    ({"helo": "check_helo_access static:{450 4.7.1 Host not found}"}, "Helo command rejected", "helo-refused"),
    ({"sender": "reject_sender_login_mismatch", "sender_login": "static:x@mail.test"}, "not owned", "sender-not-yours"),
    ({"sender": "check_sender_access static:{450 4.1.8 Domain not found}"}, "450 4.1.8", "sender-domain-unresolved"),
    ({"recipient": "reject_unknown_client_hostname"}, "cannot find your hostname", "reverse-dns"),
    ({"recipient": "reject_unauth_destination"}, "Relay access denied", "relaying-denied"),
    ({"recipient": "check_recipient_access static:{550 5.1.1 User unknown}"}, "User unknown", "recipient-unknown"),
    ({"recipient": "check_client_access static:{554 5.7.1 Access denied}"}, "Client host rejected", "client-refused"),
    ({"recipient": "check_recipient_access static:defer"}, "450 4.7.1", "refused-for-now"),
    ({"recipient": "check_recipient_access fail:lookup"}, "Server configuration error", "server-fault"),
    ({"header_checks": "regexp:{{/^Subject:/ REJECT}}"}, "message content rejected", "content-refused"),
    ({"message_size_limit": "200"}, "552 5.3.4", "message-too-large"),
    ({"queue_minfree": "9000000000000000", "message_size_limit": "1000000"}, "452 4.3.1", "server-full"),
]  # fmt: skip


@pytest.mark.parametrize(("parameters", "said", "cause"), POSTFIX, ids=[cause for _, _, cause in POSTFIX])
def test_postfix_refuses_and_the_advice_says_what_to_do(
    bed: Bed, postfix: Path, tmp_path: Path, parameters: dict[str, str], said: str, cause: str
) -> None:
    for name, value in parameters.items():
        bed_postfix.set_parameter(postfix, PARAMETERS.get(name, name), value)
    bed_postfix.reload(postfix)
    to = "somebody@elsewhere.test" if cause == "relaying-denied" else ""
    assert_advised(check(bed, tmp_path, to=to), "send:main", said, cause)


def test_postfix_has_enough_of_our_messages_or_connections(bed: Bed, postfix: Path, tmp_path: Path) -> None:
    bed_postfix.set_parameter(postfix, "smtpd_client_message_rate_limit", "1")
    bed_postfix.reload(postfix)
    check(bed, tmp_path)
    assert_advised(check(bed, tmp_path), "send:main", "too much mail from", "sending-limit")
    bed_postfix.set_parameter(postfix, "smtpd_client_connection_rate_limit", "1")
    bed_postfix.reload(postfix)
    check(bed, tmp_path)
    assert_advised(check(bed, tmp_path), "smtp_auth:main", "421 4.7.0", "too-many-connections")


@pytest.mark.parametrize(
    ("security", "said", "cause"),
    [("plain", "STARTTLS", "tls-needed"), ("starttls", "Client host rejected: Access denied", "client-refused")],
)
def test_postfix_wants_tls_or_a_login_on_its_submission_port(
    bed: Bed, tmp_path: Path, security: str, said: str, cause: str
) -> None:
    bed.reset()
    trust = {"ca_file": str(bed.ca_file)} if security != "plain" else {}
    smtp = {"host": "localhost", "port": bed.ports["submission"], "auth": "none", "security": security, **trust}
    run = check(bed, tmp_path, smtp=smtp)
    assert_advised(run, "send:main", said, cause)


def test_a_wrong_password_is_one_by_each_protocol(bed: Bed, tmp_path: Path) -> None:
    bed.reset()
    run = check(bed, tmp_path, password="wrong")
    assert_advised(run, "smtp_auth:main", "535 5.7.8", "wrong-credentials")
    assert_advised(run, "imap_auth:main", "[AUTHENTICATIONFAILED]", "wrong-credentials")


def reconfigure(bed: Bed, old: str, new: str) -> None:
    path = bed.directory / "dovecot.conf"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    os.kill(bed.processes["dovecot"], signal.SIGHUP)


def test_dovecot_allows_no_more_connections(bed: Bed, users: Path, tmp_path: Path) -> None:
    reconfigure(bed, "mail_max_userip_connections = 200", "mail_max_userip_connections = 1")
    wait_for_login(bed)
    with imap_session(bed):
        run = check(bed, tmp_path)
    assert_advised(run, "imap_auth:main", "Maximum number of connections", "too-many-connections")
    assert "(temporary)" in run.step("imap_auth:main")["message"]


def test_dovecot_cannot_verify_a_login(bed: Bed, users: Path, tmp_path: Path) -> None:
    script = tmp_path / "checkpassword"
    script.write_text("#!/bin/sh\nexit 111\n")  # checkpassword's word for a temporary problem
    script.chmod(0o755)
    tmp_path.chmod(0o755)
    reconfigure(bed, f"passwd-file\n  args = username_format=%u {users}", f"checkpassword\n  args = {script}")
    wait_for_login(bed, "emporary")
    run = check(bed, tmp_path)
    # Postfix 3.7 says of it what it says of a wrong password.
    assert_advised(run, "imap_auth:main", "emporary authentication failure", "login-service-down")
    assert "(temporary)" in run.step("imap_auth:main")["message"]


def test_dovecot_lets_somebody_in_whose_mail_it_cannot_open(bed: Bed, users: Path, tmp_path: Path) -> None:
    reconfigure(bed, f"mail_location = maildir:{bed.directory}/mail/%n", "mail_location = maildir:/proc/nothing/%n")
    time.sleep(1)
    run = check(bed, tmp_path)
    step = next(step for step in run.document["steps"] if step["status"] == "failed")
    assert "Internal error" in step["message"]
    assert "password" not in step["advice"]


def test_dovecot_disabled_the_account(bed: Bed, users: Path, tmp_path: Path) -> None:
    users.write_text("".join(f"{line}nologin\n" for line in users.read_text().splitlines()))
    wait_for_login(bed, "Login disabled")
    run = check(bed, tmp_path)
    assert_advised(run, "imap_auth:main", "Login disabled", "account-disabled")
