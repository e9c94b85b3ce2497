"""Runs of the unit, and the unit's state afterwards."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from .environment import (
    FAILURE,
    MAIN,
    PROGRAM,
    SERVICE,
    TIMER,
    TOPIC,
    Environment,
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


def install(environment: Environment, seen: dict[str, Any]) -> dict[str, Any]:
    """What is left of the page's installation once systemd is there: the secrets, a run, the timer."""
    del seen
    environment.write(environment.config())
    answers = {"Password of the mailbox:": environment.sandbox.users[MAIN], "Topic of ntfy:": TOPIC}
    lines = [
        environment.asked(line, answers)
        for line in environment.commands("Install")
        if "ask-password" in line or "ctl " in line
    ]
    ran = [shell(line) for line in lines]
    return {
        "commands": ran,
        "unit": show(SERVICE),
        "timer": show(TIMER, "ActiveState", "UnitFileState"),
        "files": files_in(_STATE),
        "above": files_in(Path("/var/lib/private"))["."],
        "anchor": environment.state()["anchor"],
        "boot_id": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
        "topics": [message["topic"] for message in environment.receiver.ntfy_messages()],
    }


def a_long_run(environment: Environment, seen: dict[str, Any]) -> dict[str, Any]:
    """Look at a run while it goes on, and try to start another one, in both ways; then the other way round."""
    environment.reset()
    environment.inject(delivery_delay_s=4)
    probes = len(environment.sandbox.accepted)
    call("systemctl", "start", "--no-block", SERVICE)
    eventually(lambda: len(environment.sandbox.accepted) > probes, "the probe of the unit is sent")
    pid = show(SERVICE, "MainPID")["MainPID"]
    first = show(SERVICE)["InvocationID"]
    during = look_at(pid)
    seen["words"] = {"cmdlines": _of_all("cmdline"), "environment": Path(f"/proc/{pid}/environ").read_text()}
    hand = call(*_AS_THE_UNIT, "check")
    again = call("systemctl", "start", SERVICE)
    end = {**show(SERVICE), "first": first, "probes": len(environment.sandbox.accepted) - probes}
    environment.inject(delivery_delay_s=3)
    probes = len(environment.sandbox.accepted)
    with subprocess.Popen([*_AS_THE_UNIT, "check"], stdout=subprocess.DEVNULL) as by_hand:
        eventually(lambda: len(environment.sandbox.accepted) > probes, "the probe of the run by hand is sent")
        refused = environment.run()
        by_hand.wait(30)
    return {
        "process": during,
        "by_hand": hand,
        "second_start": again,
        "end": end,
        "unit_during_by_hand": refused,
        "by_hand_exit": by_hand.returncode,
        "alerts": environment.new_alerts(),
        "said": journal(SERVICE),
    }


def failure_and_recovery(environment: Environment, seen: dict[str, Any]) -> dict[str, Any]:
    """The server refuses the login, and says the password; then it is well again."""
    del seen
    environment.reset()
    environment.inject(refuse_login={"smtp"}, echo_credentials=True)
    failed, again = environment.run(), environment.run()
    environment.inject()
    return {"failed": failed, "again": again, "recovered": environment.run()}


def nothing_is_seen(environment: Environment, seen: dict[str, Any]) -> dict[str, Any]:
    """There is no way to the server: this machine has loopback only."""
    del seen
    environment.reset()
    away = environment.config()
    for service in ("smtp", "imap"):
        away["accounts"]["main"][service]["host"] = "192.0.2.1"
    environment.write(away)
    unseen = environment.run()
    environment.write(environment.config())
    return {"unseen": unseen, "again": environment.run()}


def broken_configuration(environment: Environment, seen: dict[str, Any]) -> dict[str, Any]:
    """The configuration is wrong for two runs, then right."""
    del seen
    environment.reset()
    environment.write(environment.config(deadline_s="many"))
    first, second = environment.run(), environment.run()
    environment.write(environment.config())
    return {"first": first, "second": second, "repaired": environment.run(), "said": journal(FAILURE)}


def refused_alerts(environment: Environment, seen: dict[str, Any]) -> dict[str, Any]:
    """The channel refuses the alert of a failure for good."""
    del seen
    environment.reset()
    environment.receiver.status = 403
    environment.inject(refuse_login={"imap"})
    refused = environment.run()
    environment.receiver.status = 200
    environment.inject()
    return {"refused": refused, "said": journal(FAILURE), "again": environment.run()}


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
