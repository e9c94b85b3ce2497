"""Does the advice agree with the server? Replies of real servers, labelled apart from the table (tests/data/)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailmon.errors import Stage
from mailmon.mail.advice import Refusal, advise, choose, refusal_in, refused
from mailmon.mail.advice_table import CAUSES, ROWS, Row

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


def test_replies_of_systems_that_the_table_was_not_made_from_get_no_advice_that_contradicts_them() -> None:
    share, _, contradictions = judged("server_texts_held_out.json")
    assert contradictions == []
    assert share >= 0.85


def test_each_row_is_reached_by_the_answers_that_it_cites() -> None:
    for row in ROWS:
        for system, stage, text in row.examples:
            protocol = "smtp" if text[:3].isdigit() else "pop3" if text.startswith("-ERR") else "imap"
            chosen = choose(refusal_in(protocol, stage, text))
            assert chosen, (row.cause, system, text)
            assert chosen.cause == row.cause, (system, text)


def test_each_cause_has_a_row() -> None:
    assert {row.cause for row in ROWS} == set(CAUSES)


SAYING = [(row, phrase) for row in ROWS for phrase in row.words]
WITH_STATUS = [(row, status) for row in ROWS for status in sorted(row.statuses | row.vague_statuses)]


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
