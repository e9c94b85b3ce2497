"""The state file, and what it takes over from other monitors."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailmon.model import (
    EVERYBODY,
    Alert,
    AlertKind,
    Anchor,
    Announced,
    Change,
    CheckState,
    Delivery,
    Fate,
    Health,
    News,
    OutboxEntry,
    Past,
    Severity,
    Status,
)
from mailmon.model.run import LastRun
from mailmon.store.state import (
    State,
    from_journal,
    journal_payload,
    known,
    load,
    save,
)
from tests.mail.samples import probe

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
CHANGE = Change(
    "smtp_auth:main",
    Health.UP,
    Health.DOWN,
    NOON - HOUR,
    NOON,
    "535 no",
    names=("all", "main"),
    news=News.CAUSE,
    severity=Severity.ERROR,
    causes=("smtp.login_refused 535",),
    history=(Past(Health.DEGRADED, NOON - HOUR),),
    channels=("phone",),
)
DOWN = CheckState(
    Health.DOWN,
    NOON,
    "mail.example.org:587: login: 535 no",
    "mail.example.org",
    checked_at=NOON,
    streak=1,
    turned_at=NOON,
    unknown_runs=2,
    unknown_since=NOON,
    announced=Announced(
        Health.DOWN, NOON, NOON, "535 no", "x:587", Severity.ERROR, ("535",), "run-1", ("phone",), NOON
    ),
)
STATE = State(
    serial=7,
    journal_serial=6,
    checks={"smtp_auth:main": DOWN, "imap_auth:main": CheckState(Health.UP, NOON - timedelta(days=3))},
    probes=(probe(fate=Fate.WAITING),),
    outbox=(
        OutboxEntry(
            Alert("1", AlertKind.PROBLEM, "🚨 SMTP failed", "body\n→ do", NOON, (CHANGE,), "0"), "ntfy", 2, True
        ),
        OutboxEntry(Alert("2", AlertKind.TEST, "a test", "body", NOON), "ntfy", not_before=NOON),
    ),
    deliveries=(Delivery("0", "ntfy", "dropped", "t", NOON, NOON, "gone"),),
    last_run=LastRun("20260301T120000Z-abc", NOON, NOON, Status.FAILED),
    anchor=Anchor("boot-1", 12.5, NOON),
    addresses={"mail.example.org": ("192.0.2.1", "2001:db8::1")},
)
SMALL_MONITOR = {
    "last_status": "unhealthy",
    "last_failure": {"timestamp": "2026-02-28T10:00:00+00:00", "failures": ["SMTP auth failed: (535, b'no')"]},
}


def written(path: Path, **changes: Any) -> dict[str, Any]:
    """Return the state as plain JSON, changed by hand."""
    save(path, STATE)
    document: dict[str, Any] = json.loads(path.read_bytes())
    document.update(changes)
    path.write_text(json.dumps(document))
    return document


def test_without_a_file_nothing_is_remembered(tmp_path: Path) -> None:
    assert load(tmp_path / "state.json", NOON) == (State(), (), False)


def test_a_state_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    save(tmp_path / "state.json", STATE)
    assert load(tmp_path / "state.json", NOON) == (STATE, (), True)


def test_a_state_is_for_its_owner_only(tmp_path: Path) -> None:
    save(tmp_path / "state.json", STATE)
    assert stat.S_IMODE((tmp_path / "state.json").stat().st_mode) == 0o600


def test_what_a_hand_changed_is_taken_when_it_is_right(tmp_path: Path) -> None:
    checks = {"send:main": {"health": "up", "since": "2026-03-01T11:00:00+01:00"}}
    written(tmp_path / "state.json", checks=checks, outbox=[])
    loaded = load(tmp_path / "state.json", NOON)
    assert loaded.warnings == ()
    assert loaded.state.checks == {
        "send:main": CheckState(
            Health.UP, NOON - 2 * HOUR, announced=Announced(Health.UP, NOON - 2 * HOUR, channels=(EVERYBODY,))
        )
    }
    assert (loaded.state.outbox, loaded.state.probes) == ((), STATE.probes)


def test_of_an_earlier_version_people_know_what_was_seen(tmp_path: Path) -> None:
    memory = {"health": "down", "since": "2026-03-01T12:00:00Z", "reason": "535 no", "target": "mail.example.org"}
    document = {"schema": "mailmon/state/1", "checks": {"smtp_auth:main": memory}}
    (tmp_path / "state.json").write_text(json.dumps(document))
    (loaded,) = load(tmp_path / "state.json", NOON).state.checks.values()
    assert loaded.announced == Announced(
        Health.DOWN, NOON, reason="535 no", target="mail.example.org", channels=(EVERYBODY,)
    )


def test_the_journals_part_of_a_state_is_what_people_know_and_wait_for() -> None:
    assert from_journal(journal_payload(STATE)) == State(
        checks=STATE.checks,
        outbox=STATE.outbox,
        deliveries=STATE.deliveries,
        last_run=STATE.last_run,
        anchor=STATE.anchor,
    )
    checked = STATE._replace(
        serial=9, checks={**STATE.checks, "smtp_auth:main": DOWN._replace(value="x", checked_at=None)}
    )
    assert known(checked) == known(STATE)
    assert known(STATE._replace(outbox=())) != known(STATE)


@pytest.mark.parametrize(
    ("failure", "step_id"),
    [
        ("IMAP auth failed: timed out", "imap_auth:main"),
        ("SMTP auth failed: (535, b'no')", "smtp_auth:main"),
        ("Failed to send test email: x", "send:main"),
        ("Email not received within 60s timeout", "receive:main"),
    ],
)
def test_what_the_small_monitor_found_unhealthy_is_down_since_then(tmp_path: Path, failure: str, step_id: str) -> None:
    document = {
        "last_status": "unhealthy",
        "last_failure": {"timestamp": "2026-02-28T10:00:00Z", "failures": [failure]},
    }
    (tmp_path / "state.json").write_text(json.dumps(document, indent=2))
    loaded = load(tmp_path / "state.json", NOON)
    since = datetime(2026, 2, 28, 10, tzinfo=UTC)
    told = Announced(Health.DOWN, since, since, failure, channels=(EVERYBODY,))
    assert loaded.state.checks == {step_id: CheckState(Health.DOWN, since, failure, announced=told)}
    assert loaded.warnings == ()


@pytest.mark.parametrize("status", ["healthy", "unknown"])
def test_what_the_small_monitor_found_healthy_begins_anew(tmp_path: Path, status: str) -> None:
    (tmp_path / "state.json").write_text(json.dumps({**SMALL_MONITOR, "last_status": status}))
    assert load(tmp_path / "state.json", NOON) == (State(), (), True)


@pytest.mark.parametrize("timestamp", [None, "", "yesterday", 5, [], "9999-99-99", "0001-01-01T00:00:00+05:00"])
def test_a_small_monitors_failure_without_a_time_is_told(tmp_path: Path, timestamp: object) -> None:
    document = {"last_status": "unhealthy", "last_failure": {"timestamp": timestamp, "failures": ["SMTP auth failed"]}}
    (tmp_path / "state.json").write_text(json.dumps(document))
    loaded = load(tmp_path / "state.json", NOON)
    assert (loaded.state, len(loaded.warnings)) == (State(), 1)


def test_words_of_the_small_monitor_are_made_harmless(tmp_path: Path) -> None:
    failure = {"timestamp": "2026-02-28T10:00:00Z", "failures": ["SMTP auth failed: \x1b[2J \ud800"]}
    (tmp_path / "state.json").write_text(json.dumps({"last_status": "unhealthy", "last_failure": failure}))
    assert load(tmp_path / "state.json", NOON).state.checks["smtp_auth:main"].reason.isprintable()
