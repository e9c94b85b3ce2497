"""Alerts: how a step's health changes, whether people are alerted, in which words, and which alerts wait. Pure."""

from mailmon.alerting.decision import evaluate, evaluate_step, open_problems, overall, refresh
from mailmon.alerting.outbox import combine, discard, enqueue, reassign, split
from mailmon.alerting.transitions import TRANSITIONS
from mailmon.alerting.wording import compose, is_good_news

__all__ = [
    "TRANSITIONS",
    "combine",
    "compose",
    "discard",
    "enqueue",
    "evaluate",
    "evaluate_step",
    "is_good_news",
    "open_problems",
    "overall",
    "reassign",
    "refresh",
    "split",
]
