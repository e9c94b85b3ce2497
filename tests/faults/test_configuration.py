"""The configuration changes between two runs, or has more than one of each: one alert, and none about what is gone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults import faults as f
from tests.faults.actions import reconfigured
from tests.faults.dsl import Action, Fault, Run, Scenario, again, pending, quiet, sent
from tests.faults.faults import failed
from tests.faults.harness import Harness
from tests.faults.runner import Runner, assert_correct, parameters

SECOND = "second@example.org"


def _second_account(harness: Harness) -> None:
    accounts, routes = harness.monitor.config["accounts"], harness.monitor.config["routes"]
    accounts["second"] = harness.account_of(SECOND, harness.sandbox.users[SECOND])
    routes["back"] = {"from": "second", "to": routes["main"]["to"], "in": "main"}


def _second_is_known_later(harness: Harness) -> None:
    _second_account(harness)
    config = harness.monitor.config
    harness.kept = (config["accounts"].pop("second"), config["routes"].pop("back"))


def _add(harness: Harness) -> None:
    harness.monitor.config["accounts"]["second"], harness.monitor.config["routes"]["back"] = harness.kept


def _remove(config: dict[str, Any]) -> None:
    del config["accounts"]["second"], config["routes"]["back"]


def _rename(config: dict[str, Any]) -> None:
    config["routes"]["mail"] = config["routes"].pop("main")


def _rename_account(config: dict[str, Any]) -> None:
    config["accounts"]["office"] = config["accounts"].pop("main")
    config["routes"]["main"] |= {"from": "office", "in": "office"}


added = Action("an account and a route added", _add)
removed = reconfigured("an account and a route removed", _remove)
renamed = reconfigured("the route renamed", _rename)
account_renamed = reconfigured("the account renamed", _rename_account)


def _wrong_password(harness: Harness) -> None:
    harness.monitor.config["accounts"]["second"]["password"] = "wrong"


def _right_password(harness: Harness) -> None:
    harness.monitor.config["accounts"]["second"]["password"] = harness.sandbox.users[SECOND]


def _announced_after_five(harness: Harness) -> None:
    harness.checks["receive"]["failure_threshold"] = 5


def announced_after(count: int) -> Action:
    """Announce that many lost mails in a row from now on."""
    return reconfigured(f"threshold {count}", lambda c: c["checks"]["receive"].update(failure_threshold=count))


corrected = Action("the password corrected", _right_password)
second_refused = Fault("wrong password", _wrong_password, dict.fromkeys(
    ("smtp_auth:second", "imap_auth:second"), failed("login refused")))  # fmt: skip

TWO: dict[str, Any] = {"form": "full", "setup": _second_account}

SCENARIOS = [
    Scenario("two accounts on one host fail the same way", [
        Run(), *again(2, f.smtp_closed), Run(expect=sent("recovery")), Run(),
    ], **TWO),
    Scenario("two routes lose their mail", [
        Run(), *again(3, f.loses_mail), Run(expect=sent("recovery")), Run(),
    ], **TWO),
    Scenario("one of two accounts has a wrong password for ever", [
        Run(), *again(3, second_refused, expect=None),
    ], **TWO),
    Scenario("a check is added while another one is down", [
        Run(), Run(f.smtp_refuses), Run(f.smtp_refuses, before=[added]), Run(f.smtp_refuses), Run(), Run(),
    ], "full", setup=_second_is_known_later),
    Scenario("a check that is down is removed", [
        Run(), Run(second_refused), Run(before=[removed], expect=quiet), Run(f.smtp_refuses), Run(),
    ], **TWO),
    Scenario("a check whose alert waits is removed", [
        Run(), Run(second_refused, channels="down"), Run(before=[removed], expect=quiet), Run(expect=quiet),
    ], **TWO),
    Scenario("an account is removed while the alert about it and another one waits", [
        Run(), Run(f.smtp_closed, channels="down"), Run(f.smtp_closed, before=[removed], expect=sent("problem")),
        Run(expect=sent("recovery")), Run(),
    ], **TWO),
    Scenario("an account is removed while the end of its failure waits", [
        Run(), Run(second_refused), Run(before=[corrected], channels="down", expect=pending("recovery")),
        Run(before=[removed], expect=quiet), Run(),
    ], **TWO),
    Scenario("an account is removed while a part of a longer alert about it waits", [
        Run(), Run(f.smtp_closed, channels="down"), Run(second_refused, channels="down"),
        Run(f.loses_mail, before=[removed], channels="down"), Run(f.loses_mail, expect=sent("problem")), Run(), Run(),
    ], **TWO),
    Scenario("a threshold is lowered while failures are counted", [
        Run(), *again(2, f.loses_mail, expect=quiet),
        Run(f.loses_mail, before=[announced_after(3)], expect=sent("problem")),
        Run(f.loses_mail, expect=quiet), Run(expect=sent("recovery")),
    ], "full", setup=_announced_after_five),
    Scenario("a threshold is lowered below what was counted", [
        Run(), *again(3, f.loses_mail, expect=quiet), Run(before=[announced_after(1)], expect=quiet),
        Run(f.loses_mail, expect=sent("problem")), Run(),
    ], "full", setup=_announced_after_five),
    Scenario("a threshold is raised while failures are counted", [
        Run(), Run(f.loses_mail), *again(2, f.loses_mail, before=[announced_after(4)], expect=quiet),
        Run(f.loses_mail, expect=sent("problem")), Run(expect=sent("recovery")),
    ], "full"),
    Scenario("a threshold is raised while it is down", [
        Run(), *again(2, f.loses_mail), Run(f.loses_mail, before=[announced_after(9)], expect=quiet),
        Run(expect=sent("recovery")), *again(3, f.loses_mail, expect=quiet), Run(expect=quiet),
    ], "full"),
    Scenario("a route is renamed while all is well", [
        Run(), Run(before=[renamed], expect=quiet), *again(2, f.loses_mail), Run(expect=sent("recovery")),
    ], "full"),
    Scenario("a route is renamed while it is down", [
        Run(), *again(2, f.loses_mail), *again(1, f.loses_mail, before=[renamed], expect=quiet),
        Run(f.loses_mail, expect=sent("problem")), Run(expect=sent("recovery")), Run(),
    ], "full"),
    Scenario("an account is renamed while it is down", [
        Run(), Run(f.smtp_refuses), Run(f.smtp_refuses, before=[account_renamed], expect=sent("problem")),
        Run(expect=sent("recovery")), Run(),
    ], "full"),
    Scenario("a check is renamed below its threshold", [
        Run(), Run(f.loses_mail), Run(f.loses_mail, before=[renamed], expect=quiet), Run(expect=quiet),
    ], "full"),
    Scenario("a check is added that fails from the beginning, while nobody can be told", [
        Run(), Run(f.smtp_closed, before=[added], channels="down", expect=pending("problem")),
        Run(expect=sent("merged")),
    ], "full", setup=_second_is_known_later),
]  # fmt: skip


@pytest.mark.parametrize("scenario", parameters(SCENARIOS))
def test_what_is_configured_is_told(scenario: Scenario, runner: Runner) -> None:
    assert_correct(runner.result_of(scenario))
