"""Which checks does this run ask, for what, and in which order?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from mailmon.checks import ACCOUNT_CHECKS, ROUTE_CHECKS
from mailmon.checks.subjects import Account, Route
from mailmon.checks.tools import Tools
from mailmon.clients.server import Server
from mailmon.errors import ConfigError
from mailmon.model import Fact


class Step(NamedTuple):
    """One check for one subject. It waits for `after`, and is skipped when one of `needs` did not succeed."""

    id: str
    check: str
    name: str
    label: str
    ask: Callable[[Tools], Iterable[Fact]]
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    # The names by which it can be silenced: what it is asked for, and the accounts that take part in it.
    names: tuple[str, ...] = ()
    target: str = ""


class Plan(NamedTuple):
    """The steps in the order in which they are told, and the routes whose probes are sent."""

    steps: tuple[Step, ...]
    routes: tuple[Route, ...]
    is_complete: bool


def make_plan(accounts: Mapping[str, Account], routes: Mapping[str, Route], names: Collection[str]) -> Plan:
    """Plan a run for these accounts and routes, for all without names. Raises ConfigError for an unknown name."""
    unknown = [name for name in names if name not in accounts and name not in routes]
    if unknown:
        known = ", ".join(sorted({*accounts, *routes}))
        raise ConfigError("check", [f"there is no account or route {name!r}; there are: {known}" for name in unknown])
    asked_routes = [route for route in routes.values() if not names or route.name in names]
    ends = {account.name for route in asked_routes for account in (route.sender, route.reader)}
    asked_accounts = [a for a in accounts.values() if not names or a.name in names or a.name in ends]
    steps = [*_account_steps(asked_accounts), *_route_steps(asked_routes)]
    return Plan(tuple(steps), tuple(asked_routes), not names)


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
            target=server.target,
        )
        for account in listed
        for check in ACCOUNT_CHECKS
        if (server := _server_of(check.name, account)) is not None
    ]


def _server_of(check: str, account: Account) -> Server | None:
    """Return the server that a check of an account asks, None where there is nothing to ask."""
    if check == "bounces" and account.bounces is None:
        return None
    return account.smtp if check == "smtp_auth" else account.imap


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
        )
        for route in routes
        for check in ROUTE_CHECKS
    ]


def _step_id(need: str, route: Route) -> str:
    check, _, role = need.partition(":")
    names = {"sender": route.sender.name, "reader": route.reader.name, "route": route.name}
    return f"{check}:{names[role]}"
