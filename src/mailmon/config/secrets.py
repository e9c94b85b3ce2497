"""Where does a credential come from? The configuration, a file, a command, the environment, or systemd.

A trailing newline is stripped; nothing here ever quotes a value.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mailmon.model import Secret

COMMAND_TIMEOUT_S = 20.0
MAX_BYTES = 65536


class SecretProblemError(Exception):
    """A credential that cannot be had; the text says where and why, never what."""


class SecretSources:
    """Finds credentials for one configuration: relative paths count from its directory."""

    def __init__(self, base: Path, environ: Mapping[str, str]) -> None:
        self._base = base
        self._environ = environ

    def find(self, owner: str, field: str, options: Any) -> Secret | None:
        """Return the credential `field` of an account or channel, None where nobody configured one.

        The environment (MAILMON_<OWNER>_<FIELD>) takes the place of what the file says; the systemd credential
        `<owner>.<field>`, or `<owner>` for a password, is used where the file says nothing.
        Raises SecretProblemError.
        """
        variable = f"MAILMON_{_upper(owner)}_{_upper(field)}"
        inline, file = getattr(options, field), getattr(options, f"{field}_file", None)
        command = getattr(options, f"{field}_command", None)
        given = [name for name, value in (("", inline), ("_file", file), ("_command", command)) if value is not None]
        if len(given) > 1:
            raise SecretProblemError(f"{field}: give only one of {', '.join(field + name for name in given)}")
        if self._environ.get(variable):
            return Secret(self._environ[variable])
        if inline is not None:
            return _usable(inline, field)
        if file is not None:
            return _usable(self._read(self._base / file, f"{field}_file"), f"{field}_file")
        if command is not None:
            return _usable(_run(command, f"{field}_command"), f"{field}_command")
        return self._credential(owner, field)

    def _credential(self, owner: str, field: str) -> Secret | None:
        directory = self._environ.get("CREDENTIALS_DIRECTORY")
        # `main` is the account of the flat form, where the plain name is all that a unit file should have to say.
        short = (owner, *(("password",) if owner == "main" else ())) if field == "password" else ()
        names = (f"{owner}.{field}", *short)
        for name in names if directory else ():
            path = Path(directory or "") / name
            if path.is_file():
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


def _run(command: tuple[str, ...], what: str) -> str:
    try:
        finished = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_TIMEOUT_S, check=False
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


def others_may(path: Path, bits: int) -> bool:
    """Say whether group or others have the permission `bits` (of 0o77) on a file, or it is another user's."""
    status = path.stat()
    return bool(status.st_mode & bits) or (bits & 0o22 != 0 and status.st_uid not in (0, os.geteuid()))
