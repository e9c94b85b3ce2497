"""Does a run by hand go together with those of the unit, and does cron do without systemd?"""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path
from typing import Any

from .runs import BY_HAND
from .stage import PROGRAM, SERVICE, Stage, call, files_in, shell

_STATE = Path("/var/lib/mailmon/config")


def as_root(stage: Stage, seen: dict[str, Any]) -> dict[str, Any]:
    """Everything that the page does by hand, in one shell; a failure that root's run tells, and the unit ends."""
    del seen
    stage.begin()
    before = files_in(_STATE)["."]
    function, *lines = stage.commands("By hand")
    ran = [{**shell(f"{function}; {line}"), "command": line} for line in lines if line.startswith("by_hand ")]
    made = files_in(_STATE)
    shell(f"{function}; by_hand silence end main")
    told = stage.news()
    stage.misbehave(refuse_login={"smtp"})
    failed = shell(f"{function}; by_hand check")
    stage.misbehave()
    after_failure = stage.news()
    return {
        "directory": before,
        "commands": ran,
        "news": told,
        "failed": {**failed, "news": after_failure},
        "files": made,
        "unit": stage.run(),
        "files_after_unit": files_in(_STATE),
    }


def as_the_user(stage: Stage, seen: dict[str, Any]) -> dict[str, Any]:
    """Root's own mailmon where the unit's user is a dynamic one: refused, with a command that is copied and works."""
    del seen
    stage.begin()
    before, owners = stage.remembers()["last_run"]["run_id"], files_in(_STATE)
    lines = ("status", "silence main --for 2h", "silence end main", "alerts", "notify test", "bounces list", "check")
    [of_the_page] = [line for line in stage.commands("By hand") if line.startswith("STATE_DIRECTORY=")]
    refused = {line: call(PROGRAM, *line.split(), env={**os.environ, **BY_HAND}) for line in lines}
    untouched = files_in(_STATE) == owners
    printed = {line: said["stderr"].splitlines()[-1] for line, said in refused.items()}
    copied = {line: shell(command) for line, command in printed.items()}
    return {
        "page": shell(of_the_page),
        "refused": refused,
        "untouched": untouched,
        "copied": copied,
        "is_remembered": stage.remembers()["last_run"]["run_id"] != before,
        "files": files_in(_STATE),
        "unit": stage.run(),
    }


def as_a_user_of_its_own(stage: Stage, seen: dict[str, Any]) -> dict[str, Any]:
    """The unit runs as a user that exists: root becomes it, and the unit goes on with what that has written."""
    del seen
    stage.begin()
    call("useradd", "--system", "postmon")
    own = "DynamicUser=no\nUser=postmon\nStateDirectory=\nStateDirectory=postmon"
    stage.drop_in(SERVICE, f"[Service]\n{own}\n")
    first = stage.run()
    environ = {**os.environ, **BY_HAND, "STATE_DIRECTORY": "/var/lib/postmon"}
    lines = ("status", "silence main --for 2h", "silence list", "silence end main", "check", "alerts")
    ran = {line: call(PROGRAM, *line.split(), env=environ) for line in lines}
    state = Path("/var/lib/postmon")
    made = files_in(state)
    return {"first": first, "ran": ran, "files": made, "unit": stage.run(), "uid": pwd.getpwnam("postmon").pw_uid}


def before_the_unit(stage: Stage, seen: dict[str, Any]) -> dict[str, Any]:
    """root's run is the first one of all, and the unit comes afterwards."""
    del seen
    stage.begin()
    for place in (Path("/var/lib/mailmon"), Path("/var/lib/private/mailmon")):
        shutil.rmtree(place, ignore_errors=True)
    by_hand = call(PROGRAM, "check", env={**os.environ, **BY_HAND})
    first = stage.remembers()["last_run"]["run_id"]
    above = files_in(Path("/var/lib/mailmon"))["."]
    unit = stage.run()
    told = {
        "by_hand": by_hand,
        "above": above,
        "unit": unit,
        "is_remembered": stage.remembers()["last_run"]["run_id"] != first,
        "files": files_in(_STATE),
        "is_private": Path("/var/lib/private/mailmon/config").is_dir(),
    }
    Path("/var/lib/mailmon").chmod(0o755)  # whatever came of it, the next scenes want their units to run
    return told


def by_cron(stage: Stage, seen: dict[str, Any]) -> dict[str, Any]:
    """The page's line for cron, run as cron runs it; in places of its own, for the unit has the others."""
    del seen
    stage.begin()
    moved = {"/var/lib/mailmon": "/var/lib/cron-mailmon", "/etc/mailmon/config.credentials": "/etc/mailmon/cron"}

    def elsewhere(text: str) -> str:
        for place, other in moved.items():
            text = text.replace(place, other)
        return text

    shutil.copytree("/etc/mailmon/config.credentials", "/etc/mailmon/cron")
    prepared = [shell(elsewhere(line)) for line in stage.commands("Without systemd: cron")]
    *settings, line = elsewhere(stage.page["cron"]).splitlines()
    words = line.split(None, 6)
    user = pwd.getpwnam(words[5])
    environment = dict(setting.split("=", 1) for setting in settings)
    environment |= {"HOME": user.pw_dir, "LOGNAME": user.pw_name, "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"}
    good = call("/bin/sh", "-c", words[6], env=environment, user=user.pw_name)
    stage.misbehave(refuse_login={"smtp"})
    failed = call("/bin/sh", "-c", words[6], env=environment, user=user.pw_name)
    stage.misbehave()
    recovered = call("/bin/sh", "-c", words[6], env=environment, user=user.pw_name)
    return {
        "prepared": prepared,
        "schedule": words[:5],
        "good": good,
        "failed": failed,
        "recovered": recovered,
        "news": stage.news(),
        "uid": user.pw_uid,
        "files": files_in(Path("/var/lib/cron-mailmon")),
        "unit": SERVICE,
    }
