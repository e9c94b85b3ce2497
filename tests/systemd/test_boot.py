"""A real systemd runs mailmon as the page says: runs, failures and their alerts."""

from __future__ import annotations

import stat
from typing import Any

from tests.systemd.machine import Trial

SUCCESS = {"Result": "success", "ActiveState": "inactive"}
FAILED = {"Result": "exit-code", "ActiveState": "failed"}
# systemd.exec(5): a dynamic user; from systemd 257 on the disk says nobody, and only the unit sees itself.
DYNAMIC = range(61184, 65520)
ON_DISK = {*DYNAMIC, 65534}


def is_unit(run: dict[str, Any], exit_code: int, state: dict[str, str]) -> bool:
    """Say whether the unit ended like that."""
    unit: dict[str, str] = run["unit"]
    return {**unit, **state, "ExecMainStatus": str(exit_code)} == unit


def kinds(run: dict[str, Any]) -> list[str]:
    return [message["kind"] for message in run["alerts"]]


def test_what_the_page_says_installs_a_unit_that_runs(trial: Trial) -> None:
    scenario = trial.scenario("install")
    assert len(scenario["commands"]) == 7
    assert [(c["command"], c["stderr"]) for c in scenario["commands"] if c["exit"] != 0] == []
    [said] = [c["stdout"] for c in scenario["commands"] if c["command"].startswith("journalctl")]
    assert "✓ Receive Test: Email delivered in" in said
    assert is_unit(scenario, 0, SUCCESS)


def test_the_page_enables_the_timer(trial: Trial) -> None:
    scenario = trial.scenario("install")
    assert scenario["timer"] == {"ActiveState": "active", "UnitFileState": "enabled"}
    [listed] = [c["stdout"] for c in scenario["commands"] if "list-timers" in c["command"]]
    assert "mailmon.timer mailmon.service" in " ".join(listed.split())


def test_the_state_is_for_the_dynamic_user_alone(trial: Trial) -> None:
    files = trial.scenario("install")["files"]
    assert {"state.json", "state.json.journal", "probe.key"} <= set(files)
    assert files["."][0] == "0700"
    assert {mode for name, (mode, *_) in files.items() if name != "."} == {"0600"}
    [owner] = {(user, group) for _, user, group in files.values()}
    assert set(owner) <= ON_DISK
    assert trial.scenario("install")["above"] == ["0700", 0, 0]


def test_a_run_has_the_user_of_its_state_and_no_rights(trial: Trial) -> None:
    process = trial.scenario("a_long_run")["process"]
    assert int(process["uid"]) in DYNAMIC
    assert {user for _, user, _ in process["state"].values()} == {int(process["uid"])}
    assert int(process["capabilities"], 16) == 0
    assert (process["seccomp"], process["no_new_privileges"]) == ("2", "1")


def test_a_run_has_the_secrets_of_the_directory_under_their_names_for_itself_alone(trial: Trial) -> None:
    credentials = trial.scenario("a_long_run")["process"]["credentials"]
    assert set(credentials) == {".", "mailmon_password", "mailmon_ntfy.topic"}
    assert {int(mode, 8) & (stat.S_IRWXO | 0o222) for mode, *_ in credentials.values()} == {0}
    assert {user for _, user, _ in credentials.values()} <= {0, int(trial.scenario("a_long_run")["process"]["uid"])}


def test_a_run_needs_far_less_memory_than_it_may_take(trial: Trial) -> None:
    assert trial.scenario("a_long_run")["process"]["peak_kb"] < 128 * 1024


def test_no_secret_is_said_anywhere(trial: Trial) -> None:
    """Over all scenarios: a server that repeats the password, wrong configurations, killed runs, runs by hand."""
    scenario = trial.scenario("secrets")
    places = ("journal", "systemctl show", "units", "state", "cmdlines", "environment")
    assert {place: scenario["found"][place] for place in places if scenario["found"][place]} == {}
    assert min(scenario["lengths"][place] for place in places) > 200
    assert {"state.json", "state.json.journal"} <= set(scenario["state_files"])


def test_a_second_start_joins_the_run_that_goes_on(trial: Trial) -> None:
    scenario = trial.scenario("a_long_run")
    assert scenario["second_start"]["exit"] == 0
    assert scenario["end"]["InvocationID"] == scenario["end"]["first"]
    assert scenario["end"]["probes"] == 1


def test_a_run_by_hand_during_one_of_the_unit_is_refused(trial: Trial) -> None:
    by_hand = trial.scenario("a_long_run")["by_hand"]
    assert by_hand["exit"] == 75
    assert "another run holds /var/lib/mailmon/config/state.json.lock: process" in by_hand["stderr"]


def test_a_run_of_the_unit_during_one_by_hand_is_refused_and_no_failure(trial: Trial) -> None:
    scenario = trial.scenario("a_long_run")
    assert is_unit(scenario["unit_during_by_hand"], 75, SUCCESS)
    assert (scenario["unit_during_by_hand"]["failure_unit"], scenario["by_hand_exit"], scenario["alerts"]) == (
        None,
        0,
        [],
    )


def test_a_failure_of_mail_is_an_alert_and_no_failure_of_the_unit(trial: Trial) -> None:
    scenario = trial.scenario("failure_and_recovery")
    assert is_unit(scenario["failed"], 1, SUCCESS)
    assert (kinds(scenario["failed"]), scenario["failed"]["failure_unit"]) == (["problem"], None)
    assert "SMTP Auth failing" in scenario["failed"]["alerts"][0]["title"]
    assert (is_unit(scenario["again"], 1, SUCCESS), scenario["again"]["alerts"]) == (True, [])


def test_the_end_of_a_failure_is_told(trial: Trial) -> None:
    recovered = trial.scenario("failure_and_recovery")["recovered"]
    assert (is_unit(recovered, 0, SUCCESS), kinds(recovered)) == (True, ["recovery"])


def test_that_nothing_can_be_seen_is_no_failure_of_the_unit(trial: Trial) -> None:
    scenario = trial.scenario("nothing_is_seen")
    assert is_unit(scenario["unseen"], 75, SUCCESS)
    assert scenario["unseen"]["failure_unit"] is None
    assert ["has no network" in message["title"] for message in scenario["unseen"]["alerts"]] == [True]
    assert kinds(scenario["again"]) == ["recovery"]


def test_a_wrong_configuration_fails_the_unit_and_is_told_once(trial: Trial) -> None:
    scenario = trial.scenario("broken_configuration")
    for run in (scenario["first"], scenario["second"]):
        assert is_unit(run, 78, FAILED)
        assert run["exit"] != 0
        assert run["failure_unit"] is not None
        assert {**run["failure_unit"], **SUCCESS} == run["failure_unit"]
    assert (kinds(scenario["first"]), scenario["second"]["alerts"]) == (["problem"], [])
    assert "mailmon.service failed" in scenario["first"]["alerts"][0]["title"]
    assert "deadline_s" in scenario["first"]["alerts"][0]["text"]
    assert "exit status 78" in scenario["first"]["alerts"][0]["title"] + scenario["first"]["alerts"][0]["text"]
    assert "no alert sent: already reported" in scenario["said"]


def test_the_next_good_run_ends_the_story_of_a_failed_unit(trial: Trial) -> None:
    repaired = trial.scenario("broken_configuration")["repaired"]
    assert (is_unit(repaired, 0, SUCCESS), kinds(repaired)) == (True, ["recovery"])
    assert "mailmon.service completed again" in repaired["alerts"][0]["title"]


def test_an_alert_that_is_refused_fails_the_unit_and_is_no_second_story(trial: Trial) -> None:
    scenario = trial.scenario("refused_alerts")
    assert is_unit(scenario["refused"], 69, FAILED)
    assert scenario["refused"]["failure_unit"]["Result"] == "success"
    assert "the run has finished and sent its own alerts" in scenario["said"]
    assert is_unit(scenario["again"], 0, SUCCESS)
    assert [message for message in scenario["again"]["alerts"] if "mailmon.service" in message["title"]] == []


def test_a_run_that_hangs_is_killed_and_told_once(trial: Trial) -> None:
    scenario = trial.scenario("killed")
    for run in (scenario["first"], scenario["second"]):
        assert {**run["unit"], "Result": "timeout", "ActiveState": "failed"} == run["unit"]
    assert 2 <= scenario["run_s"] < 8
    assert (kinds(scenario["first"]), scenario["second"]["alerts"]) == (["problem"], [])
    assert "mailmon.service failed" in scenario["first"]["alerts"][0]["title"]
    assert "timeout" in scenario["first"]["alerts"][0]["title"] + scenario["first"]["alerts"][0]["text"]
    assert "start operation timed out" in scenario["said"]


def test_the_run_after_a_killed_one_tells_that_it_is_over(trial: Trial) -> None:
    recovered = trial.scenario("killed")["recovered"]
    assert (is_unit(recovered, 0, SUCCESS), kinds(recovered)) == (True, ["recovery"])


def test_the_timer_starts_run_after_run_also_after_a_failed_one(trial: Trial) -> None:
    scenario = trial.scenario("interval")
    assert scenario["runs"] >= 4
    assert all(1.5 < apart_s < 6 for apart_s in scenario["apart_s"]), scenario["apart_s"]
    assert kinds(scenario) == ["problem", "recovery"]


def test_the_timer_runs_by_the_calendar_and_remembers_when_it_did(trial: Trial) -> None:
    scenario = trial.scenario("calendar")
    assert scenario["runs"] >= 2
    assert (scenario["timer"]["Persistent"], scenario["has_stamp"]) == ("yes", True)
    assert "OnCalendar=*-*-* *:*:00/2" in scenario["timer"]["TimersCalendar"]
    assert not scenario["timer"].get("TimersMonotonic"), "the times that were shipped still hold"


def test_the_unit_knows_which_start_of_the_machine_it_is(trial: Trial) -> None:
    """Else a clock that was set between two runs could not be noticed: the unit cannot read /proc/sys."""
    scenario = trial.scenario("install")
    assert scenario["anchor"]["boot_id"].replace("-", "") == scenario["boot_id"].replace("-", "")


def test_a_broken_installation_does_not_look_like_a_run_with_findings(trial: Trial) -> None:
    """Python ends with 1 when it cannot load mailmon, and 1 is no failure of a run."""
    scenario = trial.scenario("broken_installation")
    assert scenario["broken"]["unit"]["ActiveState"] == "failed"
    assert kinds(scenario["broken"]) == ["problem"]
    assert "mailmon.service failed" in scenario["broken"]["alerts"][0]["title"]
    assert "No module named 'mailmon.cli'" in scenario["said"]
