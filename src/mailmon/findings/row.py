"""What is the same of a finding wherever it is made?"""

from __future__ import annotations

from typing import NamedTuple

from mailmon.model.findings import Severity

CRITICAL, ERROR, WARNING, NOTICE, INFO = (
    Severity.CRITICAL,
    Severity.ERROR,
    Severity.WARNING,
    Severity.NOTICE,
    Severity.INFO,
)


class Row(NamedTuple):
    """How bad a finding is by itself, what mends it, so that it can be copied, and where that is written."""

    severity: Severity
    fix: str = ""
    reference: str = ""
