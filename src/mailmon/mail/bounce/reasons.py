"""The reason of a failure, and whether it is permanent (docs/bounces.md lists the reasons).

In this order, so that words of any language only refine what structure and codes give:

1. Fault: a reply about our client, its HELO name, address or PTR, about the sender, sender verification or our login,
   and every reply to EHLO and MAIL, is ours: never an unknown user, an unknown host or hard. "Host not found" is hard
   only for the recipient's domain.
2. Permanence: the class of the reply in the recipient's own diagnostic, else of its own status (RFC 3463 section 3.1).
   A temporary failure is never hard, whatever the text and however long the queue has tried.
3. Kind: "user unknown" is an unknown user, unless it was the reply to the end of DATA (a filter replies so to anything)
   or the code says that the mailbox exists (X.2.z).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mailmon.mail.bounce.status_codes import (
    BANNED,
    BY_COMMAND,
    CATEGORIES,
    CODES,
    DOMAIN_CODES,
    OUR_CODES,
    REFINED,
    REFUSED,
    REPLIES,
    SUBJECTS,
    SURE_CODES,
    SYNTAX_CODES,
    SYNTAX_REPLIES,
    UNKNOWN_USER_CODES,
    reply_code,
)
from mailmon.mail.bounce.tables import Table, commands, tables
from mailmon.mail.caps import number

MAX_CHARS = 3000
UNDEFINED = "undefined"
# The recipient's address is the problem, permanently unless the server says otherwise.
ADDRESS = ("userunknown", "hostunknown", "hasmoved", "notaccept")

# The code before each further line of a reply separates words that belong together.
_NEXT_LINE = re.compile(r"\s+[245]\d\d(?:-(?:[245]\.\d{1,3}\.\d{1,3}\s+)?| [245]\.\d{1,3}\.\d{1,3}\s+)|\s+", re.ASCII)
# A host or domain that a name server may still find (RFC 1035 section 4.1.1: SERVFAIL is no NXDOMAIN).
_FOR_NOW = ("try again", "temporar", "servfail", "server failure", "timed out", "timeout")
# Also about a mailbox, in replies that are wrongly permanent.
_UNTIL_LATER = ("temporarily not", "temporarily un", "temporary", "try later", "try again later")
# "Unknown host" in a rejection mostly means ours, unless a domain or a recipient is mentioned.
_OF_RECIPIENT = re.compile("domain|recipient|rcpt|destinat|addressee|empf|получател|收件|宛先")
_URL = re.compile(r"https?://[^\s>]{1,300}+")


def plain(words: str) -> str:
    """Normalise a text for the tables: lower case, single spaces, straight quotes, no codes of further lines."""
    return _NEXT_LINE.sub(" ", words[:MAX_CHARS]).lower().replace("’", "'")


class Case(NamedTuple):
    """The context of a rejection.

    If the fault `is_ours`, nothing is about the recipient's address. A host or domain that is not found can be the
    recipient's only if it `may_be_domain`: the rejecting server mentions the recipient, or our own server looked it up.
    """

    status: str
    command: str
    is_ours: bool
    may_be_domain: bool


def read_case(words: str, status: str, command: str, *, names_sender: bool, names_domain: bool | None) -> Case:
    """Return the context of a rejection with this normalised text.

    `names_sender`: it names only the sender. `names_domain`: the recipient's domain (True), only ours (False), neither
    (None).
    """
    detail, reply = status[2:], reply_code(words)
    is_ours = (
        names_sender
        or command in BY_COMMAND
        or detail in OUR_CODES
        or detail.startswith("6.")
        or detail in SYNTAX_CODES
        or (reply in SYNTAX_REPLIES and not detail.startswith("1."))
        or bool(by_fault(words))
    )
    may_be_domain = (
        names_domain is not False
        and command != "DATA"
        and (
            not reply
            or command == "RCPT"
            or bool(names_domain)
            or detail in DOMAIN_CODES
            or _OF_RECIPIENT.search(words) is not None
        )
    )
    return Case(status, command, is_ours, may_be_domain)


def by_fault(words: str) -> str:
    """Return the reason if the text is about us or the sender, or ""."""
    return _first(tables().ours, words)


def find_command(words: str) -> str:
    """Return the rejected command that the text mentions: RCPT, DATA, MAIL, EHLO or ""."""
    return next((command for command, test in commands() if test(words)), "")


def by_provider(words: str) -> str:
    """Return the reason by the phrases of a single provider or product, or ""."""
    return _first(tables().products, words)


def by_host(words: str) -> str:
    """Return the reason by the phrases of the providers whose hosts are named, or ""."""
    for signs, table in tables().hosts:
        for sign in signs:
            if sign in words:
                reason = _first(table, words)
                if reason:
                    return reason
                break
    return ""


def by_words(words: str, case: Case, *, are_rare: bool = False) -> str:
    """Return the reason by the phrases of all systems, or ""; with `are_rare` by the rare ones."""
    if not words or words.isspace():
        return ""
    in_front, users, domains, refusals, troubles = tables().rare if are_rare else tables().usual
    bare = _bare(words)
    reason = _first(in_front, bare)
    if reason and not (case.is_ours and reason in ADDRESS):
        return REFINED.get((reason, case.status[2:]), reason)
    host = "" if case.is_ours else _first(domains, bare)
    if host and any(word in bare for word in _FOR_NOW):
        return "networkerror"
    is_ours = case.is_ours or bool(host and not case.may_be_domain)
    user, is_firm = ("", False) if is_ours or host else _unknown_user(bare, users, case.status[2:], case.command)
    reason = ("" if is_ours else host) or (user if is_firm else "") or _first(refusals, bare) or user
    if not reason:
        names_user = not is_ours and case.status[2:] in UNKNOWN_USER_CODES
        # A code about the content means more than words like "error" and "process" (RFC 3463 section 3.7).
        trouble = "" if case.status[2:].startswith("6.") else _first(troubles, bare)
        reason = _unless_refused(bare) if names_user else trouble or ("rejected" if host else "")
    return REFUSED.get((reason, case.command), reason)


def _unless_refused(words: str) -> str:
    """Return the reason for a code of an unknown user without a usual phrase: rare phrases outweigh it."""
    rare = tables().rare
    return _first(rare.states, words) or _first(rare.refusals, words) or "userunknown"


def _bare(words: str) -> str:
    """Return a text without URLs and without phrases that mean nothing."""
    bare = _URL.sub(" ", words) if "://" in words else words
    for phrase in tables().nothing:
        if phrase in bare:
            bare = bare.replace(phrase, " ")
    return bare


def _unknown_user(words: str, users: Table, detail: str, command: str) -> tuple[str, bool]:
    """Return the reason for an unknown user, or "", and whether it excludes any other."""
    is_sure = tables().sure_users(words)
    if not is_sure and not _first(users, words):
        return "", False
    if detail in UNKNOWN_USER_CODES:
        return "userunknown", True
    if command == "DATA" or (command != "RCPT" and detail.startswith("2.")):
        return "filtered", False
    return "userunknown", is_sure or (command == "RCPT" and not detail.startswith("7."))


def _first(table: Table, words: str) -> str:
    if not table.has_any(words):
        return ""
    for reason, test in table.reasons:
        if test(words):
            return reason
    return ""


def by_category(category: str) -> str:
    """Return the reason for a bounce category of PowerMTA, or ""."""
    return CATEGORIES.get(category, "")


def by_status(status: str, *, only_special: bool = False, is_ours: bool = False) -> str:
    """Return the reason for a status code, or ""; with `only_special` not for general codes.

    With `is_ours`, codes about the recipient's address give no reason.
    """
    subject, _, detail = status[2:].partition(".")
    if only_special and detail in ("", "0"):
        return ""
    if subject == "7" and number(detail) in BANNED:
        return "blocked"
    reason = CODES.get(f"{subject}.{detail}", "" if only_special else SUBJECTS.get(subject, ""))
    return "" if is_ours and reason in ADDRESS else reason


def by_own_code(status: str) -> str:
    """Return the reason for a code about our SPF, DKIM, DMARC or PTR, whatever the text, or ""."""
    return CODES[status[2:]] if status[2:] in SURE_CODES else ""


def by_command(command: str) -> str:
    """Return the reason for a command rejected without one, or ""."""
    return BY_COMMAND.get(command, "")


def by_reply(words: str) -> str:
    """Return the reason for the reply code alone, or ""."""
    return REPLIES.get(reply_code(words), "")


def is_hard(reason: str, status: str, action: str, words: str) -> bool:
    """Return whether sending to this address again is futile; `words` is the normalised text about this recipient."""
    is_final = action not in ("delayed", "delivered", "relayed", "expanded") and not any(
        word in words for word in _UNTIL_LATER
    )
    return is_final and reason in ADDRESS and (reply_code(words) or status)[:1] != "4"
