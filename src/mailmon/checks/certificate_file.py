"""Do the servers show the certificate that lies in this file, or was a reload forgotten?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mailmon.checks.check import Check
from mailmon.checks.subjects import Host
from mailmon.checks.tools import Tools
from mailmon.clients.server import Server
from mailmon.errors import StageError
from mailmon.model import Fact, Finding, Note, Severity, Verdict


class CertificateFile(NamedTuple):
    """A PEM file, the server's certificate first, and the servers that must show that one."""

    file: str
    servers: tuple[Server, ...]


def ask(tools: Tools, host: Host) -> Iterator[Fact]:
    """Read the file, and ask each server once."""
    wanted = host.certificate
    assert wanted is not None
    from mailmon.clients.tls import pem_digest

    try:
        digest = pem_digest(wanted.file)
    except (OSError, ValueError) as exc:
        said = f"{wanted.file}: {getattr(exc, 'strerror', None) or exc}"
        yield Finding("certificate.not_readable", Verdict.UNKNOWN, host.name, said, fix=_ALLOW)
        return
    for server in wanted.servers:
        yield _compare(tools, server, wanted.file, digest)
    yield Note("OK")


def _compare(tools: Tools, server: Server, file: str, digest: str) -> Finding:
    try:
        shown = tools.shown_certificate(server)
    except StageError as exc:
        return Finding("certificate.not_readable", Verdict.UNKNOWN, server.target, exc.message, fix=exc.advice)
    if shown == digest:
        return Finding("certificate.not_reloaded", Verdict.PASS, server.target, f"shows the certificate of {file}")
    said = f"{server.target} shows another certificate than {file} holds"
    return Finding(
        "certificate.not_reloaded", Verdict.FAIL, server.target, said, Severity.WARNING,
        expected=digest, found=shown, fix="Reload the server: it still has the certificate that it was started with.",
    )  # fmt: skip


_ALLOW = "This user must be allowed to read the file; the key need not be in it (docs/mail-host.md)."

CHECK = Check("certificate_file", "Certificate file", ask)
