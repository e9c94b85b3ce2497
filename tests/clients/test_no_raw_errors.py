"""No failure of a connection is shown as Python, OpenSSL or a library prints it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import mailmon

SOURCE = Path(mailmon.__file__).parent
# Who talks to others; what these raise themselves (FetchError, StageError, ...) is in words already.
TALKERS = ("clients", "diagnose", "domain", "notify")
FOREIGN = ("OSError", "SSLError", "SSLCertVerificationError", "RequestException", "HTTPException", "DNSException")
# A plugin's own mistake has no other name; the masked kind is all that is shown.
KNOWN = {"notify/apprise.py": 1}


def handlers() -> Iterator[tuple[str, ast.ExceptHandler]]:
    for package in TALKERS:
        for path in sorted((SOURCE / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ExceptHandler) and node.name and node.type:
                    caught = ast.unparse(node.type)
                    if any(name in caught for name in (*FOREIGN, "Exception")):
                        yield path.relative_to(SOURCE).as_posix(), node


def is_raw(node: ast.AST, name: str) -> bool:
    """Say whether a piece of code puts an exception, or the name of its kind, into a text."""
    if isinstance(node, ast.FormattedValue):
        shown = ast.unparse(node.value)
        return shown == name or f"strerror or {name}" in shown
    return ast.unparse(node) in (f"str({name})", f"repr({name})", f"type({name}).__name__")


def test_no_exception_of_a_library_is_put_into_a_text() -> None:
    """`the connection broke: [SSL: ...] (_ssl.c:2580)` and `not reached (InvalidSchema)` were shown."""
    found = [
        file
        for file, handler in handlers()
        if any(name in ast.unparse(handler.type or handler) for name in FOREIGN) or file.startswith("notify")
        for node in ast.walk(handler)
        if is_raw(node, str(handler.name))
    ]
    assert {file: found.count(file) for file in found} == KNOWN


def test_the_search_finds_such_places() -> None:
    for text in ("f'{exc}'", "str(exc)", "type(exc).__name__", "f'{exc.strerror or exc}'"):
        assert any(is_raw(node, "exc") for node in ast.walk(ast.parse(text))), text
