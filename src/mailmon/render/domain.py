"""Results of `dns` as text for a terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter

from mailmon.model.diagnosis import severity_rank
from mailmon.model.dns import Published, Survey
from mailmon.model.findings import Finding, Severity, Verdict
from mailmon.render.diagnosis import cell, finding_tables, summary_line
from mailmon.render.layout import INDENT, STYLES, Line, Paper, Row, table
from mailmon.render.shorten import short_keys, with_addresses

_IS_SHOWN = attrgetter("is_worth_showing")
RECORD_COLUMNS = ("record", "type", "found")
# Which findings are about which record, by type: their area, and how the rest of their ids begins; of TXT records it is
# the area that a label of the name tells, SPF has none.
_ABOUT_TYPE = {
    "MX": ("dns", ("mx_", "null_mx_", "domain_")),
    "A": ("dns", ("mx_dangling", "mx_private", "mx_cname")),
    "AAAA": ("dns", ("mx_private", "mx_cname")),
    "PTR": ("dns", ("ptr_", "fcrdns_")),
    "HTTPS": ("mtasts", ("unreachable", "mx_", "mode_", "short_", "syntax")),
    "TLSA": ("dane", ("",)),
    "CAA": ("dns", ("caa_",)),
    "SRV": ("dns", ("srv_",)),
    "DS": ("dns", ("dnssec_",)),
}
_ABOUT_TEXT = {"_dmarc": "dmarc", "_domainkey": "dkim", "_mta-sts": "mtasts", "_tls": "tlsrpt"}
_KEY_TYPES = ("TLSA", "DS", "CDS", "DNSKEY", "OPENPGPKEY", "SSHFP")


def record_lines(survey: Survey, paper: Paper, findings: Iterable[Finding]) -> Iterator[Line]:
    """Yield the table of records, one value per line; all `findings` are needed for the marks."""
    shown = list(filter(_IS_SHOWN, survey.records))
    kinds = kinds_of(shown, findings)
    rows = [
        Row(
            paper.mark(kind),
            (with_addresses(row.name), row.type),
            tuple(paper.text(value) for value in found_values(row)),
            STYLES[kind],
        )
        for row, kind in zip(shown, kinds, strict=True)
    ]
    return table(rows, paper, RECORD_COLUMNS)


def found_values(row: Published) -> tuple[str, ...]:
    """Return the values of a record, keys shortened in the middle; values to publish are never shortened."""
    if not row.found:
        return ("nothing" if row.is_known else "not known",)
    is_key = row.type in _KEY_TYPES or (row.type == "TXT" and "._domainkey." in row.name)
    return tuple(map(short_keys, row.found)) if is_key else row.found


def kinds_of(rows: Sequence[Published], findings: Iterable[Finding]) -> list[Severity | Verdict]:
    """Return the mark of each record: its worst finding; without one, a notice if it is wrong."""
    failed = [one for one in findings if one.status is Verdict.FAIL and one.severity]
    words = {one: _words(one) for one in failed}
    return [_kind(row, [one for one in failed if _is_about(one, words[one], row, rows)]) for row in rows]


def _kind(row: Published, findings: list[Finding]) -> Severity | Verdict:
    if not row.is_known:
        return Verdict.UNKNOWN
    worst = max((one.severity for one in findings if one.severity), key=severity_rank, default=None)
    return worst or (Verdict.PASS if row.is_right else Severity.NOTICE)


def _is_about(finding: Finding, words: frozenset[str], row: Published, rows: Sequence[Published]) -> bool:
    """Return whether a finding is about a record: by its id and, among several such records, by the name in it."""
    if not finding.id.startswith(_areas(row)) or (row.type == "HTTPS") != _is_about_the_policy(finding, row):
        return False
    alike = [_key(one) for one in rows if finding.id.startswith(_areas(one)) and one.type == row.type]
    named = words.intersection(alike)
    return _key(row) in named if named else row.type != "A" and row.type != "AAAA"


def _is_about_the_policy(finding: Finding, row: Published) -> bool:
    """Return whether a finding of MTA-STS is about the policy file; one about syntax may be about either."""
    if not finding.id.startswith("mtasts."):
        return row.type == "HTTPS"
    if finding.id == "mtasts.syntax":
        return "the policy" in finding.message
    return finding.id.partition(".")[2].startswith(_ABOUT_TYPE["HTTPS"][1])


def _areas(row: Published) -> tuple[str, ...]:
    if row.type != "TXT":
        area, problems = _ABOUT_TYPE.get(row.type, ("", ()))
        return tuple(f"{area}.{problem}" for problem in problems)
    labels = row.name.split(".")
    return (next((area for label, area in _ABOUT_TEXT.items() if label in labels), "spf") + ".",)


def _key(row: Published) -> str:
    """Return the word by which a finding names a record: an address, a selector, a host, or the whole name."""
    if row.type == "PTR":
        return with_addresses(row.name)
    name = row.name.partition("._domainkey.")[0] if row.type == "TXT" else row.name
    return name.partition("._tcp.")[2] if row.type == "TLSA" else name


def _words(finding: Finding) -> frozenset[str]:
    return frozenset(word.strip(",;:()[]'\"") for word in finding.message.split())


def wanted_lines(survey: Survey) -> Iterator[str]:
    """Yield the records to publish or change, with their new values; never wrapped or shortened."""
    for row in survey.records:
        values = row.expected.splitlines() if row.is_known and not row.is_right else ()
        if row.type == "HTTPS" and values:  # a file, line by line
            yield row.name
            yield from (f"{INDENT}{value}" for value in values)
        else:
            yield from (f"{row.name} {row.type}  {value}" for value in values)


def spf_lines(survey: Survey) -> Iterator[str]:
    """Yield the SPF tree."""
    for one in survey.spf:
        words = f"{one.term} " if one.term else ""
        lookups = f"{one.lookups} look-up{'' if one.lookups == 1 else 's'}"
        yield f"{'  ' * one.depth}{words}{one.domain} ({lookups}): {one.text}"


def markdown(survey: Survey) -> Iterator[str]:
    """Yield the result as a Markdown report."""
    yield f"# DNS of {cell(survey.domain)}"
    yield ""
    yield f"**{summary_line(survey.findings)}** in {survey.duration_s:.1f} s."
    yield from finding_tables(survey.findings)
    yield from ("", "## Records", "", "| | name | type | found | expected |", "|---|---|---|---|---|")
    shown = list(filter(_IS_SHOWN, survey.records))
    for row, kind in zip(shown, kinds_of(shown, survey.findings), strict=True):
        found, wanted = "; ".join(row.found), "" if row.is_right else "; ".join(row.expected.splitlines())
        yield f"| {Paper().mark(kind)} | {cell(row.name)} | {row.type} | {cell(found)} | {cell(wanted)} |"
    if survey.spf:
        yield from ("", "## SPF", "", *(f"- {cell(line.strip())}" for line in spf_lines(survey)))
    passed = [one for one in survey.findings if one.status is Verdict.PASS]
    yield from ("", f"## Passed ({len(passed)})", "")
    yield from (f"- {cell(one.message)} (`{one.id}`)" for one in passed)
    yield from ("", *(f"- Note: {cell(note)}" for note in survey.notes))
