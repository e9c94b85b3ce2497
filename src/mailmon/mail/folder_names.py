"""Names of IMAP folders: modified UTF-7 (RFC 3501 section 5.1.3), and which name was probably meant. Pure."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mailmon.text import visible

MAX_SHOWN, MAX_NEAR, MAX_COMPARED = 10, 4, 500

_SHIFTED = re.compile(r"&([A-Za-z0-9+,]*+)-")
_LISTED = re.compile(rb'\(([^()]*+)\) (?:"((?:[^"\\]|\\.)?)"|NIL) (?:"((?:[^"\\]|\\.)*+)"|([^\s"]++))\s*+')
_NOT_THERE = (b"\\noselect", b"\\nonexistent")


class ListedFolder(NamedTuple):
    """A folder as a server lists it; `separator` parts the levels of its name, "" where there are none.

    `attributes` are in lower case (RFC 3501 section 7.2.2, RFC 6154).
    """

    name: str
    separator: str
    attributes: tuple[bytes, ...] = ()

    @property
    def can_be_opened(self) -> bool:
        """Return whether it is a folder, and not only a level of names (RFC 3501 section 7.2.2, RFC 5258 section 3)."""
        return not any(attribute in _NOT_THERE for attribute in self.attributes)


def encode(name: str) -> str:
    """Return a folder's name in modified UTF-7.

    >>> encode("Entwürfe & Müll")
    'Entw&APw-rfe &- M&APw-ll'
    """
    parts = re.findall(r"[ -~]+|[^ -~]+", name)
    return "".join(part.replace("&", "&-") if part.isascii() and part.isprintable() else _shift(part) for part in parts)


def decode(wire: str) -> str:
    """Return the name that modified UTF-7 stands for; what is none stays as it is. Never raises.

    >>> decode("Entw&APw-rfe &- M&APw-ll")
    'Entwürfe & Müll'
    """
    return _SHIFTED.sub(lambda match: _unshift(match[1]) if match[1] else "&", wire)


def on_wire(name: str) -> str:
    """Return a configured name as it is sent: encoded, unless it is so already.

    >>> on_wire("Entwürfe"), on_wire("Entw&APw-rfe"), on_wire("Q&A")
    ('Entw&APw-rfe', 'Entw&APw-rfe', 'Q&-A')
    """
    is_encoded = name.isascii() and "&" in name and encode(decode(name)) == name
    return name if is_encoded else encode(name)


def read_listed_folder(item: object) -> ListedFolder | None:
    r"""Return the folder in a LIST answer as imaplib gives it, None for anything else. Never raises.

    >>> read_listed_folder(b'(\\Trash) "/" "[Gmail]/Trash"').name
    '[Gmail]/Trash'
    """
    literal = None
    if isinstance(item, tuple) and len(item) == 2:
        item, literal = re.sub(rb"\{\d+\}$", b'""', bytes(item[0])), bytes(item[1])
    match = _LISTED.fullmatch(item) if isinstance(item, bytes) else None
    if not match:
        return None
    quoted_name = re.sub(rb"\\(.)", rb"\1", match[3]) if match[3] is not None else match[4]
    raw = quoted_name if literal is None else literal
    separator = re.sub(rb"\\(.)", rb"\1", match[2] or b"").decode("ascii", "replace")
    return ListedFolder(decode(raw.decode("utf-8", "replace")), separator, tuple(match[1].lower().split()))


def advice_on(folder: str, listed: Iterable[ListedFolder]) -> str:
    """Say which folders there are instead of one that is not there, first those that were probably meant.

    >>> advice_on("Junk", [ListedFolder("INBOX", "."), ListedFolder("INBOX.Junk", ".")])
    'Folder names begin with "INBOX." here: use "INBOX.Junk". There are: "INBOX.Junk", "INBOX".'
    """
    there = [one for one in listed if one.can_be_opened]
    names = list(dict.fromkeys(one.name for one in there))
    if not names:
        return "Create the folder, or name another one."
    wanted = decode(folder)
    near = _near(wanted, there)
    shown = list(dict.fromkeys([*near, *names]))[:MAX_SHOWN]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    listing = f"There are: {', '.join(map(_quoted, shown))}{more}."
    prefix = next((_prefix(one) for one in there if one.separator and one.name == f"{_prefix(one)}{wanted}"), "")
    if prefix:
        return f'Folder names begin with "{prefix}" here: use {_quoted(prefix + wanted)}. {listing}'
    return f"Use {_quoted(near[0])}, or create it. {listing}" if near else f"Create it, or name another one. {listing}"


def _prefix(one: ListedFolder) -> str:
    """Return `INBOX` as a server writes it, with the separator."""
    return f"{one.name[:5]}{one.separator}" if one.name[:5].upper() == "INBOX" else f"INBOX{one.separator}"


def _near(wanted: str, listed: Sequence[ListedFolder]) -> list[str]:
    """Return the names that are nearest to the wanted one: the same last part first, then similar ones."""
    from difflib import get_close_matches

    last = wanted.replace("/", ".").rpartition(".")[2].lower()
    names = [one.name for one in listed[:MAX_COMPARED]]
    same = [one.name for one in listed if one.name.rpartition(one.separator or "\0")[2].lower() == last]
    lower = {name[:100].lower(): name for name in names}
    similar = [lower[one] for one in get_close_matches(wanted[:100].lower(), list(lower), MAX_NEAR, 0.6)]
    return list(dict.fromkeys([*same, *similar]))[:MAX_NEAR]


def _quoted(name: str) -> str:
    return f'"{visible(name, 80)}"'


def _shift(text: str) -> str:
    """Return characters in modified BASE64 of UTF-16."""
    return f"&{b64encode(text.encode('utf-16-be', 'surrogatepass')).decode().rstrip('=').replace('/', ',')}-"


def _unshift(letters: str) -> str:
    coded = letters.replace(",", "/")
    try:
        return b64decode(coded + "=" * (-len(coded) % 4)).decode("utf-16-be")
    except ValueError:
        return f"&{letters}-"
