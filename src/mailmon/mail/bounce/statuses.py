"""The enhanced status code of a recipient (RFC 3463, RFC 2034, RFC 5248).

The Status field and the server's words often differ: a relay writes a general code into the field and quotes a special
one, or has given up at last and quotes why.
"""

from __future__ import annotations

import re

# Neither part of an IPv4 address nor of a version; the subject of a status code is 0 to 7 (RFC 3463 section 3).
_CODE = re.compile(r"(?<![\w.-])#?([245])\.([0-7])\.(\d{1,3})(?![\d-]|\.\d)", re.ASCII)
_REPLY = re.compile(r"(?<![\w.:/-])([45][0-5]\d)(?=[ -](?!\w{3,4} 20\d\d)|: |$|#)(?! bytes)", re.ASCII)
# Codes that say less than another one beside them.
_WEAK = re.compile(r"4\.4\.7|5\.3\.\d+|5\.1\.1|5\.4\.7")
MAX_CODES = 40


def choose_status(field: str, words: str) -> str:
    """Return the code that says most, "" when there is none.

    The class of the SMTP reply wins; then a special code beats x.0.0 and x.y.0, and weak ones; then the field wins.

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
    """Say whether a code of failure stands in these words."""
    return any(code[0] != "2" for code in _codes(words))


def holds_permanent(words: str) -> bool:
    """Say whether a code of class 5 stands in these words."""
    return any(code[0] == "5" for code in _codes(words)) or any(match[1][0] == "5" for match in _REPLY.finditer(words))


def reply_code(words: str) -> str:
    """Return the first SMTP reply code of class 4 or 5 in these words, or ""."""
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
