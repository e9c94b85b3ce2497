"""A fixture for a bed that tests share (import `bed` into a conftest.py)."""

import shutil
from collections.abc import Iterator

import pytest

from . import Bed, bed_directory, missing_programs


@pytest.fixture(scope="session")
def bed() -> Iterator[Bed]:
    """Start one bed for the session; each test resets what it changes. Skips where a bed cannot run."""
    if missing := missing_programs():
        pytest.skip(f"no mail server to test with; missing: {', '.join(missing)}")
    directory = bed_directory()
    try:
        with Bed(directory) as running:
            yield running
    finally:
        shutil.rmtree(directory)
