"""What does a run of the unit do, and what becomes of the unit?"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from .stage import (
    FAILURE,
    MAIN,
    PROGRAM,
    SERVICE,
    TIMER,
    TOPIC,
    Stage,
    call,
    eventually,
    files_in,
    journal,
    shell,
    show,
)

_STATE = Path("/var/lib/mailmon/config")
BY_HAND = {"STATE_DIRECTORY": str(_STATE), "CREDENTIALS_DIRECTORY": "/etc/mailmon/config.credentials"}
_AS_THE_UNIT = (
    *("systemd-run", "--quiet", "--pipe", "--wait", "--collect", "-p", "DynamicUser=yes", "-p", "User=mailmon-config"),
    *("-p", "StateDirectory=mailmon/config", "-p", "LoadCredential=mailmon:/etc/mailmon/config.credentials", PROGRAM),
)


def install(stage: Stage, seen: dict[str, Any]) -> dict[str, Any]:
    """What is left of the page's installation once systemd is there: the secrets, a run, the timer."""
    del seen
    stage.write(stage.config())
    answers = {"Password of the mailbox:": stage.sandbox.users[MAIN], "Topic of ntfy:": TOPIC}
    lines = [
        stage.asked(line, answers) for line in stage.commands("Install") if "ask-password" in line or "ctl " in line
    ]
    ran = [shell(line) for line in lines]
    return {
        "commands": ran,
        "unit": show(SERVICE),
        "timer": show(TIMER, "ActiveState", "UnitFileState"),
        "files": files_in(_STATE),
        "above": files_in(Path("/var/lib/private"))["."],
        "anchor": stage.remembers()["anchor"],
        "boot_id": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
        "topics": [message["topic"] for message in stage.receiver.ntfy_messages()],
    }


def a_long_run(stage: Stage, seen: dict[str, Any]) -> dict[str, Any]:
    """Look at a run while it goes on, and try to start another one, in both ways; then the other way round."""
    stage.begin()
    stage.misbehave(delivery_delay_s=4)
    probes = len(stage.sandbox.accepted)
    call("systemctl", "start", "--no-block", SERVICE)
    eventually(lambda: len(stage.sandbox.accepted) > probes, "the probe of the unit is sent")
    pid = show(SERVICE, "MainPID")["MainPID"]
    first = show(SERVICE)["InvocationID"]
    during = look_at(pid)
    seen["words"] = {"cmdlines": _of_all("cmdline"), "environment": Path(f"/proc/{pid}/environ").read_text()}
    hand = call(*_AS_THE_UNIT, "check")
    again = call("systemctl", "start", SERVICE)
    end = {**show(SERVICE), "first": first, "probes": len(stage.sandbox.accepted) - probes}
    stage.misbehave(delivery_delay_s=3)
    probes = len(stage.sandbox.accepted)
    with subprocess.Popen([*_AS_THE_UNIT, "check"], stdout=subprocess.DEVNULL) as by_hand:
        eventually(lambda: len(stage.sandbox.accepted) > probes, "the probe of the run by hand is sent")
        refused = stage.run()
        by_hand.wait(30)
    return {
        "process": during,
        "by_hand": hand,
        "second_start": again,
        "end": end,
        "unit_during_by_hand": refused,
        "by_hand_exit": by_hand.returncode,
        "news": stage.news(),
        "said": journal(SERVICE),
    }


def failure_and_recovery(stage: Stage, seen: dict[str, Any]) -> dict[str, Any]:
    """The server refuses the login, and says the password; then it is well again."""
    del seen
    stage.begin()
    stage.misbehave(refuse_login={"smtp"}, echo_credentials=True)
    failed, again = stage.run(), stage.run()
    stage.misbehave()
    return {"failed": failed, "again": again, "recovered": stage.run()}


def nothing_is_seen(stage: Stage, seen: dict[str, Any]) -> dict[str, Any]:
    """There is no way to the server: this machine has loopback only."""
    del seen
    stage.begin()
    away = stage.config()
    for service in ("smtp", "imap"):
        away["accounts"]["main"][service]["host"] = "192.0.2.1"
    stage.write(away)
    unseen = stage.run()
    stage.write(stage.config())
    return {"unseen": unseen, "again": stage.run()}


def broken_configuration(stage: Stage, seen: dict[str, Any]) -> dict[str, Any]:
    """The configuration is wrong for two runs, then right."""
    del seen
    stage.begin()
    stage.write(stage.config(deadline_s="many"))
    first, second = stage.run(), stage.run()
    stage.write(stage.config())
    return {"first": first, "second": second, "repaired": stage.run(), "said": journal(FAILURE)}


def refused_alerts(stage: Stage, seen: dict[str, Any]) -> dict[str, Any]:
    """The channel refuses the alert of a failure for good."""
    del seen
    stage.begin()
    stage.receiver.status = 403
    stage.misbehave(refuse_login={"imap"})
    refused = stage.run()
    stage.receiver.status = 200
    stage.misbehave()
    return {"refused": refused, "said": journal(FAILURE), "again": stage.run()}


def look_at(pid: str) -> dict[str, Any]:
    """Return what root sees of a process of the unit."""
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
    )
    return {
        "uid": status["Uid"].split()[0],
        "capabilities": status["CapBnd"],
        "seccomp": status["Seccomp"],
        "no_new_privileges": status["NoNewPrivs"],
        "peak_kb": int(status["VmHWM"].split()[0]),
        "credentials": files_in(Path(f"/proc/{pid}/root/run/credentials/{SERVICE}")),
        "state": files_in(Path(f"/proc/{pid}/root/var/lib/private/mailmon/config")),
    }


def _of_all(name: str) -> str:
    """Return a file of all processes, as far as they live."""
    found = []
    for path in Path("/proc").glob(f"[0-9]*/{name}"):
        try:
            found.append(path.read_text(errors="replace"))
        except OSError:
            continue
    return "\n".join(found)
