"""What did this run see, once our own trouble is told from that of the servers?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from mailmon.checks.check import has_silence
from mailmon.clients.connectivity import Target, monitored_by, parse_target
from mailmon.clients.deadline import Deadline
from mailmon.clients.resolver import RememberingResolve
from mailmon.config import Setup
from mailmon.model import Outcome, Status, Verdict
from mailmon.run.subjects import SIGHT, sight_outcome
from mailmon.store.state import State

if TYPE_CHECKING:
    from mailmon.run.network import Sight

# What is left of a run's last seconds for state and alerts, after looking around.
RESERVE_S = 10.0


class Seen(NamedTuple):
    """The outcomes of the steps, and what mailmon found out about itself."""

    steps: tuple[Outcome, ...]
    own: tuple[Outcome, ...] = ()
    is_blind: bool = False


def look_around(
    outcomes: Sequence[Outcome], setup: Setup, state: State, resolve: RememberingResolve, deadline: Deadline
) -> Seen:
    """Return the outcomes with what our own trouble explains as UNKNOWN; look only where something is in doubt."""
    sight, steps = None, tuple(outcomes)
    if any(map(has_silence, outcomes)):
        from mailmon.run.network import excuse

        sight = _look(outcomes, setup, state, resolve, deadline)
        steps = tuple(excuse(outcomes, sight))
    has_seen_anything = any(outcome.status in (Status.OK, Status.WARNING, Status.FAILED) for outcome in steps)
    evidence = sight.evidence if sight and sight.is_blind else "" if has_seen_anything else _no_route(steps)
    if not evidence and not (SIGHT in state.checks and has_seen_anything):
        return Seen(steps)
    return Seen(steps, (sight_outcome(evidence, is_blind=bool(evidence)),), bool(evidence))


def _look(
    outcomes: Sequence[Outcome], setup: Setup, state: State, resolve: RememberingResolve, deadline: Deadline
) -> Sight | None:
    from mailmon.run.network import Means, look

    targets = [parse_target(text) for text in setup.reachability]
    bound = Deadline(deadline.remaining_s() - RESERVE_S)
    means = Means([*targets, *_implicit_targets(setup)], setup.nameservers, bound, resolve)
    return look(outcomes, monitored_by(setup.accounts.values(), state.addresses, resolve.known), means)


def _implicit_targets(setup: Setup) -> Iterator[Target]:
    """Yield the hosts of the channels and of the ping address: they too are reached over our network.

    Behind a proxy there are none: it may be the only way out, and a connection of our own would never come about.
    """
    from urllib.parse import urlsplit
    from urllib.request import getproxies_environment

    if getproxies_environment().keys() & {"http", "https", "all"}:
        return
    for channel in [*setup.channels.values(), *([setup.ping] if setup.ping else [])]:
        secret = channel.credentials.get("webhook") or channel.credentials.get("url")
        url = getattr(channel.options, "server", None) or secret
        try:
            parts = urlsplit(url or "")
            port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
        except ValueError:
            continue
        if parts.hostname and port:
            yield Target(parts.hostname, port, True, f"the host of {channel.name}" if url == secret else "")


def _no_route(outcomes: Sequence[Outcome]) -> str:
    """Return what a connection said that could not even begin, "" where none did."""
    return next(
        (
            finding.message
            for outcome in outcomes
            for finding in outcome.findings
            if finding.status is Verdict.UNKNOWN and finding.id.startswith(("tcp.", "dns."))
        ),
        "",
    )
