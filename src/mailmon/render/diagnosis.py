"""Results of `diagnose` as text for a terminal and as Markdown; `dns` shares the findings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mailmon.model.diagnosis import Diagnosis, summarise
from mailmon.model.findings import Finding, Verdict
from mailmon.render.layout import INDENT, STYLES, Line, Paper, Row, cells_of, hanging, kind_of, table
from mailmon.render.shorten import short_keys, with_addresses
from mailmon.text import one_line


def summary_line(findings: Sequence[Finding]) -> str:
    """Return the summary in one line: `2 errors, 1 warning, 31 passed, 3 not testable`.

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


def finding_lines(findings: Sequence[Finding], paper: Paper, *, is_verbose: bool) -> Iterator[Line]:
    """Yield findings, the worst first; passed tests and evidence only if `is_verbose`.

    Without columns each finding is one line: symbol, severity, id, target, message, fix and what else there is,
    separated by tabs. Else it is a block, and the same on several ports is one block.
    """
    is_table = paper.columns is None
    chosen = list(findings) if is_verbose else _not_well(findings) if is_table else grouped(findings)
    for one in chosen:
        yield from _fields(one, paper, is_verbose=is_verbose) if is_table else _block(one, paper, is_verbose=is_verbose)


def _fields(finding: Finding, paper: Paper, *, is_verbose: bool) -> Iterator[Line]:
    kind = kind_of(finding)
    more = [paper.text(line) for line in _details(finding)] if is_verbose else []
    values = [with_addresses(_words(finding)), one_line(finding.fix), *more]
    cells = (kind.value, finding.id, with_addresses(finding.target), *map(paper.text, values))
    return table([Row(paper.mark(kind), cells, (), STYLES[kind])], paper)


def _block(finding: Finding, paper: Paper, *, is_verbose: bool) -> Iterator[Line]:
    """Yield symbol, severity, id and target, and below them message, fix, reference and evidence."""
    kind, width = kind_of(finding), paper.prose
    mark, target = f"{paper.mark(kind)} {kind.value:<8}", with_addresses(finding.target)
    head = f"{mark} {finding.id}  {target}"
    if cells_of(head) <= width:
        yield Line(mark, STYLES[kind], head.removeprefix(mark))
    else:
        yield Line(mark, STYLES[kind], f" {finding.id}")
        yield from (Line(tail=line) for line in hanging(target, width, INDENT, INDENT))
    message = paper.text(with_addresses(_words(finding)))
    yield from (Line(tail=line) for line in hanging(message, width, INDENT, INDENT))
    yield from (Line(tail=line) for line in fix_lines(finding.fix, paper))
    if is_verbose:
        for name in ("found", "evidence"):
            if value := getattr(finding, name):
                text = paper.text(f"{name}: {short_keys(value) if name == 'found' else value}")
                yield from (Line(line, "dim") for line in hanging(text, width, INDENT + "  ", INDENT))
        if finding.expected:  # may be copied: unbroken
            yield Line(paper.text(f"{INDENT}expected: {finding.expected}"), "dim")
    if finding.reference:
        yield Line(INDENT + finding.reference, "dim")


def fix_lines(fix: str, paper: Paper) -> Iterator[str]:
    """Yield a fix: sentences are wrapped, indented lines, which can be copied, are not."""
    arrow = paper.text("→ ")
    for number, line in enumerate(fix.splitlines()):
        if line.startswith(" "):
            yield paper.text(f"{INDENT}  {line}")
        else:
            hang = INDENT + " " * len(arrow)
            yield from hanging(paper.text(line), paper.prose, hang, INDENT + arrow if number == 0 else hang)


def _words(finding: Finding) -> str:
    """Return the message without the target, which precedes it; where it is the subject, it becomes `it`."""
    words = finding.message.removeprefix(f"{finding.target}: ")
    begin = f"{finding.target} "
    return "it " + words.removeprefix(begin) if words.startswith(begin) else words


def _not_well(findings: Sequence[Finding]) -> list[Finding]:
    return [one for one in findings if one.status not in (Verdict.PASS, Verdict.SKIPPED)]


def grouped(findings: Sequence[Finding]) -> list[Finding]:
    """Return problems and inconclusive tests, each once: one found on several ports has all of them as its target."""
    first: dict[tuple[str, ...], Finding] = {}
    targets: dict[tuple[str, ...], list[str]] = {}
    for one in _not_well(findings):
        key = (one.id, kind_of(one).value, _words(one), one.fix)
        first.setdefault(key, one)
        targets.setdefault(key, []).append(one.target)
    return [one._replace(target=_together(targets[key]), message=key[2]) for key, one in first.items()]


def _together(targets: Sequence[str]) -> str:
    """Return targets as one text, the ports of one host and address side by side.

    >>> _together(["a.example:25", "a.example:587", "b.example:25"])
    'a.example:25, 587, b.example:25'
    >>> _together(["a.example:25 (192.0.2.1)", "a.example:25 (2001:db8::1)", "a.example:587 (192.0.2.1)"])
    'a.example:25, 587 (192.0.2.1), a.example:25 (2001:db8::1)'
    """
    ports: dict[tuple[str, str], list[str]] = {}
    for target in targets:
        place, _, address = target.partition(" ")
        host, _, port = place.rpartition(":")
        if not port.isdigit():
            host, port, address = target, "", ""
        ports.setdefault((host, address), []).append(port)
    shown = []
    for (host, address), listed in ports.items():
        place = f"{host}:{', '.join(dict.fromkeys(listed))}" if any(listed) else host
        shown.append(f"{place} {address}".rstrip())
    return ", ".join(shown)


# IMAP servers list their capabilities in the greeting (RFC 3501 section 7.1).
_CAPABILITIES = re.compile(r"\[CAPABILITY [^\]\[]*+\] ?", re.IGNORECASE)
SERVICE_COLUMNS = ("endpoint", "protocol", "TLS", "valid until", "greeting")


def service_rows(diagnosis: Diagnosis) -> Iterator[tuple[str, ...]]:
    """Yield one row per port: port, protocol, TLS, end of the certificate, greeting."""
    for one in diagnosis.services:
        tls = f"{one.tls.version} {one.tls.cipher}" if one.tls else "none"
        until = f"{one.tls.not_after[:10]}" if one.tls else ""
        yield one.target, one.protocol, tls, until, _CAPABILITIES.sub("", one.banner)


def service_lines(diagnosis: Diagnosis, paper: Paper) -> Iterator[Line]:
    """Yield the table of services."""
    shown = [tuple(map(paper.text, row)) for row in service_rows(diagnosis)]
    return table([Row("", row[:-1], row[-1:]) for row in shown], paper, SERVICE_COLUMNS)


def markdown(diagnosis: Diagnosis) -> Iterator[str]:
    """Yield the result as a Markdown report."""
    yield f"# Diagnosis of {cell(diagnosis.host)}"
    yield ""
    yield f"**{summary_line(diagnosis.findings)}** in {diagnosis.duration_s:.1f} s; addresses: "
    yield f"{', '.join(diagnosis.addresses) or 'none'}."
    yield from finding_tables(diagnosis.findings)
    yield from ("", "## Services", "", f"| {' | '.join(SERVICE_COLUMNS)} |", "|---|---|---|---|---|")
    for row in service_rows(diagnosis):
        yield f"| {' | '.join(map(cell, row))} |"
    passed = [one for one in diagnosis.findings if one.status is Verdict.PASS]
    yield from ("", f"## Passed ({len(passed)})", "")
    yield from (f"- {cell(one.message)} (`{one.id}`)" for one in passed)
    yield from ("", *(f"- Note: {cell(note)}" for note in diagnosis.notes))


def finding_tables(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield problems and inconclusive tests as Markdown tables."""
    for title, wanted in (("Problems", Verdict.FAIL), ("Inconclusive", Verdict.UNKNOWN)):
        listed = [one for one in findings if one.status is wanted]
        if listed:
            yield from ("", f"## {title}", "", "| | finding | what to do |", "|---|---|---|")
            for one in listed:
                word = one.severity.value if one.severity else one.status.value
                yield f"| {word} | {cell(one.message)} (`{one.id}`) | {cell(one_line(one.fix))} |"


def _details(finding: Finding) -> Iterator[str]:
    for name in ("expected", "found", "evidence", "reference"):
        value = getattr(finding, name)
        if value:
            yield f"{name}: {value}"


def cell(text: str) -> str:
    """Return foreign text escaped for Markdown."""
    for char in "\\`*_[]<>|":
        text = text.replace(char, f"\\{char}")
    return text
