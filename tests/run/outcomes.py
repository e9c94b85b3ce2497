"""What a run saw, and fakes of what it can look around with."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from typing import Any

from mailmon.checks.check import NO_REPLY
from mailmon.clients.connectivity import Monitored, Target, parse_target
from mailmon.clients.deadline import Deadline
from mailmon.clients.resolver import Addresses, packed
from mailmon.errors import Stage, StageError
from mailmon.model import Fact, Finding, Note, Outcome, Severity, Verdict
from mailmon.run.execute import make_outcome
from mailmon.run.network import Means, examine
from mailmon.run.plan import Step

MAIL, OTHER, HERE = "mail.example.org", "mx.example.com", "here.example.net"
MONITORED = Monitored(
    hosts=frozenset({MAIL, OTHER, HERE}),
    addresses={MAIL: ["192.0.2.10"], OTHER: ["192.0.2.20"], HERE: ["127.0.0.1"]},
    domains=frozenset({"example.org", "example.com"}),
    steps={"imap_auth:main": MAIL, "smtp_auth:main": MAIL, "imap_auth:other": OTHER, "imap_auth:here": HERE},
)
NTFY, DNS9, OWN = parse_target("ntfy.sh:443"), parse_target("203.0.113.9:53"), parse_target("ntfy.example.org:443")
UNRESOLVED = parse_target("unresolved.example.net:443")
ALIAS = parse_target("alias.example.net:443")  # resolves to the mail server
DEAD, LIVE = ("198.51.100.53", 53), ("198.51.100.54", 53)
ON_MAIL = ("192.0.2.10", 53)


def outcome_of(step_id: str, *facts: Fact) -> Outcome:
    check, _, name = step_id.partition(":")
    return make_outcome(Step(step_id, check, name, check, lambda _: ()), facts, 1.5)


def finding_at(
    finding_id: str, host: str = MAIL, found: str = "", severity: Severity | None = Severity.ERROR
) -> Finding:
    target = f"{host}:993"
    return Finding(finding_id, Verdict.FAIL, target, f"{target}: no", severity, found=found, fix="Look there.")


def no_reply_outcome(host: str = MAIL, step_id: str = "imap_auth:main") -> Outcome:
    return outcome_of(step_id, finding_at("tcp.unreachable", host, NO_REPLY))


def unresolved_outcome(host: str = MAIL, step_id: str = "imap_auth:main") -> Outcome:
    return outcome_of(step_id, finding_at("dns.resolver_error", host))


def failed_outcome(finding_id: str, host: str = MAIL, step_id: str = "smtp_auth:main") -> Outcome:
    return outcome_of(step_id, finding_at(finding_id, host))


def ok_outcome(step_id: str) -> Outcome:
    return outcome_of(step_id, Note("OK"))


def fake_resolve(host: str, port: int, deadline: Deadline) -> Addresses:
    found = {"ntfy.sh": "203.0.113.80", "alias.example.net": "192.0.2.10"}
    if host == "unresolved.example.net":
        raise StageError("dns.resolver_error", Stage.DNS, host, "no answer")
    if host == "gone.example.net":
        raise StageError("dns.host_not_found", Stage.DNS, host, "no such host name")
    return [(socket.AF_INET, (host if packed(host) else found[host], port))]


def fake_means(
    targets: Sequence[Target] = (),
    nameservers: Sequence[tuple[str, int]] = (DEAD,),
    answering: Mapping[str, bool | None] | None = None,
    said: Mapping[str, str] | None = None,
    seconds: float = 60.0,
    has_route: bool = True,
) -> Means:
    """Return fakes: addresses that answer a knock, and what name servers say; the others are silent."""

    def knock(addresses: Addresses, deadline: Deadline) -> bool | None:
        return (answering or {}).get(addresses[0][1][0], False)

    def ask(name: str, nameserver: tuple[str, int], deadline: Deadline) -> str:
        return "" if nameserver == LIVE else (said or {}).get(name, "silent")

    return Means(targets, nameservers, Deadline(seconds), fake_resolve, knock, ask, lambda _: has_route)


def examined(outcomes: Sequence[Outcome], **how: Any) -> tuple[bool, str]:
    sight = examine(outcomes, MONITORED, fake_means(**how))
    assert sight is not None
    return sight.is_offline, sight.evidence
