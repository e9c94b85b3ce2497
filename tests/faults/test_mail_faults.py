"""A mail server fails in every way that it knows: its failure and its end are told once each, and nothing else."""

from __future__ import annotations

import pytest

from tests.faults import faults as f
from tests.faults.language import Fault, History, Run, again, quiet, sent
from tests.faults.stage import Stage
from tests.faults.theatre import Theatre, must_hold, params


def _fails_and_recovers(fault: Fault, kind: str = "problem", form: str = "flat") -> History:
    told = sent(kind)
    return History(
        f"{fault.name} ({form})",
        [
            Run(expect=quiet),
            Run(fault, expect=told),
            Run(fault, expect=quiet),
            Run(expect=sent("recovery")),
            Run(expect=quiet),
        ],
        form,
    )


def _slow_is_worth_a_warning(stage: Stage) -> None:
    stage.checks["receive"] |= {"timeout_s": 4, "warning_delivery_s": 0.7}


AT_ONCE = [
    f.smtp_refuses, f.imap_refuses, f.both_refuse, f.smtp_closed, f.imap_closed, f.greets_554, f.plain_text, f.expired,
    f.wrong_name, f.self_signed, f.mail_421, f.rcpt_450, f.rcpt_550, f.data_451, f.data_554, f.loses_mail, f.bounces,
    f.into_junk, f.is_late, f.cuts_imap,
]  # fmt: skip
LOGINS = [f.smtp_silent, f.imap_silent]
WARNINGS = [f.delivers_twice, f.expires_soon]

HISTORIES = [
    *[_fails_and_recovers(fault) for fault in AT_ONCE],
    *[_fails_and_recovers(fault, form="full") for fault in LOGINS],
    *[_fails_and_recovers(fault, "warning") for fault in WARNINGS],
    History("odd, but no failure", [Run(fault, expect=quiet) for fault in (*f.harmless, *f.harmless)]),
    History("well for ten runs", again(10, expect=quiet)),
    History("down from the very first run", [*again(3, f.smtp_refuses), Run(expect=sent("recovery"))]),
    History("both servers are gone", [Run(), *again(2, f.smtp_closed, f.imap_closed), Run(), Run()]),
    History("one lost mail is not told by the full form", [Run(), Run(f.loses_mail, expect=quiet), Run(expect=quiet)],
            "full"),
    History("two lost mails are", [Run(), Run(f.loses_mail), Run(f.loses_mail, expect=sent("problem")),
                                   Run(f.loses_mail), Run(expect=sent("recovery"))], "full"),
    History("flapping is told each time by the flat form",
            [run for _ in range(4) for run in (Run(expect=None), Run(f.loses_mail, expect=sent("problem")))]),
    History("flapping mail below its threshold is not told",
            [run for _ in range(4) for run in (Run(expect=quiet), Run(f.loses_mail, expect=quiet))], "full"),
    History("flapping while down is one failure until it works twice", [
        Run(), Run(f.smtp_refuses), Run(expect=quiet), Run(f.smtp_refuses, expect=quiet), Run(expect=quiet),
        Run(f.smtp_refuses), Run(expect=quiet), Run(expect=sent("recovery")), Run(),
    ], success_threshold=2),
    History("the cause changes while it is down", [
        Run(), Run(f.rcpt_450), Run(f.rcpt_550, expect=sent("problem")), Run(f.rcpt_450, expect=quiet),
        Run(f.data_451, expect=sent("problem")), Run(f.rcpt_550, expect=quiet), Run(expect=sent("recovery")),
    ]),
    History("a closed port becomes a refused login", [
        Run(), Run(f.smtp_closed), Run(f.smtp_refuses, expect=sent("problem")), Run(), Run(f.smtp_closed), Run(),
    ]),
    History("the login is mended, but mail is lost", [
        Run(), Run(f.smtp_refuses), Run(f.loses_mail, expect=sent("problem")), Run(expect=sent("recovery")), Run(),
    ]),
    History("one failure after the other, and back", [
        Run(), Run(f.loses_mail), Run(f.smtp_refuses), Run(f.both_refuse), Run(f.smtp_refuses), Run(f.loses_mail),
        Run(),
    ]),
    History("a warning becomes a failure and a warning again", [
        Run(), Run(f.expires_soon), Run(f.expires_soon), Run(f.expired, expect=sent("problem")), Run(f.expires_soon),
        Run(expect=sent("recovery")),
    ]),
    History("slow is a warning, lost a failure", [
        Run(), Run(f.is_slow, expect=sent("warning")), Run(f.is_slow, expect=quiet), Run(f.loses_mail, expect=quiet),
        Run(f.loses_mail, expect=sent("problem")), Run(f.is_slow), Run(expect=sent("recovery")),
    ], "full", setting=_slow_is_worth_a_warning),
    History("a lost probe comes in the end", [Run(), Run(f.is_late), Run(), Run(expect=quiet), Run(expect=quiet)]),
    *[History(f"{fault.name}, by ntfy", [Run(), Run(fault), Run(fault), Run(), Run()], channels=("ntfy",))
      for fault in (f.smtp_refuses, f.loses_mail, f.delivers_twice)],
]  # fmt: skip


@pytest.mark.parametrize("history", params(HISTORIES))
def test_a_person_is_told_what_happened(history: History, theatre: Theatre) -> None:
    must_hold(theatre.perform(history))
