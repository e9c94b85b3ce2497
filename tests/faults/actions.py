"""Actions between two runs: on mailmon's own files, its clock, its disk and its configuration."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.faults.dsl import Action
from tests.faults.harness import Harness


def pause(seconds: float) -> Action:
    """Wait."""
    return Action(f"{seconds} s later", lambda _: time.sleep(seconds))


_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)", re.ASCII)


def hours_later(hours: float) -> Action:
    """Let hours pass: date everything in the state and in the records back by so much."""
    passed = timedelta(hours=hours)

    def older(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: older(each) for key, each in value.items()}
        if isinstance(value, list):
            return [older(each) for each in value]
        is_instant = isinstance(value, str) and _INSTANT.fullmatch(value)
        return (datetime.fromisoformat(value) - passed).isoformat() if is_instant else value

    def apply(harness: Harness) -> None:
        state = older(json.loads(harness.monitor.state_file.read_bytes()))
        state["anchor"]["boottime_s"] -= passed.total_seconds()
        harness.monitor.state_file.write_text(json.dumps(state))
        for record in harness.records:
            record.become_older(passed)

    return Action(f"{hours:g} h later", apply, is_long=True)


def reconfigured(name: str, change: Callable[[dict[str, Any]], None]) -> Action:
    """Change the configuration."""
    return Action(name, lambda harness: change(harness.monitor.config))


def _delete(*names: str) -> Callable[[Harness], None]:
    def apply(harness: Harness) -> None:
        for name in names:
            harness.monitor.state_file.with_name(name).unlink(missing_ok=True)

    return apply


state_deleted = Action("state deleted", _delete("state.json"), loses_state=True)
everything_deleted = Action("state and journal deleted", _delete("state.json", "state.json.journal"), forgets=True)
journal_deleted = Action("journal deleted", _delete("state.json.journal"))


def state_overwritten(name: str, make: Callable[[bytes], bytes | None]) -> Action:
    """Replace the contents of the state file; None deletes it."""

    def apply(harness: Harness) -> None:
        path = harness.monitor.state_file
        raw = make(path.read_bytes())
        if raw is None:
            path.unlink()
        else:
            path.write_bytes(raw)

    return Action(name, apply, loses_state=True)


def commanded(*arguments: str) -> Callable[[Harness], None]:
    """Return a function that runs another command of mailmon, which must succeed."""

    def apply(harness: Harness) -> None:
        harness.monitor.environ = {"SSL_CERT_FILE": str(harness.ca_file)}
        run = harness.monitor.run(*arguments)
        assert run.exit_code == 0, run.stdout + run.stderr

    return apply


def silenced(name: str) -> Action:
    """Begin a silence."""
    apply = commanded("silence", name, "--for", "2h", "--why", "maintenance")
    return Action(f"{name} silenced", apply, silences=frozenset({name}))


def silence_ended(name: str) -> Action:
    """End a silence."""
    return Action(f"silence of {name} ended", commanded("silence", "end", name), silences=frozenset())
