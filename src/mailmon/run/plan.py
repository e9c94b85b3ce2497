"""Which checks does this run ask, for what, and in which order?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from mailmon.checks import ACCOUNT_CHECKS, HOST_CHECKS, ROUTE_CHECKS
from mailmon.checks.context import RunContext
from mailmon.checks.targets import Account, Host, Route
from mailmon.errors import UnknownNameError
from mailmon.model import CheckState, Fact, Health

# A timer is never on the second; and of what is not well the end is told within the hour.
SLACK_S, RECHECK_S = 60.0, 3600.0
_OF_ROUTES = frozenset(check.name for check in ROUTE_CHECKS)
_OF_ACCOUNTS = frozenset(check.name for check in ACCOUNT_CHECKS)


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
    """The steps in the order in which they are told, and the routes whose probes are sent.

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
    hosts: Mapping[str, Collection[Host]] = MappingProxyType({}),
) -> Plan:
    """Plan a run for what is named, for all without names. Raises UnknownNameError."""
    host_names = {host.name for listed in hosts.values() for host in listed}
    known = {*accounts, *routes, *host_names}
    unknown = [name for name in names if name not in known]
    if unknown:
        there = ", ".join(sorted(known))
        said = [f"there is no account or route {name!r}; there are: {there}" for name in unknown]
        raise UnknownNameError("\n".join(said))
    asked_routes = [route for route in routes.values() if not names or route.name in names]
    ends = {account.name for route in asked_routes for account in (route.sender, route.reader)}
    asked_accounts = [a for a in accounts.values() if not names or a.name in names or a.name in ends]
    steps = [*_account_steps(asked_accounts), *_route_steps(asked_routes), *_host_steps(hosts, names)]
    return Plan(tuple(steps), tuple(asked_routes), not names)


def only_due(plan: Plan, checks: Mapping[str, CheckState], now: datetime) -> Plan:
    """Leave for later what was asked within its interval; what somebody asks for by name is always due."""
    if not plan.is_complete:
        return plan
    not_due = {step.id for step in plan.steps if step.interval_s and not _is_due(step, checks, now)}
    routes = [route for route in plan.routes if f"receive:{route.name}" not in not_due]
    waiting = {route.name for route in plan.routes} - {route.name for route in routes}
    idle = _idle_accounts(plan.routes, routes)
    later = frozenset(
        step.id
        for step in plan.steps
        if step.id in not_due or (step.check in _OF_ROUTES and step.name in waiting) or _is_idle(step, idle)
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
    return step.check in _OF_ACCOUNTS and step.name in idle


def _is_due(step: Step, checks: Mapping[str, CheckState], now: datetime) -> bool:
    """Say whether it is time again; what is not well is asked more often, so that its end is told soon."""
    check_state = checks.get(step.id)
    if check_state is None or check_state.checked_at is None or check_state.checked_at > now:
        return True
    interval_s = step.interval_s if check_state.health is Health.UP else min(step.interval_s, RECHECK_S)
    return (now - check_state.checked_at).total_seconds() >= interval_s - SLACK_S


def _host_steps(hosts: Mapping[str, Collection[Host]], names: Collection[str]) -> list[Step]:
    return [
        Step(
            f"{check.name}:{host.name}",
            check.name,
            host.name,
            check.label,
            lambda tools, check=check, host=host: check.ask(tools, host),  # type: ignore[misc]
            names=(host.name,),
            target=host.name,
            interval_s=host.interval_s,
        )
        for check in HOST_CHECKS
        for host in hosts.get(check.name, ())
        if not names or host.name in names
    ]


def _account_steps(accounts: Iterable[Account]) -> list[Step]:
    listed = list(accounts)
    return [
        Step(
            f"{check.name}:{account.name}",
            check.name,
            account.name,
            check.label,
            lambda tools, check=check, account=account: check.ask(tools, account),  # type: ignore[misc]
            tuple(need.replace(":account", f":{account.name}") for need in check.needs),
            names=(account.name,),
            target=target,
            accounts=(account.name,),
            interval_s=check.interval_s(account),
        )
        for account in listed
        for check in ACCOUNT_CHECKS
        if (target := check.target(account)) is not None
    ]


def _route_steps(routes: Iterable[Route]) -> list[Step]:
    return [
        Step(
            f"{check.name}:{route.name}",
            check.name,
            route.name,
            check.label,
            lambda tools, check=check, route=route: check.ask(tools, route),  # type: ignore[misc]
            tuple(_step_id(need, route) for need in check.needs),
            tuple(_step_id(need, route) for need in check.after),
            tuple(dict.fromkeys((route.name, route.sender.name, route.reader.name))),
            route.target,
            (route.sender.name, route.reader.name),
            # The others follow it: what arrived is what counts.
            route.interval_s if check.name == "receive" else 0.0,
        )
        for route in routes
        for check in ROUTE_CHECKS
    ]


def _step_id(need: str, route: Route) -> str:
    check, _, role = need.partition(":")
    names = {"sender": route.sender.name, "reader": route.reader.name, "route": route.name}
    return f"{route.reader.reads_by if check == 'mailbox' else check}:{names[role]}"
