"""The `checks` table: the options of each registered check, and when it alerts.

A threshold is the check's own, else that of `defaults`, else the built-in one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from mailmon.checks import CHECKS
from mailmon.checks.options import CheckOptions
from mailmon.model import Policy
from mailmon.typedjson.convert import build
from mailmon.typedjson.declare import options, seconds

OptionsT = TypeVar("OptionsT", bound=CheckOptions)
DEFAULTS, CERTIFICATE = "defaults", "certificate"
# Tables of no check: for all of them, and for certificates, which are reported once for all checks that see them.
_GENERAL = (DEFAULTS, CERTIFICATE)
_BUILT_IN = Policy()


def build_options(full: Mapping[str, Any]) -> dict[str, CheckOptions]:
    """Return the options of the checks that a configuration in the full form names. KeyError: an unknown check."""
    tables: Mapping[str, Any] = full.get("checks", {})
    return {name: build(options_type(name), table) for name, table in tables.items()}


def options_type(name: str) -> type[CheckOptions]:
    """Return the type of a check's options. Raises KeyError."""
    return CheckOptions if name in _GENERAL else CHECKS[name].options


def options_of(given: Mapping[str, CheckOptions], name: str, kind: type[OptionsT]) -> OptionsT:
    """Return the options of a check, the defaults where none are given."""
    found = given.get(name) or kind()
    assert isinstance(found, kind)
    return found


def complete_options() -> type:
    """Return the type of the whole table, with the options of every registered check: for validation and the schema."""
    names = (DEFAULTS, *CHECKS, CERTIFICATE)
    kinds = {name: options_type(name) for name in names}
    body = {name: kind() for name, kind in kinds.items()}
    return options(
        type("ChecksOptions", (), {"__doc__": _ABOUT, "__module__": __name__, "__annotations__": kinds, **body})
    )


_ABOUT = "Options of single checks, for all accounts and routes; `defaults` apply where a check has none of its own."


class Policies(Mapping[str, Policy]):
    """When each check alerts, by its name. A check is imported when its policy is first asked for."""

    def __init__(self, given: Mapping[str, CheckOptions]) -> None:
        self._given = given
        self._defaults = given.get(DEFAULTS) or CheckOptions()

    def __getitem__(self, name: str) -> Policy:
        if name not in CHECKS and name != CERTIFICATE:
            raise KeyError(name)
        own, defaults = self._given.get(name) or CheckOptions(), self._defaults
        threshold = own.failure_threshold or defaults.failure_threshold
        reminder = own.reminder_interval if own.reminder_interval is not None else defaults.reminder_interval
        return Policy(
            failure_threshold=threshold or (1 if name == CERTIFICATE else CHECKS[name].failure_threshold),
            success_threshold=own.success_threshold or defaults.success_threshold or _BUILT_IN.success_threshold,
            unknown_threshold=own.unknown_threshold or defaults.unknown_threshold or _BUILT_IN.unknown_threshold,
            reminder_interval_s=seconds(reminder or 0) or None,
            channels=dict([*defaults.channels.items(), *own.channels.items()]),
        )

    def __iter__(self) -> Iterator[str]:
        yield from (*CHECKS, CERTIFICATE)

    def __len__(self) -> int:
        return len(CHECKS) + 1
