"""CAA: the CAs that may issue certificates for the domain, and whether those in use are among them (RFC 8659)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailmon.clients.records import Answered
from mailmon.domain.context import RecordCheck
from mailmon.domain.servers import MxSessions
from mailmon.mail.records.caa import Caa, domains_of_ca, may_issue, read_caa
from mailmon.model.findings import Severity
from mailmon.text import visible

MAX_LABELS = 10
PURPOSE = "which CA may issue"
# Another CA's name would block the next renewal; only a certificate shows which CA is used.
GUESS = "name the CA that you use"


def run(check: RecordCheck) -> None:
    """Judge the CAA records of the domain, and of its own MX hosts."""
    answer = check.context.records.ask(check.domain, "CAA")
    if answer.kind is Answered.FAILED:
        check.row(check.domain, "CAA", PURPOSE, "", answer)
        check.report_unknown("dns.caa_conflict", "its CAA records", answer)
        return
    sessions = check.context.servers.mx_sessions()
    relevant = _relevant(check, check.domain)
    ours = [host for host in check.context.hosts if host == check.domain or host.endswith(f".{check.domain}")]
    issuers = [domains[0] for host in ours if (domains := domains_of_ca(sessions.issuer(host)))]
    used = issuers[0] if issuers else "letsencrypt.org"
    if relevant is None:
        check.found.unknown("dns.caa_conflict", "the CAA records above it could not be looked up")
    elif not relevant:
        check.found.fail("dns.caa_conflict", "there is no CAA record: any CA may issue certificates for it")
    elif wrong := [one for one in relevant if one.is_malformed or one.forbids_all]:
        check.found.fail("dns.caa_conflict", _said_of(wrong[0]), Severity.WARNING, fix=_REPAIR)
    elif not _limits(relevant):
        listed = ", ".join(dict.fromkeys(one.tag for one in relevant))
        said = f"its CAA records ({listed}) name no CA: any may issue certificates for it"
        check.found.fail("dns.caa_conflict", said)
    else:
        listed = ", ".join(f"{one.tag} {one.value}" for one in relevant)
        check.found.passed("dns.caa_conflict", f"its CAA records: {listed}")
    forbidden = {kind for host in ours for kind in _judge_issuer(check, host, sessions)}
    wanted = _proposal(answer.values, relevant, used, forbidden)
    is_guess = not issuers and wanted != answer.values
    purpose = f"{PURPOSE}; {GUESS}" if is_guess else PURPOSE
    check.row(check.domain, "CAA", purpose, wanted, answer, is_bad=check.has_failed("dns.caa_conflict"))


def _said_of(record: Caa) -> str:
    shown = visible(f"{record.tag} {record.value}", 200)
    if record.forbids_all:
        return f"CAA has a critical property that no CA knows ({shown}): no CA may issue certificates for it"
    return f"CAA ({shown}) names no CA's domain: this record lets no CA issue certificates"


_REPAIR = "write the CA's domain alone, one record for each CA (`0 issue` with it), or remove the record"


def _limits(records: Sequence[Caa]) -> bool:
    return any(one.tag in ("issue", "issuewild") or one.forbids_all for one in records)


def _proposal(
    values: tuple[str, ...], relevant: Sequence[Caa] | None, used: str, forbidden: set[str]
) -> tuple[str, ...]:
    """Return the records that should be published: the current ones, and the CA in use if it may not issue."""
    if relevant and not values:
        return ()  # those of a parent domain apply
    if relevant and _limits(relevant) and not forbidden and not any(map(_is_wrong, values)):
        return values
    tags = sorted(forbidden) or ["issue"]
    wrong = {f'0 {tag} ";"' for tag in tags}
    kept = [value for value in values if value not in wrong and not _is_wrong(value)]
    return tuple(dict.fromkeys((*kept, *(f'0 {tag} "{used}"' for tag in tags))))


def _is_wrong(value: str) -> bool:
    record = read_caa(value)
    return record is not None and (record.forbids_all or record.is_malformed)


def _judge_issuer(check: RecordCheck, host: str, sessions: MxSessions) -> Iterator[str]:
    """Judge whether the CA of a host's certificate may issue the next one; yield the properties that forbid it."""
    issuer = sessions.issuer(host)
    domains = domains_of_ca(issuer)
    for name in sessions.names(host, check.domain) or (host,) if domains else ():
        is_wildcard = name.startswith("*.")
        records = _relevant(check, name.removeprefix("*.")) or ()
        if may_issue(records, domains, is_wildcard=is_wildcard):
            continue
        tag = "issuewild" if is_wildcard and any(one.tag == "issuewild" for one in records) else "issue"
        said = f"{host} has a certificate of {issuer} for {name}, but CAA ({tag}) does not let that CA issue another"
        found = ", ".join(one.domain or "no CA" for one in records if one.tag == tag)
        check.found.fail("dns.caa_conflict", said, Severity.WARNING, expected=" or ".join(domains), found=found)
        yield tag
        return


def _relevant(check: RecordCheck, name: str) -> Sequence[Caa] | None:
    """Return the records that apply to a name: its own, else the nearest above (section 3); None for no answer."""
    labels = name.split(".")[-MAX_LABELS:]
    for at in range(len(labels)):
        answer = check.context.records.ask(".".join(labels[at:]), "CAA")
        if answer.kind is Answered.FAILED:
            return None
        found = [one for one in map(read_caa, answer.values) if one]
        if found:
            return found
    return ()
