"""Foreign text is capped before it is read, and read in linear time."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailmon.mail.auth.dkim import usable_signatures
from mailmon.mail.auth.results import results_of
from mailmon.mail.auth.spf.macros import MAX_NAME, fitting
from mailmon.mail.auth.spf.record import SyntaxMistake, read_record
from mailmon.mail.bounce import classify
from mailmon.mail.caps import MAX_FIELDS, MAX_FOLDS, MAX_HEADER_BYTES, MAX_VALUE_CHARS, number, without_comments
from mailmon.mail.message.decoding import strip_html
from mailmon.mail.message.header import read_headers, read_section
from mailmon.mail.probe.expected import Expected, find_missed
from mailmon.mail.probe.modified import changes
from mailmon.mail.probe.probe import read_marks
from mailmon.mail.probe.returned import read_report
from mailmon.mail.records.autoconfig import read_autoconfig
from mailmon.mail.records.tags import Mistake
from tests.mail.samples import KEY, TOKEN, message

LIMIT_MS = 50
MB = 1 << 20


def took_ms(work: Callable[[], object]) -> float:
    """Return the CPU time of the faster of two runs, in milliseconds: a switch of tasks is not the work's."""

    def once() -> float:
        begun = time.thread_time()
        work()
        return (time.thread_time() - begun) * 1000

    return min(once(), once())


def nested(depth: int) -> bytes:
    heads = (b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth))
    return b"".join(heads) + b"Content-Type: text/plain\n\nx\n"


def is_refused(record: str) -> bool:
    try:
        read_record(record)
    except SyntaxMistake:
        return True
    return False


SENT = message()
DSN = b"Content-Type: text/plain\r\n\r\nFinal-Recipient: rfc822; b@example.org\r\nAction: failed\r\n" + TOKEN.encode()
JUDGED = Expected(("dkim", "spf", "dmarc"), "mx.example.org", "1.3", is_unmodified=True)
HOSTILE: dict[str, Callable[[], object]] = {
    "70,000 lines with the same recipient": lambda: classify(
        b"From: MAILER-DAEMON\nSubject: Undelivered\n\nTo these recipients:\n" + b"To: a@b.example\n" * 70_000
    ),
    "a diagnostic of 64,000 blanks": lambda: read_report(
        DSN + b"\r\nDiagnostic-Code: x" + b" " * 64_000 + b"y\r\n\r\n", KEY
    ),
    "600,000 fold lines": lambda: read_headers(b"X: 1\n" + b" a\n" * 600_000),
    "600,000 blank fold lines": lambda: read_marks(b"X: 1\n" + b" \n" * 600_000, KEY),
    "300,000 fields": lambda: read_headers(b"X:1\n" * 300_000),
    "a header of 2 MB": lambda: read_headers(b"X: " + b"a b " * (MB // 2)),
    "30,000 parentheses": lambda: results_of(["(" * 30_000 + ")" * 30_000], "mx.example.org"),
    "as many open ones": lambda: list(
        find_missed(JUDGED, SENT, b"Authentication-Results: " + b"(" * 600_000 + b"\r\n\r\n")
    ),
    "an X-Mailer of 300 kB": lambda: changes(SENT, b"X-Mailer: mailmon 1" + b"A" * 300_000 + b"\r\n" + SENT),
    "an X-Mailer that begins again and again": lambda: changes(SENT, b"X-Mailer: mailmon 1" + b"Aa-" * 100_000),
    "parts nested 2000 deep": lambda: changes(SENT, nested(2000)),
    "100,000 boundary lines": lambda: changes(SENT, nested(2) + b"--b1\n" * 100_000),
    "pictures without an end": lambda: changes(SENT, SENT + b"<img " * 300_000),
    "500,000 added lines": lambda: changes(SENT, SENT + b"x\r\n" * 500_000),
    "an SPF label of 60,000 letters": lambda: is_refused(f"v=spf1 a:a.{'a' * 60_000}-"),
    "SPF labels within the limit": lambda: is_refused(f"v=spf1 a:a.{'a' * 8_000}-"),
    "SPF macros without an end": lambda: is_refused(f"v=spf1 a:{'%{' * 4_000}"),
    "an SPF name of 500,000 labels": lambda: fitting("a." * 500_000),
    "white space for dkimpy": lambda: list(usable_signatures(b"From: a\r\n\r\n" + (b" " * 900 + b"x") * 1100, ["a"])),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_one_foreign_text_takes_no_more_than_50_ms(name: str) -> None:
    assert took_ms(HOSTILE[name]) < LIMIT_MS


def test_a_character_of_5000_digits_is_no_bug_in_mailmon() -> None:
    assert strip_html(f"a&#{'1' * 5000};b&#x{'f' * 5000}; &#0000064;") == "a\ufffdb\ufffd @"
    raw = b"From: mailer-daemon@example.net\nContent-Type: text/html\n\nfailed &#" + b"9" * 5000 + b";"
    assert classify(raw).recipients == ()


def test_a_port_of_5000_digits_is_no_port() -> None:
    server = f'<incomingServer type="imap"><hostname>a.example</hostname><port>{"9" * 5000}</port></incomingServer>'
    with pytest.raises(Mistake, match="is no port"):
        read_autoconfig(f"<clientConfig>{server}</clientConfig>")


def test_parts_nested_too_deep_are_told_as_a_change() -> None:
    assert any("part" in words for words in changes(SENT, nested(2000)))


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\n" * (MAX_FIELDS + 1),
        "a: 1\n" + " b\n" * (MAX_FOLDS + 1),
        "a: " + "b" * (MAX_VALUE_CHARS + 1),
        "a: 1\n" * (MAX_HEADER_BYTES // 4),
    ],
)
def test_what_was_cut_is_not_called_whole(text: str) -> None:
    assert not read_section(text).is_whole
    assert read_section(text[:1000]).is_whole


def test_a_long_list_of_addresses_is_read_whole() -> None:
    addresses = ", ".join(f"somebody{n}@example.org" for n in range(1000))
    assert read_headers(f"To: {addresses.replace(', ', ',' + chr(10) + ' ')}\n\n".encode())["to"][0] == addresses


@pytest.mark.parametrize(
    ("value", "bare"),
    [("a(b)c", "ac"), ("a(b(c)d)e", "ae"), ("a(b(c)d", "a(bd"), ("a)b(c)", "a)b"), ("(((", "((("), ("", "")],
)
def test_comments_are_taken_out_however_they_are_nested(value: str, bare: str) -> None:
    assert without_comments(value) == bare


@pytest.mark.parametrize("digits", ["", "²", "-1", "1.0", "0x1", "१", "1" * 20, "9" * 5000, b"\xb2", b" 1"])
def test_what_is_no_number_is_none(digits: str | bytes) -> None:
    assert number(digits) is None


@given(st.text(alphabet="a.", max_size=700))
def test_a_name_is_shortened_by_whole_labels(name: str) -> None:
    wanted = name.removesuffix(".")
    while len(wanted) > MAX_NAME and "." in wanted:
        wanted = wanted.partition(".")[2]
    assert fitting(name) == wanted


@given(st.text(max_size=300), st.binary(max_size=300))
def test_any_header_section_is_read(text: str, raw: bytes) -> None:
    for name, value in read_section(text).fields:
        assert name == name.strip().lower()
        assert value == value.strip()
    assert isinstance(read_headers(raw), dict)
