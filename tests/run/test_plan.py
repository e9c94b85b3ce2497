"""The plan of a run: its checks, their targets and order."""

from __future__ import annotations

import pytest

from mailmon.checks.targets import Account, Route
from mailmon.clients.server import Security, Server
from mailmon.errors import UnknownNameError
from mailmon.model import Finding, Outcome, Secret, Status, Verdict
from mailmon.model.run import AlertLine, RunResult
from mailmon.run.plan import make_plan
from tests.alerting.sequences import START

SMTP = Server("smtp", "mail.example.org", 587, Security.STARTTLS)
IMAP = Server("imap", "mail.example.org", 993, Security.TLS)


def account(name: str, smtp: Server | None = SMTP, imap: Server | None = IMAP) -> Account:
    return Account(name, f"{name}@example.org", name, Secret("x"), smtp, imap)


MAIN, OUTSIDE, IDLE = account("main"), account("outside", imap=None), account("idle")
ACCOUNTS = {a.name: a for a in (MAIN, OUTSIDE, IDLE)}
ROUTES = {
    "own": Route("own", MAIN, "main@example.org", MAIN),
    "incoming": Route("incoming", OUTSIDE, "main@example.org", MAIN),
}


def ids(*names: str) -> list[str]:
    return [step.id for step in make_plan(ACCOUNTS, ROUTES, names).steps]


def test_logins_come_first_then_each_route_in_order() -> None:
    assert ids() == [
        "imap_auth:main",
        "smtp_auth:main",
        "smtp_auth:outside",
        "imap_auth:idle",
        "smtp_auth:idle",
        "send:own",
        "receive:own",
        "cleanup:own",
        "send:incoming",
        "receive:incoming",
        "cleanup:incoming",
    ]


def test_a_named_route_brings_the_accounts_at_its_ends() -> None:
    assert ids("incoming") == [
        "imap_auth:main",
        "smtp_auth:main",
        "smtp_auth:outside",
        "send:incoming",
        "receive:incoming",
        "cleanup:incoming",
    ]


def test_a_named_account_is_asked_alone() -> None:
    assert ids("idle") == ["imap_auth:idle", "smtp_auth:idle"]


def test_every_step_needs_only_steps_of_its_plan() -> None:
    for names in ((), ("own",), ("incoming",), ("idle", "own")):
        plan = make_plan(ACCOUNTS, ROUTES, names)
        known = {step.id for step in plan.steps}
        assert all({*step.needs, *step.after} <= known for step in plan.steps)


def test_a_plan_is_complete_only_without_names() -> None:
    assert make_plan(ACCOUNTS, ROUTES, ()).is_complete
    assert not make_plan(ACCOUNTS, ROUTES, ["own"]).is_complete


def test_an_unknown_name_is_told_with_those_that_there_are() -> None:
    with pytest.raises(UnknownNameError) as caught:
        make_plan(ACCOUNTS, ROUTES, ["own", "nix"])
    assert caught.value.message == "unknown account or route 'nix' (defined: idle, incoming, main, outside, own)"


BUG = Finding("mailmon.bug", Verdict.UNKNOWN, "x", "a bug")


@pytest.mark.parametrize(
    ("status", "findings", "state_error", "is_alarming", "code"),
    [
        (Status.OK, (), "", False, 0),
        (Status.WARNING, (), "", False, 0),
        (Status.UNKNOWN, (), "", False, 75),
        (Status.FAILED, (), "", False, 1),
        (Status.FAILED, (), "", True, 69),
        (Status.OK, (), "", True, 69),
        (Status.FAILED, (), "full", True, 74),
        (Status.UNKNOWN, (BUG,), "full", True, 70),
    ],
)
def test_the_gravest_cause_gives_the_exit_code(
    status: Status, findings: tuple[Finding, ...], state_error: str, is_alarming: bool, code: int
) -> None:
    outcome = Outcome("send:main", "send", "main", status, "", findings=findings)
    alerts = (AlertLine("1", "ntfy", "pending", "t", "", is_alarming),)
    report = RunResult("r", START, START, 1.0, status, (outcome,), alerts=alerts, state_error=state_error)
    assert report.exit_code == code
