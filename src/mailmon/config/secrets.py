"""Where does a credential come from? The configuration, a file, a command, the environment, or systemd.

A trailing newline is stripped; nothing here ever quotes a value.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType
from typing import Any, NamedTuple

from mailmon.config import flat
from mailmon.model import Secret
from mailmon.notify import NOTIFIERS
from mailmon.notify.ping import PingOptions

COMMAND_TIMEOUT_S = 20.0
MAX_BYTES = 65536


class SecretProblemError(Exception):
    """A credential that cannot be had; the text says where and why, never what."""


class SecretSources:
    """Finds credentials for one configuration: relative paths count from its directory."""

    def __init__(self, base: Path, environ: Mapping[str, str], *, refuses_commands: bool = False) -> None:
        self._base = base
        self._environ = environ
        self._refuses_commands = refuses_commands

    def find(self, owner: str, field: str, table: Mapping[str, Any]) -> Secret | None:
        """Return the credential `field` of an account or channel, None where nobody configured one.

        The environment (MAILMON_<OWNER>_<FIELD>) takes the place of what the file says; the systemd credential
        `<owner>.<field>`, or `<owner>` for a password, is used where the file says nothing, also as `mailmon_<name>`.
        Raises SecretProblemError.
        """
        variable = f"MAILMON_{_upper(owner)}_{_upper(field)}"
        inline, file, command = (table.get(f"{field}{form}") for form in ("", "_file", "_command"))
        given = [name for name, value in (("", inline), ("_file", file), ("_command", command)) if value is not None]
        if len(given) > 1:
            raise SecretProblemError(f"{field}: give only one of {', '.join(field + name for name in given)}")
        if self._environ.get(variable):
            return _usable(self._environ[variable], f"{field}: {variable}")
        if not all(isinstance(value, str | NoneType) for value in (inline, file)):
            return Secret("")  # the schema says what is wrong with it
        if inline is not None:
            return _usable(inline, field)
        if file is not None:
            return _usable(self._read(self._base / file, f"{field}_file"), f"{field}_file")
        if command is not None and self._refuses_commands:
            return Secret("")
        if command is not None:
            return _usable(_run(command, f"{field}_command"), f"{field}_command")
        return self._credential(owner, field)

    def _credential(self, owner: str, field: str) -> Secret | None:
        directory = self._environ.get("CREDENTIALS_DIRECTORY")
        # `main` is the account of the flat form, where the plain name is all that a unit file should have to say.
        short = (owner, *(("password",) if owner == "main" else ())) if field == "password" else ()
        names = (f"{owner}.{field}", *short)
        # Of a directory, `LoadCredential=mailmon:DIRECTORY`, systemd puts its id before each name.
        for name in (*names, *(f"mailmon_{name}" for name in names)) if directory else ():
            path = Path(directory or "") / name
            try:
                is_there = stat.S_ISREG(path.stat().st_mode)
            except FileNotFoundError:
                continue
            except OSError as exc:
                raise SecretProblemError(f"credential {name}: {path}: {exc.strerror}") from None
            if is_there:
                return _usable(self._read(path, f"credential {name}"), f"credential {name}")
        return None

    def _read(self, path: Path, what: str) -> str:
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_BYTES)
            return raw.decode("utf-8")
        except OSError as exc:
            raise SecretProblemError(f"{what}: {path}: {exc.strerror}") from None
        except UnicodeDecodeError:
            raise SecretProblemError(f"{what}: {path}: is not text in UTF-8") from None


def _run(command: Any, what: str) -> str:
    if not isinstance(command, list) or not command or not all(isinstance(word, str) for word in command):
        raise SecretProblemError(f"{what}: must be a list of words that begins with a program")
    from mailmon.clients.program import environment_without_ours

    try:
        finished = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
            env=environment_without_ours(os.environ, keeps_directory=True),
        )
        text = finished.stdout.decode("utf-8")
    except subprocess.TimeoutExpired:
        raise SecretProblemError(f"{what}: {command[0]}: not finished within {COMMAND_TIMEOUT_S:.0f} s") from None
    except OSError as exc:
        raise SecretProblemError(f"{what}: {command[0]}: {exc.strerror}") from None
    except UnicodeDecodeError:
        raise SecretProblemError(f"{what}: {command[0]}: printed no text in UTF-8") from None
    if finished.returncode != 0:
        raise SecretProblemError(f"{what}: {command[0]}: ended with exit code {finished.returncode}")
    return text


def _usable(text: str, what: str) -> Secret:
    value = text.removesuffix("\n").removesuffix("\r")
    if not value:
        raise SecretProblemError(f"{what}: is empty")
    if "\n" in value or "\0" in value:
        raise SecretProblemError(f"{what}: holds more than one line")
    return Secret(value)


def _upper(name: str) -> str:
    return "".join(char if char.isalnum() else "_" for char in name).upper()


class Collected(NamedTuple):
    """The credentials of a configuration by place and option, and what is wrong with the others."""

    secrets: Mapping[tuple[str, str], Secret]
    problems: list[str]


def collect_secrets(full: Mapping[str, Any], sources: SecretSources) -> Collected:
    """Find the credentials of all accounts, channels and the ping address; a problem of one does not hide another."""
    secrets: dict[tuple[str, str], Secret] = {}
    problems: list[str] = []
    for place, owner, fields, required, table in _owners(full):
        for key in fields:
            try:
                secret = sources.find(owner, key, table)
            except SecretProblemError as exc:
                problems.append(f"{place}.{exc}")
                continue
            if secret is not None:
                secrets[place, key] = secret
                is_web = key in ("webhook", "url") and table.get("type") != "apprise"
                if is_web and secret.value and not secret.value.startswith(("https://", "http://")):
                    problems.append(f"{place}.{key}: must begin with https:// or http://")
            elif key in required:
                where = f"give {key}_file, or the systemd credential {owner}.{key}"
                problems.append(f"{place}.{key}: missing; {where}")
    return Collected(secrets, problems)


def inline_secrets(full: Mapping[str, Any]) -> list[str]:
    """Return the places of credentials that stand in the configuration itself."""
    return [f"{place}.{key}" for place, _, fields, _, table in _owners(full) for key in fields if table.get(key)]


_Owner = tuple[str, str, tuple[str, ...], tuple[str, ...], Mapping[str, Any]]


def _wanted(table: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the credentials that an account may have, and those that it must have: one way to log in, if it has to."""
    has_token = any(table.get(name) is not None for name in ("token", "token_file", "token_command", "oauth"))
    smtp = table.get("smtp")
    never_logs_in = (
        not (table.get("imap") or table.get("pop3")) and isinstance(smtp, dict) and smtp.get("auth") == "none"
    )
    return ("password", "token"), () if has_token or never_logs_in else ("password",)


def _owners(full: Mapping[str, Any]) -> Iterator[_Owner]:
    """Yield (place, owner, credentials, required ones, table) of everything that has credentials."""
    accounts = full.get("accounts")
    for name, table in accounts.items() if isinstance(accounts, dict) else ():
        if isinstance(table, dict):
            yield f"accounts.{name}", name, *_wanted(table), table
            oauth = table.get("oauth")
            if isinstance(oauth, dict):
                yield f"accounts.{name}.oauth", f"{name}.oauth", ("client_secret", "refresh_token"), (), oauth
    for name, table in flat.channels_of(full).items():
        notifier = NOTIFIERS.get(str(table.get("type")))
        if notifier is not None:
            yield f"notify.{name}", name, notifier.options.SECRETS, notifier.options.REQUIRED_SECRETS, table
    ping = full.get("ping")
    if isinstance(ping, dict):
        yield "ping", "ping", PingOptions.SECRETS, PingOptions.REQUIRED_SECRETS, ping


def write_risk(path: Path) -> str:
    """Return why this file could hold somebody else's words, "" where only its owner and root can write it."""
    status = path.stat()
    if status.st_uid not in (0, os.geteuid()):
        return "it belongs to another user: run as that user, or give the file to root"
    return f"others may write this file: chmod go-w {path}" if status.st_mode & 0o22 else ""


def is_readable_by_others(path: Path) -> bool:
    """Say whether group or others may read a file."""
    return bool(path.stat().st_mode & 0o44)
