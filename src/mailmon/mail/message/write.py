"""The writer of messages, for alerts and notices: plain text and HTML, all in ASCII (RFC 5322, RFC 2045 to 2047).

Ours and not the standard library's: that folds long message ids into encoded words, where no mail program finds them.
"""

from __future__ import annotations

from binascii import b2a_qp
from collections.abc import Iterable, Sequence

from mailmon.mail.probe.probe import find_tokens
from mailmon.text import visible

# 39 bytes make an encoded word of 64 characters, so that the line that begins with "Subject: " stays below the limit
# of 76 (RFC 2047 section 2).
_WORD_BYTES = 39
_MAX_TOKENS = 10_000
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
</head>
<body style="margin:0;padding:12px;font:16px/1.45 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif">
<div style="max-width:640px;margin:0 auto;overflow-wrap:anywhere;word-break:break-word">
<h1 style="margin:0 0 16px;padding:12px 14px;border-radius:6px;background:{colour};color:#ffffff;\
font-size:19px;line-height:1.3">{mark}{title}</h1>
{paragraphs}
<p style="margin:20px 0 0;font-size:13px;opacity:.7">{footer}</p>
</div>
</body>
</html>
"""


def alternative(headers: Sequence[str], text: str, page: str, boundary: str) -> bytes:
    """Return a message with a text part and an HTML part, CRLF line ends throughout (RFC 2046 section 5.1.4).

    Each of `headers` is one field, folded at most with CRLF and a blank. Raises ValueError for any other line end, with
    which somebody else could add fields. Only an address may hold characters beyond ASCII (RFC 6532).
    """
    if any("\n" in field.replace("\r\n ", "") or "\r" in field.replace("\r\n ", "") for field in headers):
        raise ValueError("a header field holds a line end")
    fields = [*headers, "MIME-Version: 1.0", f'Content-Type: multipart/alternative; boundary="{boundary}"']
    parts = "".join(f"--{boundary}\r\n{_text_part(kind, body)}\r\n" for kind, body in (("plain", text), ("html", page)))
    return ("\r\n".join(fields) + f"\r\n\r\n{parts}--{boundary}--\r\n").encode()


def html_page(
    title: str, paragraphs: Iterable[Sequence[str]], footer: str, *, mark: str = "", colour: str = "#495057"
) -> str:
    """Return a page for a mail program: foreign text is escaped, and nothing is fetched from anywhere.

    A paragraph is its lines.
    """
    from html import escape

    blocks = "\n".join(
        '<p style="margin:0 0 14px">' + "<br>\n".join(map(escape, lines)) + "</p>" for lines in paragraphs
    )
    shown = f"{mark} " if mark else ""
    return _PAGE.format(title=escape(title), mark=shown, colour=colour, paragraphs=blocks, footer=escape(footer))


def harmless(text: str, *, one_line: bool = False) -> str:
    """Show control characters as escapes, and cut the tokens of probes: a message of ours that lands in a monitored
    mailbox must be taken neither for a probe nor for the bounce of one.
    """
    for token in find_tokens(text, _MAX_TOKENS):
        text = text.replace(token, f"{token[:10]}…")
    lines = [visible(line, len(line)) for line in text.replace("\r\n", "\n").split("\n")]
    return (" " if one_line else "\n").join(lines)


def encoded_words(text: str) -> str:
    """Return encoded words, one per line (RFC 2047). A line end in the text is encoded as well and ends no header."""
    from base64 import b64encode

    words, word = [], b""
    for char in text:
        raw = char.encode("utf-8", "replace")
        if len(word) + len(raw) > _WORD_BYTES:
            words.append(word)
            word = b""
        word += raw
    return "\r\n ".join(f"=?utf-8?B?{b64encode(part).decode()}?=" for part in [*words, word])


def _text_part(subtype: str, text: str) -> str:
    """Return a part in quoted-printable, without the boundary around it (RFC 2045 section 6.7)."""
    raw = text.encode("utf-8", "replace").replace(b"\n", b"\r\n")
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    # Soft line breaks end as the first line does, which may be the only one.
    encoded = b2a_qp(raw, istext=True).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return head + encoded.decode("ascii")
