"""Where the state of a configuration lies: one place for each file (decisions/0018).

The path counts as it was given. Links in it are not followed, because what they lead to changes (a Nix store path, a
release directory) while the link stays; of a path in a store the part that changes with its contents does not count.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mailmon.checks import CHECKS
from mailmon.errors import ConfigError
from mailmon.store.belonging import Belonging, Place, read_belonging

SYSTEM_FILE = Path("/etc/mailmon/config.json")
# The most files of one name in a store that are kept apart.
MAX_NAMESAKES = 100
_STORES = ("/nix/store/", "/gnu/store/")


def default_files(environ: Mapping[str, str]) -> list[Path]:
    """Return the configuration files that are looked for where none is named."""
    home = _home(environ, "XDG_CONFIG_HOME", ".config")
    return [SYSTEM_FILE, *([Path(home) / "mailmon/config.json"] if home else [])]


def place_of(full: Mapping[str, Any], config_file: Path | None, environ: Mapping[str, str]) -> Place:
    """Return where the state of a configuration is. Raises ConfigError where there is none."""
    configured = full.get("state_file")
    if isinstance(configured, str) and configured:
        return Place((config_file.parent if config_file else Path()) / configured)
    if environ.get("STATE_DIRECTORY"):
        return Place(Path(environ["STATE_DIRECTORY"].partition(":")[0]) / "state.json")
    home = _home(environ, "XDG_STATE_HOME", ".local/state")
    if home is None:
        problem = "state_file: missing, and neither STATE_DIRECTORY nor HOME is set"
        raise ConfigError(str(config_file or "options"), [problem])
    shared = Path(home) / "mailmon/state.json"
    if config_file is None:
        return Place(shared)
    file = as_given(config_file, environ)
    if file in [as_given(path, environ) for path in default_files(environ)]:
        known = read_belonging(shared.parent)
        if known is None or known.file == file or not os.path.exists(known.file):
            return Place(shared, shared, file, watched_by(full), known is not None and known.file == file)
    return _place_of_its_own(shared, file, watched_by(full))


def _home(environ: Mapping[str, str], variable: str, usual: str) -> str | None:
    """Return a base directory of the user; a relative one is to be ignored (XDG Base Directory Specification)."""
    if environ.get(variable, "").startswith("/"):
        return environ[variable]
    return f"{environ['HOME']}/{usual}" if environ.get("HOME") else None


def as_given(path: Path, environ: Mapping[str, str]) -> str:
    """Return a path made absolute with its links as they are: from $PWD, where the shell has kept those too."""
    text = str(path)
    if text.startswith("/") and not text.startswith("//") and os.path.normpath(text) == text:
        return text
    here = environ.get("PWD", "")
    bases = [here] if here.startswith("/") and _is_same(here, ".") else []
    for base in [*bases, os.getcwd()]:
        whole = os.path.normpath(os.path.join(base, text)).replace("//", "/", 1)
        if _is_same(whole, text):  # `..` behind a link leads elsewhere than its words
            return whole
    return os.path.join(os.getcwd(), text)


def watched_by(full: Mapping[str, Any]) -> frozenset[str]:
    """Return what a configuration watches, in words that stay the same when anything else in it changes."""
    return frozenset(_watched(full))


def _place_of_its_own(shared: Path, file: str, watches: frozenset[str]) -> Place:
    key = _without_hash(file)
    label = re.sub(r"[^A-Za-z0-9._-]", "_", os.path.basename(key).removesuffix(".json"))[:40].lstrip(".-") or "config"
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    directory = shared.parent / f"{label}-{digest}"
    known = read_belonging(directory)
    if key != file:
        directory, known = _among_namesakes(directory, file, watches)
    is_settled = known is not None and known.file == file
    return Place(directory / "state.json", shared, file, watches, is_settled)


def _among_namesakes(directory: Path, file: str, watches: frozenset[str]) -> tuple[Path, Belonging | None]:
    """Return which of the states of files with the same name in a store is this one's: it watches the same.

    A file that is gone was replaced by this one, whatever it watched.
    """
    free: tuple[Path, Belonging | None] | None = None
    for number in range(1, MAX_NAMESAKES):
        place = directory if number == 1 else directory.with_name(f"{directory.name}-{number}")
        known = read_belonging(place)
        if known is None:
            return free or (place, None)
        if known.file == file or known.watches & watches:
            return place, known
        if free is None and not os.path.lexists(known.file):
            free = place, known
    return free or (directory, None)


def _without_hash(file: str) -> str:
    """Return a path without what changes in it when a store's entry is built anew: its hash, and a version."""
    for store in _STORES:
        before, found, rest = file.partition(store)
        entry, slash, inner = rest.partition("/")
        digest, _, name = entry.partition("-")
        if found and digest.isalnum() and name:
            return f"{before}{store}{_without_version(name)}{slash}{inner}"
    return file


def _without_version(name: str) -> str:
    """Return a name up to its version, which begins behind the first dash that a digit follows, as in Nix."""
    words = name.split("-")
    count = next((number for number, word in enumerate(words) if number and word[:1].isdigit()), len(words))
    return "-".join(words[:count])


def _watched(full: Mapping[str, Any]) -> Iterator[str]:
    for account in _tables(full.get("accounts")).values():
        login = account.get("address") or account.get("username") or ""
        for protocol in ("smtp", "imap", "pop3"):
            server = account.get(protocol)
            if isinstance(server, dict) and server.get("host"):
                yield f"{login} at {server['host']}"
    yield from (f"{check} of {name}" for check, name in CHECKS.own_targets(full))


def _tables(value: object) -> dict[str, dict[str, Any]]:
    items = value.items() if isinstance(value, dict) else ()
    return {name: table for name, table in items if isinstance(table, dict)}


def _is_same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
