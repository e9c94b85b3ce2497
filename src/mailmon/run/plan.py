"""The plan of a run: its steps, in their order, and which of them are due."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from mailmon.checks import CHECKS
from mailmon.checks.check import AccountCheck, HostCheck, RouteCheck, Target
from mailmon.checks.context import RunContext
from mailmon.checks.options import CheckOptions
from mailmon.checks.targets import Account, Route
from mailmon.errors import UnknownNameError
from mailmon.model import CheckState, Fact, Health

# A timer is never on the second; and a recovery is noticed within the hour.
SLACK_S, RECHECK_S = 60.0, 3600.0


class Step(NamedTuple):
    """One check for one subject. It waits for `after`, and is skipped when one of `needs` did not succeed."""

    id: str
    check: str
    name: str
    label: str
    ask: Callable[[RunContext], Iterable[Fact]]
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    # The names by which it can be silenced: what it is asked for, and the accounts that take part in it.
    names: tuple[str, ...] = ()
    target: str = ""
    # The accounts whose connections it uses.
    accounts: tuple[str, ...] = ()
    # So many seconds pass between two times that it is asked, 0: it is asked in every run.
    interval_s: float = 0.0


class Plan(NamedTuple):
    """The steps in the order in which they are reported, and the routes whose probes are sent.

    `later` are the ids of steps that are not due yet: nothing is asked, nothing forgotten.
    """

    steps: tuple[Step, ...]
    routes: tuple[Route, ...]
    is_complete: bool
    later: frozenset[str] = frozenset()


def make_plan(
    accounts: Mapping[str, Account],
    routes: Mapping[str, Route],
    names: Collection[str],
    hosts: Mapping[str, Collection[Target]] = MappingProxyType({}),
    checks: Mapping[str, CheckOptions] | None = None,
) -> Plan:
    """Plan a run for what is named, for all without names. Raises UnknownNameError.

    `hosts` are the targets of checks with a list of their own; `checks` the options of the checks in use, by default
    those of all checks, with their defaults.
    """
    host_names = {host.name for listed in hosts.values() for host in listed}
    known = {*accounts, *routes, *host_names}
    unknown = [name for name in names if name not in known]
    if unknown:
        there = ", ".join(sorted(known))
        said = [f"unknown account or route {name!r} (defined: {there})" for name in unknown]
        raise UnknownNameError("\n".join(said))
    asked_routes = [route for route in routes.values() if not names or route.name in names]
    ends = {account.name for route in asked_routes for account in (route.sender, route.reader)}
    asked_accounts = [a for a in accounts.values() if not names or a.name in names or a.name in ends]
    used = {name: CHECKS[name].options() for name in CHECKS} if checks is None else checks
    steps = [*_account_steps(asked_accounts, used), *_route_steps(asked_routes, used), *_host_steps(hosts, names)]
    return Plan(tuple(steps), tuple(asked_routes), not names)


def only_due(plan: Plan, checks: Mapping[str, CheckState], now: datetime) -> Plan:
    """Keep the steps that are due; what is requested by name is always due."""
    if not plan.is_complete:
        return plan
    not_due = {step.id for step in plan.steps if step.interval_s and not _is_due(step, checks, now)}
    routes = [route for route in plan.routes if f"receive:{route.name}" not in not_due]
    waiting = {route.name for route in plan.routes} - {route.name for route in routes}
    idle = _idle_accounts(plan.routes, routes)
    later = frozenset(
        step.id
        for step in plan.steps
        if step.id in not_due or (CHECKS.kind(step.check) == "route" and step.name in waiting) or _is_idle(step, idle)
    )
    return plan._replace(
        steps=tuple(step for step in plan.steps if step.id not in later), later=later, routes=tuple(routes)
    )


def _idle_accounts(all_routes: Iterable[Route], due: Iterable[Route]) -> frozenset[str]:
    """Return the accounts that are there for routes only of which none is due: nobody need log in."""
    everyone, needed = (
        {account.name for route in routes for account in (route.sender, route.reader)} for routes in (all_routes, due)
    )
    keeps_on = {a.name for route in all_routes for a in (route.sender, route.reader) if a.bounces}
    return frozenset(everyone - needed - keeps_on)


def _is_idle(step: Step, idle: Collection[str]) -> bool:
    return CHECKS.kind(step.check) == "account" and step.name in idle


def _is_due(step: Step, checks: Mapping[str, CheckState], now: datetime) -> bool:
    check_state = checks.get(step.id)
    if check_state is None or check_state.checked_at is None or check_state.checked_at > now:
        return True
    return (now - check_state.checked_at).total_seconds() >= interval_of(step, check_state.health) - SLACK_S


def interval_of(step: Step, health: Health) -> float:
    """Return the seconds between two checks; what is not healthy is checked more often, to notice its recovery soon."""
    return step.interval_s if health is Health.UP else min(step.interval_s, RECHECK_S)


def _host_steps(hosts: Mapping[str, Collection[Target]], names: Collection[str]) -> list[Step]:
    return [
        Step(
            f"{check.name}:{host.name}",
            check.name,
            host.name,
            check.label,
            lambda context, run=check.run, host=host: run(context, host),  # type: ignore[misc]
            names=(host.name,),
            target=host.name,
            interval_s=host.interval_s,
        )
        for check in map(CHECKS.__getitem__, hosts)
        if isinstance(check, HostCheck)
        for host in hosts[check.name]
        if not names or host.name in names
    ]


def _account_steps(accounts: Iterable[Account], used: Mapping[str, CheckOptions]) -> list[Step]:
    checks = [check for name in used if isinstance(check := CHECKS[name], AccountCheck)]
    return [
        Step(
            f"{check.name}:{account.name}",
            check.name,
            account.name,
            check.label,
            lambda context, run=check.run, account=account, options=used[check.name]: run(context, account, options),  # type: ignore[misc]
            tuple(need.replace(":account", f":{account.name}") for need in check.needs),
            names=(account.name,),
            target=server,
            accounts=(account.name,),
            interval_s=check.interval_s(account),
        )
        for account in accounts
        for check in checks
        if (server := check.server(account)) is not None
    ]


def _route_steps(routes: Iterable[Route], used: Mapping[str, CheckOptions]) -> list[Step]:
    checks = [check for name in used if isinstance(check := CHECKS[name], RouteCheck)]
    return [
        Step(
            f"{check.name}:{route.name}",
            check.name,
            route.name,
            check.label,
            lambda context, run=check.run, route=route, options=used[check.name]: run(context, route, options),  # type: ignore[misc]
            tuple(_step_id(need, route) for need in check.needs),
            tuple(_step_id(need, route) for need in check.after),
            tuple(dict.fromkeys((route.name, route.sender.name, route.reader.name))),
            route.target,
            (route.sender.name, route.reader.name),
            check.interval_s(route),
        )
        for route in routes
        for check in checks
    ]


def _step_id(need: str, route: Route) -> str:
    check, _, role = need.partition(":")
    names = {"sender": route.sender.name, "reader": route.reader.name, "route": route.name}
    return f"{route.reader.reads_by if check == 'mailbox' else check}:{names[role]}"
