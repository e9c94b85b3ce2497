"""Do the container files fit to what mailmon does? No container can be built here; what they name is checked."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from mailmon.config import Overrides, load, resolve
from tests.packaging.conftest import ROOT

CONTAINERFILE = (ROOT / "container" / "Containerfile").read_text()
MANIFEST = list(yaml.safe_load_all((ROOT / "container" / "cronjob.yaml").read_text()))
JOB: dict[str, Any] = MANIFEST[0]["spec"]["jobTemplate"]["spec"]
POD: dict[str, Any] = JOB["template"]["spec"]


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
