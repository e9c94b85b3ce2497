"""Composing and recognising probes."""

from __future__ import annotations

import email
import email.policy
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailmon.mail.message.header import read_headers
from mailmon.mail.probe.probe import (
    SIGNATURE_HEADER,
    TOKEN_HEADER,
    Marks,
    Seal,
    find_token,
    find_tokens,
    format_date,
    make_token,
    read_marks,
    sign,
)
from tests.mail.samples import (
    EXCHANGE_FIELDS,
    FOREIGN_KEY,
    KEY,
    OTHER_TOKEN,
    POSTFIX_FIELDS,
    SENT_AT,
    TOKEN,
    dsn,
    headers,
    message,
)


def parsed() -> EmailMessage:
    read = email.message_from_bytes(message(), policy=email.policy.SMTP)
    assert isinstance(read, EmailMessage)
    return read


def with_subject(subject: str, more: str = "") -> bytes:
    """Return the headers of a message that is no probe and has this Subject."""
    return f"From: Jo <jo@example.org>\r\nSubject: {subject}\r\n{more}Content-Type: text/plain\r\n\r\n".encode()


@pytest.mark.parametrize("name", ["From", "To", "Date", "Message-ID", "Subject", "MIME-Version", TOKEN_HEADER])
def test_each_header_of_a_probe_stands_there_once(name: str) -> None:
    assert len(parsed().get_all(name, [])) == 1


def test_a_probe_is_read_by_the_standard_library_without_defects() -> None:
    read = parsed()
    assert read.defects == []
    assert read["From"].addresses[0].addr_spec == "monitor@example.org"
    assert read["Message-ID"] == f"<{TOKEN}@example.org>"
    assert parsedate_to_datetime(read["Date"]) == SENT_AT


def test_a_probe_is_plain_ascii_with_crlf_only() -> None:
    raw = message()
    assert raw.isascii()
    assert raw.endswith(b"\r\n")
    assert raw.count(b"\n") == raw.count(b"\r") == raw.count(b"\r\n")
    assert max(map(len, raw.split(b"\r\n"))) <= 998


def test_the_token_stands_in_subject_header_and_body() -> None:
    read = parsed()
    assert TOKEN in read["Subject"]
    assert read[TOKEN_HEADER] == TOKEN
    assert TOKEN in read.get_content()


def test_our_headers_are_not_the_last_ones() -> None:
    names = list(parsed().keys())
    assert names[-1] not in (TOKEN_HEADER, SIGNATURE_HEADER, "Subject")


def test_a_probe_asks_not_to_be_answered_automatically() -> None:
    assert parsed()["Auto-Submitted"] == "auto-generated"


def test_a_token_takes_all_its_entropy() -> None:
    assert make_token(bytes(range(16))) == "mm000102030405060708090a0b0c0d0e0f"
    with pytest.raises(ValueError, match="16 bytes"):
        make_token(b"short")


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC), "Sun, 01 Mar 2026 12:00:05 +0000"),
        (datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))), "Wed, 31 Dec 2025 23:30:00 +0000"),
    ],
)
def test_the_date_is_english_and_in_utc(at: datetime, text: str) -> None:
    assert format_date(at) == text


def test_our_own_probe_is_known_and_signed() -> None:
    assert read_marks(headers(), KEY) == Marks(TOKEN, is_signed=True, may_be_report=False, seal=Seal.GOOD)


def test_who_signed_our_own_probe_is_told_of_no_other() -> None:
    signature = b"DKIM-Signature: v=1; a=rsa-sha256; \r\n\td=Example.org; s=mail2026;\r\n\th=from:to; b=yd==\r\n"
    assert read_marks(signature + headers(), KEY).signers == (("example.org", "mail2026"),)
    assert read_marks(signature + headers(key=FOREIGN_KEY), KEY).signers == ()


def test_a_probe_that_another_monitor_signed_is_known_but_not_ours() -> None:
    assert read_marks(headers(key=FOREIGN_KEY), KEY) == Marks(TOKEN, is_signed=False, may_be_report=False)


def test_a_signature_of_another_token_is_not_ours() -> None:
    raw = headers().replace(sign(TOKEN, KEY).encode(), sign(OTHER_TOKEN, KEY).encode())
    assert not read_marks(raw, KEY).is_signed


@pytest.mark.parametrize("name", [TOKEN_HEADER, SIGNATURE_HEADER])
def test_a_mark_that_stands_twice_is_no_signature(name: str) -> None:
    value = TOKEN if name == TOKEN_HEADER else sign(TOKEN, KEY)
    assert not read_marks(f"{name}: {value}\r\n".encode() + headers(), KEY).is_signed


def test_a_signature_that_is_not_ascii_is_not_ours() -> None:
    raw = headers().replace(sign(TOKEN, KEY).encode(), "grün".encode())
    assert not read_marks(raw, KEY).is_signed


def test_a_probe_whose_own_headers_were_stripped_is_known_by_its_subject() -> None:
    assert read_marks(with_subject(f"mailmon probe {TOKEN}"), KEY) == Marks(TOKEN, is_signed=False, may_be_report=False)


@pytest.mark.parametrize("tag", ["[SPAM] ", "***SPAM*** ", "[EXT] ", "{Spam?} "])
def test_a_subject_that_a_filter_marked_is_still_a_probe(tag: str) -> None:
    assert read_marks(with_subject(f"{tag}mailmon probe {TOKEN}"), KEY).token == TOKEN


def test_a_filter_that_glues_its_header_to_the_last_line_takes_no_mark_away() -> None:
    glued = headers().removesuffix(b"\r\n\r\n") + b"X-Filter: seen\r\n\r\n"
    assert read_marks(glued, KEY) == Marks(TOKEN, is_signed=True, may_be_report=False, seal=Seal.GOOD)


def test_a_filter_that_glues_its_header_to_the_token_leaves_the_token_known() -> None:
    glued = headers().replace(TOKEN.encode() + b"\r\nX-Mailmon", TOKEN.encode() + b"X-Filter: seen\r\nX-Mailmon")
    assert read_marks(glued, KEY) == Marks(TOKEN, is_signed=False, may_be_report=False)


def test_folded_and_renamed_case_headers_are_still_ours() -> None:
    raw = headers().replace(b"X-Mailmon-Signature: ", b"x-MAILMON-signature:\r\n\t")
    assert read_marks(raw, KEY).is_signed


@pytest.mark.parametrize(
    ("subject", "more"),
    [
        ("Re: mailmon probe {}", ""),
        ("RE: AW: mailmon probe {}", ""),
        ("Fwd: mailmon probe {}", ""),
        ("Out of office: mailmon probe {}", "Auto-Submitted: auto-replied\r\n"),
        ("Re[2]: mailmon probe {}", ""),
        ("[EXT] Re: mailmon probe {}", ""),
        ("Automatic reply: mailmon probe {}", "Auto-Submitted: auto-generated\r\n"),
        ("Automatische Antwort: mailmon probe {}", "Auto-Submitted: auto-generated\r\n"),
        ("=?iso-8859-1?Q?R=E9ponse_automatique_:_mailmon_probe_{}?=", ""),
        ("=?utf-8?Q?Re:_mailmon_probe_{}?=", ""),
    ],
)
def test_an_answer_that_quotes_the_subject_is_no_arrival(subject: str, more: str) -> None:
    assert read_marks(with_subject(subject.format(TOKEN), more), KEY).token is None


@pytest.mark.parametrize(
    "raw",
    [
        dsn(POSTFIX_FIELDS),
        dsn(POSTFIX_FIELDS, subject=f"Undeliverable: mailmon probe {TOKEN}"),
        dsn(
            EXCHANGE_FIELDS,
            sender="Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.org>",
            subject=f"Undeliverable: mailmon probe {TOKEN}",
        ),
    ],
)
def test_a_bounce_is_no_arrival_even_with_the_token_in_its_subject(raw: bytes) -> None:
    outer = raw.partition(b"\r\n\r\n")[0]
    assert read_marks(outer, KEY) == Marks(None, is_signed=False, may_be_report=True)


def test_a_prose_bounce_from_the_mailer_may_be_a_report() -> None:
    raw = b"From: Mail Delivery System <Mailer-Daemon@example.org>\r\nSubject: failed\r\n\r\n"
    assert read_marks(raw, KEY) == Marks(None, is_signed=False, may_be_report=True)


@pytest.mark.parametrize(
    ("text", "token"),
    [
        (f"x{TOKEN}y", TOKEN),
        (f"{TOKEN}{OTHER_TOKEN}", TOKEN),
        (TOKEN.upper(), None),
        (TOKEN[:-1], None),
        ("", None),
        (TOKEN.replace("0", "٠"), None),
    ],
)
def test_a_token_is_found_though_it_is_glued_to_other_text(text: str, token: str | None) -> None:
    assert find_token(text) == token


def test_tokens_are_found_once_each_in_their_order() -> None:
    assert find_tokens(f"{OTHER_TOKEN} {TOKEN} {OTHER_TOKEN}") == (OTHER_TOKEN, TOKEN)


@pytest.mark.parametrize(
    ("raw", "fields"),
    [
        (b"A: 1\r\nB: 2\r\nA: 3\r\n\r\nC: 4", {"a": ["1", "3"], "b": ["2"]}),
        (b"A: 1\r\n\t2\r\n 3\r\n\r\n", {"a": ["1 2 3"]}),
        (b"A:1\nB:2\n\n", {"a": ["1"], "b": ["2"]}),
        (b" begins folded\r\nA: 1\r\nno colon\r\n folded\r\nB: 2", {"a": ["1"], "b": ["2"]}),
        (b"A: \xff\r\n", {"a": ["\N{REPLACEMENT CHARACTER}"]}),
        (b"", {}),
    ],
)
def test_headers_are_unfolded(raw: bytes, fields: dict[str, list[str]]) -> None:
    assert read_headers(raw) == fields


FRAGMENTS = st.lists(
    st.binary(max_size=30)
    | st.sampled_from([b"\r\n", b"\n", b" ", b": ", TOKEN.encode(), b"X-Mailmon-Token", b"X-Mailmon-Signature"])
    | st.sampled_from([b"Subject: Re: ", b"Content-Type: multipart/report", sign(TOKEN, KEY).encode()])
).map(b"".join)


@settings(deadline=None)
@given(FRAGMENTS)
def test_any_bytes_can_be_judged(raw: bytes) -> None:
    read_headers(raw)
    marks = read_marks(raw, KEY)
    assert marks.token is None or len(marks.token) == len(TOKEN)
    find_tokens(raw.decode("latin-1"))


@pytest.fixture
def two_seconds() -> Iterator[None]:
    """End the test after two seconds; a regular expression that has run away hears nothing else."""

    def give_up(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(2)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("two_seconds")
@pytest.mark.parametrize("count", [40, 20_000])
@pytest.mark.parametrize(
    "unit", ["*", "[", "]", "[]", "[x] ", "*x*", "* ", "({", " ", "=?", "re:", "mm0", "mailmon probe "]
)
def test_a_hostile_subject_is_judged_in_linear_time(unit: str, count: int) -> None:
    assert read_marks(with_subject(unit * count + "x" * 60), KEY).token is None
