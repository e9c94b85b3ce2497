"""TLS-RPT: where senders report failures of TLS (RFC 8460)."""

from __future__ import annotations

from mailmon.domain.context import OnlyRecord, RecordCheck
from mailmon.mail.records.repair import looks_like_tls_rpt, tls_rpt_record
from mailmon.mail.records.tls_rpt import is_tls_rpt, read_tls_rpt


def run(check: RecordCheck) -> None:
    """Judge the TLS-RPT record."""
    text = check.only_record(
        OnlyRecord(
            "TLS-RPT",
            "tlsrpt",
            "_smtp._tls",
            "where reports on TLS go (TLS-RPT)",
            "TLSRPTv1",
            is_tls_rpt,
            looks_like_tls_rpt,
            read_tls_rpt,
            lambda texts: tls_rpt_record(check.domain, texts),
            "TLS failures are not reported to you: there is no TLS-RPT record",
        )
    )
    if text:
        check.found.passed("tlsrpt.none", f"reports on TLS go to {', '.join(read_tls_rpt(text))}")
