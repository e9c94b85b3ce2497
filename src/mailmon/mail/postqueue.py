"""The mail queue from the lines of `postqueue -j` (postqueue(1)): counts, ages and reasons. Pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from mailmon.mail.masking import hide_mailbox
from mailmon.text import fit_characters, visible

QUEUES = ("active", "deferred", "hold", "incoming", "maildrop")
# Distinct reasons and domains counted at most: a queue of a million messages must not fill the memory.
MAX_DIFFERENT, MAX_REASON, MAX_NAME = 1000, 160, 80
# A message's line, and the recipients in it whose reasons are counted.
MAX_LINE_BYTES, MAX_RECIPIENTS = 1 << 18, 200
_ADDRESS = re.compile(r"<[^<>\s]{0,320}>|[^\s<>,;:()]{1,64}@[^\s<>,;:()]{1,255}")
_PLACE = re.compile(r"\[[0-9A-Fa-f.:]{2,60}\](?::\d+)?")
# The parts that differ per message: the connected address, times, and identifiers of servers.
_DIFFERENT = re.compile(
    r"(?<![\w.-])(?=[\w-]{0,60}\d)(?:"
    r"(?:\d{1,3}\.){3}\d{1,3}\b"
    r"|\d{1,9}(?= (?:seconds?|secs?|minutes?|mins?|hours?)\b)"
    r"|\d\d:\d\d(?::\d\d)?\b"
    r"|(?:(?=[\w-]{0,60}[A-Za-z])[\w-]{10,200}|[0-9A-Fa-f]{6,}\b|\d{4,}\b)(?:[-.:]\d\w{0,9}){0,4})"
)


class MailQueue(NamedTuple):
    """The messages by the queue that they are in, and why those that wait do.

    `oldest_at_s` is when the oldest message of each queue came (Unix time), `unread` how many lines made no sense;
    where `is_whole` is false there are more messages than these.
    """

    counts: Mapping[str, int]
    size_bytes: int = 0
    oldest_at_s: Mapping[str, float] = MappingProxyType({})
    reasons: tuple[tuple[str, int], ...] = ()
    domains: tuple[tuple[str, int], ...] = ()
    unread: int = 0
    is_whole: bool = True

    @property
    def total(self) -> int:
        """Return how many messages there are."""
        return sum(self.counts.values())

    def count(self, *queues: str) -> int:
        """Return how many messages are in these queues."""
        return sum(self.counts.get(queue, 0) for queue in queues)

    def age_s(self, now_s: float, *queues: str) -> float:
        """Return for how many seconds the oldest message in these queues has been there, 0 where there is none."""
        return max((now_s - self.oldest_at_s[queue] for queue in queues if queue in self.oldest_at_s), default=0.0)


def read_queue(lines: Iterable[bytes], most: int = 3) -> MailQueue:
    """Summarise a list of messages, with the `most` frequent reasons and domains. Never raises.

    Memory does not grow with the queue: lines are read one by one.
    """
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    domains: Counter[str] = Counter()
    oldest_at_s: dict[str, float] = {}
    size_bytes = unread = 0
    for line in lines:
        message = _message(line)
        if message is None:
            unread += bool(line.strip())
            continue
        name = _queue_name(message, counts)
        counts[name] += 1
        size_bytes += _whole(message.get("message_size"))
        if arrived_s := _whole(message.get("arrival_time")):
            oldest_at_s[name] = min(arrived_s, oldest_at_s.get(name, arrived_s))
        for address, reason in _recipients(message):
            _add(reasons, common_reason(reason, address))
            _add(domains, visible(address.rpartition("@")[2].lower(), MAX_NAME) if reason else "")
    named = tuple(reasons.most_common(most)), tuple(domains.most_common(most))
    return MailQueue(dict(counts), size_bytes, oldest_at_s, *named, unread)


def common_reason(text: str, address: str = "") -> str:
    """Return a reason without what is different for each message: addresses, hosts' numbers, times, identifiers.

    Nor is there the name of the mailbox that a server repeats.

    >>> common_reason("host mx.example.org[192.0.2.1] said: 450 4.2.0 <a@example.org>: Greylisted (id 4F2A11)")
    'host mx.example.org said: 450 4.2.0 <…>: Greylisted (id …)'
    >>> common_reason("mailbox of bob is full, try again in 297 seconds", "bob@example.org")
    'mailbox of *** is full, try again in … seconds'
    """
    short = _PLACE.sub("", _ADDRESS.sub("<…>", text[:1000]))
    # Escaping lengthens unprintable characters.
    return fit_characters(visible(hide_mailbox(_DIFFERENT.sub("…", short), address), MAX_REASON), MAX_REASON)


def _message(line: bytes) -> dict[str, object] | None:
    text = line[:MAX_LINE_BYTES].decode("utf-8", errors="replace")
    # A line cut because of thousands of recipients still counts as a message.
    for whole in (text, text.partition(', "recipients":')[0] + "}"):
        try:
            message = json.loads(whole)
        except (ValueError, RecursionError):
            continue
        return message if isinstance(message, dict) and isinstance(message.get("queue_name"), str) else None
    return None


def _queue_name(message: dict[str, object], known: Collection[str]) -> str:
    name = visible(str(message["queue_name"]), 20)
    return name if name in QUEUES or name in known or len(known) < 2 * len(QUEUES) else "other"


def _recipients(message: dict[str, object]) -> Iterable[tuple[str, str]]:
    listed = message.get("recipients")
    for recipient in listed[:MAX_RECIPIENTS] if isinstance(listed, list) else ():
        if isinstance(recipient, dict):
            reason = recipient.get("delay_reason")
            yield str(recipient.get("address", "")), reason if isinstance(reason, str) else ""


def _add(counter: Counter[str], name: str) -> None:
    if name and (name in counter or len(counter) < MAX_DIFFERENT):
        counter[name] += 1


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**11 else 0
