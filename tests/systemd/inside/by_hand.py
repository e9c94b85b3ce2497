"""Runs by hand beside those of the unit, and cron without systemd."""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path
from typing import Any

from .environment import PROGRAM, SERVICE, Environment, call, files_in, shell
from .unit_runs import BY_HAND

_STATE = Path("/var/lib/mailmon/config")


def as_root(environment: Environment, seen: dict[str, Any]) -> dict[str, Any]:
    """Everything that the page does by hand, in one shell; a failure that root's run tells, and the unit ends."""
    del seen
    environment.reset()
    before = files_in(_STATE)["."]
    function, *lines = environment.commands("By hand")
    ran = [{**shell(f"{function}; {line}"), "command": line} for line in lines if line.startswith("by_hand ")]
    made = files_in(_STATE)
    shell(f"{function}; by_hand silence end main")
    told = environment.new_alerts()
    environment.inject(refuse_login={"smtp"})
    failed = shell(f"{function}; by_hand check")
    environment.inject()
    after_failure = environment.new_alerts()
    return {
        "directory": before,
        "commands": ran,
        "alerts": told,
        "failed": {**failed, "alerts": after_failure},
        "files": made,
        "unit": environment.run(),
        "files_after_unit": files_in(_STATE),
    }


def as_the_user(environment: Environment, seen: dict[str, Any]) -> dict[str, Any]:
    """Root's own mailmon where the unit's user is a dynamic one: refused, with a command that is copied and works."""
    del seen
    environment.reset()
    before, owners = environment.state()["last_run"]["run_id"], files_in(_STATE)
    lines = ("status", "silence main --for 2h", "silence end main", "alerts", "notify test", "bounces list", "check")
    [of_the_page] = [line for line in environment.commands("By hand") if line.startswith("STATE_DIRECTORY=")]
    refused = {line: call(PROGRAM, *line.split(), env={**os.environ, **BY_HAND}) for line in lines}
    untouched = files_in(_STATE) == owners
    printed = {line: said["stderr"].splitlines()[-1] for line, said in refused.items()}
    copied = {line: shell(command) for line, command in printed.items()}
    return {
        "page": shell(of_the_page),
        "refused": refused,
        "untouched": untouched,
        "copied": copied,
        "is_remembered": environment.state()["last_run"]["run_id"] != before,
        "files": files_in(_STATE),
        "unit": environment.run(),
    }


def as_a_user_of_its_own(environment: Environment, seen: dict[str, Any]) -> dict[str, Any]:
    """The unit runs as a user that exists: root becomes it, and the unit goes on with what that has written."""
    del seen
    environment.reset()
    call("useradd", "--system", "postmon")
    own = "DynamicUser=no\nUser=postmon\nStateDirectory=\nStateDirectory=postmon"
    environment.drop_in(SERVICE, f"[Service]\n{own}\n")
    first = environment.run()
    environ = {**os.environ, **BY_HAND, "STATE_DIRECTORY": "/var/lib/postmon"}
    lines = ("status", "silence main --for 2h", "silence list", "silence end main", "check", "alerts")
    ran = {line: call(PROGRAM, *line.split(), env=environ) for line in lines}
    state = Path("/var/lib/postmon")
    made = files_in(state)
    return {"first": first, "ran": ran, "files": made, "unit": environment.run(), "uid": pwd.getpwnam("postmon").pw_uid}


def before_the_unit(environment: Environment, seen: dict[str, Any]) -> dict[str, Any]:
    """root's run is the first one of all, and the unit comes afterwards."""
    del seen
    environment.reset()
    for place in (Path("/var/lib/mailmon"), Path("/var/lib/private/mailmon")):
        shutil.rmtree(place, ignore_errors=True)
    by_hand = call(PROGRAM, "check", env={**os.environ, **BY_HAND})
    first = environment.state()["last_run"]["run_id"]
    above = files_in(Path("/var/lib/mailmon"))["."]
    unit = environment.run()
    told = {
        "by_hand": by_hand,
        "above": above,
        "unit": unit,
        "is_remembered": environment.state()["last_run"]["run_id"] != first,
        "files": files_in(_STATE),
        "is_private": Path("/var/lib/private/mailmon/config").is_dir(),
    }
    Path("/var/lib/mailmon").chmod(0o755)  # whatever came of it, the next scenarios want their units to run
    return told


def by_cron(environment: Environment, seen: dict[str, Any]) -> dict[str, Any]:
    """The page's line for cron, run as cron runs it; in places of its own, for the unit has the others."""
    del seen
    environment.reset()
    moved = {"/var/lib/mailmon": "/var/lib/cron-mailmon", "/etc/mailmon/config.credentials": "/etc/mailmon/cron"}

    def elsewhere(text: str) -> str:
        for place, other in moved.items():
            text = text.replace(place, other)
        return text

    shutil.copytree("/etc/mailmon/config.credentials", "/etc/mailmon/cron")
    prepared = [shell(elsewhere(line)) for line in environment.commands("Without systemd: cron")]
    *settings, line = elsewhere(environment.page["cron"]).splitlines()
    words = line.split(None, 6)
    user = pwd.getpwnam(words[5])
    environ = dict(setting.split("=", 1) for setting in settings)
    environ |= {"HOME": user.pw_dir, "LOGNAME": user.pw_name, "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"}
    good = call("/bin/sh", "-c", words[6], env=environ, user=user.pw_name)
    environment.inject(refuse_login={"smtp"})
    failed = call("/bin/sh", "-c", words[6], env=environ, user=user.pw_name)
    environment.inject()
    recovered = call("/bin/sh", "-c", words[6], env=environ, user=user.pw_name)
    return {
        "prepared": prepared,
        "schedule": words[:5],
        "good": good,
        "failed": failed,
        "recovered": recovered,
        "alerts": environment.new_alerts(),
        "uid": user.pw_uid,
        "files": files_in(Path("/var/lib/cron-mailmon")),
        "unit": SERVICE,
    }
