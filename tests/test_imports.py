"""The import graph of mailmon: no cycle, wherever an import is written."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import mailmon

ROOT = Path(mailmon.__file__).parent
MODULES = {
    ".".join(("mailmon", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in ROOT.rglob("*.py")
}


def imported_by(name: str) -> set[str]:
    """Return the modules that one imports: at its top, inside functions, and for types only."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            submodules = {f"{node.module}.{alias.name}" for alias in node.names} & MODULES.keys()
            found |= submodules or {node.module}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & (MODULES.keys() - {name})


def cycle_in(graph: dict[str, set[str]]) -> list[str]:
    """Return the nodes of a cycle, none where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as exc:
        return list(exc.args[1])
    return []


def test_a_cycle_would_be_seen() -> None:
    assert cycle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}})
    assert "mailmon.errors" in imported_by("mailmon.clients.smtp")


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert cycle_in({name: imported_by(name) for name in MODULES}) == []
