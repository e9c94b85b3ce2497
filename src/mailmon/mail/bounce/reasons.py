"""Why did it fail, and is it for good? (docs/bounces.md lists the reasons)"""

from __future__ import annotations

import re

from mailmon.mail.bounce.match import Test, read_table
from mailmon.mail.bounce.reason_codes import (
    BANNED,
    BY_COMMAND,
    CATEGORIES,
    CODES,
    REFINED,
    REFUSED,
    REPLIES,
    SUBJECTS,
    UNKNOWN_USER_CODES,
)
from mailmon.mail.bounce.reason_hosts import HOSTS
from mailmon.mail.bounce.reason_hosts_later import MORE_HOSTS
from mailmon.mail.bounce.reason_providers import PROVIDERS
from mailmon.mail.bounce.reason_words import FIRST, UNKNOWN_HOST, UNKNOWN_USER
from mailmon.mail.bounce.reason_words_later import REFUSALS, TROUBLES
from mailmon.mail.bounce.reason_words_rare import RARE_FIRST, RARE_UNKNOWN_HOST, RARE_UNKNOWN_USER
from mailmon.mail.bounce.reason_words_rare_later import RARE_REFUSALS, RARE_TROUBLES
from mailmon.mail.bounce.statuses import reply_code
from mailmon.mail.bounce.words import COMMANDS
from mailmon.mail.caps import number

MAX_CHARS = 3000
UNDEFINED = "undefined"
# An address or host that will not exist tomorrow either. `notaccept` too, unless the server says "for now".
HARD = ("userunknown", "hostunknown", "hasmoved")

_HOSTS = tuple((tuple(signs.split(" | ")), read_table(table)) for signs, table in HOSTS + MORE_HOSTS)
_PROVIDERS = read_table(PROVIDERS)
_USUAL = tuple(read_table(table) for table in (FIRST, UNKNOWN_USER, UNKNOWN_HOST, REFUSALS, TROUBLES))
_RARE_TABLES = (RARE_FIRST, RARE_UNKNOWN_USER, RARE_UNKNOWN_HOST, RARE_REFUSALS, RARE_TROUBLES)
_RARE = tuple(read_table(table) for table in _RARE_TABLES)
_COMMANDS = read_table(COMMANDS)
# The code in front of each further line of a reply parts what belongs together.
_NEXT_LINE = re.compile(r"\s+[245]\d\d(?:-(?:[245]\.\d{1,3}\.\d{1,3}\s+)?| [245]\.\d{1,3}\.\d{1,3}\s+)|\s+", re.ASCII)
_URL = re.compile(r"https?://[^\s>]{1,300}+")


def plain(words: str) -> str:
    """Return words as the tables compare them: lower case, one space, straight quotes, no line codes."""
    return _NEXT_LINE.sub(" ", words[:MAX_CHARS]).lower().replace("’", "'")


def find_command(words: str) -> str:
    """Return which command the server refused, as these plain words tell it: RCPT, DATA, MAIL, EHLO or ""."""
    return next((command for command, test in _COMMANDS if test(words)), "")


def by_provider(words: str) -> str:
    """Return the reason that plain words of a single provider or product give, or ""."""
    return _first(_PROVIDERS, words)


def by_host(words: str) -> str:
    """Return the reason that plain words give at the hosts that are named among them, or ""."""
    for signs, table in _HOSTS:
        for sign in signs:
            if sign in words:
                reason = _first(table, words)
                if reason:
                    return reason
                break
    return ""


def by_words(words: str, status: str, command: str, *, are_rare: bool = False) -> str:
    """Return the reason that plain words give, or ""; with `are_rare` by the tables of rarer words."""
    if not words or words.isspace():
        return ""
    in_front, users, hosts, refusals, troubles = _RARE if are_rare else _USUAL
    bare = _URL.sub(" ", words) if "://" in words else words
    detail = status[2:]
    reason = _first(in_front, bare)
    if reason:
        return REFINED.get((reason, detail), reason)
    unknown = command not in ("EHLO", "MAIL") and _first(users, bare)
    host = _first(hosts, bare)
    is_sure = (command == "RCPT" and not detail.startswith("7.")) or detail in UNKNOWN_USER_CODES
    if unknown and is_sure and not host:
        return "userunknown"
    reason = host or _first(refusals, bare) or ("filtered" if unknown else _first(troubles, bare))
    return REFUSED.get((reason, command), reason)


def _first(table: tuple[tuple[str, Test], ...], words: str) -> str:
    for reason, test in table:
        if test(words):
            return reason
    return ""


def by_category(category: str) -> str:
    """Return the reason that a sending system names in a field of its own, or ""."""
    return CATEGORIES.get(category, "")


def by_status(status: str, *, only_special: bool = False) -> str:
    """Return the reason that a code gives, or ""; with `only_special` a general code gives none."""
    subject, _, detail = status[2:].partition(".")
    if only_special and detail in ("", "0"):
        return ""
    if subject == "7" and number(detail) in BANNED:
        return "blocked"
    return CODES.get(f"{subject}.{detail}", "" if only_special else SUBJECTS.get(subject, ""))


def by_command(command: str) -> str:
    """Return what it means that a command was refused without a reason, or ""."""
    return BY_COMMAND.get(command, "")


def by_reply(words: str) -> str:
    """Return what the reply code means where there is nothing better, or ""."""
    return REPLIES.get(reply_code(words), "")


def is_hard(reason: str, status: str, action: str) -> bool:
    """Say whether sending again to this address is of no use."""
    if action in ("delayed", "delivered", "relayed", "expanded"):
        return False
    return reason in HARD or (reason == "notaccept" and not status.startswith("4"))
