"""Results of an examination of a mail server: endpoints, services and findings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from mailmon.model.findings import Finding, Severity, Verdict

SEVERITIES = (Severity.CRITICAL, Severity.ERROR, Severity.WARNING, Severity.NOTICE, Severity.INFO)


class Endpoint(NamedTuple):
    """One port at one address. `protocol` is smtp, imap, pop3 or sieve; `needs_login` holds for submission.

    `is_asked_for` says that somebody named this port; of the usual ones nobody expects that all are open.
    """

    host: str
    address: str
    port: int
    protocol: str
    is_implicit_tls: bool = False
    needs_login: bool = False
    is_asked_for: bool = True
    is_one_of_many: bool = False

    @property
    def target(self) -> str:
        """Return `host:port`, with the address where the host has several."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port} ({self.address})" if self.is_one_of_many else f"{host}:{self.port}"


class TlsFacts(NamedTuple):
    """What a handshake came to. `not_after` is ISO 8601 in UTC, `sha256` the leaf certificate's digest in hex."""

    version: str
    cipher: str
    subject: str = ""
    issuer: str = ""
    names: tuple[str, ...] = ()
    not_after: str = ""
    sha256: str = ""
    key: str = ""
    signature: str = ""
    chain: int = 0
    is_forward_secret: bool = True


@dataclass(slots=True)
class Service:
    """What one endpoint says of itself. `timings` are seconds, by connect_s, banner_s, ehlo_s and tls_s.

    `software` is its name where the words of the server tell it, else "".
    """

    target: str
    address: str
    protocol: str
    banner: str = ""
    ehlo: str = ""
    software: str = ""
    extensions: list[str] = field(default_factory=list)
    tls: TlsFacts | None = None
    timings: dict[str, float] = field(default_factory=dict)


class Line(NamedTuple):
    """One line of a conversation; `who` is client or server."""

    at_s: float
    who: str
    text: str


class Transcript(NamedTuple):
    """One connection's conversation, credentials masked."""

    target: str
    purpose: str
    lines: tuple[Line, ...]


class Left(NamedTuple):
    """Messages that a test left in a mailbox, known by their tokens."""

    mailbox: str
    tokens: tuple[str, ...]


class Diagnosis(NamedTuple):
    """All that was found out about a host."""

    host: str
    addresses: tuple[str, ...]
    findings: tuple[Finding, ...]
    services: tuple[Service, ...] = ()
    transcripts: tuple[Transcript, ...] = ()
    notes: tuple[str, ...] = ()
    duration_s: float = 0.0
    left: tuple[Left, ...] = ()


def severity_rank(severity: Severity | None) -> int:
    """Return how bad a severity is: 4 for critical, 0 for info, -1 for none."""
    return -1 if severity is None else len(SEVERITIES) - 1 - SEVERITIES.index(severity)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return the worst first, then what is unknown, skipped and passed; each finding once."""
    places = {Verdict.FAIL: 0, Verdict.UNKNOWN: 1, Verdict.SKIPPED: 2, Verdict.PASS: 3}
    once = {(one.id, one.target, one.status, one.message): one for one in findings}
    return sorted(once.values(), key=lambda one: (places[one.status], -severity_rank(one.severity)))


def summarise(findings: Iterable[Finding]) -> dict[str, int]:
    """Count findings by severity, and those that are no failures by their status."""
    counts = dict.fromkeys(("critical", "error", "warning", "notice", "info", "unknown", "skipped", "pass"), 0)
    for finding in findings:
        counts[(finding.severity or finding.status).value] += 1
    return counts
