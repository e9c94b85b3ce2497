"""Are the examples in the docstrings true?"""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize("name", ["imapdata", "masking", "text"])
def test_the_examples_of_a_module_are_true(name: str) -> None:
    result = doctest.testmod(import_module(f"mailmon.mail.{name}"))
    assert result.attempted > 0
    assert result.failed == 0
