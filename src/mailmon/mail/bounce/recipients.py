"""The result for one recipient, from the DSN fields, the paragraph and the whole text, in this order."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property

from mailmon.mail.bounce import reasons
from mailmon.mail.bounce.addresses import find_addresses
from mailmon.mail.bounce.dsn import Reported
from mailmon.mail.bounce.normalise import mask
from mailmon.mail.bounce.reasons import Case
from mailmon.mail.bounce.status_codes import choose_status, holds_code, reply_code
from mailmon.mail.bounce.tables import tables
from mailmon.mail.bounce.values import Recipient
from mailmon.text import visible

MAX_DIAGNOSTIC_CHARS = 500
MAX_TEXT_CHARS = 4000
# Characters compared with the tables at most, and the fixed cost of a comparison; after that only codes are used.
MAX_COMPARED_CHARS, COMPARISON_CHARS = 15_000, 500
# Mailboxes that sender verification probes besides the sender's own (RFC 5321 section 4.5.1, RFC 2142).
_ROLES = ("postmaster", "abuse", "mailer-daemon")
_DONE = ("delivered", "relayed", "expanded")
# Hosts of mailing lists and groups, by their usual names.
_OF_LIST = re.compile(
    r"@(?:[\w-]{1,63}+\.){0,6}?(?:[\w-]{0,50}groups|lists?|listserv|mailman)\.", re.ASCII | re.IGNORECASE
)


@dataclass
class Said:
    """The text that applies to every recipient, and what follows from it: evaluated once, on demand.

    `sender` is the original sender; `left_chars` may still be compared with the tables. With `is_of_several` the text
    precedes several recipients, and a command in it may have been rejected for only one of them.
    """

    text: str
    mta: str
    sender: str = ""
    is_of_several: bool = False
    reasons: dict[tuple[str, ...], str] = field(default_factory=dict)
    left_chars: int = MAX_COMPARED_CHARS

    def spend(self, chars: int) -> None:
        """Count a comparison of a text of this length."""
        self.left_chars -= chars + COMPARISON_CHARS

    def reason(self, case: Case) -> str:
        """Return the reason for the text as a whole in this case, or ""."""
        key = (case.status, case.command, f"{case.is_ours} {case.may_be_domain}")
        if key not in self.reasons:
            self.spend(len(self.plain))
            masked = mask(self.plain)
            is_ours = case.is_ours or bool(reasons.by_fault(masked))
            self.reasons[key] = reasons.by_words(masked, case._replace(is_ours=is_ours))
        return self.reasons[key]

    @cached_property
    def plain(self) -> str:
        """The normalised text."""
        return reasons.plain(self.text)

    @cached_property
    def status(self) -> str:
        """The status code at the beginning of the text, or ""."""
        return choose_status("", self.text[:MAX_TEXT_CHARS])

    @cached_property
    def reply(self) -> str:
        """The reply code at the beginning of the text, or ""."""
        return reply_code(self.text[:MAX_TEXT_CHARS])

    @cached_property
    def command(self) -> str:
        """The rejected command, or ""."""
        return reasons.find_command(self.plain)

    @cached_property
    def provider_reason(self) -> str:
        """The reason by the phrases of a single provider, or ""."""
        return reasons.by_provider(f"{self.mta.lower()} {self.plain}")


def read_said(text: str, addresses: Collection[str], reporting_mta: str, sender: str) -> Said:
    """Return the text that applies to every recipient.

    With several `addresses` it ends at the line that names the first one: from there on each has text of its own.
    """
    above = _above(text, addresses) if len(addresses) > 1 else text
    return Said(above, visible(reporting_mta, 255), sender.lower(), is_of_several=len(addresses) > 1)


def _above(text: str, addresses: Collection[str]) -> str:
    lower = text.lower()
    found = [at for address in addresses if address and (at := lower.find(address.lower())) >= 0]
    return text[: text.rfind("\n", 0, min(found)) + 1] if found else text


def build_recipient(reported: Reported, words: str, said: Said, shown: str = "") -> Recipient:
    """Return the result for a recipient; `words` are about it alone; `shown` is the part to quote, "" for all."""
    status = _status(reported, words, said)
    reason = "delivered" if reported.action in _DONE else _reason(reported, words, said, status)
    is_hard = False
    if reason in reasons.ADDRESS:
        own_words = reasons.plain(f"{reported.diagnostic} {words}") if reported.diagnostic or words else said.plain
        is_hard = reasons.is_hard(reason, status, reported.action, own_words)
    return Recipient(
        reported.address,
        status,
        reported.action,
        reason,
        is_hard,
        visible(" ".join((reported.diagnostic or shown or words).split()), MAX_DIAGNOSTIC_CHARS),
        said.mta,
        visible(reported.remote_mta, 255),
        reported.original if reported.original.lower() != reported.address.lower() else "",
    )


def _status(reported: Reported, words: str, said: Said) -> str:
    diagnostic = reported.diagnostic
    status = choose_status(reported.status, diagnostic or words)
    if reported.action in _DONE:
        return status or "2.0.0"
    is_vague = not status or status == "4.4.7" or (status.endswith(".0.0") and not holds_code(diagnostic))
    if is_vague:
        status = choose_status(status, words)
    if not status or (is_vague and status.endswith(".0.0") and status[0] == said.status[:1]):
        status = said.status or status
    if status:
        return status
    reply = reply_code(f"{diagnostic} {words}") or said.reply
    return f"{reply[0]}.0.0" if reply else ("4.0.0" if reported.action == "delayed" else "5.0.0")


def _reason(reported: Reported, words: str, said: Said, status: str) -> str:
    """Return the reason; recipients that differ only in their addresses are evaluated once."""
    own = reported.address or "\0"
    texts = (str(value).replace(own, "") for value in (*reported._replace(original=""), words))
    key = (*texts, status)
    known = said.reasons.get(key)
    if known is None and said.left_chars > 0:
        said.spend(len(reported.diagnostic) + len(words))
        known = _found_reason(reported, words, said, status)
    by_code = known or reasons.by_status(status)
    said.reasons[key] = by_code or ("expired" if reported.action == "delayed" else reasons.UNDEFINED)
    return said.reasons[key]


def _found_reason(reported: Reported, words: str, said: Said, status: str) -> str:
    diagnostic, paragraph = reasons.plain(reported.diagnostic), reasons.plain(words)
    near = f"{diagnostic} {paragraph}"
    is_answered = said.is_of_several and reply_code(f"{reported.diagnostic} {words}") != ""
    command = reasons.find_command(near) or ("" if is_answered else said.command)
    if sure := _sure_reason(reported, near, said, status):
        return sure
    kind = f"{reported.diagnostic_type}; " if reported.diagnostic_type else ""
    answer = _answer(diagnostic or paragraph)
    diagnostic, paragraph = (mask(text, reported.address, tables().vocabulary) for text in (diagnostic, paragraph))
    both = f"{diagnostic} / {paragraph}"
    names_sender = _names(said.sender, reported.address, answer)
    case = reasons.read_case(
        both,
        status,
        command,
        names_sender=names_sender,
        names_domain=_names_domain(said, reported.address, answer if reply_code(answer) else near),
    )
    return (
        reasons.by_words(f"{kind}{diagnostic}", case)
        or reasons.by_words(reported.comment.lower(), case)
        or reasons.by_words(paragraph, case)
        or reasons.by_words(both, case, are_rare=True)
        or reasons.by_status(status, only_special=True, is_ours=case.is_ours)
        or (reasons.by_command(command) or reasons.by_fault(both) if diagnostic or reply_code(words) else "")
        or ("mailererror" if reported.is_program else "")
        or said.reason(case)
        or reasons.by_status(status, is_ours=case.is_ours)
        or ("" if case.is_ours else reasons.by_reply(f"{near} {said.plain}"))
        or reasons.by_command(command)
        or ("rejected" if names_sender and reported.action == "failed" else "")
        or _by_address(reported)
        or ("expired" if reported.action == "delayed" else reasons.UNDEFINED)
    )


def _sure_reason(reported: Reported, near: str, said: Said, status: str) -> str:
    """Return the reason that the sender of the words or a code of its own gives, whatever else stands there, or ""."""
    with_hosts = f"{status} {said.mta.lower()} {reported.remote_mta.lower()} {near}"
    return (
        reasons.by_host(with_hosts)
        or reasons.by_provider(with_hosts)
        or said.provider_reason
        or reasons.by_category(reported.category)
        or reasons.by_own_code(status)
    )


def _by_address(reported: Reported) -> str:
    """Return the most likely reason for a rejection in unknown words, by the recipient's address, or "".

    A mailing list or group rejects senders who may not post to it, in its owner's language.
    """
    is_refused = reported.action == "failed" and _OF_LIST.search(reported.address[:320]) is not None
    return "rejected" if is_refused else ""


def _answer(words: str) -> str:
    """Return a server's reply without what the reporting server adds before and after it (Postfix, Exim)."""
    code = reply_code(words)
    begin = max(words.find(f" {code}"), 0) if code else 0
    return words[begin:].partition(" (in reply to ")[0]


def _names(sender: str, recipient: str, words: str) -> bool:
    """Return whether a server's reply names the sender or the sender's domain, and not the recipient.

    The unknown host or address is then not the recipient's, as after sender verification.
    """
    domain, own = sender.rpartition("@")[2], recipient.lower().rpartition("@")[2]
    if not domain or domain not in words or own in words:
        return False
    # The recipient's mail may be forwarded to another mailbox in the sender's domain.
    named = {address.lower() for address in find_addresses(words) if address.lower().endswith(f"@{domain}")}
    return named <= {sender, *(f"{role}@{domain}" for role in _ROLES)}


def _names_domain(said: Said, recipient: str, words: str) -> bool | None:
    """Return True if the text names the recipient's domain, False if only ours, else None."""
    own = recipient.lower().rpartition("@")[2]
    if not own or own in words:
        return True
    ours = (said.sender.rpartition("@")[2], said.mta.lower().rpartition(";")[2].strip())
    return False if any(name and name in words for name in ours) else None
