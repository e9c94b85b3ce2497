"""The state file is lost, broken or foreign, the disk is full: nobody hears twice of it, and nobody misses anything."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.faults import faults as f
from tests.faults.actions import everything_deleted, journal_deleted, state_deleted, state_overwritten
from tests.faults.disk import MOUNTS, disk_full, disk_never_had_room, no_longer_full, read_only, small_disk
from tests.faults.dsl import Action, Run, Scenario, again, pending, quiet, sent
from tests.faults.harness import Harness
from tests.faults.runner import Runner, assert_correct, parameters
from tests.full import sample


def _changed(**changes: object) -> Callable[[bytes], bytes]:
    return lambda raw: json.dumps({**json.loads(raw), **changes}).encode()


def _without(raw: bytes) -> bytes:
    return json.dumps({key: value for key, value in json.loads(raw).items() if key != "checks"}).encode()


CORRUPTIONS: dict[str, Callable[[bytes], bytes | None]] = {
    "empty": lambda _: b"",
    "cut in the middle": lambda raw: raw[: len(raw) // 2],
    "cut before its last byte": lambda raw: raw.rstrip()[:-1],
    "all zero bytes": lambda raw: b"\0" * len(raw),
    "zero bytes at its end": lambda raw: raw[:-200] + b"\0" * 200,
    "a block of zeros inside": lambda raw: raw[:300] + b"\0" * 100 + raw[400:],
    "twice in a row": lambda raw: raw + raw,
    "not UTF-8": lambda raw: b"\xff\xfe" + raw,
    "in UTF-16": lambda raw: raw.decode().encode("utf-16"),
    "a list": lambda _: b"[]",
    "null": lambda _: b"null",
    "a number": lambda _: b"1e999",
    "deeply nested": lambda _: b"[" * 100_000,
    "another program's": lambda _: b'{"version": 3, "state": "idle"}',
    "without a schema": lambda _: b'{"checks": {}}',
    "checks of the wrong kind": _changed(checks=[1, 2]),
    "a health that does not exist": _changed(checks={"smtp_auth:main": {"health": "broken", "since": "2026-01-01"}}),
    "a date that does not exist": _changed(
        checks={"smtp_auth:main": {"health": "down", "since": "2026-02-30T00:00:00Z"}}
    ),
    "an outbox that is a word": _changed(outbox="full"),
    "a key that nobody knows": _changed(surprise={"a": 1}),
    "one bit turned": lambda raw: raw.replace(b'"health": "down"', b'"health": "dgwn"'),
    "from a newer version": _changed(schema="mailmon/state/2", new_things=[1]),
    "17 MiB of spaces": lambda raw: raw + b" " * 17 * 1024 * 1024,
}


def _directory(harness: Harness) -> None:
    harness.monitor.state_file.unlink()
    harness.monitor.state_file.mkdir()


def _stale_lock(harness: Harness) -> None:
    harness.monitor.state_file.with_name("state.json.lock").write_text("process 999999 since 2020-01-01T00:00:00Z\n")


def _corrupted(name: str, make: Callable[[bytes], bytes | None]) -> Scenario:
    action = state_overwritten(f"state {name}", make)
    return _while_down_and_up(f"the state file is {name}", action)


def _while_down_and_up(name: str, action: Action) -> Scenario:
    return Scenario(name, [
        Run(), Run(f.smtp_refuses), Run(f.smtp_refuses, before=[action], expect=quiet),
        Run(before=[action], expect=sent("recovery")), Run(before=[action], expect=quiet),
    ])  # fmt: skip


def _while_pending(name: str, action: Action) -> Scenario:
    return Scenario(name, [
        Run(), Run(f.loses_mail, channels="down", expect=pending("problem")),
        Run(before=[action], expect=sent("merged")), Run(expect=quiet),
    ])  # fmt: skip


SCENARIOS = [
    # tests/store/test_foreign_state.py reads each of them in every run.
    *[_corrupted(name, make) for name, make in sample(CORRUPTIONS.items(), 8)],
    _while_down_and_up("the state file is deleted", state_deleted),
    _while_down_and_up("the journal is deleted", journal_deleted),
    _while_pending("the state file is deleted while an alert waits", state_deleted),
    _while_pending("the state file is cut while an alert waits", state_overwritten("cut", lambda raw: raw[:500])),
    _while_pending("the state is from a newer version while an alert waits",
                   state_overwritten("newer", CORRUPTIONS["from a newer version"])),
    Scenario("the state file is deleted below the threshold", [
        Run(), Run(f.loses_mail), Run(f.loses_mail, before=[state_deleted], expect=sent("problem")), Run(), Run(),
    ], "full"),
    Scenario("state and journal are deleted: a fresh start", [
        Run(), Run(f.smtp_refuses), Run(f.smtp_refuses, before=[everything_deleted], expect=sent("problem")),
        Run(expect=sent("recovery")), Run(before=[everything_deleted], expect=quiet),
    ]),
    Scenario("the lock is held by a dead process", [
        Run(before=[Action("stale lock", lambda harness: harness.monitor.state_file.parent.mkdir()),
                    Action("stale lock", _stale_lock)]),
        Run(f.smtp_refuses, before=[Action("stale lock", _stale_lock)]),
        Run(before=[Action("stale lock", _stale_lock)]),
    ]),
    Scenario("ten failing runs and a recovery on a full disk", [
        Run(), *again(10, f.smtp_refuses, disk_full), Run(disk_full, expect=sent("recovery")),
        *again(2, disk_full, expect=quiet),
    ], setup=small_disk, needs=(MOUNTS,)),
    Scenario("the disk is full for a while", [
        Run(), Run(f.smtp_refuses), Run(f.smtp_refuses, disk_full), Run(disk_full, expect=sent("recovery")),
        Run(before=[no_longer_full], expect=quiet), Run(f.loses_mail), Run(),
    ], setup=small_disk, needs=(MOUNTS,)),
    Scenario("the disk is full while an alert waits", [
        Run(), Run(f.smtp_refuses, disk_full, channels="down"), Run(f.smtp_refuses, disk_full, channels="down"),
        Run(f.smtp_refuses, disk_full), Run(disk_full), Run(before=[no_longer_full], expect=quiet),
    ], setup=small_disk, needs=(MOUNTS,)),
    Scenario("flapping on a full disk", [
        Run(), *[run for _ in range(3) for run in (Run(f.smtp_refuses, disk_full), Run(disk_full))],
        Run(before=[no_longer_full], expect=quiet),
    ], setup=small_disk, needs=(MOUNTS,)),
    Scenario("the disk is full before anything was written", [
        *again(2, f.smtp_refuses, disk_never_had_room, expect=sent("problem")),
        Run(f.smtp_refuses, before=[no_longer_full], expect=sent("problem")), Run(), Run(),
    ], setup=small_disk, needs=(MOUNTS,)),
    Scenario("the disk is full from the very first run, and all is well", [
        *again(2, disk_never_had_room, expect=quiet), *again(2, before=[no_longer_full], expect=quiet),
        Run(f.smtp_refuses, disk_full), Run(disk_full, expect=sent("recovery")),
    ], setup=small_disk, needs=(MOUNTS,)),
    Scenario("the disk is full from the very first run, and nobody can be told", [
        *again(2, f.smtp_refuses, disk_never_had_room, channels="down", expect=pending("problem")),
        Run(f.smtp_refuses, disk_never_had_room, expect=sent("problem")),
        Run(f.smtp_refuses, before=[no_longer_full], expect=sent("problem")), Run(expect=sent("recovery")),
    ], setup=small_disk, needs=(MOUNTS,)),
    Scenario("the file system is read-only before anything was written", [
        *again(2, f.smtp_refuses, read_only, expect=sent("problem")),
        Run(f.smtp_refuses, before=[no_longer_full], expect=sent("problem")), Run(),
    ], setup=small_disk, needs=(MOUNTS,)),
    Scenario("the file system becomes read-only", [
        Run(), *again(2, f.smtp_refuses, read_only, expect=sent("problem")),
        Run(f.smtp_refuses, before=[no_longer_full], expect=sent("problem")), Run(),
    ], setup=small_disk, needs=(MOUNTS,)),
]  # fmt: skip


@pytest.mark.parametrize("scenario", parameters(SCENARIOS))
def test_what_was_announced_is_not_forgotten(scenario: Scenario, runner: Runner) -> None:
    assert_correct(runner.result_of(scenario))
