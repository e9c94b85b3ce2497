"""SMTP replies (RFC 5321 section 4.2)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailmon.errors import MalformedError, Stage
from mailmon.mail.advice import advise, refused_by_smtp
from mailmon.mail.reply import MAX_LINES, Reply, ReplyReader, parse_extensions


def read(*lines: bytes) -> Reply | None:
    reader, reply = ReplyReader(), None
    for line in lines:
        assert reply is None
        reply = reader.feed(line)
    return reply


@pytest.mark.parametrize(
    ("lines", "reply"),
    [
        ([b"220 mail.example.org ESMTP"], Reply(220, (b"mail.example.org ESMTP",))),
        ([b"250"], Reply(250, (b"",))),
        ([b"250 "], Reply(250, (b"",))),
        ([b"250-one", b"250-", b"250 three"], Reply(250, (b"one", b"", b"three"))),
        ([b"599 \xff\x00"], Reply(599, (b"\xff\x00",))),
    ],
)
def test_lines_become_a_reply(lines: list[bytes], reply: Reply) -> None:
    assert read(*lines) == reply


def test_a_reply_that_goes_on_is_not_complete() -> None:
    assert read(b"250-mail.example.org", b"250-SIZE") is None


def test_a_reader_reads_one_reply_after_the_other() -> None:
    reader = ReplyReader()
    assert [reader.feed(line) for line in (b"250-a", b"250 b", b"354 go")] == [
        None,
        Reply(250, (b"a", b"b")),
        Reply(354, (b"go",)),
    ]


@pytest.mark.parametrize(
    "line",
    [b"", b"2", b"25", b"HTTP/1.1 400 Bad Request", b"* OK ready", b"2500 x", b"250\tx", b"199 x", b"600 x", b"-12 x"],
)
def test_what_is_no_reply_is_malformed(line: bytes) -> None:
    with pytest.raises(MalformedError, match="not an SMTP reply"):
        read(line)


def test_a_terminal_escape_in_garbage_is_shown_harmless() -> None:
    with pytest.raises(MalformedError) as caught:
        read(b"\x1b[2Jgone")
    assert "\x1b" not in caught.value.message


def test_digits_of_another_alphabet_are_no_code() -> None:
    with pytest.raises(MalformedError):
        read("²50 ok".encode())


def test_a_code_that_changes_within_a_reply_is_malformed() -> None:
    with pytest.raises(MalformedError, match="the code changes within one reply: 250, then 550 no"):
        read(b"250-yes", b"550 no")


def test_a_reply_without_end_is_malformed() -> None:
    with pytest.raises(MalformedError, match=f"more than {MAX_LINES} lines"):
        read(*[b"250-x"] * (MAX_LINES + 1))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"5.7.8 authentication failed", "5.7.8"),
        (b"2.0.0", "2.0.0"),
        (b"5.1.1234 no", ""),
        (b"no 5.1.1", ""),
        (b"192.0.2.1 is listed", ""),
        (b"5.1.1: no", ""),
    ],
)
def test_the_enhanced_code_stands_at_the_beginning(text: bytes, code: str) -> None:
    assert Reply(550, (text,)).enhanced_code == code


@pytest.mark.parametrize(
    ("text", "queue_id"),
    [
        (b"2.0.0 Ok: queued as 4XyZ12abcD", "4XyZ12abcD"),
        (b"2.0.0 Ok: queued as 6F3A9C0D2E", "6F3A9C0D2E"),
        (b"OK id=1rAbCd-0001Xy-2Z", "1rAbCd-0001Xy-2Z"),
        (b"OK id=1tKLmN-000000001Ab-3cDe", "1tKLmN-000000001Ab-3cDe"),
        (b"2.0.0 4BQ9Xk1234567 Message accepted for delivery", "4BQ9Xk1234567"),
        (b"2.0.0 a1b2c3d4 Message accepted for delivery", "a1b2c3d4"),
        (
            b"2.6.0 <mm1@example.org> [InternalId=7219, Hostname=EX1.example.org] 3 bytes in 0.1, Queued mail",
            "7219",
        ),
        (
            b"Ok 0100018c2d3e4f50-1a2b3c4d-0000-1111-2222-333344445555-000000",
            "0100018c2d3e4f50-1a2b3c4d-0000-1111-2222-333344445555-000000",
        ),
        (b"2.0.0 OK  1700000000 x12-20020a05600c.45 - gsmtp", ""),
        (b"Message queued as 5F3A9C0D2E.", "5F3A9C0D2E"),
        (b"OK", ""),
        (b"Ok Successfully", ""),
    ],
)
def test_the_queue_id_is_found_as_servers_say_it(text: bytes, queue_id: str) -> None:
    assert Reply(250, (text,)).queue_id == queue_id


@pytest.mark.parametrize(
    ("code", "is_positive", "is_transient"),
    [(220, True, False), (354, True, False), (450, False, True), (550, False, False)],
)
def test_a_reply_knows_its_class(code: int, is_positive: bool, is_transient: bool) -> None:
    reply = Reply(code, (b"x",))
    assert (reply.is_positive, reply.is_transient) == (is_positive, is_transient)


def test_a_reply_of_several_lines_is_quoted_as_one() -> None:
    assert str(Reply(550, (b"5.7.1 refused", b"5.7.1 see\x1b[1m"))) == "550 5.7.1 refused 5.7.1 see\\x1b[1m"


@pytest.mark.parametrize(
    ("lines", "extensions"),
    [
        ([b"mail.example.org", b"SIZE 1000", b"STARTTLS"], {"SIZE": "1000", "STARTTLS": ""}),
        ([b"mail.example.org", b"auth plain login"], {"AUTH": "plain login"}),
        ([b"mail.example.org", b"AUTH=PLAIN LOGIN"], {"AUTH": "PLAIN LOGIN"}),
        ([b"mail.example.org", b"AUTH PLAIN LOGIN", b"AUTH=LOGIN"], {"AUTH": "PLAIN LOGIN"}),
        ([b"STARTTLS is my name"], {}),
    ],
)
def test_the_extensions_of_an_ehlo_reply_are_read(lines: list[bytes], extensions: dict[str, str]) -> None:
    assert parse_extensions(Reply(250, tuple(lines))) == extensions


LINE = st.binary(max_size=40) | st.tuples(
    st.sampled_from([b"250", b"550", b"354"]), st.sampled_from([b"", b" ", b"-", b"x"]), st.binary(max_size=30)
).map(b"".join)


@settings(deadline=None)
@given(st.lists(LINE, max_size=10))
def test_any_lines_make_replies_or_are_malformed(lines: list[bytes]) -> None:
    reader = ReplyReader()
    for line in lines:
        try:
            reply = reader.feed(line)
        except MalformedError:
            return
        if reply:
            assert f"{reply}{reply.text}{reply.enhanced_code}{reply.queue_id}".isprintable()
            parse_extensions(reply)
            assert advise(refused_by_smtp(Stage.RCPT, reply)).text.isprintable()
