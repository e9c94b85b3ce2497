"""Alerts by mail, through the account that works, as messages that mail programs accept."""

from __future__ import annotations

import email
import email.policy
import re
import time
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given as with_examples
from hypothesis import settings
from hypothesis import strategies as st

from mailmon.clients.account import Account
from mailmon.clients.server import Security, Server, Trust
from mailmon.mail.message.header import read_headers
from mailmon.mail.probe.probe import find_token, make_token, read_marks
from mailmon.model import Alert, AlertKind, Health, Secret
from mailmon.notify.channel import AnyChannel
from mailmon.notify.email import EmailOptions
from mailmon.notify.letter import Envelope, compose, message_id
from mailmon.sandbox import AcceptedMail, Sandbox
from mailmon.typedjson.validate import find_errors
from tests.clients.peer import CLOSE, Peer, Script
from tests.notify.samples import ALERT_ID, NASTY, SENTINEL, alert, change, channel, refusal, said_by, send, took_s

MAIN, SECOND, NOBODY = "monitor@example.org", "second@example.org", "nobody@example.org"
ENVELOPE = Envelope(MAIN, (MAIN,), "email", "example.org")


def account(sandbox: Sandbox, name: str = "main", address: str = MAIN, password: str = "") -> Account:
    server = Server("smtp", "127.0.0.1", sandbox.smtp_port, Security.STARTTLS, Trust(str(sandbox.ca_file)), 5)
    return Account(name, address, address, Secret(password or sandbox.users[address]), server)


def mail(*accounts: Account, to: tuple[str, ...] = (MAIN,)) -> AnyChannel:
    return channel(EmailOptions(to=to), *accounts)


def peer_account(peer: Peer, name: str = "main") -> Account:
    server = Server("smtp", "127.0.0.1", peer.port, Security.PLAIN, Trust(), 5)
    return Account(name, MAIN, MAIN, Secret(SENTINEL), server)


def parsed(accepted: AcceptedMail | bytes) -> EmailMessage:
    raw = accepted if isinstance(accepted, bytes) else accepted.raw
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not [part.defects for part in message.walk() if part.defects]
    assert not [header.defects for header in message.values() if header.defects]
    return message


def parts_of(message: EmailMessage) -> tuple[str, str]:
    """Return the text and the HTML of a message."""
    assert message.get_content_type() == "multipart/alternative"
    text, page = list(message.iter_parts())
    assert isinstance(text, EmailMessage)
    assert isinstance(page, EmailMessage)
    assert (text.get_content_type(), page.get_content_type()) == ("text/plain", "text/html")
    return text.get_content(), page.get_content()


class Page(HTMLParser):
    """What a person sees of a page, and what it would fetch."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.words, self.tags, self.fetched = "", set[str](), list[str]()
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.fetched += [f"{name}={value}" for name, value in attributes if name in ("src", "href", "action")]

    def handle_data(self, data: str) -> None:
        self.words += data


def test_an_alert_arrives_as_a_message_of_the_account(sandbox: Sandbox) -> None:
    said = send(mail(account(sandbox), to=(SECOND,)))
    [accepted] = sandbox.accepted
    assert said == f"127.0.0.1:{sandbox.smtp_port} accepted it for {SECOND} as queue id {accepted.queue_id}"
    assert (accepted.sender, accepted.recipients) == (MAIN, (SECOND,))
    message = parsed(accepted)
    assert {name: str(message[name]) for name in ("From", "To", "Subject", "Date")} == {
        "From": f"mailmon <{MAIN}>",
        "To": SECOND,
        "Subject": "🚨 SMTP login of main failed: mail.example.org:587",
        "Date": "Fri, 02 Jan 2026 12:00:05 +0000",
    }
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Mailmon-Alert-Id"] == ALERT_ID
    assert message["Precedence"] is None
    assert message["In-Reply-To"] is None
    assert re.fullmatch(rf"<{ALERT_ID}\.[0-9a-f]{{16}}@example\.org>", message["Message-ID"])


def test_both_parts_say_what_the_alert_says_and_the_html_is_harmless(sandbox: Sandbox) -> None:
    send(mail(account(sandbox)))
    text, page = parts_of(parsed(sandbox.accepted[0]))
    visible = NASTY.replace("\r\n", "\n").replace("\x1b", "\\x1b")
    assert text.replace("\r\n", "\n").startswith(visible)
    seen = Page(page)
    for line in filter(None, visible.split("\n")):
        assert line in seen.words
    assert seen.tags <= {"html", "head", "meta", "title", "body", "div", "h1", "p", "br"}
    assert seen.fetched == []
    assert "url(" not in page
    assert "viewport" in page


@pytest.mark.parametrize("kind", AlertKind)
def test_every_kind_has_its_mark(kind: AlertKind) -> None:
    subject = parsed(compose(alert(kind), ENVELOPE))["Subject"]
    marks = {"problem": "🚨", "warning": "⚠️", "recovery": "✅", "test": "👋", "report": "📊"}
    assert subject.partition(" ")[0] == marks[kind.value]


def test_a_repetition_has_the_same_message_id_even_through_another_account(sandbox: Sandbox) -> None:
    one = account(sandbox)
    other = account(sandbox, "other", SECOND)._replace(address=SECOND)
    given = alert(AlertKind.PROBLEM, change(Health.DOWN, "main"))
    send(mail(one, other), alert())
    send(mail(one, other), given)
    first, second = sandbox.accepted
    assert (first.sender, second.sender) == (MAIN, SECOND)
    assert parsed(first)["Message-ID"] == parsed(second)["Message-ID"]
    assert first.raw.count(b"\n") == second.raw.count(b"\n")


def test_two_channels_and_two_alerts_have_different_message_ids() -> None:
    ids = {message_id(one, ENVELOPE._replace(scope=scope)) for one in ("a b", "a-b", "c") for scope in ("x", "y")}
    assert len(ids) == 6


def test_a_recovery_threads_with_its_alert(sandbox: Sandbox) -> None:
    to = mail(account(sandbox))
    send(to)
    send(to, alert(AlertKind.RECOVERY, title="works again", alert_id="later-1", thread=ALERT_ID))
    problem, recovery = map(parsed, sandbox.accepted)
    assert recovery["In-Reply-To"] == recovery["References"] == problem["Message-ID"]
    assert recovery["Message-ID"] != problem["Message-ID"]


def test_a_long_id_stays_whole_in_the_headers() -> None:
    envelope = ENVELOPE._replace(domain="a" * 60 + "." + "b" * 60 + ".example.org")
    first = parsed(compose(alert(alert_id="x" * 64), envelope))
    raw = compose(alert(alert_id="y", thread="x" * 64), envelope)
    assert f"In-Reply-To: {first['Message-ID']}\r\n".encode() in raw


def test_a_subject_injects_no_header(sandbox: Sandbox) -> None:
    title = "down\r\nBcc: eve@example.net\r\n\r\n<b>x</b>\x00\u2028y"
    send(mail(account(sandbox)), alert(title=title, alert_id="id\r\nX-Evil: 1", thread="t\r\nX-Evil: 2"))
    message = parsed(sandbox.accepted[0])
    assert message["Bcc"] is None
    assert message["X-Evil"] is None
    assert message["Subject"] == "🚨 down Bcc: eve@example.net  <b>x</b>\\x00\\u2028y"


WORDS = st.text(st.characters(codec="utf-8"), max_size=400)


@with_examples(WORDS, WORDS)
@settings(max_examples=200, deadline=None)
def test_any_words_make_a_message_that_every_server_takes(title: str, body: str) -> None:
    raw = compose(alert(title=title, body=body), ENVELOPE)
    assert raw.isascii()
    assert b"\0" not in raw
    lines = raw.split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert max(map(len, lines)) <= 78
    message = parsed(raw)
    assert len(message.keys()) == 10
    text, page = parts_of(message)
    assert ALERT_ID in text
    assert Page(page).tags <= {"html", "head", "meta", "title", "body", "div", "h1", "p", "br"}


@with_examples(st.from_regex(r"[a-z.'+=/{|}]{1,20}@[a-z0-9](?:[a-z0-9.-]{0,20}[a-z0-9])?", fullmatch=True))
@settings(max_examples=100, deadline=None)
def test_unusual_addresses_stand_in_the_headers_as_they_are(address: str) -> None:
    raw = compose(alert(), Envelope(address, (address, MAIN), "email", "example.org"))
    fields = read_headers(raw)
    assert (fields["from"], fields["to"]) == ([f"mailmon <{address}>"], [f"{address}, {MAIN}"])


@pytest.mark.parametrize("sender", [MAIN, "postmaster@example.org"])
def test_an_alert_about_a_probe_is_taken_neither_for_one_nor_for_its_bounce(sender: str) -> None:
    token = make_token(b"x" * 16)
    words = f"mailmon probe {token} was lost; Message-ID: <{token}@example.org>, x{token}{token}"
    raw = compose(alert(title=f"mailmon probe {token}", body=words), ENVELOPE._replace(sender=sender))
    assert read_marks(raw, b"key").token is None
    message = parsed(raw)
    for text in (raw.decode(), *(str(value) for value in message.values()), *parts_of(message)):
        assert find_token(text) is None
    assert f"mailmon probe {token[:10]}…" in message["Subject"]


def test_a_refused_recipient_does_not_keep_the_others_from_it(sandbox: Sandbox) -> None:
    said = send(mail(account(sandbox), to=(NOBODY, SECOND)))
    assert f"accepted it for {SECOND} as queue id" in said
    assert f"; it refused {NOBODY}: 550 5.1.1 <{NOBODY}>: Recipient address rejected" in said
    assert [accepted.recipients for accepted in sandbox.accepted] == [(SECOND,)]


def test_when_all_recipients_are_refused_the_alert_is_refused_for_good(sandbox: Sandbox) -> None:
    error = refusal(mail(account(sandbox), to=(NOBODY, "no-one@example.org")))
    assert error.is_permanent
    assert "RCPT: 550 5.1.1" in error.message
    assert error.advice == "Check the addresses in the channel's `to`."
    assert sandbox.accepted == []


@pytest.mark.parametrize(
    ("fault", "reply", "is_permanent"),
    [
        ("mail_reply", "451 4.7.1 later", False),
        ("mail_reply", "550 5.7.1 no", True),
        ("rcpt_reply", "450 4.2.0 greylisted", False),
        ("rcpt_reply", "554 5.7.1 no", True),
        ("data_reply", "452 4.3.1 full", False),
        ("data_reply", "554 5.7.1 spam", True),
        ("greeting", "421 4.3.2 busy", False),
        ("greeting", "554 5.3.2 never", True),
    ],
)
def test_5xx_is_for_good_and_4xx_may_pass(sandbox: Sandbox, fault: str, reply: str, is_permanent: bool) -> None:
    setattr(sandbox.faults, fault, reply)
    error = refusal(mail(account(sandbox)))
    assert reply in error.message
    assert error.is_permanent is is_permanent


def test_after_a_refused_login_the_second_account_sends(sandbox: Sandbox) -> None:
    said = send(mail(account(sandbox, password="wrong"), account(sandbox, "second", SECOND)))
    assert "accepted it" in said
    assert [accepted.sender for accepted in sandbox.accepted] == [SECOND]
    assert sandbox.logins["smtp", "refused"] == 1


def test_logins_refused_everywhere_are_a_permanent_refusal_that_names_both(sandbox: Sandbox) -> None:
    sandbox.faults.refuse_login, sandbox.faults.echo_credentials = {"smtp"}, True
    passwords = list(sandbox.users.values())
    error = refusal(mail(account(sandbox), account(sandbox, "second", SECOND)))
    assert error.is_permanent
    assert error.message.count("login: 535") == 2
    assert not [password for password in passwords if password in said_by(error)]


def test_one_failure_that_may_pass_makes_the_whole_temporary(sandbox: Sandbox) -> None:
    gone = account(sandbox, "second", SECOND)
    assert gone.smtp is not None
    gone = gone._replace(smtp=gone.smtp._replace(port=1))
    error = refusal(mail(account(sandbox, password="wrong"), gone))
    assert not error.is_permanent
    assert "connect" in error.message


@pytest.mark.parametrize(("health", "first"), [(Health.DOWN, SECOND), (Health.FAILING, SECOND), (Health.UP, MAIN)])
def test_a_troubled_account_is_tried_last(sandbox: Sandbox, health: Health, first: str) -> None:
    to = mail(account(sandbox), account(sandbox, "second", SECOND))
    send(to, alert(AlertKind.PROBLEM, change(health, "main", "some-route")))
    assert [accepted.sender for accepted in sandbox.accepted] == [first]


def test_a_troubled_account_is_tried_where_there_is_no_other(sandbox: Sandbox) -> None:
    send(mail(account(sandbox)), alert(AlertKind.PROBLEM, change(Health.UNKNOWN, "main")))
    assert len(sandbox.accepted) == 1


def test_accounts_without_smtp_are_no_way_out(sandbox: Sandbox) -> None:
    error = refusal(mail(account(sandbox)._replace(smtp=None)))
    assert (error.is_permanent, error.message) == (True, "no account can send mail")


def test_a_silent_server_ends_in_time_and_leaves_time_for_the_next(sandbox: Sandbox) -> None:
    with Peer([]) as silent:
        said, second = "", account(sandbox, "second", SECOND)
        started_s = time.monotonic()
        said = send(mail(peer_account(silent), second), timeout_s=2.0)
        assert time.monotonic() - started_s < 2.0
    assert "accepted it" in said


def test_a_silent_server_alone_ends_in_time(sandbox: Sandbox) -> None:
    sandbox.faults.silent = {"smtp"}
    assert took_s(lambda: refusal(mail(account(sandbox)), timeout_s=0.6)) < 1.0
    error = refusal(mail(account(sandbox)), timeout_s=0.3)
    assert "greeting: no answer within 0.3 s" in error.message
    assert not error.is_permanent


def test_a_server_that_drips_ends_in_time() -> None:
    with Peer([(None, b"220 x\r\n"), (b"EHLO", b"250-x\r\n" * 100)], drip_s=0.02) as slow:
        error = None

        def wait() -> None:
            nonlocal error
            error = refusal(mail(peer_account(slow)), timeout_s=0.6)

        assert took_s(wait) < 1.0
    assert error is not None
    assert "no answer" in error.message


@pytest.mark.parametrize("certificate", ["expired", "wrong_name", "self_signed"])
def test_a_certificate_that_is_not_trusted_stops_before_the_password(sandbox: Sandbox, certificate: str) -> None:
    sandbox.faults.certificate = certificate
    error = refusal(mail(account(sandbox)))
    assert "certificate" in error.message
    assert not error.is_permanent
    assert sum(sandbox.logins.values()) == 0


def test_a_ca_file_that_is_missing_is_told_by_the_accounts_name(sandbox: Sandbox) -> None:
    one = account(sandbox)
    assert one.smtp is not None
    error = refusal(mail(one._replace(smtp=one.smtp._replace(trust=Trust("/nonexistent/ca.pem")))))
    assert error.message.startswith("main: ca_file /nonexistent/ca.pem")


HELLO: Script = [(None, b"220 x\r\n"), (b"EHLO ", b"250-x\r\n250 AUTH PLAIN\r\n"), (b"AUTH", b"235 ok\r\n")]
PIPELINING: Script = [*HELLO[:1], (b"EHLO ", b"250-x\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n"), *HELLO[2:]]
ONE, TWO = "one@example.org", "two@example.org"


@pytest.mark.parametrize("hello", [HELLO, PIPELINING], ids=["one by one", "pipelined"])
def test_a_server_that_quotes_the_password_in_a_refusal_of_a_recipient_is_masked(hello: Script) -> None:
    echo = f"550 5.1.1 who {SENTINEL}\r\n".encode()
    rest: Script = [(b"MAIL", b"250 ok\r\n"), (b"RCPT", echo), (b"RCPT", b"250 ok\r\n"), (b"DATA", b"354 go\r\n")]
    count = compose(alert(), ENVELOPE._replace(recipients=(ONE, TWO))).count(b"\r\n")
    lines: Script = [(b"", b"")] * count
    with Peer([*hello, *rest, *lines, (b".\r\n", b"250 2.0.0 ok\r\n")]) as peer:
        said = send(mail(peer_account(peer), to=(ONE, TWO)))
    assert said == f"{peer.target} accepted it for {TWO}; it refused {ONE}: 550 5.1.1 who ****"


@pytest.mark.parametrize(
    ("replies", "is_permanent", "words"),
    [
        (b"250 ok\r\n550 5.1.1 a\r\n450 4.2.0 b\r\n503 no\r\n", False, "RCPT: 450 4.2.0 b"),
        (b"250 ok\r\n550 5.1.1 a\r\n550 5.1.1 b\r\n503 no\r\n", True, "RCPT: 550 5.1.1 a"),
        (b"550 5.7.1 m\r\n503 a\r\n503 b\r\n503 c\r\n", True, "MAIL: 550 5.7.1 m"),
        (b"250 ok\r\n250 ok\r\n550 5.1.1 b\r\n451 4.3.0 c\r\n", False, "DATA: 451 4.3.0 c"),
        (b"250 ok\r\n250 ok\r\n550 5.1.1 b\r\n" + CLOSE, False, "the server closed the connection"),
        (b"250 ok\r\n550 5.1.1 a\r\n" + CLOSE, False, "the server closed the connection"),
        (b"250 ok\r\n550 5.1.1 a\r\n550 5.1.1 b\r\n" + CLOSE, True, "RCPT: 550 5.1.1 a"),
    ],
)
def test_among_pipelined_replies_the_one_that_decides_is_told(replies: bytes, is_permanent: bool, words: str) -> None:
    script: Script = [*PIPELINING, (b"MAIL", b""), (b"RCPT", b""), (b"RCPT", b""), (b"DATA", replies)]
    with Peer(script) as peer:
        error = refusal(mail(peer_account(peer), to=(ONE, TWO)))
    assert words in error.message
    assert error.is_permanent is is_permanent


def test_a_connection_that_breaks_after_the_message_may_be_tried_again() -> None:
    rest: Script = [(b"MAIL", b"250 ok\r\n"), (b"RCPT", b"250 ok\r\n"), (b"DATA", b"354 go\r\n" + CLOSE)]
    with Peer([*HELLO, *rest]) as peer:
        error = refusal(mail(peer_account(peer)))
    assert not error.is_permanent


def test_an_account_in_a_repr_shows_no_password(sandbox: Sandbox) -> None:
    assert sandbox.users[MAIN] not in repr(mail(account(sandbox)))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "required"),
        ({"to": []}, "1 to 20"),
        ({"to": ["a@example.org"] * 21}, "1 to 20"),
        ({"to": "a@example.org"}, "array"),
        ({"to": ["Bob <a@example.org>"]}, "a mail address"),
        ({"to": ["a@example.org\r\nBcc: b@example.org"]}, "a mail address"),
        ({"to": ["a@example.org"], "accounts": ["x y"]}, "a name"),
        ({"to": ["a@example.org"], "ca_file": "/x"}, "that of the account"),
    ],
)
def test_options_that_cannot_work_are_a_mistake(options: dict[str, Any], words: str) -> None:
    assert any(words in error["msg"] for error in find_errors(EmailOptions, {"type": "email", **options}))


def test_an_alert_without_words_is_a_message_too() -> None:
    empty: Alert = alert(title="", body="")
    text, _ = parts_of(parsed(compose(empty, ENVELOPE)))
    assert ALERT_ID in text
