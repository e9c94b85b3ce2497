"""Servers with wrong answers to FETCH, or without MOVE, cost no bounce: against the embedded server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mailmon.sandbox import Sandbox
from tests.embedded import MAIN, account_of
from tests.mail.bounce.letters import LETTERS
from tests.monitor import Monitor

BOUNCES = tuple(letter.raw.replace(b"\n", b"\r\n") for letter in LETTERS if letter.kind == "bounce")[:10]


@pytest.fixture
def monitor(sandbox: Sandbox, tmp_path: Path) -> Monitor:
    targets = {name: name for name in ("processed", "skipped", "problem")}
    account = {**account_of(sandbox), "bounces": {"folder": "Bounces", **targets, "create_folders": True}}
    for raw in BOUNCES:
        sandbox.store.mailbox(MAIN, "Bounces").append(raw)
    return Monitor(tmp_path, {"accounts": {"main": account}, "notify": "none"})


def counts(sandbox: Sandbox) -> tuple[int, ...]:
    """Return how many messages are in the folder, and where processed, skipped and unreadable ones go."""
    names = ("Bounces", "processed", "skipped", "problem")
    return tuple(len(sandbox.store.mailbox(MAIN, name).messages) for name in names)


def scan(monitor: Monitor) -> dict[str, Any]:
    run = monitor.run("bounces", "scan", "--json")
    assert run.exit_code == 0, run.stderr + run.stdout
    row: dict[str, Any] = run.document["accounts"][0]
    return row


@pytest.mark.parametrize("bad", ["empty", "nil", "short", "other_text", "other_uid"])
def test_what_comes_wrong_with_others_is_asked_for_alone(bad: str, sandbox: Sandbox, monitor: Monitor) -> None:
    """A server that gives {0} from the second message on: 9 of 10 bounces were moved to skipped."""
    sandbox.faults.bad_fetch = bad
    row = scan(monitor)
    assert (row["kinds"]["bounce"], row["problems"], row["unread"]) == (10, [], 0)
    assert counts(sandbox) == (0, 10, 0, 0)


@pytest.mark.parametrize("bad", ["empty", "nil", "short", "other_uid"])
def test_what_comes_wrong_alone_too_is_reported_and_stays_where_it_is(
    bad: str, sandbox: Sandbox, monitor: Monitor
) -> None:
    sandbox.faults.bad_fetch, sandbox.faults.bad_fetch_alone = bad, True
    step = monitor.run("check", "--json").step("bounces:main")
    unreadable = [one for one in step["findings"] if one["id"] == "bounces.unreadable"]
    assert len(unreadable) == 9
    assert all("left where it is" in one["message"] for one in unreadable)
    assert counts(sandbox) == (9, 1, 0, 0)
    assert scan(monitor)["new"] == 0
    assert counts(sandbox) == (9, 1, 0, 0)


def test_a_size_that_counts_line_ends_otherwise_is_no_wrong_answer(sandbox: Sandbox, monitor: Monitor) -> None:
    for raw in BOUNCES:
        sandbox.store.mailbox(MAIN, "Bounces").append(raw.replace(b"\r\n", b"\n"))
    assert scan(monitor)["problems"] == []


def test_where_nothing_can_be_moved_nobody_is_told_to_create_the_folder(sandbox: Sandbox, monitor: Monitor) -> None:
    sandbox.faults.hidden_capabilities = {"MOVE", "UIDPLUS"}
    step = monitor.run("check", "--json").step("bounces:main")
    (finding,) = [one for one in step["findings"] if one["id"] == "bounces.not_moved"]
    assert "neither MOVE nor UIDPLUS" in finding["message"]
    assert "Create the folder" not in finding["fix"]
    assert finding["fix"].startswith("Remove processed, skipped and problem")
    assert counts(sandbox)[0] == 10


def test_where_the_folder_may_only_be_read_the_advice_is_about_rights(sandbox: Sandbox, monitor: Monitor) -> None:
    sandbox.faults.read_only = True
    step = monitor.run("check", "--json").step("bounces:main")
    (finding,) = [one for one in step["findings"] if one["id"] == "bounces.not_moved"]
    assert finding["fix"].startswith("Give the account the right to delete")


def test_where_the_folder_is_missing_the_advice_is_to_create_it(sandbox: Sandbox, monitor: Monitor) -> None:
    monitor.config["accounts"]["main"]["bounces"]["create_folders"] = False
    step = monitor.run("check", "--json").step("bounces:main")
    assert {one["fix"][:17] for one in step["findings"] if one["id"] == "bounces.not_moved"} == {"Create the folder"}
