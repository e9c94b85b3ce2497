"""The published files contain everything needed, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

from tests.packaging.conftest import ROOT, Distributions


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


def test_the_wheel_holds_every_module_and_phrase_the_units_and_nothing_of_the_tests(
    distributions: Distributions,
) -> None:
    source = ROOT / "src"
    modules = {
        str(path.relative_to(source))
        for form in ("*.py", "*.tsv", "*.toml", "*.txt")
        for path in (source / "mailmon").rglob(form)
    }
    found = names(distributions.wheel)
    own = {name for name in found if ".dist-info/" not in name and ".data/" not in name}
    assert own == modules | {"mailmon/py.typed", "mailmon/config/example.json"}
    shared = {name.partition(".data/data/share/mailmon/")[2] for name in found if ".data/" in name}
    assert shared == {"config.example.json", *(f"systemd/{path.name}" for path in (ROOT / "systemd").iterdir())}


def test_the_wheel_is_for_every_machine_and_says_what_it_needs(distributions: Distributions) -> None:
    assert distributions.wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(distributions.wheel) as archive:
        [place] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = message_from_bytes(archive.read(place))
    needed = {re.split(r"[ <>=;]", line)[0] for line in metadata.get_all("Requires-Dist", []) if "extra" not in line}
    assert needed == {"click", "cryptography", "pydantic", "dnspython", "requests", "rich"}
    assert set(metadata.get_all("Provides-Extra", [])) == {"sandbox", "apprise", "xlsx", "dkim"}
    assert (metadata["License-Expression"], metadata["Requires-Python"]) == ("MIT", ">=3.11")


def test_the_sdist_builds_the_same_wheel(distributions: Distributions, tmp_path: Path) -> None:
    subprocess.run(["tar", "-xzf", str(distributions.sdist)], cwd=tmp_path, check=True, timeout=60)
    [tree] = tmp_path.iterdir()
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")],
        cwd=tree, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    [again] = (tmp_path / "dist").iterdir()
    assert names(again) == names(distributions.wheel)
    assert not [path for path in tree.rglob("*") if path.suffix == ".pyc" or path.name == ".venv"]
