"""Commands run as root: become the owner of the state, or name the command that runs it as the systemd unit does."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from mailmon.clients.program import find_program
from mailmon.config import Setup
from mailmon.errors import ConfigError, StateError
from mailmon.store.owner import UnreachableError, User, become, must_reach, unreadable

ASK_S = 10.0
# What makes the unit's user and what that user can read and write; the rest of a unit is its hardening.
_SHOWN = ("DynamicUser", "User", "Group", "SupplementaryGroups", "StateDirectory", "StateDirectoryMode")
# `systemctl show` cannot print them (252), so they are taken from the unit's files.
_WRITTEN = ("LoadCredential", "LoadCredentialEncrypted")
_PRIVATE = Path("/var/lib/private")
_OPTIONS = ("--quiet", "--pipe", "--wait", "--collect")


def become_owner(owner: User, setup: Setup, config: Path | None) -> None:
    """As root, become the user that the state belongs to, for good. Raises StateError, ConfigError."""
    must_be_reachable(owner, setup.state_file, config)
    _must_read_certificates(setup, owner, config)
    become(owner, setup.state_file)


def must_be_reachable(owner: User, state_file: Path, config: Path | None) -> None:
    """Check that the owner can reach the state. Raises StateError with the command to use instead."""
    try:
        must_reach(owner, state_file)
    except UnreachableError as exc:
        command = command_of_unit(state_file.parent, config)
        raise StateError(exc.message, f"Run it as the unit does:\n{command}" if command else exc.advice) from exc


def run_again(arguments: Sequence[str], output: BinaryIO) -> int:
    """Run this command again with more arguments, its output into a file that root has open; return its exit code."""
    return subprocess.run([*_program(), *sys.argv[1:], *arguments], stdout=output, check=False).returncode


def command_of_unit(directory: Path, config: Path | None) -> str:
    """Return the command that runs this one as the unit that owns the state directory does, "" if none is known."""
    unit = _unit_of(directory)
    wrapper = shutil.which(unit.get("Id", "").removesuffix(".service"))
    words = [os.path.abspath(word) if word == str(config) else word for word in sys.argv[1:]]
    if wrapper and Path(wrapper).name.startswith("mailmon-"):
        return shlex.join([Path(wrapper).name, *words])
    if not unit and _PRIVATE not in directory.resolve().parents:
        return ""
    if not unit:
        unit = {"DynamicUser": "yes", "StateDirectory": str(directory.resolve().relative_to(_PRIVATE))}
        unit["StateDirectoryMode"] = "0700"
        credentials = os.environ.get("CREDENTIALS_DIRECTORY") or (
            str(config.with_suffix(".credentials")) if config else ""
        )
        if os.path.isdir(credentials):
            unit["LoadCredential"] = f"mailmon:{os.path.abspath(credentials)}"
    properties = [f"--property={name}={value}" for name in (*_SHOWN, *_WRITTEN) for value in _values(unit, name)]
    environment = [f"--setenv=MAILMON_CONFIG={config.absolute()}"] if config else []
    # systemd puts variables in where it sees a `$`; two of them are one.
    program = [word.replace("$", "$$") for word in (*_program(), *words)]
    return shlex.join(["systemd-run", *_OPTIONS, *properties, *environment, *program])


def _must_read_certificates(setup: Setup, owner: User, config: Path | None) -> None:
    """Check that the owner can read the CA files: without them no server would be trusted."""
    named = {
        server.trust.ca_file
        for account in setup.accounts.values()
        for server in (account.smtp, account.imap, account.pop3)
        if server and server.trust.ca_file
    }
    named |= {channel.options.ca_file for channel in setup.channels.values() if channel.options.ca_file}
    problems = [
        f"ca_file: {file}: user {owner.name}, whose state this is, cannot read it: chmod a+r {file}"
        for file in unreadable(owner, sorted(named))
    ]
    if problems:
        raise ConfigError(str(config or "options"), problems)


def _unit_of(directory: Path) -> Mapping[str, str]:
    """Return the properties of the unit that owns a state directory, none if there is none or it is unknown."""
    shown = list(_shown())
    wanted = os.path.realpath(directory)
    found = [
        unit
        for unit in shown
        for place in unit.get("StateDirectory", "").split()
        if os.path.realpath(Path("/var/lib", place.partition(":")[0])) == wanted
    ]
    # The one that checks has the shortest name; others add what they are for.
    unit = min(found, key=lambda unit: len(unit.get("Id", "")), default={})
    return {**unit, **_written(unit["Id"])} if unit else {}


def _shown() -> Iterator[dict[str, str]]:
    names = [f"--property={name}" for name in ("Id", *_SHOWN)]
    for block in _systemctl("show", "--all", *names, "*.service").split("\n\n"):
        yield dict(line.partition("=")[::2] for line in block.splitlines())


def _written(name: str) -> dict[str, str]:
    """Return the credentials in the files of a unit, one per line, with its instance name inserted."""
    instance = name.removesuffix(".service").partition("@")[2]
    found: dict[str, list[str]] = {}
    for line in _systemctl("cat", name).splitlines():
        key, _, value = line.strip().partition("=")
        if key in _WRITTEN and value.strip():
            found.setdefault(key, []).append(value.strip().replace("%i", instance).replace("%%", "%"))
        elif key in _WRITTEN:
            found.pop(key, None)
    return {key: "\n".join(values) for key, values in found.items()}


def _systemctl(*words: str) -> str:
    """Return the output of systemctl, "" if it is missing or does not answer in time."""
    systemctl = find_program("systemctl")
    if systemctl is None:
        return ""
    try:
        said = subprocess.run(
            [systemctl, "--no-pager", *words],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=ASK_S, check=False,
        ).stdout  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.decode("utf-8", "replace")


def _values(unit: Mapping[str, str], name: str) -> list[str]:
    """Return the values of a property, one per credential."""
    return [value for value in unit.get(name, "").split("\n") if value and value != "no"]


def _program() -> list[str]:
    """Return the command that starts this program."""
    if os.path.basename(sys.argv[0]) == "__main__.py":
        return [sys.executable, "-m", "mailmon"]
    return [os.path.abspath(sys.argv[0])]
