"""Alerts about a run's outcomes, and the state that remembers them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailmon.model import Health
from mailmon.model.run import AlertLine
from mailmon.run.dispatch import HELD_BACK, MAX_DELIVERIES
from mailmon.store.keeper import Keeper
from tests.alerting.sequences import STEP
from tests.run.fake_channels import BROKEN, REFUSED
from tests.run.stored_runs import FAILED, FAILURE, OK, OTHER, RECOVERY, SUBJECTS, StoredRuns, without_host

DAY = timedelta(days=1)


def test_a_failure_and_its_recovery_are_told_once_each(runs: StoredRuns) -> None:
    for found in (OK, FAILED, FAILED, OK, OK):
        runs.run(found)
    assert runs.titles("phone") == [FAILURE, RECOVERY]
    first, second = runs.fake_channels.taken_by("phone")
    assert (first.thread, second.thread) == ("", first.id)


def test_what_is_acknowledged_leaves_the_outbox_and_is_remembered(runs: StoredRuns) -> None:
    assert [line.status for line in runs.run(FAILED)] == ["sent"]
    state = runs.state
    (done,) = state.deliveries
    assert (state.outbox, done.channel, done.status, done.id) == ((), "phone", "sent", "run-1")
    assert (state.checks[STEP].announced.health, state.checks[STEP].announced.channels) == (Health.DOWN, ("phone",))


def test_an_acknowledgement_is_on_disk_before_the_next_alert_is_tried(runs: StoredRuns) -> None:
    runs.fake_channels.always["team"] = BROKEN
    runs.run(FAILED, channels=("phone", "team"))
    seen: list[int] = []
    runs.fake_channels.always["team"] = lambda: seen.append(len(runs.waiting))
    runs.run(FAILED, channels=("phone", "team"))
    assert seen == [1]
    assert runs.waiting == []


def test_what_was_late_is_told_in_one_alert(runs: StoredRuns) -> None:
    runs.fake_channels.always["phone"] = BROKEN
    runs.run(FAILED)
    runs.run(OK)
    runs.fake_channels.always.clear()
    runs.run(OK)
    (alert,) = runs.fake_channels.taken_by("phone")
    assert alert.title.startswith("mail.example.org:587: SMTP Auth failed and recovered after 15 min")


def test_what_is_told_on_another_day_says_its_date(runs: StoredRuns) -> None:
    runs.fake_channels.always["phone"] = BROKEN
    runs.run(FAILED)
    runs.fake_channels.always.clear()
    runs.run(FAILED, later=DAY)
    (alert,) = runs.fake_channels.taken_by("phone")
    assert alert.title.startswith(f"{FAILURE} since 2026-03-01 1")
    assert alert.id == "run-1"


def test_what_is_told_on_the_same_day_does_not(runs: StoredRuns) -> None:
    runs.fake_channels.always["phone"] = BROKEN
    runs.run(FAILED)
    runs.fake_channels.always.clear()
    runs.run(FAILED)
    assert "2026" not in runs.fake_channels.taken_by("phone")[0].title


def test_a_silence_that_begins_while_an_alert_waits_holds_it_back(runs: StoredRuns) -> None:
    runs.fake_channels.always["phone"] = BROKEN
    runs.run(FAILED)
    runs.fake_channels.always.clear()
    (line,) = runs.run(FAILED, silenced=("main",))
    assert (line.status, line.error, line.is_alarming) == ("pending", HELD_BACK, False)
    assert runs.fake_channels.taken == []
    runs.run(FAILED)
    assert runs.titles("phone") == [FAILURE]


def test_a_silence_holds_back_its_own_part_of_an_alert_only(runs: StoredRuns) -> None:
    runs.fake_channels.always["phone"] = BROKEN
    runs.run(FAILED, OTHER)
    runs.fake_channels.always.clear()
    runs.run(silenced=("other",))
    assert runs.titles("phone") == [FAILURE]
    runs.run()
    assert runs.titles("phone") == [FAILURE, "mail.example.org:587: Send Test failing"]


def test_what_a_silence_parted_is_one_alert_when_it_has_ended(runs: StoredRuns) -> None:
    runs.fake_channels.always["phone"] = BROKEN
    runs.run(FAILED, OTHER)
    runs.run(silenced=("other",))
    assert len(runs.waiting) == 2
    runs.fake_channels.always.clear()
    runs.run()
    (alert,) = runs.fake_channels.taken_by("phone")
    assert (alert.id, [change.id for change in alert.changes]) == ("run-3", [STEP, "send:other"])


def test_that_a_channel_refuses_can_be_silenced_too(runs: StoredRuns) -> None:
    runs.fake_channels.always["phone"] = REFUSED
    runs.run(FAILED, channels=("phone", "team"), silenced=("channel:phone",))
    assert runs.titles("team") == [FAILURE]
    runs.run(FAILED, channels=("phone", "team"))
    assert [without_host(title) for title in runs.titles("team")][1:] == ["Alerts via phone failing"]


def fill_what_is_held(runs: StoredRuns) -> list[AlertLine]:
    """Let phone have an alert that a silence holds back, while team refuses another one."""
    runs.fake_channels.always.update(phone=BROKEN, team=BROKEN)
    runs.run(OTHER, channels=("phone", "team"))
    runs.fake_channels.always.update(phone=None, team=REFUSED)
    return runs.run(FAILED, channels=("phone", "team"), silenced=("other",))


def test_what_is_held_back_does_not_keep_a_channel_from_hearing_of_another_one(runs: StoredRuns) -> None:
    fill_what_is_held(runs)
    assert [without_host(title) for title in runs.titles("phone")][1:] == ["Alerts via team failing"]


def test_what_is_held_back_has_one_line(runs: StoredRuns) -> None:
    lines = fill_what_is_held(runs)
    held = [line.channel for line in lines if line.error == HELD_BACK]
    assert sorted(held) == ["phone", "team"]


def test_the_deliveries_that_are_remembered_are_bounded(runs: StoredRuns) -> None:
    for number in range(MAX_DELIVERIES + 5):
        runs.run(FAILED if number % 2 else OK)
    deliveries = runs.state.deliveries
    assert len(deliveries) == MAX_DELIVERIES
    assert deliveries[-1].done_at - deliveries[-2].done_at == timedelta(minutes=15)


def test_a_run_that_was_killed_before_it_could_send_loses_nothing(runs: StoredRuns) -> None:
    keeper = Keeper(runs.path, runs.now, is_dry=False)
    told = runs.dispatch().evaluate(keeper.state, [FAILED], SUBJECTS)
    keeper.save(checks=told.state.checks, outbox=told.state.outbox)
    runs.run(FAILED)
    assert runs.titles("phone") == [FAILURE]
    assert [alert.id for alert in runs.fake_channels.taken_by("phone")] == ["run-0"]


def test_a_preview_shows_what_waits_together_with_what_is_new(runs: StoredRuns) -> None:
    runs.fake_channels.always["phone"] = BROKEN
    runs.run(FAILED)
    dispatch = runs.dispatch()
    (preview,) = dispatch.previews(dispatch.evaluate(runs.state, [OTHER], SUBJECTS))
    assert [change.id for change in preview.changes] == [STEP, "send:other"]
    assert dispatch.previews(dispatch.evaluate(runs.state, [FAILED], SUBJECTS)) == (runs.waiting[0].alert,)


def test_a_preview_shows_an_alert_for_several_channels_once_and_no_silenced_one(runs: StoredRuns) -> None:
    dispatch = runs.dispatch(("phone", "team"))
    taken = dispatch.evaluate(Keeper(runs.path, runs.now, is_dry=True).state, [FAILED], SUBJECTS)
    assert len(dispatch.previews(taken)) == 1
    assert runs.dispatch(silenced=("main",)).previews(taken) == ()


@pytest.mark.parametrize("channels", [(), ("team",)])
def test_a_preview_shows_no_alert_for_a_channel_that_is_not_there(runs: StoredRuns, channels: tuple[str, ...]) -> None:
    runs.fake_channels.always["phone"] = BROKEN
    runs.run(FAILED)
    dispatch = runs.dispatch(channels)
    previews = dispatch.previews(dispatch.evaluate(runs.state, [OTHER], SUBJECTS))
    assert ["send:other" in [change.id for change in preview.changes] for preview in previews] == [True]
