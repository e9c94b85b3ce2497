"""What of a run is remembered beside the health of its steps, and what of it goes along with a recovery? Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from mailmon.clients.account import Account
from mailmon.mail.probe.ledger import losses
from mailmon.model import Change, Health, Outcome, Probe

# Worth telling with a recovery: what was late or lost in between.
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


def with_notes(flip: Change, outcomes: Sequence[Outcome], probes: Iterable[Probe]) -> Change:
    """Add to a recovery what was late or lost in between."""
    check, _, name = flip.id.partition(":")
    is_over = flip.after in (Health.UP, Health.DEGRADED) and flip.before in (Health.DOWN, Health.UNKNOWN)
    if check != "receive" or not is_over:
        return flip
    heard = [f.message for o in outcomes if o.name == name for f in o.findings if f.id in _EARLIER]
    return flip._replace(notes=tuple(dict.fromkeys((*heard, *losses(probes, name, flip.since)))))
