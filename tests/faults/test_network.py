"""Faults of our own side are announced as such, and only those."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults import faults as f
from tests.faults import network as n
from tests.faults.dsl import Run, Scenario, again, pending, quiet, sent
from tests.faults.runner import Runner, assert_correct, parameters
from tests.full import sample

DOWN: dict[str, Any] = {"channels": "down"}
BY_NAME: dict[str, Any] = {"form": "full", "setup": n.named}
ONE_HOST: dict[str, Any] = {"form": "full", "setup": n.one_host_for_all, "needs": (n.NAMESPACES,)}

TWO_HOSTS: dict[str, Any] = {**ONE_HOST, "setup": n.names_elsewhere}
ALONE: dict[str, Any] = {**ONE_HOST, "setup": n.one_host_without_a_way_out}


def _no_network_for(count: int) -> Scenario:
    runs = [Run(n.no_network, expect=pending("problem"), exit_code=69 if number >= 2 else 75, **DOWN)
            for number in range(count)]  # fmt: skip
    return Scenario(
        f"no network for {count} runs", [Run(), *runs, Run(expect=sent("merged")), Run()], needs=(n.NAMESPACES,)
    )


SCENARIOS = [
    *[_no_network_for(count) for count in sample((1, 2, 4), 2)],
    Scenario("no network, by ntfy", [Run(), *again(2, n.no_network, **DOWN), Run(expect=sent("recovery")), Run()],
            channels=("ntfy",), needs=(n.NAMESPACES,)),
    Scenario("no network while mail is down", [
        Run(), Run(f.smtp_refuses), *again(2, n.no_network, **DOWN), Run(f.smtp_refuses, expect=sent("merged")),
        Run(expect=sent("recovery")), Run(),
    ], needs=(n.NAMESPACES,)),
    Scenario("mail is corrected while there is no network", [
        Run(), Run(f.smtp_refuses), Run(n.no_network, **DOWN), Run(expect=sent("merged")), Run(),
    ], needs=(n.NAMESPACES,)),
    Scenario("mail fails while there is no network", [
        Run(), Run(n.no_network, **DOWN), Run(f.loses_mail, expect=sent("problem")), Run(), Run(),
    ], needs=(n.NAMESPACES,)),
    Scenario("an alert waits, then there is no network", [
        Run(), Run(f.loses_mail, **DOWN), Run(n.no_network, **DOWN), Run(f.loses_mail, expect=sent("problem")), Run(),
    ], needs=(n.NAMESPACES,)),
    Scenario("no network does not count as a good run, nor as a failed one", [
        Run(), Run(f.loses_mail, expect=quiet), Run(n.no_network, **DOWN), Run(f.loses_mail, expect=sent("problem")),
        Run(),
    ], "full", needs=(n.NAMESPACES,)),
    Scenario("no network from the very first run", [
        *again(2, n.no_network, **DOWN), Run(expect=sent("merged")), Run(),
    ], needs=(n.NAMESPACES,)),
    Scenario("the network comes and goes", [
        Run(), *[run for _ in range(3) for run in (Run(n.no_network, **DOWN), Run())], Run(),
    ], needs=(n.NAMESPACES,)),
    Scenario("the resolver is dead", [
        Run(), Run(n.resolver_dead, expect=sent("problem"), exit_code=75), Run(n.resolver_dead, expect=quiet),
        Run(expect=sent("recovery")), Run(),
    ], **BY_NAME),
    Scenario("the resolver cannot tell", [
        Run(), Run(n.resolver_fails, expect=sent("problem")), Run(n.resolver_fails, expect=quiet),
        Run(expect=sent("recovery")),
    ], **BY_NAME),
    Scenario("the resolver says that there is no such host", [
        Run(), *again(2, n.resolver_denies), Run(expect=sent("recovery")), Run(),
    ], **BY_NAME),
    Scenario("the resolver names a wrong address", [
        Run(), *again(2, n.resolver_lies), Run(expect=sent("recovery")), Run(),
    ], **BY_NAME),
    Scenario("the resolver lies, dies and is well again", [
        Run(), Run(n.resolver_lies), Run(n.resolver_dead), Run(n.resolver_denies), Run(), Run(),
    ], **BY_NAME),
    Scenario("the host is dead that runs mail, names and the channel", [
        Run(n.all_well), *again(2, n.host_dead, expect=pending("problem"), exit_code=1, **DOWN),
        Run(n.all_well, expect=sent("merged")), Run(n.all_well),
    ], **ONE_HOST),
    Scenario("it comes back with a fault", [
        Run(n.all_well), Run(n.host_dead, **DOWN), Run(n.all_well, f.smtp_refuses), Run(n.all_well),
    ], **ONE_HOST),
    Scenario("the mail host is dead, names are elsewhere", [
        Run(n.all_well), Run(n.host_dead, **DOWN), Run(n.all_well, expect=sent("merged")), Run(n.all_well),
    ], **TWO_HOSTS),
    *[Scenario(f"{fault.name}{where}", [
        Run(n.all_well), *again(2, fault, expect=pending("problem"), exit_code=75, **DOWN),
        Run(n.all_well, expect=sent("merged")), Run(n.all_well),
    ], **hosts)
      for fault in (n.router_dead, n.cable_out)
      for where, hosts in ((", names are elsewhere", TWO_HOSTS), (", names are on the mail host", ONE_HOST))],
    Scenario("the host is dead that runs mail and names, in a network without a way out", [
        Run(n.all_well), *again(2, n.host_dead, expect=pending("problem"), exit_code=1, **DOWN),
        Run(n.all_well, expect=sent("merged")), Run(n.all_well),
    ], **ALONE),
]  # fmt: skip


@pytest.mark.parametrize("scenario", parameters(SCENARIOS))
def test_our_own_trouble_is_not_the_servers(scenario: Scenario, runner: Runner) -> None:
    assert_correct(runner.result_of(scenario))
