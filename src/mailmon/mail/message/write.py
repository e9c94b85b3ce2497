"""The writer of messages, all in ASCII (RFC 5322, RFC 2045 to 2047).

Written by hand and all in ASCII: the standard library folds long message ids into encoded words, where no mail
program finds them again.
"""

from __future__ import annotations

from binascii import b2a_qp

from mailmon.mail.probe.probe import find_tokens
from mailmon.text import visible

# 39 bytes make an encoded word of 64 characters, so that even the line that begins with "Subject: " has less than
# the 76 of RFC 2047 section 2.
_WORD_BYTES = 39
_MAX_TOKENS = 10_000


def harmless(text: str, *, one_line: bool = False) -> str:
    """Show control characters as escapes, and cut the tokens of probes: a message of ours that lands in a monitored
    mailbox must be taken neither for a probe nor for the bounce of one.
    """
    for token in find_tokens(text, _MAX_TOKENS):
        text = text.replace(token, f"{token[:10]}…")
    lines = [visible(line, len(line)) for line in text.replace("\r\n", "\n").split("\n")]
    return (" " if one_line else "\n").join(lines)


def encoded_words(text: str) -> str:
    """Return encoded words, one a line (RFC 2047). A line end in the text is encoded as well and ends no header."""
    from base64 import b64encode

    words, word = [], b""
    for char in text:
        raw = char.encode("utf-8", "replace")
        if len(word) + len(raw) > _WORD_BYTES:
            words.append(word)
            word = b""
        word += raw
    return "\r\n ".join(f"=?utf-8?B?{b64encode(part).decode()}?=" for part in [*words, word])


def text_part(subtype: str, text: str) -> str:
    """Return a part of type text, in quoted-printable, without the boundary around it."""
    raw = text.encode("utf-8", "replace").replace(b"\n", b"\r\n")
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    return head + b2a_qp(raw, istext=True).decode("ascii")
