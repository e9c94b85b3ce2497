"""What should stand in DNS? Values that can be copied, made from what is there already. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

# How a record may end: with -all or ~all, or in another record.
_END = re.compile(r" (?:[-~]all|redirect=\S+)(?: |$)", re.IGNORECASE)


def spf_record(texts: Sequence[str], missing: Sequence[str], *, is_sending: bool = True) -> str:
    """Return the one SPF record that should stand: several joined, and `missing` addresses let in.

    >>> spf_record(["v=spf1 mx -all"], ["192.0.2.7"])
    'v=spf1 mx ip4:192.0.2.7 -all'
    """
    if not texts and not is_sending:
        return "v=spf1 -all"
    if len(texts) == 1 and not missing and _END.search(texts[0]):
        return texts[0]
    terms: list[str] = []
    for text in texts or ("v=spf1 mx -all",):
        terms += [term for term in text.split()[1:] if term not in terms]
    ends = [term for term in terms if term.lstrip("+-~?").lower() == "all"]
    modifiers = [term for term in terms if term.lower().startswith(("redirect=", "exp="))]
    others = [term for term in terms if term not in ends and term not in modifiers]
    others += [f"ip{ipaddress.ip_address(address).version}:{address}" for address in missing]
    end = _end(ends)
    if any(term.lower().startswith("redirect=") for term in modifiers):
        kept = [*others, *modifiers]
    else:
        kept = [*others, end, *modifiers]
    return " ".join(["v=spf1", *kept])


def _end(ends: Sequence[str]) -> str:
    """Return the `all` that is worth having: the strictest that stands there, at least ~all."""
    return "-all" if "-all" in ends else "~all"


def dmarc_record(domain: str, text: str, policy: str) -> str:
    """Return the DMARC record that should stand, one step stricter than `policy`, with reports asked for.

    >>> dmarc_record("example.org", "v=DMARC1; p=none; rua=mailto:d@example.org", "none")
    'v=DMARC1; p=quarantine; rua=mailto:d@example.org'
    """
    if not text:
        return f"v=DMARC1; p=none; rua=mailto:postmaster@{domain}"
    if policy in ("quarantine", "reject") and "rua" in text and "pct" not in text:
        return text
    parts = [part.strip() for part in text.split(";") if part.strip()]
    names = [part.partition("=")[0].strip().lower() for part in parts]
    kept = []
    for name, part in zip(names, parts, strict=True):
        if name == "pct" or "=" not in part:
            continue
        kept.append("p=quarantine" if name == "p" and policy in ("none", "") else part)
    if "p" not in names:
        kept.insert(1, "p=quarantine")
    if "rua" not in names:
        kept.append(f"rua=mailto:postmaster@{domain}")
    return "; ".join(kept)


def policy_file(hosts: Sequence[str]) -> str:
    """Return an MTA-STS policy to begin with (RFC 8461 section 3.2)."""
    lines = ["version: STSv1", "mode: testing", *(f"mx: {host}" for host in hosts), "max_age: 604800"]
    return "\n".join(lines)


def service_records(domain: str, host: str) -> tuple[tuple[str, str], ...]:
    """Return the names and values of the SRV records by which clients find their servers (RFC 6186, RFC 8314)."""
    return (
        (f"_imaps._tcp.{domain}", f"0 1 993 {host}"),
        (f"_submissions._tcp.{domain}", f"0 1 465 {host}"),
        (f"_submission._tcp.{domain}", f"0 1 587 {host}"),
    )
