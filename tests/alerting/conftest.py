"""Fixtures for the judge's tests."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="package")
def _in_central_europe() -> Iterator[None]:
    """Tell times as a person in central Europe reads them in winter: noon in UTC is one o'clock."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "CET-1")
        time.tzset()
        yield
    time.tzset()
