"""Fixes for the software that a server runs: lines to copy into its configuration (software_fixes.txt)."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from mailmon.findings.registry import entry
from mailmon.findings.software import names
from mailmon.model.findings import Finding

_FILE = Path(__file__).with_name("software_fixes.txt")
# The examples for software that is not known.
EXAMPLES = {"smtp": ("Postfix",), "imap": ("Dovecot",), "pop3": ("Dovecot",), "sieve": ("Dovecot",)}
_BOTH = ("Postfix", "Dovecot")


class Block(NamedTuple):
    """How one program is told: `head` names it and the place, or is a whole sentence; `lines` can be copied."""

    software: str
    head: str
    lines: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Return the block as it is printed."""
        return "\n".join((self.head, *self.lines))


@cache
def sections() -> dict[str, tuple[Block, ...]]:
    """Return all blocks by the id that they are for; `*.problem` is for every protocol."""
    return _read(_FILE.read_text("utf-8"))


def blocks_of(finding_id: str) -> tuple[Block, ...]:
    """Return the fixes of a finding by program, () where it has none."""
    known = sections()
    return known.get(finding_id) or known.get(f"*.{finding_id.partition('.')[2]}") or ()


def general_fix(finding_id: str, protocol: str = "") -> str:
    """Return the fix for software that is not known: the sentence of the registry, with examples where there are any.

    Without a protocol it is that of the id; where that names none, there are examples for mail and for mailboxes.
    """
    fix, blocks = entry(finding_id).row.fix, blocks_of(finding_id)
    protocol = protocol or finding_id.partition(".")[0]
    examples = [block for name in EXAMPLES.get(protocol, _BOTH) for block in _chosen(blocks, name, protocol)]
    return _joined(fix, "; for example ", examples)


def fix_for(finding_id: str, software: str, protocol: str) -> str:
    """Return the fix for one program: no other is named.

    >>> print(fix_for("smtp.vrfy_enabled", "Exim", "smtp"))
    do not tell strangers which mailboxes exist; Exim, main section:
      acl_smtp_vrfy = deny
      acl_smtp_expn = deny
    """
    fix, blocks = entry(finding_id).row.fix, blocks_of(finding_id)
    if not blocks:
        return fix
    own = _chosen(blocks, software, protocol)
    return _joined(fix, "; ", own) if own else f"{fix} (see the documentation of {software})"


def with_software(finding: Finding, software: str, protocol: str) -> Finding:
    """Return a finding with the fix for the software of its server, "" if not known, unless it has one of its own."""
    if not finding.fix or finding.fix != general_fix(finding.id):
        return finding
    fix = fix_for(finding.id, software, protocol) if software else general_fix(finding.id, protocol)
    return finding._replace(fix=fix)


def _joined(general: str, link: str, blocks: list[Block]) -> str:
    return general + link + "\n".join(block.text for block in blocks) if blocks else general


# mailcow and Zimbra are made of others; where a text has no block for them, that of the part holds.
_PARTS = {
    ("mailcow", "smtp"): "Postfix",
    ("mailcow", "imap"): "Dovecot",
    ("mailcow", "pop3"): "Dovecot",
    ("mailcow", "sieve"): "Dovecot",
    ("Zimbra", "smtp"): "Postfix",
}


def _chosen(blocks: tuple[Block, ...], software: str, protocol: str) -> list[Block]:
    own = [one for one in blocks if one.software in (software, f"{software} {protocol.upper()}")]
    part = _PARTS.get((software, protocol))
    return own or (_chosen(blocks, part, protocol) if part else [])


def _read(text: str) -> dict[str, tuple[Block, ...]]:
    """Read the sections of the file.

    >>> _read("[smtp.a smtp.b]\\nPostfix:\\n  x = y\\n")["smtp.b"]
    (Block(software='Postfix', head='Postfix:', lines=('  x = y',)),)
    """
    found: dict[str, tuple[Block, ...]] = {}
    for section in re.split(r"^\[", text, flags=re.MULTILINE)[1:]:
        ids, _, body = section.partition("]\n")
        found |= dict.fromkeys(ids.split(), _read_blocks(body.strip("\n").split("\n")))
    return found


def _read_blocks(lines: list[str]) -> tuple[Block, ...]:
    heads = [number for number, line in enumerate(lines) if not line.startswith(" ")] + [len(lines)]
    return tuple(
        Block(_software(lines[begin]), lines[begin], tuple(lines[begin + 1 : end])) for begin, end in pairwise(heads)
    )


def _software(head: str) -> str:
    """Return whom a heading names: `Courier IMAP` for `Courier IMAP, imapd-ssl:`, `Dovecot` for `Dovecot 2.4:`."""
    name = max((one for one in names() if head.startswith(one)), key=len)
    rest = head.removeprefix(name)
    protocol = next((one for one in ("SMTP", "IMAP", "POP3") if rest.startswith(f" {one}")), "")
    return f"{name} {protocol}".rstrip()
