"""What happens to mailmon's own files, clock, disk and configuration between two runs?"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.faults.language import Deed
from tests.faults.stage import Stage


def pause(seconds: float) -> Deed:
    """Let some time pass."""
    return Deed(f"{seconds} s later", lambda _: time.sleep(seconds))


_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)", re.ASCII)


def hours_later(hours: float) -> Deed:
    """Let hours pass: everything that is remembered, and everything that happened, is so much older."""
    passed = timedelta(hours=hours)

    def older(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: older(each) for key, each in value.items()}
        if isinstance(value, list):
            return [older(each) for each in value]
        is_instant = isinstance(value, str) and _INSTANT.fullmatch(value)
        return (datetime.fromisoformat(value) - passed).isoformat() if is_instant else value

    def act(stage: Stage) -> None:
        state = older(json.loads(stage.monitor.state_file.read_bytes()))
        state["anchor"]["boottime_s"] -= passed.total_seconds()
        stage.monitor.state_file.write_text(json.dumps(state))
        for record in stage.records:
            record.become_older(passed)

    return Deed(f"{hours:g} h later", act, is_long=True)


def reconfigured(name: str, change: Callable[[dict[str, Any]], None]) -> Deed:
    """Let somebody change the configuration."""
    return Deed(name, lambda stage: change(stage.monitor.config))


def _delete(*names: str) -> Callable[[Stage], None]:
    def act(stage: Stage) -> None:
        for name in names:
            stage.monitor.state_file.with_name(name).unlink(missing_ok=True)

    return act


state_deleted = Deed("state deleted", _delete("state.json"), loses_state=True)
everything_deleted = Deed("state and journal deleted", _delete("state.json", "state.json.journal"), forgets=True)
journal_deleted = Deed("journal deleted", _delete("state.json.journal"))


def state_overwritten(name: str, make: Callable[[bytes], bytes | None]) -> Deed:
    """Let the state file hold something else; None makes it go."""

    def act(stage: Stage) -> None:
        path = stage.monitor.state_file
        raw = make(path.read_bytes())
        if raw is None:
            path.unlink()
        else:
            path.write_bytes(raw)

    return Deed(name, act, loses_state=True)


def commanded(*arguments: str) -> Callable[[Stage], None]:
    """Return the act of running another command of mailmon, which must go well."""

    def act(stage: Stage) -> None:
        stage.monitor.environ = {"SSL_CERT_FILE": str(stage.ca_file)}
        run = stage.monitor.run(*arguments)
        assert run.exit_code == 0, run.stdout + run.stderr

    return act


def silenced(name: str) -> Deed:
    """Begin a silence."""
    act = commanded("silence", name, "--for", "2h", "--why", "maintenance")
    return Deed(f"{name} silenced", act, silences=frozenset({name}))


def silence_ended(name: str) -> Deed:
    """End a silence."""
    return Deed(f"silence of {name} ended", commanded("silence", "end", name), silences=frozenset())
