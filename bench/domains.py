"""Agreement of `mailmon dns` with checkdmarc about twenty domains and more, and the cost of both."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from bench.environment import SkipError
from bench.tables import Bound, print_table
from tests.domain.cases import Case, zones_of
from tests.domain.cases_healthy import HEALTHY
from tests.domain.cases_policies import DMARC, SPF, TLS
from tests.domain.cases_routing import ROUTING
from tests.domain.nameserver import serving

MAX_WALL_S, LATENCY_S = 2.0, 0.02
MIN_DOMAINS = 20
_TIMEOUT_S = 120
# Run by the interpreter beside `checkdmarc`: its command cannot be told a name server's port.
_PEER = """
import json, sys, dns.resolver, dns.nameserver, checkdmarc
resolver = dns.resolver.Resolver(configure=False)
resolver.nameservers = [dns.nameserver.Do53Nameserver("127.0.0.1", int(sys.argv[1]))]
print(json.dumps(checkdmarc.check_domains([sys.argv[2]], resolver=resolver, timeout=2.0), default=str))
"""
_HOSTS = "MX hosts without address"
# Where both differ on purpose, and why. Everything else counts as a disagreement.
_IGNORED = "RFC 7489 section 6.3: a mistake in rua is ignored, the policy holds (mailmon: dmarc.syntax, a warning)"
EXPLAINED = {
    ("an MX names an address", _HOSTS): "mailmon has an id of its own for it, dns.mx_is_address",
    ("an alias that leads to itself", _HOSTS): "no answer is unknown, not missing",
    ("t=y in DMARC", "policy"): "RFC 9989: t=y asks receivers not to act, so mailmon says none",
    ("an address without mailto:", "usable DMARC"): _IGNORED,
    ("an address without mailto:", "policy"): _IGNORED,
}
_SPF_UNUSABLE = ("spf.none", "spf.multiple_records", "spf.syntax", "spf.include_none", "spf.too_many_lookups")
_ASKED = ("usable SPF", "look-ups", "usable DMARC", "policy", "usable TLS-RPT", _HOSTS)
_THREE = Case("three MX hosts", "", {
    "@ MX": ["10 mx1.firm.example.", "20 mx2.firm.example.", "30 mx.carrier.example."],
    "_25._tcp.mx1 TLSA": [f"3 1 1 {'ab' * 32}"], "_25._tcp.mx2 TLSA": [f"3 1 1 {'ab' * 32}"],
})  # fmt: skip


class Seen(NamedTuple):
    """What one tool says of one domain: the answers to _ASKED."""

    answers: tuple[str, ...]
    wall_s: float


def measure(_rounds: int) -> list[Bound]:
    """Ask both about each domain; then look at one with three MX hosts through a slow resolver."""
    peer = shutil.which("checkdmarc")
    if not peer:
        raise SkipError("there is no checkdmarc: pipx install checkdmarc")
    cases = [case for case in (*HEALTHY, *ROUTING, *SPF, *DMARC, *TLS) if not case.faults and case.domain != "x"]
    rows, walls, differing = [], [0.0, 0.0], 0
    for case in cases:
        with serving(zones_of(case)) as server:
            ours = _ours(case, server.port)
            theirs = _theirs(case, server.port, Path(peer).parent / "python")
        walls[0], walls[1] = walls[0] + ours.wall_s, walls[1] + theirs.wall_s
        for asked, one, other in zip(_ASKED, ours.answers, theirs.answers, strict=True):
            if one != other:
                why = EXPLAINED.get((case.name, asked), "")
                differing += not why
                rows.append((case.name, asked, one, other, why or "-"))
    print_table(
        f"{len(cases)} domains: where mailmon dns and checkdmarc differ",
        ("domain", "asked", "mailmon", "checkdmarc", "why"),
        rows,
    )
    return [
        Bound("domains compared", -float(len(cases)), -float(MIN_DOMAINS), "{:.0f}"),
        Bound("answers that differ without a reason", float(differing), 0.0, "{:.0f}"),
        Bound("wall of mailmon dns to checkdmarc", walls[0] / walls[1], 1.5, "{:.2f}"),
        Bound(f"three MX hosts, {LATENCY_S * 1000:.0f} ms a question, wall", _slow_resolver(), MAX_WALL_S, "{:.2f} s"),
    ]


def _slow_resolver() -> float:
    walls = []
    for _ in range(5):
        with serving(zones_of(_THREE), latency_s=LATENCY_S) as server:
            walls.append(_ours(_THREE, server.port).wall_s)
    return sorted(walls)[2]


def _ours(case: Case, port: int) -> Seen:
    command = [sys.executable, "-m", "mailmon", "dns", case.domain, "--json", "--no-connect"]
    document, wall_s = _run([*command, "--nameserver", f"127.0.0.1:{port}"], (0, 1, 75))
    failed = {one["id"]: one for one in document["findings"] if one["status"] == "fail"}
    passed = {one["id"]: one for one in document["findings"] if one["status"] == "pass"}
    is_usable = "spf.none" in passed and not set(_SPF_UNUSABLE) & set(failed)
    dmarc = passed.get("dmarc.policy_none") or failed.get("dmarc.policy_none")
    policy = "none" if "dmarc.policy_none" in failed else ""
    if dmarc and dmarc["status"] == "pass":
        policy = dmarc["message"].partition("policy is ")[2].partition(",")[0]
    dangling = sum(one["id"] == "dns.mx_dangling" and one["status"] == "fail" for one in document["findings"])
    lookups = str(document["spf"][0]["lookups"]) if is_usable and document["spf"] else "-"
    is_reported = "tlsrpt.none" in passed
    return Seen((str(is_usable), lookups, str(bool(dmarc)), policy or "-", str(is_reported), str(dangling)), wall_s)


def _theirs(case: Case, port: int, python: Path) -> Seen:
    document, wall_s = _run([str(python), "-W", "ignore", "-c", _PEER, str(port), case.domain], (0,))
    spf, dmarc, mx = document.get("spf", {}), document.get("dmarc", {}), document.get("mx", {})
    is_usable, has_dmarc = bool(spf.get("valid")), bool(dmarc.get("valid"))
    policy = dmarc.get("tags", {}).get("p", {}).get("value", "-") if has_dmarc else "-"
    dangling = sum(not host.get("addresses") for host in mx.get("hosts", ()))
    return Seen(
        (
            str(is_usable),
            str(spf.get("dns_lookups")) if is_usable else "-",
            str(has_dmarc),
            policy,
            str(bool(document.get("smtp_tls_reporting", {}).get("valid"))),
            str(dangling),
        ),
        wall_s,
    )


def _run(command: list[str], expected: tuple[int, ...]) -> tuple[dict[str, Any], float]:
    begun = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    wall_s = time.monotonic() - begun
    if done.returncode not in expected:
        raise SkipError(f"{Path(command[0]).name} ended with {done.returncode}: {done.stderr[-300:]}")
    document: dict[str, Any] = json.loads(done.stdout)
    return document, wall_s
