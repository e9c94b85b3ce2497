"""How many bounces are too many? Apart from the rows of the history, which a quiet run does not load."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class BounceLimits(NamedTuple):
    """How many are too many in 24 hours: by class, by the recipients' domain (0 stands for none), None for no limit."""

    classes: Mapping[str, int] = {}
    any_domain: int | None = None
    domains: Mapping[str, int] = {}
    tells_refusals: bool = True
