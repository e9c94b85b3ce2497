"""Runs of configurations from the documentation, with other addresses of servers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mailmon.clients.server import Security, default_security
from tests.bed import Bed
from tests.monitor import Monitor

PAGE = Path(__file__).parents[2] / "docs" / "providers.md"


class Ports(NamedTuple):
    """Where the servers of a provider are here, by protocol and by the port that they have out in the world."""

    ports: Mapping[tuple[str, int], int]
    ca_file: Path | None = None


def configuration(heading: str) -> dict[str, Any]:
    """Return the configuration under a heading of the page."""
    _, found, section = PAGE.read_text("utf-8").partition(f"\n## {heading}\n")
    assert found, f"{PAGE.name} has no heading {heading!r}"
    block = re.search(r"```json\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    assert block, f"nothing under {heading!r}"
    document: dict[str, Any] = json.loads(block[1])
    return document


def monitor_for(heading: str, directory: Path, ports: Ports, domains: Mapping[str, str] | None = None) -> Monitor:
    """Return a monitor with a configuration of the page; `domains` stand for those that it names."""
    text = json.dumps(configuration(heading))
    for there, here in (domains or {}).items():
        text = text.replace(there, here)
    config: dict[str, Any] = json.loads(text)
    for account in config["accounts"].values():
        for protocol in ("smtp", "imap", "pop3"):
            if protocol in account:
                account[protocol] = _moved(protocol, account[protocol], ports)
    for name in ("password", "client-secret", "refresh-token"):
        (directory / name).write_text(f"{name}-s3cret\n")
        (directory / name).chmod(0o600)
    checks = {"defaults": {"failure_threshold": 1}, "receive": {"timeout_s": 10}}
    return Monitor(directory, {**config, "checks": checks})


def bed_ports(bed: Bed) -> Ports:
    """Return where the real servers are."""
    named = {
        ("smtp", 25): "smtp", ("smtp", 587): "submission", ("smtp", 465): "smtps",
        ("imap", 993): "imaps", ("pop3", 995): "pop3s",
    }  # fmt: skip
    return Ports({where: bed.ports[name] for where, name in named.items()}, bed.ca_file)


def _moved(protocol: str, server: dict[str, Any], ports: Ports) -> dict[str, Any]:
    usual = {"smtp": 587, "imap": 993, "pop3": 995}[protocol]
    port = server.get("port", usual)
    security = Security(server.get("security", default_security(protocol, port)))
    moved = {**server, "host": "localhost", "connect_to": "127.0.0.1", "port": ports.ports[protocol, port]}
    if security is not Security.PLAIN and "tls_sha256" not in server:
        moved["ca_file"] = str(ports.ca_file)
    return {**moved, "security": security.value, "timeout_s": 5}
