"""A domain with many MX hosts, or with none that has an address: all are looked up, and what is passed over is said."""

from __future__ import annotations

import pytest

from mailmon.clients.records import Records
from mailmon.diagnose import targets
from mailmon.diagnose.plan import MAX_MX, Options, kinds_for
from mailmon.diagnose.run import Request
from mailmon.diagnose.targets import Plan
from mailmon.model.facts import Severity, Verdict
from tests.domain.nameserver import serving, zone_of


def plan(count: int, *gone: int) -> Plan:
    """Plan for a domain with so many MX hosts, of which some have no address."""
    lines = [f"@ MX {number}0 m{number}" for number in range(1, count + 1)]
    lines += [f"m{number} A 9.9.9.{number}" for number in range(1, count + 1) if number not in gone]
    with serving([zone_of("firm.example", "\n".join(lines))]) as server:
        nameservers = (("127.0.0.1", server.port),)
        request = Request("firm.example", tuple(kinds_for(("25",), None)), True, nameservers)
        return targets.find(request, Records(nameservers, 2.0), Options())


def failed(found: Plan) -> list[tuple[str, Severity | None]]:
    return [(one.message, one.severity) for one in found.findings if one.status is Verdict.FAIL]


def test_a_host_without_an_address_is_told_wherever_it_stands_in_the_list() -> None:
    found = plan(7, 6, 7)
    assert failed(found) == [
        (f"firm.example: the MX host m{number}.firm.example has no address", Severity.ERROR) for number in (6, 7)
    ]
    assert (len(found.endpoints), found.notes) == (5, ())


def test_hosts_that_are_not_connected_to_are_named() -> None:
    found = plan(12, 3)
    assert len({one.host for one in found.endpoints}) == MAX_MX
    names = ", ".join(f"m{number}.firm.example" for number in range(7, 13))
    assert found.notes == (f"6 more MX hosts were not connected to: {names}",)


@pytest.mark.parametrize(("count", "severity"), [(1, Severity.CRITICAL), (3, Severity.CRITICAL)])
def test_where_no_mx_host_has_an_address_no_mail_gets_there(count: int, severity: Severity) -> None:
    found = failed(plan(count, *range(1, count + 1)))
    assert [one for _, one in found] == [severity] * count
