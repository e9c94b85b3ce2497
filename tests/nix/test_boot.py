"""The module's units and command under a real systemd, in a Debian tree, booted once."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.nix.support import HERE, Machine, needs_nix
from tests.systemd.machine import Trial, boot
from tests.systemd.tree import make_tree, need_systemd

pytestmark = needs_nix
SENTINELS = ("sentinel-password-main", "topic-that-nobody-may-see")


def _put(tree: Path, name: str, made: dict[str, Any]) -> None:
    """Put what the module made of a configuration where inside_boot.py installs it from."""
    document = json.dumps(made["documents"]["mailmon-main"])
    (path,) = set(re.findall(r"--config (/nix/store/\S+)", "".join(made["units"].values())))
    out = {"units": made["units"], "wrappers": made["wrappers"], "files": {path: document}}
    (tree / f"opt/trial/{name}.json").write_text(json.dumps(out))


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    """Boot a Debian in which mailmon is at /opt/mailmon, with the module's units for that place."""
    need_systemd()
    directory = Path(tempfile.mkdtemp(prefix="mailmon-nixos-"))
    try:
        tree = make_tree(directory)
        machine = Machine(Path("/opt/mailmon"), systemd="/usr")
        answer = machine.evaluate(f"import {HERE / 'boot.nix'}")
        assert answer.is_content, answer.error
        for name, made in answer.value.items():
            assert made["failed"] == []
            _put(tree, name, made)
        shutil.copy(HERE / "inside_boot.py", tree / "opt/trial/inside_boot.py")
        unit = tree / "etc/systemd/system/trial.service"
        played = unit.read_text().replace("-m inside ", "inside_boot.py ")
        assert "inside_boot.py" in played
        unit.write_text(
            re.sub(r"(?m)^After=mailmon.*$", "After=mailmon-main.service mailmon-main-failure.service", played)
        )
        yield boot(tree)
    finally:
        shutil.rmtree(directory)


def test_a_good_run_is_no_news_and_what_it_remembers_is_for_nobody_else(trial: Trial) -> None:
    scenario = trial.scenario("first_run")
    assert (scenario["unit"]["Result"], scenario["unit"]["ExecMainStatus"], scenario["alerts"]) == ("success", "0", [])
    assert "✓ Receive Test: Email delivered in" in scenario["said"]
    assert scenario["modes"].pop("mailmon-main") == "700"
    assert set(scenario["modes"].values()) == {"600"}
    # 20 s until mail must have arrived, 90 s and 30 s more.
    assert scenario["unit"]["TimeoutStartUSec"] == "2min 20s"
    assert (scenario["unit"]["DynamicUser"], scenario["unit"]["User"]) == ("yes", "mailmon-main")


def test_the_summary_of_bounces_is_sent_and_its_failure_is_told_in_its_name(trial: Trial) -> None:
    scenario = trial.scenario("summary")
    sent = scenario["sent"]
    assert (sent["unit"]["Result"], sent["unit"]["TimeoutStartUSec"]) == ("success", "3min")
    assert (sent["unit"]["DynamicUser"], sent["unit"]["User"]) == ("yes", "mailmon-main")
    assert len(sent["alerts"]) == 1
    assert "sent: ntfy: " in sent["said"]
    assert scenario["broken"]["unit"]["Result"] == "exit-code"
    assert "result exit-code" in scenario["broken"]["alerts"][0]["title"]
    assert ["mailmon-main-summary.service" in message["title"] for message in scenario["broken"]["alerts"]] == [True]
    assert [message["tags"][0] for message in scenario["recovered"]["alerts"]] == ["white_check_mark"]


def test_a_fault_and_its_end_are_told_once_each_by_the_unit_or_by_hand(trial: Trial) -> None:
    scenario = trial.scenario("failure_and_recovery")
    assert (scenario["failed"]["unit"]["Result"], scenario["failed"]["unit"]["ExecMainStatus"]) == ("success", "1")
    assert [message["tags"][0] for message in scenario["failed"]["alerts"]] == ["rotating_light"]
    assert [scenario["again"]["alerts"], scenario["alerts"]] == [[], []]
    assert scenario["by_hand"]["exit"] == 1
    assert [message["tags"][0] for message in scenario["recovered"]["alerts"]] == ["white_check_mark"]
    assert scenario["failed"]["alerts"][0]["topic"] == SENTINELS[1]


def test_by_hand_everything_works_as_in_the_unit(trial: Trial) -> None:
    scenario = trial.scenario("by_hand")
    assert {name: scenario[name]["exit"] for name in ("status", "check", "silence", "silences", "end", "validate")} == {
        **dict.fromkeys(("status", "check", "silence", "silences", "end", "validate"), 0)
    }
    assert json.loads(scenario["check"]["stdout"])["schema"] == "mailmon/check/1"
    assert json.loads(scenario["status"]["stdout"])
    assert "new disk; $(id)" in scenario["silences"]["stdout"]
    assert scenario["usage"]["exit"] == 2
    assert "no-such-command" in scenario["usage"]["stderr"]
    # One user for all of it, so that the unit goes on with what was written by hand.
    assert len(scenario["owners"]) == 1
    assert (scenario["unit"]["unit"]["Result"], scenario["alerts"]) == ("success", [])


def test_root_without_the_command_is_told_to_use_it_and_it_works_when_it_is_copied(trial: Trial) -> None:
    scenario = trial.scenario("by_hand")
    assert {word: said["exit"] for word, said in scenario["refused"].items()} == {"check": 74, "status": 74}
    assert {line: said["exit"] for line, said in scenario["copied"].items()} == {
        "mailmon-main check": 0,
        "mailmon-main status": 0,
    }


def test_an_ordinary_user_is_told_what_to_type(trial: Trial) -> None:
    nobody = trial.scenario("by_hand")["nobody"]
    assert (nobody["exit"], nobody["stdout"]) == (77, "")
    assert "sudo mailmon-main status" in nobody["stderr"]


def test_a_missing_password_is_told_although_no_run_can_start(trial: Trial) -> None:
    scenario = trial.scenario("missing_password")
    assert (scenario["failed"]["unit"]["Result"], scenario["failed"]["unit"]["ActiveState"]) == ("exit-code", "failed")
    assert ["mailmon-main.service" in message["title"] for message in scenario["failed"]["alerts"]] == [True]
    assert scenario["failure_unit"]["Result"] == "success"
    assert "password" in scenario["failure_said"]
    assert [message["tags"][0] for message in scenario["recovered"]["alerts"]] == ["white_check_mark"]


def test_by_hand_the_missing_password_is_named(trial: Trial) -> None:
    hand = trial.scenario("missing_password")["by_hand"]
    assert hand["exit"] == 78
    assert "credential password" in hand["stderr"]


def test_the_queue_of_a_real_postfix_is_seen_from_a_hardened_unit(trial: Trial) -> None:
    scenario = trial.scenario("queue")
    assert scenario["began"]["exit"] == 0, scenario["began"]
    assert "✓ Mail queue: OK (empty)" in scenario["empty"]["said"], scenario["empty"]["said"]
    assert "1 message could not be delivered yet: 1 times " in scenario["waiting"]["said"]
    assert [message["tags"][0] for message in scenario["waiting"]["alerts"]] == ["warning"]


def test_a_certificate_is_read_by_who_is_in_its_group_only(trial: Trial) -> None:
    scenario = trial.scenario("queue")
    assert "✓ Certificate file: OK" in scenario["empty"]["said"], scenario["empty"]["said"]
    assert "/var/lib/acme/mail/fullchain.pem: Permission denied" in scenario["closed"]["said"]


def test_without_leave_the_queue_is_unknown_and_not_called_down(trial: Trial) -> None:
    closed = trial.scenario("queue")["closed"]
    said = closed["said"].rpartition("IMAP Auth")[2]
    assert "Mail queue: " in said
    assert "mail system is down" not in said, said
    assert closed["alerts"] == []
    assert closed["unit"]["ExecMainStatus"] == "75"


def test_a_postfix_that_is_down_is_told_from_a_hardened_unit(trial: Trial) -> None:
    scenario = trial.scenario("queue")
    assert [message["tags"][0] for message in scenario["down"]["alerts"]] == ["rotating_light"]
    assert "mail system is down" in scenario["down"]["said"]
    assert json.loads(scenario["by_hand"]["stdout"])["steps"][0]["findings"][0]["id"] == "queue.mail_system_down"


def test_the_directory_of_the_old_name_is_kept_with_what_is_in_it(trial: Trial) -> None:
    scenario = trial.scenario("old_name")
    assert scenario["unit"]["Result"] == "success"
    assert scenario["kept"] == "from before\n"
    assert {"keepsake", "state.json"} <= set(scenario["files"])


def test_no_credential_was_said_anywhere(trial: Trial) -> None:
    seen = {name: {**scenario} for name, scenario in trial.seen.items()}
    # The topic is where it belongs in the messages that the receiver got.
    words = re.sub(r'"topic": "[^"]*"', "", json.dumps(seen)) + trial.printed
    assert not [sentinel for sentinel in SENTINELS if sentinel in words]
