"""The enhanced status code of a recipient, and the reason that a code alone gives (RFC 3463, RFC 2034, RFC 5248).

The Status field and the server's text often differ: a relay writes a general code in the field and quotes a specific
one, or has given up and quotes the cause. Half of the servers use general codes and many use wrong ones, so a code
gives a reason only if the text has none. The class does not matter then: `2.2` stands for 4.2.2 and 5.2.2.
"""

from __future__ import annotations

import re

# Neither part of an IPv4 address nor of a version; the subject of a status code is 0 to 7 (RFC 3463 section 3).
_CODE = re.compile(r"(?<![\w.-])#?([245])\.([0-7])\.(\d{1,3})(?![\d-]|\.\d)", re.ASCII)
_REPLY = re.compile(r"(?<![\w.:/-])([45][0-5]\d)(?=[ -](?!\w{3,4} 20\d\d)|: |$|#)(?! bytes)", re.ASCII)
# Codes that mean less than another one beside them.
_WEAK = re.compile(r"4\.4\.7|5\.3\.\d+|5\.1\.1|5\.4\.7")
MAX_CODES = 40


def choose_status(field: str, words: str) -> str:
    """Return the most specific code, "" if there is none.

    The class of the SMTP reply comes first; then a specific code before x.0.0, x.y.0 and weak codes; then the field.

    >>> choose_status("5.0.0", "550 5.1.1 <bob@example.org>... User unknown")
    '5.1.1'
    >>> choose_status("5.7.1", "550 blocked, see http://192.0.2.5.2.2/")
    '5.7.1'
    """
    reply = reply_code(words)
    own = [code for code in _codes(field) if code[0] != "2"][:1]
    codes = own + [code for code in _codes(words) if code[0] != "2"]
    if not codes:
        return next(iter(_codes(field)), "")
    return max(codes, key=lambda code: (not reply or code[0] == reply[0], _weight(code)))


def holds_code(words: str) -> bool:
    """Return whether a text contains a failure code."""
    return any(code[0] != "2" for code in _codes(words))


def holds_permanent(words: str) -> bool:
    """Return whether a text contains a code of class 5."""
    return any(code[0] == "5" for code in _codes(words)) or any(match[1][0] == "5" for match in _REPLY.finditer(words))


def reply_code(words: str) -> str:
    """Return the first SMTP reply code of class 4 or 5 in a text, or ""."""
    match = _REPLY.search(words)
    return match[1] if match else ""


def _codes(text: str) -> list[str]:
    if "." not in text:
        return []
    found = []
    for match in _CODE.finditer(text):
        found.append(f"{match[1]}.{match[2]}.{int(match[3])}")
        if len(found) == MAX_CODES:
            break
    return found


def _weight(code: str) -> int:
    if code.endswith(".0.0"):
        return 0
    if code.endswith(".0"):
        return 1
    return 2 if _WEAK.fullmatch(code) else 3


# Address and mailbox, system, network, protocol, content, policy: the registry of RFC 5248.
CODES: dict[str, str] = {
    "1.1": "userunknown", "1.2": "hostunknown", "1.3": "userunknown", "1.4": "filtered", "1.5": "userunknown",
    "1.6": "hasmoved", "1.7": "rejected", "1.8": "rejected", "1.9": "systemerror", "1.10": "userunknown",
    "1.0": "userunknown",
    "2.0": "filtered", "2.1": "filtered", "2.2": "mailboxfull", "2.3": "exceedlimit", "2.4": "filtered",
    "3.0": "systemerror", "3.1": "systemfull", "3.2": "notaccept", "3.3": "systemerror", "3.4": "mesgtoobig",
    "3.5": "systemerror", "3.6": "systemerror",
    "4.0": "networkerror", "4.1": "expired", "4.2": "networkerror", "4.3": "systemerror", "4.4": "hostunknown",
    "4.5": "toomanyconn", "4.6": "networkerror", "4.7": "expired",
    "5.1": "syntaxerror", "5.2": "syntaxerror", "5.3": "speeding", "5.4": "systemerror", "5.5": "syntaxerror",
    "5.6": "syntaxerror",
    "6.0": "contenterror", "6.1": "contenterror", "6.2": "contenterror", "6.3": "contenterror", "6.5": "contenterror",
    "6.4": "contenterror", "6.8": "contenterror", "6.10": "contenterror",
    "6.6": "contenterror", "6.7": "contenterror", "6.9": "contenterror",
    "7.0": "securityerror", "7.1": "securityerror", "7.2": "securityerror", "7.3": "securityerror",
    "7.4": "securityerror", "7.5": "securityerror", "7.6": "securityerror", "7.7": "securityerror",
    "7.8": "authfailure", "7.9": "securityerror", "7.10": "securityerror", "7.11": "securityerror",
    "7.12": "authfailure", "7.13": "suspend", "7.14": "securityerror",
    "7.15": "policyviolation", "7.16": "mesgtoobig", "7.17": "hasmoved", "7.18": "hasmoved", "7.19": "systemerror",
    "7.20": "authfailure", "7.21": "authfailure", "7.22": "authfailure", "7.23": "authfailure",
    "7.24": "authfailure", "7.25": "requireptr", "7.26": "authfailure", "7.27": "rejected", "7.28": "speeding",
    "7.29": "authfailure", "7.30": "authfailure", "7.31": "authfailure", "7.32": "authfailure", "7.40": "authfailure",
    # Exchange Online and Outlook.com
    "1.20": "notcompliantrfc", "1.90": "speeding", "1.350": "userunknown", "1.351": "userunknown",
    "2.14": "securityerror", "2.121": "speeding", "2.122": "speeding", "3.190": "speeding", "4.300": "expired",
    "4.310": "hostunknown",
    "4.311": "expired", "4.312": "networkerror", "4.316": "expired", "4.317": "networkerror", "6.11": "contenterror",
    "7.64": "norelaying", "7.124": "rejected", "7.133": "securityerror", "7.134": "securityerror",
    "7.136": "securityerror", "7.129": "securityerror", "7.193": "securityerror", "7.501": "spamdetected",
    "7.502": "spamdetected", "7.503": "spamdetected", "7.504": "spamdetected", "7.505": "blocked", "7.506": "blocked",
    "7.507": "blocked", "7.508": "blocked", "7.509": "authfailure", "7.510": "blocked", "7.511": "blocked",
    "7.512": "notcompliantrfc", "7.513": "blocked", "7.515": "authfailure", "7.520": "securityerror",
    "7.650": "badreputation", "7.705": "speeding", "7.708": "blocked", "7.750": "securityerror",
}  # fmt: skip
# The subject alone, for a detail that is not listed.
SUBJECTS = {"3": "systemerror", "4": "networkerror", "6": "contenterror", "7": "securityerror"}
# Exchange Online counts 5.7.606 to 5.7.649 for sending hosts that it bans.
BANNED = range(606, 650)

# Status codes with which an unknown user is sure, whatever was the command.
UNKNOWN_USER_CODES = ("1.1", "1.3", "1.10", "1.350", "1.351")

# Codes about the recipient's domain.
DOMAIN_CODES = ("1.2", "1.10", "4.4", "4.310")
# Replies to a command that was not understood, and codes of the protocol that say the same (RFC 5321 section 4.2.2, RFC
# 3463 section 3.6). Not 501 and not 5.5.0, which many servers answer for an unknown user.
SYNTAX_REPLIES = ("500", "502", "503", "504")
SYNTAX_CODES = ("5.2", "5.4")

# Codes about the sender, our host or our login, whatever the words say besides (RFC 3463 sections 3.2 and 3.8,
# RFC 7372, RFC 7505 section 4.2, and those of Google and Microsoft).
OUR_CODES = frozenset(
    {
        "1.7",
        "1.8",
        "7.8",
        "7.9",
        "7.20",
        "7.21",
        "7.22",
        "7.23",
        "7.24",
        "7.25",
        "7.26",
        "7.27",
        "7.29",
        "7.30",
        "7.31",
        "7.32",
        "7.40",
        "7.509",
        "7.515",
    }
)

# Those of them that say more than any words beside them. Not 7.23 (SPF): Google uses it for a missing PTR too.
SURE_CODES = frozenset({"7.20", "7.21", "7.22", "7.25", "7.26", "7.30", "7.40", "7.509", "7.515"})

# The reply code, where there is nothing better (RFC 5321 section 4.2.3). Most servers that answer 521 refuse our host,
# and many answer 551 for anything (RFC 7504, RFC 5321 section 3.4).
REPLIES = {"521": "blocked", "556": "notaccept", "452": "systemfull", "552": "mailboxfull", "530": "securityerror",
           "535": "securityerror", "525": "suspend", "523": "exceedlimit"}  # fmt: skip

# What X-PowerMTA-BounceCategory says (PowerMTA).
CATEGORIES = {
    "bad-mailbox": "userunknown", "bad-domain": "hostunknown", "inactive-mailbox": "suspend",
    "quota-issues": "mailboxfull",
    "spam-related": "spamdetected", "virus-related": "virusdetected", "policy-related": "policyviolation",
    "routing-errors": "networkerror", "no-answer-from-host": "expired", "message-expired": "expired",
    "relaying-issues": "norelaying", "content-related": "contenterror", "bad-connection": "networkerror",
    "bad-configuration": "systemerror", "invalid-sender": "rejected", "protocol-errors": "systemerror",
}  # fmt: skip

# Where the words and the code together say more than the words: what the words say, the code, the reason.
REFINED = {("mesgtoobig", "2.3"): "exceedlimit"}
# The same of what the words say and the command that was refused: the sender or the sending host is meant.
REFUSED = {("securityerror", "MAIL"): "rejected", ("securityerror", "EHLO"): "blocked",
           ("systemerror", "EHLO"): "blocked"}  # fmt: skip

# What a refused command means, when the server gives no reason.
BY_COMMAND = {"EHLO": "blocked", "MAIL": "rejected"}
