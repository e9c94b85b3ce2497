"""DNS block lists (RFC 5782): look-ups of an address; only lists that prove to be alive are believed."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from mailmon.clients.records import Answered, Records
from mailmon.diagnose.blocklists import BlockList, is_refusal, meaning, query_name, test_points
from mailmon.findings import Findings

MAX_WORKERS = 16


def judge_lists(records: Records, address: str, lists: Sequence[BlockList]) -> list[Findings]:
    """Ask all lists side by side, in their order; each has its own findings."""
    with ThreadPoolExecutor(MAX_WORKERS) as pool:
        return list(pool.map(partial(_judge_list, records, address), lists))


def _judge_list(records: Records, address: str, listed: BlockList) -> Findings:
    found = Findings(address)
    if ":" in address and not listed.has_ipv6:
        found.skipped("dnsbl.listed", f"{listed.zone} lists no IPv6 addresses")
        return found
    trouble = _why_not_believed(records, address, listed)
    answer = records.ask(query_name(address, listed.zone), "A")
    if not trouble and answer.kind is Answered.FAILED:
        trouble = answer.why
    if not trouble:
        trouble = _refusal(answer.values)
    if trouble:
        found.unknown("dnsbl.unavailable", f"{listed.zone} cannot be queried from here: {trouble}")
        return found
    reasons = meaning(listed, answer.values)
    if not reasons:
        found.passed("dnsbl.listed", f"not on {listed.zone}", evidence=", ".join(answer.values))
        return found
    words = records.ask(query_name(address, listed.zone), "TXT").values
    removal = f"; removal: {listed.removal.format(address=address)}" if listed.removal else ""
    said = f"on the block list {listed.zone}: {', '.join(reasons)}{removal}"
    found.fail("dnsbl.listed", said, listed.severity, evidence=" ".join(words)[:300], found=listed.zone)
    return found


def _refusal(values: Sequence[str]) -> str:
    """Return the refusals among the answers, as a reason not to believe the others; "" if there are none."""
    codes = ", ".join(filter(is_refusal, values))
    return f"it refuses to answer this resolver ({codes})" if codes else ""


def _why_not_believed(records: Records, address: str, listed: BlockList) -> str:
    """Look up the entries that every list must and must not have; return what is wrong with the answers, or ""."""
    there, absent = (records.ask(query_name(point, listed.zone), "A") for point in test_points(address))
    if there.kind is Answered.FAILED:
        return there.why
    if refusal := _refusal(there.values):
        return refusal
    if not there.values:
        return "its test entry is missing: the list is dead, or answers are filtered"
    if absent.values:
        codes = ", ".join(absent.values[:3])
        said = "it lists everything, even the test entry that must not be listed"
        return f"{said} ({codes}): the list is dead, or refuses this resolver"
    return ""
