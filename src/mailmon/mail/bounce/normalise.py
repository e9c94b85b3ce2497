"""A server's text without the parts that differ per message: addresses, host names, the recipient's name.

"mailbox bob@example.org is full" and "User <nobody.here> unknown" then match the usual phrases, and a host name such as
mx.spamfilter.example is not mistaken for a reason.
"""

from __future__ import annotations

from collections.abc import Container

_MARKS = "<>()[]{}\"'`,;:.!"
# Names of characters, not of people: "bare <LF> received".
_CHARACTERS = frozenset({"<lf>", "<cr>", "<crlf>", "<lf>.<lf>", "<cr><lf>"})
_HOST_BEFORE = frozenset({"host", "server", "mta", "relay"})


def mask(words: str, own: str = "", vocabulary: Container[str] = ()) -> str:
    """Return a lower-case text without addresses, host names beside an IP address, and the parts of `own`.

    A name that is a word of the `vocabulary` stays: "mailbox disabled" may be about disabled@example.org too.

    >>> mask("550 mailbox <bob@example.org> is full"), mask("550 user <nobody.here> unknown")
    ('550 mailbox is full', '550 user unknown')
    >>> mask("host mx.spam.example[192.0.2.1] said: no bob here", "bob@example.org")
    'host said: no here'
    """
    own = own.lower()
    local, _, domain = own.rpartition("@")
    names = {name for name in (own, local, domain) if len(name) > 1 and name not in vocabulary}
    kept: list[str] = []
    for whole in words.split():
        word = _without_address(whole) if "@" in whole else whole
        if not word:
            continue
        if not _is_name(word, names) and not (kept and kept[-1] in _HOST_BEFORE and _is_host(word)):
            kept.append(word)
        elif word[-1] in ":.;," and kept:
            kept[-1] = f"{kept[-1]}{word[-1]}"
    return " ".join(kept)


def _without_address(word: str) -> str:
    """Return the text before and after an address in a word, without enclosing marks.

    >>> _without_address("to:<bob@example.org>:"), _without_address("(bob@example.org:blocked)")
    ('to:', 'blocked)')
    """
    before, _, behind = word.partition("@")
    start = max(before.rfind(mark) for mark in "<:=(,|/") + 1
    end = next((at for at, character in enumerate(behind) if character in ">:,;)|/"), len(behind))
    return before[:start].strip("<(") + behind[end:].lstrip(">):,;|/")


def _is_name(word: str, names: set[str]) -> bool:
    if word.strip(_MARKS) in names:
        return True
    if word[0] == "<" and len(word) > 2:
        return ">" in word and word not in _CHARACTERS and "://" not in word
    if "[" in word:
        return _is_host(word) or (word[0] == "[" and word[1:2].isdigit() and ("." in word or ":" in word))
    return False


def _is_host(word: str) -> bool:
    """Return whether a word is a host name, with or without an IP address after it."""
    name = word.partition("[")[0].strip("(:,")
    return "." in name and "/" not in name and name.replace(".", "").replace("-", "").isalnum()
