"""A run is killed, started twice, or made by somebody else: nothing is lost, and twice only where it must be."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from functools import cache

import pytest

from tests.faults import faults as f
from tests.faults.disk import MOUNTS, disk_full, no_longer_full, small_disk
from tests.faults.dsl import Fault, Kill, Need, Run, Scenario, again, quiet, sent
from tests.faults.harness import Harness
from tests.faults.runner import Runner, assert_correct, parameters
from tests.faults.test_configuration import TWO
from tests.full import size

KILLS = int(os.environ.get("MAILMON_KILLS", size(20, 30)))
SEED = int(os.environ.get("MAILMON_KILLS_SEED", "20250101"))
KILLS_EACH = 10
NOBODY = 65534
_LOSES: tuple[Fault, ...] = (f.loses_mail,)
_FAULTS: list[tuple[Fault, ...]] = [(), (), (), (f.smtp_refuses,), (f.smtp_refuses,), (f.both_refuse,), _LOSES]


@cache
def _can_be_nobody() -> bool:
    """Whether the service's user may read this Python and mailmon depends on where they are installed."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        return False
    command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", sys.executable, "-c"]
    return subprocess.run([*command, "import mailmon.cli, pydantic"], capture_output=True, check=False).returncode == 0


USERS = Need("needs root and setpriv, and mailmon where another user can read it", _can_be_nobody)


def _owned_by_nobody(harness: Harness) -> None:
    shutil.chown(harness.directory, NOBODY, NOBODY)


def _patient(harness: Harness) -> None:
    config = harness.monitor.config
    if "receive_timeout" in config:
        config["receive_timeout"] = PATIENT_S
    else:
        config["checks"]["receive"]["timeout_s"] = PATIENT_S


def _killed_at_random(number: int, kills: int) -> Scenario:
    """Kill runs at random moments while the server breaks and heals; after one or two kills a run may end."""
    dice = random.Random(SEED + number)  # the same moments in every test run; MAILMON_KILLS_SEED tries others
    runs, faults = [Run(), Run(f.smtp_refuses), Run()], _FAULTS[0]
    for _ in range(kills):
        faults = dice.choice(_FAULTS) if dice.random() < 0.6 else faults
        kill = Kill(dice.uniform(0, 1.15), signal=dice.choice([signal.SIGKILL, signal.SIGTERM]))
        runs.append(Run(*faults, kill=kill))
        if dice.random() < 0.7:
            runs.append(Run(*faults))
    channels = ("webhook", "webhook2") if number % 2 else ("webhook",)
    return Scenario(f"killed at random, part {number}", [*runs, Run(), Run(expect=quiet)], channels=channels)


# The first run must still be at work when the second one has started, on a busy machine too.
SLOWLY_WELL = f.server("delivery_delay_s", 2.5)
PATIENT_S = 4.0

SCENARIOS = [
    *[_killed_at_random(start // KILLS_EACH, min(KILLS_EACH, KILLS - start)) for start in range(0, KILLS, KILLS_EACH)],
    *[Scenario(f"ended by {number.name} while the alert is taken", [
        Run(), Run(f.smtp_refuses, channels="slow", kill=Kill(while_sending=True, signal=number)), Run(f.smtp_refuses),
        Run(f.smtp_refuses, expect=quiet), Run(expect=sent("recovery")), Run(),
    ]) for number in (signal.SIGKILL, signal.SIGTERM)],
    Scenario("killed while the recovery is taken", [
        Run(), Run(f.smtp_refuses), Run(channels="slow", kill=Kill(while_sending=True)), Run(), Run(expect=quiet),
    ]),
    Scenario("killed while the channel hangs", [
        Run(), Run(f.smtp_refuses, channels="hanging", kill=Kill(while_sending=True)), Run(f.smtp_refuses),
        Run(f.smtp_refuses, expect=quiet), Run(),
    ]),
    Scenario("two runs at once", [
        Run(SLOWLY_WELL, is_twice=True), Run(f.loses_mail, is_twice=True), Run(f.loses_mail, is_twice=True),
        Run(SLOWLY_WELL, is_twice=True), Run(),
    ], setup=_patient),
    *[Scenario(f"one account is checked by hand in between: {names[0]}", [
        Run(), Run(f.smtp_refuses, names=names), Run(f.smtp_refuses), Run(names=names), Run(),
        Run(f.loses_mail), Run(f.loses_mail, names=names), Run(f.loses_mail), Run(names=names), Run(), Run(names=names),
    ], **TWO) for names in (("second",), ("main",), ("back", "second"))],
    Scenario("what waits is told by a check of something else", [
        Run(), Run(f.smtp_refuses, channels="down"), Run(f.smtp_refuses, names=("second",), expect=sent("problem")),
        Run(channels="down"), Run(names=("second",), expect=sent("recovery")), Run(expect=quiet),
    ], **TWO),
    Scenario("a part is checked by hand on a full disk", [
        Run(), Run(f.smtp_refuses, disk_full, names=("main",)), Run(disk_full, f.smtp_refuses, expect=quiet),
        Run(disk_full, names=("main",), expect=sent("recovery")), Run(before=[no_longer_full], expect=quiet),
    ], "full", setup=small_disk, needs=(MOUNTS,)),
    Scenario("a run by hand as root between those of the service", [
        Run(user=NOBODY), Run(f.smtp_refuses), Run(f.smtp_refuses, user=NOBODY, expect=quiet),
        Run(user=NOBODY, expect=sent("recovery")), Run(), Run(user=NOBODY),
    ], setup=_owned_by_nobody, needs=(USERS,)),
    Scenario("the very first run is made by hand as root", [
        Run(), *again(2, f.loses_mail, user=NOBODY), Run(user=NOBODY),
    ], setup=_owned_by_nobody, needs=(USERS,)),
    Scenario("root's run cannot tell, the service's can", [
        Run(user=NOBODY), Run(f.loses_mail, channels="down"), Run(f.loses_mail, user=NOBODY), Run(user=NOBODY),
    ], setup=_owned_by_nobody, needs=(USERS,)),
]  # fmt: skip


@pytest.mark.parametrize("scenario", parameters(SCENARIOS))
def test_whoever_runs_it_and_however_it_ends(scenario: Scenario, runner: Runner) -> None:
    assert_correct(runner.result_of(scenario))
