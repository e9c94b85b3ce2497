"""All regular expressions of the program, found in its source and in what its modules hold, with how each is used."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import mailmon
from tests.attack import ALIASES, MODES

_FUNCTIONS = ("compile", "search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer")
# Where in a call the flags stand.
_DEPTH = 4


class Found(NamedTuple):
    """A pattern: `place` is module and name or line, `modes` how it is used; `pattern` is None if that is not known."""

    place: str
    pattern: re.Pattern[Any] | None
    modes: tuple[str, ...]


def modules() -> list[ModuleType]:
    """Return all modules of the program."""
    names = [one.name for one in pkgutil.walk_packages(mailmon.__path__, "mailmon.")]
    return [importlib.import_module(name) for name in names if not name.endswith("__main__")]


def find_all(of: list[ModuleType]) -> list[Found]:
    """Return the patterns of some modules, each once: those in the source, then those that modules hold besides."""
    found: list[Found] = []
    trees = {module.__name__: ast.parse(Path(str(module.__file__)).read_text("utf-8")) for module in of}
    used = _uses(trees, of)
    for module in of:
        found += _in_source(module, trees[module.__name__], used)
    known = {(one.pattern.pattern, one.pattern.flags) for one in found if one.pattern}
    for module in of:
        for name, pattern in _held(module):
            if (pattern.pattern, pattern.flags) not in known:
                known.add((pattern.pattern, pattern.flags))
                found.append(Found(f"{module.__name__}.{name}", pattern, _modes(used.get(id(pattern)))))
    return found


def _in_source(module: ModuleType, tree: ast.Module, used: dict[int, set[str]]) -> Iterator[Found]:
    targets = {
        id(node.value): node.targets[0].id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    scopes = _scopes(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not _is_of_re(node.func, module):
            continue
        function = _name_of(node.func)
        name = targets.get(id(node), "") if function == "compile" else ""
        place = f"{module.__name__}.{name or scopes.get(id(node), '?')}"
        pattern = _evaluated(node, module)
        if pattern is None and id(node) not in scopes:
            continue  # made when the module is loaded: then the module holds it
        modes = _modes(used.get(id(pattern))) if function == "compile" else (ALIASES.get(function, function),)
        yield Found(place, pattern, modes)


def _is_of_re(function: ast.expr, module: ModuleType) -> bool:
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return getattr(module, function.value.id, None) is re and function.attr in _FUNCTIONS
    is_name = isinstance(function, ast.Name) and function.id in _FUNCTIONS
    return is_name and getattr(module, _name_of(function), None) is getattr(re, _name_of(function))


def _name_of(function: ast.expr) -> str:
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def _evaluated(call: ast.Call, module: ModuleType) -> re.Pattern[Any] | None:
    """Return the pattern of a call, None where it depends on what is only known when the program runs."""
    flags: list[ast.expr] = [one.value for one in call.keywords if one.arg == "flags"]
    at = {
        "compile": 1,
        "search": 2,
        "match": 2,
        "fullmatch": 2,
        "findall": 2,
        "finditer": 2,
        "split": 3,
        "sub": 4,
        "subn": 4,
    }
    flags += call.args[at[_name_of(call.func)] :][:1]
    try:
        values = [eval(compile(ast.Expression(one), "", "eval"), vars(module)) for one in (call.args[0], *flags)]
    except NameError:
        return None
    return re.compile(*values)


def _uses(trees: dict[str, ast.Module], of: list[ModuleType]) -> dict[int, set[str]]:
    """Return by the identity of a pattern which methods of it are called, "" where it is passed on as a whole."""
    used: dict[int, set[str]] = {}
    for module in of:
        called: set[int] = set()
        for node in ast.walk(trees[module.__name__]):
            if isinstance(node, ast.Attribute):
                value = _resolved(node.value, module)
                if isinstance(value, re.Pattern):
                    called.add(id(node.value))
                    used.setdefault(id(value), set()).add(node.attr)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in called:
                value = _resolved(node, module)
                if isinstance(value, re.Pattern):
                    used.setdefault(id(value), set()).add("")
    return used


def _resolved(node: ast.expr, module: ModuleType) -> object:
    if isinstance(node, ast.Name):
        return vars(module).get(node.id)
    if isinstance(node, ast.Attribute):
        owner = _resolved(node.value, module)
        return getattr(owner, node.attr, None) if isinstance(owner, ModuleType) else None
    return None


def _modes(methods: set[str] | None) -> tuple[str, ...]:
    if not methods or "" in methods:
        return MODES
    named = {ALIASES.get(method, method) for method in methods}
    return tuple(sorted(named & {*MODES, "split", "findall"})) or MODES


def _held(module: ModuleType) -> Iterator[tuple[str, re.Pattern[Any]]]:
    for name, value in list(vars(module).items()):
        for pattern in _within(value, _DEPTH):
            yield name, pattern


def _within(value: object, depth: int) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth and isinstance(value, dict):
        for one in (*value.keys(), *value.values()):
            yield from _within(one, depth - 1)
    elif depth and isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from _within(one, depth - 1)
    elif depth and callable(value) and getattr(value, "__closure__", None):
        for cell in value.__closure__:  # type: ignore[attr-defined]
            yield from _within(cell.cell_contents, depth - 1)


def _scopes(tree: ast.Module) -> dict[int, str]:
    """Return the name of the function that each node stands in, the innermost one."""
    found: dict[int, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found |= {id(inner): node.name for inner in ast.walk(node)}
    return found
