"""The classifier on hostile input: one second and 200 MB per input, never an exception."""

from __future__ import annotations

import os
import random
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailmon.mail.bounce import Kind, classify
from tests.mail.bounce.letters import LETTERS
from tests.mail.bounce.notifications import dsn

LIMIT_S = 1.0
LIMIT_BYTES = 200 << 20
MB = 1 << 20
HEAD = b"Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nTo: a@example.com\nSubject: Undelivered Mail\n"
REPORT = HEAD + b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n"
STATUS = REPORT + b"Content-Type: message/delivery-status\n\n"
START = HEAD + b"\nThe following addresses failed:\n\n"


def nested(depth: int) -> bytes:
    """Return multiparts within each other."""
    opened = b"".join(b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (n, n + 1) for n in range(depth))
    return HEAD + b"Content-Type: multipart/mixed; boundary=b0\n\n" + opened


NASTY: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "50 MB of one letter": lambda: b"a" * (50 * MB),
    "50 MB of line ends": lambda: HEAD + b"\n" * (50 * MB),
    "50 MB of an attachment": lambda: REPORT + b"Content-Type: text/plain\n\n" + b"word " * (10 * MB),
    "a header of 5 MB": lambda: HEAD + b"X-Long: " + b"a b " * MB,
    "a million folds": lambda: HEAD + b"X-Long: 1\n" + b" a\n" * (MB // 3),
    "a hundred thousand fields": lambda: HEAD + b"X: 1\n" * 200_000,
    "a Subject of encoded words": lambda: b"Subject: " + b"=?utf-8?b?YWJj?= " * 60_000 + b"\n" + HEAD + b"\nfailed\n",
    "encoded words that never end": lambda: b"Subject: " + b"=?" * 500_000 + b"\n" + HEAD + b"\nfailed\n",
    "1000 nested parts": lambda: nested(1000),
    "20,000 nested parts": lambda: nested(20_000),
    "100,000 boundary lines": lambda: REPORT + b"\n--b\n" * 100_000,
    "100,000 lines like boundaries": lambda: REPORT + b"--c\nContent-" * 100_000,
    "a boundary of dashes": lambda: HEAD + b'Content-Type: multipart/mixed; boundary="-"\n\n' + b"\n---" * 250_000,
    "parameters without end": lambda: HEAD + b"Content-Type: text/plain; " + b"a=" * 500_000 + b"\n\nfailed\n",
    "a value of one field": lambda: (
        STATUS + b"Final-Recipient: rfc822; b@example.org\nDiagnostic-Code: " + b"(5.1" * MB
    ),
    "a value that goes on": lambda: (
        STATUS + b"Final-Recipient: rfc822; b@example.org\nStatus: 5.1.1\n" + b" (\n" * 300_000
    ),
    "100,000 recipients": lambda: STATUS + b"Final-Recipient: rfc822; b@example.org\nAction: failed\n\n" * 100_000,
    "as many different ones": lambda: (
        STATUS + b"".join(b"Final-Recipient: rfc822;%d@example.org\nAction: failed\n\n" % n for n in range(30_000))
    ),
    "at signs": lambda: START + b"@" * MB,
    "addresses without end": lambda: START + b"a@a." * (MB // 4),
    "one local part": lambda: START + b"a" * MB + b"@example.org",
    "dots": lambda: START + b"b@" + b"a." * (MB // 2),
    "quotes": lambda: START + b'"a@' * (MB // 3),
    "a list of addresses": lambda: START + b"".join(b"<%d@example.org>:\nno such user\n" % n for n in range(40_000)),
    "spaces and colons": lambda: START + (b" " * 900 + b"recipient :\n") * 1000,
    "words before a colon": lambda: START + (b"recipient user address " * 40 + b"@\n") * 1000,
    "reply codes": lambda: START + b"<b@example.org>: " + b"550 5.1.1 " * 100_000,
    "tags": lambda: HEAD + b"Content-Type: text/html\n\n" + b"<" * MB,
    "unclosed styles": lambda: HEAD + b"Content-Type: text/html\n\n" + b"<style>" * (MB // 7),
    "closed styles": lambda: HEAD + b"Content-Type: text/html\n\n" + b"<style></style>x" * (MB // 16),
    "entities": lambda: HEAD + b"Content-Type: text/html\n\nfailed" + b"&amp" * (MB // 4),
    "base64": lambda: HEAD + b"Content-Transfer-Encoding: base64\n\n" + b"A" * MB,
    "quoted-printable": lambda: HEAD + b"Content-Transfer-Encoding: quoted-printable\n\n" + b"=" * MB,
    "a foreign charset": lambda: HEAD + b"Content-Type: text/plain; charset=iso-2022-jp\n\n" + b"\x1b$B!!" * (MB // 5),
    "a codec that is none for text": lambda: HEAD + b"Content-Type: text/plain; charset=zlib\n\nfailed \xff",
    "an unknown charset": lambda: HEAD + b"Content-Type: text/plain; charset=\xff\x00\n\nfailed \xff",
    "a session of Sendmail": lambda: HEAD + b"\n>>> RCPT To:<b@example.org>\n<<< 550 no\n" * 40_000,
    "a session of Postfix": lambda: (
        HEAD + b"\nTranscript of session follows.\n" + b" In:  RCPT TO:<b@example.org>\n" * 30_000
    ),
    "deep JSON": lambda: b"From: no-reply@sns.amazonaws.com\n\n" + b'{"mail":' * 30_000,
    "open brackets": lambda: b"From: no-reply@sns.amazonaws.com\n\n{" + b'"mail":[' * 30_000,
    "phrases with stars": lambda: START + b"<b@example.org>: " + b"account account mailbox exceeds " * 30_000,
    "NUL": lambda: HEAD + b"\n" + bytes(MB),
    "marks of quotation": lambda: HEAD + b"\n" + b"> " * (MB // 2),
    "a wrapped notification, again and again": lambda: (HEAD + b"\n") * 10_000,
}


@pytest.mark.parametrize("name", NASTY)
def test_nasty_input_takes_less_than_a_second(name: str) -> None:
    raw = NASTY[name]()
    begun = time.process_time()
    classify(raw)
    assert time.process_time() - begun < LIMIT_S


@pytest.mark.parametrize("name", ["50 MB of line ends", "100,000 recipients", "20,000 nested parts", "quotes", "tags"])
def test_nasty_input_takes_little_memory(name: str) -> None:
    raw = NASTY[name]()
    tracemalloc.start()
    classify(raw)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < LIMIT_BYTES


def test_twice_the_text_takes_no_more_than_a_little_over_twice_the_time() -> None:
    def seconds(count: int) -> float:
        raw = START + b"<b@example.org>: recipient user (550 5.1.1) to: a=?x?= b <<<\n" * count
        begun = time.process_time()
        classify(raw)
        return time.process_time() - begun

    seconds(100)
    small, large = min(seconds(2000) for _ in range(3)), min(seconds(8000) for _ in range(3))
    assert large < 8 * small + 0.05


def test_recipients_are_bounded() -> None:
    assert 1000 <= len(classify(NASTY["as many different ones"]()).recipients) <= 2000


SEEDS = [letter.raw for letter in LETTERS] + [dsn("5.1.1", "550 5.1.1 User unknown")]
SPICE = (
    b"\n\n",
    b"\r\n",
    b"--b\n",
    b"Content-Type: ",
    b"multipart/report",
    b"message/delivery-status",
    b"\xff\xfe",
    b"=?",
)
MORE_SPICE = (
    b"\x00",
    b"<",
    b">",
    b"@",
    b"Action: failed\n",
    b"Final-Recipient: ;\n",
    b"base64",
    b"\x1b$B",
    b"5.1.1",
    b"{",
)


def mutate(raw: bytes, chance: random.Random) -> bytes:
    """Return the message with a few things cut, doubled, moved, turned or put in."""
    mutated = bytearray(raw)
    for _ in range(chance.randint(1, 8)):
        at, to = sorted((chance.randint(0, len(mutated)), chance.randint(0, len(mutated))))
        to = min(to, at + 400)
        kind = chance.randint(0, 4)
        if kind == 0:
            del mutated[at:to]
        elif kind == 1:
            mutated[at:at] = mutated[at:to] * chance.randint(1, 3)
        elif kind == 2 and mutated:
            mutated[min(at, len(mutated) - 1)] = chance.randint(0, 255)
        elif kind == 3:
            mutated[at:at] = chance.choice(SPICE + MORE_SPICE)
        else:
            piece = mutated[at:to]
            del mutated[at:to]
            where = chance.randint(0, len(mutated))
            mutated[where:where] = piece
    return bytes(mutated)


def must_be_calm(raw: bytes) -> None:
    """Classify within the limits, with a result that keeps its promises."""
    begun = time.process_time()
    found = classify(raw)
    assert time.process_time() - begun < LIMIT_S
    assert isinstance(found.kind, Kind)
    if found.kind in (Kind.BOUNCE, Kind.DELAYED):
        assert found.recipients
    for recipient in found.recipients:
        assert not recipient.status or recipient.status[0] in "245"
        assert recipient.diagnostic.isprintable()
        assert not (recipient.is_hard and found.kind is not Kind.BOUNCE)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=600))
def test_any_bytes_are_read(raw: bytes) -> None:
    must_be_calm(raw)
    must_be_calm(HEAD + raw)
    must_be_calm(STATUS + raw)
    must_be_calm(START + raw)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300), st.sampled_from(["utf-8", "iso-2022-jp", "utf-16", "", "x"]))
def test_any_text_is_read(text: str, charset: str) -> None:
    body = text.encode("utf-8", errors="replace")
    must_be_calm(HEAD + f"Content-Type: text/plain; charset={charset}\n\n".encode() + body)
    must_be_calm(HEAD.replace(b"Undelivered", body.replace(b"\n", b" ")) + b"\n" + body)


def inputs(folder: Path | None) -> list[bytes]:
    """Return what is mutated: our own letters and, where there are some, the samples from outside."""
    return SEEDS + ([path.read_bytes() for path in sorted(folder.glob("*.eml"))] if folder else [])


def test_mutated_letters_are_read() -> None:
    chance = random.Random(5)
    for _ in range(1000):
        must_be_calm(mutate(chance.choice(SEEDS), chance))


def test_mutated_samples_are_read(test_data: Path) -> None:
    """200,000 inputs by MAILMON_FUZZ=200000; a few in the normal run."""
    count = int(os.environ.get("MAILMON_FUZZ", "1000"))
    chance = random.Random(count)
    samples = inputs(test_data / "bounce" / "dev")
    for _ in range(count):
        must_be_calm(mutate(chance.choice(samples), chance))
