"""Masked addresses, for those who may not see them; what is not understood is hidden whole.

The domain is hidden too, and with it host names: a person's own domain is a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

HIDDEN = "***"
# What can stand in a plain address: no space, no quote, nothing that RFC 5322 section 3.2.3 calls special, but the dot.
_PLAIN = r"[^\s<>()\[\]{},;:\"@\\]"
# The look-behind makes a search begin at the beginning of a word only: linear, however long the word.
_ADDRESS = re.compile(rf"(?<!{_PLAIN})(?<![@\\]){_PLAIN}++@{_PLAIN}++")
_NAMED = re.compile(r"[^<>@]*<([^<>]*)>\s*")
_LABEL = re.compile(r"[^\W_](?:[\w-]*[^\W_])?")
_TOP = re.compile(r"[^\W\d_]{2,24}|xn--[a-z0-9-]{1,59}", re.IGNORECASE)
_HOST = re.compile(
    r"(?<![\w-])(?<![\w-]\.)(?:[\w-]{1,63}\.)+(?:[^\W\d_]{2,63}|xn--[a-z0-9-]{1,59})(?![\w-])", re.IGNORECASE
)
# Signs of an address that was written in another way: fullwidth, or coded for a URL, for HTML, or as xtext (RFC 3461).
_CODED_AT = re.compile(
    r"[＠﹫]|%40|=40|\+40(?=[\w])|&#0*64;|&#x0*40;|&commat;|\bcn=|[\[({]\s*at\s*[\])}]", re.IGNORECASE
)
_ENCODED_WORD = re.compile(r"=\?[^?\s]{1,80}\?[bq]\?[^?]*+(?:\?=)?", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_TAIL = ".!?'"
_IS_ODD = "@"
# Of fewer letters none is shown, and of so many the last one too.
MIN_PIECE, LONG = 3, 5


def mask_address(address: str) -> str:
    """Return an address of which a few letters are left; one that is not plain is hidden whole.

    >>> mask_address("jonathan@example.org"), mask_address("bob@mail.example.org"), mask_address("al@example.org")
    ('j***n@e***.org', 'b***@m***.org', '***@e***.org')
    >>> mask_address('"a@b"@example.org'), mask_address("a@@example.org"), mask_address("user@"), mask_address("user")
    ('***', '***', '***', '***')
    """
    if not address:
        return ""
    named = _NAMED.fullmatch(address)
    text = named[1] if named else address
    if not _ADDRESS.fullmatch(text) or _CODED_AT.search(text) or "%" in text or "!" in text:
        return HIDDEN
    local, _, domain = text.partition("@")
    return f"{_masked_local(local)}@{mask_domain(domain)}"


def mask_domain(domain: str) -> str:
    """Return a domain or host name of which a letter and the top-level domain are left.

    >>> mask_domain("mail.example.org"), mask_domain("t.co"), mask_domain("[192.0.2.1]"), mask_domain("localhost")
    ('m***.org', '***.co', '***', '***')
    """
    labels = domain.removesuffix(".").split(".")
    if not domain:
        return ""
    if len(labels) < 2 or not _TOP.fullmatch(labels[-1]) or not all(_LABEL.fullmatch(label) for label in labels):
        return HIDDEN
    first = labels[0][0] if len(labels[0]) >= MIN_PIECE else ""
    return f"{first}{HIDDEN}.{labels[-1]}"


def mask_text(text: str, known: Iterable[str] = ()) -> str:
    """Return free text without addresses and host names; hidden whole where something looks like an odd address.

    The words of the `known` addresses are hidden wherever they stand: servers quote a mailbox by its name alone.

    >>> mask_text("550 <bob@example.org>: mailbox bob is full, see mail.example.net", ["bob@example.org"])
    '550 <b***@e***.org>: mailbox *** is full, see m***.net'
    >>> mask_text('550 "john smith"@example.org unknown')
    '***'
    """
    if not text:
        return ""
    rest = _ENCODED_WORD.sub(HIDDEN, text)
    words = {word for address in known for word in _words_of(address)}
    long_words = {word for word in words if len(word) >= MIN_PIECE}  # a letter that is left is no word
    shown, end = [], 0
    for match in _ADDRESS.finditer(rest):
        address = match[0].rstrip(_TAIL)
        shown.append(_mask_words(rest[end : match.start()], words))
        shown += [_hide(mask_address(address), long_words), match[0][len(address) :]]
        end = match.end()
    shown.append(_mask_words(rest[end:], words))
    return HIDDEN if _IS_ODD in shown else "".join(shown)


def hide_mailbox(text: str, address: str) -> str:
    """Return text without the words of an address before the @; nothing else is hidden.

    >>> hide_mailbox("mx.example.org: no mailbox Bob.Smith here", "bob.smith@example.org")
    'mx.example.org: no mailbox ***.*** here'
    """
    folded = text.casefold()
    pieces = _WORD.findall(address.rpartition("@")[0].casefold())
    words = {word for word in (*pieces, "".join(pieces)) if len(word) >= MIN_PIECE and word in folded}
    return _hide(text, words)


def _mask_words(text: str, words: set[str]) -> str:
    """Return text in which no plain address stands, _IS_ODD where another one seems to."""
    if "@" in text or _CODED_AT.search(text):
        return _IS_ODD
    return _hide(_HOST.sub(lambda match: mask_domain(match[0]), text), words)


def _hide(text: str, words: set[str]) -> str:
    return _WORD.sub(lambda match: HIDDEN if match[0].casefold() in words else match[0], text) if words else text


def _words_of(address: str) -> set[str]:
    """Return the words that tell whose address it is; short numbers stand in every reply, and tell nobody's.

    Of an odd address nobody can say where the domain begins.
    """
    is_odd = mask_address(address) == HIDDEN
    pieces = [word.casefold() for word in _WORD.findall(address if is_odd else address.rpartition("@")[0])]
    if len(pieces) == 1:
        return set(pieces)
    return {piece for piece in pieces if len(piece) >= MIN_PIECE or not piece.isdigit()} | {"".join(pieces)}


def _masked_local(local: str) -> str:
    if len(local) < MIN_PIECE:
        return HIDDEN
    return f"{local[0]}{HIDDEN}{local[-1] if len(local) >= LONG else ''}"
