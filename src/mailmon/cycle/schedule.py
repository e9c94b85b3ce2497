"""Which step is next, and which connections does nobody need any more?

Depth first: what waits for a login comes before the next login, so that only as many accounts are connected as there
are workers, however many there are in all. Pure.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence

from mailmon.cycle.plan import Step


class Schedule:
    """The steps of one run, in the order in which they may begin. For one thread."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = {step.id: step for step in steps}
        self._place = {step.id: number for number, step in enumerate(steps)}
        self._missing = {step.id: len(self._before(step)) for step in steps}
        self._behind: dict[str, list[str]] = {}
        for step in steps:
            for other in self._before(step):
                self._behind.setdefault(other, []).append(step.id)
        self._uses = Counter(name for step in steps for name in set(step.accounts))
        self._ready: list[tuple[int, int, str]] = []
        for step in steps:
            if not self._missing[step.id]:
                self._push(step.id)

    def next(self) -> Step | None:
        """Return a step that may begin now, None where there is none."""
        return self._steps[heapq.heappop(self._ready)[2]] if self._ready else None

    def end(self, step_id: str) -> Iterator[str]:
        """Note the end of a step, run or skipped; yield the accounts that no step needs any more."""
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
