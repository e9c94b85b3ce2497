"""Certificate files: whether the servers show the certificate in a file, and how long it lasts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, NamedTuple

from mailmon.checks.certificate import CertificateLimits, certificate_facts
from mailmon.checks.check import ConfigContext, HostCheck
from mailmon.checks.context import RunContext
from mailmon.checks.options import CertificateDays, CheckOptions, CriticalDays
from mailmon.clients.server import Security, Server, Trust
from mailmon.errors import StageError
from mailmon.findings import make_finding
from mailmon.model import Certificate, Fact, Finding, Note, Severity, Verdict
from mailmon.typedjson.declare import About, Duration, FileName, HostPort, Name, options, seconds

if TYPE_CHECKING:  # loaded only where files are configured
    from mailmon.clients.certificate import Leaf


@options
class CertificateFileOptions:
    """A certificate file, and the servers that must show what it contains."""

    file: Annotated[FileName, About("PEM file, the server's own certificate first; the key need not be in it")]
    servers: Annotated[tuple[HostPort, ...], About("Servers that must show it: HOST:PORT, or HOST:PORT:KIND")]

    def __post_init__(self) -> None:
        for server in self.servers:
            _server(server)


@options
class CertificateFilesOptions(CheckOptions):
    """Certificate files, compared with what the servers of this machine show."""

    files: Annotated[dict[Name, CertificateFileOptions], About("Certificates by name")] = field(default_factory=dict)
    interval: Annotated[Duration, About("Time between two checks")] = "1h"
    certificate_days: CertificateDays = None
    certificate_critical_days: CriticalDays = None


class CertificateFile(NamedTuple):
    """A PEM file, the server's certificate first, and the servers that must show that one."""

    name: str
    interval_s: float
    file: str
    servers: tuple[Server, ...]
    limits: CertificateLimits = CertificateLimits()


def targets(asked: CertificateFilesOptions, config: ConfigContext) -> Iterator[CertificateFile]:
    """Yield the files to compare."""
    limits = CertificateLimits(asked.certificate_days, asked.certificate_critical_days)
    for name, own in asked.files.items():
        file, servers = str(config.directory / own.file), tuple(map(_server, own.servers))
        yield CertificateFile(name, seconds(asked.interval), file, servers, limits)


def _server(text: str) -> Server:
    """Return a server of which only the certificate is read. Raises ValueError."""
    from mailmon.diagnose.plan import kinds_for, split_target

    host, ports = split_target(text)
    if not ports:
        raise ValueError(f"{text[:80]!r}: which port? Write HOST:PORT")
    kind = kinds_for(ports, None)[0]
    if kind.protocol == "sieve":
        raise ValueError(f"{text[:80]!r}: only smtp, imap and pop3 are supported")
    security = Security.TLS if kind.is_implicit_tls else Security.STARTTLS
    return Server(kind.protocol, host, kind.port, security, Trust(insecure=True))


def run(context: RunContext, wanted: CertificateFile) -> Iterator[Fact]:
    """Read the file, and ask each server once."""
    from mailmon.clients.certificate import read_leaf_file

    try:
        leaf = read_leaf_file(wanted.file)
    except (OSError, ValueError) as exc:
        said = f"{wanted.file}: {getattr(exc, 'strerror', None) or exc}"
        yield make_finding("certificate.not_readable", Verdict.UNKNOWN, wanted.name, said)
        return
    compared = [_compare(context, server, wanted.file, leaf) for server in wanted.servers]
    yield from compared
    lasts = certificate_facts(leaf.about, wanted.limits, wanted.file, context.environment.now())
    # What servers show too is reported once for all of them; a file that none shows is this step's own finding.
    yield from lasts if any(one.status is Verdict.PASS for one in compared) else _own(list(lasts))
    yield Note("OK")


def _own(facts: list[Fact]) -> Iterator[Fact]:
    is_critical = any(isinstance(fact, Certificate) and fact.is_critical for fact in facts)
    for fact in facts:
        if isinstance(fact, Finding) and is_critical:
            yield fact._replace(severity=Severity.ERROR)
        elif not isinstance(fact, Certificate):
            yield fact


def _compare(context: RunContext, server: Server, file: str, leaf: Leaf) -> Finding:
    from mailmon.clients.certificate import read_leaf

    try:
        shown = read_leaf(context.shown_certificate(server))
    except StageError as exc:
        return make_finding("certificate.not_readable", Verdict.UNKNOWN, server.target, exc.message, fix=exc.advice)
    if shown.digest == leaf.digest:
        return make_finding("certificate.not_reloaded", Verdict.PASS, server.target, f"shows the certificate of {file}")
    said = f"{server.target} shows another certificate{_until(shown)} than {file} holds{_until(leaf)}"
    is_newer = shown.about and leaf.about and shown.about.until_s > leaf.about.until_s
    return make_finding(
        "certificate.not_reloaded", Verdict.FAIL, server.target, said,
        expected=leaf.digest, found=shown.digest, fix=_OTHER_FILE if is_newer else None,
    )  # fmt: skip


def _until(leaf: Leaf) -> str:
    return f" (until {datetime.fromtimestamp(leaf.about.until_s, UTC):%Y-%m-%d})" if leaf.about else ""


_OTHER_FILE = "The server's certificate is the newer one: does it use another file?"

CHECK = HostCheck(
    name="certificate_file",
    label="Certificate file",
    about="Compares a certificate file with what servers show, and warns before it expires.",
    options=CertificateFilesOptions,
    targets=targets,
    run=run,
)
