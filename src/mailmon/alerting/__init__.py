"""What changed, who is told, and in which words? Pure: tables and values, no clock and no I/O."""

from mailmon.alerting.decision import standing
from mailmon.alerting.outbox import enqueue, handed_on, joined, part, without
from mailmon.alerting.transitions import TRANSITIONS
from mailmon.alerting.verdict import judge, overall, step
from mailmon.alerting.wording import compose, is_good_news

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
