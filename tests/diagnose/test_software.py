"""Each server gets the fix for its own software: scripted servers that offer logins in clear."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from mailmon.cli import cli
from mailmon.diagnose.plan import KINDS, Options, Request
from mailmon.diagnose.run import diagnose
from mailmon.model import Verdict
from mailmon.model.diagnosis import Diagnosis

REPLIES = {
    "submission": {
        "EHLO": "250-mail.example.org\r\n250 AUTH PLAIN LOGIN",
        "RCPT": "550 5.7.1 relaying denied",
        "QUIT": "221 bye",
    },
    "imap": {
        "CAPABILITY": "* CAPABILITY IMAP4rev1 ID AUTH=PLAIN\r\nTAG OK done",
        "ID": '* ID ("name" "Cyrus IMAPD" "version" "3.6.1")\r\nTAG OK done',
    },
    "pop3": {"CAPA": "+OK\r\nUSER\r\nIMPLEMENTATION Dovecot\r\n."},
}
_OTHER = {"submission": "250 2.0.0 ok", "imap": "TAG BAD no", "pop3": "-ERR no"}


@contextlib.contextmanager
def scripted(kind: str, greeting: str, **more: str) -> Iterator[int]:
    """Run a server that greets so and answers each command by its first word; yield its port."""
    replies = REPLIES[kind] | more
    listener = socket.create_server(("127.0.0.1", 0))

    def talk(sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock, sock.makefile("rb") as stream:
            sock.sendall(greeting.encode() + b"\r\n")
            for line in stream:
                tag, *words = ["", *line.decode("latin-1").split(), ""][kind == "imap" :]
                reply = replies.get(words[0].upper(), _OTHER[kind])
                sock.sendall(reply.replace("TAG", tag).encode() + b"\r\n")

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                sock.settimeout(10)
                threading.Thread(target=talk, args=(sock,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def look(kind: str, port: int) -> Diagnosis:
    request = Request(
        "127.0.0.1", (KINDS[kind]._replace(port=port),), is_whole_host=False, nameservers=(("127.0.0.1", 9),)
    )
    return diagnose(request, Options(timeout_s=1.0, relay="none"))


@pytest.mark.parametrize(
    ("kind", "greeting", "software", "words"),
    [
        ("submission", "220 mail.example.org ESMTP Exim 4.96", "Exim", "auth_advertise_hosts = "),
        ("submission", "220 mail.example.org ESMTP OpenSMTPD", "OpenSMTPD", "tls-require"),
        ("submission", "220 mail.example.org ESMTP Sendmail 8.17.1", "Sendmail", "confAUTH_OPTIONS"),
        ("submission", "220 mail.example.org ESMTP Postfix", "Postfix", "smtpd_tls_auth_only = yes"),
        ("imap", "* OK ready", "Cyrus", "allowplaintext: 0"),
        ("pop3", "+OK ready", "Dovecot", "disable_plaintext_auth = yes"),
        ("imap", "* OK Courier-IMAP ready.", "Courier", "IMAP_TLS_REQUIRED=1"),
    ],
)
def test_the_fix_is_for_the_software_that_greets(kind: str, greeting: str, software: str, words: str) -> None:
    with scripted(kind, greeting) as port:
        found = look(kind, port)
    assert [one.software for one in found.services] == [software]
    (fix,) = [one.fix for one in found.findings if one.id.endswith(".auth_before_tls") and one.status is Verdict.FAIL]
    assert words in fix
    assert software in fix
    others = {"Exim", "OpenSMTPD", "Sendmail", "Postfix", "Cyrus", "Dovecot", "Courier"} - {software}
    assert not any(name in one.fix for one in found.findings for name in others)


def test_a_name_that_is_sent_as_a_literal_is_read() -> None:
    told = '* ID ("version" "3.6.1" "name" {11}\r\nCyrus IMAPD)\r\nTAG OK done'
    with scripted("imap", "* OK ready", ID=told) as port:
        found = look("imap", port)
    assert [one.software for one in found.services] == ["Cyrus"]
    assert not any(one.id == "imap.protocol_error" for one in found.findings)


def test_software_that_is_not_known_gets_a_sentence_with_examples() -> None:
    with scripted("submission", "220 mail.example.org ESMTP") as port:
        found = look("submission", port)
    assert [one.software for one in found.services] == [""]
    (fix,) = [one.fix for one in found.findings if one.id == "smtp.auth_before_tls"]
    assert fix == "take passwords only inside TLS; for example Postfix, main.cf:\n  smtpd_tls_auth_only = yes"


def test_the_software_is_in_the_document_and_the_lines_can_be_copied_from_the_text() -> None:
    with scripted("submission", "220 mail.example.org ESMTP Exim 4.96") as port:
        command = ["diagnose", f"127.0.0.1:{port}:submission", "--nameserver", "127.0.0.1:9", "--timeout", "1"]
        document = json.loads(CliRunner().invoke(cli, [*command, "--json"]).stdout)
        text = CliRunner(env={"COLUMNS": "60", "LC_ALL": "C.UTF-8"}).invoke(cli, command).stdout
    assert [one["software"] for one in document["services"]] == ["Exim"]
    assert "        auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}" in text.splitlines()
