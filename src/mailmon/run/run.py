"""One run from beginning to end: read the state, execute the steps, evaluate, save, deliver, save again.

The state is on disk before the first byte leaves (with the probes that are about to be sent), before the first alert
is tried, and after every acknowledgement: a crash at any moment loses no alert and tears no file.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import NamedTuple

from mailmon import __version__
from mailmon.alerting import overall
from mailmon.checks.check import has_no_reply
from mailmon.checks.context import RunContext, RunEnvironment
from mailmon.clients.deadline import Deadline
from mailmon.clients.resolver import RememberingResolve, resolver_for
from mailmon.clients.wire import Record
from mailmon.clock import jump, read_anchor, steady
from mailmon.config import Setup
from mailmon.config.setup import STATE_AND_ALERTS_S
from mailmon.domain.changes import Changes
from mailmon.errors import DeliveryError, StuckLockError
from mailmon.mail.probe.ledger import Ledger
from mailmon.mail.probe.probe import make_token
from mailmon.model import AlertSubject, Anchor, CheckState, Health, Outcome, Probe
from mailmon.model.run import LastRun, RunResult
from mailmon.outputs.heartbeat import Heartbeat
from mailmon.outputs.output import DEADLINE_S as OUTPUT_S
from mailmon.outputs.output import Delivered, Output, Outputs
from mailmon.outputs.ping import Ping
from mailmon.run.certificates import with_certificates, without_certificates
from mailmon.run.delivery import DeliveryContext
from mailmon.run.dispatch import Dispatch, Evaluated
from mailmon.run.execute import execute, labels_of
from mailmon.run.network import Checked, check_network
from mailmon.run.plan import Plan, make_plan, only_due
from mailmon.run.retention import hosts_of, newest, with_notes, without_removed
from mailmon.run.subjects import CHANNEL, NETWORK, PING, UNIT, ping_outcome, ping_subject, subjects_of, unit_outcome
from mailmon.run.workers import Callbacks, Progress
from mailmon.store.belonging import settle
from mailmon.store.files import make_directory
from mailmon.store.keeper import Keeper
from mailmon.store.lock import Lock
from mailmon.store.silences import active, read_silences, silenced_until
from mailmon.text import format_duration
from mailmon.typedjson.convert import shifted

# At least so long is left for an alert on the ping, however late it is.
ALERT_S = 5.0


class Request(NamedTuple):
    """One run as asked for.

    `on_done` gets each outcome as it ends, with its label, `on_progress` every second how far the run is; `outputs` get
    the result beside those that are configured.
    """

    setup: Setup
    now: Callable[[], datetime]
    names: Collection[str] = ()
    is_all: bool = False
    is_dry: bool = False
    record: Record | None = None
    on_done: Callable[[Outcome, str], None] = lambda _outcome, _label: None
    on_progress: Callable[[Progress], None] | None = None
    anchor: Callable[[datetime], Anchor] = read_anchor
    outputs: Sequence[Output] = ()


def run(request: Request) -> RunResult:
    """Run one full cycle. Raises LockHeldError, StateError, ConfigError; what servers do is in the report."""
    plan = _plan(request.setup, request.names)
    state_file = request.setup.state_file
    has_no_state = request.is_dry and not state_file.parent.is_dir()
    if not has_no_state:
        make_directory(state_file.parent)
    now = request.now()
    _settle(request, now)
    lock = Lock(state_file, now, request.setup.deadline_s, read_anchor(now).boot_id)
    try:
        with nullcontext() if has_no_state else lock:
            return _Run(request, plan).go()
    except StuckLockError as exc:
        if not request.is_dry:
            from mailmon.run.own_failures import alert_stuck

            _outputs(request, plan).fail(exc.exit_code, exc.message)
            alert_stuck(request.setup, exc, now)
        raise


def _plan(setup: Setup, names: Collection[str]) -> Plan:
    return make_plan(setup.accounts, setup.routes, names, setup.hosts, setup.checks)


def _outputs(request: Request, plan: Plan) -> Outputs:
    """Return what gets the result. Only complete runs count: one of a part must not end an alarm about the whole."""
    if not plan.is_complete or request.is_dry:
        return Outputs(())
    setup = request.setup
    heartbeats = [Heartbeat(setup.heartbeat_file)] if setup.heartbeat_file else []
    pings = [Ping(setup.ping)] if setup.ping else []
    return Outputs((*heartbeats, *pings, *request.outputs))


def _settle(request: Request, now: datetime) -> None:
    """Note in the first run of a configuration whose state it is, once it has taken over what there was of it."""
    place = request.setup.place
    if place and not place.is_settled and not request.is_dry:
        from mailmon.run.inherit import take_over

        if take_over(request.setup, now):
            settle(place)


class _Run:
    """One run under its lock."""

    def __init__(self, request: Request, plan: Plan) -> None:
        self._request = request
        self._setup = request.setup
        self._started_at = request.now()
        self._now = steady(self._started_at)
        self._deadline = Deadline(self._setup.deadline_s)
        self._keeper = Keeper(self._setup.state_file, self._started_at, is_dry=request.is_dry)
        place = self._setup.place
        if place and not place.is_settled and (request.is_dry or place.state_file != place.shared):
            from mailmon.run.inherit import preview

            self._keeper.state = preview(self._setup, self._keeper.state, self._started_at)
        self._take_over_announced()
        self._warnings = [*self._setup.warnings, *self._keeper.warnings]
        self._follow_the_clock()
        self._plan = plan if request.is_all else only_due(plan, self._keeper.state.checks, self._started_at)
        self._ledger = Ledger(self._keeper.state.probes)
        self._changes = Changes(self._keeper.state.records)
        self._resolve = RememberingResolve(resolver_for(self._setup.nameservers))
        self._outputs = _outputs(request, plan)
        self._unprinted: list[Outcome] = []
        # Of all configured steps: the text of a step must not depend on how many are requested.
        self._all_steps = _plan(self._setup, ()).steps
        self._labels = labels_of(self._all_steps)
        self._run_id = f"{self._started_at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"

    def go(self) -> RunResult:
        started_s = time.monotonic()
        self._outputs.begin()
        seen = self._check_network(self._execute())
        status = overall([outcome.status for outcome in seen.steps])
        finished_at = self._now()
        dispatch = self._dispatch()
        evaluated = self._evaluate(seen, dispatch)
        before = self._keeper.state
        last_run = LastRun(self._run_id, self._started_at, finished_at, status)
        self._keeper.save(
            checks=evaluated.state.checks,
            probes=self._ledger.remaining(),
            outbox=evaluated.state.outbox,
            last_run=last_run if self._plan.is_complete else before.last_run,
            anchor=self._request.anchor(self._now()),
            addresses=newest(hosts_of(self._setup.accounts.values()), before.addresses, self._resolve.known),
            records=self._changes.remaining(self._domains()),
            selectors=newest(self._domains(), before.selectors, self._ledger.selectors()),
        )
        alerts, of_channels = ([], ()) if self._request.is_dry else dispatch.send(self._keeper)
        report = RunResult(
            run_id=self._run_id,
            started_at=self._started_at,
            finished_at=finished_at,
            duration_s=time.monotonic() - started_s,
            status=status,
            steps=seen.steps,
            changes=tuple(change for change in (*evaluated.changes, *of_channels) if change.before is not change.after),
            alerts=tuple(alerts),
            previews=dispatch.previews(evaluated) if self._request.is_dry else (),
            state_error=self._keeper.error,
            may_repeat=self._keeper.may_repeat,
            warnings=tuple(self._warnings),
            quiet=evaluated.quiet,
            not_due=self._not_due(),
        )
        return self._hand_out(report, dispatch, is_offline=seen.is_offline)

    def _hand_out(self, report: RunResult, dispatch: Dispatch, *, is_offline: bool) -> RunResult:
        """Hand the result to the outputs, and return it with their problems."""
        for delivered in self._outputs.end(report):
            report = self._report_output(delivered, report, dispatch, is_offline=is_offline)
        return report

    def _not_due(self) -> dict[str, CheckState]:
        """Return the states of the steps that are not healthy and not due, by their labels."""
        states = self._keeper.state.checks
        steps = [step for step in self._all_steps if step.id in self._plan.later and step.id in states]
        labels = labels_of(steps, always_named=True)
        return {labels[step.id]: states[step.id] for step in steps if states[step.id].health.is_problem}

    def _report_output(
        self, delivered: Delivered, report: RunResult, dispatch: Dispatch, *, is_offline: bool
    ) -> RunResult:
        """Return the result with the problem of an output: as a warning, or also as an alert."""
        error = delivered.error
        if delivered.output.is_monitored:
            refusal = error if error is None or isinstance(error, DeliveryError) else DeliveryError(error.message)
            return self._alert_on_ping(refusal, report, dispatch, is_offline=is_offline)
        return report._replace(warnings=(*report.warnings, error.message)) if error else report

    def _alert_on_ping(
        self, refusal: DeliveryError | None, report: RunResult, dispatch: Dispatch, *, is_offline: bool
    ) -> RunResult:
        """Alert on a URL that does not take our pings: its service was never pinged and never alarms."""
        known = self._keeper.state.checks.get(PING)
        is_no_news = refusal is None and (known is None or known.health is Health.UP)
        if is_no_news or (is_offline and refusal and not refusal.is_permanent):
            return report
        context = dispatch.context
        if context.deadline.remaining_s() < ALERT_S:
            dispatch = dispatch._replace(context=context._replace(deadline=Deadline(ALERT_S)))
        outcome, subject = ping_outcome(refusal), ping_subject(refusal)
        lines, changes = dispatch.send_more(self._keeper, outcome, subject, report.alerts)
        changes = tuple(change for change in changes if change.before is not change.after)
        report = report._replace(changes=(*report.changes, *changes), alerts=(*report.alerts, *lines))
        if refusal and self._keeper.state.checks[PING].health is Health.DOWN:
            said = f"{refusal.message.removesuffix('.')}. {refusal.advice}".strip()
            report = report._replace(warnings=(*report.warnings, said))
        return report._replace(state_error=self._keeper.error, may_repeat=self._keeper.may_repeat)

    def _take_over_announced(self) -> None:
        """Take over what was announced while another run hung and held the lock."""
        state_file = self._setup.state_file
        if state_file.with_name(f"{state_file.name}.stuck").exists() and not self._request.is_dry:
            from mailmon.run.own_failures import forget_announced, with_announced

            self._keeper.save(checks=with_announced(state_file, self._keeper.state).checks)
            if not self._keeper.error:
                forget_announced(state_file)

    def _follow_the_clock(self) -> None:
        """Move stored times along with a clock that was set, so that ages stay the same."""
        state = self._keeper.state
        moved = jump(state.anchor, self._request.anchor(self._started_at))
        if not moved:
            return
        try:
            self._keeper.state = shifted(state, moved)
        except OverflowError:
            return
        way = "forward" if moved > timedelta() else "back"
        by = format_duration(abs(moved).total_seconds())
        self._warnings.append(f"the clock was set {way} by {by} since the last run; remembered times moved along")

    def _execute(self) -> list[Outcome]:
        """Plan the probes, save them, and execute all steps."""
        self._ledger.forget(self._started_at)
        for route in self._plan.routes:
            if not (route.patience_s and self._ledger.resume(route.name)):
                token = make_token(secrets.token_bytes(16))
                ends = (route.name, route.sender.address, route.recipient, route.reader.name)
                self._ledger.plan(Probe(token, *ends, planned_at=self._started_at))
            # The cleanup of another route in the same mailbox must not take away what was not looked at.
            if route.expected or route.junk_folders:
                self._ledger.reserve(self._ledger.current(route.name).token)
        self._keeper.save(probes=self._ledger.planned())
        context = RunContext(self._environment(), self._ledger, self._setup.accounts.values())
        try:
            callbacks = Callbacks(self._print, self._request.on_progress)
            return execute(self._plan.steps, context, callbacks, self._setup.limits)
        finally:
            context.close()

    def _print(self, outcome: Outcome) -> None:
        """Print an outcome; one that may turn out to be our own problem waits, with all that follow it."""
        if self._unprinted or has_no_reply(outcome):
            self._unprinted.append(outcome)
        else:
            self._request.on_done(outcome, self._labels[outcome.id])

    def _check_network(self, outcomes: Sequence[Outcome]) -> Checked:
        """Find out whether missing replies are our own problem, and print what was not printed yet."""
        seen = check_network(outcomes, self._setup, self._keeper.state, self._resolve, self._deadline)
        steps = {outcome.id: outcome for outcome in seen.steps}
        for outcome in self._unprinted:
            self._request.on_done(steps[outcome.id], self._labels[outcome.id])
        seen = with_certificates(seen, self._keeper.state.checks)
        for outcome in seen.steps[len(steps) :]:
            self._request.on_done(outcome, f"Certificate ({outcome.name})")
        return seen

    def _environment(self) -> RunEnvironment:
        setup = self._setup
        key = self._keeper.signing_key()
        self._keeper.remember_checked(setup.document, key)
        return RunEnvironment(
            now=self._now,
            sleep=time.sleep,
            deadline=Deadline(setup.deadline_s - STATE_AND_ALERTS_S),
            resolve=self._resolve,
            key=key,
            version=__version__,
            nameservers=tuple(setup.nameservers),
            notices=setup.notices,
            is_dry=self._request.is_dry,
            record=self._request.record,
            run_id=self._run_id,
            state_file=setup.state_file,
            changes=self._changes,
            selectors=self._keeper.state.selectors,
        )

    def _dispatch(self) -> Dispatch:
        """Read the silences as late as can be: one that began during the run counts."""
        silences, problem = read_silences(self._setup.state_file, self._request.anchor(self._now()))
        self._warnings += [problem] if problem else []
        silenced = silenced_until(active(silences, self._now()))
        until_ping = Deadline(self._deadline.remaining_s() - OUTPUT_S)
        context = DeliveryContext(self._setup.channels, until_ping, time.sleep, self._started_at)
        return Dispatch(self._run_id, self._started_at, context, silenced, self._subjects)

    def _subjects(self, ids: Collection[str]) -> dict[str, AlertSubject]:
        """Return the subjects of what is in the state: all configured steps, and what is no step."""
        steps = {step.id for step in self._all_steps}
        own = [step_id for step_id in ids if step_id not in steps]
        return subjects_of(self._all_steps, self._all_steps, self._setup.policies, own)

    def _evaluate(self, seen: Checked, dispatch: Dispatch) -> Evaluated:
        state = self._keeper.state
        # A run whose state cannot be written has not come to its end.
        is_whole = self._plan.is_complete and not self._keeper.error
        units = [step_id for step_id in state.checks if step_id.startswith(UNIT)] if is_whole else []
        ended = [unit_outcome(unit.removeprefix(UNIT), "OK", is_failed=False) for unit in units]
        own = [*units, *(outcome.id for outcome in seen.own)]
        subjects = subjects_of(self._plan.steps, self._all_steps, self._setup.policies, own)
        evaluated = dispatch.evaluate(
            state,
            [*seen.own, *without_certificates(seen.steps), *ended],
            subjects,
            is_offline=seen.is_offline,
            annotate=lambda change: with_notes(change, seen.steps, self._ledger.remaining()),
        )
        return without_removed(evaluated, self._configured(), self._started_at) if self._plan.is_complete else evaluated

    def _configured(self) -> set[str]:
        """Return the ids of all steps that are asked in this run or a later one."""
        planned = {step.id for step in self._plan.steps} | self._plan.later
        pings = {PING} if self._setup.ping else set()
        return {*planned, NETWORK, *pings, *(CHANNEL + name for name in self._setup.channels)}

    def _domains(self) -> set[str]:
        return {host.name for host in self._setup.hosts.get("dns", ())}
