"""Write tests/nix/golden anew: `python -m tests.nix.golden`. Then read what has changed (`git diff`)."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.nix.support import GOLDEN, HARDENING, HERE, ask, hardening_lines, make_machine, render

_HEAD = "# The lines of nix/hardening.nix that all services have in common.\n"
_EXPRESSION = """
let word = value: if value == true then "true" else if value == false then "false" else toString value;
    lines = key: value: map (one: "${key}=${word one}") (if builtins.isList value then value else [ value ]);
    hardening = import %s;
in builtins.concatLists (map (key: lines key hardening.${key}) (builtins.attrNames hardening))
"""


def main() -> None:
    """Write all files and say how many."""
    answer = ask(_EXPRESSION % (HERE.parent.parent / "nix" / "hardening.nix"))
    assert answer.is_content, answer.error
    GOLDEN.mkdir(exist_ok=True)
    for old in GOLDEN.glob("*.golden"):
        old.unlink()
    HARDENING.write_text(_HEAD + "\n".join(answer.value) + "\n")
    hardening_lines.cache_clear()
    with tempfile.TemporaryDirectory() as directory:
        machine = make_machine(Path(directory))
        made = machine.evaluate(f"import {HERE / 'accepted.nix'}")
        assert made.is_content, made.error
        for name, of in made.value.items():
            assert not of["failed"], (name, of["failed"])
            (GOLDEN / f"{name}.golden").write_text(render(name, of, machine))
    print(f"{len(made.value)} configurations written")


if __name__ == "__main__":
    main()
