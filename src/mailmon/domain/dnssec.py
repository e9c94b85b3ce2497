"""DNSSEC: name servers, DS, and whether answers are validated (RFC 4033 to 4035)."""

from __future__ import annotations

from mailmon.clients.records import Answered
from mailmon.domain.context import RecordCheck


def run(check: RecordCheck) -> None:
    """Judge the state of DNSSEC as seen by the resolver."""
    servers, ds, key = check.context.ask_all([(check.domain, kind) for kind in ("NS", "DS", "DNSKEY")])
    check.row(check.domain, "NS", "who answers for it", servers.values, servers)
    check.row(check.domain, "DS", "DNSSEC, at the parent", ds.values, ds)
    mx = check.context.mx
    bogus = next((answer for answer in (mx, servers, key) if answer.is_bogus), None)
    if bogus:
        check.report_unknown("dns.resolver_error", "its records", bogus)
    elif mx.is_authentic:
        check.found.passed("dns.dnssec_bogus", "its answers are validated by DNSSEC")
    elif key.values and ds.kind in (Answered.NODATA, Answered.NXDOMAIN):
        check.found.fail("dns.dnssec_no_ds", "the zone is signed, but its parent has no DS record for it")
    elif key.values:
        check.found.skipped("dns.dnssec_bogus", "the zone is signed; the resolver that was asked does not validate")
    elif key.kind is Answered.FAILED:
        check.found.skipped("dns.dnssec_bogus", f"whether the zone is signed is unknown: {key.why}")
    elif mx.kind is not Answered.FAILED:
        check.found.skipped("dns.dnssec_bogus", "the zone is not signed")
