"""Advice on replies of real servers, labelled independently of the table (tests/data/)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailmon.errors import Stage
from mailmon.mail.advice import Refusal, Row, advise, choose, refusal_in, refused, table

DATA = Path(__file__).parent.parent / "data"
STAGES = {
    "connect": Stage.GREETING, "greeting": Stage.GREETING, "ehlo": Stage.EHLO, "starttls": Stage.TLS,
    "login": Stage.LOGIN, "mail": Stage.MAIL, "rcpt": Stage.RCPT, "data": Stage.DATA, "body": Stage.DATA,
    "select": Stage.SELECT, "list": Stage.SELECT, "search": Stage.ARRIVAL, "fetch": Stage.ARRIVAL,
    "idle": Stage.ARRIVAL, "retr": Stage.ARRIVAL, "append": Stage.ARRIVAL,
    "store": Stage.CLEANUP, "expunge": Stage.CLEANUP, "dele": Stage.CLEANUP,
}  # fmt: skip
# What the labels call the right advice, and the causes whose advice says just that.
MEANS: dict[str, set[str]] = {
    "check-password": {"wrong-credentials"},
    "use-app-password": {"app-password-needed"},
    "use-oauth": {"token-needed"},
    "enable-imap-or-pop": {"login-switched-off"},
    "admin-must-enable-smtp-auth": {"login-switched-off"},
    "admin-policy-blocks-login": {"login-policy"},
    "confirm-login-in-browser": {"browser-login-needed"},
    "account-suspended": {"account-disabled"},
    "credential-expired": {"credential-expired"},
    "wait-too-many-logins": {"too-many-logins"},
    "fewer-connections": {"too-many-connections"},
    "sending-limit-wait": {"sending-limit"},
    "traffic-limit-wait": {"traffic-limit"},
    "look-at-auth-backend": {"login-service-down"},
    "wait-server-trouble": {
        "server-trouble",
        "refused-for-now",
        "next-server-down",
        "lookup-failed",
        "overloaded",
        "login-service-down",
        "shutting-down",
    },
    "see-server-log": {"server-fault", "administrator-needed", "lookup-failed", "mail-loop"},
    "server-disk-full": {"server-full"},
    "server-shutting-down": {"shutting-down"},
    "session-timed-out": {"idle"},
    "use-tls": {"tls-needed", "no-logins-here"},
    "server-tls-broken": {"tls-unavailable"},
    "wrong-port": {"no-logins-here"},
    "other-login-mechanism": {"mechanism-refused"},
    "log-in-first": {"login-needed", "relaying-denied"},
    "allow-relaying-or-log-in": {"relaying-denied", "login-needed"},
    "sender-address-not-owned": {"sender-not-yours"},
    "sender-address-blocked": {"sender-refused"},
    "sender-not-verifiable": {"sender-domain-unresolved"},
    "fix-helo-name": {"helo-refused"},
    "fix-reverse-dns": {"reverse-dns"},
    "client-host-not-allowed": {"client-refused"},
    "on-a-blocklist": {"block-listed"},
    "poor-reputation": {"block-listed"},
    "authenticate-mail": {"unauthenticated-mail"},
    "greylisted-wait": {"greylisted", "refused-for-now"},
    "recipient-unknown": {"recipient-unknown"},
    "recipient-mailbox-full": {"mailbox-full"},
    "recipient-refuses": {"recipient-refuses"},
    "wait-recipient-rate": {"recipient-rate"},
    "message-too-large": {"message-too-large"},
    "content-refused": {"content-refused"},
    "own-mailbox-full": {"mailbox-full"},
    "folder-missing": {"folder-missing"},
    "no-permission": {"no-permission", "may-not-act-as-user"},
    "mailbox-locked-wait": {"mailbox-in-use"},
    "login-delay-wait": {"logins-too-frequent", "too-many-logins"},
}


def texts(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((DATA / name).read_text())
    return found


def judged(name: str) -> tuple[float, list[str], list[str]]:
    """Return the share of right advice, what is wrong, and what contradicts the server."""
    wrong, contradictions = [], []
    listed = texts(name)
    for one in listed:
        advice = advise(refusal_in(one["protocol"], STAGES[one["stage"]], one["text"]))
        if advice.cause not in MEANS[one["essence"]]:
            wrong.append(f"{one['system']} {one['stage']}: {one['text']}: {advice.cause}, not {one['essence']}")
        contradictions += [f"{one['text']}: {advice.text}" for word in one["never"] if word in advice.text.lower()]
    return 1 - len(wrong) / len(listed), wrong, contradictions


@pytest.mark.parametrize(("name", "at_least"), [("server_texts.json", 0.99), ("server_texts_more.json", 0.95)])
def test_real_replies_get_the_right_advice(name: str, at_least: float) -> None:
    share, wrong, contradictions = judged(name)
    assert contradictions == []
    assert share >= at_least, wrong


def test_replies_of_unknown_systems_get_no_contradicting_advice() -> None:
    share, _, contradictions = judged("server_texts_held_out.json")
    assert contradictions == []
    assert share >= 0.85


def test_each_row_is_reached_by_the_answers_that_it_cites() -> None:
    for row in table().rows:
        for system, stage, text in row.examples:
            protocol = "smtp" if text[:3].isdigit() else "pop3" if text.startswith("-ERR") else "imap"
            chosen = choose(refusal_in(protocol, stage, text))
            assert chosen, (row.cause, system, text)
            assert chosen.cause == row.cause, (system, text)


def test_each_cause_has_a_row() -> None:
    assert {row.cause for row in table().rows} == set(table().causes)


# Where, what the server says, the cause. Collected by a reader of the finished table who tried to lead it astray.
ASTRAY = (
    ("imap", "login", "NO Access denied", "login-refused"),
    ("pop3", "login", "-ERR chdir Maildir: No such file or directory", "login-refused"),
    ("smtp", "rcpt", "504 5.5.2 <user>: Recipient address rejected: need fully-qualified address", "bad-address"),
    (
        "smtp",
        "rcpt",
        "550 5.1.1 <user@successfull.example>: Recipient address rejected: User unknown",
        "recipient-unknown",
    ),
    (
        "smtp",
        "rcpt",
        "550 5.1.1 <account@example.org>: User unknown in local recipient table; fully checked",
        "recipient-unknown",
    ),
    (
        "smtp",
        "rcpt",
        "550 5.1.1 <maintenance@example.org>: Recipient address rejected: User unknown",
        "recipient-unknown",
    ),
    ("smtp", "rcpt", "450 4.2.0 <maintenance@example.org>: Recipient address rejected: Greylisted", "greylisted"),
    ("smtp", "rcpt", "550 5.1.1 <stress@example.org>: Recipient address rejected: User unknown", "recipient-unknown"),
    ("smtp", "rcpt", "550 5.1.1 <credits@example.org>: Recipient address rejected: User unknown", "recipient-unknown"),
    ("smtp", "rcpt", "550 5.1.1 <sales@curbl.example>: Recipient address rejected: User unknown", "recipient-unknown"),
    (
        "smtp",
        "rcpt",
        "550 5.1.1 <bob@barracuda.example.org>: Recipient address rejected: User unknown",
        "recipient-unknown",
    ),
    (
        "smtp",
        "rcpt",
        "550 5.1.1 <monitor@relaying.example>: Recipient address rejected: User unknown",
        "recipient-unknown",
    ),
    (
        "smtp",
        "rcpt",
        "550 5.1.1 <bob@example.org>: no such user; see https://mx.example/greylist-faq",
        "recipient-unknown",
    ),
    (
        "smtp",
        "rcpt",
        "554 5.7.1 <mail.throttle.example[192.0.2.7]>: Client host rejected: Access denied",
        "client-refused",
    ),
    ("smtp", "rcpt", "554 5.7.1 <helo.example.org[192.0.2.7]>: Client host rejected: Access denied", "client-refused"),
    (
        "smtp",
        "mail",
        "553 5.1.8 <shutdown@x.example>: Sender address rejected: Domain not found",
        "sender-domain-unresolved",
    ),
    ("imap", "login", "NO [AUTHENTICATIONFAILED] Authentication failed for spam@example.org", "wrong-credentials"),
    ("imap", "login", "NO Login failed for user pamela@example.org", "wrong-credentials"),
    (
        "imap",
        "login",
        "NO [AUTHENTICATIONFAILED] Authentication failed. mail.directory.example.org",
        "wrong-credentials",
    ),
    ("smtp", "login", "535 5.7.8 authentication failed for database@example.org", "wrong-credentials"),
    ("imap", "login", "NO [AUTHENTICATIONFAILED] LOGIN failed for license@example.org", "wrong-credentials"),
    ("imap", "select", "NO [NONEXISTENT] Mailbox doesn't exist: Maintenance", "folder-missing"),
    ("imap", "select", "NO [NONEXISTENT] Mailbox doesn't exist: Client Certificate", "folder-missing"),
    ("imap", "select", "NO Unknown Mailbox: INBOX.simultaneous (Failure)", "folder-missing"),
    (
        "smtp",
        "login",
        "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect",
        "wrong-credentials",
    ),
    ("smtp", "login", "535 5.7.8 authentication failed: Spam account", "account-disabled"),
    ("smtp", "login", "554 5.7.1 Your IP is listed at zen.spamhaus.org", "block-listed"),
    ("smtp", "login", "535 Authentication Failed: client IP temporarily banned for 600 seconds", "too-many-logins"),
    ("smtp", "login", "454 4.7.1 <unknown[192.0.2.7]>: Client host rejected: Access denied", "client-refused"),
    ("smtp", "login", "535 5.7.8 Authentication failed: IP address blocked", "block-listed"),
    ("smtp", "login", "454 4.7.0 TLS currently unavailable", "tls-unavailable"),
    ("smtp", "login", "550 5.7.1 Too many bad commands", "too-many-errors"),
    ("imap", "login", "NO Too many invalid IMAP commands.", "too-many-errors"),
    ("pop3", "login", "-ERR User over quota, mailbox is full", "mailbox-full"),
    ("imap", "login", "NO User login over quota", "mailbox-full"),
    ("smtp", "login", "501 malformed auth input (#5.5.4)", "protocol-error"),
    ("smtp", "login", "535 5.7.8 Error: authentication failed: no mechanism available", "mechanism-refused"),
    (
        "imap",
        "login",
        "NO [UNAVAILABLE] User is already logged in on backend; connection timed out",
        "login-service-down",
    ),
    (
        "imap",
        "login",
        "NO [UNAVAILABLE] Internal authentication failure. Refer to server log for more information.",
        "login-service-down",
    ),
    ("smtp", "rcpt", "450 4.1.2 <bob@exmple.org>: Recipient address rejected: Domain not found", "recipient-unknown"),
    (
        "smtp",
        "rcpt",
        "550 5.7.27 <a@example.org>: Sender address rejected: Domain example.org does not accept mail (nullMX)",
        "sender-domain-unresolved",
    ),
    (
        "smtp",
        "rcpt",
        "550 5.1.0 <a@example.org>: Sender address rejected: User unknown in virtual alias table",
        "sender-refused",
    ),
    (
        "smtp",
        "rcpt",
        "550 5.1.2 <bob@exmple.org>... Host unknown (Name server: exmple.org: host not found)",
        "recipient-unknown",
    ),
    ("smtp", "rcpt", "550 5.4.4 Invalid domain name", "recipient-unknown"),
    (
        "smtp",
        "rcpt",
        "554 5.7.1 <bob@example.org>: Recipient address rejected: Policy restrictions",
        "refused-by-policy",
    ),
    ("smtp", "rcpt", "550 5.7.1 Mail to this user not permitted", "recipient-refuses"),
    ("smtp", "rcpt", "550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized", "recipient-refuses"),
    ("smtp", "rcpt", "550 5.7.505 Access denied, banned recipient", "recipient-refuses"),
    ("smtp", "rcpt", "550 5.7.502 Access denied, banned sender", "sender-refused"),
    ("smtp", "rcpt", "550 5.7.507 Access denied, rejected by recipient", "recipient-refuses"),
    (
        "smtp",
        "body",
        "550 5.7.1 [192.0.2.7] The IP you're using is not authorized to send email directly to our servers.",
        "block-listed",
    ),
    (
        "smtp",
        "body",
        "554 5.2.122 The recipient has exceeded their limit of messages they can receive per hour",
        "recipient-rate",
    ),
    (
        "smtp",
        "body",
        "421 4.7.26 Your email has been rate limited because it is unauthenticated.",
        "unauthenticated-mail",
    ),
    ("smtp", "body", "552 5.3.4 attachment size exceeds limit", "message-too-large"),
    ("smtp", "body", "550 5.3.4 554 SendSizeLimit.Sender; message too large for this sender", "message-too-large"),
    ("smtp", "body", "451 Temporary failure in spam filter, please try again later", "server-trouble"),
    ("smtp", "body", "451 Virus scanner unavailable, try again later", "server-trouble"),
    ("smtp", "body", "451 4.7.1 Could not contact SPF resolver", "lookup-failed"),
    ("smtp", "body", "451 DKIM verification temporarily failed: key lookup", "lookup-failed"),
    ("smtp", "rcpt", "450 4.7.1 <a@example.org>: SPF temperror", "lookup-failed"),
    ("smtp", "rcpt", "450 4.7.1 <a@example.org>: Recipient address rejected: Policy quota exceeded", "sending-limit"),
    ("smtp", "rcpt", "550 mailbox is full: retry timeout exceeded", "mailbox-full"),
    (
        "smtp",
        "mail",
        "421 4.7.1 - Connection refused - 192.0.2.7 - all mail servers must have a PTR record",
        "reverse-dns",
    ),
    (
        "smtp",
        "rcpt",
        "450 4.2.1 <user1@example.org>: Delivery temporarily suspended: mailbox being moved",
        "server-trouble",
    ),
    (
        "smtp",
        "rcpt",
        "451 4.7.1 Sorry, the service is currently unavailable. Please come back later.",
        "refused-for-now",
    ),
    ("smtp", "rcpt", "451 Greylisting: sender 192.0.2.7 reputation unknown", "greylisted"),
    ("smtp", "body", "554 5.5.1 Error: no valid recipients", "recipient-unknown"),
    ("smtp", "body", "550 maximum allowed line length is 998 octets, got 1200", "protocol-error"),
    ("smtp", "body", "550 Administrative prohibition", "refused-by-policy"),
    (
        "smtp",
        "rcpt",
        "550 The account or domain may not exist, they may be blacklisted, or missing dns entries.",
        "refused",
    ),
    ("imap", "select", "NO [SERVERBUG] Timeout while waiting for lock", "mailbox-in-use"),
    ("smtp", "connect", "521 5.3.2 mail.example.org does not accept mail", "client-refused"),
    (
        "imap",
        "fetch",
        "NO [THROTTLED] Request is throttled. Suggested Backoff Time: 1000 milliseconds",
        "traffic-limit",
    ),
    ("smtp", "body", "500 5.0.0 Line too long", "protocol-error"),
    ("smtp", "login", "501 5.5.2 Cannot decode response", "protocol-error"),
    ("imap", "greeting", "* BYE Disconnected: Auth process broken", "server-fault"),
)


@pytest.mark.parametrize(("protocol", "stage", "text", "cause"), ASTRAY)
def test_a_name_among_the_words_or_a_misleading_code_leads_nobody_astray(
    protocol: str, stage: str, text: str, cause: str
) -> None:
    assert advise(refusal_in(protocol, STAGES[stage], text)).cause == cause


SAYING = [(row, phrase) for row in table().rows for phrase in row.words]


def test_each_phrase_can_be_found() -> None:
    """A phrase that looks like a name would be left out with the names."""
    for row, phrase in SAYING:
        words = phrase.replace("…", " it ").rstrip("_")
        found = [choose(Refusal(protocol, stage, words)) for protocol in row.protocols for stage in row.stages]
        assert None not in found, (row.cause, phrase)


WITH_STATUS = [(row, status) for row in table().rows for status in sorted(row.statuses | row.vague_statuses)]


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(SAYING), st.sampled_from(WITH_STATUS), st.sampled_from([0, 421, 450, 451, 452, 535, 550, 554]))
def test_no_status_and_no_code_leads_past_the_words(said: tuple[Row, str], by: tuple[Row, str], code: int) -> None:
    row, phrase = said
    status = by[1].rpartition(" ")[2].replace("X", "5")
    for protocol in row.protocols:
        for stage in row.stages:
            words = phrase.replace("…", " it ")
            alone = choose(Refusal(protocol, stage, words))
            beside = choose(Refusal(protocol, stage, words, code, (status,)))
            assert alone is not None
            assert beside is alone


@pytest.mark.parametrize(
    ("protocol", "said", "cause", "is_temporary"),
    [
        ("imap", "NO [LIMIT] Too many", "too-many-connections", True),
        ("imap", "NO [INUSE] In use", "mailbox-in-use", True),
        ("imap", "NO [UNAVAILABLE] Authentication failed", "login-service-down", True),
        ("imap", "NO [SERVERBUG] Login failed", "login-service-down", True),
        ("imap", "NO [EXPIRED] Authentication failed", "credential-expired", None),
        ("imap", "NO [PRIVACYREQUIRED] Authentication failed", "tls-needed", None),
        ("imap", "NO [CONTACTADMIN] Authentication failed", "administrator-needed", None),
        ("imap", "NO [ALERT] Application-specific password required", "app-password-needed", None),
        ("pop3", "-ERR [SYS/TEMP] Authentication failed", "login-service-down", True),
        ("pop3", "-ERR [IN-USE] No", "mailbox-in-use", True),
    ],
)
def test_a_response_code_outweighs_general_words(
    protocol: str, said: str, cause: str, is_temporary: bool | None
) -> None:
    advice = advise(refused(protocol, Stage.LOGIN, said))
    assert (advice.cause, advice.is_temporary) == (cause, is_temporary)


def test_the_end_of_a_session_is_no_refusal_of_the_password() -> None:
    assert advise(refused("imap", Stage.LOGIN, "Goodbye", is_answer=False)).cause == ""
    said = "* BYE Too many connections"
    assert advise(refused("imap", Stage.LOGIN, said, is_answer=False)).cause == "too-many-connections"


@settings(deadline=None)
@given(st.sampled_from(["smtp", "imap", "pop3"]), st.sampled_from(list(Stage)), st.text(max_size=200))
def test_whatever_is_said_advice_is_a_line_or_nothing(protocol: str, stage: Stage, said: str) -> None:
    assert advise(refused(protocol, stage, said)).text.isprintable()
