"""Play all scenarios and leave what was seen in a file: `python -m inside RESULTS`."""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver

from . import by_hand, others, tightness, times, unit_runs
from .environment import MAIN, SECOND, Environment, MachineError

PASSWORDS = {MAIN: "sentinel-password-main", SECOND: "sentinel-password-second"}
# The first one installs, the last one looks back at all that was said.
SCENARIOS = (
    *(
        unit_runs.install,
        unit_runs.a_long_run,
        unit_runs.failure_and_recovery,
        unit_runs.nothing_is_seen,
        unit_runs.broken_configuration,
    ),
    *(
        unit_runs.refused_alerts,
        times.killed,
        times.interval,
        times.calendar,
        tightness.sandboxing,
        tightness.addresses,
    ),
    *(
        by_hand.as_root,
        by_hand.as_the_user,
        by_hand.as_a_user_of_its_own,
        by_hand.before_the_unit,
        by_hand.by_cron,
        others.instances,
    ),
    *(others.one_of_two_fails, others.encrypted, others.broken_installation, others.secrets),
)


def main(results: Path) -> None:
    """Play the scenarios one after the other; one that breaks does not keep the others from being played."""
    page = json.loads(Path(__file__).with_name("page.json").read_text())
    seen: dict[str, Any] = {}
    with Sandbox(users=PASSWORDS, directory=Path("/run/trial")) as sandbox, Receiver() as receiver:
        environment = Environment(sandbox, receiver, page)
        for scenario in SCENARIOS:
            started_s = time.monotonic()
            told = play(scenario, environment, seen)
            seen[scenario.__name__] = {**told, "took_s": round(time.monotonic() - started_s, 2)}
            results.write_text(json.dumps(seen, indent=1))


def play(
    scenario: Callable[[Environment, dict[str, Any]], dict[str, Any]], environment: Environment, seen: dict[str, Any]
) -> dict[str, Any]:
    """Play a scenario, once more where the machine was in its way; return what was seen, or how it broke."""
    for _ in range(2):
        try:
            return scenario(environment, seen)
        except MachineError:
            told = {"error": traceback.format_exc()}
        except Exception:
            return {"error": traceback.format_exc()}
    return told


if __name__ == "__main__":
    main(Path(sys.argv[1]))
