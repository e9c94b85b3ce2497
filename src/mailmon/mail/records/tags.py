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
    """The tags in their order; `mistakes` are parts that are none, and `repeated` names, of which the first counts.

    Names are as they were written: tags are case-sensitive (RFC 6376 section 3.2).
    """

    values: dict[str, str]
    mistakes: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()

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
    repeated: list[str] = []
    if len(text) > MAX_RECORD_CHARS:
        mistakes.append(f"it has {len(text)} characters, of which {MAX_RECORD_CHARS} are read")
    for part in text[:MAX_RECORD_CHARS].split(";"):
        if not part.strip(_BLANK):
            continue
        match = _TAG.fullmatch(part)
        if not match:
            mistakes.append(f"{part.strip(_BLANK)[:60]!r} is no tag (name=value)")
            continue
        name = match[1]
        if name in values:
            mistakes.append(f"{name[:40]}= stands there twice")
            repeated.append(name)
        values.setdefault(name, match[2].strip(_BLANK))
    return Tags(values, tuple(mistakes[:MAX_MISTAKES]), tuple(repeated[:MAX_MISTAKES]))


def read_fields(text: str) -> dict[str, str]:
    """Return the fields of a record of MTA-STS or TLS-RPT, which have no blanks around `=`. Raises Mistake.

    (RFC 8461 section 3.1, RFC 8460 section 3)

    >>> read_fields("v=STSv1; id=1;")
    {'v': 'STSv1', 'id': '1'}
    """
    fields: dict[str, str] = {}
    for part in map(_stripped, text[:MAX_RECORD_CHARS].split(";")):
        if not part:
            continue
        name, equals, value = part.partition("=")
        if not equals:
            raise Mistake(f"{part[:60]!r} is no field (name=value)")
        if name != _stripped(name) or value != _stripped(value):
            raise Mistake(f"{part[:60]!r}: no blank may stand beside the equals sign")
        if name in fields:
            raise Mistake(f"{name[:40]}= stands there twice")
        fields[name] = value
    return fields


def _stripped(text: str) -> str:
    return text.strip(_BLANK)


def begins(text: str, version: str) -> bool:
    """Return whether a TXT record is of this kind: its first tag is `v`, with this value, exactly.

    >>> begins("v=DMARC1; p=none", "DMARC1"), begins("v=DMARC12", "DMARC1"), begins("v = DMARC1 ;", "DMARC1")
    (True, False, True)
    """
    return bool(re.match(rf"[ \t]*+v[ \t]*+=[ \t]*+{version}[ \t]*+(?:;|$)", text))


def begins_strictly(text: str, version: str) -> bool:
    """Return whether a TXT record begins with a version that no blank may stand in or before.

    (RFC 8461 section 3.1, RFC 8460 section 3)

    >>> begins_strictly("v=STSv1; id=1", "STSv1"), begins_strictly("v = STSv1; id=1", "STSv1")
    (True, False)
    """
    rest = text.removeprefix(f"v={version}")
    return rest != text and rest.lstrip(" \t")[:1] in ("", ";")
