"""The examples in docstrings: every module that has one."""

from __future__ import annotations

import doctest
import re
from importlib import import_module
from pathlib import Path

import pytest

import mailmon

ROOT = Path(mailmon.__file__).parent
MODULES = sorted(
    ".".join(("mailmon", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
    for path in ROOT.rglob("*.py")
    if re.search(r"^\s+>>> ", path.read_text(), re.MULTILINE)
)


def test_there_are_modules_with_examples() -> None:
    assert "mailmon.text" in MODULES


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_true(name: str) -> None:
    result = doctest.testmod(import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
