"""MTA-STS: its record and its policy (RFC 8461 sections 3.1 and 3.2)."""

from __future__ import annotations

import re
from typing import NamedTuple

from mailmon.mail.caps import MAX_MISTAKES
from mailmon.mail.records.tags import Mistake, begins_strictly, read_fields

MODES = ("enforce", "testing", "none")
MAX_AGE_S = 31557600
_ID = re.compile(r"[A-Za-z0-9]{1,32}", re.ASCII)
_PATTERN = re.compile(r"(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?", re.ASCII)


class Policy(NamedTuple):
    """What the policy file says; `patterns` are the MX hosts, `*.` stands for one label."""

    mode: str
    max_age_s: int
    patterns: tuple[str, ...] = ()
    mistakes: tuple[str, ...] = ()

    def covers(self, host: str) -> bool:
        """Return whether an MX host is one of the policy's (section 4.1).

        >>> Policy("enforce", 86400, ("*.example.org",)).covers("a.b.example.org")
        False
        """
        name = host.lower().rstrip(".")
        return any(
            name.partition(".")[2] == pattern[2:] if pattern.startswith("*.") else name == pattern
            for pattern in (one.lower().rstrip(".") for one in self.patterns)
        )


def is_sts(text: str) -> bool:
    """Return whether a TXT record is one of MTA-STS (section 3.1)."""
    return begins_strictly(text, "STSv1")


def read_id(text: str) -> str:
    """Return the id of a TXT record. Raises Mistake."""
    value = read_fields(text).get("id", "")
    if not _ID.fullmatch(value):
        raise Mistake(f"id={value[:40]}: it must be 1 to 32 letters and digits" if value else "there is no id=")
    return value


def read_policy(text: str) -> Policy:
    """Read a policy file. Raises Mistake where senders cannot use it."""
    values: dict[str, str] = {}
    patterns: list[str] = []
    mistakes: list[str] = []
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        name, value = name.strip(), value.strip()
        if not line.strip():
            continue
        if not colon:
            mistakes.append(f"{line.strip()[:60]!r} is no line of the form name: value")
        elif name == "mx":
            patterns.append(_pattern(value))
        else:
            values.setdefault(name, value)
    if values.get("version") != "STSv1":
        raise Mistake("there is no line version: STSv1")
    if values.get("mode") not in MODES:
        raise Mistake(f"mode: {values.get('mode', '')[:40]!r} is none of {', '.join(MODES)}")
    age = values.get("max_age", "")
    if not re.fullmatch(r"\d{1,10}", age, re.ASCII) or int(age) > MAX_AGE_S:
        raise Mistake(f"max_age: {age[:40]!r} is no number of seconds up to {MAX_AGE_S}")
    if not patterns and values["mode"] != "none":
        raise Mistake("there is no line mx: with a host")
    return Policy(values["mode"], int(age), tuple(patterns), tuple(mistakes[:MAX_MISTAKES]))


def _pattern(value: str) -> str:
    if not _PATTERN.fullmatch(value):
        raise Mistake(f"mx: {value[:60]!r} is no host name")
    return value
