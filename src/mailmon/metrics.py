"""The registry of metrics: the name in JSON documents, the name and the base unit for Prometheus, and what it is.

A new metric is one row; docs/json.md lists the rows.
"""

from __future__ import annotations

from mailmon.model.findings import Metric


class MetricRow:
    """One metric.

    `name` is the key in JSON documents and `unit` the unit there; `exported` is the Prometheus name, whose value is
    that of JSON times `factor`, in base units (seconds, bytes, ratio). `checks` report it.
    """

    # No NamedTuple: to make one takes longer than the rest of this module, which every check loads.
    __slots__ = ("checks", "exported", "factor", "help", "name", "unit")

    def __init__(
        self, name: str, unit: str, exported: str, checks: tuple[str, ...], help: str, factor: float = 1.0
    ) -> None:
        self.name, self.unit, self.exported, self.checks = name, unit, exported, checks
        self.help, self.factor = help, factor


_LOGINS = ("imap_auth", "pop3_auth", "smtp_auth")
ROWS = (
    MetricRow(
        "delivery_s",
        "seconds",
        "mailmon_delivery_seconds",
        ("receive",),
        "Time from the acceptance of the probe to its arrival in the mailbox.",
    ),
    MetricRow(
        "delivery_error_s",
        "seconds",
        "mailmon_delivery_error_seconds",
        ("receive",),
        "Bound of the measurement error: the true time is between `delivery_s - delivery_error_s` and `delivery_s`.",
    ),
    MetricRow(
        "certificate_days",
        "days",
        "mailmon_certificate_remaining_seconds",
        (*_LOGINS, "http", "certificate_file"),
        "Time until the certificate expires.",
        86400.0,
    ),
    MetricRow(
        "messages",
        "messages",
        "mailmon_mailbox_messages",
        ("imap_auth", "pop3_auth"),
        "Messages in the folder or maildrop.",
    ),
    MetricRow(
        "quota_percent", "percent", "mailmon_mailbox_quota_ratio", ("imap_auth",), "Share of the quota in use.", 0.01
    ),
    MetricRow("answer_s", "seconds", "mailmon_http_duration_seconds", ("http",), "Time to fetch the page."),
    MetricRow("active", "messages", "mailmon_queue_active_messages", ("queue",), "Messages being delivered."),
    MetricRow("deferred", "messages", "mailmon_queue_deferred_messages", ("queue",), "Messages not delivered yet."),
    MetricRow("hold", "messages", "mailmon_queue_hold_messages", ("queue",), "Messages on hold."),
    MetricRow("incoming", "messages", "mailmon_queue_incoming_messages", ("queue",), "Messages being taken in."),
    MetricRow("maildrop", "messages", "mailmon_queue_maildrop_messages", ("queue",), "Messages not picked up yet."),
    MetricRow("size_bytes", "bytes", "mailmon_queue_size_bytes", ("queue",), "Size of all messages in the queue."),
    MetricRow(
        "oldest_s",
        "seconds",
        "mailmon_queue_oldest_message_seconds",
        ("queue",),
        "Age of the oldest message that is not on hold.",
    ),
    MetricRow("new", "messages", "mailmon_bounces_recorded_messages", ("bounces",), "Messages recorded in this run."),
    MetricRow("bounces", "messages", "mailmon_bounces_recorded_bounces", ("bounces",), "Bounces among them."),
)
METRICS: dict[str, MetricRow] = {}


def add_metric(row: MetricRow) -> None:
    """Register a metric. Raises ValueError where another has its name."""
    if row.name in METRICS:
        raise ValueError(f"there is a metric {row.name} already, of {', '.join(METRICS[row.name].checks)}")
    METRICS[row.name] = row


for _row in ROWS:
    add_metric(_row)


def make_metric(name: str, value: float) -> Metric:
    """Return a measured value. Raises KeyError where no row of the registry has the name."""
    return Metric(METRICS[name].name, value)


def is_reported_by(metric: Metric, check: str) -> bool:
    """Say whether the row of a metric lists the check."""
    return metric.name in METRICS and check in METRICS[metric.name].checks
