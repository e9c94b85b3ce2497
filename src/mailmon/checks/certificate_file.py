"""Do the servers show the certificate in this file, or was a reload forgotten? Does it last for a while yet?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from mailmon.checks.certificate import CertificateLimits, certificate_facts
from mailmon.checks.check import Check
from mailmon.checks.context import RunContext
from mailmon.checks.targets import Host
from mailmon.clients.server import Server
from mailmon.errors import StageError
from mailmon.model import Certificate, Fact, Finding, Note, Severity, Verdict

if TYPE_CHECKING:  # only who looks at files loads it
    from mailmon.clients.certificate import Leaf


class CertificateFile(NamedTuple):
    """A PEM file, the server's certificate first, and the servers that must show that one."""

    file: str
    servers: tuple[Server, ...]
    limits: CertificateLimits = CertificateLimits()


def ask(tools: RunContext, host: Host) -> Iterator[Fact]:
    """Read the file, and ask each server once."""
    wanted = host.certificate
    assert wanted is not None
    from mailmon.clients.certificate import read_leaf_file

    try:
        leaf = read_leaf_file(wanted.file)
    except (OSError, ValueError) as exc:
        said = f"{wanted.file}: {getattr(exc, 'strerror', None) or exc}"
        yield Finding("certificate.not_readable", Verdict.UNKNOWN, host.name, said, fix=_ALLOW)
        return
    compared = [_compare(tools, server, wanted.file, leaf) for server in wanted.servers]
    yield from compared
    lasts = certificate_facts(leaf.about, wanted.limits, wanted.file, tools.world.now())
    # What servers show too is told once for all of them; a file that nobody shows is this step's own concern.
    yield from lasts if any(one.status is Verdict.PASS for one in compared) else _own(list(lasts))
    yield Note("OK")


def _own(facts: list[Fact]) -> Iterator[Fact]:
    is_critical = any(isinstance(fact, Certificate) and fact.is_critical for fact in facts)
    for fact in facts:
        if isinstance(fact, Finding) and is_critical:
            yield fact._replace(severity=Severity.ERROR)
        elif not isinstance(fact, Certificate):
            yield fact


def _compare(tools: RunContext, server: Server, file: str, leaf: Leaf) -> Finding:
    from mailmon.clients.certificate import read_leaf

    try:
        shown = read_leaf(tools.shown_certificate(server))
    except StageError as exc:
        return Finding("certificate.not_readable", Verdict.UNKNOWN, server.target, exc.message, fix=exc.advice)
    if shown.digest == leaf.digest:
        return Finding("certificate.not_reloaded", Verdict.PASS, server.target, f"shows the certificate of {file}")
    said = f"{server.target} shows another certificate{_until(shown)} than {file} holds{_until(leaf)}"
    is_newer = shown.about and leaf.about and shown.about.until_s > leaf.about.until_s
    return Finding(
        "certificate.not_reloaded", Verdict.FAIL, server.target, said, Severity.WARNING,
        expected=leaf.digest, found=shown.digest, fix=_OTHER_FILE if is_newer else _RELOAD,
    )  # fmt: skip


def _until(leaf: Leaf) -> str:
    return f" (until {datetime.fromtimestamp(leaf.about.until_s, UTC):%Y-%m-%d})" if leaf.about else ""


_RELOAD = "Reload the server: it still has the certificate that it was started with."
_OTHER_FILE = "The server's certificate is the newer one: does it use another file?"
_ALLOW = "This user must be allowed to read the file; the key need not be in it (docs/mail-host.md)."

CHECK = Check("certificate_file", "Certificate file", ask)
