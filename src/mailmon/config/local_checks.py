"""What may be said of the checks of this very machine: its mail queues, its certificates?"""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from mailmon.clients.server import Security, Server, Trust
from mailmon.config.account_options import FileName, Word
from mailmon.config.check_options import CertificateDays, CheckOptions, CriticalDays, Duration
from mailmon.text import parse_duration
from mailmon.typedjson.declare import About, Between, HostPort, Name, Timeout, options

if TYPE_CHECKING:
    from mailmon.checks.targets import Host as HostSubject

Most = Annotated[int, Between(0, 10_000_000)]


@options
class MailQueueOptions:
    """One instance of Postfix, and how much may wait in it."""

    config_directory: Annotated[FileName | None, About("Its configuration directory, as `postqueue -c` has it")] = None
    command: Annotated[
        tuple[Word, ...] | None, About("Another command that prints what `postqueue -j` does, as a list of words")
    ] = None
    max_deferred: Annotated[Most | None, About("Messages not delivered yet above which a warning is told")] = 50
    critical_deferred: Annotated[Most | None, About("Messages not delivered yet above which that is a failure")] = None
    max_active: Annotated[Most | None, About("Messages being delivered above which a warning is told")] = 1000
    max_hold: Annotated[Most | None, About("Messages on hold above which a warning is told")] = None
    max_age: Annotated[Duration | None, About("Age of the oldest message above which a warning is told")] = "4h"
    max_arriving: Annotated[
        Duration | None, About("Age of the oldest message in incoming and maildrop above which a warning is told")
    ] = "15m"
    timeout_s: Annotated[Timeout, About("Seconds that listing the queue may take")] = 30.0


@options
class QueueOptions(CheckOptions):
    """The mail queues of this machine (Postfix)."""

    instances: Annotated[
        dict[Name, MailQueueOptions], About('Instances of Postfix by name; one as usual is {"postfix": {}}')
    ] = field(default_factory=dict)
    interval: Annotated[Duration, About("Time between two looks; by default every run looks")] = 0


@options
class CertificateFileOptions:
    """A certificate's file, and who must show what it holds."""

    file: Annotated[FileName, About("PEM file, the server's own certificate first; it need not hold the key")]
    servers: Annotated[tuple[HostPort, ...], About("Servers that must show it: HOST:PORT, or HOST:PORT:KIND")]

    def __post_init__(self) -> None:
        for server in self.servers:
            _server(server)


@options
class CertificateFilesOptions(CheckOptions):
    """Files of certificates against what the servers of this machine show."""

    files: Annotated[dict[Name, CertificateFileOptions], About("Certificates by name")] = field(default_factory=dict)
    interval: Annotated[Duration, About("Time between two looks; by default every hour")] = "1h"
    certificate_days: CertificateDays = None
    certificate_critical_days: CriticalDays = None


def certificates_of(asked: CertificateFilesOptions, base: Path) -> tuple[HostSubject, ...]:
    """Return the files that are compared."""
    from mailmon.checks.certificate import CertificateLimits
    from mailmon.checks.certificate_file import CertificateFile
    from mailmon.checks.targets import Host as Subject

    limits = CertificateLimits(asked.certificate_days, asked.certificate_critical_days)
    return tuple(
        Subject(
            name,
            _seconds(asked.interval),
            certificate=CertificateFile(str(base / own.file), tuple(map(_server, own.servers)), limits),
        )
        for name, own in asked.files.items()
    )


def _server(text: str) -> Server:
    """Return a server whose certificate is only looked at. Raises ValueError."""
    from mailmon.diagnose.plan import kinds_for, split_target

    host, ports = split_target(text)
    if not ports:
        raise ValueError(f"{text[:80]!r}: which port? Write HOST:PORT")
    kind = kinds_for(ports, None)[0]
    if kind.protocol == "sieve":
        raise ValueError(f"{text[:80]!r}: only of smtp, imap and pop3 the certificate is looked at")
    security = Security.TLS if kind.is_implicit_tls else Security.STARTTLS
    return Server(kind.protocol, host, kind.port, security, Trust(insecure=True))


def queues_of(asked: QueueOptions, base: Path) -> tuple[HostSubject, ...]:
    """Return the queues that are looked at."""
    from mailmon.checks.queue import QueueLimits, QueueSettings
    from mailmon.checks.targets import Host as Subject

    found = []
    for name, own in asked.instances.items():
        ages_s = [None if age is None else _seconds(age) for age in (own.max_age, own.max_arriving)]
        limits = QueueLimits(own.max_deferred, own.critical_deferred, own.max_active, own.max_hold, *ages_s)
        directory = str(base / own.config_directory) if own.config_directory else None
        settings = QueueSettings(own.command or (), directory, limits, own.timeout_s)
        found.append(Subject(name, _seconds(asked.interval), queue=settings))
    return tuple(found)


def _seconds(duration: float | str) -> float:
    return parse_duration(duration) if isinstance(duration, str) else float(duration)
