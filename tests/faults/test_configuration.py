"""The configuration changes between two runs, or has more than one of each: one alert, and none about what is gone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults import faults as f
from tests.faults.deeds import reconfigured
from tests.faults.faults import failed
from tests.faults.language import Deed, Fault, History, Run, again, pending, quiet, sent
from tests.faults.stage import Stage
from tests.faults.theatre import Theatre, must_hold, params

SECOND = "second@example.org"


def _second_account(stage: Stage) -> None:
    accounts, routes = stage.monitor.config["accounts"], stage.monitor.config["routes"]
    accounts["second"] = stage.account_of(SECOND, stage.sandbox.users[SECOND])
    routes["back"] = {"from": "second", "to": routes["main"]["to"], "in": "main"}


def _second_is_known_later(stage: Stage) -> None:
    _second_account(stage)
    config = stage.monitor.config
    stage.kept = (config["accounts"].pop("second"), config["routes"].pop("back"))


def _add(stage: Stage) -> None:
    stage.monitor.config["accounts"]["second"], stage.monitor.config["routes"]["back"] = stage.kept


def _remove(config: dict[str, Any]) -> None:
    del config["accounts"]["second"], config["routes"]["back"]


def _rename(config: dict[str, Any]) -> None:
    config["routes"]["mail"] = config["routes"].pop("main")


def _rename_account(config: dict[str, Any]) -> None:
    config["accounts"]["office"] = config["accounts"].pop("main")
    config["routes"]["main"] |= {"from": "office", "in": "office"}


added = Deed("an account and a route added", _add)
removed = reconfigured("an account and a route removed", _remove)
renamed = reconfigured("the route renamed", _rename)
account_renamed = reconfigured("the account renamed", _rename_account)


def _wrong_password(stage: Stage) -> None:
    stage.monitor.config["accounts"]["second"]["password"] = "wrong"


def _right_password(stage: Stage) -> None:
    stage.monitor.config["accounts"]["second"]["password"] = stage.sandbox.users[SECOND]


def _told_after_five(stage: Stage) -> None:
    stage.checks["receive"]["failure_threshold"] = 5


def told_after(count: int) -> Deed:
    """Let so many lost mails be told from now on."""
    return reconfigured(f"threshold {count}", lambda c: c["checks"]["receive"].update(failure_threshold=count))


mended = Deed("the password corrected", _right_password)
second_refused = Fault("wrong password", _wrong_password, dict.fromkeys(
    ("smtp_auth:second", "imap_auth:second"), failed("login refused")))  # fmt: skip

TWO: dict[str, Any] = {"form": "full", "setting": _second_account}

HISTORIES = [
    History("two accounts on one host fail the same way", [
        Run(), *again(2, f.smtp_closed), Run(expect=sent("recovery")), Run(),
    ], **TWO),
    History("two routes lose their mail", [Run(), *again(3, f.loses_mail), Run(expect=sent("recovery")), Run()], **TWO),
    History("one of two accounts has a wrong password for ever", [Run(),
    *again(3, second_refused, expect=None)], **TWO),
    History("a check is added while another one is down", [
        Run(), Run(f.smtp_refuses), Run(f.smtp_refuses, before=[added]), Run(f.smtp_refuses), Run(), Run(),
    ], "full", setting=_second_is_known_later),
    History("a check that is down is removed", [
        Run(), Run(second_refused), Run(before=[removed], expect=quiet), Run(f.smtp_refuses), Run(),
    ], **TWO),
    History("a check whose alert waits is removed", [
        Run(), Run(second_refused, channels="down"), Run(before=[removed], expect=quiet), Run(expect=quiet),
    ], **TWO),
    History("an account is removed while the alert about it and another one waits", [
        Run(), Run(f.smtp_closed, channels="down"), Run(f.smtp_closed, before=[removed], expect=sent("problem")),
        Run(expect=sent("recovery")), Run(),
    ], **TWO),
    History("an account is removed while the end of its failure waits", [
        Run(), Run(second_refused), Run(before=[mended], channels="down", expect=pending("recovery")),
        Run(before=[removed], expect=quiet), Run(),
    ], **TWO),
    History("an account is removed while a part of a longer story of it waits", [
        Run(), Run(f.smtp_closed, channels="down"), Run(second_refused, channels="down"),
        Run(f.loses_mail, before=[removed], channels="down"), Run(f.loses_mail, expect=sent("problem")), Run(), Run(),
    ], **TWO),
    History("a threshold is lowered while failures are counted", [
        Run(), *again(2, f.loses_mail, expect=quiet), Run(f.loses_mail, before=[told_after(3)], expect=sent("problem")),
        Run(f.loses_mail, expect=quiet), Run(expect=sent("recovery")),
    ], "full", setting=_told_after_five),
    History("a threshold is lowered below what was counted", [
        Run(), *again(3, f.loses_mail, expect=quiet), Run(before=[told_after(1)], expect=quiet),
        Run(f.loses_mail, expect=sent("problem")), Run(),
    ], "full", setting=_told_after_five),
    History("a threshold is raised while failures are counted", [
        Run(), Run(f.loses_mail), *again(2, f.loses_mail, before=[told_after(4)], expect=quiet),
        Run(f.loses_mail, expect=sent("problem")), Run(expect=sent("recovery")),
    ], "full"),
    History("a threshold is raised while it is down", [
        Run(), *again(2, f.loses_mail), Run(f.loses_mail, before=[told_after(9)], expect=quiet),
        Run(expect=sent("recovery")), *again(3, f.loses_mail, expect=quiet), Run(expect=quiet),
    ], "full"),
    History("a route is renamed while all is well", [
        Run(), Run(before=[renamed], expect=quiet), *again(2, f.loses_mail), Run(expect=sent("recovery")),
    ], "full"),
    History("a route is renamed while it is down", [
        Run(), *again(2, f.loses_mail), *again(1, f.loses_mail, before=[renamed], expect=quiet),
        Run(f.loses_mail, expect=sent("problem")), Run(expect=sent("recovery")), Run(),
    ], "full"),
    History("an account is renamed while it is down", [
        Run(), Run(f.smtp_refuses), Run(f.smtp_refuses, before=[account_renamed], expect=sent("problem")),
        Run(expect=sent("recovery")), Run(),
    ], "full"),
    History("a check is renamed below its threshold", [
        Run(), Run(f.loses_mail), Run(f.loses_mail, before=[renamed], expect=quiet), Run(expect=quiet),
    ], "full"),
    History("a check is added that fails from the beginning, while nobody can be told", [
        Run(), Run(f.smtp_closed, before=[added], channels="down", expect=pending("problem")),
        Run(expect=sent("merged")),
    ], "full", setting=_second_is_known_later),
]  # fmt: skip


@pytest.mark.parametrize("history", params(HISTORIES))
def test_what_is_configured_is_told(history: History, theatre: Theatre) -> None:
    must_hold(theatre.perform(history))
