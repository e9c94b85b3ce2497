"""The fields of a delivery status notification (RFC 3464 section 2, RFC 6533 section 4).

Found anywhere, even as plain text in a malformed message. Tolerates `Key :`, continuation lines without a space, and
recipients that are not separated by a blank line.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mailmon.mail.bounce.addresses import typed_address
from mailmon.mail.message.decoding import decode_words

MAX_RECIPIENTS = 1000
MAX_VALUE_CHARS = 4000
MAX_LINES = 12_000

_FIELD = re.compile(r"[ \t]{0,3}([A-Za-z][A-Za-z0-9-]{2,40}+)[ \t]{0,4}:[ \t]*(.*)", re.ASCII)
_BEGIN = re.compile(r"^[ \t]{0,3}(?:reporting-mta|(?:final|original)-recipient|action)[ \t]{0,4}:", re.I | re.M)
_RECIPIENT = re.compile(r"^[ \t]{0,3}(?:final|original)-recipient[ \t]{0,4}:", re.I | re.M)
_TYPED = re.compile(r"\s*([\w.-]{1,40}+)\s*;\s*", re.ASCII)
_STATUS_COMMENT = re.compile(r"\(([^()]{1,200})\)")
_COMMENT = re.compile(r"\([^()]{0,300}+\)?\s*$")
# "deliverable" and "undeliverable": Postfix, asked to verify an address.
_ACTIONS = (("fail", "failed"), ("undeliver", "failed"), ("delay", "delayed"), ("deliver", "delivered"),
            ("relay", "relayed"), ("expand", "expanded"))  # fmt: skip
# The fields that begin a recipient, in either order; a repeated one begins the next recipient.
_FIRST_FIELDS = ("final-recipient", "original-recipient")
# Fields that belong to one recipient.
_OWN_FIELDS = ("action", "status", "diagnostic-code", "remote-mta", "x-supplementary-info", "x-powermta-bouncecategory")
# "<192.0.2.7 #5.0.0 smtp; 550 unknown user>": Lotus Domino, Exchange.
_SUPPLEMENT = re.compile(r"\s*<?[^\s<>#]{0,255}+ {0,4}+#[245]\.\d{1,3}\.\d{1,3} (.*)", re.ASCII)

Fields = dict[str, str]


class Reported(NamedTuple):
    """The fields of one recipient, each "" if missing. `address` is "" if none is named.

    `comment` follows the status (Oracle Messaging Server), `category` is PowerMTA's, `original` the address that the
    sender used, before forwarding (RFC 3464 section 2.3.1). `is_program`: the recipient is a program on the reporting
    server (a `.forward` or alias file, "|/usr/bin/procmail").
    """

    address: str
    action: str
    status: str
    diagnostic: str
    remote_mta: str = ""
    category: str = ""
    diagnostic_type: str = ""
    comment: str = ""
    original: str = ""
    is_program: bool = False


class Report(NamedTuple):
    """The fields of a notification: per message and per recipient."""

    reporting_mta: str
    sender: str
    recipients: tuple[Reported, ...]


def holds_fields(text: str) -> bool:
    """Return whether a text contains the fields of a recipient."""
    return "ecipient" in text and _RECIPIENT.search(text) is not None


def before_fields(text: str) -> str:
    """Return the text before the first field."""
    begin = _BEGIN.search(text)
    return text[: begin.start()] if begin else text


def read_fields(text: str) -> Report:
    """Read the fields in a text, from the first one on."""
    begin = _BEGIN.search(text)
    blocks = _blocks(text[begin.start() :] if begin else text)
    about_all: Fields = {}
    recipients: list[Fields] = []
    early: Fields = {}
    for block in blocks:
        for name, value in block.items():
            about_all.setdefault(name, value)
        if _names_recipient(block):
            if recipients and _is_half(recipients[-1], block):
                recipients[-1] = block | recipients[-1]
                continue
            if len(recipients) >= MAX_RECIPIENTS:
                break
            recipients.append(early | block)
            early = {}
        elif recipients:
            # A blank line in the middle of a recipient (Lotus Domino, InterScan, gateways that rewrite line ends).
            recipients[-1] = _own_fields(block) | recipients[-1]
        elif "action" in block or "status" in block:
            early = _own_fields(block)
    sender = next((about_all[name] for name in ("x-postfix-sender", "x-envelope-sender") if name in about_all), "")
    found = tuple(_reported(block) for block in recipients)
    return Report(_untyped(about_all.get("reporting-mta", "")), typed_address(sender) if sender else "", found)


def _names_recipient(block: Fields) -> bool:
    return any(name in block for name in _FIRST_FIELDS) or "x-actual-recipient" in block


def _own_fields(block: Fields) -> Fields:
    return {name: block[name] for name in _OWN_FIELDS if name in block}


def _is_half(last: Fields, block: Fields) -> bool:
    """Return whether a blank line separates the two addresses of one recipient: no other field followed the first."""
    return not any(name in last for name in (*_OWN_FIELDS, *block.keys() & {*_FIRST_FIELDS}))


def _blocks(text: str) -> list[Fields]:
    blocks: list[Fields] = [{}]
    name = ""
    for line in text.split("\n", MAX_LINES)[:MAX_LINES]:
        if not line.strip():
            if blocks[-1]:
                blocks.append({})
            name = ""
            continue
        match = None if line[0] in " \t" and name else _FIELD.match(line)
        if match:
            name = match[1].lower()
            if name in _FIRST_FIELDS and name in blocks[-1]:
                blocks.append({})
            blocks[-1].setdefault(name, match[2][:MAX_VALUE_CHARS].rstrip())
        elif name and name in blocks[-1] and len(blocks[-1][name]) < MAX_VALUE_CHARS:
            blocks[-1][name] = f"{blocks[-1][name]} {line.strip()[:MAX_VALUE_CHARS]}"
    return blocks


def _reported(block: Fields) -> Reported:
    names = ("final-recipient", "original-recipient", "x-actual-recipient")
    named = [block[name] for name in names if name in block]
    named.sort(key=_is_program)  # the arguments of a program may contain an address too
    address = next((found for value in named if (found := typed_address(value))), "")
    action = block.get("action", "").lower()
    diagnostic = decode_words(_diagnostic(block))[:MAX_VALUE_CHARS]
    kind = _TYPED.match(diagnostic)
    comment = _STATUS_COMMENT.search(block.get("status", "")[:300])
    status = block.get("status", "")
    return Reported(
        address,
        next((word for begin, word in _ACTIONS if action.startswith(begin)), "delivered" if status[:2] == "2." else ""),
        status,
        _untyped(diagnostic),
        _COMMENT.sub("", _untyped(block.get("remote-mta", ""))).rstrip(),
        block.get("x-powermta-bouncecategory", "").lower(),
        kind[1].lower() if kind else "",
        comment[1] if comment else "",
        typed_address(block.get("original-recipient", "")),
        any(map(_is_program, named)),
    )


def _is_program(value: str) -> bool:
    return _untyped(value).lstrip('"').startswith("|")


def _diagnostic(block: Fields) -> str:
    """Return the diagnostic with its type, or the value of the older field that replaces it."""
    said = block.get("diagnostic-code", "")
    if _untyped(said) or "x-supplementary-info" not in block:
        return said
    value = block["x-supplementary-info"]
    match = _SUPPLEMENT.match(value)
    return (match[1] if match else value).strip().removesuffix(">")


def _untyped(value: str) -> str:
    """Remove the type before a value: `smtp; 550 5.1.1 unknown`."""
    match = _TYPED.match(value)
    return value[match.end() :].strip() if match else value.strip()
