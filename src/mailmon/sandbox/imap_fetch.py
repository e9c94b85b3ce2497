"""The FETCH command (RFC 3501 sections 6.4.5 and 7.4.2)."""

from dataclasses import dataclass
from email.utils import getaddresses

from mailmon.sandbox import rfc822
from mailmon.sandbox.imap_answer import BadCommandError
from mailmon.sandbox.imap_syntax import Parser, internal_date, quote
from mailmon.sandbox.store import Message

_MACROS = {
    "ALL": ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"),
    "FAST": ("FLAGS", "INTERNALDATE", "RFC822.SIZE"),
}
_ATTRIBUTES = {"UID", "FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"}
_OLD_SECTIONS = {"RFC822": "", "RFC822.HEADER": "HEADER", "RFC822.TEXT": "TEXT"}


@dataclass(frozen=True)
class Item:
    """One thing to fetch: an attribute, or a section if section is not None ("" is the whole message)."""

    label: str
    section: str | None = None
    fields: tuple[str, ...] = ()
    partial: tuple[int, int] | None = None
    sets_seen: bool = False


def parse_items(parser: Parser) -> list[Item]:
    """Parse the items, one or a list in parentheses; BadCommandError."""
    if not parser.accept(b"("):
        return _items(parser)
    items = _items(parser)
    while parser.accept(b" "):
        items += _items(parser)
    parser.expect(b")")
    return items


@dataclass(frozen=True)
class Instead:
    """What a broken server gives instead: another text, None for NIL, and another UID."""

    text: bytes | None
    uid: int


def render(number: int, message: Message, items: list[Item], is_recent: bool, instead: Instead | None = None) -> bytes:
    """Return the untagged FETCH response without its line end."""
    parts = [item.label.encode() + b" " + _value(message, item, is_recent, instead) for item in items]
    return b"* %d FETCH (" % number + b" ".join(parts) + b")"


def render_flags(message: Message, is_recent: bool) -> bytes:
    """Return the flags in parentheses."""
    flags = sorted(message.flags) + (["\\Recent"] if is_recent else [])
    return b"(" + " ".join(flags).encode() + b")"


def _items(parser: Parser) -> list[Item]:
    for start, sets_seen in ((b"BODY.PEEK[", False), (b"BODY[", True)):
        if parser.accept(start):
            return [_section(parser, sets_seen)]
    name = parser.atom()
    if name in _MACROS:
        return [Item(attribute) for attribute in _MACROS[name]]
    if name in _ATTRIBUTES:
        return [Item(name)]
    if name in _OLD_SECTIONS:
        return [Item(name, _OLD_SECTIONS[name], sets_seen=name != "RFC822.HEADER")]
    raise BadCommandError(f"cannot fetch {name}")


def _section(parser: Parser, sets_seen: bool) -> Item:
    section = "" if parser.comes(b"]") else parser.atom()
    if section not in ("", "HEADER", "TEXT", "HEADER.FIELDS", "HEADER.FIELDS.NOT"):
        raise BadCommandError("cannot fetch this section")
    label, fields = section, []
    if section.startswith("HEADER.FIELDS"):
        parser.expect(b" (")
        fields.append(_field(parser))
        while parser.accept(b" "):
            fields.append(_field(parser))
        parser.expect(b")")
        label += f" ({' '.join(fields)})"
    parser.expect(b"]")
    label, partial = f"BODY[{label}]", None
    if parser.accept(b"<"):
        start = parser.number()
        parser.expect(b".")
        partial = (start, parser.number())
        parser.expect(b">")
        label += f"<{start}>"
    return Item(label, section, tuple(fields), partial, sets_seen)


def _field(parser: Parser) -> str:
    name = parser.astring()
    if not name.isascii() or any(octet <= 0x20 or octet in b'"()\\{]' for octet in name):
        raise BadCommandError("invalid field name")
    return name.decode()


def is_whole(items: list[Item]) -> bool:
    """Return whether whole messages are requested."""
    return any(item.section == "" for item in items)


def instead_of(bad: str, messages: list[Message], place: int) -> Instead:
    """Return what a broken server gives for one of some messages (`Faults.bad_fetch`); ValueError for another word."""
    message, other_uid = messages[place], messages[(place + 1) % len(messages)].uid
    texts = {
        "empty": b"",
        "nil": None,
        "short": message.raw[:40],
        "other_text": messages[0].raw if place else b"Subject: x\r\n\r\n",
    }
    if bad != "other_uid" and bad not in texts:
        raise ValueError(f"there is no bad_fetch {bad!r}")
    return Instead(texts.get(bad, message.raw), other_uid + (len(messages) == 1) if bad == "other_uid" else message.uid)


def _value(message: Message, item: Item, is_recent: bool, instead: Instead | None) -> bytes:
    if instead and item.section is not None and instead.text is None:
        return b"NIL"
    if item.section is not None:
        raw = instead.text if instead and instead.text is not None else message.raw
        octets = _octets(raw, item.section, {name.lower() for name in item.fields})
        if item.partial is not None:
            start, size = item.partial
            octets = octets[start : start + size]
        return b"{%d}\r\n" % len(octets) + octets
    match item.label:
        case "UID":
            return b"%d" % (instead.uid if instead else message.uid)
        case "FLAGS":
            return render_flags(message, is_recent)
        case "INTERNALDATE":
            return internal_date(message.received_at)
        case "RFC822.SIZE":
            return b"%d" % len(message.raw)
    return _envelope(message.raw)


def _octets(raw: bytes, section: str, fields: set[str]) -> bytes:
    if section == "":
        return raw
    header, body = rfc822.split(raw)
    if section in ("HEADER", "TEXT"):
        return header if section == "HEADER" else body
    is_wanted = section == "HEADER.FIELDS"
    lines = [line for line in rfc822.header_lines(raw) if (rfc822.field_name(line) in fields) == is_wanted]
    return b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def _envelope(raw: bytes) -> bytes:
    sender = _addresses(raw, "From")
    parts = [_text(raw, "Date"), _text(raw, "Subject"), sender]
    # A missing Sender or Reply-To is the From header (section 7.4.2).
    parts += [found if (found := _addresses(raw, name)) != b"NIL" else sender for name in ("Sender", "Reply-To")]
    parts += [_addresses(raw, name) for name in ("To", "Cc", "Bcc")]
    parts += [_text(raw, "In-Reply-To"), _text(raw, "Message-ID")]
    return b"(" + b" ".join(parts) + b")"


def _text(raw: bytes, name: str) -> bytes:
    values = rfc822.header_values(raw, name)
    return quote(values[0]) if values else b"NIL"


def _addresses(raw: bytes, name: str) -> bytes:
    rendered = []
    for display, address in getaddresses(rfc822.header_values(raw, name)):
        local, _, domain = address.rpartition("@")
        rendered.append(b"(%s NIL %s %s)" % (quote(display) if display else b"NIL", quote(local), quote(domain)))
    return b"(" + b"".join(rendered) + b")" if rendered else b"NIL"
