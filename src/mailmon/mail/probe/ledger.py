"""The ledger of probes: waiting, arrived, late, delivered twice, bounced or lost.

The ledger is the only place that decides. It is fed with sightings from the mailboxes and is shared by the threads
of one run; between runs the state file keeps its probes.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from mailmon.mail.localtime import local
from mailmon.model import Fate, Probe
from mailmon.text import format_duration


def losses(probes: Iterable[Probe], route: str, since: datetime) -> tuple[str, ...]:
    """Describe the probes of a route that were late, lost or bounced since a time, oldest first."""
    asked = [probe for probe in probes if probe.route == route and probe.planned_at >= since and probe.accepted_at]
    return tuple(words for probe in sorted(asked, key=lambda p: p.planned_at) if (words := fate_words(probe)))


def fate_words(probe: Probe) -> str:
    """Describe the fate of a probe, "" if it arrived in time."""
    when = f"the probe of {local(probe.planned_at):%Y-%m-%d %H:%M %z}"
    match probe.fate:
        case Fate.LATE:
            took_s = ((probe.settled_at or probe.planned_at) - (probe.accepted_at or probe.planned_at)).total_seconds()
            # The server reports arrival in whole seconds by its own clock: never earlier than the end of the wait.
            if probe.waited_s and took_s <= probe.waited_s:
                return f"{when} arrived late, after more than {format_duration(probe.waited_s)}"
            return f"{when} arrived late{f', after {format_duration(took_s)}' if took_s > 0 else ''}"
        case Fate.LOST:
            return f"{when} is lost: {probe.standing}, not seen for a day"
        case Fate.BOUNCED:
            return f"{when} bounced: {probe.detail}"
        case Fate.WAITING:
            return f"{when} has not arrived yet{f'; delayed: {probe.detail}' if probe.detail else ''}"
        case _:
            return ""


LOST_AFTER = timedelta(days=1)
KEEP_SETTLED, KEEP_OUTSTANDING = timedelta(days=2), timedelta(days=7)
MAX_WAITING, MAX_SETTLED = 10_000, 2000

_OUTSTANDING = (Fate.PLANNED, Fate.WAITING)


class Arrival(NamedTuple):
    """When a probe was first seen, and the earliest time at which it may have arrived, on the monotonic clock."""

    seen_s: float
    unseen_s: float


class Event(NamedTuple):
    """News of an earlier probe in this run."""

    finding_id: str
    words: str


class Ledger:
    """The probes of this run and of the runs before it."""

    def __init__(self, probes: Iterable[Probe] = ()) -> None:
        self._lock = threading.Lock()
        self._probes: dict[str, Probe] = {}
        # Those that may still arrive: a thousand mailboxes must not each search the probes of all.
        self._waiting: dict[str, Probe] = {}
        for probe in probes:
            self._put(probe)
        # Those outstanding when the run began, and those that it has planned itself.
        self._fresh = {token for token, probe in self._probes.items() if probe.fate in _OUTSTANDING}
        self._current: set[str] = set()
        self._of_route: dict[str, str] = {}
        self._own: set[str] = set()
        self._reserved: set[str] = set()
        self._postponed: set[str] = set()
        self._arrivals: dict[str, Arrival] = {}
        self._seen: Counter[str] = Counter()
        self._removed: Counter[str] = Counter()
        self._events: dict[str, list[Event]] = {}
        self._duplicates: dict[str, int] = {}
        self._signers: dict[str, set[str]] = {}
        # Text of mail and servers is kept between runs: a run masks its credentials in it.
        self.mask: Callable[[str], str] = str

    def plan(self, probe: Probe) -> None:
        """Record a probe before it is sent, so that a killed run leaves no unknown message."""
        with self._lock:
            self._put(probe)
            self._fresh.add(probe.token)
            self._current.add(probe.token)
            self._of_route[probe.route] = probe.token
            self._own.add(probe.token)

    def resume(self, route: str) -> bool:
        """Continue to wait for the newest probe of a route from an earlier run; return whether there is one."""
        with self._lock:
            waiting = [p for p in self._waiting.values() if p.route == route]
            newest = max(waiting, key=lambda p: p.planned_at, default=None)
            if newest is not None:
                self._current.add(newest.token)
                self._of_route[route] = newest.token
            return newest is not None

    def expire(self, token: str, now: datetime, waited_s: float = 0.0) -> None:
        """Stop waiting for a probe of a slow route: the next run sends another one."""
        with self._lock:
            self._current.discard(token)
            probe = self._probes[token]._replace(waited_s=waited_s)
            self._settle(probe, Fate.LOST, now, probe.detail)

    def current(self, route: str) -> Probe:
        """Return the probe that this run planned for a route."""
        with self._lock:
            return self._probes[self._of_route[route]]

    def accept(self, token: str, *, at: datetime, by: str, queue_id: str, reply: str = "") -> Probe:
        """Record the 250 after DATA. Another thread may have seen the probe in its mailbox a moment before."""
        with self._lock:
            probe = self._probes[token]
            fate = Fate.WAITING if probe.fate is Fate.PLANNED else probe.fate
            seen = probe._replace(fate=fate, accepted_at=at, accepted_by=by, queue_id=queue_id, reply=reply)
            return self._put(seen)

    def see(
        self,
        token: str,
        *,
        mailbox: str,
        at: datetime,
        arrival: Arrival,
        is_signed: bool = True,
        was_struck: bool = False,
    ) -> None:
        """Record a message that carries `token`. Call it once per message and run.

        A copy without our signature may be a reply that quotes the Subject: it can be an arrival, not a duplicate.
        Nor is one that `was_struck`: a run has flagged it as deleted, and the server has kept it.
        """
        with self._lock:
            probe = self._probes.get(token)
            if probe is None or probe.mailbox != mailbox or token in self._postponed:
                return
            self._seen[token] += is_signed
            if probe.fate in _OUTSTANDING and token in self._current:
                self._arrivals[token] = arrival
                self._settle(probe, Fate.ARRIVED, at)
            elif probe.fate in (Fate.WAITING, Fate.LOST):
                self._settle_late(probe, at)
            elif probe.fate in (Fate.PLANNED, Fate.BOUNCED):
                # PLANNED: a killed run left it, nobody knows whether it was accepted. BOUNCED: one of two recipients.
                self._settle(probe, Fate.ARRIVED, at)
            elif (
                is_signed
                and not was_struck
                and self._seen[token] > max(probe.copies_left, 1 if token in self._current else 0)
            ):
                self._duplicates[probe.route] = self._duplicates.get(probe.route, 0) + 1

    def learn(self, signers: Iterable[tuple[str, str]]) -> None:
        """Record the domains and selectors that signed a probe of ours in transit."""
        with self._lock:
            for domain, selector in signers:
                if self.mask(domain) != domain or self.mask(selector) != selector:
                    continue
                self._signers.setdefault(domain, set()).add(selector)

    def selectors(self) -> dict[str, tuple[str, ...]]:
        """Return the selectors that this run has seen, by their domain."""
        with self._lock:
            return {domain: tuple(sorted(names)) for domain, names in self._signers.items()}

    def bounce(self, token: str, *, at: datetime, reason: str) -> None:
        """Record a bounce of a probe. It changes nothing if the probe has arrived too."""
        with self._lock:
            probe = self._probes.get(token)
            if probe is None or token in self._postponed or probe.fate not in (*_OUTSTANDING, Fate.LOST):
                return
            self._settle(probe, Fate.BOUNCED, at, self.mask(reason))
            if token not in self._current:
                self._report(token, "route.bounced_late")

    def delay(self, token: str, *, reason: str) -> None:
        """Record why a probe is delayed. The wait continues; a settled probe is not changed."""
        with self._lock:
            probe = self._probes.get(token)
            if probe is not None and token not in self._postponed and probe.fate in _OUTSTANDING:
                self._put(probe._replace(detail=reason))

    def recipient_of(self, token: str) -> str:
        """Return the address that a probe went to, "" for a token that is not known."""
        with self._lock:
            probe = self._probes.get(token)
            return probe.recipient if probe else ""

    def stop_waiting(self, token: str, waited_s: float = 0.0) -> None:
        """End this run's wait: from now on a sighting of the probe is a late arrival, after more than `waited_s`."""
        with self._lock:
            self._current.discard(token)
            probe = self._probes.get(token)
            if probe and probe.fate in _OUTSTANDING:
                self._put(probe._replace(waited_s=waited_s))

    def removed(self, tokens: Iterable[str]) -> None:
        """Record copies that were deleted from their mailbox."""
        with self._lock:
            self._removed.update(tokens)

    def forget_sightings(self, mailbox: str) -> None:
        """Forget which copies were seen in a mailbox, because its messages were renumbered and are read again."""
        with self._lock:
            for token, probe in self._probes.items():
                if probe.mailbox == mailbox:
                    self._seen.pop(token, None)
                    self._removed.pop(token, None)

    def give_up(self, now: datetime, mailbox: str) -> None:
        """Call probes lost that were accepted more than a day ago and are not in their mailbox, which was just read."""
        with self._lock:
            for probe in [p for p in self._waiting.values() if p.mailbox == mailbox]:
                is_old = probe.accepted_at is not None and now - probe.accepted_at > LOST_AFTER
                if is_old:
                    self._settle(probe, Fate.LOST, now, probe.detail)
                    self._report(probe.token, "route.lost")

    def forget(self, now: datetime) -> None:
        """Forget probes settled for two days, probes never sent, and probes outstanding for a week."""
        with self._lock:
            for probe in list(self._probes.values()):
                kept_for = KEEP_OUTSTANDING if probe.fate is Fate.WAITING else KEEP_SETTLED
                if now - (probe.settled_at or probe.planned_at) > kept_for:
                    del self._probes[probe.token]
                    self._waiting.pop(probe.token, None)

    def probe(self, token: str) -> Probe | None:
        """Return what is known of a token."""
        with self._lock:
            return self._probes.get(token)

    def arrival(self, token: str) -> Arrival | None:
        """Return when this run saw the probe, None while it has not."""
        with self._lock:
            return self._arrivals.get(token)

    def outstanding(self) -> tuple[str, ...]:
        """Return the tokens of earlier runs that may still arrive or bounce, newest first."""
        with self._lock:
            waiting = [p for p in self._waiting.values() if p.token not in self._current]
        return tuple(probe.token for probe in sorted(waiting, key=lambda p: p.planned_at, reverse=True))

    def is_awaited(self, token: str) -> bool:
        """Return whether some route of this run still waits for the token, so that nobody else may delete it."""
        with self._lock:
            probe = self._probes.get(token)
            return token in self._current and probe is not None and probe.fate in _OUTSTANDING

    def reserve(self, token: str) -> None:
        """Protect a probe from deletion: its route has yet to search for it in its folder, or to read it."""
        with self._lock:
            self._reserved.add(token)

    def release(self, token: str) -> None:
        """End a reservation."""
        with self._lock:
            self._reserved.discard(token)

    def postpone(self, token: str) -> None:
        """Leave a probe to the next run: copies seen from now on are neither counted nor deleted."""
        with self._lock:
            self._current.discard(token)
            self._postponed.add(token)

    def is_reserved(self, token: str) -> bool:
        """Return whether a probe must stay where it is for now."""
        with self._lock:
            return token in self._reserved or token in self._postponed

    def fresh_since(self, token: str) -> datetime | None:
        """Return when a probe was planned that was outstanding when this run began or is its own, else None."""
        with self._lock:
            return self._probes[token].planned_at if token in self._fresh and token in self._probes else None

    def is_own(self, token: str) -> bool:
        """Return whether this run planned the token."""
        with self._lock:
            return token in self._own

    def oldest_outstanding(self) -> datetime | None:
        """Return when the oldest probe was sent that may still arrive or bounce."""
        with self._lock:
            return min((p.planned_at for p in self._waiting.values()), default=None)

    def take_events(self, route: str) -> tuple[Event, ...]:
        """Return the unreported events of earlier probes of a route."""
        with self._lock:
            return tuple(self._events.pop(route, ()))

    def duplicates(self, route: str) -> int:
        """Return how many superfluous copies of the route's probes this run has seen."""
        with self._lock:
            return self._duplicates.get(route, 0)

    def remaining(self) -> tuple[Probe, ...]:
        """Return the probes to remember, those that wait first; without those that were never accepted."""
        with self._lock:
            kept = [self._with_copies(p) for p in self._probes.values() if p.fate is not Fate.PLANNED]
        kept.sort(key=lambda p: p.planned_at)
        settled = [p for p in kept if p.fate is not Fate.WAITING][-MAX_SETTLED:]
        return (*[p for p in kept if p.fate is Fate.WAITING][-MAX_WAITING:], *settled)

    def planned(self) -> tuple[Probe, ...]:
        """Return every probe, also those that this run is about to send."""
        with self._lock:
            return tuple(self._probes.values())

    def _expected(self, probe: Probe) -> int:
        """Return how many copies of a settled probe there may be."""
        return max(probe.copies_left, 1 if probe.token in self._current else 0)

    def _with_copies(self, probe: Probe) -> Probe:
        if probe.token not in self._seen:
            return probe
        return probe._replace(copies_left=max(self._seen[probe.token] - self._removed[probe.token], 0))

    def _settle_late(self, probe: Probe, at: datetime) -> None:
        self._settle(probe, Fate.LATE, at)
        self._report(probe.token, "route.arrived_late")

    def _settle(self, probe: Probe, fate: Fate, at: datetime, detail: str = "") -> None:
        self._put(probe._replace(fate=fate, settled_at=at, detail=detail))

    def _put(self, probe: Probe) -> Probe:
        self._probes[probe.token] = probe
        if probe.fate is Fate.WAITING:
            self._waiting[probe.token] = probe
        else:
            self._waiting.pop(probe.token, None)
        return probe

    def _report(self, token: str, finding_id: str) -> None:
        probe = self._probes[token]
        self._events.setdefault(probe.route, []).append(Event(finding_id, fate_words(probe)))
