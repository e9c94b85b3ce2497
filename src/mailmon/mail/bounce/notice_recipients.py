"""Who may be sent a notice that a message was not delivered.

A bounce is text that anybody can send. Only the addresses of the configuration are told of it as it is; the Cc
addresses of the returned message are believed only with evidence that it is really ours (ownership.py), and only where
they are in a domain that the configuration names: else mailmon would send mail to whom a stranger likes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from mailmon.mail.bounce.ownership import Evidence
from mailmon.mail.bounce.values import Classification, Kind, Recipient

# The same as options.Address: ASCII, no quotes, no control characters, so nothing that ends a command or a header.
_PLAIN = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?", re.ASCII)


class NoticeRules(NamedTuple):
    """What the configuration says. `own` are the addresses that we send from, never a Cc."""

    to: tuple[str, ...] = ()
    cc: bool = False
    cc_domains: tuple[str, ...] = ()
    max_cc: int = 0
    own: tuple[str, ...] = ()


class Audience(NamedTuple):
    """Who is told, the fixed addresses first; `cc_left_out` says why Cc addresses are not, "" where none are missing.

    `failed` are the recipients whom the notice is about; without them nobody is told.
    """

    recipients: tuple[str, ...] = ()
    failed: tuple[Recipient, ...] = ()
    cc_left_out: str = ""


def audience_of(found: Classification, rules: NoticeRules, evidence: Evidence) -> Audience:
    """Return who is told of a message: nobody unless it is a bounce in which a recipient failed."""
    failed = tuple(one for one in found.recipients if one.action == "failed" and one.address)
    if found.kind is not Kind.BOUNCE or not failed:
        return Audience(cc_left_out="no recipient failed")
    if evidence.is_own_notice:
        return Audience(cc_left_out="it is about a notice of our own")
    never = {_key(one.address) for one in failed}
    fixed = _chosen(rules.to, never)
    if not rules.cc:
        return Audience(fixed, failed, "cc is off")
    if not evidence.is_verified:
        return Audience(fixed, failed, evidence.why_not)
    domains = {domain.lower().rstrip(".") for domain in rules.cc_domains}
    near = [address for address in found.original.cc if address.rpartition("@")[2].lower() in domains]
    wanted = _chosen(near, never | {_key(address) for address in (*fixed, *rules.own)})
    cc = wanted[: rules.max_cc]
    return Audience((*fixed, *cc), failed, _why_fewer(len(found.original.cc), len(wanted), len(cc)))


def _chosen(addresses: Iterable[str], never: set[str]) -> tuple[str, ...]:
    """Return the addresses that mail can be sent to, each once, without those who are never told."""
    chosen: dict[str, str] = {}
    for address in addresses:
        if _PLAIN.fullmatch(address) and _key(address) not in never:
            chosen.setdefault(_key(address), address)
    return tuple(chosen.values())


def _why_fewer(original: int, wanted: int, told: int) -> str:
    if told < wanted:
        return f"only {told} of {wanted} are told of one message (max_cc)"
    if wanted < original:
        return "others are not in cc_domains, failed themselves, or are told anyway"
    return ""


def _key(address: str) -> str:
    """Return what two spellings of an address have in common; case matters to no server that is in use."""
    return address.lower()
