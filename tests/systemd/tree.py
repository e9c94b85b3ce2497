"""A Debian tree with mailmon installed in it as docs/systemd.md says, for a real systemd.

Made once per suite and set of pinned dependencies, and kept in the directory that MAILMON_SYSTEMD_TREES
names (by default in the project's .venv, if there is one); mailmon itself is installed anew for every trial, offline.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path

import pytest

from tests.systemd import units
from tests.systemd.units import ROOT

SUITE = os.environ.get("MAILMON_SYSTEMD_SUITE", "bookworm")
# The Python of each Debian release.
PYTHONS = {"bookworm": "3.11", "trixie": "3.13"}
PACKAGES = "systemd,systemd-sysv,dbus,python3,python3-venv,ca-certificates,postfix"
_PROGRAMS = ("mmdebstrap", "systemd-nspawn", "chroot", "tar")
_BUILD = 300.0
# Neither needed for an installation nor small: histories, environments, caches.
_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "tests", "bench", "dist", "build")


def missing() -> str:
    """Return what is missing for a trial on this machine, "" where nothing is."""
    if os.geteuid() != 0:
        return "only root can boot a tree"
    if absent := [name for name in _PROGRAMS if shutil.which(name) is None]:
        return f"{', '.join(absent)} is not installed: make test-system-deps"
    if SUITE not in PYTHONS:
        return f"MAILMON_SYSTEMD_SUITE names none of {', '.join(PYTHONS)}"
    return "" if _pip() else "neither pip nor uv is at hand to fetch what mailmon depends on"


def need_systemd() -> None:
    """Skip a test where nothing can be booted; fail it where MAILMON_MUST_BOOT says that all is there."""
    if problem := missing():
        give_up = pytest.fail if os.environ.get("MAILMON_MUST_BOOT") else pytest.skip
        give_up(f"no real systemd to test with: {problem}")


def make_tree(directory: Path) -> Path:
    """Return a tree with mailmon and the trial in it, below a directory of the caller's."""
    tree = directory / "tree"
    parts = (_cache() or directory) / f"{SUITE}-{_key()}"
    if not parts.exists():
        _make_parts(parts)
    tree.mkdir()
    _run("tar", "--extract", "--numeric-owner", "--file", str(parts / "bare.tar"), "--directory", str(tree))
    shutil.copytree(parts / "wheels", tree / "wheels")
    _install(tree)
    _put_trial(tree)
    return tree


def _make_parts(parts: Path) -> None:
    """Make a bare Debian with the wheels of what mailmon depends on; the only part that needs a network."""
    unfinished = parts.with_name(f"{parts.name}.{os.getpid()}")
    unfinished.mkdir(parents=True)
    # Manuals would be half of the work of unpacking.
    lean = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale")]
    _run(
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        f"--include={PACKAGES}",
        *lean,
        SUITE,
        str(unfinished / "bare.tar"),
    )
    document = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    project = document["project"]
    wanted = [
        *project["dependencies"],
        *project["optional-dependencies"]["sandbox"],
        *document["build-system"]["requires"],
    ]
    _run(
        *_pip(),
        "download",
        "--quiet",
        "--dest",
        str(unfinished / "wheels"),
        "-c",
        str(ROOT / "constraints.txt"),
        *_target(),
        *wanted,
    )
    unfinished.rename(parts)


def _install(tree: Path) -> None:
    """Run what the page says for an installation, as far as it needs no running systemd, and without a network."""
    shutil.copytree(ROOT, tree / "usr/src/mailmon", ignore=_LEFT_OUT)
    # Postfix is there for whoever starts it.
    for wanted in (tree / "etc/systemd/system").rglob("postfix*.service"):
        wanted.unlink()
    # With an id of its own the machine is not in its first boot, in which systemd would enable every unit.
    (tree / "etc/machine-id").write_text(f"{uuid.uuid4().hex}\n")
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels", "PIP_CONSTRAINT": "/usr/src/mailmon/constraints.txt"}
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive"}
    lines = [line for line in units.commands_in("Install") if "systemctl" not in line and "ask-password" not in line]
    lines = [line for line in lines if not line.startswith("journalctl")]
    # The servers of the trial are no part of the installation, so they lie beside it.
    extra = "/opt/mailmon/bin/pip install --quiet --target /opt/trial/lib aiosmtpd trustme cryptography"
    for line in [*lines, extra]:
        _run("chroot", str(tree), "/bin/sh", "-c", f"cd /usr/src/mailmon && {line}", env={**environment, **offline})


def _put_trial(tree: Path) -> None:
    """Put the scenarios into the tree, and the unit that plays them and turns the machine off."""
    trial = tree / "opt/trial"
    inside = Path(__file__).with_name("inside")
    shutil.copytree(inside, trial / "inside", ignore=shutil.ignore_patterns("__pycache__"))
    headings = ("Install", "Secrets", "Several servers", "By hand", "Without systemd: cron")
    names = {"interval": "OnUnitActiveSec=5min", "calendar": "OnCalendar=Mon", "encrypted": "LoadCredentialEncrypted"}
    [cron] = units.blocks_of(units.section_of_page("Without systemd: cron"), "cron")
    page = {
        "commands": {heading: units.commands_in(heading) for heading in headings},
        "drop_ins": {name: units.drop_in(word) for name, word in names.items()},
        "cron": cron.strip(),
    }
    (trial / "inside/page.json").write_text(json.dumps(page))
    shutil.copy(inside.parent / "trial.service", tree / "etc/systemd/system/trial.service")
    wants = tree / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(exist_ok=True)
    (wants / "trial.service").symlink_to("/etc/systemd/system/trial.service")


def _cache() -> Path | None:
    """Return where trees are kept, None where they are not."""
    named = os.environ.get("MAILMON_SYSTEMD_TREES")
    place = ROOT / ".venv"
    return Path(named) if named else place / "trees" if place.is_dir() else None


def _key() -> str:
    """Return what tells trees with other contents apart."""
    parts = [PACKAGES, (ROOT / "constraints.txt").read_text(), (ROOT / "pyproject.toml").read_text()]
    parts.append(Path(__file__).read_text())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def _pip() -> list[str]:
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    return ["uv", "tool", "run", "pip", "--disable-pip-version-check"] if shutil.which("uv") else []


def _target() -> list[str]:
    """Return the options for wheels of the tree's Python, whatever Python this is."""
    machine = platform.machine()
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in (36, 34, 31, 28, 24, 17)]
    wheels = [f"--platform={name}" for name in (*platforms, f"manylinux2014_{machine}")]
    return ["--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHONS[SUITE]}", *wheels]


def _run(*command: str, env: dict[str, str] | None = None) -> None:
    ran = subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_BUILD, check=False
    )
    if ran.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit code {ran.returncode}\n{ran.stdout}{ran.stderr}")
