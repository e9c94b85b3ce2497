"""What do the fields of a delivery status notification say? (RFC 3464 section 2, RFC 6533 section 4)

Reads them wherever they stand, also as plain text in a broken message; `Key :`, values that go on in the next line
without a space, and recipients that no blank line parts are forgiven.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mailmon.mail.bounce.addresses import typed_address

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
# What begins the fields of a recipient. The first two may come in either order, then one repeated begins the next.
_FIRST_FIELDS = ("final-recipient", "original-recipient")

Fields = dict[str, str]


class Reported(NamedTuple):
    """What the fields of one recipient say, each "" when it is missing. `address` is "" when it names none.

    `comment` stands behind the status (Oracle Messaging Server), `category` is that of PowerMTA.
    """

    address: str
    action: str
    status: str
    diagnostic: str
    remote_mta: str = ""
    category: str = ""
    diagnostic_type: str = ""
    comment: str = ""


class Report(NamedTuple):
    """The fields of a notification: those of the message, and those of each recipient."""

    reporting_mta: str
    sender: str
    recipients: tuple[Reported, ...]


def holds_fields(text: str) -> bool:
    """Say whether fields of a recipient stand in this text."""
    return "ecipient" in text and _RECIPIENT.search(text) is not None


def before_fields(text: str) -> str:
    """Return what stands in front of the first field."""
    begin = _BEGIN.search(text)
    return text[: begin.start()] if begin else text


def read_fields(text: str) -> Report:
    """Read the fields from where the first of them stands."""
    begin = _BEGIN.search(text)
    blocks = _blocks(text[begin.start() :] if begin else text)
    about_all: Fields = {}
    recipients: list[Fields] = []
    for block in blocks:
        if any(name in block for name in _FIRST_FIELDS) or "x-actual-recipient" in block:
            recipients.append(block)
        elif recipients and not recipients[-1].get("action") and "action" in block:
            recipients[-1] |= block  # a blank line in the middle of a recipient: Lotus Domino, InterScan
        for name, value in block.items():
            about_all.setdefault(name, value)
        if len(recipients) >= MAX_RECIPIENTS:
            break
    sender = next((about_all[name] for name in ("x-postfix-sender", "x-envelope-sender") if name in about_all), "")
    found = tuple(_reported(block) for block in recipients)
    return Report(_untyped(about_all.get("reporting-mta", "")), typed_address(sender) if sender else "", found)


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
    address = next((found for name in names if name in block and (found := typed_address(block[name]))), "")
    action = block.get("action", "").lower()
    kind = _TYPED.match(block.get("diagnostic-code", ""))
    comment = _STATUS_COMMENT.search(block.get("status", "")[:300])
    status = block.get("status", "")
    return Reported(
        address,
        next((word for begin, word in _ACTIONS if action.startswith(begin)), "delivered" if status[:2] == "2." else ""),
        status,
        _untyped(block.get("diagnostic-code", "")),
        _COMMENT.sub("", _untyped(block.get("remote-mta", ""))).rstrip(),
        block.get("x-powermta-bouncecategory", "").lower(),
        kind[1].lower() if kind else "",
        comment[1] if comment else "",
    )


def _untyped(value: str) -> str:
    """Drop the type in front of a value: `smtp; 550 5.1.1 unknown`."""
    match = _TYPED.match(value)
    return value[match.end() :].strip() if match else value.strip()
