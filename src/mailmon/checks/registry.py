"""The checks by name, with the key of the configuration that brings each of them into use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from mailmon.registry import Registry

if TYPE_CHECKING:  # a check is imported when it is first asked for
    from mailmon.checks.check import AnyCheck

Kind = Literal["account", "route", "host"]
_KINDS: dict[str, Kind] = {"accounts": "account", "routes": "route", "checks": "host"}


class CheckRegistry(Mapping[str, "AnyCheck"]):
    """Checks by name, in the order in which they run and are reported; each is imported when it is first asked for."""

    def __init__(self) -> None:
        self._checks: Registry[AnyCheck] = Registry(__package__, "CHECK")
        self._keys: dict[str, tuple[str, ...]] = {}

    def add(self, name: str, key: str, *, module: str = "") -> None:
        """Register a check and the `key` that brings it into use.

        `accounts.*.KEY`: it checks every account that has that key; `routes.*`: every route; `checks.NAME.KEY`: the
        hosts, domains or files in that list or table of its own.
        """
        self._checks.add(name, module=module)
        self._keys[name] = tuple(key.split("."))

    def remove(self, name: str) -> None:
        """Take a check out again. Raises KeyError."""
        self._checks.remove(name)
        del self._keys[name]

    def __getitem__(self, name: str) -> AnyCheck:
        return self._checks[name]

    def __contains__(self, name: object) -> bool:
        return name in self._keys

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def key(self, name: str) -> str:
        """Return the key that brings a check into use, such as `checks.http.pages`."""
        return ".".join(self._keys[name])

    def kind(self, name: str) -> Kind:
        """Return what a check is for, without importing it: accounts, routes, or hosts of its own."""
        return _KINDS[self._keys[name][0]]

    def of_kind(self, kind: Kind) -> list[str]:
        """Return the names of the checks of one kind, in order."""
        return [name for name in self if self.kind(name) == kind]

    def used_by(self, full: Mapping[str, Any]) -> list[str]:
        """Return the names of the checks that a configuration in the full form brings into use, in order."""
        return [name for name, key in self._keys.items() if _holds(full, key)]

    def own_targets(self, full: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield the name of each check that has a list of its own, with each name in that list."""
        for check in self.of_kind("host"):
            listed: Any = full
            for step in self._keys[check]:
                listed = listed.get(step) if isinstance(listed, dict) else None
            names = listed if isinstance(listed, list | dict) else ()
            yield from ((check, name) for name in names if isinstance(name, str))


def _holds(table: Any, key: Sequence[str]) -> bool:
    """Return whether anything stands at a key; `*` stands for any name."""
    if not key:
        return bool(table)
    if not isinstance(table, Mapping):
        return False
    return any(_holds(table.get(step), key[1:]) for step in (table if key[0] == "*" else key[:1]))
