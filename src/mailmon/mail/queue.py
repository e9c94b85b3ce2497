"""What waits in a mail queue, since when, and why? Read from the lines of `postqueue -j` (postqueue(1)). Pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from mailmon.mail.masking import mask_domain
from mailmon.mail.text import visible

QUEUES = ("active", "deferred", "hold", "incoming", "maildrop")
# So many different reasons and domains are told apart; a queue of a million messages must not fill the memory.
MAX_DIFFERENT, MAX_REASON = 1000, 160
_ADDRESS = re.compile(r"<[^<>\s]{0,320}>|[^\s<>,;:()]{1,64}@[^\s<>,;:()]{1,255}")
_PLACE = re.compile(r"\[[0-9A-Fa-f.:]{2,60}\](?::\d+)?")
_NUMBERS = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b|\b[0-9A-Fa-f]{6,}\b|\b\d{4,}\b")


class MailQueue(NamedTuple):
    """The messages by the queue that they are in, and why those that wait do.

    `oldest_at` is when the oldest message came that is not on hold, `unread` how many lines made no sense.
    """

    counts: dict[str, int]
    size_bytes: int = 0
    oldest_at: datetime | None = None
    reasons: tuple[tuple[str, int], ...] = ()
    domains: tuple[tuple[str, int], ...] = ()
    unread: int = 0

    @property
    def total(self) -> int:
        """Return how many messages there are."""
        return sum(self.counts.values())

    def count(self, queue: str) -> int:
        """Return how many messages are in a queue."""
        return self.counts.get(queue, 0)


def read_queue(lines: Iterable[bytes], most: int = 3) -> MailQueue:
    """Return what a list of messages amounts to, with the `most` frequent reasons and domains. Never raises.

    Memory does not grow with the queue: lines are read one by one.
    """
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    domains: Counter[str] = Counter()
    size_bytes = unread = 0
    oldest_s = float("inf")
    for line in lines:
        message = _message(line)
        if message is None:
            unread += bool(line.strip())
            continue
        name = visible(str(message["queue_name"]), 20)
        counts[name if name in QUEUES or len(counts) < 2 * len(QUEUES) else "other"] += 1
        size_bytes += _whole(message.get("message_size"))
        if name != "hold" and (arrived_s := _whole(message.get("arrival_time"))):
            oldest_s = min(oldest_s, arrived_s)
        for address, reason in _recipients(message):
            _add(reasons, reason)
            _add(domains, address.rpartition("@")[2].lower() if reason else "")
    oldest_at = datetime.fromtimestamp(oldest_s, UTC) if oldest_s < 1e11 else None
    shown = tuple((mask_domain(name), count) for name, count in domains.most_common(most))
    return MailQueue(dict(counts), size_bytes, oldest_at, tuple(reasons.most_common(most)), shown, unread)


def common_reason(text: str) -> str:
    """Return a reason without what is different for each message: addresses, hosts' numbers, identifiers.

    >>> common_reason("host mx.example.org[192.0.2.1] said: 450 4.2.0 <a@example.org>: Greylisted (id 4F2A11)")
    'host mx.example.org said: 450 4.2.0 <…>: Greylisted (id …)'
    """
    short = _PLACE.sub("", _ADDRESS.sub("<…>", text[:1000]))
    return visible(_NUMBERS.sub("…", short), MAX_REASON)


def _message(line: bytes) -> dict[str, object] | None:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) and isinstance(message.get("queue_name"), str) else None


def _recipients(message: dict[str, object]) -> Iterable[tuple[str, str]]:
    listed = message.get("recipients")
    for recipient in listed if isinstance(listed, list) else ():
        if isinstance(recipient, dict):
            reason = recipient.get("delay_reason")
            yield str(recipient.get("address", "")), common_reason(reason) if isinstance(reason, str) else ""


def _add(counter: Counter[str], name: str) -> None:
    if name and (name in counter or len(counter) < MAX_DIFFERENT):
        counter[name] += 1


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**11 else 0
