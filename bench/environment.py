"""The environment of benchmarks: mailmon, the floor and their peers on one real mail server on loopback."""

from __future__ import annotations

import contextlib
import os
import shutil
import ssl
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bench.commands import Command, base_environment, run
from tests.bed import Bed, bed_directory, missing_programs
from tests.link import Link
from tests.monitor import Monitor

SYSTEM_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
_DATA = os.environ.get("MAILMON_TEST_DATA", "")
_FLOOR = Path(_DATA, "testbed", "floor.py")


class SkipError(Exception):
    """A part cannot be measured here; the text says what is missing."""


class Ports(NamedTuple):
    """Where a client sends and where it reads (IMAP with implicit TLS)."""

    sending: int
    reading: int


class Environment:
    """A running bed, a directory for the clients' files, and a bundle with all CAs of the system and the bed's one."""

    def __init__(self, bed: Bed, directory: Path) -> None:
        self.bed = bed
        self.directory = directory
        self.ca_bundle = directory / "ca-bundle.pem"
        self.ca_bundle.write_bytes(_system_bundle().read_bytes() + b"\n" + bed.ca_file.read_bytes())
        self.environ = base_environment(directory) | {"SSL_CERT_FILE": str(self.ca_bundle)}

    def ports(self, sending: str = "submission") -> Ports:
        """Return the ports of the bed itself: submission (STARTTLS) or smtps, and imaps."""
        return Ports(self.bed.ports[sending], self.bed.ports["imaps"])

    def monitor(self, ports: Ports, *, to: str = "") -> Monitor:
        """Return mailmon with a configuration and a state of its own, as a small site has it: one alert channel."""
        account = {
            "address": self.bed.user,
            "password": self.bed.password,
            "smtp": {"host": self.bed.host, "port": ports.sending, "security": "starttls"},
            "imap": {"host": self.bed.host, "port": ports.reading, "security": "tls"},
        }
        config: dict[str, Any] = {
            "accounts": {"main": account},
            "routes": {"main": {"from": "main", "to": to or self.bed.user, "in": "main"}},
            # Nothing listens there: in a quiet run nobody is told anything.
            "notify": {"ntfy": {"server": "http://127.0.0.1:9", "topic": "bench"}},
        }
        directory = Path(tempfile.mkdtemp(prefix="monitor-", dir=self.directory))
        monitor = Monitor(directory, config, dict(self.environ))
        monitor.write()
        return monitor

    def check(self, monitor: Monitor) -> Command:
        """Return one `mailmon check`, after two that are not measured: they leave what every later run finds."""
        command = Command(monitor.command("check", "--json"), self.environ)
        for _ in range(2):
            run(command, self.directory)
        return command

    def floor(self, ports: Ports) -> Command:
        """Return the least work that a cycle needs; see `has_floor`."""
        environ = {"TB_SUBMISSION": str(ports.sending), "TB_IMAPS": str(ports.reading)}
        argv = [sys.executable, str(_FLOOR), "--wait", "prop", "--cafile", str(self.ca_bundle)]
        return Command(argv, self.environ | environ)

    @contextlib.contextmanager
    def links(self, delay_s: float, sending: str = "submission") -> Iterator[tuple[Link, Link]]:
        """Put a link before both ports, `delay_s` each way."""
        ports = self.ports(sending)
        with Link(ports.sending, delay_s=delay_s) as smtp, Link(ports.reading, delay_s=delay_s) as imap:
            yield smtp, imap


def has_floor() -> bool:
    """Say whether the folder with floor.py is named; where it is not, print that the ratios to it are skipped."""
    if _DATA and _FLOOR.is_file():
        return True
    print("skipped: floor.py and the ratios to it; MAILMON_TEST_DATA does not name the folder with testbed/floor.py")
    return False


@contextlib.contextmanager
def running_environment() -> Iterator[Environment]:
    """Start a bed for all parts. Raises SkipError where it cannot run."""
    if missing := missing_programs():
        raise SkipError(f"no mail server to measure with; missing: {', '.join(missing)} (make test-system-deps)")
    directory = bed_directory()
    try:
        with Bed(directory) as bed, tempfile.TemporaryDirectory(prefix="bench-") as files:
            yield Environment(bed, Path(files))
    finally:
        shutil.rmtree(directory)


def _system_bundle() -> Path:
    names = (ssl.get_default_verify_paths().openssl_cafile, *SYSTEM_BUNDLES)
    for path in map(Path, names):
        if path.is_file():
            return path
    raise SkipError("this system has no bundle of CA certificates to read")
