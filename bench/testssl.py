"""Agreement of `mailmon diagnose` with testssl.sh on versions, chain and expiry, and the cost of both."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bench.environment import Environment, SkipError
from bench.tables import Bound, print_table

# Five servers: a port of the real ones, and the certificate that they show then.
SERVERS = (
    ("submission", "submission", "smtp", "server"),
    ("smtps", "smtps", "", "expired"),
    ("imaps", "imaps", "", "wronghost"),
    ("imap", "imap", "imap", "soon"),
    ("pop3s", "pop3s", "", "selfsigned"),
)
MAX_WALL_S, MAX_CPU_S = 3.0, 1.5
VERSIONS = ("TLS1", "TLS1_1", "TLS1_2", "TLS1_3")
_TIMEOUT_S = 240


class Seen(NamedTuple):
    """What one tool says of one server."""

    versions: str
    chain: str
    name: str
    not_after: str
    wall_s: float


def measure(environment: Environment, _rounds: int) -> list[Bound]:
    """Ask both about each server; then look at all ports of the healthy one."""
    if not shutil.which("testssl"):
        raise SkipError("there is no testssl: apt install testssl.sh")
    rows = []
    differences = 0
    for port, kind, starttls, certificate in SERVERS:
        environment.bed.use_certificate(certificate)
        try:
            theirs, ours = _testssl(environment, port, starttls), _diagnose(environment, port, kind)
        finally:
            environment.bed.use_certificate("server")
        same = [one == other for one, other in zip(ours[:4], theirs[:4], strict=True)]
        differences += same.count(False)
        rows += [
            (f"{port}, {certificate}", "testssl.sh", *theirs[:4], f"{theirs.wall_s:.1f}"),
            ("", "mailmon", *ours[:4], f"{ours.wall_s:.2f}"),
        ]
    columns = ("server", "tool", "versions", "chain", "name", "not after (UTC)", "wall s")
    print_table("testssl.sh and mailmon diagnose", columns, rows)
    return [Bound("answers that differ", float(differences), 0.0, "{:.0f}"), *_all_ports(environment)]


def _all_ports(environment: Environment) -> list[Bound]:
    kinds = ("smtp", "submission", "smtps", "imap", "imaps", "pop3", "pop3s")
    ports = [word for kind in kinds for word in ("--port", f"{environment.bed.ports[kind]}:{kind}")]
    walls, cpus = [], []
    for _ in range(5):
        begun, before = time.monotonic(), _children_cpu_s()
        _mailmon(environment, *ports, "--relay-test", "--trusted-client")
        walls.append(time.monotonic() - begun)
        cpus.append(_children_cpu_s() - before)
    wall_s, cpu_s = sorted(walls)[2], sorted(cpus)[2]
    return [
        Bound("all ports of a healthy server, wall", wall_s, MAX_WALL_S, "{:.2f} s"),
        Bound("all ports of a healthy server, CPU", cpu_s, MAX_CPU_S, "{:.2f} s"),
    ]


def _children_cpu_s() -> float:
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _mailmon(environment: Environment, *arguments: str) -> dict[str, Any]:
    command = [str(Path(sys.executable).with_name("mailmon")), "diagnose", "mail.test", "--json"]
    command += [
        "--ca-file",
        str(environment.bed.ca_file),
        "--nameserver",
        f"127.0.0.1:{environment.bed.ports['dns']}",
        *arguments,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _diagnose(environment: Environment, port: str, kind: str) -> Seen:
    begun = time.monotonic()
    found = _mailmon(environment, "--port", f"{environment.bed.ports[port]}:{kind}")
    wall_s = time.monotonic() - begun
    failed = {one["id"]: one for one in found["findings"] if one["status"] == "fail"}
    tls = found["services"][0]["tls"]
    versions = ["1.2"] if "tls.no_tls13" in failed else ["1.2", "1.3"]
    old = failed.get("tls.old_version", {}).get("message", "")
    versions = [word for word in ("1.0", "1.1") if f"TLSv{word}" in old] + versions
    is_chained = not {"tls.cert_untrusted", "tls.cert_self_signed", "tls.cert_chain_incomplete"} & set(failed)
    chain = "expired" if "tls.cert_expired" in failed else "good" if is_chained else "self-signed"
    name = "other" if "tls.cert_name" in failed else "fits"
    return Seen(" ".join(versions), chain, name, tls["not_after"].replace("T", " ")[:16], wall_s)


def _testssl(environment: Environment, port: str, starttls: str) -> Seen:
    report = environment.directory / "testssl.json"
    report.unlink(missing_ok=True)
    more = ["-t", starttls] if starttls else []
    target = f"mail.test:{environment.bed.ports[port]}"
    command = ["testssl", "--quiet", "--warnings", "off", "--ip", "127.0.0.1", *more, "-p", "-S"]
    command += ["--add-ca", str(environment.bed.ca_file), "--jsonfile", str(report), target]
    begun = time.monotonic()
    subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False)
    wall_s = time.monotonic() - begun
    said: Mapping[str, str] = {row["id"]: row["finding"] for row in json.loads(report.read_text("utf-8"))}
    numbers = dict(zip(VERSIONS, ("1.0", "1.1", "1.2", "1.3"), strict=True))
    versions = [number for key, number in numbers.items() if said.get(key, "").startswith("offered")]
    trust, chain = said.get("cert_trust", ""), said.get("cert_chain_of_trust", "")
    word = "good" if "passed" in chain else "expired" if "expired" in chain else "self-signed"
    name = "fits" if trust.lower().startswith("ok") else "other"
    return Seen(" ".join(versions), word, name, said.get("cert_notAfter", "")[:16], wall_s)
