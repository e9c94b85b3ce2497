"""Exact answers to SEARCH, FETCH and STORE, and to bad input."""

import base64
import random

import pytest

from mailmon.sandbox import Sandbox
from tests.sandbox.clients import SECOND, RawImap


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ("ALL", "1 2 3"),
        ("1:2", "1 2"),
        ("2,3", "2 3"),
        ("*", "3"),
        ("7:*", "3"),
        ("UID 2:9", "2 3"),
        ("UID 900:*", "3"),
        ("8", ""),
        ('HEADER X-Probe ""', "1 3"),
        ("header x-probe ONE", "1 3"),
        ("HEADER Message-ID <probe-3@example.org>", "3"),
        ("HEADER X-Missing one", ""),
        ("SUBJECT probe", "1 3"),
        ("CHARSET UTF-8 SUBJECT {6+}\r\nGr\u00fc\u00df", "2"),
        ("FROM monitor TO second", "1 3"),
        ("TEXT second", "1 2 3"),
        ("BODY second", "2"),
        ("SEEN", "2"),
        ("UNSEEN", "1 3"),
        ("FLAGGED", "3"),
        ("UNFLAGGED UNSEEN", "1"),
        ("DELETED", ""),
        ("UNDELETED", "1 2 3"),
        ("NOT SEEN", "1 3"),
        ("OR SEEN FLAGGED", "2 3"),
        ("OR (SEEN 2) (NOT (UNFLAGGED))", "2 3"),
        ("(1 (2))", ""),
        ("LARGER 1000", ""),
        ("SMALLER 1000", "1 2 3"),
        ("SINCE 1-Jan-2020", "1 2 3"),
        ('BEFORE "1-Jan-2020"', ""),
        ("ON 1-Jan-2020", ""),
        ("SENTSINCE 1-Jan-2020", ""),
        ("KEYWORD nothing", ""),
        ("NEW", "1 3"),
        ("OLD", ""),
    ],
)
def test_search_finds_what_the_keys_say(raw_imap: RawImap, keys: str, found: str) -> None:
    line, done = raw_imap.ask(f"SEARCH {keys}")
    assert line == f"* SEARCH {found}".encode().rstrip()
    assert done == b"t1 OK SEARCH completed"


def test_search_refuses_an_unknown_charset(raw_imap: RawImap) -> None:
    [line] = raw_imap.ask("SEARCH CHARSET KOI8-R ALL")
    assert line.startswith(b"t1 NO [BADCHARSET ")


def test_search_by_date_sees_today(raw_imap: RawImap, sandbox: Sandbox) -> None:
    today = sandbox.store.mailbox(SECOND).messages[0].received_at
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    date = f"{today.day}-{months[today.month - 1]}-{today.year}"
    assert raw_imap.ask(f"UID SEARCH ON {date}")[0].endswith(b" 3")


@pytest.mark.parametrize(
    ("items", "line"),
    [
        ("UID", b"* 1 FETCH (UID 1)"),
        ("(BODY.PEEK[TEXT] UID)", b"* 1 FETCH (BODY[TEXT] {8}\r\nHello.\r\n UID 1)"),
        ("BODY.PEEK[]<6.7>", b"* 1 FETCH (BODY[]<6> {7}\r\nmonitor)"),
        ("BODY.PEEK[]<9999.7>", b"* 1 FETCH (BODY[]<9999> {0}\r\n)"),
        (
            "BODY.PEEK[HEADER.FIELDS (subject X-Probe)]",
            b"* 1 FETCH (BODY[HEADER.FIELDS (subject X-Probe)] {32}\r\nSubject: probe\r\nX-Probe: one\r\n\r\n)",
        ),
        (
            "BODY.PEEK[HEADER.FIELDS.NOT (from to subject message-id)]",
            b"* 1 FETCH (BODY[HEADER.FIELDS.NOT (from to subject message-id)] {16}\r\nX-Probe: one\r\n\r\n)",
        ),
        (
            "ENVELOPE",
            b'* 1 FETCH (ENVELOPE (NIL "probe" ((NIL NIL "monitor" "example.org")) ((NIL NIL "monitor" "example.org"))'
            b' ((NIL NIL "monitor" "example.org")) ((NIL NIL "second" "example.org")) NIL NIL NIL'
            b' "<probe-1@example.org>"))',
        ),
    ],
)
def test_fetch_returns_the_items_asked_for(raw_imap: RawImap, items: str, line: bytes) -> None:
    assert raw_imap.ask(f"FETCH 1 {items}") == [*line.split(b"\r\n"), b"t1 OK FETCH completed"]


def test_fetch_without_peek_sets_seen(raw_imap: RawImap) -> None:
    assert raw_imap.ask("FETCH 1 (FLAGS BODY.PEEK[])")[0].startswith(rb"* 1 FETCH (FLAGS (\Recent) ")
    assert raw_imap.ask("FETCH 1 RFC822.HEADER")[-2] == b")"
    assert raw_imap.ask("FETCH 1 BODY[HEADER]")[-2] == rb" FLAGS (\Seen \Recent))"
    assert raw_imap.ask("UID FETCH 3 RFC822")[0].startswith(b"* 3 FETCH (UID 3 RFC822 {")
    assert raw_imap.ask("UID FETCH 3 FLAGS") == [
        rb"* 3 FETCH (UID 3 FLAGS (\Flagged \Seen \Recent))",
        b"t1 OK FETCH completed",
    ]


def test_fetch_of_a_range_to_the_end_always_has_the_last_message(raw_imap: RawImap) -> None:
    assert raw_imap.ask("UID FETCH 900:* UID")[:-1] == [b"* 3 FETCH (UID 3)"]
    assert raw_imap.ask("UID FETCH 900 UID") == [b"t1 OK FETCH completed"]
    assert raw_imap.ask("FETCH 900 UID")[-1].startswith(b"t1 BAD ")


def test_store_changes_flags_and_shows_them_unless_silent(raw_imap: RawImap) -> None:
    assert raw_imap.ask(r"STORE 1 +FLAGS (\SEEN custom)")[0] == rb"* 1 FETCH (FLAGS (\Seen custom \Recent))"
    assert raw_imap.ask(r"UID STORE 1 -FLAGS \Seen")[0] == rb"* 1 FETCH (UID 1 FLAGS (custom \Recent))"
    assert raw_imap.ask(r"STORE 1:* FLAGS.SILENT (\Deleted)") == [b"t1 OK STORE completed"]
    assert raw_imap.ask("STORE 1 FLAGS ()")[0] == rb"* 1 FETCH (FLAGS (\Recent))"
    assert raw_imap.ask("SEARCH DELETED")[0] == b"* SEARCH 2 3"


@pytest.mark.parametrize("command", ["FETCH 1:* UID", "SEARCH ALL", r"STORE 1 FLAGS ()", "UID FETCH 1:* UID"])
def test_no_message_is_expunged_while_the_client_relies_on_its_numbers(
    sandbox: Sandbox, raw_imap: RawImap, command: str
) -> None:
    sandbox.store.mailbox(SECOND).expunge([1])
    assert not any(b"EXPUNGE" in line for line in raw_imap.ask(command))
    assert b"* 1 EXPUNGE" in raw_imap.ask("NOOP")


@pytest.mark.parametrize(
    "command",
    [
        "",
        "FROB",
        "UID",
        "UID NOOP",
        "NOOP now",
        "SEARCH",
        "SEARCH FROB",
        "SEARCH HEADER X-Probe",
        "SEARCH (ALL",
        "SEARCH ALL)",
        "SEARCH UID 0",
        "SEARCH 1:2:3",
        "SEARCH UID 99999999999999999999",
        "SEARCH SINCE 31-Feb-2020",
        "SEARCH ON today",
        "SEARCH NOT",
        "SEARCH OR ALL",
        "SEARCH " + "(" * 500,
        "SEARCH " + "NOT " * 500 + "ALL",
        "SEARCH SUBJECT " + '"' + "x" * 30000,
        "FETCH",
        "FETCH x UID",
        "FETCH 1 FROB",
        "FETCH 1 (UID",
        "FETCH 1 BODY[",
        "FETCH 1 BODY[7]",
        "FETCH 1 BODY[]<1>",
        "FETCH 1 BODY[HEADER.FIELDS ()]",
        "STORE 1 FLAG (x)",
        "STORE 1 +FLAGS.LOUD (x)",
        "COPY 1",
        "APPEND INBOX",
        'APPEND INBOX "99-Foo-2020 00:00:00 +0000" {1+}\r\nx',
        "STATUS INBOX (FROB)",
        "SELECT",
        'SELECT "x',
        "LIST",
        "LOGIN second@example.org x",
        "AUTHENTICATE PLAIN !!!",
        "STARTTLS",
        "\u00e9",
    ],
)
def test_bad_input_is_answered_with_bad_and_the_connection_goes_on(raw_imap: RawImap, command: str) -> None:
    assert raw_imap.ask(command)[-1].startswith(b"t1 BAD ")
    assert raw_imap.ask("CAPABILITY")[-1] == b"t1 OK CAPABILITY completed"


@pytest.mark.parametrize("data", [b"\r\n", b" \r\n", b"\0\r\n", b"t1\r\n", b"(\r\n"])
def test_a_line_without_a_command_is_answered_with_bad(raw_imap: RawImap, data: bytes) -> None:
    raw_imap.send(data)
    assert raw_imap.line().split(b" ")[1] == b"BAD"
    assert raw_imap.ask("NOOP") == [b"t1 OK NOOP completed"]


def test_random_input_never_ends_the_server(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(7)
    words = ["FETCH", "UID", "SEARCH", "STORE", "1:*", "(", ")", '"', "\\", "BODY[", "]", "<0.1>", "{2+}\r\nab", "ALL"]
    with RawImap(sandbox) as raw_imap:
        raw_imap.ask("SELECT INBOX")
        for _ in range(300):
            command = " ".join(chance.choices(words, k=chance.randrange(1, 8)))
            assert raw_imap.ask(command)[-1].split(b" ")[1] in (b"OK", b"NO", b"BAD")
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize("data", [b"t1 LOGIN {9999}\r\n", b"t1 LOGIN {9999+}\r\n", b"t1 LOGIN " + b"x" * 100_000])
def test_too_much_from_a_stranger_is_refused(sandbox: Sandbox, data: bytes) -> None:
    with RawImap(sandbox, user=None) as raw_imap:
        raw_imap.send(data)
        assert raw_imap.line().startswith(b"t1 BAD ")


def test_a_stranger_may_not_touch_mailboxes(sandbox: Sandbox) -> None:
    with RawImap(sandbox, user=None) as raw_imap:
        assert raw_imap.ask("SELECT INBOX") == [b"t1 BAD not logged in"]
        assert raw_imap.ask("FETCH 1 UID") == [b"t1 BAD not logged in"]
        assert raw_imap.ask("LOGOUT") == [b"* BYE sandbox logging out", b"t1 OK LOGOUT completed"]


def test_authenticate_with_an_initial_response_and_its_refusals(sandbox: Sandbox) -> None:
    with RawImap(sandbox, user=None) as raw_imap:
        assert raw_imap.ask("AUTHENTICATE GSSAPI")[-1].startswith(b"t1 NO ")
        assert raw_imap.ask("AUTHENTICATE PLAIN =")[-1].startswith(b"t1 BAD ")
        raw_imap.send(b"t1 AUTHENTICATE PLAIN\r\n")
        assert raw_imap.line() == b"+ "
        raw_imap.send(b"*\r\n")
        assert raw_imap.line() == b"t1 BAD authentication cancelled"
        encoded = base64.b64encode(f"\0{SECOND}\0{sandbox.users[SECOND]}".encode()).decode()
        assert raw_imap.ask(f"AUTHENTICATE PLAIN {encoded}")[-1].startswith(b"t1 OK [CAPABILITY IMAP4rev1 ")
