"""What changed, who is told, and in which words? Pure: tables and values, no clock and no I/O."""

from mailmon.judge.outbox import enqueue, handed_on, joined, part, without
from mailmon.judge.table import TRANSITIONS
from mailmon.judge.verdict import judge, overall, step
from mailmon.judge.words import compose

__all__ = ["TRANSITIONS", "compose", "enqueue", "handed_on", "joined", "judge", "overall", "part", "step", "without"]
