"""What changed, who is told, and in which words? Pure: tables and values, no clock and no I/O."""

from mailmon.judge.news import standing
from mailmon.judge.outbox import enqueue, handed_on, joined, part, without
from mailmon.judge.table import TRANSITIONS
from mailmon.judge.verdict import judge, overall, step
from mailmon.judge.words import compose, is_good_news

__all__ = [
    "TRANSITIONS",
    "compose",
    "enqueue",
    "handed_on",
    "is_good_news",
    "joined",
    "judge",
    "overall",
    "part",
    "standing",
    "step",
    "without",
]
