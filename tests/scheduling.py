"""What pytest -n hands to a worker at a time, and what it runs first."""

from __future__ import annotations

from typing import Any

import pytest

# Tests that share what is made once a session (fault scenarios, an evaluation, a boot) go to one worker.
TOGETHER = {
    "tests/faults/": "scenarios",
    # Both boot the same Debian, which the first of them makes.
    "tests/systemd/": "boots",
    "tests/nix/test_boot.py": "boots",
    "tests/nix/": "nix",
    "tests/packaging/": "packaging",
}
# What takes a minute and more must not begin when everything else has ended.
LONGEST = ("tests/faults/", "tests/systemd/", "tests/nix/test_boot.py", "tests/diagnose/test_outside_judge.py")


def scheduler(config: pytest.Config, log: Any) -> Any:
    """Return what gives a worker one file after the other, or all tests that are TOGETHER."""
    from xdist.scheduler import LoadFileScheduling

    config.option.loadscopereorder = False  # a file of few tests is often one of the longest
    shares = LoadFileScheduling(config, log)
    shares._split_scope = share_of
    return shares


def share_of(nodeid: str) -> str:
    """Return the name of what a test is handed out with: its file, or what it is TOGETHER with."""
    return next((share for place, share in TOGETHER.items() if nodeid.startswith(place)), nodeid.partition("::")[0])


def longest_first(items: list[Any]) -> None:
    """Sort tests in place so that those of the LONGEST files and directories come first, in that order."""

    def place(item: pytest.Item) -> int:
        found = (number for number, path in enumerate(LONGEST) if item.nodeid.startswith(path))
        return next(found, len(LONGEST))

    items.sort(key=place)
