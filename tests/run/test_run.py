"""Whole runs with a changed configuration, a clock that is set, a disk that is full."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mailmon.model import Silence
from mailmon.model.run import EXIT_FAILED, EXIT_OK, EXIT_STATE, RunResult
from mailmon.run.own_failures import alert_unit_failed
from mailmon.sandbox import Sandbox
from mailmon.store.silences import read_silences, write_silences
from tests.alerting.sequences import START
from tests.embedded import route_to
from tests.outputs.test_output import Hanging, Raising, Toy
from tests.run.environment import Environment
from tests.run.fake_channels import REFUSED, FakeChannels
from tests.store.disk import fill, remount, small_disk

UNIT = "mailmon.service"
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def environment(tmp_path: Path, sandbox: Sandbox, fake_channels: FakeChannels) -> Environment:
    """Return two accounts that are watched."""
    return Environment(tmp_path, sandbox, fake_channels)


@pytest.fixture
def disk(environment: Environment, tmp_path: Path) -> Iterator[Path]:
    """Put the state on a small disk of its own."""
    with small_disk(tmp_path) as place:
        environment.state_file = place / "state.json"
        yield place


def test_what_waits_of_an_account_that_was_removed_is_not_told_any_more(environment: Environment) -> None:
    environment.refuse("smtp")
    environment.fake_channels.always["phone"] = REFUSED
    assert [change.id for change in environment.run().changes][:2] == ["smtp_auth:main", "smtp_auth:second"]
    environment.fake_channels.always.clear()
    del environment.accounts["second"]
    environment.run()
    (alert,) = environment.fake_channels.taken_by("phone")
    assert [change.id for change in alert.changes] == ["smtp_auth:main"]
    assert "second" not in f"{alert.title} {alert.body}"
    assert not [step_id for step_id in environment.state.checks if step_id.endswith(":second")]


def test_a_run_for_one_account_cuts_nothing_of_the_others(environment: Environment) -> None:
    environment.refuse("smtp")
    environment.fake_channels.always["phone"] = REFUSED
    environment.run()
    environment.fake_channels.always.clear()
    environment.run("main")
    assert environment.told() == {"smtp_auth:main", "smtp_auth:second"}


def test_a_dry_run_shows_what_waits_together_with_what_is_new(environment: Environment) -> None:
    environment.fake_channels.always["phone"] = REFUSED
    environment.refuse("smtp")
    environment.run()
    environment.refuse("smtp", "imap")
    (preview,) = environment.run(is_dry=True).previews
    assert {change.id.partition(":")[0] for change in preview.changes} == {"smtp_auth", "imap_auth"}
    assert {change.id.partition(":")[0] for entry in environment.state.outbox for change in entry.alert.changes} == {
        "smtp_auth"
    }


def jumps(environment: Environment) -> list[str]:
    """Run, and return what is said of the clock."""
    return [words for words in environment.run().warnings if words.startswith("the clock was set")]


def test_a_clock_that_was_set_is_followed_once(environment: Environment) -> None:
    environment.run()
    environment.refuse("smtp")
    environment.run()
    environment.moved = 6 * HOUR
    assert [jumps(environment), jumps(environment)] == [
        ["the clock was set forward by 6 h since the last run; remembered times moved along"],
        [],
    ]
    assert environment.state.checks["smtp_auth:main"].since == START + 6 * HOUR + 30 * MINUTE
    environment.moved = timedelta()
    assert [len(jumps(environment)), len(jumps(environment))] == [1, 0]
    assert environment.state.checks["smtp_auth:main"].since == START + 30 * MINUTE


def test_a_clock_that_was_set_is_followed_once_on_a_full_disk_too(environment: Environment, disk: Path) -> None:
    environment.run()
    environment.refuse("smtp")
    fill(disk)
    assert (environment.run().exit_code, environment.kinds()) == (EXIT_STATE, ["problem"])
    environment.moved = 6 * HOUR
    assert [len(jumps(environment)) for _ in range(3)] == [1, 0, 0]
    environment.refuse()
    report = environment.run()
    assert (environment.kinds(), report.may_repeat) == (["problem", "recovery"], False)
    assert "recovered after 1 h" in environment.fake_channels.taken_by("phone")[1].title


@pytest.mark.parametrize("moved", [6 * HOUR, -6 * HOUR])
def test_a_silence_lasts_as_long_as_was_asked_for_though_the_clock_is_set(
    environment: Environment, moved: timedelta
) -> None:
    environment.run()
    write_silences(
        environment.state_file, [Silence("main", START + 15 * MINUTE, START + HOUR, "new disk")], environment.anchor
    )
    environment.refuse("smtp")
    environment.moved = moved
    environment.run()
    assert environment.told() == {"smtp_auth:second"}
    ((silence,), _) = read_silences(environment.state_file, environment.anchor)
    assert (silence.since, silence.until) == (START + 15 * MINUTE + moved, START + HOUR + moved)
    for _ in range(2):
        environment.run()
    assert environment.told() == {"smtp_auth:second", "smtp_auth:main"}


def test_a_run_killed_after_the_clock_was_set_does_not_move_silences_twice(
    environment: Environment,
) -> None:
    environment.run()
    write_silences(environment.state_file, [Silence("main", START, START + 8 * HOUR)], environment.anchor)
    environment.moved = 6 * HOUR
    with pytest.raises(IndexError):
        environment.run(is_killed=True)
    environment.run()
    assert read_silences(environment.state_file, environment.anchor)[0][0].until == START + 14 * HOUR


def test_on_a_read_only_disk_alerts_are_sent_and_may_come_again(environment: Environment, disk: Path) -> None:
    assert environment.run().exit_code == EXIT_OK
    remount(disk, "ro")
    environment.refuse("smtp")
    report = environment.run()
    assert (report.exit_code, report.may_repeat, environment.kinds()) == (EXIT_STATE, True, ["problem"])
    assert "Read-only file system" in report.state_error
    environment.run()
    assert environment.kinds() == ["problem", "problem"]
    remount(disk, "rw")
    assert (environment.run().exit_code, environment.run().exit_code) == (EXIT_FAILED, EXIT_FAILED)
    assert environment.kinds() == ["problem"] * 3


def test_on_a_disk_that_was_always_read_only_people_are_told(environment: Environment, disk: Path) -> None:
    remount(disk, "ro")
    environment.state_file = disk / "deep" / "state.json"
    environment.refuse("smtp")
    report = environment.run()
    assert (report.exit_code, report.may_repeat, environment.kinds()) == (EXIT_STATE, True, ["problem"])


@pytest.mark.parametrize(
    "routes",
    [
        {"main": route_to()},
        {},
    ],
)
def test_a_unit_that_failed_has_not_run_to_its_end_while_the_state_cannot_be_written(
    environment: Environment, disk: Path, routes: dict[str, Any]
) -> None:
    environment.routes = routes
    environment.run()
    fill(disk)
    for _ in range(2):
        alert_unit_failed(environment.setup, UNIT, "exit status 74", lambda: environment.now)
        assert environment.run().exit_code == EXIT_STATE
    assert environment.kinds() == ["problem"]
    (disk / "ballast").unlink()
    assert environment.run().exit_code == EXIT_OK
    assert environment.kinds() == ["problem", "recovery"]


def test_only_a_complete_run_ends_the_failure_of_a_unit(environment: Environment) -> None:
    alert_unit_failed(environment.setup, UNIT, "exit status 70", lambda: environment.now)
    environment.run("main")
    assert environment.kinds() == ["problem"]
    environment.run()
    assert environment.kinds() == ["problem", "recovery"]


def test_outputs_that_raise_hang_and_print_do_not_harm_a_run(
    environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    toy, hanging = Toy(), Hanging()
    environment.outputs = (Raising(), hanging, toy)
    result = environment.run()
    hanging.go_on.set()
    (begin, given) = toy.events
    assert begin == "begin"
    assert isinstance(given, RunResult)
    assert (given.run_id, given.steps) == (result.run_id, result.steps)
    assert (result.exit_code, len(result.warnings)) == (EXIT_OK, 2)
    assert [warning.partition(":")[0] for warning in result.warnings] == ["the raising toy", "the hanging toy"]
    assert capsys.readouterr().out == ""


def test_a_run_of_a_part_and_a_dry_run_have_no_outputs(environment: Environment) -> None:
    toy = Toy()
    environment.outputs = (toy,)
    environment.run("main")
    environment.run(is_dry=True)
    assert toy.events == []
