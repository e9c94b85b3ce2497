"""DMARC: the policy for mail that claims to be from the domain, and its reports (RFC 7489, RFC 9989)."""

from __future__ import annotations

from mailmon.clients.records import Answer, Answered
from mailmon.domain.context import RecordCheck
from mailmon.mail.records.dmarc import DmarcRecord, is_dmarc, read_dmarc
from mailmon.mail.records.organisation import Stop, effective, organisation, walk
from mailmon.mail.records.repair import dmarc_record, looks_like_dmarc
from mailmon.mail.records.tags import Mistake
from mailmon.model.findings import Severity, Verdict
from mailmon.text import visible

MAX_TARGETS = 20
PURPOSE = "what to do with forged mail (DMARC)"
# A stricter policy sends legitimate mail from forgotten sources to spam.
WHEN = "not before reports show that all of your mail passes"


def run(check: RecordCheck) -> None:
    """Judge the record that applies to the domain, its own or that of its organisation."""
    own = check.context.records.ask(f"_dmarc.{check.domain}", "TXT")
    if own.kind is Answered.FAILED:
        check.row(f"_dmarc.{check.domain}", "TXT", PURPOSE, "", own)
        check.report_unknown("dmarc.temperror", "its DMARC record", own)
        return
    stops = walk(check.domain, check.context.ask_for_spf)
    source = effective(stops)
    if source is None:
        _report_none(check, own, stops)
        return
    if len(source.texts) > 1:
        check.found.fail("dmarc.multiple_records", f"there are {len(source.texts)} DMARC records at {_at(source)}")
        _add_row(check, source, own)
        return
    try:
        record = read_dmarc(source.texts[0])
    except Mistake as exc:
        check.found.fail("dmarc.syntax", f"the record at {_at(source)}: {exc}", found=visible(source.texts[0], 300))
        _add_row(check, source, own)
        return
    is_own = source.domain == check.domain
    policy = record.policy if is_own else _inherited(check, record)
    _judge(check, source, record, policy, is_own=is_own)
    _add_row(check, source, own)
    _judge_targets(check, record, source.domain)


def _inherited(check: RecordCheck, record: DmarcRecord) -> str:
    """Return the policy for a domain below the record's: np= if it does not exist (RFC 9989 section 4.10.1)."""
    return record.missing if check.context.mx.kind is Answered.NXDOMAIN else record.subdomains


def _takes_no_mail(check: RecordCheck) -> bool:
    return check.context.is_null_mx and not check.context.mx_records


def _at(stop: Stop) -> str:
    return f"_dmarc.{stop.domain}"


def _add_row(check: RecordCheck, source: Stop, own: Answer) -> None:
    """Add the row of the record that applies; the proposal is for the same name."""
    is_own = source.domain == check.domain
    answer = own if is_own else check.context.records.ask(_at(source), "TXT")
    shown = answer._replace(values=tuple(filter(is_dmarc, answer.values)))
    wanted = dmarc_record(source.domain, source.texts, takes_mail=not (is_own and _takes_no_mail(check)))
    if not is_own and not check.has_failed("dmarc."):
        wanted = source.texts[0]
    is_unsure = any(one.id == "dmarc.policy_none" and one.status is Verdict.FAIL for one in check.found.all)
    purpose = f"{PURPOSE}; {WHEN}" if is_unsure and wanted not in shown.values else PURPOSE
    check.row(_at(source), "TXT", purpose, wanted, shown, is_bad=check.has_failed("dmarc."))


def _report_none(check: RecordCheck, own: Answer, stops: list[Stop]) -> None:
    failed = [stop for stop in stops if stop.failed]
    near = tuple(filter(looks_like_dmarc, own.values))
    at_apex = tuple(text for text in check.context.records.ask(check.domain, "TXT").values if is_dmarc(text))
    wanted = "" if failed else dmarc_record(check.domain, near or at_apex, takes_mail=not _takes_no_mail(check))
    check.row(_at(stops[0]), "TXT", PURPOSE, wanted, own._replace(values=near), is_bad=True)
    if near:
        check.found.fail("dmarc.syntax", "its record does not begin with v=DMARC1;", found=visible(near[0], 300))
    elif at_apex:
        said = (
            f"the DMARC record is at {check.domain} itself, where receivers do not look, not at _dmarc.{check.domain}"
        )
        check.found.fail("dmarc.syntax", said, Severity.WARNING, found=visible(at_apex[0], 300))
        check.found.fail("dmarc.none", "there is no DMARC record where receivers look")
    elif failed:
        check.found.unknown("dmarc.temperror", f"{_at(failed[0])} could not be looked up: {failed[0].failed}")
    else:
        check.found.fail("dmarc.none", "there is no DMARC record: anybody can forge its mail")


def _judge(check: RecordCheck, source: Stop, record: DmarcRecord, policy: str, *, is_own: bool) -> None:
    found, text = check.found, visible(source.texts[0], 300)
    where = "" if is_own else f", by the record of {source.domain}"
    applied = record.applied(policy)
    tested = f": with t=y receivers apply {policy} as {applied}" if record.is_testing and policy != "none" else ""
    if applied == "none":
        said = f"its DMARC policy is {policy}{where}{tested or ': forged mail is delivered'}"
        fix = _END_OF_TEST if tested else ""
        found.fail("dmarc.policy_none", said, expected="p=quarantine or p=reject", found=text, fix=fix)
    else:
        found.passed("dmarc.policy_none", f"its DMARC policy is {policy}{where}{tested}", found=text)
        if tested:
            found.fail("dmarc.testing", f"its DMARC policy is not applied in full{tested}", found=text)
    if is_own and "none" in (record.subdomains, record.missing) and policy != "none":
        found.fail("dmarc.subdomains_open", "its subdomains are not protected (sp=none or np=none)", found=text)
    if record.percent < 100:
        said = f"the policy applies to only {record.percent} % of the mail (pct)"
        found.fail("dmarc.pct_partial", said, expected="100", found=str(record.percent))
    if not record.reports and is_own and _takes_no_mail(check):
        found.skipped("dmarc.no_reports", "it accepts no mail, so it has no mailbox for reports")
    else:
        found.judge("dmarc.no_reports", bool(record.reports), "it asks for reports", "it asks for no reports (rua)")
    for at, mistake in enumerate(record.mistakes):
        severity = Severity.ERROR if record.is_spoiled and at == 0 else Severity.WARNING
        found.fail("dmarc.syntax", f"the record at {_at(source)}: {visible(mistake, 200)}", severity, found=text)


_END_OF_TEST = "when the reports show that all of your mail passes: remove t=y"


def _judge_targets(check: RecordCheck, record: DmarcRecord, policy_domain: str) -> None:
    """Judge whether other domains accept reports for the domain of the record (RFC 7489 7.1, RFC 9990 4)."""
    own_organisation = organisation(walk(policy_domain, check.context.ask_for_spf))
    domains = [address.rpartition("@")[2].lower() for address in (*record.reports, *record.failures)]
    for target in list(dict.fromkeys(domains))[:MAX_TARGETS]:
        if _is_near(target, own_organisation):
            continue
        if organisation(walk(target, check.context.ask_for_spf)) == own_organisation:
            continue
        name = f"{policy_domain}._report._dmarc.{target}"
        answer = check.context.records.ask(name, "TXT")
        if answer.kind is Answered.FAILED:
            check.found.unknown("dmarc.temperror", f"{name} could not be looked up: {answer.why}")
            continue
        is_allowed = any(map(is_dmarc, answer.values))
        check.row(name, "TXT", f"{target} accepts its reports", "v=DMARC1", _first_words(answer), is_bad=not is_allowed)
        check.found.judge(
            "dmarc.external_report_unauthorized",
            is_allowed,
            f"{target} accepts its reports",
            f"{target} does not declare that it accepts reports for {policy_domain}: none are sent there",
            expected=f'{name} TXT "v=DMARC1"',
        )


def _is_near(target: str, organisational: str) -> bool:
    return target == organisational or target.endswith(f".{organisational}")


def _first_words(answer: Answer) -> Answer:
    """Return the answer reduced to `v=DMARC1` if it has that: the rest is irrelevant."""
    return answer._replace(values=("v=DMARC1",)) if any(map(is_dmarc, answer.values)) else answer
