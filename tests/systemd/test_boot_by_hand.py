"""Runs by hand, by cron, of several instances and with encrypted secrets work as the page says."""

from __future__ import annotations

from tests.systemd.machine import Trial
from tests.systemd.test_boot import DYNAMIC, FAILED, ON_DISK, SUCCESS, is_unit, kinds


def test_every_command_of_the_page_works_by_hand(trial: Trial) -> None:
    commands = trial.scenario("as_root")["commands"]
    assert len(commands) == 5
    assert [(c["command"], c["stdout"], c["stderr"]) for c in commands if c["exit"] != 0] == []
    assert kinds(trial.scenario("as_root")) == ["test"]


def test_what_root_makes_belongs_to_the_unit_which_goes_on_with_it(trial: Trial) -> None:
    scenario = trial.scenario("as_root")
    assert "state.json.silences" in scenario["files"]
    owners = {(user, group) for _, user, group in (*scenario["files"].values(), *scenario["files_after_unit"].values())}
    assert owners == {tuple(scenario["directory"][1:])}
    assert owners <= {(user, user) for user in ON_DISK}
    assert {mode for name, (mode, *_) in scenario["files"].items() if name != "."} == {"0600"}


def test_the_unit_ends_what_a_run_by_hand_has_begun(trial: Trial) -> None:
    scenario = trial.scenario("as_root")
    assert (scenario["failed"]["exit"], kinds(scenario["failed"])) == (1, ["problem"])
    assert (is_unit(scenario["unit"], 0, SUCCESS), kinds(scenario["unit"])) == (True, ["recovery"])


def test_root_is_refused_where_the_user_is_a_dynamic_one_and_nothing_is_touched(trial: Trial) -> None:
    scenario = trial.scenario("as_the_user")
    assert (scenario["page"]["exit"], "systemd-run" in scenario["page"]["stderr"]) == (74, True)
    for line, said in scenario["refused"].items():
        assert (line, said["exit"], said["stdout"]) == (line, 74, "")
        assert "who cannot reach it from here" in said["stderr"]
    assert scenario["untouched"]


def test_the_command_that_is_printed_works_when_it_is_copied(trial: Trial) -> None:
    scenario = trial.scenario("as_the_user")
    assert [(c["command"], c["stdout"], c["stderr"]) for c in scenario["copied"].values() if c["exit"] != 0] == []
    assert "User=mailmon-config" in scenario["copied"]["check"]["command"]
    assert "✓ Receive Test: Email delivered in" in scenario["copied"]["check"]["stdout"]
    assert scenario["is_remembered"]
    assert len({(user, group) for _, user, group in scenario["files"].values()}) == 1
    assert is_unit(scenario["unit"], 0, SUCCESS)


def test_root_becomes_the_user_that_the_unit_has_of_its_own(trial: Trial) -> None:
    scenario = trial.scenario("as_a_user_of_its_own")
    assert is_unit(scenario["first"], 0, SUCCESS)
    assert [(c["command"], c["stdout"], c["stderr"]) for c in scenario["ran"].values() if c["exit"] != 0] == []
    assert {user for _, user, _ in scenario["files"].values()} == {scenario["uid"]}
    assert "state.json.silences" in scenario["files"]
    assert is_unit(scenario["unit"], 0, SUCCESS)


def test_the_unit_takes_over_what_root_made_before_its_first_run(trial: Trial) -> None:
    scenario = trial.scenario("before_the_unit")
    assert scenario["by_hand"]["exit"] == 0, scenario["by_hand"]
    assert scenario["above"] == ["0755", 0, 0], "the unit's user could not get to its directory"
    assert is_unit(scenario["unit"], 0, SUCCESS)
    assert scenario["is_remembered"]
    assert scenario["is_private"]
    assert {user for _, user, _ in scenario["files"].values()} <= ON_DISK


def test_cron_does_without_systemd(trial: Trial) -> None:
    scenario = trial.scenario("by_cron")
    assert [(c["command"], c["stderr"]) for c in scenario["prepared"] if c["exit"] != 0] == []
    assert scenario["schedule"] == ["*/15", "*", "*", "*", "*"]
    assert [scenario[run]["exit"] for run in ("good", "failed", "recovered")] == [0, 1, 0]
    assert kinds(scenario) == ["problem", "recovery"]
    assert {user for _, user, _ in scenario["files"].values()} == {scenario["uid"]}


def test_cron_sends_no_mail_of_its_own_about_what_was_told(trial: Trial) -> None:
    scenario = trial.scenario("by_cron")
    assert [scenario[run]["stdout"] + scenario[run]["stderr"] for run in ("good", "failed", "recovered")] == [""] * 3


def test_the_page_makes_an_instance(trial: Trial) -> None:
    scenario = trial.scenario("instances")
    assert [(c["command"], c["stderr"]) for c in scenario["commands"] if c["exit"] != 0] == []
    assert scenario["timer"] == {"ActiveState": "active", "UnitFileState": "enabled"}


def test_two_instances_run_side_by_side_each_with_its_own_password(trial: Trial) -> None:
    scenario = trial.scenario("instances")
    assert scenario["started"]["exit"] == 0, scenario["started"]
    for unit in scenario["units"].values():
        assert {**unit, **SUCCESS, "ExecMainStatus": "0"} == unit
    assert set(scenario["logins"]) == {"imap ok", "smtp ok"}
    assert min(scenario["logins"].values()) >= 2
    assert set(scenario["checks"]) == {"office", "home-2"}


def test_two_instances_have_users_and_memories_of_their_own(trial: Trial) -> None:
    scenario = trial.scenario("instances")
    users = set(scenario["users"].values())
    assert (len(users), users <= set(DYNAMIC)) == (2, True)
    assert {listed["."][0] for listed in scenario["files"].values()} == {"0700"}
    assert all("state.json" in listed for listed in scenario["files"].values())


def test_a_failing_instance_alerts_by_its_own_channel_only(trial: Trial) -> None:
    scenario = trial.scenario("one_of_two_fails")
    assert is_unit(scenario["failed"], 78, FAILED)
    assert ["mailmon@home-2.service failed" in message["title"] for message in scenario["failed"]["alerts"]] == [True]
    assert scenario["failed_topics"] == ["topic-home-2"]
    assert (is_unit(scenario["other"], 0, SUCCESS), scenario["other"]["alerts"]) == (True, [])
    assert kinds(scenario["repaired"]) == ["recovery"]


def test_without_its_password_the_unit_fails_and_says_which_one_is_missing(trial: Trial) -> None:
    without = trial.scenario("encrypted")["without"]
    assert (is_unit(without, 78, FAILED), kinds(without)) == (True, ["problem"])
    assert "password" in without["alerts"][0]["text"]


def test_an_encrypted_password_takes_its_place(trial: Trial) -> None:
    scenario = trial.scenario("encrypted")
    assert scenario["command"]["exit"] == 0, scenario["command"]
    assert scenario["is_sealed"]
    assert (is_unit(scenario["with"], 0, SUCCESS), kinds(scenario["with"])) == (True, ["recovery"])
