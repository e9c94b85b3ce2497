"""Limits: of bounces (apart from the rows of the bounce log, which a quiet run does not load) and of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class BounceLimits(NamedTuple):
    """How many are too many in 24 hours: by class, by the recipients' domain (0 stands for none), None for no limit."""

    classes: Mapping[str, int] = {}
    any_domain: int | None = None
    domains: Mapping[str, int] = {}
    reports_refusals: bool = True


class RunLimits(NamedTuple):
    """How many steps may run at a time, in all and on one host (None: three quarters where there are several)."""

    workers: int = 16
    per_host: int | None = None


DEFAULT_LIMITS = RunLimits()
