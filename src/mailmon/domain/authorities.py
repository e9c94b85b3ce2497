"""Which CAs may issue for the domain, and is the one that is used among them? (CAA: RFC 8659)"""

from __future__ import annotations

from collections.abc import Sequence

from mailmon.clients.records import Answered
from mailmon.domain.live import Live
from mailmon.domain.scene import Area
from mailmon.mail.records.caa import Caa, domains_of_ca, read_caa
from mailmon.model.facts import Severity

MAX_LABELS = 10


def look(area: Area, live: Live) -> None:
    """Judge the CAA records of the domain, and of its own MX hosts."""
    answer = area.scene.records.ask(area.domain, "CAA")
    ours = [host for host in area.scene.hosts if host == area.domain or host.endswith(f".{area.domain}")]
    issuers = [issuer for issuer in map(live.issuer, ours) if domains_of_ca(issuer)]
    wanted = domains_of_ca(issuers[0])[0] if issuers else "letsencrypt.org"
    area.row(area.domain, "CAA", "which CA may issue", answer.values or f'0 issue "{wanted}"', answer)
    if answer.kind is Answered.FAILED:
        area.tell_unknown("dns.caa_conflict", "its CAA records", answer)
        return
    relevant = _relevant(area, area.domain)
    if relevant is None:
        area.found.unknown("dns.caa_conflict", "the CAA records above it could not be looked up")
    elif not relevant:
        area.found.fail("dns.caa_conflict", "there is no CAA record: any CA may issue certificates for it")
    else:
        listed = ", ".join(f"{one.tag} {one.value}" for one in relevant)
        area.found.passed("dns.caa_conflict", f"CAA says {listed}")
    for host in ours:
        _judge_issuer(area, host, live.issuer(host))


def _judge_issuer(area: Area, host: str, issuer: str) -> None:
    allowed = [one for one in _relevant(area, host) or () if one.tag == "issue"]
    domains = domains_of_ca(issuer)
    if not allowed or not domains:
        return
    if not {one.domain for one in allowed} & set(domains):
        said = f"{host} has a certificate of {issuer}, which CAA does not let issue another"
        found = ", ".join(one.domain or "nobody" for one in allowed)
        area.found.fail("dns.caa_conflict", said, Severity.WARNING, expected=" or ".join(domains), found=found)


def _relevant(area: Area, name: str) -> Sequence[Caa] | None:
    """Return the records that hold for a name: its own, else the nearest above (section 3); None for no answer."""
    labels = name.split(".")[-MAX_LABELS:]
    for at in range(len(labels)):
        answer = area.scene.records.ask(".".join(labels[at:]), "CAA")
        if answer.kind is Answered.FAILED:
            return None
        found = [one for one in map(read_caa, answer.values) if one]
        if found:
            return found
    return ()
