"""The order of the steps of a run, and the accounts that no step needs any more.

Depth first: what waits for a login comes before the next login, so that only as many accounts are connected as there
are workers, however many there are in all. One host never takes all workers while others have steps too: what it
delays is its own. Pure.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence

from mailmon.model.limits import DEFAULT_LIMITS, RunLimits
from mailmon.run.plan import Step

# What one host gets of the workers where there are several hosts.
SHARE_OF_A_HOST = 0.75

_Entry = tuple[int, int, str]


class Schedule:
    """The steps of one run, in the order in which they may begin. For one thread."""

    def __init__(self, steps: Sequence[Step], limits: RunLimits = DEFAULT_LIMITS) -> None:
        self._steps = {step.id: step for step in steps}
        self._place = {step.id: number for number, step in enumerate(steps)}
        self._missing = {step.id: len(self._before(step)) for step in steps}
        self._behind: dict[str, list[str]] = {}
        for step in steps:
            for other in self._before(step):
                self._behind.setdefault(other, []).append(step.id)
        self._uses = Counter(name for step in steps for name in set(step.accounts))
        self._host = {step.id: host_of(step.target) or step.id for step in steps}
        self._most = _per_host(limits, len(set(self._host.values())))
        self._workers = limits.workers
        self._running: dict[str, str] = {}
        self._busy: Counter[str] = Counter()
        self._held: dict[str, list[_Entry]] = {}
        self._ready: list[_Entry] = []
        for step in steps:
            if not self._missing[step.id]:
                self._push(step.id)

    @property
    def has_ready(self) -> bool:
        """Return whether there may be a step that can begin now."""
        return bool(self._ready) and len(self._running) < self._workers

    def next(self) -> Step | None:
        """Return a step that may begin now, None where there is none."""
        while self._ready and len(self._running) < self._workers:
            entry = heapq.heappop(self._ready)
            host = self._host[entry[2]]
            if self._busy[host] >= self._most:
                heapq.heappush(self._held.setdefault(host, []), entry)
                continue
            self._busy[host] += 1
            self._running[entry[2]] = host
            return self._steps[entry[2]]
        return None

    def end(self, step_id: str) -> Iterator[str]:
        """Note the end of a step, run or skipped; yield the accounts that no step needs any more."""
        host = self._running.pop(step_id, None)
        if host is not None:
            self._busy[host] -= 1
            if self._held.get(host):
                heapq.heappush(self._ready, heapq.heappop(self._held[host]))
        for other in self._behind.pop(step_id, ()):
            self._missing[other] -= 1
            if not self._missing[other]:
                self._push(other)
        for name in set(self._steps[step_id].accounts):
            self._uses[name] -= 1
            if not self._uses[name]:
                yield name

    def _push(self, step_id: str) -> None:
        is_first = not self._before(self._steps[step_id])
        heapq.heappush(self._ready, (int(is_first), self._place[step_id], step_id))

    def _before(self, step: Step) -> set[str]:
        return {*step.needs, *step.after}


def host_of(target: str) -> str:
    """Return the host of a target.

    >>> host_of("mail.example.org:993"), host_of("[2001:db8::1]:25"), host_of("example.org")
    ('mail.example.org', '2001:db8::1', 'example.org')
    """
    if target.startswith("["):
        return target[1:].partition("]")[0]
    return target.partition(":")[0].lower()


def _per_host(limits: RunLimits, hosts: int) -> int:
    if limits.per_host is not None:
        return limits.per_host
    return limits.workers if hosts < 2 else max(int(limits.workers * SHARE_OF_A_HOST), 1)
