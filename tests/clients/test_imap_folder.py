"""Folders are read in batches; a message leaves its folder only once its copy is safe."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mailmon.clients.imap_folder import FolderClient
from mailmon.clients.server import Security
from mailmon.clients.tls import TlsContexts
from mailmon.errors import StageError
from tests.clients.peer import CLOSE, SECRET, USER, Peer, Script
from tests.clients.test_imap import CAPABILITY, SELECTED

EXAMINED = SELECTED.replace(b"READ-WRITE", b"READ-ONLY")
THREE = b"* 1 FETCH (UID 5)\r\n* 2 FETCH (UID 6)\r\n* 3 FETCH (UID 9)\r\nTAG OK done\r\n"
COPY = b"TAG UID COPY 5:6,9 "
DONE = b"TAG OK done\r\n"


def begin(capabilities: bytes = b"UIDPLUS", opening: tuple[bytes, bytes] = (b"TAG SELECT", SELECTED)) -> Script:
    login = b"TAG OK [CAPABILITY IMAP4rev1 " + capabilities + b"] in\r\n"
    return [(None, b"* OK ready\r\n"), (b"TAG CAPABILITY", CAPABILITY), (b"TAG LOGIN", login), opening]


def play(
    script: Script, work: Callable[[FolderClient], object], *, is_read_only: bool = False
) -> tuple[object, list[bytes]]:
    """Log in, open the folder, work; return the result or the error, and what the server was told since."""
    with Peer(script) as peer:
        client = FolderClient(peer.wire("imap", Security.PLAIN, 5.0), TlsContexts())
        try:
            client.open()
            client.login(USER, SECRET)
            (client.examine if is_read_only else client.select)("Bounces")
            before = len(peer.received)
            try:
                return work(client), peer.received[before:]
            except StageError as exc:
                return exc, peer.received[before:]
        finally:
            client.close()


def moved(script: Script) -> tuple[StageError | None, bytes]:
    result, told = play(script, lambda client: client.move([5, 6, 9], 'My "box"'))
    assert result is None or isinstance(result, StageError)
    return result, b"\n".join(told)


def test_without_move_only_what_was_surely_copied_is_deleted_by_its_uid() -> None:
    script: Script = [
        *begin(),
        (b"TAG UID COPY 5,6,9 ", b"TAG OK [COPYUID 77 5:6,9 101:103] done\r\n"),
        (b"TAG UID FETCH", THREE),
        (b"TAG UID STORE 5,6,9 +FLAGS.SILENT (\\Deleted)", DONE),
        (b"TAG UID EXPUNGE 5,6,9", DONE),
    ]
    result, told = moved(script)
    assert result is None
    assert b'"My \\"box\\""' in told


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"TAG OK done\r\n", "no COPYUID"),
        (b"TAG OK [COPYUID 77 5:6 101:102] done\r\n", "copied 2 of 3"),
        (b"TAG OK [COPYUID 77 5:6,9 101:102] done\r\n", "into 2"),
        (b"TAG OK [COPYUID 77 5:7 101:103] done\r\n", "copied 3"),
        (b"TAG OK [COPYUID 77 1:4294967295 1:4294967295] done\r\n", "more than 3"),
        (b"TAG OK [COPYUID 77 5:6,9,,: 1] done\r\n", "makes no sense"),
    ],
)
def test_a_copy_that_is_not_sure_deletes_nothing(answer: bytes, words: str) -> None:
    script: Script = [*begin(), (b"TAG UID COPY", answer)]
    result, told = moved([*script, (b"TAG UID FETCH", THREE)] if b"COPYUID" in answer else script)
    assert isinstance(result, StageError)
    assert (result.finding_id, words in result.message) == ("imap.move_failed", True), result.message
    assert b"STORE" not in told
    assert b"EXPUNGE" not in told


@pytest.mark.parametrize("command", [b"COPY", b"MOVE"])
def test_a_missing_folder_is_named_and_nothing_deleted(command: bytes) -> None:
    capabilities = b"UIDPLUS MOVE" if command == b"MOVE" else b"UIDPLUS"
    script: Script = [*begin(capabilities), (b"TAG UID " + command, b"TAG NO [TRYCREATE] no such mailbox\r\n")]
    result, told = moved(script)
    assert isinstance(result, StageError)
    assert 'My "box"' in result.message
    assert "Create the folder" in result.advice
    assert b"STORE" not in told


def test_a_server_without_move_and_uidplus_is_never_asked() -> None:
    result, told = moved(begin(b"IDLE"))
    assert isinstance(result, StageError)
    assert "neither MOVE nor UIDPLUS" in result.message
    assert told == b""


def test_a_refused_deletion_takes_the_flag_off_again() -> None:
    script: Script = [
        *begin(),
        (b"TAG UID COPY", b"TAG OK [COPYUID 77 5:6,9 101:103] done\r\n"),
        (b"TAG UID FETCH", THREE),
        (b"TAG UID STORE 5,6,9 +FLAGS", DONE),
        (b"TAG UID EXPUNGE", b"TAG NO not now\r\n"),
        (b"TAG UID STORE 5,6,9 -FLAGS", DONE),
    ]
    result, _ = moved(script)
    assert isinstance(result, StageError)
    assert "not now" in result.message


def test_what_move_leaves_behind_is_an_error() -> None:
    script: Script = [*begin(b"MOVE"), (b"TAG UID MOVE 5,6,9", DONE), (b"TAG UID FETCH", THREE)]
    result, _ = moved(script)
    assert isinstance(result, StageError)
    assert "3 of 3 messages were not moved" in result.message


def test_the_first_new_message_is_searched_from_the_end() -> None:
    one = [(b"TAG FETCH 3 (UID)", b"* 3 FETCH (UID 9)\r\nTAG OK done\r\n")]
    two = [(b"TAG FETCH 1 (UID)", b"* 1 FETCH (UID 5)\r\nTAG OK done\r\n")]
    three = [(b"TAG FETCH 2 (UID)", b"* 2 FETCH (UID 6)\r\nTAG OK done\r\n")]
    for uid, asked, number in ((9, one, 4), (6, [*one, *two, *three], 3), (0, [], 1)):
        script = [*begin(opening=(b"TAG EXAMINE", EXAMINED)), *asked]
        result, told = play(script, lambda client, uid=uid: client.first_after(uid), is_read_only=True)  # type: ignore[misc]
        assert (result, len(told)) == (number, len(asked))


def test_a_connection_that_breaks_between_copy_and_deletion_deletes_nothing() -> None:
    script: Script = [
        *begin(),
        (b"TAG UID COPY", b"TAG OK [COPYUID 77 5:6,9 101:103] done\r\n"),
        (b"TAG UID FETCH", CLOSE),
    ]
    result, told = moved(script)
    assert isinstance(result, StageError)
    assert result.lost
    assert b"STORE" not in told
