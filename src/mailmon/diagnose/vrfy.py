"""VRFY and EXPN, and what they reveal about users (RFC 5321 sections 3.5, 7.3)."""

from __future__ import annotations

from typing import NamedTuple

from mailmon.diagnose.protocols import SmtpClient
from mailmon.diagnose.relay import NOBODY
from mailmon.findings import Findings
from mailmon.mail.reply import Reply
from mailmon.model.findings import Severity

_KNOWN, _UNKNOWN = (250, 251), (550, 551, 553)
# Not implemented, disabled, or only after a login: the command reveals nothing (RFC 5321 section 3.5.3).
_DISABLED = (500, 502, 503, 504, 530, 554)
_DISABLED_WORDS = (
    "disabled",
    "not allowed",
    "not permitted",
    "prohibited",
    "denied",
    "not supported",
    "not implemented",
)
_FINDING = "smtp.vrfy_enabled"


class Compared(NamedTuple):
    """A mailbox and one that does not exist, with the replies; `second` is None if the first is enough."""

    mailbox: str
    first: Reply
    nobody: str
    second: Reply | None

    def __str__(self) -> str:
        return f"{self.mailbox}: {self.first}" + (f"; {self.nobody}: {self.second}" if self.second else "")


def judge_vrfy(client: SmtpClient, mailbox: str, found: Findings) -> None:
    """Ask for a mailbox and for one that does not exist: only different replies reveal anything. Raises StageError.

    Disabled commands are not sent again: some servers hang up after three errors.
    """
    local, _, domain = mailbox.rpartition("@")
    verified = _compare(client, "VRFY", mailbox, f"{NOBODY}@{domain}")
    if _is_elsewhere(verified):  # a bare name is always the server's own
        verified = _compare(client, "VRFY", local, NOBODY)
    expanded = _compare(client, "EXPN", local, NOBODY)
    evidence = f"VRFY {verified}; EXPN {expanded}"[:600]
    if said := _names_members(expanded):
        found.fail(_FINDING, f"EXPN names the members of a list: {said}", evidence=evidence)
    elif _tells_apart(expanded):
        found.fail(_FINDING, "EXPN reveals who has a mailbox here", evidence=evidence)
    elif _tells_apart(verified):
        found.fail(_FINDING, "VRFY reveals who has a mailbox here", evidence=evidence)
    elif verified.first.code == 252 and verified.second and _is_no_user(verified.second):
        said = "VRFY refuses names that do not exist, and so reveals which do"
        found.fail(_FINDING, said, Severity.NOTICE, evidence=evidence)
    elif late := next((one for one in _replies(verified, expanded) if one.is_transient), None):
        found.unknown(_FINDING, f"what VRFY and EXPN reveal is unknown: {late}", evidence=evidence)
    elif _is_no_user(verified.first) and not _is_there(client, mailbox):
        said = f"what VRFY reveals is unknown: {mailbox} is not a mailbox here; name one with --mailbox"
        found.unknown(_FINDING, said, evidence=evidence)
    else:
        found.passed(_FINDING, "VRFY and EXPN reveal nothing about users", evidence=evidence)


def _compare(client: SmtpClient, command: str, mailbox: str, nobody: str) -> Compared:
    first = client.command(f"{command} {mailbox}")
    if first.is_transient or _is_disabled(first):
        return Compared(mailbox, first, nobody, None)
    return Compared(mailbox, first, nobody, client.command(f"{command} {nobody}"))


def _is_elsewhere(verified: Compared) -> bool:
    """Return whether the mailbox's domain is not the server's: Sendmail confirms any such address, Postfix none."""
    is_repeated = verified.second is not None and verified.first.code in _KNOWN and verified.second.code in _KNOWN
    return is_repeated or "relay" in verified.first.text.lower()


def _is_disabled(reply: Reply) -> bool:
    words = reply.text.lower()
    return reply.code in _DISABLED or (
        reply.code >= 500 and (reply.enhanced_code.startswith("5.5") or any(word in words for word in _DISABLED_WORDS))
    )


def _tells_apart(compared: Compared) -> bool:
    """Return whether a name that exists is confirmed and one that does not is not."""
    second = compared.second
    return (
        compared.first.code in _KNOWN
        and second is not None
        and second.code not in (*_KNOWN, 252)
        and (not second.is_transient)
    )


def _names_members(expanded: Compared) -> str:
    """Return the addresses in a reply to EXPN other than the one that was asked for, "" if there are none."""
    if expanded.first.code != 250:
        return ""
    words = (
        word.strip("<>(),;\"'") for line in expanded.first.lines for word in line.decode("utf-8", "replace").split()
    )
    named = dict.fromkeys(word for word in words if "@" in word[1:])
    return ", ".join(word for word in named if word.partition("@")[0].lower() != expanded.mailbox.lower())[:200]


def _replies(*compared: Compared) -> list[Reply]:
    return [reply for one in compared for reply in (one.first, one.second) if reply]


def _is_no_user(reply: Reply) -> bool:
    return reply.code in _UNKNOWN and not _is_disabled(reply)


def _is_there(client: SmtpClient, mailbox: str) -> bool:
    """Return whether mail for a mailbox is accepted here: an address that VRFY refuses may not exist."""
    if client.command("MAIL FROM:<>").code != 250:
        return False
    is_there = client.command(f"RCPT TO:<{mailbox}>").is_positive
    client.command("RSET")
    return is_there
