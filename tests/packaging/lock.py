"""Write container/*.txt anew: what an image installs, with the hashes of all wheels (`make lock`; needs the network).

Versions are those of constraints.txt. Wheels only: to build a source package is to run its code. Where which wheel is
taken depends on the C library, several generations of it are asked for.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
MACHINES = ("x86_64", "aarch64")
# From the newest to the oldest: pip takes the first that fits.
LIBRARIES = (("2_39", "2_34", "2_28", "2_17"), ("2_28", "2_17"), ("2_17",))
LOCKS = {"requirements.txt": "dependencies", "build-requirements.txt": "build"}
HEAD = "# Written by `make lock`; what it is for: docs/installation.md. Versions are those of constraints.txt.\n"

Wheels = dict[tuple[str, str], set[str]]


def wanted(lock: str) -> list[str]:
    """Return what pyproject.toml asks for: to run mailmon, or to build it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed: list[str] = (
        project["project"]["dependencies"] if LOCKS[lock] == "dependencies" else project["build-system"]["requires"]
    )
    return listed


def wheels_for(requirements: list[str], python: str, machine: str, libraries: tuple[str, ...]) -> Wheels:
    """Return the wheels that pip takes on one kind of machine, by name and version: their SHA-256."""
    platforms = [f"manylinux_{library}_{machine}" for library in libraries] + [f"manylinux2014_{machine}"]
    abis = [f"cp{python.replace('.', '')}", "abi3", "none"]
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.json"
        subprocess.run(
            [
                sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed",
                "--only-binary", ":all:", "--implementation", "cp", "--python-version", python,
                *itertools.chain.from_iterable(("--abi", abi) for abi in abis),
                *itertools.chain.from_iterable(("--platform", platform) for platform in platforms),
                "--target", directory, "--report", str(report), "-c", str(ROOT / "constraints.txt"), *requirements,
            ],
            check=True,
        )  # fmt: skip
        found: Wheels = defaultdict(set)
        for one in json.loads(report.read_text())["install"]:
            about, file = one["metadata"], one["download_info"]
            found[about["name"].lower().replace("_", "-"), about["version"]].add(
                file["archive_info"]["hashes"]["sha256"]
            )
        return found


def lock_of(requirements: list[str]) -> str:
    """Return the lines of a lock file."""
    kinds = list(itertools.product(PYTHONS, MACHINES, LIBRARIES))
    with ThreadPoolExecutor(4) as workers:
        answers = list(workers.map(lambda kind: wheels_for(requirements, *kind), kinds))
    hashes: Wheels = defaultdict(set)
    for answer in answers:
        if answer.keys() != answers[0].keys():
            raise SystemExit(f"not the same everywhere: {sorted(answer.keys() ^ answers[0].keys())}")
        for package, found in answer.items():
            hashes[package] |= found
    lines = [HEAD]
    for (name, version), found in sorted(hashes.items()):
        lines.append(
            " \\\n".join([f"{name}=={version}", *(f"    --hash=sha256:{one}" for one in sorted(found))]) + "\n"
        )
    return "".join(lines)


if __name__ == "__main__":
    for lock in LOCKS:
        (ROOT / "container" / lock).write_text(lock_of(wanted(lock)))
