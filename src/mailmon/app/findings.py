"""What `diagnose` and `dns` share: name servers as text, and findings chosen by id or pattern."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable

from mailmon.clients.connectivity import parse_target
from mailmon.errors import UsageError
from mailmon.findings.registry import unknown_pattern
from mailmon.findings.row import is_meant
from mailmon.model import Finding


def selected(findings: Iterable[Finding], only: Collection[str], skip: Collection[str]) -> tuple[Finding, ...]:
    """Return the findings that `only` names, all where it is empty, without those that `skip` names.

    Both hold ids, areas and patterns: `tls.cert_expired`, `tls`, `tls.no_*`.
    """
    return tuple(one for one in findings if (not only or is_meant(one.id, only)) and not is_meant(one.id, skip))


def must_be_known(patterns: Collection[str]) -> None:
    """Refuse an id or pattern that names no finding at all. Raises UsageError."""
    if said := unknown_pattern(patterns):
        raise UsageError(said)


def read_nameservers(texts: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Return name servers given as HOST[:PORT]. Raises UsageError."""
    try:
        return tuple(map(_nameserver, texts))
    except ValueError as exc:
        raise UsageError(str(exc)) from exc


def read_address(text: str, field: str) -> str:
    """Return an IP address in its usual form. Raises UsageError of the field."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as exc:
        raise UsageError(f"{text[:80]!r} is not an IP address", field=field) from exc


def _nameserver(text: str) -> tuple[str, int]:
    target = parse_target(
        text if (":" in text and not text.count(":") > 1) or text.startswith("[") else f"{_bracketed(text)}:53"
    )
    return target.host, target.port


def _bracketed(text: str) -> str:
    return f"[{text}]" if ":" in text else text
