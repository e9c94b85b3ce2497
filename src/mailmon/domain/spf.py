"""SPF: who may send for the domain, and a proposal for the record (RFC 7208)."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator, Sequence

from mailmon.clients.records import Answered
from mailmon.domain.context import RecordCheck
from mailmon.domain.mx import pointers, take_pointer
from mailmon.mail.auth.spf import Client, Found, Result, check_host
from mailmon.mail.auth.spf import Verdict as SpfVerdict
from mailmon.mail.auth.spf.record import Directive, is_spf
from mailmon.mail.auth.spf.repair import draft, looks_like_spf
from mailmon.mail.auth.spf.tree import Branch, Trouble, grow
from mailmon.mail.auth.spf.values import MAX_LOOKUPS, MAX_NAMES, MAX_VOID, Ask
from mailmon.model.dns import SpfLine
from mailmon.model.findings import Finding, Severity, Verdict
from mailmon.text import visible

# Shorter prefixes authorise a notable part of the Internet.
MIN_PREFIX = {4: 8, 6: 16}
PURPOSE = "who may send for it (SPF)"
# Each round removes a term or adds an address, until nothing is left to improve.
MAX_ROUNDS = 6
MAX_ADDRESSES = 30
_MECHANISMS = ("ip4", "ip6", "ipv4", "ipv6", "ip", "include", "a", "mx", "exists", "ptr", "all")
_DEAD = (Trouble.TARGET, Trouble.LOOP)
_IDS = {
    Trouble.NONE: "spf.none",
    Trouble.SEVERAL: "spf.multiple_records",
    Trouble.SYNTAX: "spf.syntax",
    Trouble.TARGET: "spf.include_none",
    Trouble.LOOP: "spf.too_many_lookups",
}


def run(check: RecordCheck) -> None:
    """Judge the record with all that it includes."""
    answer = check.context.records.ask(check.domain, "TXT")
    tree = grow(check.domain, check.context.ask_for_spf)
    missing = _judge_own(check)
    texts = tuple(text for text in answer.values if is_spf(text))
    shown = answer._replace(values=texts)
    if answer.kind is Answered.FAILED:
        check.row(check.domain, "TXT", PURPOSE, "", shown)
        check.report_unknown("spf.temperror", "its TXT records", answer)
        return
    near = () if texts else tuple(filter(looks_like_spf, answer.values))
    wanted, unclear = propose(check, texts or near, missing)
    for text in near:
        said = "a TXT record looks like SPF, but does not begin with v=spf1 and a space"
        check.found.fail("spf.syntax", said, found=visible(text, 300))
    judge_tree(check, tree)
    if tree.troubles and (texts or near):
        _report_dead_includes(check, texts or near)
    if unclear:
        check.found.all = [_with_unclear(one, unclear, is_proposed=bool(wanted)) for one in check.found.all]
    is_bad = check.has_failed("spf.")
    check.row(check.domain, "TXT", PURPOSE, wanted, answer._replace(values=texts or near), is_bad=is_bad)
    check.spf_lines = tuple(lines_of(tree, 0))


def _report_dead_includes(check: RecordCheck, texts: tuple[str, ...]) -> None:
    """Report the includes without a record in a record with errors: the proposal leaves them out."""
    judged, _ = _faults(check, draft(texts).record(default="mx"))
    reported = {one.message for one in check.found.all}
    check.found.all += [one for one in judged.found.all if one.id == "spf.include_none" and one.message not in reported]


def judge_tree(check: RecordCheck, tree: Branch) -> None:
    """Judge a record with all that it includes."""
    _report_troubles(check, tree)
    if tree.text and not tree.troubles:
        check.found.passed("spf.none", f"its SPF record is {visible(tree.text, 300)}", found=tree.text)
        _judge_limits(check, tree)
        _judge_end(check, tree)
        _judge_terms(check, tree)


def propose(check: RecordCheck, texts: tuple[str, ...], missing: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return the record that should be published, "" if it is unknown, and terms that are left out as unclear.

    A proposal was evaluated as if it were published: it has no error.
    """
    context = check.context
    if context.is_null_mx and not context.mx_records and not context.options.own_addresses:
        return _proposal_without_mail(check, texts), ()
    texts = texts or ("v=spf1 mx -all",)
    if len(texts) == 1 and not missing and is_spf(texts[0]) and not _faults(check, texts[0])[0].found.all:
        return texts[0], ()
    made = draft(texts)
    added: list[str] = []
    without: set[str] = set()
    is_included = False
    record = made.record(default="mx")
    for _ in range(MAX_ROUNDS):
        judged, tree = _faults(check, record)
        uncovered = [one for one in context.options.own_addresses if _is_uncovered(check, one, record)]
        useless = _useless(tree) - without
        if crowded := _crowded(check, tree) - without:
            useless |= crowded
            uncovered += _addresses_of_hosts(check)
        is_open = any(one.id in ("spf.no_all", "spf.neutral") for one in judged.found.all)
        if not useless and not set(uncovered) - set(added) and not (is_open and not is_included):
            break
        added += [one for one in uncovered if one not in added]
        without |= useless
        is_included = is_included or is_open
        record = made.record(added, without, is_included=is_included, default="mx")
    judged, _ = _faults(check, record)
    is_good = not judged.has_failed("spf.") or (not _is_an_error(judged) and _is_better(check, judged, texts))
    return (record if is_good else "", made.unclear)


def _is_better(check: RecordCheck, judged: RecordCheck, texts: tuple[str, ...]) -> bool:
    """Return whether a proposal has fewer faults than the current record; the rest are in included records."""
    if len(texts) > 1 or not is_spf(texts[0]):
        return True
    return {one.id for one in judged.found.all} < {one.id for one in _faults(check, texts[0])[0].found.all}


def _proposal_without_mail(check: RecordCheck, texts: tuple[str, ...]) -> str:
    """Return the record of a domain with a null MX, which should not send either (RFC 7505 section 4.2)."""
    if len(texts) == 1 and is_spf(texts[0]):
        judged, tree = _faults(check, texts[0])
        if not judged.found.all and not tree.record.lets_send:
            return texts[0]
    return "v=spf1 -all"


def _asking(check: RecordCheck, record: str) -> Ask:
    """Return look-ups as if this record were published at the domain."""

    def ask(name: str, kind: str) -> Found:
        if kind == "TXT" and name.lower().rstrip(".") == check.domain:
            return Found((record,))
        return check.context.ask_for_spf(name, kind)

    return ask


def _faults(check: RecordCheck, record: str) -> tuple[RecordCheck, Branch]:
    """Return the faults that a record would have at the domain, and its tree."""
    judged = RecordCheck(check.context)
    tree = grow(check.domain, _asking(check, record))
    judge_tree(judged, tree)
    judged.found.all = [one for one in judged.found.all if one.status is Verdict.FAIL]
    return judged, tree


def _is_an_error(judged: RecordCheck) -> bool:
    return any(one.severity in (Severity.CRITICAL, Severity.ERROR) for one in judged.found.all)


def _is_uncovered(check: RecordCheck, address: str, record: str) -> bool:
    return _verdict(check, address, _asking(check, record)).result not in (Result.PASS, Result.TEMPERROR)


def _useless(tree: Branch) -> set[str]:
    """Return the terms of the record itself that are faults and authorise no intended sender."""
    below = {branch.term for branch in tree.branches if any(kind in _DEAD for kind, _ in branch.troubles)}
    below |= {b.term for b in tree.branches if b.domain.lower().rstrip(".") == tree.domain.lower().rstrip(".")}
    own = {one.text for one in tree.reached if one.name == "ptr" or (_is_wide(one) and one.name != "all")}
    return below | own | (set(tree.void) if _void_count(tree) > MAX_VOID else set())


def _crowded(check: RecordCheck, tree: Branch) -> set[str]:
    """Return the terms for the domain's own MX hosts, if these are too many (RFC 7208 section 4.6.4)."""
    own = [one.text for one in tree.reached if one.name == "mx" and one.domain.lower() in ("", check.domain)]
    return set(own) if len(check.context.mx.values) > MAX_NAMES else set()


def _addresses_of_hosts(check: RecordCheck) -> list[str]:
    found = [address for host in check.context.hosts for address in check.context.records.addresses(host)[0]]
    return [one for one in dict.fromkeys(found) if ipaddress.ip_address(one).is_global][:MAX_ADDRESSES]


def _with_unclear(one: Finding, unclear: Sequence[str], *, is_proposed: bool) -> Finding:
    if one.id != "spf.syntax" or one.status is not Verdict.FAIL:
        return one
    listed = visible(", ".join(unclear), 200)
    left_out = f", where {listed} is left out: its meaning is not clear" if is_proposed else f"; unclear: {listed}"
    return one._replace(fix=f"{one.fix}{left_out}")


def lines_of(branch: Branch, depth: int) -> Iterator[SpfLine]:
    """Yield the tree, one record a line."""
    text = branch.text or next((trouble.value for trouble, _ in branch.troubles), "")
    yield SpfLine(depth, visible(branch.domain, 253), visible(branch.term), visible(text, 2000), branch.all_lookups)
    for below in branch.branches:
        yield from lines_of(below, depth + 1)


def _report_troubles(check: RecordCheck, tree: Branch) -> None:
    reported = set()
    for branch in tree.walk():
        for trouble, words in branch.troubles:
            if (trouble, words) in reported:
                continue
            reported.add((trouble, words))
            if trouble is Trouble.NO_ANSWER:
                check.found.unknown("spf.temperror", visible(words, 400))
            else:
                check.found.fail(_IDS[trouble], visible(words, 400), found=visible(branch.text, 300))


def _judge_limits(check: RecordCheck, tree: Branch) -> None:
    void = _void(tree)
    more = {"expected": f"<= {MAX_LOOKUPS}", "found": str(tree.all_lookups)}
    has_loop = any(kind is Trouble.LOOP for branch in tree.walk() for kind, _ in branch.troubles)
    if not has_loop:
        good = f"its SPF record takes {tree.all_lookups} of {MAX_LOOKUPS} look-ups"
        bad = f"its SPF record takes {tree.all_lookups} look-ups, more than {MAX_LOOKUPS}: an error for receivers"
        check.found.judge("spf.too_many_lookups", tree.all_lookups <= MAX_LOOKUPS, good, bad, **more)
    listed = ", ".join(visible(term) for term in void)
    check.found.judge(
        "spf.too_many_void_lookups",
        len(void) <= MAX_VOID,
        "its names have records",
        f"{len(void)} terms have no record in DNS, more than {MAX_VOID}: {listed}"[:400],
        expected=f"<= {MAX_VOID}",
        found=str(len(void)),
    )


def _void(tree: Branch) -> list[str]:
    """Return the terms without any record in DNS (void look-ups)."""
    void = [term for branch in tree.walk() for term in branch.void]
    return void + [b.term for b in tree.walk() if any(kind is Trouble.TARGET for kind, _ in b.troubles)]


def _void_count(tree: Branch) -> int:
    return len(_void(tree))


def _judge_end(check: RecordCheck, tree: Branch) -> None:
    """Judge the default for all other senders: `all`, also after a redirect."""
    last = tree
    while last.branches and last.branches[-1].term.startswith("redirect="):
        last = last.branches[-1]
    if last.troubles:
        return
    ends = [one for one in last.record.directives if one.name == "all"]
    if ends and ends[0].qualifier == "?":
        check.found.fail(
            "spf.neutral", f"it ends with ?all: other senders are neither authorised nor forbidden ({last.domain})"
        )
    elif not ends and not last.record.redirect:
        check.found.fail("spf.no_all", f"it does not end with all, so other senders are not covered ({last.domain})")
    elif ends and ends[0].qualifier in "-~":
        check.found.passed("spf.no_all", f"it ends with {ends[0].text}")


def _judge_terms(check: RecordCheck, tree: Branch) -> None:
    wide = []
    for branch in tree.walk():
        wide += [f"{one.text} ({branch.domain})" for one in branch.reached if branch.lets and _is_wide(one)]
        if any(one.name == "ptr" for one in branch.reached):
            check.found.fail("spf.ptr", f"the record of {branch.domain} uses ptr")
        for term in branch.record.unknown:
            if term.partition("=")[0].lower() in _MECHANISMS:
                where = f"{branch.domain}: " if branch.term else ""
                said = f"{where}{term} does nothing: mechanisms have a colon, and unknown modifiers are ignored"
                more = {"fix": _COLON, "found": visible(branch.text, 300)}
                check.found.fail("spf.syntax", visible(said, 400), Severity.WARNING, **more)
        if branch.unreached:
            listed = ", ".join(branch.unreached)
            said = f"in the record of {branch.domain}, {listed} is never evaluated: all comes before it"
            check.found.fail("spf.after_all", visible(said, 400))
    said = f"it authorises a large part of the Internet: {', '.join(wide)}"
    check.found.judge("spf.plus_all", not wide, "it authorises only some hosts", visible(said, 400))


_WHOLE = "correct the record first: while receivers cannot read it, it covers no address"
_COLON = "write the mechanism with a colon (ip4:192.0.2.1, include:example.org): as it is, it authorises nobody"


def _is_wide(directive: Directive) -> bool:
    """Return whether a term authorises everybody, or a notable part of the Internet."""
    if directive.qualifier != "+":
        return False
    # An all in an included record makes the include match: as wide as in the record itself.
    if directive.name == "all":
        return True
    if directive.network is not None:
        return directive.network.prefixlen < MIN_PREFIX[directive.network.version]
    has_bits = directive.name in ("a", "mx")
    return has_bits and (directive.bits4 < MIN_PREFIX[4] or directive.bits6 < MIN_PREFIX[6])


def _judge_own(check: RecordCheck) -> tuple[str, ...]:
    """Judge the addresses that mail is sent from; return those that are not covered."""
    missing = []
    for address in check.context.options.own_addresses:
        verdict = _verdict(check, address, check.context.ask_for_spf)
        said = f"SPF for {address} is {verdict.result}: {visible(verdict.reason, 300)}"
        if verdict.result is Result.TEMPERROR:
            check.found.unknown("spf.own_ip_not_covered", said)
        else:
            is_covered = verdict.result is Result.PASS
            more = {"expected": "pass", "found": verdict.result.value}
            if verdict.result is Result.PERMERROR:
                more["fix"] = _WHOLE
            check.found.judge("spf.own_ip_not_covered", is_covered, said, said, **more)
            missing += [] if is_covered else [address]
        if ipaddress.ip_address(address).is_global:
            take_pointer(check, pointers(check, address), check.context.mail_host)
    return tuple(missing)


def _verdict(check: RecordCheck, address: str, ask: Ask) -> SpfVerdict:
    client = Client(ipaddress.ip_address(address), check.domain, f"postmaster@{check.domain}", now_s=int(time.time()))
    return check_host(client, ask)
