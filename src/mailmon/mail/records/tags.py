"""A list of tags, `name=value; name=value`, as DKIM, DMARC, TLS-RPT and MTA-STS have it (RFC 6376 section 3.2)."""

from __future__ import annotations

import re
from typing import NamedTuple

from mailmon.mail.caps import MAX_MISTAKES, MAX_RECORD_CHARS

_TAG = re.compile(r"[ \t\r\n]*([A-Za-z][A-Za-z0-9_]*)[ \t\r\n]*=(.*)", re.DOTALL)
_BLANK = " \t\r\n"


class Mistake(ValueError):
    """The record cannot be used; the text says why."""


class Tags(NamedTuple):
    """The tags in their order, names in lower case; `mistakes` are parts that are none, and names that are repeated."""

    values: dict[str, str]
    mistakes: tuple[str, ...] = ()

    @property
    def first(self) -> str:
        """Return the name of the first tag."""
        return next(iter(self.values), "")


def read_tags(text: str) -> Tags:
    """Return the tags of a record; never raises.

    >>> read_tags("v=DMARC1; p=none;").values
    {'v': 'DMARC1', 'p': 'none'}
    """
    values: dict[str, str] = {}
    mistakes: list[str] = []
    if len(text) > MAX_RECORD_CHARS:
        mistakes.append(f"it has {len(text)} characters, of which {MAX_RECORD_CHARS} are read")
    for part in text[:MAX_RECORD_CHARS].split(";"):
        if not part.strip(_BLANK):
            continue
        match = _TAG.fullmatch(part)
        if not match:
            mistakes.append(f"{part.strip(_BLANK)[:60]!r} is no tag (name=value)")
            continue
        name = match[1].lower()
        if name in values:
            mistakes.append(f"{name[:40]}= stands there twice")
        values.setdefault(name, match[2].strip(_BLANK))
    return Tags(values, tuple(mistakes[:MAX_MISTAKES]))


def begins(text: str, version: str) -> bool:
    """Say whether a TXT record is of this kind: its first tag is `v`, with this value, exactly.

    >>> begins("v=DMARC1; p=none", "DMARC1"), begins("v=DMARC12", "DMARC1"), begins("v = DMARC1 ;", "DMARC1")
    (True, False, True)
    """
    return bool(re.match(rf"[ \t]*v[ \t]*=[ \t]*{version}[ \t]*(?:;|$)", text))
