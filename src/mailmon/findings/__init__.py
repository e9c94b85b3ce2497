"""Findings are made here and nowhere else: severity, fix and reference come from the registry (registry.py)."""

from __future__ import annotations

from mailmon.model.findings import Finding, Severity, Verdict
from mailmon.text import utf8_text, visible

__all__ = ["Findings", "make_finding"]

# What a server or a zone says is foreign text, however it came into a finding.
MAX_MESSAGE, MAX_DETAIL = 1000, 4000


def make_finding(
    finding_id: str,
    status: Verdict,
    target: str,
    message: str,
    severity: Severity | None = None,
    *,
    evidence: str = "",
    expected: str = "",
    found: str = "",
    fix: str | None = None,
) -> Finding:
    """Return a finding. What fails has severity, fix and reference of the registry unless given.

    So has, without the severity, what is unknown and can never fail. Raises UnknownIdError where no row has the id.
    """
    from mailmon.findings.registry import entry  # the tables are for runs in which there is something to report

    known, reference = entry(finding_id).row, ""
    if status is Verdict.FAIL:
        severity = severity or known.severity or Severity.ERROR
    if status is Verdict.FAIL or (status is Verdict.UNKNOWN and known.severity is None):
        reference = known.reference
        fix = known.fix if fix is None else fix
    return Finding(finding_id, status, target, message, severity, evidence, expected, found, fix or "", reference)


class Findings:
    """Collects the findings about one target."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.all: list[Finding] = []

    def fail(self, finding_id: str, message: str, severity: Severity | None = None, **more: str) -> None:
        """Add a failure; severity, fix and reference are those of the registry unless given."""
        from mailmon.findings.software_fixes import general_fix

        fix = more.pop("fix", "") or general_fix(finding_id)
        self._add(finding_id, Verdict.FAIL, message, more, severity, fix)

    def passed(self, finding_id: str, message: str, **more: str) -> None:
        """Add a pass: it was tested, and is well."""
        self._add(finding_id, Verdict.PASS, message, more)

    def unknown(self, finding_id: str, message: str, **more: str) -> None:
        """Add what could not be tested from here."""
        self._add(finding_id, Verdict.UNKNOWN, message, more)

    def skipped(self, finding_id: str, message: str) -> None:
        """Add what was not tested, because of something else."""
        self._add(finding_id, Verdict.SKIPPED, message, {})

    def judge(self, finding_id: str, is_good: bool, good: str, bad: str, **more: str) -> None:
        """Add a pass or a failure."""
        if is_good:
            self.passed(finding_id, good, **more)
        else:
            self.fail(finding_id, bad, None, **more)

    def _add(
        self,
        finding_id: str,
        status: Verdict,
        message: str,
        more: dict[str, str],
        severity: Severity | None = None,
        fix: str = "",
    ) -> None:
        said = visible(utf8_text(f"{self.target}: {message}"), MAX_MESSAGE)
        details = {name: visible(utf8_text(text), MAX_DETAIL) for name, text in more.items() if name != "fix"}
        self.all.append(make_finding(finding_id, status, self.target, said, severity, fix=fix, **details))
