"""Do runs by hand, by cron, of several instances and with encrypted secrets do what the page says?"""

from __future__ import annotations

from tests.systemd.machine import Trial
from tests.systemd.test_boot import DYNAMIC, FAILED, ON_DISK, SUCCESS, is_unit, kinds


def test_every_command_of_the_page_works_by_hand(trial: Trial) -> None:
    commands = trial.scene("as_root")["commands"]
    assert len(commands) == 5
    assert [(c["command"], c["stdout"], c["stderr"]) for c in commands if c["exit"] != 0] == []
    assert kinds(trial.scene("as_root")) == ["test"]


def test_what_root_makes_belongs_to_the_unit_which_goes_on_with_it(trial: Trial) -> None:
    scene = trial.scene("as_root")
    assert "state.json.silences" in scene["files"]
    owners = {(user, group) for _, user, group in (*scene["files"].values(), *scene["files_after_unit"].values())}
    assert owners == {tuple(scene["directory"][1:])}
    assert owners <= {(user, user) for user in ON_DISK}
    assert {mode for name, (mode, *_) in scene["files"].items() if name != "."} == {"0600"}


def test_the_unit_ends_what_a_run_by_hand_has_begun(trial: Trial) -> None:
    scene = trial.scene("as_root")
    assert (scene["failed"]["exit"], kinds(scene["failed"])) == (1, ["problem"])
    assert (is_unit(scene["unit"], 0, SUCCESS), kinds(scene["unit"])) == (True, ["recovery"])


def test_root_is_refused_where_the_user_is_a_dynamic_one_and_nothing_is_touched(trial: Trial) -> None:
    scene = trial.scene("as_the_user")
    assert (scene["page"]["exit"], "systemd-run" in scene["page"]["stderr"]) == (74, True)
    for line, said in scene["refused"].items():
        assert (line, said["exit"], said["stdout"]) == (line, 74, "")
        assert "who cannot reach it from here" in said["stderr"]
    assert scene["untouched"]


def test_the_command_that_is_printed_works_when_it_is_copied(trial: Trial) -> None:
    scene = trial.scene("as_the_user")
    assert [(c["command"], c["stdout"], c["stderr"]) for c in scene["copied"].values() if c["exit"] != 0] == []
    assert "User=mailmon-config" in scene["copied"]["check"]["command"]
    assert "✓ Receive Test: Email delivered in" in scene["copied"]["check"]["stdout"]
    assert scene["is_remembered"]
    assert len({(user, group) for _, user, group in scene["files"].values()}) == 1
    assert is_unit(scene["unit"], 0, SUCCESS)


def test_root_becomes_the_user_that_the_unit_has_of_its_own(trial: Trial) -> None:
    scene = trial.scene("as_a_user_of_its_own")
    assert is_unit(scene["first"], 0, SUCCESS)
    assert [(c["command"], c["stdout"], c["stderr"]) for c in scene["ran"].values() if c["exit"] != 0] == []
    assert {user for _, user, _ in scene["files"].values()} == {scene["uid"]}
    assert "state.json.silences" in scene["files"]
    assert is_unit(scene["unit"], 0, SUCCESS)


def test_the_unit_takes_over_what_root_made_before_its_first_run(trial: Trial) -> None:
    scene = trial.scene("before_the_unit")
    assert scene["by_hand"]["exit"] == 0, scene["by_hand"]
    assert scene["above"] == ["0755", 0, 0], "the unit's user could not get to its directory"
    assert is_unit(scene["unit"], 0, SUCCESS)
    assert scene["is_remembered"]
    assert scene["is_private"]
    assert {user for _, user, _ in scene["files"].values()} <= ON_DISK


def test_cron_does_without_systemd(trial: Trial) -> None:
    scene = trial.scene("by_cron")
    assert [(c["command"], c["stderr"]) for c in scene["prepared"] if c["exit"] != 0] == []
    assert scene["schedule"] == ["*/15", "*", "*", "*", "*"]
    assert [scene[run]["exit"] for run in ("good", "failed", "recovered")] == [0, 1, 0]
    assert kinds(scene) == ["problem", "recovery"]
    assert {user for _, user, _ in scene["files"].values()} == {scene["uid"]}


def test_cron_sends_no_mail_of_its_own_about_what_was_told(trial: Trial) -> None:
    scene = trial.scene("by_cron")
    assert [scene[run]["stdout"] + scene[run]["stderr"] for run in ("good", "failed", "recovered")] == [""] * 3


def test_the_page_makes_an_instance(trial: Trial) -> None:
    scene = trial.scene("instances")
    assert [(c["command"], c["stderr"]) for c in scene["commands"] if c["exit"] != 0] == []
    assert scene["timer"] == {"ActiveState": "active", "UnitFileState": "enabled"}


def test_two_instances_run_side_by_side_each_with_its_own_password(trial: Trial) -> None:
    scene = trial.scene("instances")
    assert scene["started"]["exit"] == 0, scene["started"]
    for unit in scene["units"].values():
        assert {**unit, **SUCCESS, "ExecMainStatus": "0"} == unit
    assert set(scene["logins"]) == {"imap ok", "smtp ok"}
    assert min(scene["logins"].values()) >= 2
    assert set(scene["checks"]) == {"office", "home-2"}


def test_two_instances_have_users_and_memories_of_their_own(trial: Trial) -> None:
    scene = trial.scene("instances")
    users = set(scene["users"].values())
    assert (len(users), users <= set(DYNAMIC)) == (2, True)
    assert {listed["."][0] for listed in scene["files"].values()} == {"0700"}
    assert all("state.json" in listed for listed in scene["files"].values())


def test_the_failure_of_one_instance_is_told_by_its_own_channel_and_leaves_the_other_alone(trial: Trial) -> None:
    scene = trial.scene("one_of_two_fails")
    assert is_unit(scene["failed"], 78, FAILED)
    assert ["mailmon@home-2.service failed" in message["title"] for message in scene["failed"]["news"]] == [True]
    assert scene["failed_topics"] == ["topic-home-2"]
    assert (is_unit(scene["other"], 0, SUCCESS), scene["other"]["news"]) == (True, [])
    assert kinds(scene["repaired"]) == ["recovery"]


def test_without_its_password_the_unit_fails_and_says_which_one_is_missing(trial: Trial) -> None:
    without = trial.scene("encrypted")["without"]
    assert (is_unit(without, 78, FAILED), kinds(without)) == (True, ["problem"])
    assert "password" in without["news"][0]["text"]


def test_an_encrypted_password_takes_its_place(trial: Trial) -> None:
    scene = trial.scene("encrypted")
    assert scene["command"]["exit"] == 0, scene["command"]
    assert scene["is_sealed"]
    assert (is_unit(scene["with"], 0, SUCCESS), kinds(scene["with"])) == (True, ["recovery"])
