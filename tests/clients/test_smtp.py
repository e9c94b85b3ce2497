"""SMTP conversations end in time, at the right stage, with the server's words."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable

import pytest

from mailmon.clients.server import Security
from mailmon.clients.smtp import SmtpClient
from mailmon.clients.wire import MAX_LINE_BYTES
from mailmon.errors import Stage, StageError
from tests.clients.peer import CLOSE, SECRET, USER, Peer, Script

GREETING: Script = [(None, b"220 mail.example.org ESMTP\r\n")]
HELLO: Script = [*GREETING, (b"EHLO ", b"250-mail.example.org\r\n250 AUTH PLAIN LOGIN\r\n")]
PIPELINING: Script = [*GREETING, (b"EHLO ", b"250-mail.example.org\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n")]
MESSAGE = b"Subject: x\r\n\r\n.hidden dot\r\n..two\r\nend"


def opened(client: SmtpClient) -> None:
    client.open()


def logged_in(client: SmtpClient) -> None:
    client.open()
    client.login(USER, SECRET)


def sent(client: SmtpClient) -> None:
    client.open()
    client.send(USER, "to@example.org", MESSAGE)


def error(
    script: Script,
    work: Callable[[SmtpClient], None],
    *,
    security: Security = Security.PLAIN,
    deadline_s: float = 5.0,
    drip_s: float = 0.0,
) -> StageError:
    """Return how a conversation ended; the credential shows neither in it nor in the transcript."""
    with Peer(script, drip_s=drip_s) as peer:
        client = peer.smtp(security, deadline_s)
        try:
            with pytest.raises(StageError) as caught:
                work(client)
        finally:
            client.close()
    assert caught.value.target == peer.target
    assert caught.value.message.startswith(f"{peer.target}: {caught.value.stage}: ")
    for text in (caught.value.message, caught.value.advice, *peer.transcript):
        assert text.isprintable()
        assert SECRET not in text
        assert b64encode(SECRET.encode()).decode() not in text
    return caught.value


@pytest.mark.parametrize(
    ("script", "work", "stage"),
    [
        ([], opened, Stage.GREETING),
        (GREETING, opened, Stage.EHLO),
        (HELLO, logged_in, Stage.LOGIN),
        ([*GREETING, (b"EHLO", b"250-x\r\n250 AUTH LOGIN\r\n"), (b"AUTH", b"334 x\r\n")], logged_in, Stage.LOGIN),
        (HELLO, sent, Stage.MAIL),
        ([*HELLO, (b"MAIL", b"250 ok\r\n")], sent, Stage.RCPT),
        ([*HELLO, (b"MAIL", b"250 ok\r\n"), (b"RCPT", b"250 ok\r\n")], sent, Stage.DATA),
        ([*HELLO, (b"MAIL", b"250 ok\r\n"), (b"RCPT", b"250 ok\r\n"), (b"DATA", b"354 go\r\n")], sent, Stage.DATA),
        (PIPELINING, sent, Stage.MAIL),
        ([*PIPELINING, (b"MAIL", b"250 ok\r\n")], sent, Stage.RCPT),
    ],
)  # fmt: skip
def test_silence_ends_at_its_stage_in_time(script: Script, work: Callable[[SmtpClient], None], stage: Stage) -> None:
    started_s = time.monotonic()
    exc = error(script, work, deadline_s=0.8)
    assert time.monotonic() - started_s < 1.5
    assert (exc.finding_id, exc.stage) == ("smtp.timeout", stage)


def test_a_silent_starttls_ends_in_time() -> None:
    script = [*GREETING, (b"EHLO", b"250-x\r\n250 STARTTLS\r\n"), (b"STARTTLS", b"220 go\r\n")]
    exc = error(script, opened, security=Security.STARTTLS)
    assert (exc.finding_id, exc.stage) == ("smtp.timeout", Stage.TLS)


def test_a_silent_port_may_want_tls() -> None:
    assert error([], opened).advice == "If this port expects TLS from the first byte, set `security` to tls."


@pytest.mark.parametrize("reply", [b"250-a\r\n" * 50 + b"250 b\r\n", b"250 " + b"x" * 500])
def test_a_dripping_server_is_bounded_in_all(reply: bytes) -> None:
    started_s = time.monotonic()
    exc = error([(None, b"220 x\r\n"), (b"EHLO", reply)], opened, drip_s=0.01)
    assert time.monotonic() - started_s < 1.5
    assert exc.finding_id == "smtp.timeout"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"x" * (MAX_LINE_BYTES + 70_000), f"a line of more than {MAX_LINE_BYTES} bytes"),
        (b"220-x\r\n" * 300, "a reply of more than 200 lines"),
        (b"HTTP/1.1 400 Bad Request\r\n", "not an SMTP reply: HTTP/1.1 400 Bad Request"),
        (b"* OK IMAP ready\r\n", "not an SMTP reply: * OK IMAP ready"),
        (b"220-a\r\n550 b\r\n", "the code changes within one reply: 220, then 550 b"),
        (b"\r\n", "not an SMTP reply: an empty line"),
        (b"\x00\x1b[2J\xff\r\n", "not an SMTP reply: \\x00\\x1b[2J\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_what_is_no_smtp_is_told_as_such(answer: bytes, words: str) -> None:
    exc = error([(None, answer)], opened)
    assert (exc.finding_id, exc.stage, exc.said) == ("smtp.protocol_error", Stage.GREETING, words)


@pytest.mark.parametrize("answer", [CLOSE, b"220-half" + CLOSE, b"220-half\r\n" + CLOSE])
def test_a_reply_that_is_cut_off_is_a_lost_connection(answer: bytes) -> None:
    exc = error([(None, answer)], opened)
    assert (exc.finding_id, exc.said, exc.lost) == ("smtp.connection_lost", "the server closed the connection", True)


def quoted(exc: StageError, stage: Stage, finding_id: str) -> str:
    """Return the reply that a refusal quotes, once its stage and its class are right."""
    assert (exc.stage, exc.finding_id) == (stage, f"smtp.{finding_id}")
    assert exc.is_temporary == exc.said.startswith("4") == exc.message.endswith(" (temporary)")
    return exc.said


@pytest.mark.parametrize("reply", ["421 4.3.2 too busy", "554 5.7.1 no"])
def test_a_greeting_that_is_a_refusal_is_quoted(reply: str) -> None:
    assert quoted(error([(None, f"{reply}\r\n".encode())], opened), Stage.GREETING, "greeting_rejected") == reply


def test_escape_codes_in_a_reply_are_made_visible() -> None:
    assert error([(None, b"554 5.7.1 no\x1b[1m\r\n")], opened).said == "554 5.7.1 no\\x1b[1m"


def test_a_refused_ehlo_is_quoted() -> None:
    assert quoted(error([*GREETING, (b"EHLO", b"502 what?\r\n")], opened), Stage.EHLO, "ehlo_refused") == "502 what?"


@pytest.mark.parametrize("reply", ["535 5.7.8 no", "454 4.7.0 later", "530 5.7.0 first STARTTLS"])
def test_a_refused_login_is_quoted(reply: str) -> None:
    exc = error([*HELLO, (b"AUTH PLAIN", f"{reply}\r\n".encode())], logged_in)
    assert quoted(exc, Stage.LOGIN, "login_refused") == reply


@pytest.mark.parametrize("reply", ["451 4.7.1 later", "550 5.1.1 who"])
@pytest.mark.parametrize(
    ("before", "stage"), [(0, Stage.MAIL), (1, Stage.RCPT), (2, Stage.DATA)], ids=["MAIL", "RCPT", "DATA"]
)
def test_a_refusal_is_quoted_at_its_command(before: int, stage: Stage, reply: str) -> None:
    commands = (b"MAIL", b"RCPT", b"DATA")
    script = [*HELLO, *((c, b"250 ok\r\n") for c in commands[:before]), (commands[before], f"{reply}\r\n".encode())]
    assert quoted(error(script, sent), stage, f"{stage.lower()}_refused") == reply


@pytest.mark.parametrize(
    ("replies", "stage", "said"),
    [
        ([b"250 ok\r\n550 5.1.1 who\r\n503 no\r\n"], Stage.RCPT, "550 5.1.1 who"),
        ([b"250 ok\r\n450 4.7.1 grey\r\n354 go\r\n", b"554 no recipients\r\n"], Stage.RCPT, "450 4.7.1 grey"),
        ([b"550 5.7.1 you\r\n503 no\r\n503 no\r\n"], Stage.MAIL, "550 5.7.1 you"),
        ([b"250 ok\r\n250 ok\r\n451 4.3.0 later\r\n"], Stage.DATA, "451 4.3.0 later"),
        # The server is gone behind its refusal: the refusal is what a person must hear.
        ([b"421 4.7.0 too many connections\r\n" + CLOSE], Stage.MAIL, "421 4.7.0 too many connections"),
        ([b"250 ok\r\n550 5.1.1 who\r\n354 go\r\n", CLOSE], Stage.RCPT, "550 5.1.1 who"),
    ],
)
def test_a_refusal_among_pipelined_replies_is_found(replies: list[bytes], stage: Stage, said: str) -> None:
    commands: Script = [(b"MAIL", b""), (b"RCPT", b""), (b"DATA", replies[0])]
    exc = error([*PIPELINING, *commands, *((b".\r\n", reply) for reply in replies[1:])], sent)
    assert quoted(exc, stage, f"{stage.lower()}_refused") == said


@pytest.mark.parametrize(
    ("auth", "said", "advice"),
    [
        (b"SIZE 1", "the server offers no AUTH", "Is this the submission port (587 or 465)?"),
        (b"AUTH CRAM-MD5 XOAUTH2", "the server offers only AUTH CRAM-MD5 XOAUTH2", "token"),
        (b"AUTH GSSAPI NTLM", "the server offers only AUTH GSSAPI NTLM", "PLAIN, LOGIN or SCRAM-SHA-256"),
    ],
)
def test_a_server_without_a_usable_login_is_told(auth: bytes, said: str, advice: str) -> None:
    exc = error([*GREETING, (b"EHLO", b"250-x\r\n250 " + auth + b"\r\n")], logged_in)
    assert (exc.finding_id, exc.said) == ("smtp.auth_not_offered", said)
    assert advice in exc.advice


@pytest.mark.parametrize(
    "lines",
    [
        b"250-AUTH GSSAPI NTLM\r\n250 AUTH LOGIN PLAIN\r\n",
        b"250-AUTH GSSAPI NTLM\r\n250-SIZE 1\r\n250 AUTH=PLAIN\r\n",
        b"250-AUTH=GSSAPI\r\n250 AUTH PLAIN\r\n",
        b"250-auth\r\n250 auth plain\r\n",
    ],
)
def test_all_lines_on_which_a_server_offers_logins_are_read(lines: bytes) -> None:
    with Peer([*GREETING, (b"EHLO", b"250-x\r\n" + lines), (b"AUTH PLAIN ", b"235 in\r\n")]) as peer:
        client = peer.smtp()
        logged_in(client)
        client.close()


def login_lines(*replies: tuple[bytes, bytes]) -> tuple[list[bytes], str]:
    """Return the verbs of a login at a server that answers so, and how it ended."""
    hello = (b"EHLO", b"250-x\r\n250 AUTH PLAIN LOGIN\r\n")
    with Peer([*GREETING, hello, *replies, (b"QUIT", b"")]) as peer:
        client = peer.smtp()
        said = ""
        try:
            logged_in(client)
        except StageError as exc:
            said = exc.said
        client.close()
        time.sleep(0.05)
    return [b" ".join(line.split()[:2]) for line in peer.received if line.startswith(b"AUTH")], said


@pytest.mark.parametrize(
    "refusal",
    [
        b"504 5.5.4 Unrecognized authentication type",
        b"504 no",
        b"501 5.5.4 bad",
        b"538 5.7.4 not supported",
    ],
)
def test_where_plain_is_offered_and_unknown_login_is_tried(refusal: bytes) -> None:
    prompts = ((b"AUTH LOGIN\r\n", b"334 VXNlcm5hbWU6\r\n"), (b"", b"334 UGFzc3dvcmQ6\r\n"), (b"", b"235 in\r\n"))
    lines, said = login_lines((b"AUTH PLAIN ", refusal + b"\r\n"), *prompts)
    assert (len(lines), lines[1], said) == (2, b"AUTH LOGIN", "")


def test_where_no_mechanism_is_known_the_last_refusal_is_told() -> None:
    lines, said = login_lines((b"AUTH PLAIN ", b"504 no\r\n"), (b"AUTH LOGIN", b"504 5.7.4 no LOGIN either\r\n"))
    assert (len(lines), said) == (2, "504 5.7.4 no LOGIN either")


@pytest.mark.parametrize("refusal", ["535 5.7.8 no", "535 5.7.4 no", "534 5.7.9 no", "454 4.7.0 later", "550 no"])
def test_a_refused_password_is_not_tried_by_another_mechanism(refusal: str) -> None:
    lines, said = login_lines((b"AUTH PLAIN ", f"{refusal}\r\n".encode()))
    assert (len(lines), said) == (1, refusal)


def test_without_starttls_nothing_more_is_sent() -> None:
    with Peer([*GREETING, (b"EHLO", b"250 x\r\n"), (b"QUIT", b"")]) as peer:
        client = peer.smtp(Security.STARTTLS)
        with pytest.raises(StageError, match="the server does not offer STARTTLS") as caught:
            client.open()
        client.close()
        time.sleep(0.05)
    assert (caught.value.finding_id, caught.value.stage) == ("smtp.starttls_missing", Stage.TLS)
    assert [line[:4] for line in peer.received] == [b"EHLO", b"QUIT"]


@pytest.mark.parametrize(
    ("answer", "finding_id"),
    [
        (b"454 4.7.0 not now\r\n", "smtp.starttls_refused"),
        (b"220 go\r\n250 injected\r\n", "smtp.starttls_injection"),
        (b"220 go\r\n" + CLOSE, "smtp.connection_lost"),
    ],
)
def test_a_starttls_that_goes_wrong_ends_the_conversation(answer: bytes, finding_id: str) -> None:
    script = [*GREETING, (b"EHLO", b"250-x\r\n250 STARTTLS\r\n"), (b"STARTTLS", answer)]
    exc = error(script, opened, security=Security.STARTTLS)
    assert (exc.finding_id, exc.stage) == (finding_id, Stage.TLS)


def test_plain_text_on_the_tls_port_is_told() -> None:
    exc = error([(None, b"220 mail.example.org ESMTP in clear text\r\n")], opened, security=Security.TLS)
    assert (exc.finding_id, exc.stage) == ("smtp.plaintext_on_tls_port", Stage.TLS)
    assert exc.said == "the server speaks plain text where TLS is expected"


@pytest.mark.parametrize(
    "echo",
    [SECRET, b64encode(SECRET.encode()).decode(), b64encode(f"\0{USER}\0{SECRET}".encode()).decode(), f"'{SECRET}'"],
)
def test_a_server_that_quotes_the_credential_back_is_masked(echo: str) -> None:
    exc = error([*HELLO, (b"AUTH", f"535 5.7.8 bad login {echo}\r\n".encode())], logged_in)
    assert "****" in exc.said


@pytest.mark.parametrize("length", [387, 392, 396])
def test_a_quoted_credential_is_masked_where_the_text_is_cut(length: int) -> None:
    exc = error([*HELLO, (b"AUTH", b"535 " + b"x" * length + SECRET.encode() + b"\r\n")], logged_in)
    assert SECRET[:4] not in exc.said


def test_the_login_is_tried_once() -> None:
    with Peer([*HELLO, (b"AUTH PLAIN", b"535 no\r\n"), (b"QUIT", b"221 bye\r\n")]) as peer:
        client = peer.smtp()
        with pytest.raises(StageError):
            logged_in(client)
        client.close()
        time.sleep(0.05)
    assert [line[:4] for line in peer.received] == [b"EHLO", b"AUTH", b"QUIT"]


@pytest.mark.parametrize("hello", [HELLO, PIPELINING], ids=["one by one", "pipelined"])
def test_an_accepted_message_has_its_queue_id(hello: Script) -> None:
    dialogue: Script = [
        (b"MAIL FROM:<monitor@example.org>\r\n", b"250 ok\r\n"),
        (b"RCPT TO:<to@example.org>\r\n", b"250 ok\r\n"),
        (b"DATA\r\n", b"354 go\r\n"),
    ]
    body: Script = [
        (line, b"") for line in (b"Subject: x\r\n", b"\r\n", b"..hidden dot\r\n", b"...two\r\n", b"end\r\n")
    ]
    with Peer([*hello, *dialogue, *body, (b".\r\n", b"250 2.0.0 Ok: queued as 4XyZ12abcD\r\n")]) as peer:
        client = peer.smtp()
        client.open()
        accepted = client.send(USER, "to@example.org", MESSAGE)
        client.close()
    assert (accepted.queue_id, accepted.reply) == ("4XyZ12abcD", "250 2.0.0 Ok: queued as 4XyZ12abcD")
    assert not any("hidden dot" in line for line in peer.transcript)
