"""Probes: how one is composed, and how a message is recognised as one.

The token says which probe a message is, the signature that it is ours and may be deleted. The token stands in the
Subject, in a header of its own and in the body, because some servers strip one or the other. Neither header is the
last one: a known broken filter glues its own header onto the last line.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import NamedTuple

from mailmon.mail.message.address import a_labels
from mailmon.mail.message.header import read_headers
from mailmon.mail.notifications import may_be_notification
from mailmon.mail.records.tags import read_tags
from mailmon.model import Probe

KINDS = ("plain", "html", "8bit")
_WORDS = "This message tests whether mail is delivered. mailmon deletes it once it has arrived."
# Two, three and four bytes in UTF-8, to detect damage in transit.
WIDE = "Grüße, žluťoučký kůň, Ελλάδα, 日本語, 🙂"
_LINE_BYTES = 57


class Form(NamedTuple):
    """The form of a probe: plain, html (with a plain alternative) or 8bit, and the size of its attachment."""

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


TOKEN_HEADER = "X-Mailmon-Token"  # noqa: S105 -- the name of a header
SIGNATURE_HEADER = "X-Mailmon-Signature"
SEAL_HEADER = "X-Mailmon-Seal"
# The fields to fetch: enough to recognise a probe or a bounce by its headers alone.
MARK_FIELDS = (
    TOKEN_HEADER, SIGNATURE_HEADER, SEAL_HEADER, "From", "To", "Subject", "Date", "Content-Type", "Auto-Submitted",
    "DKIM-Signature", "Return-Path", "X-Failed-Recipients",
)  # fmt: skip

_TOKEN = re.compile(r"mm[0-9a-f]{32}", re.ASCII)
# Possessive quantifiers: a Subject is foreign text, and backtracking into its tags would take for ever.
_TAGS = r"(?:[\[(*{]++[^\[\](){}*]{1,40}+[\])*}]++\s*+){0,5}+"
_SUBJECT = re.compile(_TAGS + r"mailmon probe (mm[0-9a-f]{32})\s*", re.ASCII | re.IGNORECASE)
MAX_SIGNERS = 5
# A domain or selector that a signature names.
_DOMAIN = re.compile(r"[A-Za-z0-9._-]{1,253}")
_SEALED = ("from", "to", "date", "subject")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Seal(Enum):
    """Whether From, To, Date and Subject are those of the probe as sent."""

    MISSING = "missing"  # sent by a version without seals, or the field was removed
    BROKEN = "broken"
    GOOD = "good"


class Marks(NamedTuple):
    """What the headers of a message show: its token, whether it has our signature, whether it may be a notification.

    `signers` are the domain and the selector of each DKIM signature on a message that is ours.
    """

    token: str | None
    is_signed: bool
    may_be_report: bool
    signers: tuple[tuple[str, str], ...] = ()
    seal: Seal = Seal.MISSING


class SigningKey(bytes):
    """A key, and the `earlier` one, valid for the tokens of probes sent before the key was replaced."""

    earlier: bytes = b""
    tokens: Collection[str] = ()


def make_token(entropy: bytes) -> str:
    """Return the token for 16 bytes of entropy: `mm` and 32 hexadecimal digits."""
    if len(entropy) != 16:
        raise ValueError("a token takes 16 bytes of entropy")
    return f"mm{entropy.hex()}"


def sign(token: str, key: bytes) -> str:
    """Return the signature of a token: HMAC-SHA256 (RFC 2104), in hexadecimal digits."""
    return hmac.new(_key_of(token, key), b"mailmon probe " + token.encode("ascii"), "sha256").hexdigest()


def compose(probe: Probe, key: bytes, version: str, form: Form = PLAIN) -> bytes:
    """Return the probe as a message with CRLF line endings, ready for DATA (RFC 5322, RFC 3834 section 5)."""
    domain = probe.sender.rpartition("@")[2] or "localhost"
    sealed = [
        f"From: mailmon <{probe.sender}>",
        f"To: {probe.recipient}",
        f"Subject: mailmon probe {probe.token}",
        f"Date: {format_date(probe.planned_at)}",
    ]
    lines = [
        *sealed,
        f"Message-ID: {message_id(probe.token, domain)}",
        f"{TOKEN_HEADER}: {probe.token}",
        f"{SIGNATURE_HEADER}: {sign(probe.token, key)}",
        f"{SEAL_HEADER}: {_seal_of(read_headers(chr(10).join(sealed).encode()), key)}",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        *body_of(probe, version, form),
    ]
    return "\r\n".join(lines).encode("utf-8")


def message_id(token: str, domain: str) -> str:
    """Return the Message-ID of a probe, angle brackets included; in ASCII whatever the domain is."""
    return f"<{token}@{domain if domain.isascii() else a_labels(domain)}>"


def format_date(at: datetime) -> str:
    """Return a date as headers want it, in English whatever the locale (RFC 5322 section 3.3)."""
    utc = at.astimezone(UTC)
    return f"{_DAYS[utc.weekday()]}, {utc.day:02d} {_MONTHS[utc.month - 1]} {utc:%Y %H:%M:%S} +0000"


def find_token(text: str) -> str | None:
    """Return the first token in `text`, or None. It may be glued to other text on either side."""
    match = _TOKEN.search(text)
    return match[0] if match else None


def find_tokens(text: str, limit: int = 20) -> tuple[str, ...]:
    """Return the different tokens in `text` in their order, `limit` at most."""
    found = dict.fromkeys(match[0] for _, match in zip(range(limit), _TOKEN.finditer(text), strict=False))
    return tuple(found)


def read_marks(raw_headers: bytes, key: bytes) -> Marks:
    """Read the marks in the headers of a message, without its body. Never raises."""
    return marks_of(read_headers(raw_headers), key)


def marks_of(fields: dict[str, list[str]], key: bytes) -> Marks:
    """Return the marks of a message from its header fields. Never raises."""
    own = fields.get(TOKEN_HEADER.lower(), [])
    token = next((found for text in own if (found := find_token(text))), None)
    # A bounce has the field in the returned message, never among its own headers: such mail need not be read.
    may_be_report = not own and may_be_notification(fields)
    is_ours = is_signed(fields, key)
    signers = _signers(fields) if is_ours else ()
    if not token and (not may_be_report or _is_as_sent(fields)):
        token = _subject_token(fields)
    return Marks(token, is_ours, may_be_report, signers, read_seal(fields, key) if is_ours else Seal.MISSING)


def read_seal(fields: Mapping[str, Sequence[str]], key: bytes) -> Seal:
    """Return whether From, To, Date and Subject are the probe's; tags that filters add to the Subject are ignored.

    `fields` must be those of a probe with our signature: the seal holds for the token in the Subject.
    """
    seals = fields.get(SEAL_HEADER.lower(), ())
    if not seals:
        return Seal.MISSING
    if len(seals) != 1 or any(len(fields.get(name, ())) != 1 for name in _SEALED):
        return Seal.BROKEN
    is_good = _subject_token(fields) == fields[TOKEN_HEADER.lower()][0]
    # Compared as bytes: compare_digest refuses str that is not ASCII, and the header is foreign text.
    is_good &= hmac.compare_digest(seals[0].encode(), _seal_of(fields, key).encode())
    return Seal.GOOD if is_good else Seal.BROKEN


def is_signed(fields: dict[str, list[str]], key: bytes) -> bool:
    """Return whether these headers carry one token and our signature of just that token."""
    tokens, signatures = fields.get(TOKEN_HEADER.lower(), []), fields.get(SIGNATURE_HEADER.lower(), [])
    if len(tokens) != 1 or len(signatures) != 1 or not _TOKEN.fullmatch(tokens[0]):
        return False
    # Compared as bytes: compare_digest refuses str that is not ASCII, and the header is foreign text.
    return hmac.compare_digest(signatures[0].encode(), sign(tokens[0], key).encode())


def _seal_of(fields: Mapping[str, Sequence[str]], key: bytes) -> str:
    """Return the HMAC-SHA256 of From, To, Date and Subject, in hexadecimal digits.

    Quotation marks, angle brackets, blanks and case are not a part of it: servers write them anew.
    """
    plain = {name: " ".join(re.sub(r'["<>]', " ", fields[name][0]).split()).lower() for name in _SEALED}
    token = _subject_token(fields) or ""
    plain["subject"] = f"mailmon probe {token}"
    sealed = "\n".join(["mailmon seal", *plain.values()]).encode("utf-8", "replace")
    return hmac.new(_key_of(token, key), sealed, "sha256").hexdigest()


def _key_of(token: str, key: bytes) -> bytes:
    """Return the key with which a token was signed."""
    return key.earlier if isinstance(key, SigningKey) and token in key.tokens else key


def _signers(fields: Mapping[str, Sequence[str]]) -> tuple[tuple[str, str], ...]:
    """Return domain and selector of each signature, as they claim; nothing is verified (RFC 6376 section 3.5)."""
    found = []
    for value in fields.get("dkim-signature", ())[:MAX_SIGNERS]:
        tags = read_tags(value).values
        if _DOMAIN.fullmatch(tags.get("d", "")) and _DOMAIN.fullmatch(tags.get("s", "")):
            found.append((tags["d"].lower(), tags["s"]))
    return tuple(found)


def _subject_token(fields: Mapping[str, Sequence[str]]) -> str | None:
    """Return the token of a probe that lost its own header on the way.

    The Subject must be a probe's, but for tags in brackets: replies, forwards and vacation notices quote it too
    (RFC 3834 section 3.1.5).
    """
    subjects = fields.get("subject", [])
    if len(subjects) != 1 or "auto-replied" in " ".join(fields.get("auto-submitted", ())).lower():
        return None
    match = _SUBJECT.fullmatch(subjects[0])
    return match[1] if match else None


def _is_as_sent(fields: dict[str, list[str]]) -> bool:
    """Return whether nothing but its sender's address makes a message look like a notification: bounces@example.org."""
    submitted = [value.strip().lower() for value in fields.get("auto-submitted", ())]
    has_null_path = any(path.replace(" ", "") == "<>" for path in fields.get("return-path", ()))
    content_type = " ".join(fields.get("content-type", ())).lower()
    return submitted == ["auto-generated"] and not has_null_path and "report" not in content_type
