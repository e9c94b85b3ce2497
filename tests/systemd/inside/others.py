"""Several instances, encrypted credentials, and a search for secrets at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .environment import (
    ETC,
    FAILURE,
    MAIN,
    SECOND,
    SERVICE,
    TOPIC,
    Environment,
    call,
    eventually,
    files_in,
    journal,
    shell,
    show,
)

_OFFICE, _HOME = "mailmon@office.service", "mailmon@home-2.service"


def instances(environment: Environment, seen: dict[str, Any]) -> dict[str, Any]:
    """Two instances run side by side, each with the mailbox that its own password opens."""
    del seen
    environment.reset()
    answers = {"Password of the mailbox:": environment.sandbox.users[MAIN]}
    made = [shell(environment.asked(line, answers)) for line in environment.commands("Several servers")]
    timer = show("mailmon@office.timer", "ActiveState", "UnitFileState")
    call("systemctl", "disable", "--now", "mailmon@office.timer")
    _make_instance(environment, "home-2", SECOND)
    environment.write(environment.config(MAIN), "office")
    (ETC / "office.credentials/ntfy.topic").write_text("topic-office")
    environment.inject(delivery_delay_s=2)
    before = environment.sandbox.logins.copy()
    sent = len(environment.sandbox.accepted) + 2
    call("systemctl", "start", "--no-block", _OFFICE, _HOME)
    eventually(lambda: len(environment.sandbox.accepted) >= sent, "both have sent their probes")
    users = {unit: Path(f"/proc/{show(unit, 'MainPID')['MainPID']}").stat().st_uid for unit in (_OFFICE, _HOME)}
    started = call("systemctl", "start", _OFFICE, _HOME)  # waits for their ends
    environment.inject()
    logins = {" ".join(key): count for key, count in (environment.sandbox.logins - before).items()}
    shown = {unit: show(unit) for unit in (_OFFICE, _HOME)}
    files = {name: files_in(Path(f"/var/lib/mailmon/{name}")) for name in ("office", "home-2", "config")}
    remembered = {name: list(environment.state(name)["checks"]) for name in ("office", "home-2")}
    return {
        "commands": made,
        "timer": timer,
        "started": started,
        "users": users,
        "units": shown,
        "logins": logins,
        "files": files,
        "checks": remembered,
    }


def one_of_two_fails(environment: Environment, seen: dict[str, Any]) -> dict[str, Any]:
    """The configuration of one instance becomes wrong, while the other one goes on."""
    del seen
    environment.reset()
    for name, address in (("office", MAIN), ("home-2", SECOND)):
        _make_instance(environment, name, address)
    environment.write(environment.config(SECOND, deadline_s="many"), "home-2")
    failed = environment.run(_HOME)
    topics = [str(message["topic"]) for message in environment.receiver.ntfy_messages()][-1:]
    environment.write(environment.config(SECOND), "home-2")
    return {
        "failed": failed,
        "failed_topics": topics,
        "other": environment.run(_OFFICE),
        "repaired": environment.run(_HOME),
    }


def encrypted(environment: Environment, seen: dict[str, Any]) -> dict[str, Any]:
    """The password is taken out of the directory, and comes encrypted."""
    del seen
    environment.reset()
    answers = {"Password of the mailbox:": environment.sandbox.users[MAIN]}
    [line] = [line for line in environment.commands("Secrets") if "systemd-creds" in line]
    plain = ETC / "config.credentials/password"
    kept = plain.read_bytes()
    plain.unlink()
    try:
        without = environment.run()
        made = shell(environment.asked(line, answers))
        sealed = Path("/etc/mailmon/password.cred")
        is_sealed = sealed.exists() and environment.sandbox.users[MAIN].encode() not in sealed.read_bytes()
        for unit in (SERVICE, FAILURE):
            environment.drop_in(unit, environment.page["drop_ins"]["encrypted"])
        with_it = environment.run()
    finally:
        plain.write_bytes(kept)
        plain.chmod(0o600)
    return {"without": without, "command": made, "is_sealed": is_sealed, "with": with_it}


def broken_installation(environment: Environment, seen: dict[str, Any]) -> dict[str, Any]:
    """Python finds something else under the name of mailmon, and ends like a run that has found trouble."""
    del seen
    environment.reset()
    other = Path("/opt/trial/other/mailmon")
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("")
    environment.drop_in(SERVICE, "[Service]\nEnvironment=PYTHONPATH=/opt/trial/other\n")
    broken = environment.run()
    environment.reset()
    return {"broken": broken, "alerts": environment.new_alerts(), "said": journal(SERVICE), "told": journal(FAILURE)}


def secrets(environment: Environment, seen: dict[str, Any]) -> dict[str, Any]:
    """Look for every secret wherever something was said or written since the machine was started."""
    call("journalctl", "--sync")
    states = sorted(path for path in Path("/var/lib/private/mailmon").rglob("*") if path.is_file())
    places = {
        "journal": call("journalctl", "--no-pager", "--output=export")["stdout"],
        "systemctl show": "".join(
            call("systemctl", "show", "--all", unit)["stdout"] for unit in (SERVICE, FAILURE, _OFFICE, _HOME)
        ),
        "units": "".join(call("systemctl", "cat", unit)["stdout"] for unit in (SERVICE, FAILURE)),
        "state": "".join(path.read_text(errors="replace") for path in states),
        **seen.pop("words"),
    }
    secret = (*environment.sandbox.users.values(), TOPIC)
    return {
        "lengths": {name: len(text) for name, text in places.items()},
        "found": {name: [word for word in secret if word in text] for name, text in places.items()},
        "state_files": [path.name for path in states],
    }


def _make_instance(environment: Environment, name: str, address: str) -> None:
    directory = ETC / f"{name}.credentials"
    directory.mkdir(mode=0o700, exist_ok=True)
    for file, text in (("password", environment.sandbox.users[address]), ("ntfy.topic", f"topic-{name}")):
        (directory / file).write_text(text)
        (directory / file).chmod(0o600)
    environment.write(environment.config(address), name)
