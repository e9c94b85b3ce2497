"""How does one run go? Read the state once, ask, judge, write the state, announce, write it again.

The state is on disk before the first byte leaves (with the probes that are about to be sent), before the first alert
is tried, and after every acknowledgement: a crash at any moment loses no alert and tears no file.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime

from mailmon import __version__
from mailmon.checks.tools import Tools, World
from mailmon.clients.deadline import Deadline
from mailmon.clients.names import resolver_for
from mailmon.clients.wire import Record
from mailmon.config import Setup
from mailmon.config.setup import STATE_AND_ALERTS_S
from mailmon.cycle.announce import deliver, enqueue
from mailmon.cycle.observe import labels_of, observe
from mailmon.cycle.plan import Plan, make_plan
from mailmon.cycle.report import AlertLine, Report
from mailmon.errors import DeliveryError
from mailmon.judge import compose, judge, overall
from mailmon.mail.ledger import Ledger
from mailmon.mail.probe import make_token
from mailmon.model import Alert, Flip, Memory, OutboxEntry, Outcome, Probe
from mailmon.notify import ping
from mailmon.store.files import make_directory
from mailmon.store.keeper import Keeper
from mailmon.store.lock import Lock
from mailmon.store.state import LastRun

# Worth telling with a recovery: what was late or lost in between.
_EARLIER = ("route.arrived_late", "route.lost", "route.bounced_late")
_PING_S = 5.0


@dataclass(frozen=True, slots=True)
class Request:
    """One run as asked for. `on_done` hears of each outcome as it ends, with its label."""

    setup: Setup
    now: Callable[[], datetime]
    names: Collection[str] = ()
    is_dry: bool = False
    record: Record | None = None
    on_done: Callable[[Outcome, str], None] = lambda _outcome, _label: None


def run(request: Request) -> Report:
    """Run one full cycle. Raises LockHeldError, StateError, ConfigError; what servers do is in the report."""
    plan = make_plan(request.setup.accounts, request.setup.routes, request.names)
    state_file = request.setup.state_file
    has_no_state = request.is_dry and not state_file.parent.is_dir()
    if not has_no_state:
        make_directory(state_file.parent)
    with nullcontext() if has_no_state else Lock(state_file, request.now()):
        return _Run(request, plan).go()


class _Run:
    """One run under its lock."""

    def __init__(self, request: Request, plan: Plan) -> None:
        self._request = request
        self._plan = plan
        self._started_at = request.now()
        self._deadline = Deadline(request.setup.deadline_s)
        self._keeper = Keeper(request.setup.state_file, self._started_at, is_dry=request.is_dry)
        self._ledger = Ledger(self._keeper.state.probes)
        self._pings: list[threading.Thread] = []
        # Of all steps that there are: the words of a step must not depend on how many are asked for.
        complete = make_plan(request.setup.accounts, request.setup.routes, ())
        self._labels = labels_of(complete.steps)
        self._run_id = f"{self._started_at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"

    def go(self) -> Report:
        started_s = time.monotonic()
        self._ping("start", "")
        outcomes = self._observe()
        memories, flips, alert = self._judge(outcomes)
        status = overall([outcome.status for outcome in outcomes])
        finished_at = self._request.now()
        outbox = enqueue(self._keeper.state.outbox, alert, self._request.setup.channels)
        self._keeper.save(
            checks=memories,
            probes=self._ledger.remaining(),
            outbox=tuple(outbox),
            last_run=LastRun(self._run_id, self._started_at, finished_at, status),
        )
        alerts = [] if self._request.is_dry else self._announce(outbox)
        report = Report(
            run_id=self._run_id,
            started_at=self._started_at,
            finished_at=finished_at,
            duration_s=time.monotonic() - started_s,
            status=status,
            steps=tuple(outcomes),
            changes=tuple(flips),
            alerts=tuple(alerts),
            preview=alert if self._request.is_dry else None,
            state_error=self._keeper.error,
            warnings=(*self._request.setup.warnings, *self._keeper.warnings),
        )
        self._ping("fail" if report.exit_code else "", _summary(outcomes))
        return report

    def _observe(self) -> list[Outcome]:
        """Plan the probes, remember them, and ask all questions."""
        self._ledger.forget(self._started_at)
        for route in self._plan.routes:
            token = make_token(secrets.token_bytes(16))
            ends = (route.name, route.sender.address, route.recipient, route.reader.name)
            self._ledger.plan(Probe(token, *ends, planned_at=self._started_at))
        if self._plan.routes:
            self._keeper.save(probes=self._ledger.planned())
        tools = Tools(self._world(), self._ledger, self._request.setup.accounts.values())
        try:
            return observe(self._plan.steps, tools, lambda o: self._request.on_done(o, self._labels[o.id]))
        finally:
            tools.close()

    def _world(self) -> World:
        setup = self._request.setup
        key = self._keeper.signing_key()
        self._keeper.remember_checked(setup.document, key)
        return World(
            now=self._request.now,
            sleep=time.sleep,
            deadline=Deadline(setup.deadline_s - STATE_AND_ALERTS_S),
            resolve=resolver_for(setup.nameservers),
            key=key,
            version=__version__,
            is_dry=self._request.is_dry,
            record=self._request.record,
        )

    def _judge(self, outcomes: Sequence[Outcome]) -> tuple[dict[str, Memory], list[Flip], Alert | None]:
        now = self._request.now()
        memories, flips = judge(self._keeper.state.checks, outcomes, now)
        if self._plan.is_complete:
            memories = {
                key: memory for key, memory in memories.items() if key in {step.id for step in self._plan.steps}
            }
        notes = [finding.message for o in outcomes for finding in o.findings if finding.id in _EARLIER]
        return memories, flips, compose(flips, self._labels, now, self._run_id, notes)

    def _announce(self, outbox: Sequence[OutboxEntry]) -> list[AlertLine]:
        def remember(entries: Sequence[OutboxEntry]) -> None:
            self._keeper.save(outbox=tuple(entries))

        until_ping = Deadline(self._deadline.remaining_s() - _PING_S)
        left, lines = deliver(outbox, self._request.setup.channels, until_ping, time.sleep, remember)
        if tuple(left) != self._keeper.state.outbox:
            remember(left)
        return lines

    def _ping(self, signal: str, body: str) -> None:
        """Tell the outside watcher; its absence is its alarm, so a failure is not ours to report."""
        channel = self._request.setup.ping
        if channel is None or self._request.is_dry:
            return
        for earlier in self._pings:
            earlier.join(_PING_S)  # an end that comes before its start would be taken for two runs
        # Always tried, even when the alerts have used up the run's time: a ping that is missing is an alarm.
        timeout_s = _PING_S

        def send() -> None:
            assert isinstance(channel.options, ping.PingOptions)
            try:
                ping.send(signal, body, channel.options, channel.credentials, timeout_s)
            except DeliveryError:
                return

        thread = threading.Thread(target=send, name="ping", daemon=True)
        thread.start()
        self._pings.append(thread)
        if signal != "start":
            thread.join(timeout_s)


def _summary(outcomes: Sequence[Outcome]) -> str:
    return "\n".join(f"{outcome.id}: {outcome.status}: {outcome.message}" for outcome in outcomes)
