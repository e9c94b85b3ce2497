"""Authentication-Results (RFC 8601): which fields are trusted, and what they say. Never raises.

Only the topmost field of a named host is believed; any other may be forged (RFC 8601 section 5).
"""

from __future__ import annotations

import re

from mailmon.mail.caps import without_comments

MAX_FIELDS = 50
_RESULT = re.compile(r"(?:^|;)\s*([a-z][a-z-]*)(?:\s*/\s*\d+)?\s*=\s*([a-z]+)", re.IGNORECASE)


def results_of(values: list[str], authserv: str) -> dict[str, str] | None:
    """Return the results of the topmost field of this host by their method, None where it has none.

    >>> results_of(["mx.example.org; dkim=fail; dkim=pass header.d=a.example; spf=none"], "mx.example.org")
    {'dkim': 'pass', 'spf': 'none'}
    """
    for value in values[:MAX_FIELDS]:
        host, _, rest = without_comments(value).partition(";")
        if host.split()[:1] and host.split()[0].lower() == authserv.lower():
            found: dict[str, str] = {}
            for method, result in _RESULT.findall(rest):
                name = method.lower()
                found[name] = "pass" if "pass" in (found.get(name), result.lower()) else result.lower()
            return found
    return None
