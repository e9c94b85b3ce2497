"""The container files agree with mailmon. No container can be built here; what they name is checked."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import requires, version
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mailmon.config import Overrides, load, resolve
from tests.packaging.conftest import ROOT
from tests.packaging.lock import LOCKS, wanted

CONTAINERFILE = (ROOT / "container" / "Containerfile").read_text()
MANIFEST = list(yaml.safe_load_all((ROOT / "container" / "cronjob.yaml").read_text()))
JOB: dict[str, Any] = MANIFEST[0]["spec"]["jobTemplate"]["spec"]
POD: dict[str, Any] = JOB["template"]["spec"]
PINNED = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split())


def locked(lock: str) -> dict[str, tuple[str, list[str]]]:
    """Return the versions and hashes of a lock file by their package."""
    found = {}
    for entry in (ROOT / "container" / lock).read_text().replace(" \\\n", " ").splitlines():
        if not entry.startswith("#"):
            package, *hashes = entry.split()
            name, pinned = package.split("==")
            found[name] = (pinned, hashes)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_what_is_locked_is_what_the_constraints_and_the_project_say(lock: str) -> None:
    """After a change of constraints.txt or of the dependencies: `make lock`."""
    constraints = {canonicalize_name(name): pinned for name, pinned in PINNED.items()}
    packages = locked(lock)
    for name, (pinned, hashes) in packages.items():
        assert constraints[canonicalize_name(name)] == pinned
        assert hashes
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one) for one in hashes)
    for text in wanted(lock):
        requirement = Requirement(text)
        assert requirement.specifier.contains(packages[canonicalize_name(requirement.name)][0])


@pytest.mark.parametrize("lock", LOCKS)
def test_what_is_locked_lacks_nothing_that_it_needs(lock: str) -> None:
    """pip refuses a package without a hash in the middle of a build."""
    packages = locked(lock)
    for name, (pinned, _) in packages.items():
        assert version(name) == pinned
        needs = [Requirement(text) for text in requires(name) or []]
        needed = {canonicalize_name(one.name) for one in needs if not one.marker or one.marker.evaluate({"extra": ""})}
        assert needed <= packages.keys()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_place_to_fetch_from(lock: str) -> None:
    """Where packages come from is the affair of whoever builds."""
    text = (ROOT / "container" / lock).read_text()
    assert not re.search(r"://|index|find-links|trusted", text)


def test_an_image_is_built_on_a_base_that_is_named_by_its_digest() -> None:
    bases = re.findall(r"^FROM (\S+)", CONTAINERFILE, re.M)
    assert len(bases) == 2
    assert all(base.endswith("@${DIGEST}") for base in bases)
    assert re.search(r"^ARG DIGEST$", CONTAINERFILE, re.M), "with a default nobody would look at it"


def test_pip_installs_in_an_image_only_what_has_a_hash() -> None:
    commands = re.findall(r"pip (?:install|wheel) [^&\n]*", CONTAINERFILE)
    assert len(commands) == 4
    for command in commands:
        assert "--require-hashes --only-binary :all:" in command or "--no-index --no-deps" in command


def test_the_image_is_built_for_a_python_that_is_locked() -> None:
    [*versions] = set(re.findall(r"^FROM python:(3\.\d+)-slim@", CONTAINERFILE, re.M))
    requires_python = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert versions == ["3.13"]
    assert requires_python == ">=3.11"


def test_the_job_mounts_what_the_container_reads_and_writes() -> None:
    [container] = POD["containers"]
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    read = set(re.findall(r"(?:STATE|CREDENTIALS)_DIRECTORY=(\S+)", CONTAINERFILE)) | {"/etc/mailmon"}
    assert mounts == read
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in POD["volumes"]}


def test_the_job_runs_as_the_user_who_owns_the_state_directory() -> None:
    [uid] = re.findall(r"--uid (\d+)", CONTAINERFILE)
    assert {str(POD["securityContext"][key]) for key in ("runAsUser", "runAsGroup", "fsGroup")} == {uid}
    assert re.findall(r"^USER (\S+)$", CONTAINERFILE, re.M) == [uid]


def test_the_job_may_last_as_long_as_a_run(tmp_path: Any) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"smtp_host": "h.example", "imap_host": "h.example", "username": "a@example.org"}))
    setup = resolve(load(path, Overrides(), {"HOME": str(tmp_path)}), path, {}, with_secrets=False)
    assert JOB["activeDeadlineSeconds"] > setup.deadline_s + 60


def test_no_run_is_repeated_or_runs_beside_another() -> None:
    assert (JOB["backoffLimit"], POD["restartPolicy"]) == (0, "Never")
    assert MANIFEST[0]["spec"]["concurrencyPolicy"] == "Forbid"
