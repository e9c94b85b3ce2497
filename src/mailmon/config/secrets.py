"""Credentials from the configuration, a file, a command, the environment, or systemd.

A trailing newline is stripped; nothing here ever quotes a value.
"""

from __future__ import annotations

import os
import stat
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType
from typing import Any, NamedTuple

from mailmon import safe
from mailmon.config import flat
from mailmon.config.trust import risk_of, trusted_users
from mailmon.model import Secret
from mailmon.notify import NOTIFIERS
from mailmon.notify.shapes import problem
from mailmon.outputs.ping import PingOptions

COMMAND_TIMEOUT_S = 20.0
PIPE_TIMEOUT_S = 10.0
MAX_BYTES = 65536
# What the caller has opened for us: /dev/stdin, and what `<(pass show mail)` becomes.
_GIVEN = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")


class SecretProblemError(Exception):
    """A credential that cannot be read; the text has the place and the reason, never the value."""


class SecretSources:
    """Finds credentials for one configuration: relative paths count from its directory."""

    def __init__(
        self,
        base: Path,
        environ: Mapping[str, str],
        state_file: Path | None = None,
        refuses_commands: bool = False,
        pipe_timeout_s: float = PIPE_TIMEOUT_S,
    ) -> None:
        self._base = base
        self._environ = environ
        self._state_file = state_file
        self._refuses_commands = refuses_commands
        self._pipe_timeout_s = pipe_timeout_s
        self._trusted = trusted_users(environ)
        self.warnings: list[str] = []

    def find(self, owner: str, field: str, table: Mapping[str, Any]) -> Secret | None:
        """Return the credential `field` of an account or channel, None where nobody configured one.

        The environment (MAILMON_<OWNER>_<FIELD>) overrides the file; the systemd credential
        `<owner>.<field>`, or `<owner>` for a password, is used where the file has none, also as `mailmon_<name>`.
        Raises SecretProblemError.
        """
        variable = _variable(owner, field)
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
            return _usable(self._read(self._base / file, f"{field}_file", warns=True), f"{field}_file")
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

    def _read(self, path: Path, what: str, *, warns: bool = False) -> str:
        """Return the text of a file, or of a pipe that the caller gave; `warns`: warn where others can read it."""
        try:
            if stat.S_ISFIFO(path.stat().st_mode):
                raw = _from_pipe(path, self._pipe_timeout_s)
            elif str(path).startswith(_GIVEN):
                raw = safe.read_regular(path, MAX_BYTES)
            else:
                raw = self._from_file(path, what, warns=warns)
            if len(raw) > MAX_BYTES:
                raise SecretProblemError(f"{what}: {path}: is larger than {MAX_BYTES} bytes")
            return raw.decode("utf-8")
        except TimeoutError:
            raise SecretProblemError(f"{what}: {path}: no data within {self._pipe_timeout_s:g} s") from None
        except PermissionError as exc:
            said = f"{exc.strerror}. {safe.who_may_read(path)}".strip()
            raise SecretProblemError(f"{what}: {path}: {said}") from None
        except OSError as exc:
            raise SecretProblemError(f"{what}: {path}: {exc.strerror}") from None
        except UnicodeDecodeError:
            raise SecretProblemError(f"{what}: {path}: is not UTF-8 text") from None

    def _from_file(self, path: Path, what: str, *, warns: bool) -> bytes:
        """Read a file; as root only a file of trusted users, or with the rights of the state's owner."""
        opened = safe.open_checked(path, self._trusted)
        with os.fdopen(opened.descriptor, "rb") as file:
            if warns and opened.status.st_mode & stat.S_IROTH and not opened.is_hidden:
                self.warnings.append(f"{what}: other users can read {path}: chmod o-r {path}")
            if os.geteuid() != 0 or not (risk := risk_of(opened, path, self._trusted, is_strict=False)):
                return file.read(MAX_BYTES + 1)
        from mailmon.store.owner import acting_as, owner_of

        owner = owner_of(self._state_file) if self._state_file else None
        if owner is None or {opened.owner, opened.others or 0} - self._trusted - {owner.uid}:
            raise SecretProblemError(f"{what}: {path}: refused, because {risk}")
        with acting_as(owner):
            return safe.read_regular(path, MAX_BYTES)


def _from_pipe(path: Path, timeout_s: float) -> bytes:
    """Read a pipe to its end. Raises OSError, TimeoutError."""
    import select

    until_s = time.monotonic() + timeout_s
    raw = b""
    # O_NONBLOCK: opening a pipe that nobody writes into would wait for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        while len(raw) <= MAX_BYTES:
            if not poller.poll(max(until_s - time.monotonic(), 0) * 1000):
                raise TimeoutError
            more = os.read(descriptor, MAX_BYTES)
            if not more:
                break
            raw += more
    finally:
        os.close(descriptor)
    return raw


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
        raise SecretProblemError(f"{what}: {command[0]}: output is not UTF-8 text") from None
    if finished.returncode != 0:
        raise SecretProblemError(f"{what}: {command[0]}: ended with exit code {finished.returncode}")
    return text


def _usable(text: str, what: str) -> Secret:
    value = text.removesuffix("\n").removesuffix("\r")
    if not value:
        raise SecretProblemError(f"{what}: is empty")
    if "\n" in value or "\0" in value:
        raise SecretProblemError(f"{what}: must be a single line")
    return Secret(value)


def _variable(owner: str, field: str) -> str:
    return f"MAILMON_{_upper(owner)}_{_upper(field)}"


def _upper(name: str) -> str:
    return "".join(char if char.isalnum() else "_" for char in name).upper()


class Collected(NamedTuple):
    """The credentials of a configuration by place and option, and what is wrong with the others."""

    secrets: Mapping[tuple[str, str], Secret]
    problems: list[str]
    warnings: list[str]


def collect_secrets(full: Mapping[str, Any], sources: SecretSources) -> Collected:
    """Find the credentials of all accounts, channels and the ping address; a problem of one does not hide another."""
    secrets: dict[tuple[str, str], Secret] = {}
    problems: list[str] = []
    warnings: list[str] = []
    for place, owner, fields, required, table in _owners(full):
        for key in fields:
            try:
                secret = sources.find(owner, key, table)
            except SecretProblemError as exc:
                problems.append(f"{place}.{exc}")
                continue
            warnings += [f"{place}.{warning}" for warning in sources.warnings]
            sources.warnings.clear()
            if secret is not None:
                secrets[place, key] = secret
                kind = str(table.get("type", "")) or place
                if secret.value and (wrong := problem(kind, key, secret.value)):
                    problems.append(f"{place}.{key}: {wrong}")
            elif key in required:
                where = f"give {key}_file, or the systemd credential {owner}.{key}"
                problems.append(f"{place}.{key}: missing; {where}")
    return Collected(secrets, problems, warnings)


def inline_secrets(full: Mapping[str, Any]) -> list[str]:
    """Return the places of credentials in the configuration itself."""
    return [f"{place}.{key}" for place, _, fields, _, table in _owners(full) for key in fields if table.get(key)]


def secret_variables(full: Mapping[str, Any]) -> set[str]:
    """Return the environment variables that may hold a credential of this configuration."""
    return {_variable(owner, field) for _, owner, fields, _, _ in _owners(full) for field in fields}


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
