"""Logins before TLS, accepted or only offered: whole conversations with scripted servers of all protocols."""

from __future__ import annotations

import pytest

from mailmon.model import Finding, Verdict
from tests.diagnose.smtp_peer import Policy, SmtpPeer, Talk, polite
from tests.diagnose.test_relaying import finding, look


def test_a_login_that_is_listed_in_clear_and_refused_takes_no_password() -> None:
    def policy(talk: Talk, verb: str, argument: str) -> str:
        if verb == "AUTH":
            return "538 5.7.11 Encryption required for requested authentication mechanism"
        return f"{peer_ehlo}\r\n250 AUTH PLAIN LOGIN" if verb == "EHLO" else polite(talk, verb, argument)

    peer_ehlo = "250-mx1.firm.example"
    with SmtpPeer(policy) as peer:
        found = finding(peer, "smtp.auth_before_tls")
        assert peer.said("AUTH") == ["AUTH PLAIN", "AUTH LOGIN"]
    assert found.status is Verdict.PASS
    assert "538 5.7.11" in found.message
    with SmtpPeer(lambda t, v, a: "334 " if v == "AUTH" else policy(t, v, a)) as peer:
        assert finding(peer, "smtp.auth_before_tls").status is Verdict.FAIL


def pop3(
    user: str, *, capa: str = "-ERR Invalid command", stls: str = "-ERR Invalid command", auth: str = ""
) -> Policy:
    """Answer as a POP3 server, by default as popa3d does: neither CAPA nor STLS."""

    def policy(_talk: Talk, verb: str, _argument: str) -> str:
        return {"CAPA": capa, "STLS": stls, "USER": user, "AUTH": auth, "QUIT": "+OK"}.get(verb, "-ERR Invalid command")

    return policy


def failures(found: list[Finding]) -> set[str]:
    return {one.id for one in found if one.status is Verdict.FAIL}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (pop3("+OK"), {"pop3.starttls_missing", "pop3.auth_before_tls"}),  # popa3d
        (pop3("-ERR unknown user"), {"pop3.starttls_missing", "pop3.auth_before_tls"}),
        (pop3("-ERR TLS required"), {"pop3.starttls_missing"}),
        (pop3("+OK", capa="+OK\r\nUSER\r\nUIDL\r\n."), {"pop3.starttls_missing", "pop3.auth_before_tls"}),
        (pop3("-ERR Plaintext disallowed", capa="+OK\r\nUSER\r\n."), {"pop3.starttls_missing"}),
        (pop3("+OK", capa="+OK\r\nUIDL\r\n."), {"pop3.starttls_missing"}),
        (
            pop3("-ERR disabled", capa="+OK\r\nUSER\r\nSASL PLAIN\r\n.", auth="+ "),
            {"pop3.starttls_missing", "pop3.auth_before_tls"},
        ),
    ],
)
def test_a_pop3_server_without_tls_is_told_by_what_it_answers(policy: Policy, expected: set[str]) -> None:
    with SmtpPeer(policy, greeting="+OK ready") as peer:
        found = look(peer, protocol="pop3")
        assert peer.said("PASS") == []
    assert failures(found) == expected
    assert [one for one in found if one.status is Verdict.UNKNOWN] == []


def imap(capabilities: str, answer: str) -> Policy:
    def policy(_talk: Talk, tag: str, command: str) -> str:
        if command.startswith("CAPABILITY"):
            return f"* CAPABILITY {capabilities}\r\n{tag.lower()} ok done"
        return answer.replace("TAG", tag.lower())

    return policy


@pytest.mark.parametrize(
    ("capabilities", "answer", "is_told"),
    [
        ("IMAP4rev1 AUTH=PLAIN", "+ ", True),
        ("IMAP4rev1 AUTH=PLAIN", "TAG NO [PRIVACYREQUIRED] Plaintext authentication disallowed", False),
        ("IMAP4rev1 AUTH=PLAIN", "TAG BAD TLS is required before authentication", False),
        ("IMAP4rev1 AUTH=PLAIN", "TAG NO Authentication failed", True),
        ("IMAP4rev1", "TAG NO LOGIN Command disabled", False),  # GNU mailutils
        ("IMAP4rev1", "TAG BAD Missing arguments", True),
        ("IMAP4rev1 XTLSREQUIRED", "TAG BAD", False),
        ("IMAP4rev1 LOGINDISABLED", "TAG BAD", False),
    ],
)
def test_an_imap_server_that_lists_logins_is_asked_whether_it_takes_them(
    capabilities: str, answer: str, is_told: bool
) -> None:
    with SmtpPeer(imap(capabilities, answer), greeting="* OK ready") as peer:
        found = look(peer, protocol="imap")
        assert not any("LOGIN " in line for _, line in peer.commands)
    assert ("imap.auth_before_tls" in failures(found)) is is_told


@pytest.mark.parametrize(
    "greeting",
    [
        '"IMPLEMENTATION" "x"\r\n"SASL" "PLAIN"\r\n"STARTTLS"\r\nOK "ready"',
        '"IMPLEMENTATION" {1+}\r\nx\r\n"sasl" {5}\r\nPLAIN\r\n"starttls"\r\nok (WARNINGS) {5}\r\nready',
        '"IMPLEMENTATION" "a \\"quoted\\" name"\r\n"SASL" "PLAIN"\r\n"STARTTLS"\r\nOK',
        '"IMPLEMENTATION" {3}\r\na"b\r\n"SASL" "PLAIN"\r\n"STARTTLS"\r\nOK {9}\r\ntwo\r\nline',
    ],
)
def test_managesieve_is_read_in_any_form_of_its_strings(greeting: str) -> None:
    def policy(_talk: Talk, _verb: str, _argument: str) -> str:
        return "NO (TRYLATER) {5}\r\nlater"

    with SmtpPeer(policy, greeting=greeting) as peer:
        found = look(peer, protocol="sieve")
    assert failures(found) == {"sieve.auth_before_tls", "sieve.starttls_refused"}
