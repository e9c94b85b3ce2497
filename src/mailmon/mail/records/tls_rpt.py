"""TLS-RPT records: where reports on TLS go (RFC 8460 section 3)."""

from __future__ import annotations

from mailmon.mail.records.tags import Mistake, begins_strictly, read_fields


def is_tls_rpt(text: str) -> bool:
    """Return whether a TXT record is one of TLS-RPT."""
    return begins_strictly(text, "TLSRPTv1")


def read_tls_rpt(text: str) -> tuple[str, ...]:
    """Return the URIs of a record. Raises Mistake.

    >>> read_tls_rpt("v=TLSRPTv1; rua=mailto:tls@example.org")
    ('mailto:tls@example.org',)
    """
    uris = tuple(part.strip() for part in read_fields(text).get("rua", "").split(",") if part.strip())
    if not uris:
        raise Mistake("there is no rua= with an address")
    for uri in uris:
        scheme, colon, rest = uri.partition(":")
        if not colon or scheme.lower() not in ("mailto", "https") or not rest:
            raise Mistake(f"rua: {uri[:60]!r} is neither mailto: nor https:")
        if any(one.isspace() for one in uri):
            raise Mistake(f"rua: {uri[:60]!r} holds a blank: a comma parts addresses (RFC 8460 section 3)")
        if scheme.lower() == "mailto" and ("@" not in rest or rest.startswith("/")):
            raise Mistake(f"rua: {uri[:60]!r} holds no address")
    return uris
