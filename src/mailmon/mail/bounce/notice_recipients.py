"""Who may be sent a notice that a message was not delivered.

A bounce is text that anybody can send. Without evidence only the configured addresses get a notice; the Cc addresses of
the returned message are used only with evidence that it is ours (ownership.py), and only in the configured domains:
otherwise a stranger could make mailmon send mail to anybody.
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
    """The configured rules. `own` are the addresses that we send from, never used as Cc."""

    to: tuple[str, ...] = ()
    cc: bool = False
    cc_domains: tuple[str, ...] = ()
    max_cc: int = 0
    own: tuple[str, ...] = ()


class NoticeRecipients(NamedTuple):
    """The recipients of a notice, the configured ones first; `cc_left_out` says why Cc addresses are omitted, or "".

    `failed` are the recipients that the notice is about; without any there is no notice.
    """

    recipients: tuple[str, ...] = ()
    failed: tuple[Recipient, ...] = ()
    cc_left_out: str = ""


def choose_recipients(found: Classification, rules: NoticeRules, evidence: Evidence) -> NoticeRecipients:
    """Return the recipients of a notice: none unless the message is a bounce with a failed recipient."""
    failed = tuple(one for one in found.recipients if one.action == "failed" and one.address)
    if found.kind is not Kind.BOUNCE or not failed:
        return NoticeRecipients(cc_left_out="no recipient failed")
    if evidence.is_own_notice:
        return NoticeRecipients(cc_left_out="it is about a notice of our own")
    never = {_key(one.address) for one in failed}
    fixed = _chosen(rules.to, never)
    if not rules.cc:
        return NoticeRecipients(fixed, failed, "cc is off")
    if not evidence.is_verified:
        return NoticeRecipients(fixed, failed, evidence.why_not)
    domains = {domain.lower().rstrip(".") for domain in rules.cc_domains}
    near = [address for address in found.original.cc if address.rpartition("@")[2].lower() in domains]
    wanted = _chosen(near, never | {_key(address) for address in (*fixed, *rules.own)})
    cc = wanted[: rules.max_cc]
    return NoticeRecipients((*fixed, *cc), failed, _why_fewer(len(found.original.cc), len(wanted), len(cc)))


def _chosen(addresses: Iterable[str], never: set[str]) -> tuple[str, ...]:
    """Return the valid addresses, each once, without those in `never`."""
    chosen: dict[str, str] = {}
    for address in addresses:
        if _PLAIN.fullmatch(address) and _key(address) not in never:
            chosen.setdefault(_key(address), address)
    return tuple(chosen.values())


def _why_fewer(original: int, wanted: int, chosen: int) -> str:
    if chosen < wanted:
        return f"only {chosen} of {wanted} get a notice (max_cc)"
    if wanted < original:
        return "the others are not in cc_domains, failed themselves, or get a notice anyway"
    return ""


def _key(address: str) -> str:
    """Return an address as it is compared; no server in use distinguishes case."""
    return address.lower()
