"""One boot for all tests that want a real systemd."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systemd.machine import Trial, boot
from tests.systemd.tree import make_tree, need_systemd


@pytest.fixture(scope="session")
def trial() -> Iterator[Trial]:
    """Boot a Debian with mailmon in it, let it play its scenarios, return what they saw; skip where that cannot be."""
    need_systemd()
    directory = Path(tempfile.mkdtemp(prefix="mailmon-systemd-"))
    try:
        seen = boot(make_tree(directory))
        if kept := os.environ.get("MAILMON_SYSTEMD_KEEP"):
            shutil.copytree(directory / "tree/opt/trial", kept, dirs_exist_ok=True)
            shutil.copy(directory / "printed", kept)
        yield seen
    finally:
        shutil.rmtree(directory)
