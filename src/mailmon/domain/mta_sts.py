"""MTA-STS: the record, the policy that it announces, and the MX hosts in it (RFC 8461)."""

from __future__ import annotations

from collections.abc import Sequence

from mailmon.clients.fetch import FetchError
from mailmon.clients.records import Answered
from mailmon.domain.context import OnlyRecord, RecordCheck
from mailmon.mail.records.mta_sts import Policy, is_sts, read_id, read_policy
from mailmon.mail.records.repair import looks_like_sts, policy_text
from mailmon.mail.records.tags import Mistake
from mailmon.model.dns import Published
from mailmon.model.findings import Severity, Verdict
from mailmon.text import visible

SHORT_AGE_S = 86400
POLICY_PURPOSE = "MTA-STS policy"
POLICY_HOST = "web server of the MTA-STS policy"


def policy_file(hosts: Sequence[str]) -> str:
    """Return an MTA-STS policy to begin with (RFC 8461 section 3.2)."""
    lines = ["version: STSv1", "mode: testing", *(f"mx: {host}" for host in hosts), "max_age: 604800"]
    return "\n".join(lines)


def run(check: RecordCheck) -> None:
    """Judge the MTA-STS record, and the policy that it announces."""
    text = check.only_record(
        OnlyRecord(
            "MTA-STS",
            "mtasts",
            "_mta-sts",
            "senders must use TLS (MTA-STS)",
            "STSv1",
            is_sts,
            looks_like_sts,
            read_id,
            lambda _: f"v=STSv1; id={check.context.today}01",
            "there is no MTA-STS policy: TLS to it can be stripped on the network path",
        )
    )
    if text:
        check.found.passed("mtasts.none", f"it has an MTA-STS policy, id {read_id(text)}")
        _check_policy(check)
    elif not check.context.is_null_mx:
        _add_missing_host(check)


def _add_missing_host(check: RecordCheck) -> None:
    """Add a row if the host that serves the policy does not exist; what it should be is unknown."""
    host = f"mta-sts.{check.domain}"
    addresses, trouble = check.context.records.addresses(host)
    if not addresses and trouble:
        check.row(host, "CNAME", POLICY_HOST, "", trouble._replace(values=()))


def _report_not_fetched(check: RecordCheck, exc: FetchError, url: str) -> None:
    if exc.is_ours:
        check.found.unknown("mtasts.unreachable", f"the policy was not fetched: {exc.message}")
    else:
        check.found.fail("mtasts.unreachable", f"the policy cannot be fetched: {exc.message}", found=url)


def _check_policy(check: RecordCheck) -> None:
    context, options = check.context, check.context.options
    host = f"mta-sts.{check.domain}"
    if not options.connects:
        check.found.skipped("mtasts.unreachable", "the policy was not fetched (--no-connect)")
        return
    wanted = policy_file(context.hosts or (context.mail_host,))
    url = f"https://{host}/.well-known/mta-sts.txt"
    addresses, trouble = context.records.addresses(host)
    if trouble and trouble.kind is Answered.FAILED and not addresses:
        check.report_unknown("mtasts.unreachable", f"the address of {host}", trouble)
        return
    if not addresses:
        check.found.fail("mtasts.unreachable", f"the policy cannot be fetched: {host} has no address")
        _add_missing_host(check)
        check.rows.append(Published(url, "HTTPS", POLICY_PURPOSE, wanted))
        return
    try:
        fetched = context.sts.fetch()
    except FetchError as exc:
        _report_not_fetched(check, exc, url)
        check.rows.append(Published(url, "HTTPS", POLICY_PURPOSE, wanted, is_known=not exc.is_ours))
        return
    check.found.passed("mtasts.unreachable", f"the policy is served at {url}")
    lines = tuple(visible(line, 200) for line in fetched.text.splitlines() if line.strip())[:40]
    try:
        policy = read_policy(fetched.text)
    except Mistake as exc:
        meant = policy_text(fetched.text, context.hosts or (context.mail_host,))
        check.rows.append(Published(url, "HTTPS", POLICY_PURPOSE, meant, lines, is_bad=True))
        check.found.fail("mtasts.syntax", f"the policy: {exc}", found=visible(fetched.text, 300))
        return
    since = len(check.found.all)
    _judge_policy(check, policy, fetched.content_type)
    failed = {one.id for one in check.found.all[since:] if one.status is Verdict.FAIL}
    meant = "\n".join(lines) if failed <= {"mtasts.mode_testing"} else policy_text(fetched.text, context.hosts)
    is_bad = check.has_failed("mtasts.", since)
    check.rows.append(Published(url, "HTTPS", POLICY_PURPOSE, meant, lines, is_bad=is_bad))


def _judge_policy(check: RecordCheck, policy: Policy, content_type: str) -> None:
    found, hosts = check.found, check.context.hosts
    for mistake in policy.mistakes:
        found.fail("mtasts.syntax", f"the policy: {visible(mistake, 200)}", Severity.WARNING)
    if not content_type.lower().startswith("text/plain"):
        said = f"the policy is served as {visible(content_type, 80) or 'nothing'}, not as text/plain"
        found.fail("mtasts.syntax", said, Severity.WARNING)
    if policy.mode == "enforce":
        found.passed("mtasts.mode_testing", "the policy is enforced")
    else:
        words = "in testing mode" if policy.mode == "testing" else "switched off (mode: none)"
        found.fail("mtasts.mode_testing", f"the policy is {words}")
    if policy.max_age_s < SHORT_AGE_S:
        said = f"the policy lasts only {policy.max_age_s} s: blocking one fetch is enough to strip TLS"
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
