"""Play all scenes and leave what was seen in a file: `python -m inside RESULTS`."""

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

from . import by_hand, others, runs, tightness, times
from .stage import MAIN, SECOND, MachineError, Stage

PASSWORDS = {MAIN: "sentinel-password-main", SECOND: "sentinel-password-second"}
# The first one installs, the last one looks back at all that was said.
SCENES = (
    *(runs.install, runs.a_long_run, runs.failure_and_recovery, runs.nothing_is_seen, runs.broken_configuration),
    *(runs.refused_alerts, times.killed, times.interval, times.calendar, tightness.sandboxing, tightness.addresses),
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
    """Play the scenes one after the other; one that breaks does not keep the others from being played."""
    page = json.loads(Path(__file__).with_name("page.json").read_text())
    seen: dict[str, Any] = {}
    with Sandbox(users=PASSWORDS, directory=Path("/run/trial")) as sandbox, Receiver() as receiver:
        stage = Stage(sandbox, receiver, page)
        for scene in SCENES:
            started_s = time.monotonic()
            told = play(scene, stage, seen)
            seen[scene.__name__] = {**told, "took_s": round(time.monotonic() - started_s, 2)}
            results.write_text(json.dumps(seen, indent=1))


def play(
    scene: Callable[[Stage, dict[str, Any]], dict[str, Any]], stage: Stage, seen: dict[str, Any]
) -> dict[str, Any]:
    """Play a scene, once more where the machine was in its way; return what was seen, or how it broke."""
    for _ in range(2):
        try:
            return scene(stage, seen)
        except MachineError:
            told = {"error": traceback.format_exc()}
        except Exception:
            return {"error": traceback.format_exc()}
    return told


if __name__ == "__main__":
    main(Path(sys.argv[1]))
