"""What is published, built once for all tests of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]


class Distributions(NamedTuple):
    """The files that would be published."""

    wheel: Path
    sdist: Path


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    """Build sdist and wheel as an installer does, without a network."""
    directory = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(directory)],
        cwd=ROOT, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return Distributions(next(directory.glob("*.whl")), next(directory.glob("*.tar.gz")))
