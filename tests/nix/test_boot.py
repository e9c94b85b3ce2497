"""Do the units and the command that the module makes work under a real systemd? In a Debian tree, booted once."""

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
    scene = trial.scene("first_run")
    assert (scene["unit"]["Result"], scene["unit"]["ExecMainStatus"], scene["news"]) == ("success", "0", [])
    assert "✓ Receive Test: Email delivered in" in scene["said"]
    assert scene["modes"].pop("mailmon-main") == "700"
    assert set(scene["modes"].values()) == {"600"}
    # 20 s until mail must have arrived, 90 s and 30 s more.
    assert scene["unit"]["TimeoutStartUSec"] == "2min 20s"
    assert (scene["unit"]["DynamicUser"], scene["unit"]["User"]) == ("yes", "mailmon-main")


def test_the_summary_of_bounces_is_sent_and_its_failure_is_told_in_its_name(trial: Trial) -> None:
    scene = trial.scene("summary")
    sent = scene["sent"]
    assert (sent["unit"]["Result"], sent["unit"]["TimeoutStartUSec"]) == ("success", "3min")
    assert (sent["unit"]["DynamicUser"], sent["unit"]["User"]) == ("yes", "mailmon-main")
    assert len(sent["news"]) == 1
    assert "sent: ntfy: " in sent["said"]
    assert scene["broken"]["unit"]["Result"] == "exit-code"
    assert "result exit-code" in scene["broken"]["news"][0]["title"]
    assert ["mailmon-main-summary.service" in message["title"] for message in scene["broken"]["news"]] == [True]
    assert [message["tags"][0] for message in scene["recovered"]["news"]] == ["white_check_mark"]


def test_a_fault_and_its_end_are_told_once_each_by_the_unit_or_by_hand(trial: Trial) -> None:
    scene = trial.scene("failure_and_recovery")
    assert (scene["failed"]["unit"]["Result"], scene["failed"]["unit"]["ExecMainStatus"]) == ("success", "1")
    assert [message["tags"][0] for message in scene["failed"]["news"]] == ["rotating_light"]
    assert [scene["again"]["news"], scene["news"]] == [[], []]
    assert scene["by_hand"]["exit"] == 1
    assert [message["tags"][0] for message in scene["recovered"]["news"]] == ["white_check_mark"]
    assert scene["failed"]["news"][0]["topic"] == SENTINELS[1]


def test_by_hand_everything_works_as_in_the_unit(trial: Trial) -> None:
    scene = trial.scene("by_hand")
    assert {name: scene[name]["exit"] for name in ("status", "check", "silence", "silences", "end", "validate")} == {
        **dict.fromkeys(("status", "check", "silence", "silences", "end", "validate"), 0)
    }
    assert json.loads(scene["check"]["stdout"])["schema"] == "mailmon/check/1"
    assert json.loads(scene["status"]["stdout"])
    assert "new disk; $(id)" in scene["silences"]["stdout"]
    assert scene["usage"]["exit"] == 2
    assert "no-such-command" in scene["usage"]["stderr"]
    # One user for all of it, so that the unit goes on with what was written by hand.
    assert len(scene["owners"]) == 1
    assert (scene["unit"]["unit"]["Result"], scene["news"]) == ("success", [])


def test_root_without_the_command_is_told_to_use_it_and_it_works_when_it_is_copied(trial: Trial) -> None:
    scene = trial.scene("by_hand")
    assert {word: said["exit"] for word, said in scene["refused"].items()} == {"check": 74, "status": 74}
    assert {line: said["exit"] for line, said in scene["copied"].items()} == {
        "mailmon-main check": 0,
        "mailmon-main status": 0,
    }


def test_an_ordinary_user_is_told_what_to_type(trial: Trial) -> None:
    nobody = trial.scene("by_hand")["nobody"]
    assert (nobody["exit"], nobody["stdout"]) == (77, "")
    assert "sudo mailmon-main status" in nobody["stderr"]


def test_a_missing_password_is_told_although_no_run_can_start(trial: Trial) -> None:
    scene = trial.scene("missing_password")
    assert (scene["failed"]["unit"]["Result"], scene["failed"]["unit"]["ActiveState"]) == ("exit-code", "failed")
    assert ["mailmon-main.service" in message["title"] for message in scene["failed"]["news"]] == [True]
    assert scene["failure_unit"]["Result"] == "success"
    assert "password" in scene["failure_said"]
    assert [message["tags"][0] for message in scene["recovered"]["news"]] == ["white_check_mark"]


def test_by_hand_the_missing_password_is_named(trial: Trial) -> None:
    hand = trial.scene("missing_password")["by_hand"]
    assert hand["exit"] == 78
    assert "credential password" in hand["stderr"]


def test_the_queue_of_a_real_postfix_is_seen_from_a_hardened_unit(trial: Trial) -> None:
    scene = trial.scene("queue")
    assert scene["began"]["exit"] == 0, scene["began"]
    assert "✓ Mail queue: OK (empty)" in scene["empty"]["said"], scene["empty"]["said"]
    assert "1 message could not be delivered yet: 1 times " in scene["waiting"]["said"]
    assert [message["tags"][0] for message in scene["waiting"]["news"]] == ["warning"]


def test_a_certificate_is_read_by_who_is_in_its_group_only(trial: Trial) -> None:
    scene = trial.scene("queue")
    assert "✓ Certificate file: OK" in scene["empty"]["said"], scene["empty"]["said"]
    assert "/var/lib/acme/mail/fullchain.pem: Permission denied" in scene["closed"]["said"]


def test_without_leave_the_queue_is_unknown_and_not_called_down(trial: Trial) -> None:
    closed = trial.scene("queue")["closed"]
    said = closed["said"].rpartition("IMAP Auth")[2]
    assert "Mail queue: " in said
    assert "mail system is down" not in said, said
    assert closed["news"] == []
    assert closed["unit"]["ExecMainStatus"] == "75"


def test_a_postfix_that_is_down_is_told_from_a_hardened_unit(trial: Trial) -> None:
    scene = trial.scene("queue")
    assert [message["tags"][0] for message in scene["down"]["news"]] == ["rotating_light"]
    assert "mail system is down" in scene["down"]["said"]
    assert json.loads(scene["by_hand"]["stdout"])["steps"][0]["findings"][0]["id"] == "queue.mail_system_down"


def test_the_directory_of_the_old_name_is_kept_with_what_is_in_it(trial: Trial) -> None:
    scene = trial.scene("old_name")
    assert scene["unit"]["Result"] == "success"
    assert scene["kept"] == "from before\n"
    assert {"keepsake", "state.json"} <= set(scene["files"])


def test_no_credential_was_said_anywhere(trial: Trial) -> None:
    seen = {name: {**scene} for name, scene in trial.seen.items()}
    # The topic is where it belongs in the messages that the receiver got.
    words = re.sub(r'"topic": "[^"]*"', "", json.dumps(seen)) + trial.printed
    assert not [sentinel for sentinel in SENTINELS if sentinel in words]
