"""POP3 conversations end in time, at the right stage, with the server's words."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailmon.clients.pop3 import LoginTooSoonError, Pop3Client
from mailmon.clients.pop3_folder import Numbers, Pop3Folder
from mailmon.clients.server import Security
from mailmon.errors import Stage, StageError
from mailmon.mail.message.header import only_fields, received_at
from tests.clients.peer import CLOSE, SECRET, USER, Peer, Script

CAPA = b"+OK\r\nUSER\r\nTOP\r\nUIDL\r\nLOGIN-DELAY 4\r\n.\r\n"
GREETING: Script = [(None, b"+OK ready\r\n"), (b"CAPA", CAPA)]
LOGIN: Script = [*GREETING, (b"USER ", b"+OK\r\n"), (b"PASS ", b"+OK in\r\n"), (b"CAPA", CAPA)]
TOKEN: Script = [
    (None, b"+OK\r\n"),
    (b"CAPA", b"+OK\r\nSASL XOAUTH2\r\n.\r\n"),
    (b"AUTH XOAUTH2", b"+ \r\n"),
    (b"", b"+ e30=\r\n"),
    (b"", b"-ERR no\r\n"),
]
UNREMOVED: Script = [(b"DELE", b"+OK\r\n"), (b"QUIT", b"-ERR not removed\r\n")]


def opened(client: Pop3Client) -> None:
    client.open()


def logged_in(client: Pop3Client) -> None:
    client.open()
    client.login(USER, SECRET)


def with_token(client: Pop3Client) -> None:
    client.open()
    client.login_with_token(USER, SECRET)


def listed(client: Pop3Client) -> dict[int, str]:
    logged_in(client)
    return client.unique_ids()


def fetched(client: Pop3Client) -> bytes:
    logged_in(client)
    client.begin(Stage.ARRIVAL)
    return client.start_of(1, 0)


def ended(client: Pop3Client) -> None:
    logged_in(client)
    client.begin(Stage.CLEANUP)
    client.delete(1)
    client.quit()


def error(
    script: Script,
    work: Callable[[Pop3Client], object],
    *,
    security: Security = Security.PLAIN,
    deadline_s: float = 5.0,
) -> StageError:
    """Return how a conversation ended; the credential shows neither in it nor in the transcript."""
    with Peer(script) as peer:
        client = peer.pop3(security, deadline_s)
        try:
            with pytest.raises(StageError) as caught:
                work(client)
        finally:
            client.close()
    for text in (caught.value.message, caught.value.advice, *peer.transcript):
        assert text.isprintable()
        assert SECRET not in text
        assert b64encode(SECRET.encode()).decode() not in text
    return caught.value


@pytest.mark.parametrize(
    ("script", "work", "stage"),
    [
        ([], opened, Stage.GREETING),
        (GREETING[:1], opened, Stage.GREETING),
        (GREETING, logged_in, Stage.LOGIN),
        ([*GREETING, (b"USER", b"+OK\r\n")], logged_in, Stage.LOGIN),
        (LOGIN, listed, Stage.SELECT),
        ([*LOGIN, (b"UIDL", b"+OK\r\n1 a\r\n")], listed, Stage.SELECT),
        (LOGIN, fetched, Stage.ARRIVAL),
        (LOGIN, ended, Stage.CLEANUP),
    ],
)
def test_silence_ends_at_its_stage_in_time(script: Script, work: Callable[[Pop3Client], object], stage: Stage) -> None:
    started_s = time.monotonic()
    exc = error(script, work, deadline_s=0.8)
    assert time.monotonic() - started_s < 1.5
    assert (exc.finding_id, exc.stage) == ("pop3.timeout", stage)


@pytest.mark.parametrize(
    ("script", "work", "finding_id", "words"),
    [
        ([(None, b"-ERR too many\r\n")], opened, "pop3.greeting_rejected", "too many"),
        ([(None, b"* OK IMAP\r\n")], opened, "pop3.protocol_error", "not a POP3 reply: * OK IMAP"),
        ([(None, b"+OK half" + CLOSE)], opened, "pop3.connection_lost", "closed"),
        ([*GREETING, (b"USER", b"-ERR [AUTH] who\r\n")], logged_in, "pop3.login_refused", "[AUTH] who"),
        ([*LOGIN[:3], (b"PASS", b"-ERR [IN-USE] locked\r\n")], logged_in, "pop3.in_use", "[IN-USE] locked"),
        ([(None, b"+OK\r\n"), (b"CAPA", b"+OK\r\nSASL GSSAPI\r\n.\r\n")], logged_in, "pop3.auth_not_offered", "GSSAPI"),
        (TOKEN, with_token, "pop3.login_refused", "no"),
        ([*LOGIN, (b"UIDL", b"-ERR unknown\r\n")], listed, "pop3.uidl_missing", "unknown"),
        ([*LOGIN, (b"TOP 1 0", b"-ERR no such message\r\n")], fetched, "pop3.command_failed", "no such message"),
        ([*LOGIN, *UNREMOVED], ended, "pop3.command_failed", "not removed"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_told(
    script: Script, work: Callable[[Pop3Client], object], finding_id: str, words: str
) -> None:
    exc = error(script, work)
    assert exc.finding_id == finding_id
    assert words in exc.said


CAPA_OF = b"+OK\r\nUSER\r\nLOGIN-DELAY %s\r\n.\r\n"


@pytest.mark.parametrize("number", [b"1" * 5000, "²".encode(), "١".encode(), b"-1", b"+1", b"1_0", b"0x1", b"1e3"])
def test_a_number_that_is_none_is_the_servers_fault(number: bytes) -> None:
    """A UIDL of 5,000 digits, or a superscript as the pause between logins, was told as a bug in mailmon (exit 70)."""
    exc = error([*LOGIN, (b"UIDL", b"+OK\r\n" + number + b" a\r\n.\r\n")], listed)
    assert (exc.finding_id, "not a line of an answer to UIDL" in exc.said) == ("pop3.protocol_error", True)
    exc = error([GREETING[0], (b"CAPA", CAPA_OF % number)], opened)
    assert (exc.finding_id, "not a number of seconds" in exc.said) == ("pop3.protocol_error", True)


@pytest.mark.parametrize("way", ["USER", "AUTH"])
def test_a_login_that_comes_too_soon_is_told_as_such_with_the_pause(way: str) -> None:
    refusal = b"-ERR [LOGIN-DELAY] Logins must be at least 1 minute apart\r\n"
    script = [GREETING[0], (b"CAPA", CAPA_OF % b"60 USER"), (b"USER", b"+OK\r\n"), (b"PASS", refusal)]
    if way == "AUTH":
        capa = b"+OK\r\nSASL PLAIN\r\nLOGIN-DELAY 60\r\n.\r\n"
        script = [GREETING[0], (b"CAPA", capa), (b"AUTH PLAIN", refusal)]
    exc = error(script, logged_in)
    assert isinstance(exc, LoginTooSoonError)
    assert (exc.finding_id, exc.delay_s, exc.is_temporary) == ("pop3.login_delay", 60.0, True)


def test_the_pause_for_this_user_counts_and_not_the_longest_of_all() -> None:
    after = b"+OK\r\nLOGIN-DELAY 5\r\n.\r\n"
    script = [
        GREETING[0],
        (b"CAPA", CAPA_OF % b"900 USER"),
        (b"USER", b"+OK\r\n"),
        (b"PASS", b"+OK\r\n"),
        (b"CAPA", after),
    ]
    with Peer(script) as peer:
        client = _ready(peer)
        assert client.login_delay_s == 5.0
        client.close()


def test_a_list_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailmon.clients.pop3.MAX_LISTED", 50)
    exc = error([*LOGIN, (b"UIDL", b"+OK\r\n" + b"1 a\r\n" * 60)], listed)
    assert (exc.finding_id, exc.said) == ("pop3.protocol_error", "an answer of more than 50 lines")


def test_without_stls_nothing_is_sent() -> None:
    assert error(GREETING, logged_in, security=Security.STARTTLS).finding_id == "pop3.starttls_missing"


def test_what_comes_in_clear_behind_stls_is_an_injection() -> None:
    capa = (b"CAPA", b"+OK\r\nSTLS\r\n.\r\n")
    script = [GREETING[0], capa, (b"STLS", b"+OK go\r\n+OK injected\r\n")]
    assert error(script, opened, security=Security.STARTTLS).finding_id == "pop3.starttls_injection"


def test_a_message_is_read_without_its_stuffed_dots_and_with_lines_of_any_length() -> None:
    raw = b"Subject: x\r\n\r\n..dot\r\n" + b"y" * 9000 + b"\r\n.\r\n"
    with Peer([*LOGIN, (b"TOP 1 0", b"+OK\r\n" + raw)]) as peer:
        client = peer.pop3()
        assert fetched(client) == b"Subject: x\r\n\r\n.dot\r\n" + b"y" * 9000
        assert client.login_delay_s == 4.0
        client.close()


def test_a_server_without_capa_and_top_is_read_all_the_same() -> None:
    no = b"-ERR unknown\r\n"
    script = [(None, b"+OK\r\n"), (b"CAPA", no), (b"USER", b"+OK\r\n"), (b"PASS", b"+OK\r\n"), (b"CAPA", no)]
    with Peer([*script, (b"UIDL", b"+OK\r\n1 a\r\nrubbish\r\n.\r\n"), (b"QUIT", b"+OK\r\n")]) as peer:
        folder = Pop3Folder(lambda: _ready(peer), Numbers())
        assert (folder.exists, folder.uid_next, folder.find_field("X", 1)) == (1, 2, [1])
        folder.close()


def _ready(peer: Peer) -> Pop3Client:
    client = peer.pop3()
    logged_in(client)
    return client


def test_a_reused_unique_id_deletes_nobodys_mail() -> None:
    """What was judged by its header is deleted only if it still has it."""
    ours, other = b"+OK\r\nSubject: mailmon\r\n.\r\n", b"+OK\r\nSubject: invoice\r\n.\r\n"
    script = [*LOGIN, (b"UIDL", b"+OK\r\n1 a\r\n.\r\n"), (b"TOP 1 0", ours), (b"TOP 1 0", other), (b"QUIT", b"+OK\r\n")]
    with Peer(script) as peer:
        folder = Pop3Folder(lambda: _ready(peer), Numbers())
        judged = folder.headers_of([1], ("Subject",))
        assert judged[0].text == b"Subject: mailmon\r\n"
        folder.headers_of([1], ("Subject",))
        assert folder.delete(judged)
    assert not any(line.startswith(b"DELE") for line in peer.received)


@given(st.lists(st.sampled_from("abcdef"), max_size=10), st.lists(st.sampled_from("abcdefgh"), max_size=10))
def test_numbers_hold_from_one_session_to_the_next(before: list[str], after: list[str]) -> None:
    numbers = Numbers()
    first = numbers.assign(dict(enumerate(before, 1)))
    second = numbers.assign(dict(enumerate(after, 1)))
    assert sorted(first.values()) == list(range(1, len(before) + 1))
    assert sorted(second.values()) == list(range(1, len(after) + 1))
    for uid in first.keys() & second.keys():
        assert before[first[uid] - 1] == after[second[uid] - 1]
    assert numbers.next == len(first.keys() | second.keys()) + 1


@given(st.binary(max_size=300))
def test_any_header_can_be_read(raw: bytes) -> None:
    assert set(only_fields(raw, ("a", "b"))) <= set(raw + b"\r\n")
    received_at(b"Received: x; " + raw)


def test_the_last_hop_says_when() -> None:
    last, first = b"Fri, 27 Nov 2026 16:00:00 +0100", b"Thu, 1 Jan 2026 00:00:00 +0000"
    header = b"Received: by a\r\n with ESMTP; " + last + b"\r\nReceived: by b; " + first + b"\r\n"
    assert received_at(header) == datetime(2026, 11, 27, 15, 0, tzinfo=UTC)
