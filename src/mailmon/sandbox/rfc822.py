"""The parts of a message that an IMAP server needs (RFC 5322)."""

import email
import re
from email.errors import HeaderParseError
from email.header import decode_header, make_header

_HEADER_END = re.compile(rb"\r?\n\r?\n")
_FIELD_END = re.compile(rb"\r?\n(?![ \t])")


def split(raw: bytes) -> tuple[bytes, bytes]:
    """Divide a message into header (with the blank line that ends it, RFC 3501 section 6.4.5) and body."""
    if raw.startswith((b"\r\n", b"\n")):
        end = raw.index(b"\n") + 1
        return raw[:end], raw[end:]
    match = _HEADER_END.search(raw)
    return (raw[: match.end()], raw[match.end() :]) if match else (raw, b"")


def header_lines(raw: bytes) -> list[bytes]:
    """List the header fields, still folded, without their line ends."""
    return [line for line in _FIELD_END.split(split(raw)[0].rstrip(b"\r\n")) if line]


def field_name(line: bytes) -> str:
    """Return the lower-case name of a header field."""
    return line.partition(b":")[0].strip().decode("ascii", "replace").lower()


def header_values(raw: bytes, name: str) -> list[str]:
    """List the unfolded values of all fields of that name, encoded words decoded (RFC 2047)."""
    return [_decoded(line.partition(b":")[2]) for line in header_lines(raw) if field_name(line) == name.lower()]


def body_text(raw: bytes) -> str:
    """Return the body as transmitted, followed by what its encoded text parts mean."""
    texts = [split(raw)[1].decode("utf-8", "replace")]
    try:
        parts = list(email.message_from_bytes(raw).walk())
    except RecursionError:  # parts within parts, more than the standard library follows
        return texts[0]
    for part in parts:
        if part.get_content_maintype() == "text" and part.get("Content-Transfer-Encoding"):
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                texts.append(payload.decode("utf-8", "replace"))
    return "\n".join(texts)


def _decoded(value: bytes) -> str:
    text = re.sub(r"\r?\n(?=[ \t])", "", value.decode("utf-8", "replace")).strip()
    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, ValueError):  # an unknown charset or broken base64 in an encoded word
        return text
