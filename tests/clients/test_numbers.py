"""Numbers from a server: strictly parsed; anything else is the server's fault."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import mailmon
from mailmon.clients.imap import ImapClient
from mailmon.errors import MalformedError, StageError
from mailmon.mail.auth.spf.record import SyntaxMistake, read_record
from mailmon.mail.bounce.reasons import by_status
from mailmon.mail.imapdata import expand_uids, read_quota
from mailmon.mail.records.caa import read_caa
from tests.clients.peer import Peer, Script
from tests.clients.test_imap import LOGIN, SELECT, fetched, searched, selected

LONG = b"1" * 5000
SOURCES = Path(mailmon.__file__).parent


@pytest.mark.parametrize(
    ("script", "work"),
    [
        ([*LOGIN, (b"TAG SELECT", b"* " + LONG + b" EXISTS\r\nTAG OK x\r\n")], selected),
        ([*LOGIN, (b"TAG SELECT", b"* 1 EXISTS\r\n* OK [UIDNEXT " + LONG + b"] x\r\nTAG OK x\r\n")], selected),
        ([*SELECT, (b"TAG UID SEARCH", b"* SEARCH " + LONG + b"\r\nTAG OK x\r\n")], searched),
        ([*SELECT, (b"TAG UID FETCH", b"* 1 FETCH (UID " + LONG + b" BODY[] {1}\r\nx)\r\nTAG OK x\r\n")], fetched),
        ([*SELECT, (b"TAG UID FETCH", b"* 1 FETCH (UID 1 BODY[] {" + LONG + b"}\r\nx)\r\nTAG OK x\r\n")], fetched),
    ],
)
def test_a_number_of_5000_digits_from_an_imap_server_is_a_protocol_error(
    script: Script, work: Callable[[ImapClient], object]
) -> None:
    with Peer(script) as peer:
        client = peer.imap()
        try:
            with pytest.raises(StageError) as caught:
                work(client)
        finally:
            client.close()
    assert caught.value.finding_id == "imap.protocol_error"


@pytest.mark.parametrize("digits", ["²", "١", "9" * 5000, "", "x"])
def test_digits_of_other_scripts_and_endless_ones_are_no_numbers(digits: str) -> None:
    """A status code with a superscript in a bounce was a ValueError."""
    by_status(f"5.7.{digits}")
    assert read_caa(f'{digits} issue "ca.example"') is None
    with pytest.raises(SyntaxMistake):
        read_record(f"v=spf1 a/1{digits or 'x'} -all")
    assert read_quota([f'"" (STORAGE {digits} {digits})'.encode()]) is None
    with pytest.raises(MalformedError):
        expand_uids(digits.encode(), 10)


def test_int_is_never_given_what_isdigit_let_through_unbounded() -> None:
    """`str.isdigit` takes "²", which `int` refuses, and no length is too much for it: mail/caps.py reads numbers."""
    pattern = re.compile(r"\.isdigit\(\)[^\n]*\bint\(|\bint\([^\n]*\.isdigit\(\)|float\([^\n]*\.isdigit\(\)")
    found = []
    for path in SOURCES.rglob("*.py"):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if pattern.search(line) and "isascii()" not in line and "len(" not in line:
                found.append(f"{path.relative_to(SOURCES)}:{number}: {line.strip()}")
    assert found == []
