"""Minimal Debian trees with one combination of servers each, made by mmdebstrap and cached."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

_BASE = ("iproute2", "procps", "ca-certificates", "adduser")
_BUILD_S = 900.0
# Manuals would be half of the work of unpacking.
_LEAN = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale")]


def cache() -> Path:
    """Return the directory in which trees and the evidence of the last runs are kept."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "mailmon-servers"


def make(packages: tuple[str, ...], suite: str) -> None:
    """Make a tree with these packages unless the cache has it. Needs the network."""
    archive = _archive(packages, suite)
    if archive.exists():
        return
    archive.parent.mkdir(parents=True, exist_ok=True)
    unfinished = archive.with_name(f"{archive.stem}.{os.getpid()}.tar")
    included = ",".join((*_BASE, *packages))
    _run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={included}", *_LEAN, suite, str(unfinished))
    unfinished.rename(archive)


def unpack(packages: tuple[str, ...], suite: str, directory: Path) -> None:
    """Unpack the tree with these packages."""
    directory.mkdir(mode=0o755, parents=True)
    _run("tar", "--extract", "--numeric-owner", "--file", str(_archive(packages, suite)), "--directory", str(directory))


def _archive(packages: tuple[str, ...], suite: str) -> Path:
    key = hashlib.sha256("\0".join((*_BASE, *packages, *_LEAN)).encode()).hexdigest()[:12]
    return cache() / f"{suite}-{key}.tar"


def _run(*command: str) -> None:
    ran = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_BUILD_S, check=False
    )
    if ran.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit code {ran.returncode}\n{ran.stdout}{ran.stderr}")
