"""How bad is a finding by itself, what mends it, and where is that written? Findings are made here and nowhere else."""

from __future__ import annotations

from mailmon.findings import domains, servers
from mailmon.findings.fixes import general_fix
from mailmon.findings.row import Row
from mailmon.model.findings import Finding, Severity, Verdict
from mailmon.text import utf8_text, visible

__all__ = ["ROWS", "Findings", "Row", "row"]

# What a server or a zone says is foreign text, however it came into a finding.
MAX_MESSAGE, MAX_DETAIL = 1000, 4000
ROWS: dict[str, Row] = {**servers.ROWS, **domains.ROWS}


def row(finding_id: str) -> Row:
    """Return the row of an id, that of all protocols where it has none of its own."""
    return ROWS.get(finding_id) or ROWS.get(f"*.{finding_id.partition('.')[2]}") or Row(Severity.ERROR)


class Findings:
    """Collects what is found out about one target."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.all: list[Finding] = []

    def fail(self, finding_id: str, message: str, severity: Severity | None = None, **more: str) -> None:
        """Something is wrong; the reference is that of the catalogue, and so are severity and fix unless given."""
        known = row(finding_id)
        finding = self._finding(finding_id, Verdict.FAIL, message, more)
        fix = more.get("fix") or known.fix or general_fix(finding_id)
        self.all.append(finding._replace(severity=severity or known.severity, fix=fix, reference=known.reference))

    def passed(self, finding_id: str, message: str, **more: str) -> None:
        """It was looked at, and is well."""
        self.all.append(self._finding(finding_id, Verdict.PASS, message, more))

    def unknown(self, finding_id: str, message: str, **more: str) -> None:
        """It could not be told from here."""
        self.all.append(self._finding(finding_id, Verdict.UNKNOWN, message, more))

    def skipped(self, finding_id: str, message: str) -> None:
        """It was not asked, because of something else."""
        self.all.append(self._finding(finding_id, Verdict.SKIPPED, message, {}))

    def judge(self, finding_id: str, is_good: bool, good: str, bad: str, **more: str) -> None:
        """Pass or fail."""
        if is_good:
            self.passed(finding_id, good, **more)
        else:
            self.fail(finding_id, bad, None, **more)

    def _finding(self, finding_id: str, status: Verdict, message: str, more: dict[str, str]) -> Finding:
        said = visible(utf8_text(f"{self.target}: {message}"), MAX_MESSAGE)
        evidence, expected, found = (
            visible(utf8_text(more.get(name, "")), MAX_DETAIL) for name in ("evidence", "expected", "found")
        )
        return Finding(finding_id, status, self.target, said, None, evidence, expected, found)
