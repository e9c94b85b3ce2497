"""Each domain gets exactly the findings that fail or are unknown."""

from __future__ import annotations

import pytest

from mailmon.domain.options import Options
from mailmon.domain.survey import survey
from mailmon.model.dns import Survey
from mailmon.model.findings import Severity, Verdict
from tests.domain.cases import Case, zones_of
from tests.domain.cases_healthy import HEALTHY
from tests.domain.cases_policies import DKIM, DMARC, SPF, TLS
from tests.domain.cases_routing import ROUTING
from tests.domain.nameserver import serving

CASES = (*HEALTHY, *ROUTING, *SPF, *DKIM, *DMARC, *TLS)
WORSE = (Severity.CRITICAL, Severity.ERROR, Severity.WARNING)


def look(case: Case) -> Survey:
    with serving(zones_of(case), case.faults) as server:
        options = Options(
            (("127.0.0.1", server.port),),
            1.0,
            20.0,
            connects=False,
            selectors=case.selectors,
            own_addresses=case.own_addresses,
        )
        return survey(case.domain, options)


def marks(result: Survey) -> list[str]:
    failed = {one.id for one in result.findings if one.status is Verdict.FAIL}
    unknown = {f"{one.id}?" for one in result.findings if one.status is Verdict.UNKNOWN}
    return sorted({*failed, *unknown})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_domain_is_seen_as_it_is(case: Case) -> None:
    result = look(case)
    said = "\n".join(f"{one.status} {one.id}: {one.message}" for one in result.findings if one.status != "pass")
    assert marks(result) == sorted(case.expected.split()), said


@pytest.mark.parametrize("case", HEALTHY, ids=lambda case: case.name)
def test_of_a_healthy_domain_nothing_bad_is_said(case: Case) -> None:
    assert [one for one in look(case).findings if one.severity in WORSE] == []


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 40
    assert len({case.name for case in CASES}) == len(CASES)
    assert len(HEALTHY) >= 5
