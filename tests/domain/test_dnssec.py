"""Are zones that are signed rightly, wrongly, without a DS, and not at all told apart, through a real Unbound?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from mailmon.clients.records import Answered, Records
from mailmon.domain.plan import Options
from mailmon.domain.survey import survey
from mailmon.model.facts import Verdict
from tests.domain.validating import PARENT, validating

pytestmark = pytest.mark.skipif(not shutil.which("unbound"), reason="unbound is not installed: make test-system-deps")


@pytest.fixture(scope="module")
def resolver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with validating(Path(tmp_path_factory.mktemp("unbound"))) as (port, _):
        yield port


def ask(port: int, name: str, flags: int = dns.flags.RD) -> dns.message.Message:
    query = dns.message.make_query(name, "MX", want_dnssec=True, flags=flags)
    return dns.query.udp(query, "127.0.0.1", 5, port)


@pytest.mark.parametrize(
    ("label", "rcode", "is_authentic"),
    [
        ("good", "NOERROR", True),
        ("bogus", "SERVFAIL", False),
        ("expired", "SERVFAIL", False),
        ("island", "NOERROR", False),
        ("plain", "NOERROR", False),
    ],
)
def test_the_resolver_of_these_tests_validates(resolver: int, label: str, rcode: str, is_authentic: bool) -> None:
    answer = ask(resolver, f"{label}.{PARENT}")
    assert dns.rcode.to_text(answer.rcode()) == rcode
    assert bool(answer.flags & dns.flags.AD) is is_authentic
    unchecked = ask(resolver, f"{label}.{PARENT}", dns.flags.RD | dns.flags.CD)
    assert unchecked.rcode() == dns.rcode.NOERROR
    assert unchecked.answer


def test_a_name_that_is_not_there_is_proven(resolver: int) -> None:
    records = Records([("127.0.0.1", resolver)])
    nothing = records.ask(f"nothing.good.{PARENT}", "TXT")
    empty = records.ask(f"good.{PARENT}", "LOC")
    assert nothing.kind is Answered.NXDOMAIN
    assert (empty.kind, empty.is_authentic) == (Answered.NODATA, True)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("good", {"dns.dnssec_bogus": "pass", "dane.tlsa_without_dnssec": "pass"}),
        ("bogus", {"dns.dnssec_bogus": "fail", "dns.mx_none": "unknown"}),
        ("expired", {"dns.dnssec_bogus": "fail", "dns.mx_none": "unknown"}),
        ("island", {"dns.dnssec_no_ds": "fail", "dane.tlsa_without_dnssec": "fail"}),
        ("plain", {"dns.dnssec_bogus": "skipped", "dane.tlsa_without_dnssec": "fail"}),
    ],
)
def test_the_state_of_dnssec_is_told(resolver: int, label: str, expected: dict[str, str]) -> None:
    options = Options((("127.0.0.1", resolver),), 2.0, 20.0, connects=False, selectors=("s1",))
    result = survey(f"{label}.{PARENT}", options)
    found = {one.id: one.status.value for one in result.findings if one.status is Verdict.PASS}
    found |= {one.id: one.status.value for one in result.findings if one.status is not Verdict.PASS}
    said = "\n".join(f"{one.status} {one.id}: {one.message}" for one in result.findings)
    assert {key: found.get(key) for key in expected} == expected, said
    if label in ("bogus", "expired"):
        failed = [one.id for one in result.findings if one.status is Verdict.FAIL]
        assert failed == ["dns.dnssec_bogus"], "what does not validate is one fault, and nothing is called missing"
