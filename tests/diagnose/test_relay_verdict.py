"""The verdict on relaying, from replies: only a server that asks for the message is an open relay."""

from __future__ import annotations

from itertools import chain

import pytest

from mailmon.diagnose.plan import Options
from mailmon.diagnose.relay import (
    AT_LITERAL,
    CONTROL,
    UNQUALIFIED,
    Form,
    Outcome,
    Tried,
    _read,
    forms,
    verdict,
    verdict_of_one,
)
from mailmon.findings import Findings
from mailmon.mail.relaying import Asked
from mailmon.mail.reply import Reply
from mailmon.model.diagnosis import Endpoint

DIRECT = Form("plain", "a@example.net", "b@example.com")
OWN = Form("percent", "a@example.net", "b%example.com@mx.example.org", is_own=True)
ANY = Form(CONTROL, "a@example.net", "nobody@mx.example.org", is_own=True)


def told(*tried: tuple[Form, Outcome], trust: str = "") -> str:
    found = Findings("mx.example.org:25")
    verdict(found, [Tried(form, outcome, "") for form, outcome in tried], trust=trust)
    (finding,) = found.all
    return finding.status.value


@pytest.mark.parametrize(
    ("tried", "status"),
    [
        ([(DIRECT, Outcome.DENIED), (OWN, Outcome.DENIED)], "pass"),
        (
            [(DIRECT, Outcome.DENIED), (OWN, Outcome.ABOUT_ADDRESS)],
            "pass",
        ),  # there is no such mailbox: just what it should say
        ([(DIRECT, Outcome.RELAYED)], "fail"),
        ([(DIRECT, Outcome.DENIED), (OWN, Outcome.RELAYED)], "fail"),
        ([(DIRECT, Outcome.SINK)], "unknown"),
        ([(DIRECT, Outcome.LATER)], "unknown"),
        ([(DIRECT, Outcome.ABOUT_ADDRESS)], "unknown"),
        ([(DIRECT, Outcome.UNCLEAR)], "unknown"),
        ([(DIRECT, Outcome.FOREIGN)], "pass"),
        ([(DIRECT, Outcome.CLIENT), (OWN, Outcome.DENIED)], "unknown"),
        ([(DIRECT, Outcome.SENDER), (DIRECT, Outcome.DENIED)], "pass"),
        ([(ANY, Outcome.ACCEPTED), (DIRECT, Outcome.DENIED)], "pass"),
        ([], "unknown"),
    ],
)
def test_the_verdict_follows_from_all_answers(tried: list[tuple[Form, Outcome]], status: str) -> None:
    assert told(*tried) == status


def test_whoever_is_trusted_cannot_tell() -> None:
    assert told((DIRECT, Outcome.RELAYED), trust="this is its own machine") == "unknown"


@pytest.mark.parametrize(
    ("code", "text", "outcome"),
    [
        (554, "5.7.1 <b@example.com>: Relay access denied", Outcome.DENIED),
        (550, "relaying denied", Outcome.DENIED),
        (530, "5.7.0 Must issue a STARTTLS command first", Outcome.TLS),
        (530, "5.7.0 Authentication required", Outcome.DENIED),
        (556, "5.1.10 Recipient address has null MX", Outcome.ABOUT_ADDRESS),
        (550, "5.1.1 User unknown", Outcome.UNCLEAR),
        (454, "4.7.1 <b@example.com>: Relay access denied", Outcome.DENIED),
        (550, "5.7.27 Sender address rejected: domain does not accept mail (nullMX)", Outcome.SENDER),
        (450, "4.2.0 Greylisted", Outcome.LATER),
        (250, "2.1.5 Ok", Outcome.ACCEPTED),
        (251, "will forward", Outcome.ACCEPTED),
    ],
)
def test_a_refusal_for_the_address_is_not_one_of_relaying(code: int, text: str, outcome: Outcome) -> None:
    assert _read(Reply(code, (text.encode(),)), Asked("mx.example.net", "a@example.net")) is outcome


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome.DENIED, "pass"),
        (Outcome.FOREIGN, "pass"),
        *(
            (outcome, "unknown")
            for outcome in Outcome
            if outcome not in (Outcome.DENIED, Outcome.FOREIGN, Outcome.RELAYED, Outcome.SINK)
        ),
    ],
)
def test_one_recipient_alone_proves_no_relay(outcome: Outcome, status: str) -> None:
    found = Findings("mx.example.org:25")
    verdict_of_one(found, [Tried(DIRECT, outcome, "words")])
    assert [one.status.value for one in found.all] == [status]


def test_recipients_are_in_domains_that_are_reserved_for_documentation() -> None:
    every = forms(Endpoint("mx.example.org", "2001:db8::1", 25, "smtp"), Options())
    assert len({form.recipient + form.sender for form in every}) == len(every) == 12
    mentioned = chain.from_iterable((form.sender, form.recipient) for form in every if not form.is_own)
    assert all("example" in address or "[" in address for address in mentioned if address)
    assert any("[IPv6:2001:db8::1]" in form.sender for form in every)


@pytest.mark.parametrize(
    ("control", "words"),
    [
        (CONTROL, "its catch-all hides"),
        (AT_LITERAL, "any mailbox at its address"),
        (UNQUALIFIED, "any recipient without a domain"),
    ],
)
def test_a_pass_names_the_forms_that_could_not_tell_anything(control: str, words: str) -> None:
    found = Findings("mx.example.org:25")
    taken = Form(control, "a@example.net", "nobody", is_own=True)
    verdict(found, [Tried(DIRECT, Outcome.DENIED, "no"), Tried(taken, Outcome.ACCEPTED, "ok")], planned=12)
    assert [(one.status.value, words in one.message) for one in found.all] == [("pass", True)]
