"""A run continues whatever its state file holds: documents with a correct digest and anything inside."""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailmon.clock import jump, read_anchor
from mailmon.errors import StateError
from mailmon.mail.probe.ledger import Ledger
from mailmon.model import Anchor
from mailmon.model.dns import Remembered
from mailmon.run.plan import make_plan, only_due
from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from mailmon.store import journal
from mailmon.store.keeper import Keeper, look_up
from mailmon.store.silences import active, read_silences, silences_file
from mailmon.store.state import journal_payload, load
from mailmon.typedjson.convert import shifted, to_plain
from tests.embedded import monitor_of
from tests.full import sample
from tests.run.fake_channels import FakeChannels
from tests.run.stored_runs import FAILED, OK, StoredRuns
from tests.store.test_foreign_state import JSON, replaced
from tests.store.test_state import NOON, STATE

FULL = STATE._replace(
    records={"example.org": {"example.org MX": Remembered(("10 mail.example.org",), ("a",), NOON)}},
    selectors={"example.org": ("s1",)},
)
PLAIN: dict[str, Any] = to_plain(FULL)
ODD: st.SearchStrategy[Any] = st.sampled_from([
    None, True, -1, 0, 2**53, 2**63, 10**400, -(10**30), 1e308, -1e308, float("nan"), float("inf"), 0.5, "", "x", "\0",
    "\ud800", "\u202e\x1b[2J", "a\r\nb", "notice", "info", "unknown", "failing", "new", "planned", "lost", "reminder",
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "8999-12-31T23:59:59Z",
    "2026-03-01T12:00:00",
    "2026-03-01", "20260301T120000Z", "2026-03-01T12:00:00+23:59", [], [[]], {}, {"": None}, [None], [1], ["x"] * 300,
])  # fmt: skip
PLACES = st.lists(st.integers(0, 20), min_size=1, max_size=7)


def with_digest(document: dict[str, Any]) -> bytes:
    """Return a document as mailmon itself would have written it."""
    contents = {key: value for key, value in document.items() if key not in ("schema", "digest")}
    digest = hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()
    return json.dumps({"schema": "mailmon/state/1", "digest": digest, **contents}).encode()


def go_on(runs: StoredRuns) -> None:
    """Do with a state what a run and a look at it do, in this process."""
    keeper = Keeper(runs.path, NOON, is_dry=False)
    state = keeper.state
    moved = jump(state.anchor, Anchor("boot-1", 100.0, NOON))
    if moved:
        with contextlib.suppress(OverflowError):
            keeper.state = shifted(state, moved)
    ledger = Ledger(keeper.state.probes)
    ledger.forget(NOON)
    for name in {probe.route for probe in keeper.state.probes}:
        ledger.resume(name)
    only_due(make_plan({}, {}, ()), keeper.state.checks, NOON)
    keeper.save(probes=ledger.planned())
    for found in (FAILED, OK, FAILED):
        runs.run(found, later=timedelta(hours=2))
    look_up(runs.path, NOON)


@given(changes=st.lists(st.tuples(PLACES, JSON | ODD), min_size=1, max_size=3))
@settings(max_examples=150, deadline=None)
def test_a_state_with_a_right_digest_and_anything_inside_is_read_or_set_aside(
    changes: list[tuple[list[int], Any]],
) -> None:
    """What a user saw: a wrong type inside ended every run with exit 70."""
    document = PLAIN
    for at, value in changes:
        document = replaced(document, at, value)
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        runs = StoredRuns(Path(directory), FakeChannels(patch))
        runs.path.write_bytes(with_digest(document) if isinstance(document, dict) else b"[]")
        loaded = load(runs.path, NOON)
        assert loaded.is_usable or loaded.warnings
        if loaded.is_usable:
            go_on(runs)


@given(changes=st.lists(st.tuples(PLACES, JSON | ODD), min_size=1, max_size=3))
@settings(max_examples=100, deadline=None)
def test_a_journal_with_anything_inside_is_read_or_left_out(changes: list[tuple[list[int], Any]]) -> None:
    document = json.loads(journal_payload(FULL))
    for at, value in changes:
        document = replaced(document, at, value)
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        runs = StoredRuns(Path(directory), FakeChannels(patch))
        payload = json.dumps(document).encode()
        journal.allocate(runs.path, len(payload))
        journal.write(runs.path, journal.Record(9, payload))
        go_on(runs)


@given(changes=st.lists(st.tuples(PLACES, JSON | ODD), min_size=1, max_size=3))
@settings(max_examples=100, deadline=None)
def test_silences_with_anything_inside_hold_or_are_warned_of(changes: list[tuple[list[int], Any]]) -> None:
    silence = {"name": "main", "since": "2026-03-01T11:00:00Z", "until": "2026-03-01T13:00:00Z", "why": "x"}
    document: Any = {"schema": "mailmon/silences/1", "silences": [silence], "anchor": to_plain(STATE.anchor)}
    for at, value in changes:
        document = replaced(document, at, value)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "state.json"
        silences_file(path).write_text(json.dumps(document))
        silences, problem = read_silences(path, Anchor("boot-1", 100.0, NOON))
        frozenset(one.name for one in active(silences, NOON))
        assert not (silences and problem)
        read_silences(path, read_anchor(NOON))


NASTY = (
    '{"checks": {"smtp_auth:main": {"health": "down", "since": "2026-03-01T12:00:00Z", "streak": "1"}}}',
    '{"checks": {"smtp_auth:main": {"health": "failing", "since": "2026-03-01T12:00:00Z", "streak": -5}}}',
    '{"checks": {"smtp_auth:main": {"health": "down", "since": "2026-03-01T12:00:00Z", "severity": "info"}}}',
    '{"checks": {"smtp_auth:main": {"health": "down", "since": "2026-03-01T12:00:00Z", "told": 5}}}',
    '{"checks": {"smtp_auth:main": {"health": "down", "since": "2026-03-01T12:00:00Z", "causes": "abc"}}}',
    '{"checks": [1]}', '{"checks": {"": null}}', '{"checks": 1e400}',
    '{"anchor": {"boot_id": "x", "boottime_s": 1e300, "at": "2026-03-01T12:00:00Z"}}',
    '{"anchor": {"boot_id": "x", "boottime_s": NaN, "at": "2026-03-01T12:00:00Z"}}',
    '{"anchor": {"boot_id": 7, "boottime_s": 1, "at": "2026-03-01T12:00:00"}}',
    '{"addresses": {"127.0.0.1": [5]}}', '{"addresses": {"127.0.0.1": ["no address", ""]}}',
    '{"selectors": {"example.org": [null]}}', '{"records": {"example.org": {"x": {"values": "y"}}}}',
    '{"probes": [{"token": 5, "route": "main", "sender": "", "recipient": "", "mailbox": "", "planned_at": "x"}]}',
    '{"probes": [{"token": "a\\r\\nb", "route": "main", "sender": "main", "recipient": "x", "mailbox": "main", '
    '"planned_at": "2026-03-01T12:00:00Z", "fate": "waiting", "accepted_at": "2026-03-01T12:00:00Z"}]}',
    '{"outbox": [{"alert": {"id": 1}, "channel": "ntfy"}]}', '{"outbox": [5]}', '{"outbox": {"runs": true}}',
    '{"deliveries": [{"id": "x"}]}', '{"last_run": {"run_id": null}}', '{"serial": "7"}', '{"serial": 1.5}',
    '{"journal_serial": -1}', '{"serial": ' + "9" * 4000 + "}", '{"last_run": ' + "[" * 400 + "]" * 400 + "}",
)  # fmt: skip


def test_every_command_works_on_any_state(sandbox: Sandbox, receiver: Receiver, tmp_path: Path) -> None:
    monitor = monitor_of(sandbox, tmp_path, receiver)
    assert monitor.check().exit_code == 0
    for text in sample(NASTY, 8):
        monitor.state_file.with_name("state.json.journal").unlink()
        monitor.state_file.write_bytes(with_digest(json.loads(text)))
        for command in ("status", "alerts", "check", "status"):
            run = monitor.run(command, "--json")
            assert run.exit_code in (0, 1, 74) if command != "check" else run.exit_code == 0, (text, run.stderr)
            assert "a bug" not in run.stderr
            assert "Traceback" not in run.stderr
    assert list(monitor.state_file.parent.glob("state.json.set-aside-*"))


def test_a_state_that_cannot_be_used_at_all_is_an_error_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "state.json").mkdir()
    with pytest.raises(StateError):
        Keeper(tmp_path / "state.json", NOON, is_dry=False)
