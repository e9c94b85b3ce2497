"""Must mail to the domain go through TLS, and does reality keep to it? (MTA-STS: RFC 8461, TLS-RPT: RFC 8460)"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mailmon.clients.fetch import FetchError
from mailmon.clients.records import Answer, Answered
from mailmon.domain.context import RecordCheck
from mailmon.domain.expected import POLICY_HOST, policy_file
from mailmon.mail.records.mta_sts import Policy, is_sts, read_id, read_policy
from mailmon.mail.records.repair import looks_like_sts, looks_like_tls_rpt, policy_text, tls_rpt_record
from mailmon.mail.records.tags import Mistake
from mailmon.mail.records.tls_rpt import is_tls_rpt, read_tls_rpt
from mailmon.model.dns import Published
from mailmon.model.findings import Severity, Verdict
from mailmon.text import visible

SHORT_AGE_S = 86400
POLICY_PURPOSE = "MTA-STS policy"


class Kind(NamedTuple):
    """One of the two kinds of record here: what they have in common is judged alike."""

    title: str
    area: str
    label: str
    purpose: str
    version: str
    is_one: Callable[[str], bool]
    is_near: Callable[[str], bool]
    read: Callable[[str], object]
    missing: str


MTA_STS = Kind(
    "MTA-STS",
    "mtasts",
    "_mta-sts",
    "senders must use TLS (MTA-STS)",
    "STSv1",
    is_sts,
    looks_like_sts,
    read_id,
    "there is no MTA-STS policy: TLS to it can be stripped on the way",
)
TLS_RPT = Kind(
    "TLS-RPT",
    "tlsrpt",
    "_smtp._tls",
    "where reports on TLS go (TLS-RPT)",
    "TLSRPTv1",
    is_tls_rpt,
    looks_like_tls_rpt,
    read_tls_rpt,
    "nobody hears of TLS failures: there is no TLS-RPT record",
)


def look(area: RecordCheck) -> None:
    """Judge the record of MTA-STS, and the policy that it announces."""
    text = _only_record(area, MTA_STS, lambda _: f"v=STSv1; id={area.scene.today}01")
    if text:
        area.found.passed("mtasts.none", f"it has an MTA-STS policy, id {read_id(text)}")
        _look_at_policy(area)
    elif not area.scene.is_null_mx:
        _note_missing_host(area)


def _note_missing_host(area: RecordCheck) -> None:
    """Add a row without a value if no host has the name at which a policy is fetched: what it is to be is not known."""
    host = f"mta-sts.{area.domain}"
    addresses, trouble = area.scene.records.addresses(host)
    if not addresses and trouble:
        area.row(host, "CNAME", POLICY_HOST, "", trouble._replace(values=()))


def look_at_reports(area: RecordCheck) -> None:
    """Judge the record of TLS-RPT."""
    text = _only_record(area, TLS_RPT, lambda texts: tls_rpt_record(area.domain, texts))
    if text:
        area.found.passed("tlsrpt.none", f"reports on TLS go to {', '.join(read_tls_rpt(text))}")


def _only_record(area: RecordCheck, kind: Kind, propose: Callable[[tuple[str, ...]], str]) -> str:
    """Return the one record that counts; "" where there is none, and why is told.

    Texts that do not begin as they must are no such records (RFC 8461 section 3.1, RFC 8460 section 3): another text by
    a wildcard is nothing, and one that was meant to be the record is a mistake.
    """
    name = f"{kind.label}.{area.domain}"
    answer = area.scene.records.ask(name, "TXT")
    texts = tuple(filter(kind.is_one, answer.values))
    near = tuple(text for text in answer.values if kind.is_near(text) and text not in texts)
    since = len(area.found.all)
    only = _judge_texts(area, kind, answer, texts, near)
    is_bad = area.has_failed(kind.area, since) or (not only and bool(texts))
    takes_none = area.scene.is_null_mx and not texts and not near
    wanted = only or ("" if answer.kind is Answered.FAILED or takes_none else propose(texts or near))
    area.row(name, "TXT", kind.purpose, wanted, answer._replace(values=texts or near), is_bad=is_bad)
    return only


def _judge_texts(area: RecordCheck, kind: Kind, answer: Answer, texts: tuple[str, ...], near: tuple[str, ...]) -> str:
    none, syntax = f"{kind.area}.none", f"{kind.area}.syntax"
    if answer.kind is Answered.FAILED:
        area.tell_unknown(none, f"its {kind.title} record", answer)
    elif len(texts) > 1:
        area.found.fail(syntax, f"there are {len(texts)} {kind.title} records: none counts")
    elif texts:
        try:
            kind.read(texts[0])
        except Mistake as exc:
            area.found.fail(syntax, f"the record: {exc}", found=texts[0])
        else:
            return texts[0]
    elif near:
        area.found.fail(syntax, f"the record does not begin with v={kind.version};", found=near[0])
    elif area.scene.is_null_mx:
        area.found.skipped(none, "it takes no mail (null MX)")
    else:
        area.found.fail(none, kind.missing)
    return ""


def _tell_not_fetched(area: RecordCheck, exc: FetchError, url: str) -> None:
    if exc.is_ours:
        area.found.unknown("mtasts.unreachable", f"the policy was not fetched: {exc.message}")
    else:
        area.found.fail("mtasts.unreachable", f"the policy cannot be fetched: {exc.message}", found=url)


def _look_at_policy(area: RecordCheck) -> None:
    scene, options = area.scene, area.scene.options
    host = f"mta-sts.{area.domain}"
    if not options.connects:
        area.found.skipped("mtasts.unreachable", "the policy was not fetched (--no-connect)")
        return
    wanted = policy_file(scene.hosts or (scene.mail_host,))
    url = f"https://{host}/.well-known/mta-sts.txt"
    addresses, trouble = scene.records.addresses(host)
    if trouble and trouble.kind is Answered.FAILED and not addresses:
        area.tell_unknown("mtasts.unreachable", f"the address of {host}", trouble)
        return
    if not addresses:
        area.found.fail("mtasts.unreachable", f"the policy cannot be fetched: {host} has no address")
        _note_missing_host(area)
        area.rows.append(Published(url, "HTTPS", POLICY_PURPOSE, wanted))
        return
    assert scene.sts is not None
    try:
        fetched = scene.sts.fetch()
    except FetchError as exc:
        _tell_not_fetched(area, exc, url)
        area.rows.append(Published(url, "HTTPS", POLICY_PURPOSE, wanted, is_known=not exc.is_ours))
        return
    area.found.passed("mtasts.unreachable", f"the policy is served at {url}")
    lines = tuple(visible(line, 200) for line in fetched.text.splitlines() if line.strip())[:40]
    try:
        policy = read_policy(fetched.text)
    except Mistake as exc:
        meant = policy_text(fetched.text, scene.hosts or (scene.mail_host,))
        area.rows.append(Published(url, "HTTPS", POLICY_PURPOSE, meant, lines, is_bad=True))
        area.found.fail("mtasts.syntax", f"the policy: {exc}", found=visible(fetched.text, 300))
        return
    since = len(area.found.all)
    _judge_policy(area, policy, fetched.content_type)
    failed = {one.id for one in area.found.all[since:] if one.status is Verdict.FAIL}
    meant = "\n".join(lines) if failed <= {"mtasts.mode_testing"} else policy_text(fetched.text, scene.hosts)
    is_bad = area.has_failed("mtasts.", since)
    area.rows.append(Published(url, "HTTPS", POLICY_PURPOSE, meant, lines, is_bad=is_bad))


def _judge_policy(area: RecordCheck, policy: Policy, content_type: str) -> None:
    found, hosts = area.found, area.scene.hosts
    for mistake in policy.mistakes:
        found.fail("mtasts.syntax", f"the policy: {visible(mistake, 200)}", Severity.WARNING)
    if not content_type.lower().startswith("text/plain"):
        said = f"the policy is served as {visible(content_type, 80) or 'nothing'}, not as text/plain"
        found.fail("mtasts.syntax", said, Severity.WARNING)
    if policy.mode == "enforce":
        found.passed("mtasts.mode_testing", "the policy is enforced")
    else:
        words = "only tested" if policy.mode == "testing" else "switched off (mode: none)"
        found.fail("mtasts.mode_testing", f"the policy is {words}")
    if policy.max_age_s < SHORT_AGE_S:
        said = f"the policy lasts {policy.max_age_s} s: who can hold up one fetch can strip TLS"
        found.fail("mtasts.short_max_age", said, expected=f">= {SHORT_AGE_S}", found=str(policy.max_age_s))
    missing = [host for host in hosts if not policy.covers(host)]
    if policy.mode == "none" or not hosts:
        return
    severity = Severity.CRITICAL if policy.mode == "enforce" else Severity.WARNING
    said = f"the policy does not name the MX host {', '.join(missing)}"
    said += ": senders refuse to send there" if policy.mode == "enforce" else ""
    if missing:
        found.fail("mtasts.mx_mismatch", said, severity, found=", ".join(policy.patterns))
    else:
        found.passed("mtasts.mx_mismatch", "the policy names each MX host")
