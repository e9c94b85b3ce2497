"""Does a run hold on to what people know: with another configuration, another clock, another disk?"""

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
from tests.alerting.stories import START
from tests.integration.stage import route_to
from tests.outputs.test_output import Hanging, Raising, Toy
from tests.run.exchange import REFUSED, Exchange
from tests.run.site import Site
from tests.store.disk import fill, remount, small_disk

UNIT = "mailmon.service"
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def site(tmp_path: Path, sandbox: Sandbox, exchange: Exchange) -> Site:
    """Return two accounts that are watched."""
    return Site(tmp_path, sandbox, exchange)


@pytest.fixture
def disk(site: Site, tmp_path: Path) -> Iterator[Path]:
    """Put the state on a small disk of its own."""
    with small_disk(tmp_path) as place:
        site.state_file = place / "state.json"
        yield place


def test_what_waits_of_an_account_that_was_removed_is_not_told_any_more(site: Site) -> None:
    site.refuse("smtp")
    site.exchange.always["phone"] = REFUSED
    assert [change.id for change in site.run().changes][:2] == ["smtp_auth:main", "smtp_auth:second"]
    site.exchange.always.clear()
    del site.accounts["second"]
    site.run()
    (alert,) = site.exchange.taken_by("phone")
    assert [change.id for change in alert.changes] == ["smtp_auth:main"]
    assert "second" not in f"{alert.title} {alert.body}"
    assert not [step_id for step_id in site.state.checks if step_id.endswith(":second")]


def test_a_run_for_one_account_cuts_nothing_of_the_others(site: Site) -> None:
    site.refuse("smtp")
    site.exchange.always["phone"] = REFUSED
    site.run()
    site.exchange.always.clear()
    site.run("main")
    assert site.told() == {"smtp_auth:main", "smtp_auth:second"}


def test_a_dry_run_shows_what_waits_together_with_what_is_new(site: Site) -> None:
    site.exchange.always["phone"] = REFUSED
    site.refuse("smtp")
    site.run()
    site.refuse("smtp", "imap")
    (preview,) = site.run(is_dry=True).previews
    assert {change.id.partition(":")[0] for change in preview.changes} == {"smtp_auth", "imap_auth"}
    assert {change.id.partition(":")[0] for entry in site.state.outbox for change in entry.alert.changes} == {
        "smtp_auth"
    }


def jumps(site: Site) -> list[str]:
    """Run, and return what is said of the clock."""
    return [words for words in site.run().warnings if words.startswith("the clock was set")]


def test_a_clock_that_was_set_is_followed_once(site: Site) -> None:
    site.run()
    site.refuse("smtp")
    site.run()
    site.moved = 6 * HOUR
    assert [jumps(site), jumps(site)] == [
        ["the clock was set forward by 6 h since the last run; remembered times moved along"],
        [],
    ]
    assert site.state.checks["smtp_auth:main"].since == START + 6 * HOUR + 30 * MINUTE
    site.moved = timedelta()
    assert [len(jumps(site)), len(jumps(site))] == [1, 0]
    assert site.state.checks["smtp_auth:main"].since == START + 30 * MINUTE


def test_a_clock_that_was_set_is_followed_once_on_a_full_disk_too(site: Site, disk: Path) -> None:
    site.run()
    site.refuse("smtp")
    fill(disk)
    assert (site.run().exit_code, site.kinds()) == (EXIT_STATE, ["problem"])
    site.moved = 6 * HOUR
    assert [len(jumps(site)) for _ in range(3)] == [1, 0, 0]
    site.refuse()
    report = site.run()
    assert (site.kinds(), report.may_repeat) == (["problem", "recovery"], False)
    assert "recovered after 1 h" in site.exchange.taken_by("phone")[1].title


@pytest.mark.parametrize("moved", [6 * HOUR, -6 * HOUR])
def test_a_silence_lasts_as_long_as_was_asked_for_though_the_clock_is_set(site: Site, moved: timedelta) -> None:
    site.run()
    write_silences(site.state_file, [Silence("main", START + 15 * MINUTE, START + HOUR, "new disk")], site.anchor)
    site.refuse("smtp")
    site.moved = moved
    site.run()
    assert site.told() == {"smtp_auth:second"}
    ((silence,), _) = read_silences(site.state_file, site.anchor)
    assert (silence.since, silence.until) == (START + 15 * MINUTE + moved, START + HOUR + moved)
    for _ in range(2):
        site.run()
    assert site.told() == {"smtp_auth:second", "smtp_auth:main"}


def test_a_run_that_is_killed_after_the_clock_was_set_does_not_move_the_silences_twice(site: Site) -> None:
    site.run()
    write_silences(site.state_file, [Silence("main", START, START + 8 * HOUR)], site.anchor)
    site.moved = 6 * HOUR
    with pytest.raises(IndexError):
        site.run(is_killed=True)
    site.run()
    assert read_silences(site.state_file, site.anchor)[0][0].until == START + 14 * HOUR


def test_on_a_read_only_disk_people_are_told_and_it_is_said_that_they_may_be_told_again(site: Site, disk: Path) -> None:
    assert site.run().exit_code == EXIT_OK
    remount(disk, "ro")
    site.refuse("smtp")
    report = site.run()
    assert (report.exit_code, report.may_repeat, site.kinds()) == (EXIT_STATE, True, ["problem"])
    assert "Read-only file system" in report.state_error
    site.run()
    assert site.kinds() == ["problem", "problem"]
    remount(disk, "rw")
    assert (site.run().exit_code, site.run().exit_code) == (EXIT_FAILED, EXIT_FAILED)
    assert site.kinds() == ["problem"] * 3


def test_on_a_disk_that_was_always_read_only_people_are_told(site: Site, disk: Path) -> None:
    remount(disk, "ro")
    site.state_file = disk / "deep" / "state.json"
    site.refuse("smtp")
    report = site.run()
    assert (report.exit_code, report.may_repeat, site.kinds()) == (EXIT_STATE, True, ["problem"])


@pytest.mark.parametrize(
    "routes",
    [
        {"main": route_to()},
        {},
    ],
)
def test_a_unit_that_failed_has_not_run_to_its_end_while_the_state_cannot_be_written(
    site: Site, disk: Path, routes: dict[str, Any]
) -> None:
    site.routes = routes
    site.run()
    fill(disk)
    for _ in range(2):
        alert_unit_failed(site.setup, UNIT, "exit status 74", lambda: site.now)
        assert site.run().exit_code == EXIT_STATE
    assert site.kinds() == ["problem"]
    (disk / "ballast").unlink()
    assert site.run().exit_code == EXIT_OK
    assert site.kinds() == ["problem", "recovery"]


def test_only_a_complete_run_ends_the_failure_of_a_unit(site: Site) -> None:
    alert_unit_failed(site.setup, UNIT, "exit status 70", lambda: site.now)
    site.run("main")
    assert site.kinds() == ["problem"]
    site.run()
    assert site.kinds() == ["problem", "recovery"]


def test_outputs_that_raise_hang_and_print_do_not_harm_a_run(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    toy, hanging = Toy(), Hanging()
    site.outputs = (Raising(), hanging, toy)
    result = site.run()
    hanging.go_on.set()
    (begin, given) = toy.events
    assert begin == "begin"
    assert isinstance(given, RunResult)
    assert (given.run_id, given.steps) == (result.run_id, result.steps)
    assert (result.exit_code, len(result.warnings)) == (EXIT_OK, 2)
    assert [warning.partition(":")[0] for warning in result.warnings] == ["the raising toy", "the hanging toy"]
    assert capsys.readouterr().out == ""


def test_a_run_of_a_part_and_a_dry_run_have_no_outputs(site: Site) -> None:
    toy = Toy()
    site.outputs = (toy,)
    site.run("main")
    site.run(is_dry=True)
    assert toy.events == []
