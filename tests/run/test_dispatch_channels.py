"""Alerts about a channel that fails; nothing is lost with a channel that is removed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailmon.run.delivery import KEEP_GONE
from tests.alerting.sequences import STEP
from tests.run.fake_channels import BROKEN, REFUSED
from tests.run.stored_runs import FAILED, FAILURE, OK, OTHER, RECOVERY, StoredRuns, without_host

BOTH = ("phone", "team")
THREE = (*BOTH, "mail")
REFUSING, TAKING = "Alerts via phone failing", "Alerts via phone recovered"


def told(runs: StoredRuns, name: str) -> list[str]:
    """Return what a channel was told, of mailmon itself without the name of this machine."""
    return [title if title.startswith("mail.example") else without_host(title) for title in runs.titles(name)]


def test_a_channel_that_refuses_is_told_by_the_others_once_and_so_is_its_end(runs: StoredRuns) -> None:
    runs.fake_channels.always["phone"] = REFUSED
    for found in (FAILED, FAILED, OK, OK):
        runs.run(found, channels=BOTH)
    runs.fake_channels.always.clear()
    runs.run(OK, channels=BOTH)
    runs.run(OK, channels=BOTH)
    assert told(runs, "team") == [FAILURE, REFUSING, RECOVERY, TAKING]
    assert len(runs.fake_channels.taken_by("phone")) == 1


def test_a_channel_that_does_not_answer_is_told_of_after_three_runs(runs: StoredRuns) -> None:
    runs.fake_channels.always["phone"] = BROKEN
    for number in range(1, 6):
        lines = runs.run(FAILED, channels=BOTH)
        assert [line.is_alarming for line in lines if line.channel == "phone"] == [number >= 3]
    assert told(runs, "team") == [FAILURE, REFUSING]


@pytest.mark.parametrize("trouble", [REFUSED, BROKEN])
def test_two_channels_that_failed_together_do_not_report_each_others_recovery(
    runs: StoredRuns, trouble: Exception
) -> None:
    runs.fake_channels.always.update(phone=trouble, team=trouble)
    for _ in range(4):
        runs.run(FAILED, channels=BOTH)
    runs.fake_channels.always.clear()
    for _ in range(2):
        runs.run(FAILED, channels=BOTH)
    assert (told(runs, "phone"), told(runs, "team"), runs.waiting) == ([FAILURE], [FAILURE], [])


def test_of_two_channels_that_were_away_the_one_that_is_back_tells_of_the_other(runs: StoredRuns) -> None:
    runs.fake_channels.always.update(phone=BROKEN, team=BROKEN)
    for _ in range(4):
        runs.run(FAILED, channels=BOTH)
    del runs.fake_channels.always["team"]
    runs.run(FAILED, channels=BOTH)
    assert (told(runs, "phone"), told(runs, "team")) == ([], [FAILURE, REFUSING])
    runs.fake_channels.always.clear()
    runs.run(OK, channels=BOTH)
    assert told(runs, "team")[2:] == [RECOVERY, TAKING]
    assert "Alerts by" not in "".join(alert.body for alert in runs.fake_channels.taken_by("phone"))


@pytest.mark.parametrize(("still", "numbers"), [(REFUSED, [2, 0, 2]), (None, [1, 1, 3])])
def test_what_rests_while_others_hear_of_a_channel_is_not_lost(
    runs: StoredRuns, still: Exception | None, numbers: list[int]
) -> None:
    runs.fake_channels.always.update(phone=BROKEN, team=REFUSED)
    runs.run(FAILED, channels=THREE)
    assert told(runs, "mail") == [FAILURE, "Alerts via team failing"]
    runs.fake_channels.always = {"team": still}
    runs.run(FAILED, channels=THREE)
    assert [len(runs.fake_channels.taken_by(name)) for name in THREE] == numbers
    assert told(runs, "phone") == ([FAILURE, "Alerts via team failing"] if still else [FAILURE])


def test_the_only_channel_hears_nothing_of_itself(runs: StoredRuns) -> None:
    runs.fake_channels.always["phone"] = REFUSED
    runs.run(FAILED)
    runs.fake_channels.always.clear()
    runs.run(FAILED)
    assert (told(runs, "phone"), runs.waiting) == ([FAILURE], [])


def test_a_channel_that_is_added_because_the_only_one_refuses_hears_of_it(runs: StoredRuns) -> None:
    runs.fake_channels.always["phone"] = REFUSED
    runs.run(FAILED)
    runs.run(FAILED, channels=BOTH)
    assert REFUSING in told(runs, "team")


def test_no_two_alerts_of_a_run_have_the_same_id(runs: StoredRuns) -> None:
    runs.fake_channels.always["phone"] = REFUSED
    runs.run(FAILED, channels=BOTH)
    assert [alert.id for alert in runs.fake_channels.taken_by("team")] == ["run-1", "run-1-2"]


def test_the_recovery_of_a_channel_that_came_and_went_reaches_whoever_heard_it_fail(
    runs: StoredRuns,
) -> None:
    runs.fake_channels.always["phone"] = REFUSED
    runs.run(FAILED, channels=BOTH)
    assert told(runs, "team") == [FAILURE, REFUSING]
    for phone in (None, REFUSED, None):
        runs.fake_channels.always = {"phone": phone, "team": BROKEN}
        runs.run(OK if phone else FAILED, channels=BOTH)
        runs.run(FAILED if phone else OK, channels=BOTH)
    runs.fake_channels.always.clear()
    runs.run(OK, channels=BOTH)
    assert runs.state.checks["channel:phone"].health == "up"
    assert any("Alerts via phone recovered" in alert.body for alert in runs.fake_channels.taken_by("team"))


def test_what_failed_in_a_run_without_channels_is_told_in_the_next_one_that_has_one(runs: StoredRuns) -> None:
    assert runs.run(FAILED, channels=()) == []
    for _ in range(2):
        runs.run(FAILED)
    runs.run(OK)
    assert told(runs, "phone") == [FAILURE, RECOVERY]


def test_an_alert_waits_for_its_only_channel_while_that_is_missing_from_a_run(runs: StoredRuns) -> None:
    runs.fake_channels.always["phone"] = BROKEN
    runs.run(FAILED)
    runs.fake_channels.always.clear()
    (line,) = runs.run(FAILED, channels=())
    assert (line.channel, line.status, line.is_alarming) == ("phone", "pending", False)
    runs.run(FAILED)
    assert told(runs, "phone") == [FAILURE]


@pytest.mark.parametrize(("later", "status"), [(timedelta(), "pending"), (KEEP_GONE, "dropped")])
def test_an_alert_waits_for_a_day_for_its_channel_also_where_another_one_was_told(
    runs: StoredRuns, later: timedelta, status: str
) -> None:
    """The run may be one by hand, which knows one channel and not the other."""
    runs.fake_channels.always["phone"] = BROKEN
    runs.run(FAILED, channels=BOTH)
    (line,) = runs.run(FAILED, channels=("team",), later=later)
    assert (line.channel, line.status, line.error) == ("phone", status, "the channel is no longer configured")
    assert told(runs, "team") == [FAILURE]
    assert [(done.channel, done.status) for done in runs.state.deliveries][1:] == (
        [("phone", "dropped")] if status == "dropped" else []
    )


def test_an_alert_that_no_channel_has_taken_is_not_dropped_with_its_channel(runs: StoredRuns) -> None:
    runs.fake_channels.always.update(phone=BROKEN, team=BROKEN)
    runs.run(FAILED, channels=BOTH)
    assert "dropped" not in [line.status for line in runs.run(FAILED, channels=("team",))]


def test_a_channel_renamed_while_a_check_is_down_gets_the_alert(runs: StoredRuns) -> None:
    runs.fake_channels.always["phone"] = BROKEN
    runs.run(FAILED)
    lines = runs.run(FAILED, channels=("team",))
    assert sorted((line.channel, line.status) for line in lines) == [("phone", "pending"), ("team", "sent")]
    runs.run(OK, channels=("team",))
    assert told(runs, "team") == [FAILURE, RECOVERY]


def test_what_waits_for_a_channel_that_is_gone_alarms_nobody(runs: StoredRuns) -> None:
    runs.fake_channels.always["phone"] = BROKEN
    for channels in (("phone",), ("team",), ("team",), ("team",)):
        lines = runs.run(FAILED, channels=channels)
    assert [(line.channel, line.is_alarming) for line in lines] == [("phone", False)]
    assert told(runs, "team") == [FAILURE]


@pytest.mark.parametrize("others", [(), ("team",)])
def test_a_recovery_in_a_run_from_which_a_channel_is_missing_is_told_later(
    runs: StoredRuns, others: tuple[str, ...]
) -> None:
    """A run by hand, without the environment in which the service finds its channel."""
    runs.run(FAILED, channels=("phone", *others))
    runs.run(OK, channels=others)
    runs.run(OK, channels=("phone", *others))
    assert told(runs, "phone") == [FAILURE, RECOVERY]


def test_two_steps_for_a_channel_that_was_away_are_one_alert(runs: StoredRuns) -> None:
    runs.fake_channels.always["phone"] = BROKEN
    runs.run(FAILED)
    runs.fake_channels.always.clear()
    runs.run(OTHER)
    (alert,) = runs.fake_channels.taken_by("phone")
    assert (alert.id, [change.id for change in alert.changes]) == ("run-2", [STEP, "send:other"])
