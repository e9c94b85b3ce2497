"""What became of a recipient? Puts together what the fields, the paragraph and the whole text say, in this order."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from mailmon.mail.bounce import reasons
from mailmon.mail.bounce.fields import Reported
from mailmon.mail.bounce.statuses import choose_status, holds_code, reply_code
from mailmon.mail.bounce.values import Recipient
from mailmon.mail.text import visible

MAX_DIAGNOSTIC_CHARS = 500
MAX_TEXT_CHARS = 4000
# So much is compared with the tables, in characters, and what each comparison costs besides; by then codes must do.
MAX_COMPARED_CHARS, COMPARISON_CHARS = 15_000, 500
_DONE = ("delivered", "relayed", "expanded")


@dataclass
class Said:
    """All that a notification says in words, and what that says of each recipient: read once, and if need be.

    `left_chars` is what may still be compared with the tables.
    """

    text: str
    mta: str
    reasons: dict[tuple[str, ...], str] = field(default_factory=dict)
    left_chars: int = MAX_COMPARED_CHARS

    def spend(self, chars: int) -> None:
        """Note that a text of this length was compared."""
        self.left_chars -= chars + COMPARISON_CHARS

    def reason(self, status: str, command: str) -> str:
        """Return the reason that the words as a whole give, or ""."""
        key = (status, command)
        if key not in self.reasons:
            self.spend(len(self.plain))
            self.reasons[key] = reasons.by_words(self.plain, status, command)
        return self.reasons[key]

    @cached_property
    def plain(self) -> str:
        """The words as the tables compare them."""
        return reasons.plain(self.text)

    @cached_property
    def status(self) -> str:
        """The status code that the beginning holds, or ""."""
        return choose_status("", self.text[:MAX_TEXT_CHARS])

    @cached_property
    def reply(self) -> str:
        """The reply code that the beginning holds, or ""."""
        return reply_code(self.text[:MAX_TEXT_CHARS])

    @cached_property
    def command(self) -> str:
        """Which command was refused, or ""."""
        return reasons.find_command(self.plain)

    @cached_property
    def provider_reason(self) -> str:
        """What the words of a single provider say, or ""."""
        return reasons.by_provider(f"{self.mta.lower()} {self.plain}")


def read_said(text: str, reporting_mta: str = "") -> Said:
    """Return what each recipient is compared with."""
    return Said(text, visible(reporting_mta, 255))


def build_recipient(reported: Reported, words: str, said: Said, shown: str = "") -> Recipient:
    """Return the recipient; `words` belong to it alone; `shown` are those of them to quote, "" for all."""
    status = _status(reported, words, said)
    reason = "delivered" if reported.action in _DONE else _reason(reported, words, said, status)
    return Recipient(
        reported.address,
        status,
        reported.action,
        reason,
        reasons.is_hard(reason, status, reported.action),
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
    if not status or (is_vague and status.endswith(".0.0")):
        status = said.status or status
    if status:
        return status
    reply = reply_code(f"{diagnostic} {words}") or said.reply
    return f"{reply[0]}.0.0" if reply else ("4.0.0" if reported.action == "delayed" else "5.0.0")


def _reason(reported: Reported, words: str, said: Said, status: str) -> str:
    """Return the reason; what many recipients have in common but for their addresses is looked up once."""
    own = reported.address or "\0"
    texts = (text.replace(own, "") for text in (*reported._replace(original=""), words))
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
    kind = f"{reported.diagnostic_type}; " if reported.diagnostic_type else ""
    command = reasons.find_command(near) or said.command
    with_hosts = f"{status} {said.mta.lower()} {reported.remote_mta.lower()} {near}"
    return (
        reasons.by_host(with_hosts)
        or reasons.by_provider(with_hosts)
        or said.provider_reason
        or reasons.by_category(reported.category)
        or reasons.by_words(f"{kind}{diagnostic}", status, command)
        or reasons.by_words(reported.comment.lower(), status, command)
        or reasons.by_words(paragraph, status, command)
        or reasons.by_words(f"{diagnostic} / {paragraph}", status, command, are_rare=True)
        or reasons.by_status(status, only_special=True)
        or (reasons.by_command(command) if diagnostic else "")
        or said.reason(status, command)
        or reasons.by_status(status)
        or reasons.by_reply(f"{near} {said.plain}")
        or reasons.by_command(command)
        or ("expired" if reported.action == "delayed" else reasons.UNDEFINED)
    )
