"""Relaying, and refusals of the client that hide it: whole conversations with scripted servers."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest

from mailmon.clients.deadline import Deadline
from mailmon.clients.records import Records
from mailmon.diagnose.connection import Dialer
from mailmon.diagnose.conversation import converse
from mailmon.diagnose.followup import ask, followups
from mailmon.diagnose.handshake import TlsKit
from mailmon.diagnose.plan import Options
from mailmon.diagnose.session import Session, SessionContext
from mailmon.model import Finding, Verdict
from mailmon.model.diagnosis import Endpoint
from tests.diagnose.smtp_peer import OWN, Policy, SmtpPeer, Talk, polite
from tests.diagnose.test_names import Zone

BOTH = pytest.mark.parametrize("relay", ["one", "all"])


def look(peer: SmtpPeer, protocol: str = "smtp", **options: object) -> list[Finding]:
    """Look at a server as a run does: a session, and then what follows from it."""
    given = Options(timeout_s=3, deadline_s=8, domain="firm.example", helo="probe.example.net")
    given = given._replace(**options)  # type: ignore[arg-type]
    tools = SessionContext(TlsKit(None), cast(Records, Zone({})))
    endpoint = Endpoint("mx1.firm.example", peer.address, peer.port, protocol)
    session = Session(Dialer(endpoint, given, Deadline(given.deadline_s)), tools)
    converse(session)
    for one in followups(session):
        ask(session, one)
    return session.found.all


def finding(peer: SmtpPeer, finding_id: str = "smtp.open_relay", **options: object) -> Finding:
    (one,) = [one for one in look(peer, "smtp", **options) if one.id == finding_id]
    return one


def refusing(reply: str) -> Policy:
    """Return the policy of a server that answers every foreign recipient so, and would relay for others."""

    def policy(talk: Talk, verb: str, argument: str) -> str:
        return reply if verb == "RCPT" and argument not in OWN else polite(talk, verb, argument)

    return policy


@BOTH
@pytest.mark.parametrize(
    ("reply", "status", "words"),
    [
        ("454 4.7.1 <b@example.com>: Relay access denied", Verdict.PASS, "refuses to relay"),
        ("513 Relaying denied.", Verdict.PASS, "refuses to relay"),
        ("553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", Verdict.PASS, "refuses to relay"),
        ("550 Invalid recipient", Verdict.PASS, "refuses to relay"),  # OpenSMTPD: but it takes its own mailbox
        (
            "554 5.7.1 Service unavailable; Client host [203.0.113.9] blocked using zen.spamhaus.org",
            Verdict.UNKNOWN,
            "refuses this machine",
        ),
        ("504 5.5.2 <mail>: Helo command rejected: need fully-qualified hostname", Verdict.UNKNOWN, "--helo"),
        ("550 5.7.23 Message rejected due to: SPF fail - not authorized.", Verdict.UNKNOWN, "--mail-from"),
        ("550 Sender verify failed", Verdict.UNKNOWN, "--mail-from"),
        ("556 5.1.10 Recipient address has null MX", Verdict.UNKNOWN, "--relay-recipient"),
        ("450 4.2.0 Greylisted", Verdict.UNKNOWN, "try again later"),
        ("450 4.7.1 Client host rejected: cannot find your hostname, [203.0.113.9]", Verdict.UNKNOWN, "PTR"),
    ],
)
def test_only_a_refusal_of_relaying_is_one(relay: str, reply: str, status: Verdict, words: str) -> None:
    with SmtpPeer(refusing(reply)) as peer:
        found = finding(peer, relay=relay)
    assert found.status is status, found
    assert words in found.message


def test_what_refused_us_is_quoted() -> None:
    with SmtpPeer(refusing("554 5.7.1 Client host blocked using zen.spamhaus.org")) as peer:
        assert "554 5.7.1 Client host blocked using zen.spamhaus.org" in finding(peer).message


@BOTH
def test_a_sender_domain_that_is_refused_is_replaced(relay: str) -> None:
    def policy(talk: Talk, verb: str, argument: str) -> str:
        if verb == "RCPT" and talk.sender.endswith("@example.net"):
            return "550 5.7.27 Sender address rejected: domain does not accept mail (nullMX)"
        return polite(talk, verb, argument)

    with SmtpPeer(policy) as peer:
        assert finding(peer, relay=relay).status is Verdict.PASS
        assert "MAIL FROM:<>" in peer.said("MAIL")


@BOTH
def test_the_servers_own_mailbox_is_the_last_sender_that_is_tried(relay: str) -> None:
    def policy(talk: Talk, verb: str, argument: str) -> str:
        if verb == "MAIL" and not argument:
            return "550 5.7.1 null sender not accepted here"
        if verb == "RCPT" and talk.sender.endswith("@example.net"):
            return "450 4.1.8 Sender address rejected: Domain not found"
        return polite(talk, verb, argument)

    with SmtpPeer(policy) as peer:
        assert finding(peer, relay=relay).status is Verdict.PASS
        assert "MAIL FROM:<postmaster@firm.example>" in peer.said("MAIL")


def test_an_open_relay_that_refuses_the_tests_sender_is_found_with_another() -> None:
    def policy(talk: Talk, verb: str, argument: str) -> str:
        if verb == "RCPT" and talk.sender.endswith("@example.net"):
            return "550 5.1.8 Sender address rejected: Domain not found"
        return "250 2.1.5 Ok" if verb == "RCPT" else polite(talk, verb, argument)

    with SmtpPeer(policy) as peer:
        assert finding(peer, relay="all").status is Verdict.FAIL


def test_a_recipient_that_is_named_is_the_one_that_is_asked_for() -> None:
    def policy(talk: Talk, verb: str, argument: str) -> str:
        if verb == "RCPT" and argument.endswith("example.com"):
            return "550 5.1.2 Recipient address rejected: Domain not found"
        return polite(talk, verb, argument)

    with SmtpPeer(policy) as peer:
        assert finding(peer).status is Verdict.UNKNOWN
        assert finding(peer, relay_recipient="a@partner.example").status is Verdict.PASS


def test_a_refusal_without_a_reason_says_nothing_where_no_own_mailbox_is_taken() -> None:
    with SmtpPeer(lambda talk, verb, argument: "550 no" if verb == "RCPT" else polite(talk, verb, argument)) as peer:
        found = finding(peer, relay="all")
    assert found.status is Verdict.UNKNOWN
    assert "--mailbox" in found.message


def test_a_mailbox_of_the_domain_above_the_host_is_one_of_its_own() -> None:
    def policy(talk: Talk, verb: str, argument: str) -> str:  # OpenSMTPD, of a domain that nobody named
        if verb == "RCPT":
            return "250 2.1.5 Ok" if argument == "postmaster@firm.example" else "550 Invalid recipient"
        return polite(talk, verb, argument)

    with SmtpPeer(policy) as peer:
        assert finding(peer, domain="").status is Verdict.PASS
        assert peer.said("RCPT")[1:3] == ["RCPT TO:<postmaster@mx1.firm.example>", "RCPT TO:<postmaster@firm.example>"]


def unqualified(talk: Talk, verb: str, argument: str) -> str:
    """Take any word without a domain as a local mailbox, as OpenSMTPD does."""
    return "250 2.1.5 Ok" if verb == "RCPT" and "@" not in argument.replace('"', "") else polite(talk, verb, argument)


def test_a_server_that_takes_any_bare_word_as_a_mailbox_is_no_open_relay() -> None:
    with SmtpPeer(unqualified) as peer:
        assert finding(peer, relay="all").status is Verdict.PASS


def test_nor_is_one_that_takes_any_mailbox_at_its_address() -> None:
    def policy(talk: Talk, verb: str, argument: str) -> str:
        is_there = verb == "RCPT" and argument.endswith("]") and "@example" not in argument
        return "250 2.1.5 Ok" if is_there else polite(talk, verb, argument)

    with SmtpPeer(policy) as peer:
        assert finding(peer, relay="all").status is Verdict.PASS


def test_a_catch_all_hides_no_relay_for_bare_words() -> None:
    def policy(talk: Talk, verb: str, argument: str) -> str:
        is_caught = verb == "RCPT" and (argument.endswith("@firm.example") or ("!" in argument and "@" not in argument))
        return "250 2.1.5 Ok" if is_caught else polite(talk, verb, argument)

    with SmtpPeer(policy) as peer:
        assert finding(peer, relay="all").status is Verdict.FAIL


def test_one_that_hangs_up_while_its_own_mailbox_is_asked_for_leaves_it_unknown() -> None:
    def policy(talk: Talk, verb: str, argument: str) -> str:
        return ("" if talk.errors else "550 no") if verb == "RCPT" else polite(talk, verb, argument)

    with SmtpPeer(policy) as peer:
        assert finding(peer, relay="all").status is Verdict.UNKNOWN


def test_one_that_takes_bare_words_with_a_percent_sign_only_is_one() -> None:
    def policy(talk: Talk, verb: str, argument: str) -> str:
        is_trick = verb == "RCPT" and "%" in argument and "@" not in argument
        return "250 2.1.5 Ok" if is_trick else polite(talk, verb, argument)

    with SmtpPeer(policy) as peer:
        assert finding(peer, relay="all").status is Verdict.FAIL


@pytest.mark.parametrize("policy", [polite, unqualified])
def test_a_server_with_three_errors_a_connection_is_asked_everything(policy: Policy) -> None:
    with SmtpPeer(policy, max_errors=3) as peer:
        found = finding(peer, relay="all")
        assert peer.connections < 14
    assert (found.status, "forms asked" in found.message) == (Verdict.PASS, False)


def test_one_that_hangs_up_after_each_error_is_asked_on() -> None:
    with SmtpPeer(max_errors=0) as peer:
        assert finding(peer, relay="all").status is Verdict.UNKNOWN  # 421 is all that it ever says

    def policy(talk: Talk, verb: str, argument: str) -> str:
        return "" if talk.errors else polite(talk, verb, argument)

    with SmtpPeer(policy) as peer:
        assert finding(peer, relay="all").status is Verdict.PASS


def test_a_tarpit_that_refused_to_relay_is_no_open_question() -> None:
    with SmtpPeer(error_s=0.2) as peer:
        found = finding(peer, relay="all", deadline_s=2)
    assert found.status is Verdict.PASS
    assert "of 12 forms tried" in found.message


@BOTH
@pytest.mark.parametrize(("address", "status"), [("127.0.0.1", Verdict.UNKNOWN), ("", Verdict.FAIL)])
def test_ones_own_machine_is_a_trusted_client(relay: str, address: str, status: Verdict) -> None:
    def policy(talk: Talk, verb: str, argument: str) -> str:
        return "250 2.1.5 Ok" if verb == "RCPT" else polite(talk, verb, argument)

    with SmtpPeer(policy, address=address) as peer:
        found = finding(peer, relay=relay)
    assert found.status is (Verdict.UNKNOWN if relay == "one" else status)
    assert ("own machine" in found.message) is bool(address)


def test_postscreens_first_words_are_not_the_servers() -> None:
    def policy(talk: Talk, verb: str, argument: str) -> str:
        if talk.number == 1 and verb == "EHLO":
            return "250-mx1.firm.example\r\n250-SIZE 1000000\r\n250 8BITMIME"
        if talk.number == 1 and verb == "RCPT":
            return "450 4.3.2 Service currently unavailable"
        return polite(talk, verb, argument)

    with SmtpPeer(policy) as peer:
        assert finding(peer).status is Verdict.PASS
    with SmtpPeer(policy) as peer:
        assert "PIPELINING" not in finding(peer, "smtp.ext_missing").message


def test_relaying_is_asked_for_before_anything_that_is_an_error() -> None:
    with SmtpPeer() as peer:
        finding(peer)
        first = [line for number, line in peer.commands if number == 1]
        assert [line[:4] for line in first][:3] == ["EHLO", "MAIL", "RCPT"]
        assert not any(line.startswith(("VRFY", "EXPN")) for line in first)


def vrfy(there: str, nobody: str, expn: str = "502 5.5.1 no", bare: str = "") -> Policy:
    def policy(talk: Talk, verb: str, argument: str) -> str:
        if verb == "VRFY":
            if bare and "@" not in argument:
                return bare if "no-such" in argument else "250 postmaster"
            return nobody if "no-such" in argument else there
        if verb == "EXPN":
            return "550 5.1.1 unknown" if "no-such" in argument and expn[0] == "2" else expn
        return polite(talk, verb, argument)

    return policy


@pytest.mark.parametrize(
    ("policy", "status", "words"),
    [
        (vrfy("252 perhaps", "252 perhaps"), Verdict.PASS, ""),
        (vrfy("502 5.5.1 no", "502 5.5.1 no"), Verdict.PASS, ""),
        (vrfy("250 postmaster", "550 5.1.1 unknown"), Verdict.FAIL, "VRFY reveals"),
        (vrfy("252 perhaps", "550 5.1.1 unknown"), Verdict.FAIL, "refuses names"),
        (vrfy("250 <a@firm.example>", "250 <b@firm.example>", bare="250 <b>"), Verdict.PASS, ""),  # Sendmail
        (vrfy("250 <a@firm.example>", "250 <b@firm.example>", bare="550 5.1.1 unknown"), Verdict.FAIL, "VRFY reveals"),
        (vrfy("454 4.7.1 Relay access denied", "", bare="550 5.1.1 unknown"), Verdict.FAIL, "VRFY reveals"),  # Postfix
        (vrfy("450 4.3.2 not now", "450 4.3.2 not now"), Verdict.UNKNOWN, "450 4.3.2"),  # postscreen
        (vrfy("550 5.1.1 unknown", "550 5.1.1 unknown"), Verdict.PASS, ""),
        (vrfy("252 x", "252 x", "250 2.1.5 <postmaster@firm.example>"), Verdict.FAIL, "EXPN reveals who"),
        (vrfy("252 x", "252 x", "250 2.1.5 root <root@firm.example>"), Verdict.FAIL, "EXPN names"),
        (vrfy("252 x", "252 x", "421 4.7.0 too many errors"), Verdict.UNKNOWN, "421"),
    ],
)
def test_what_vrfy_tells_shows_by_the_difference(policy: Policy, status: Verdict, words: str) -> None:
    with SmtpPeer(policy) as peer:
        found = finding(peer, "smtp.vrfy_enabled")
    assert found.status is status, found
    assert words in found.message


def test_vrfy_of_a_mailbox_that_is_not_there_tells_nothing() -> None:
    def policy(talk: Talk, verb: str, argument: str) -> str:
        return "550 5.1.1 unknown" if verb in ("VRFY", "RCPT") else polite(talk, verb, argument)

    with SmtpPeer(policy) as peer:
        assert finding(peer, "smtp.vrfy_enabled").status is Verdict.UNKNOWN


def test_expn_that_repeats_any_word_names_no_members() -> None:
    def policy(talk: Talk, verb: str, argument: str) -> str:
        return f"250 2.1.5 <{argument}@firm.example>" if verb == "EXPN" else polite(talk, verb, argument)

    with SmtpPeer(policy) as peer:
        assert finding(peer, "smtp.vrfy_enabled").status is Verdict.PASS


def ehlo(reply: str) -> Callable[[Talk, str, str], str]:
    return lambda talk, verb, argument: reply if verb == "EHLO" else polite(talk, verb, argument)


def test_where_ehlo_is_refused_helo_is_tried_and_the_rest_is_asked() -> None:
    with SmtpPeer(ehlo("502 5.5.1 Command not implemented")) as peer:
        found = finding(peer, "smtp.ehlo_refused")
        assert (found.status, found.severity and found.severity.value) == (Verdict.FAIL, "error")
        assert "502 5.5.1 Command not implemented" in found.message
        assert finding(peer).status is Verdict.PASS
        assert finding(peer, relay="all").status is Verdict.PASS


def test_a_name_that_is_refused_in_ehlo_is_shown_with_how_to_give_another() -> None:
    with SmtpPeer(ehlo("504 5.5.2 <[127.0.0.1]>: Helo command rejected: need fully-qualified hostname")) as peer:
        found = finding(peer, "smtp.ehlo_refused")
    assert (found.status, found.severity and found.severity.value) == (Verdict.FAIL, "warning")
    assert "need fully-qualified hostname" in found.message
    assert "probe.example.net" in found.message
    assert "--helo" in found.fix


@pytest.mark.parametrize(
    ("greeting", "status"),
    [
        ("554 5.7.1 mx1.firm.example no service", Verdict.FAIL),
        ("554 5.7.1 Access denied to 203.0.113.9", Verdict.UNKNOWN),
        ("554 mx1 ESMTP not accepting connections from your host [127.0.0.1]", Verdict.UNKNOWN),
        ("554 5.7.1 your IP has a poor reputation", Verdict.UNKNOWN),
        ("421 4.7.0 mx1 busy", Verdict.FAIL),
        ("421 4.7.0 too many connections from 203.0.113.9", Verdict.UNKNOWN),
    ],
)
def test_a_greeting_that_refuses_only_us_tells_nothing_of_the_server(greeting: str, status: Verdict) -> None:
    with SmtpPeer(greeting=greeting) as peer:
        found = finding(peer, "smtp.greeting_rejected")
    assert found.status is status, found
    assert greeting in found.message
