"""A mail server fails in every way that it knows: its failure and its end are told once each, and nothing else."""

from __future__ import annotations

import pytest

from tests.faults import faults as f
from tests.faults.dsl import Fault, Run, Scenario, again, quiet, sent
from tests.faults.harness import Harness
from tests.faults.runner import Runner, assert_correct, parameters
from tests.full import sample


def _fails_and_recovers(fault: Fault, kind: str = "problem", form: str = "flat") -> Scenario:
    told = sent(kind)
    return Scenario(
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


def _slow_is_worth_a_warning(harness: Harness) -> None:
    harness.checks["receive"] |= {"timeout_s": 4, "warning_delivery_s": 0.7}


AT_ONCE = [
    f.smtp_refuses, f.imap_refuses, f.both_refuse, f.smtp_closed, f.imap_closed, f.greets_554, f.plain_text, f.expired,
    f.wrong_name, f.self_signed, f.mail_421, f.rcpt_450, f.rcpt_550, f.data_451, f.data_554, f.loses_mail, f.bounces,
    f.into_junk, f.is_late, f.cuts_imap,
]  # fmt: skip
LOGINS = [f.smtp_silent, f.imap_silent]
WARNINGS = [f.delivers_twice, f.expires_soon]

SCENARIOS = [
    # tests/integration/test_faults.py runs each of them once in every run.
    *[_fails_and_recovers(fault) for fault in sample(AT_ONCE, 10)],
    *[_fails_and_recovers(fault, form="full") for fault in LOGINS],
    *[_fails_and_recovers(fault, "warning") for fault in WARNINGS],
    Scenario("odd, but no failure", [Run(fault, expect=quiet) for fault in (*f.harmless, *f.harmless)]),
    Scenario("well for ten runs", again(10, expect=quiet)),
    Scenario("down from the very first run", [*again(3, f.smtp_refuses), Run(expect=sent("recovery"))]),
    Scenario("both servers are gone", [Run(), *again(2, f.smtp_closed, f.imap_closed), Run(), Run()]),
    Scenario("one lost mail is not told by the full form", [Run(), Run(f.loses_mail, expect=quiet), Run(expect=quiet)],
            "full"),
    Scenario("two lost mails are", [Run(), Run(f.loses_mail), Run(f.loses_mail, expect=sent("problem")),
                                   Run(f.loses_mail), Run(expect=sent("recovery"))], "full"),
    Scenario("flapping is told each time by the flat form",
            [run for _ in range(4) for run in (Run(expect=None), Run(f.loses_mail, expect=sent("problem")))]),
    Scenario("flapping mail below its threshold is not told",
            [run for _ in range(4) for run in (Run(expect=quiet), Run(f.loses_mail, expect=quiet))], "full"),
    Scenario("flapping while down is one failure until it works twice", [
        Run(), Run(f.smtp_refuses), Run(expect=quiet), Run(f.smtp_refuses, expect=quiet), Run(expect=quiet),
        Run(f.smtp_refuses), Run(expect=quiet), Run(expect=sent("recovery")), Run(),
    ], success_threshold=2),
    Scenario("the cause changes while it is down", [
        Run(), Run(f.rcpt_450), Run(f.rcpt_550, expect=sent("problem")), Run(f.rcpt_450, expect=quiet),
        Run(f.data_451, expect=sent("problem")), Run(f.rcpt_550, expect=quiet), Run(expect=sent("recovery")),
    ]),
    Scenario("a closed port becomes a refused login", [
        Run(), Run(f.smtp_closed), Run(f.smtp_refuses, expect=sent("problem")), Run(), Run(f.smtp_closed), Run(),
    ]),
    Scenario("the login is corrected, but mail is lost", [
        Run(), Run(f.smtp_refuses), Run(f.loses_mail, expect=sent("problem")), Run(expect=sent("recovery")), Run(),
    ]),
    Scenario("one failure after the other, and back", [
        Run(), Run(f.loses_mail), Run(f.smtp_refuses), Run(f.both_refuse), Run(f.smtp_refuses), Run(f.loses_mail),
        Run(),
    ]),
    Scenario("a warning becomes a failure and a warning again", [
        Run(), Run(f.expires_soon), Run(f.expires_soon), Run(f.expired, expect=sent("problem")), Run(f.expires_soon),
        Run(expect=sent("recovery")),
    ]),
    Scenario("slow is a warning, lost a failure", [
        Run(), Run(f.is_slow, expect=sent("warning")), Run(f.is_slow, expect=quiet), Run(f.loses_mail, expect=quiet),
        Run(f.loses_mail, expect=sent("problem")), Run(f.is_slow), Run(expect=sent("recovery")),
    ], "full", setup=_slow_is_worth_a_warning),
    Scenario("a lost probe comes in the end", [Run(), Run(f.is_late), Run(), Run(expect=quiet), Run(expect=quiet)]),
    *[Scenario(f"{fault.name}, by ntfy", [Run(), Run(fault), Run(fault), Run(), Run()], channels=("ntfy",))
      for fault in (f.smtp_refuses, f.loses_mail, f.delivers_twice)],
]  # fmt: skip


@pytest.mark.parametrize("scenario", parameters(SCENARIOS))
def test_a_person_is_told_what_happened(scenario: Scenario, runner: Runner) -> None:
    assert_correct(runner.result_of(scenario))
