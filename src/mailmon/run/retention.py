"""What a run keeps in the state beside the health of its steps, and what it forgets because it was removed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from mailmon.alerting import discard
from mailmon.clients.account import Account
from mailmon.mail.probe.ledger import losses
from mailmon.model import Change, CheckState, Health, Outcome, Probe
from mailmon.run.certificates import CERTIFICATE
from mailmon.run.delivery import KEEP_GONE
from mailmon.run.dispatch import Evaluated
from mailmon.run.subjects import CHANNEL, UNIT

KEEP_UNSEEN = timedelta(days=7)


def without_removed(evaluated: Evaluated, configured: Collection[str], now: datetime) -> Evaluated:
    """Forget the steps that are no longer configured, and the alerts that wait about them."""

    def is_kept(step_id: str, check_state: CheckState) -> bool:
        if step_id.startswith(CERTIFICATE):
            # It is seen by whoever logs in, and not every run does.
            return check_state.checked_at is not None and now - check_state.checked_at < KEEP_UNSEEN
        if step_id in configured or check_state.announced.health is Health.UP:
            return step_id in configured
        # A channel may be missing from one run only: it must not alert anew when it is back.
        is_recent = now - (check_state.announced.at or now) < KEEP_GONE
        return step_id.startswith(UNIT) or (step_id.startswith(CHANNEL) and is_recent)

    checks = {key: check_state for key, check_state in evaluated.state.checks.items() if is_kept(key, check_state)}
    gone = {key for key in evaluated.state.checks if key not in checks and not key.startswith(UNIT)}
    outbox = discard(evaluated.state.outbox, lambda change: change.id in gone)
    return evaluated._replace(state=evaluated.state._replace(checks=checks, outbox=tuple(outbox)))


# Added to a recovery: what was late or lost in between.
_EARLIER = ("route.arrived_late", "route.lost", "route.bounced_late")
_Value = TypeVar("_Value")


def newest(names: Collection[str], known: Mapping[str, _Value], seen: Mapping[str, _Value]) -> dict[str, _Value]:
    """Return what this run saw of each name, else what is known of it; nothing of other names.

    >>> newest(["a", "b"], {"a": 1, "c": 1}, {"a": 2})
    {'a': 2}
    """
    both = {**known, **seen}
    return {name: both[name] for name in names if name in both}


def hosts_of(accounts: Iterable[Account]) -> list[str]:
    """Return the hosts of all servers that accounts log in to."""
    return [server.host for account in accounts for server in account.logins.values()]


def with_notes(change: Change, outcomes: Sequence[Outcome], probes: Iterable[Probe]) -> Change:
    """Add to a recovery what was late or lost in between."""
    check, _, name = change.id.partition(":")
    is_over = change.after in (Health.UP, Health.DEGRADED) and change.before in (Health.DOWN, Health.UNKNOWN)
    if check != "receive" or not is_over:
        return change
    found = [f.message for o in outcomes if o.name == name for f in o.findings if f.id in _EARLIER]
    return change._replace(notes=tuple(dict.fromkeys((*found, *losses(probes, name, change.since)))))
