"""Subjects of alerts and their names."""

from __future__ import annotations

import socket

import pytest

from mailmon.checks.targets import Account, Route
from mailmon.clients.server import Security, Server
from mailmon.model import AlertSubject, Policy, Secret, Severity, Status
from mailmon.model.run import AlertLine
from mailmon.run.plan import make_plan
from mailmon.run.subjects import NETWORK, channel_outcomes, network_outcome, subjects_of, unit_outcome

SMTP = Server("smtp", "mail.example.org", 587, Security.STARTTLS)
IMAP = Server("imap", "mail.example.org", 993, Security.TLS)
MAIN, OFFICE = (
    Account(name, f"{name}@example.org", name, Secret("x"), SMTP, IMAP if name == "main" else None)
    for name in ("main", "office")
)
ROUTE = Route("incoming", OFFICE, "main@example.org", MAIN)
PATIENT = Policy(failure_threshold=3)


def subjects(*names: str) -> dict[str, AlertSubject]:
    """Return the topics of a run that is asked for these names."""
    accounts, routes = {"main": MAIN, "office": OFFICE}, {"incoming": ROUTE}
    plan, everything = (make_plan(accounts, routes, asked) for asked in (names, ()))
    return subjects_of(plan.steps, everything.steps, {"receive": PATIENT}, [NETWORK])


def test_every_step_of_the_run_is_spoken_of_and_so_is_mailmon() -> None:
    assert list(subjects()) == [
        "imap_auth:main",
        "smtp_auth:main",
        "smtp_auth:office",
        "send:incoming",
        "receive:incoming",
        "cleanup:incoming",
        NETWORK,
    ]


def test_a_subject_is_said_where_there_are_several() -> None:
    said = {step_id: (subject.label, subject.subject, subject.kind) for step_id, subject in subjects().items()}
    assert said["imap_auth:main"] == ("IMAP Auth", "", "account")
    assert said["smtp_auth:office"] == ("SMTP Auth", "office", "account")
    assert said["receive:incoming"] == ("Receive Test", "", "route")


def test_a_step_is_spoken_of_alike_when_it_is_asked_alone() -> None:
    assert subjects("office")["smtp_auth:office"] == subjects()["smtp_auth:office"]


def test_a_step_can_be_silenced_by_its_id_its_subject_its_accounts_and_all() -> None:
    assert set(subjects()["receive:incoming"].names) == {"all", "receive:incoming", "incoming", "office", "main"}
    assert set(subjects()["smtp_auth:office"].names) == {"all", "smtp_auth:office", "office"}


def test_a_check_has_its_policy_and_what_has_none_is_told_at_once() -> None:
    policies = {step_id: subject.policy for step_id, subject in subjects().items()}
    assert (policies["receive:incoming"], policies["send:incoming"], policies[NETWORK]) == (PATIENT, Policy(), Policy())


@pytest.mark.parametrize(
    ("step_id", "label", "kind"),
    [
        (NETWORK, "mailmon", "network"),
        ("channel:phone", "Alerts via phone", "channel"),
        ("unit:mailmon.service", "mailmon.service", "unit"),
    ],
)
def test_what_is_no_step_has_a_label_and_a_kind(step_id: str, label: str, kind: str) -> None:
    subject = subjects_of((), (), {}, [step_id])[step_id]
    assert (subject.label, subject.kind, subject.names) == (label, kind, ("all", step_id))


def test_blindness_is_a_failure_of_this_machine() -> None:
    blind, seeing = network_outcome("no route", is_offline=True), network_outcome("", is_offline=False)
    assert (blind.id, blind.status, blind.message, blind.target) == (
        NETWORK,
        Status.FAILED,
        "no route",
        socket.gethostname(),
    )
    assert (blind.findings[0].id, blind.findings[0].severity) == ("mailmon.blind", Severity.ERROR)
    assert (seeing.status, seeing.findings) == (Status.OK, ())


def line(channel: str, status: str, error: str = "", *, is_alarming: bool = False) -> AlertLine:
    return AlertLine("1", channel, status, "t", error, is_alarming)


@pytest.mark.parametrize(
    ("lines", "known", "outcomes"),
    [
        ([], [], []),
        ([line("phone", "sent")], [], []),
        ([line("phone", "sent")], ["channel:phone"], [("channel:phone", Status.OK)]),
        ([line("phone", "pending", "500")], ["channel:phone"], []),
        ([line("phone", "dropped", "gone")], [], []),
        ([line("phone", "pending", "403", is_alarming=True)], [], [("channel:phone", Status.FAILED)]),
        # one alert was refused, another one was taken: that one does not get through
        (
            [line("phone", "pending", "413", is_alarming=True), line("phone", "sent")],
            ["channel:phone"],
            [("channel:phone", Status.FAILED)],
        ),
        (
            [line("phone", "sent"), line("phone", "pending", "413", is_alarming=True)],
            ["channel:phone"],
            [("channel:phone", Status.FAILED)],
        ),
        (
            [line("phone", "pending", "403", is_alarming=True), line("team", "sent")],
            ["channel:team"],
            [("channel:phone", Status.FAILED), ("channel:team", Status.OK)],
        ),
    ],
)
def test_a_channel_that_refuses_or_stays_silent_is_reported_and_its_recovery_too(
    lines: list[AlertLine], known: list[str], outcomes: list[tuple[str, Status]]
) -> None:
    assert [(outcome.id, outcome.status) for outcome in channel_outcomes(lines, known)] == outcomes


def test_a_unit_that_failed_says_where_to_look() -> None:
    outcome = unit_outcome("mailmon.service", "exit code 70", is_failed=True)
    assert (outcome.id, outcome.advice) == ("unit:mailmon.service", "Look at `journalctl -u mailmon.service`.")
    assert unit_outcome("mailmon.service", "", is_failed=False).status is Status.OK
