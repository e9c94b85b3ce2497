"""What stands in a probe? As little as can be, or what filters may trip over: HTML, 8-bit text, a large file."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import NamedTuple

from mailmon.model import Probe

KINDS = ("plain", "html", "8bit")
_WORDS = "This message tests whether mail is delivered. mailmon deletes it once it has arrived."
# Two, three and four bytes in UTF-8; what is no UTF-8 afterwards was damaged on the way.
WIDE = "Grüße, žluťoučký kůň, Ελλάδα, 日本語, 🙂"
_LINE_BYTES = 57


class Form(NamedTuple):
    """What kind of message a probe is: plain, html (with a plain alternative) or 8bit; and what is attached to it."""

    kind: str = "plain"
    attachment_bytes: int = 0


PLAIN = Form()


def body_of(probe: Probe, version: str, form: Form) -> Iterator[str]:
    """Yield the lines from Content-Type on (RFC 2045, RFC 2046)."""
    if not form.attachment_bytes:
        yield from _text(probe, f"X-Mailer: mailmon {version}", form.kind)
        return
    boundary = f"{probe.token}-mixed"
    yield from (f'Content-Type: multipart/mixed; boundary="{boundary}"', f"X-Mailer: mailmon {version}", "")
    yield f"--{boundary}"
    yield from _text(probe, "Content-Description: the message", form.kind)
    yield f"--{boundary}"
    yield from ("Content-Type: application/octet-stream", "Content-Transfer-Encoding: base64")
    yield from ('Content-Disposition: attachment; filename="probe.bin"', "")
    yield from _attachment(probe.token, form.attachment_bytes)
    yield from (f"--{boundary}--", "")


def _text(probe: Probe, last_header: str, kind: str) -> Iterator[str]:
    lines = (_WORDS, "", f"Route: {probe.route}", f"Token: {probe.token}", "")
    if kind == "8bit":
        yield from ("Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", last_header, "")
        yield from (WIDE, *lines)
    elif kind == "html":
        boundary = f"{probe.token}-alternative"
        yield from (f'Content-Type: multipart/alternative; boundary="{boundary}"', last_header, "", f"--{boundary}")
        yield from ("Content-Type: text/plain; charset=us-ascii", "Content-Transfer-Encoding: 7bit", "", *lines)
        yield from (f"--{boundary}", "Content-Type: text/html; charset=us-ascii", "Content-Transfer-Encoding: 7bit", "")
        yield from ("<html><body>", f"<p>{_WORDS}</p>", f"<p>Token: {probe.token}</p>", "</body></html>")
        yield from (f"--{boundary}--", "")
    else:
        yield from ("Content-Type: text/plain; charset=us-ascii", "Content-Transfer-Encoding: 7bit", last_header, "")
        yield from lines


def _attachment(token: str, size_bytes: int) -> Iterator[str]:
    """Yield base64 lines of bytes that depend on the token: no filter knows the file already."""
    seed = token.encode("ascii")
    block = (seed * (_LINE_BYTES // len(seed) + 1))[:_LINE_BYTES]
    whole, rest = divmod(size_bytes, _LINE_BYTES)
    line = b64encode(block).decode("ascii")
    for _ in range(whole):
        yield line
    if rest:
        yield b64encode(block[:rest]).decode("ascii")
