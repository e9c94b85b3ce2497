"""IMAP conversations end in time, at the right stage, with the server's words."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from mailmon.clients.imap import ImapClient
from mailmon.clients.server import Security
from mailmon.clients.wire import MAX_LINE_BYTES
from mailmon.errors import Stage, StageError
from mailmon.mail.imapdata import Fetched
from tests.clients.peer import CLOSE, SECRET, USER, Peer, Script

CAPABILITY = b"* CAPABILITY IMAP4rev1 UIDPLUS AUTH=PLAIN\r\nTAG OK done\r\n"
GREETING: Script = [(None, b"* OK ready\r\n"), (b"TAG CAPABILITY", CAPABILITY)]
LOGIN: Script = [*GREETING, (b"TAG LOGIN", b"TAG OK [CAPABILITY IMAP4rev1 UIDPLUS] in\r\n")]
SELECTED = b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 40] x\r\nTAG OK [READ-WRITE] open\r\n"
NUMBER = b"9" * 5000
SELECT: Script = [*LOGIN, (b"TAG SELECT", SELECTED)]


def opened(client: ImapClient) -> None:
    client.open()


def logged_in(client: ImapClient) -> None:
    client.open()
    client.login(USER, SECRET)


def selected(client: ImapClient) -> None:
    logged_in(client)
    client.select("INBOX")


def fetched(client: ImapClient) -> list[Fetched]:
    selected(client)
    client.begin(Stage.ARRIVAL)
    return client.headers_from(1, ("Subject",))


def searched(client: ImapClient) -> list[int]:
    selected(client)
    client.begin(Stage.ARRIVAL)
    return client.search("TEXT", "x")


def noop(client: ImapClient) -> bool:
    selected(client)
    client.begin(Stage.ARRIVAL)
    return client.noop()


def deleted(client: ImapClient) -> bool:
    selected(client)
    client.begin(Stage.CLEANUP)
    return client.delete([Fetched(uid, uid, b"", None) for uid in (1, 2)])


def error(
    script: Script,
    work: Callable[[ImapClient], object],
    *,
    security: Security = Security.PLAIN,
    deadline_s: float = 5.0,
    drip_s: float = 0.0,
) -> StageError:
    """Return how a conversation ended; the credential shows neither in it nor in the transcript."""
    with Peer(script, drip_s=drip_s) as peer:
        client = peer.imap(security, deadline_s)
        try:
            with pytest.raises(StageError) as caught:
                work(client)
        finally:
            client.close()
    assert caught.value.message.startswith(f"{peer.target}: {caught.value.stage}: ")
    for text in (caught.value.message, caught.value.advice, *peer.transcript):
        assert text.isprintable()
        assert SECRET not in text
    return caught.value


@pytest.mark.parametrize(
    ("script", "work", "stage"),
    [
        ([], opened, Stage.GREETING),
        (GREETING[:1], opened, Stage.GREETING),
        (GREETING, logged_in, Stage.LOGIN),
        (LOGIN, selected, Stage.SELECT),
        (SELECT, noop, Stage.ARRIVAL),
        (SELECT, searched, Stage.ARRIVAL),
        ([*SELECT, (b"TAG UID FETCH", b"* 1 FETCH (UID 1 BODY[HEADER] {10}\r\nhalf")], fetched, Stage.ARRIVAL),
        (SELECT, deleted, Stage.CLEANUP),
    ],
)
def test_silence_ends_at_its_stage_in_time(script: Script, work: Callable[[ImapClient], object], stage: Stage) -> None:
    started_s = time.monotonic()
    exc = error(script, work, deadline_s=0.8)
    assert time.monotonic() - started_s < 1.5
    assert (exc.finding_id, exc.stage) == ("imap.timeout", stage)


@pytest.mark.parametrize(
    "chatter", [b"* 1 EXISTS\r\n" * 50, b"* SEARCH" + b" 1" * 300, b"* 1 FETCH (UID 1 BODY[] {900}\r\n" + b"x" * 900]
)
def test_a_dripping_server_is_bounded_in_all(chatter: bytes) -> None:
    started_s = time.monotonic()
    exc = error([(None, b"* OK\r\n"), (b"TAG CAPABILITY", chatter)], opened, drip_s=0.01)
    assert time.monotonic() - started_s < 1.5
    assert exc.finding_id == "imap.timeout"


def told(exc: StageError, stage: Stage, finding_id: str, words: str) -> bool:
    """Say whether a conversation ended at this stage, with these of the server's words and none of Python's."""
    assert (exc.stage, exc.finding_id) == (stage, f"imap.{finding_id}")
    assert "b'" not in exc.said
    return words in exc.said


@pytest.mark.parametrize(
    ("greeting", "capabilities", "finding_id", "words"),
    [
        (b"* BYE too many connections\r\n", b"", "greeting_rejected", "too many connections"),
        (b"220 mail.example.org ESMTP\r\n", b"", "protocol_error", "220 mail.example.org"),
        (b"* OK\r\n", b"* CAPABILITY POP9\r\nTAG OK done\r\n", "greeting_rejected", "IMAP4"),
        (b"* OK\r\n", b"* CAPABILITY \xff\r\nTAG OK done\r\n", "protocol_error", "an answer that makes no sense"),
        (b"x" * (MAX_LINE_BYTES + 70_000), b"", "protocol_error", "a line of more than 65536 bytes"),
        (CLOSE, b"", "connection_lost", "the server closed the connection"),
    ],
)
def test_a_greeting_that_goes_wrong_is_told(greeting: bytes, capabilities: bytes, finding_id: str, words: str) -> None:
    exc = error([(None, greeting), (b"TAG CAPABILITY", capabilities)], opened)
    assert told(exc, Stage.GREETING, finding_id, words)


@pytest.mark.parametrize(
    ("answer", "finding_id", "words"),
    [
        (b"TAG NO [AUTHENTICATIONFAILED] wrong\x1b[1m\r\n", "login_refused", "wrong\\x1b[1m"),
        (f"TAG NO wrong {SECRET}\r\n".encode(), "login_refused", "wrong ****"),
        (b"TAG BAD what\r\n", "login_refused", "what"),
        (b"* BYE gone\r\n" + CLOSE, "connection_lost", "gone"),
        (CLOSE, "connection_lost", "the server closed the connection"),
    ],
)
def test_a_login_that_goes_wrong_is_told(answer: bytes, finding_id: str, words: str) -> None:
    assert told(error([*GREETING, (b"TAG LOGIN", answer)], logged_in), Stage.LOGIN, finding_id, words)


@pytest.mark.parametrize(
    ("answer", "finding_id", "words"),
    [(b"* BYE restarting\r\n" + CLOSE, "connection_lost", "restarting"), (b"TAG BAD no\r\n", "command_failed", "no")],
)
def test_what_goes_wrong_right_behind_a_good_login_is_told(answer: bytes, finding_id: str, words: str) -> None:
    script = [*GREETING, (b"TAG LOGIN", b"TAG OK in\r\n"), (b"TAG CAPABILITY", answer)]
    assert told(error(script, logged_in), Stage.LOGIN, finding_id, words)


@pytest.mark.parametrize("is_hesitant", [False, True])
def test_a_bye_during_the_login_ends_it_though_the_connection_stays_open(is_hesitant: bool) -> None:
    hello = (b"TAG CAPABILITY", b"* CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=PLAIN\r\nTAG OK done\r\n")
    bye = b"* BYE too many connections\r\n"
    begun = (b"TAG AUTHENTICATE PLAIN", b"+ \r\n" if is_hesitant else bye)
    started_s = time.monotonic()
    exc = error([GREETING[0], hello, begun, (b"", bye if is_hesitant else b"")], logged_in)
    assert told(exc, Stage.LOGIN, "connection_lost", "too many connections")
    assert time.monotonic() - started_s < 1.5


def test_a_server_that_forbids_the_login_gets_none() -> None:
    hello = (b"TAG CAPABILITY", b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\nTAG OK done\r\n")
    exc = error([GREETING[0], hello, (b"bye LOGOUT", b"")], logged_in)
    assert told(exc, Stage.LOGIN, "auth_not_offered", "the server allows no login here")


@pytest.mark.parametrize(
    ("answer", "finding_id", "words"),
    [
        (b"TAG NO [NONEXISTENT] no such mailbox\r\n", "select_failed", "no such mailbox"),
        (b"* " + NUMBER + b" EXISTS\r\nTAG OK [READ-WRITE] open\r\n", "protocol_error", ""),
    ],
)
def test_a_folder_that_cannot_be_opened_is_told(answer: bytes, finding_id: str, words: str) -> None:
    assert told(error([*LOGIN, (b"TAG SELECT", answer)], selected), Stage.SELECT, finding_id, words)


@pytest.mark.parametrize(
    ("work", "answer", "finding_id", "words"),
    [
        (noop, b"* BYE shutting down\r\n" + CLOSE, "connection_lost", "shutting down"),
        (searched, b"TAG BAD unknown\r\n", "command_failed", "unknown"),
        (searched, b"* SEARCH " + NUMBER + b"\r\nTAG OK done\r\n", "protocol_error", ""),
        (fetched, b"* 1 FETCH (UID 1 BODY[] {99999999}\r\n", "protocol_error", "announces 99999999 bytes"),
        (fetched, b"* 1 FETCH (UID 1 BODY[] {" + NUMBER + b"}\r\n", "protocol_error", ""),
        (fetched, b"* 1 FETCH (UID " + NUMBER + b" BODY[] {1}\r\nx)\r\nTAG OK done\r\n", "protocol_error", ""),
        (fetched, b"* \xff\xfe\r\n\x00\r\nTAG OK done\r\n", "protocol_error", ""),
    ],
)
def test_a_command_that_goes_wrong_is_told(
    work: Callable[[ImapClient], object], answer: bytes, finding_id: str, words: str
) -> None:
    assert told(error([*SELECT, (b"TAG ", answer)], work), Stage.ARRIVAL, finding_id, words)


def test_a_deletion_that_is_not_allowed_is_told() -> None:
    exc = error([*SELECT, (b"TAG UID STORE", b"TAG NO not permitted\r\n")], deleted)
    assert told(exc, Stage.CLEANUP, "command_failed", "not permitted")


def test_a_refused_login_advises_to_look_at_the_password() -> None:
    exc = error([*GREETING, (b"TAG LOGIN", b"TAG NO Login incorrect.\r\n")], logged_in)
    assert exc.advice == "Check the password file; the login name is case-sensitive on some servers."


@pytest.mark.parametrize(
    ("answer", "finding_id"),
    [
        (b"TAG NO not now\r\n", "imap.starttls_refused"),
        (b"TAG OK go\r\n* OK injected\r\n", "imap.starttls_injection"),
        (b"TAG OK go\r\n" + CLOSE, "imap.connection_lost"),
    ],
)
def test_a_starttls_that_goes_wrong_ends_the_conversation(answer: bytes, finding_id: str) -> None:
    hello = (b"TAG CAPABILITY", b"* CAPABILITY IMAP4rev1 STARTTLS\r\nTAG OK done\r\n")
    exc = error([GREETING[0], hello, (b"TAG STARTTLS", answer)], opened, security=Security.STARTTLS)
    assert (exc.finding_id, exc.stage) == (finding_id, Stage.TLS)


@pytest.mark.parametrize("greeting", [b"* OK ready\r\n", b"* PREAUTH in already\r\n"])
def test_without_starttls_the_login_is_never_sent(greeting: bytes) -> None:
    with Peer([(None, greeting), (b"TAG CAPABILITY", CAPABILITY), (b"bye LOGOUT", b"")]) as peer:
        client = peer.imap(Security.STARTTLS)
        with pytest.raises(StageError) as caught:
            logged_in(client)
        client.close()
    assert (caught.value.finding_id, caught.value.stage) == ("imap.starttls_missing", Stage.TLS)
    assert not any(b"LOGIN" in line for line in peer.received)


def test_a_server_that_is_logged_in_from_the_start_gets_no_password() -> None:
    hello = (b"TAG CAPABILITY", b"* CAPABILITY IMAP4rev1 STARTTLS\r\nTAG OK done\r\n")
    exc = error([(None, b"* PREAUTH in\r\n"), hello], logged_in, security=Security.STARTTLS)
    assert (exc.stage, exc.finding_id, exc.is_critical) == (Stage.TLS, "imap.starttls_refused", True)
    assert "PREAUTH" in exc.said


def test_plain_text_on_the_tls_port_is_told() -> None:
    exc = error([(None, b"* OK [CAPABILITY IMAP4rev1] ready in clear\r\n")], opened, security=Security.TLS)
    assert (exc.finding_id, exc.stage) == ("imap.plaintext_on_tls_port", Stage.TLS)


def test_a_server_that_lets_everybody_in_is_told_as_critical() -> None:
    capability = (b"TAG CAPABILITY", b"* CAPABILITY IMAP4rev1\r\nTAG OK done\r\n")
    exc = error([(None, b"* PREAUTH in\r\n"), capability, (b"bye LOGOUT", b"")], logged_in)
    assert (exc.finding_id, exc.stage, exc.is_critical) == ("imap.preauth", Stage.GREETING, True)
    assert "whoever connects is logged in" in exc.said
    assert "password file" not in exc.advice


@pytest.mark.parametrize("offer", [b"", b" AUTH=GSSAPI", b" AUTH=XOAUTH2 AUTH=NTLM"])
@pytest.mark.parametrize("password", ["grün", "a\tb"])
def test_a_password_that_the_server_has_no_form_for_is_not_sent(password: str, offer: bytes) -> None:
    capability = (b"TAG CAPABILITY", b"* CAPABILITY IMAP4rev1" + offer + b"\r\nTAG OK done\r\n")
    with Peer([(None, b"* OK ready\r\n"), capability, (b"bye LOGOUT", b"")]) as peer:
        client = peer.imap()
        client.open()
        with pytest.raises(StageError) as caught:
            client.login(USER, password)
        client.close()
    assert caught.value.finding_id == "imap.auth_not_offered"
    assert "beyond ASCII" in caught.value.said
    assert "AUTH=PLAIN" in caught.value.advice
    assert not any(b"AUTHENTICATE" in line or b"LOGIN" in line for line in peer.received)


def test_what_is_offered_on_two_lines_is_one_offer() -> None:
    capability = b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n* CAPABILITY AUTH=PLAIN\r\nTAG OK done\r\n"
    login = (b"TAG AUTHENTICATE PLAIN", b"TAG NO x\r\n")
    with Peer([(None, b"* OK ready\r\n"), (b"TAG CAPABILITY", capability), login]) as peer:
        client = peer.imap()
        client.open()
        with pytest.raises(StageError, match="x"):
            client.login(USER, SECRET)
        client.close()


@pytest.mark.parametrize(
    ("password", "line"),
    [
        (SECRET, f'LOGIN "{USER}" "{SECRET}"'),
        ("a b", f'LOGIN "{USER}" "a b"'),
        ('a"b', "AUTHENTICATE PLAIN"),
        ("a\\b", "AUTHENTICATE PLAIN"),
        ("grün", "AUTHENTICATE PLAIN"),
    ],
)
def test_a_password_of_any_signs_is_sent_as_the_server_reads_it(password: str, line: str) -> None:
    with Peer([*GREETING, (f"TAG {line[:5]}".encode(), b"TAG NO x\r\n")]) as peer:
        client = peer.imap()
        client.open()
        with pytest.raises(StageError, match="x"):
            client.login(USER, password)
        client.close()
    assert peer.received[-1].partition(b" ")[2].decode().strip().replace(f'"{USER}"', USER) == line.replace(
        f'"{USER}"', USER
    )
