"""The module means the same with nixpkgs' own lib as with the stand-in (NIXPKGS_LIB=/path/to/nixpkgs/lib)."""

from __future__ import annotations

import pytest

from tests.nix.conftest import Made
from tests.nix.support import HERE, Machine, ask, names, needs_nix, render

pytestmark = needs_nix


def test_every_accepted_configuration_gives_the_same_units(made: Made, real_machine: Machine) -> None:
    answer = real_machine.evaluate(f"import {HERE / 'accepted.nix'}")
    assert answer.is_content, answer.error
    assert len(answer.value) >= 30
    for name, of in answer.value.items():
        assert render(name, of, real_machine) == render(name, made.of[name], made.machine)


@pytest.mark.parametrize("name", names("refused"))
def test_every_refused_one_is_refused_in_the_same_words(real_machine: Machine, name: str) -> None:
    wanted = ask(f"(import {HERE / 'refused.nix'}).{name}.says")
    assert wanted.is_content, wanted.error
    answer = real_machine.evaluate(f"{{ it = (import {HERE / 'refused.nix'}).{name}.of; }}")
    said = "\n".join(answer.value["it"]["failed"]) if answer.is_content else answer.error
    assert wanted.value in said
