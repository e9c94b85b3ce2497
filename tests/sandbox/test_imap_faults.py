"""Injected faults of the IMAP server."""

import time

import pytest

from mailmon.sandbox import Sandbox
from tests.sandbox.clients import PROBE, SECOND, RawImap, imap_client


@pytest.mark.parametrize("command", ["NOOP", "SEARCH ALL", "UID SEARCH ALL", "IDLE"])
def test_a_selected_connection_can_be_cut(sandbox: Sandbox, raw_imap: RawImap, command: str) -> None:
    sandbox.faults.cut_imap = True
    assert raw_imap.ask("CAPABILITY")[-1] == b"t1 OK CAPABILITY completed"
    assert raw_imap.ask(command) == [b""]


def test_a_connection_that_has_selected_nothing_is_not_cut(sandbox: Sandbox) -> None:
    sandbox.faults.cut_imap = True
    with RawImap(sandbox) as raw_imap:
        assert raw_imap.ask("NOOP") == [b"t1 OK NOOP completed"]


def test_idle_can_be_dropped_at_once_or_in_the_middle(sandbox: Sandbox, raw_imap: RawImap) -> None:
    raw_imap.send(b"t1 IDLE\r\n")
    assert raw_imap.line() == b"+ idling"
    started_at = time.monotonic()
    sandbox.faults.drop_idle = True
    assert raw_imap.line() == b""
    assert time.monotonic() - started_at < 1.0
    with RawImap(sandbox) as second:
        second.ask("SELECT INBOX")
        second.send(b"t1 IDLE\r\n")
        assert [second.line(), second.line()] == [b"+ idling", b""]


def test_a_mailbox_can_be_read_only(sandbox: Sandbox, raw_imap: RawImap) -> None:
    sandbox.faults.read_only = True
    assert raw_imap.ask("SELECT INBOX")[-1].startswith(b"t1 OK [READ-ONLY] ")
    for command in (r"STORE 1 +FLAGS (\Seen)", "EXPUNGE", "UID EXPUNGE 1", "MOVE 1 INBOX"):
        assert raw_imap.ask(command)[-1].startswith(b"t1 NO ")
    raw_imap.ask("FETCH 1 BODY[]")
    assert raw_imap.ask("SEARCH SEEN")[0] == b"* SEARCH 2"


def test_commands_that_change_things_can_be_unknown(sandbox: Sandbox, raw_imap: RawImap) -> None:
    sandbox.faults.no_store = True
    for command in (
        "STORE 1 FLAGS ()",
        "UID STORE 1 FLAGS ()",
        "EXPUNGE",
        "COPY 1 INBOX",
        "UID MOVE 1 INBOX",
        "IDLE",
    ):
        assert raw_imap.ask(command) == [b"t1 BAD Unknown command"]


def test_uidplus_can_be_missing(sandbox: Sandbox, raw_imap: RawImap) -> None:
    assert b" UIDPLUS" in raw_imap.ask("CAPABILITY")[0]
    sandbox.faults.no_uidplus = True
    assert b" UIDPLUS" not in raw_imap.ask("CAPABILITY")[0]
    assert raw_imap.ask("UID EXPUNGE 1") == [b"t1 BAD Unknown command"]
    assert raw_imap.ask("UID COPY 1 INBOX")[-1] == b"t1 OK COPY completed"
    assert raw_imap.ask("APPEND INBOX {1+}\r\nx")[-1] == b"t1 OK APPEND completed"
    assert raw_imap.ask("EXPUNGE")[-1] == b"t1 OK EXPUNGE completed"


def test_a_capability_can_be_hidden(sandbox: Sandbox, raw_imap: RawImap) -> None:
    sandbox.faults.hidden_capabilities = {"IDLE", "MOVE"}
    assert raw_imap.ask("CAPABILITY")[0] == b"* CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID UNSELECT SPECIAL-USE UIDPLUS"


def test_search_can_lie(sandbox: Sandbox, raw_imap: RawImap) -> None:
    sandbox.faults.search_lies = "all"
    assert raw_imap.ask("UID SEARCH HEADER X-Probe nonsense")[0] == b"* SEARCH 1 2 3"
    sandbox.faults.search_lies = "none"
    assert raw_imap.ask("SEARCH ALL")[0] == b"* SEARCH"


def test_exists_can_come_with_the_search_that_misses_the_message_only(sandbox: Sandbox, raw_imap: RawImap) -> None:
    sandbox.faults.late_exists = True
    sandbox.store.mailbox(SECOND).append(PROBE)
    assert raw_imap.ask("NOOP") == [b"t1 OK NOOP completed"]
    assert raw_imap.ask("UID SEARCH UID 4") == [
        b"* SEARCH",
        b"* 4 EXISTS",
        b"* 4 RECENT",
        b"t1 OK SEARCH completed",
    ]
    assert raw_imap.ask("UID SEARCH UID 4") == [b"* SEARCH 4", b"t1 OK SEARCH completed"]


def test_login_can_be_disabled_under_tls_as_well(sandbox: Sandbox) -> None:
    sandbox.faults.login_disabled = True
    with RawImap(sandbox, user=None) as raw_imap:
        assert b" LOGINDISABLED" in raw_imap.greeting
        assert raw_imap.ask(f"LOGIN {SECOND} x")[-1].startswith(b"t1 NO [PRIVACYREQUIRED]")
        raw_imap.send(b"t1 AUTHENTICATE PLAIN\r\n")
        assert raw_imap.line() == b"+ "


def test_a_fault_taken_back_is_gone(sandbox: Sandbox) -> None:
    sandbox.faults.refuse_login = {"imap"}
    with RawImap(sandbox) as refused:
        assert refused.ask("SELECT INBOX") == [b"t1 BAD not logged in"]
    sandbox.faults.refuse_login = set()
    imap_client(sandbox).logout()
