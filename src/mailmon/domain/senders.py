"""Who may send for the domain, and may we? (SPF: RFC 7208)"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator

from mailmon.clients.records import Answered
from mailmon.domain.exchangers import pointers
from mailmon.domain.expected import spf_record
from mailmon.domain.scene import Area
from mailmon.mail.spf import Client, Result, check_host
from mailmon.mail.spf.record import Directive, is_spf
from mailmon.mail.spf.tree import Branch, Trouble, grow
from mailmon.mail.spf.values import MAX_LOOKUPS, MAX_VOID
from mailmon.mail.text import visible
from mailmon.model.domain import SpfLine

# Shorter prefixes let a notable part of the Internet send.
MIN_PREFIX = {4: 8, 6: 16}
_IDS = {
    Trouble.NONE: "spf.none",
    Trouble.SEVERAL: "spf.multiple_records",
    Trouble.SYNTAX: "spf.syntax",
    Trouble.TARGET: "spf.include_none",
    Trouble.LOOP: "spf.too_many_lookups",
}


def look(area: Area) -> tuple[SpfLine, ...]:
    """Judge the record with all that it leads to; return the tree."""
    scene = area.scene
    answer = scene.records.ask(area.domain, "TXT")
    tree = grow(area.domain, scene.ask_for_spf)
    not_covered = _judge_own(area)
    texts = tuple(text for text in answer.values if is_spf(text))
    wanted = spf_record(texts, not_covered, is_sending=bool(scene.exchangers) or not scene.is_null_mx)
    area.row(area.domain, "TXT", "who may send for it (SPF)", wanted, answer._replace(values=texts))
    if answer.kind is Answered.FAILED:
        area.tell_unknown("spf.temperror", "its TXT records", answer)
        return ()
    if not tree.text:
        _look_for_near_misses(area, answer.values)
    _tell_troubles(area, tree)
    if tree.text and not tree.troubles:
        area.found.passed("spf.none", f"its SPF record is {visible(tree.text, 300)}", found=tree.text)
        _judge_limits(area, tree)
        _judge_end(area, tree)
        _judge_terms(area, tree)
    return tuple(lines_of(tree, 0))


def lines_of(branch: Branch, depth: int) -> Iterator[SpfLine]:
    """Yield the tree, one record a line."""
    text = branch.text or next((trouble.value for trouble, _ in branch.troubles), "")
    yield SpfLine(depth, visible(branch.domain, 253), visible(branch.term), visible(text, 2000), branch.all_lookups)
    for below in branch.branches:
        yield from lines_of(below, depth + 1)


def _look_for_near_misses(area: Area, values: tuple[str, ...]) -> None:
    for text in values:
        if text.lower().lstrip(" \"'").startswith(("v=spf", "spf2.0/", "v = spf")) and not is_spf(text):
            said = "a TXT record looks like SPF, but does not begin with v=spf1 and a blank"
            area.found.fail("spf.syntax", said, found=visible(text, 300))


def _tell_troubles(area: Area, tree: Branch) -> None:
    told = set()
    for branch in tree.walk():
        for trouble, words in branch.troubles:
            if (trouble, words) in told:
                continue
            told.add((trouble, words))
            if trouble is Trouble.NO_ANSWER:
                area.found.unknown("spf.temperror", visible(words, 400))
            else:
                area.found.fail(_IDS[trouble], visible(words, 400), found=visible(branch.text, 300))


def _judge_limits(area: Area, tree: Branch) -> None:
    void = [term for branch in tree.walk() for term in branch.void]
    void += [b.term for b in tree.walk() if any(kind is Trouble.TARGET for kind, _ in b.troubles)]
    more = {"expected": f"<= {MAX_LOOKUPS}", "found": str(tree.all_lookups)}
    has_loop = any(kind is Trouble.LOOP for branch in tree.walk() for kind, _ in branch.troubles)
    if not has_loop:
        good = f"its SPF record takes {tree.all_lookups} of {MAX_LOOKUPS} look-ups"
        bad = f"its SPF record takes {tree.all_lookups} look-ups, more than {MAX_LOOKUPS}: an error for receivers"
        area.found.judge("spf.too_many_lookups", tree.all_lookups <= MAX_LOOKUPS, good, bad, **more)
    listed = ", ".join(visible(term) for term in void)
    area.found.judge(
        "spf.too_many_void_lookups",
        len(void) <= MAX_VOID,
        "its names have records",
        f"{len(void)} terms find nothing in DNS, more than {MAX_VOID}: {listed}"[:400],
        expected=f"<= {MAX_VOID}",
        found=str(len(void)),
    )


def _judge_end(area: Area, tree: Branch) -> None:
    """Judge what holds for everybody else: `all`, wherever a redirect leads to it."""
    last = tree
    while last.branches and last.branches[-1].term.startswith("redirect="):
        last = last.branches[-1]
    if last.troubles:
        return
    ends = [one for one in last.record.directives if one.name == "all"]
    if ends and ends[0].qualifier == "?":
        area.found.fail("spf.neutral", f"it ends with ?all: whoever is not listed may be right or not ({last.domain})")
    elif not ends and not last.record.redirect:
        area.found.fail("spf.no_all", f"it says nothing of all others: all is missing ({last.domain})")
    elif ends and ends[0].qualifier in "-~":
        area.found.passed("spf.no_all", f"it ends with {ends[0].text}")


def _judge_terms(area: Area, tree: Branch) -> None:
    wide = []
    for branch in tree.walk():
        wide += [f"{one.text} ({branch.domain})" for one in branch.reached if branch.lets and _is_wide(one)]
        if any(one.name == "ptr" for one in branch.reached):
            area.found.fail("spf.ptr", f"the record of {branch.domain} asks for ptr")
        if branch.unreached:
            said = f"in the record of {branch.domain} nobody reads {', '.join(branch.unreached)}: all comes before"
            area.found.fail("spf.after_all", visible(said, 400))
    said = f"it lets half the world send: {', '.join(wide)}"
    area.found.judge("spf.plus_all", not wide, "it lets only some hosts send", visible(said, 400))


def _is_wide(directive: Directive) -> bool:
    """Say whether a term lets everybody send, or a notable part of the world."""
    if directive.qualifier != "+":
        return False
    # An all in an included record means that it matches: as wide as in the record itself.
    if directive.name == "all":
        return True
    if directive.network is not None:
        return directive.network.prefixlen < MIN_PREFIX[directive.network.version]
    has_bits = directive.name in ("a", "mx")
    return has_bits and (directive.bits4 < MIN_PREFIX[4] or directive.bits6 < MIN_PREFIX[6])


def _judge_own(area: Area) -> tuple[str, ...]:
    """Judge the addresses that mail is sent from; return those that are not covered."""
    missing = []
    for address in area.scene.options.own_addresses:
        client = Client(ipaddress.ip_address(address), area.domain, f"postmaster@{area.domain}", now_s=int(time.time()))
        verdict = check_host(client, area.scene.ask_for_spf)
        said = f"SPF for {address} is {verdict.result}: {visible(verdict.reason, 300)}"
        if verdict.result is Result.TEMPERROR:
            area.found.unknown("spf.own_ip_not_covered", said)
        else:
            is_covered = verdict.result is Result.PASS
            more = {"expected": "pass", "found": verdict.result.value}
            area.found.judge("spf.own_ip_not_covered", is_covered, said, said, **more)
            missing += [] if is_covered else [address]
        if ipaddress.ip_address(address).is_global:
            name, answer, found = pointers(area.scene.records, address)
            reverse = ipaddress.ip_address(name).reverse_pointer
            area.row(reverse, "PTR", f"name of {address}", (*answer.values, area.scene.mail_host)[0], answer)
            area.found.all += found.all
    return tuple(missing)
