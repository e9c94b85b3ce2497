"""Registries whose parts are imported when they are first asked for: checks, kinds of channel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Generic, TypeVar

PartT = TypeVar("PartT")


class Registry(Mapping[str, PartT], Generic[PartT]):
    """Parts by name, in the order in which they were added. A part is a module's `constant`.

    Only asking for a part imports its module: a run imports the parts that are configured.
    """

    def __init__(self, package: str, constant: str) -> None:
        self._package, self._constant = package, constant
        self._modules: dict[str, str] = {}

    def add(self, name: str, *, module: str = "") -> None:
        """Register a part by its name; by default its module is the one of that name in the package."""
        self._modules[name] = module or f"{self._package}.{name}"

    def remove(self, name: str) -> None:
        """Take a part out again. Raises KeyError."""
        del self._modules[name]

    def __getitem__(self, name: str) -> PartT:
        part: PartT = getattr(import_module(self._modules[name]), self._constant)
        return part

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

    def __contains__(self, name: object) -> bool:
        return name in self._modules
