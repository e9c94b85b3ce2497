"""Zones of outside data, one file a case: read in place from the folder that MAILMON_TEST_DATA names.

A file is JSON: names with their records by type, `@rcode:TYPE` for what is not answered, and `_all_ad` where DNSSEC
vouches for all of it. Its case is what stands before the first underscore of its name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

import dns.zone
import pytest

from mailmon.mail.records.zone_file import quoted
from tests.domain.nameserver import SILENT, Fault, zone_of

ZONES = Path(os.environ.get("MAILMON_TEST_DATA") or "/nonexistent") / "field" / "zones"
needed = pytest.mark.skipif(not ZONES.is_dir(), reason="MAILMON_TEST_DATA has no field/zones")


class Published(NamedTuple):
    """What a name server answers."""

    zones: list[dns.zone.Zone]
    faults: dict[str, Fault]
    is_secure: bool


def case_of(path: Path) -> str:
    """Return the case of a file."""
    return path.name.partition("_")[0]


def files(cases: Collection[str] | None = None) -> list[Path]:
    """Return the files of cases, by default all that are there; [] without the folder."""
    found = sorted(ZONES.glob("*.json")) if ZONES.is_dir() else []
    return [path for path in found if cases is None or case_of(path) in cases]


def published(text: str) -> Published:
    """Return what a file publishes: a zone for each name of two labels, and what is not answered."""
    faults: dict[str, Fault] = {}
    lines: dict[str, list[str]] = {"in-addr.arpa": []}
    document = json.loads(text)
    for name, records in document.items():
        origin = ".".join(name.rstrip(".").split(".")[-2:])
        for kind, values in records.items() if isinstance(records, dict) else ():
            if kind.startswith("@rcode:"):
                faults[f"{name.rstrip('.')} {kind.partition(':')[2]}"] = SILENT
                continue
            lines.setdefault(origin, []).extend(f"{name} {kind} {_shown(kind, value)}" for value in values)
    zones = [zone_of(origin, "\n".join(texts)) for origin, texts in lines.items()]
    return Published(zones, faults, document.get("_all_ad") is True)


def _shown(kind: str, value: Any) -> str:
    return quoted(value) if kind == "TXT" else str(value)
