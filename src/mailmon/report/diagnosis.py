"""How does a diagnosis read? As JSON (docs/json.md), as Markdown to send on, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mailmon.model.diagnosis import Diagnosis, Service, summarise
from mailmon.model.facts import Finding, Severity, Verdict
from mailmon.report.document import finding_document

MARKS = {Verdict.PASS: "✓", Verdict.FAIL: "❌", Verdict.SKIPPED: "–", Verdict.UNKNOWN: "?"}
_SOFT = {Severity.WARNING: "⚠", Severity.NOTICE: "·", Severity.INFO: "·"}
COLOURS = {
    Severity.CRITICAL: "bold red",
    Severity.ERROR: "red",
    Severity.WARNING: "yellow",
    Severity.NOTICE: "cyan",
    Severity.INFO: "cyan",
}


def diagnosis_document(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the whole diagnosis."""
    return {
        "schema": "mailmon/diagnose/1",
        "host": diagnosis.host,
        "addresses": list(diagnosis.addresses),
        "duration_s": round(diagnosis.duration_s, 3),
        "findings": [finding_document(one) for one in diagnosis.findings],
        "services": [_service_document(one) for one in diagnosis.services],
        "transcripts": [
            {
                "target": one.target,
                "purpose": one.purpose,
                "lines": [{"at_s": line.at_s, "from": line.who, "text": line.text} for line in one.lines],
            }
            for one in diagnosis.transcripts
        ],
        "notes": list(diagnosis.notes),
        "summary": summarise(diagnosis.findings),
    }


def _service_document(service: Service) -> dict[str, Any]:
    tls = service.tls
    return {
        "target": service.target,
        "address": service.address,
        "protocol": service.protocol,
        "banner": service.banner,
        "ehlo": service.ehlo,
        "extensions": service.extensions,
        "tls": tls._asdict() | {"names": list(tls.names)} if tls else None,
        "timings": service.timings,
    }


def summary_line(findings: Sequence[Finding]) -> str:
    """Say it in one line: `2 errors, 1 warning, 31 passed, 3 not testable`.

    >>> summary_line([])
    'nothing was tested'
    """
    counts = summarise(findings)
    words = [
        f"{counts[name]} {name if counts[name] == 1 or name == 'critical' else name + 's'}"
        for name in ("critical", "error", "warning", "notice")
        if counts[name]
    ]
    said = {"info": "for information", "pass": "passed", "unknown": "not testable", "skipped": "skipped"}
    words += [f"{counts[name]} {word}" for name, word in said.items() if counts[name]]
    return ", ".join(words) or "nothing was tested"


def finding_lines(findings: Sequence[Finding], *, is_verbose: bool) -> Iterator[tuple[str, str]]:
    """Yield lines with their colour: the worst first, each cause with its fix; what passed only where asked for."""
    for one in findings if is_verbose else grouped(findings):
        word = one.severity.value if one.severity else one.status.value
        colour = COLOURS[one.severity] if one.severity else "magenta" if one.status is Verdict.UNKNOWN else "green"
        yield f"{mark_of(one)} {word:<8} {one.message}  [{one.id}]", colour
        if one.fix:
            yield f"    → {one.fix}", ""
        if is_verbose:
            yield from ((f"    {line}", "dim") for line in _details(one))


def grouped(findings: Sequence[Finding]) -> list[Finding]:
    """Return what is not well, each cause once: the same on several ports names all of them."""
    first: dict[tuple[str, ...], Finding] = {}
    targets: dict[tuple[str, ...], list[str]] = {}
    for one in findings:
        if one.status in (Verdict.PASS, Verdict.SKIPPED):
            continue
        words = one.message.removeprefix(f"{one.target}: ")
        key = (one.id, one.status.value, one.severity.value if one.severity else "", words)
        first.setdefault(key, one)
        targets.setdefault(key, []).append(one.target)
    return [
        one._replace(message=f"{_together(targets[key])}: {key[3]}") if len(targets[key]) > 1 else one
        for key, one in first.items()
    ]


def _together(targets: Sequence[str]) -> str:
    """Return targets as one text: `mail.example.org:25, 587, 993`.

    >>> _together(["a.example:25", "a.example:587", "b.example:25"])
    'a.example:25, 587, b.example:25'
    """
    shown, before = [], ""
    for target in targets:
        host, _, port = target.rpartition(":")
        shown.append(port if host == before and port.isdigit() else target)
        before = host
    return ", ".join(shown)


def mark_of(finding: Finding) -> str:
    """Return the sign before a finding."""
    return _SOFT.get(finding.severity, MARKS[finding.status]) if finding.severity else MARKS[finding.status]


def service_rows(diagnosis: Diagnosis) -> Iterator[tuple[str, ...]]:
    """Yield what each port is: port, TLS, certificate until, what it says."""
    for one in diagnosis.services:
        tls = f"{one.tls.version} {one.tls.cipher}" if one.tls else "none"
        until = f"{one.tls.not_after[:10]}" if one.tls else ""
        yield one.target, one.protocol, tls, until, one.banner[:60]


SERVICE_COLUMNS = ("endpoint", "protocol", "TLS", "valid until", "greeting")


def markdown(diagnosis: Diagnosis) -> Iterator[str]:
    """Yield a report that can be sent to somebody."""
    yield f"# Diagnosis of {cell(diagnosis.host)}"
    yield ""
    yield f"**{summary_line(diagnosis.findings)}** in {diagnosis.duration_s:.1f} s; addresses: "
    yield f"{', '.join(diagnosis.addresses) or 'none'}."
    yield from finding_tables(diagnosis.findings)
    yield from ("", "## Services", "", f"| {' | '.join(SERVICE_COLUMNS)} |", "|---|---|---|---|---|")
    for row in service_rows(diagnosis):
        yield f"| {' | '.join(map(cell, row))} |"
    passed = [one for one in diagnosis.findings if one.status is Verdict.PASS]
    yield from ("", f"## What is well ({len(passed)})", "")
    yield from (f"- {cell(one.message)} (`{one.id}`)" for one in passed)
    yield from ("", *(f"- Note: {cell(note)}" for note in diagnosis.notes))


def finding_tables(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield what is wrong, and what could not be told, as Markdown tables."""
    for title, wanted in (("What is wrong", Verdict.FAIL), ("What could not be told", Verdict.UNKNOWN)):
        listed = [one for one in findings if one.status is wanted]
        if listed:
            yield from ("", f"## {title}", "", "| | finding | what to do |", "|---|---|---|")
            for one in listed:
                word = one.severity.value if one.severity else one.status.value
                yield f"| {word} | {cell(one.message)} (`{one.id}`) | {cell(one.fix)} |"


def _details(finding: Finding) -> Iterator[str]:
    for name in ("expected", "found", "evidence", "reference"):
        value = getattr(finding, name)
        if value:
            yield f"{name}: {value}"


def cell(text: str) -> str:
    """Return foreign text that cannot be Markdown."""
    for char in "\\`*_[]<>|":
        text = text.replace(char, f"\\{char}")
    return text
