"""IMAP answers are read correctly in any order and in odd forms."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from mailmon.clients.imap import ImapClient
from mailmon.mail.imapdata import Fetched
from tests.clients.peer import Peer, Script
from tests.clients.test_imap import GREETING, LOGIN, SELECT, deleted, fetched, noop, searched, selected


def result(script: Script, work: Callable[[ImapClient], object]) -> object:
    with Peer(script) as peer:
        client = peer.imap()
        try:
            return work(client)
        finally:
            client.close()


def test_a_folder_that_is_read_only_is_opened_as_such() -> None:
    script = [*LOGIN, (b"TAG SELECT", b"* 1 EXISTS\r\n* OK [UIDNEXT 2] x\r\nTAG OK [READ-ONLY] x\r\n"),
              (b"TAG EXAMINE", b"* 1 EXISTS\r\n* OK [UIDNEXT 2] x\r\nTAG OK [READ-ONLY] x\r\n")]  # fmt: skip
    with Peer(script) as peer:
        client = peer.imap()
        selected(client)
        client.close()
    assert (client.is_read_only, client.exists, client.uid_next) == (True, 1, 2)


def test_a_server_that_does_not_say_uidnext_is_asked_for_the_highest_uid() -> None:
    script = [
        *LOGIN,
        (b"TAG SELECT", b"* 2 EXISTS\r\nTAG OK x\r\n"),
        (b"TAG UID FETCH *", b"* 2 FETCH (UID 41)\r\nTAG OK done\r\n"),
    ]
    with Peer(script) as peer:
        client = peer.imap()
        selected(client)
        client.close()
    assert client.uid_next == 42


@pytest.mark.parametrize(
    ("answer", "messages"),
    [
        (
            b'* 2 FETCH (UID 41 INTERNALDATE "01-Mar-2026 13:00:05 +0100" BODY[HEADER] {4}\r\nA: 1)\r\n',
            [Fetched(2, 41, b"A: 1", datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC))],
        ),
        (b"* 2 FETCH (BODY[HEADER] {4}\r\nA: 1 UID 41)\r\n", [Fetched(2, 41, b"A: 1", None)]),
        (
            b'* 2 FETCH (UID 41 INTERNALDATE "31-Feb-2026 13:00:05 +0100" BODY[HEADER] {4}\r\nA: 1)\r\n',
            [Fetched(2, 41, b"A: 1", None)],
        ),
        (
            b'* 2 FETCH (UID 41 INTERNALDATE "01-Jan-0001 00:00:00 +0500" BODY[HEADER] {4}\r\nA: 1)\r\n',
            [Fetched(2, 41, b"A: 1", None)],
        ),
        (
            b'* 2 FETCH (UID 41 INTERNALDATE "31-Dec-9999 23:59:59 -0100" BODY[HEADER] {4}\r\nA: 1)\r\n',
            [Fetched(2, 41, b"A: 1", None)],
        ),
        (b"* 2 FETCH (FLAGS ())\r\n", []),
        # News of flags may come at any time; taken for the answer, it would hide the message itself.
        (
            b"* 2 FETCH (UID 41 FLAGS (\\Seen))\r\n* 2 FETCH (UID 41 BODY[HEADER] {4}\r\nA: 1)\r\n",
            [Fetched(2, 41, b"A: 1", None)],
        ),
        (b"* 2 FETCH garbage\r\n* 5 EXPUNGE\r\n", []),
        (b"* FETCH\r\n* 2 FETCH (UID x)\r\n", []),
        (b"", []),
    ],
)
def test_what_is_fetched_is_read_whatever_its_order(answer: bytes, messages: list[Fetched]) -> None:
    assert result([*SELECT, (b"TAG UID FETCH", answer + b"TAG OK done\r\n")], fetched) == messages


@pytest.mark.parametrize(
    ("answer", "uids"),
    [(b"* SEARCH 3 1 2\r\n", [3, 1, 2]), (b"* SEARCH\r\n", []), (b"", []), (b"* SEARCH 1 x -2 3\r\n", [1, 3])],
)
def test_what_a_search_finds_is_read(answer: bytes, uids: list[int]) -> None:
    assert result([*SELECT, (b"TAG UID SEARCH", answer + b"TAG OK done\r\n")], searched) == uids


@pytest.mark.parametrize(
    ("answer", "was_told"),
    [
        (b"* 4 EXISTS\r\n", True),
        # One message went and another came: the number alone would not tell.
        (b"* 3 EXPUNGE\r\n* 3 EXISTS\r\n", True),
        (b"* 3 EXPUNGE\r\n", False),
        (b"", False),
    ],
)
def test_a_noop_tells_whether_there_may_be_new_messages(answer: bytes, was_told: bool) -> None:
    assert result([*SELECT, (b"TAG NOOP", answer + b"TAG OK done\r\n")], noop) is was_told


def test_messages_are_expunged_by_uid_only() -> None:
    store = (b"TAG UID STORE 1,2 +FLAGS.SILENT (\\Deleted)", b"TAG OK done\r\n")
    assert result([*SELECT, store, (b"TAG UID EXPUNGE 1,2", b"TAG OK done\r\n")], deleted) is True


def test_without_uidplus_messages_are_only_flagged() -> None:
    login = (b"TAG LOGIN", b"TAG OK [CAPABILITY IMAP4rev1] in\r\n")
    script = [*GREETING, login, SELECT[-1], (b"TAG UID STORE 1,2", b"TAG OK done\r\n"), (b"bye LOGOUT", b"")]
    assert result(script, deleted) is False


def test_a_user_name_is_quoted_too() -> None:
    """imaplib quotes only the password: `EXAMPLE\\john doe` would be three words."""
    without_plain = (b"TAG CAPABILITY", b"* CAPABILITY IMAP4rev1\r\nTAG OK done\r\n")
    script = [
        GREETING[0],
        without_plain,
        (b'TAG LOGIN "EXAMPLE\\\\john doe" "s\\"x"', b"TAG OK [CAPABILITY IMAP4rev1] in\r\n"),
    ]
    with Peer(script) as peer:
        client = peer.imap()
        client.open()
        client.login("EXAMPLE\\john doe", 's"x')
        client.close()
