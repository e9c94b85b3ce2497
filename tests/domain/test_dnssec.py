"""Zones signed correctly, wrongly, without a DS, and unsigned, through a real Unbound."""

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
from mailmon.domain.options import Options
from mailmon.domain.survey import survey
from mailmon.model.findings import Verdict
from tests.domain.validating import ALTERED, PARENT, validating

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


@pytest.mark.parametrize(
    ("label", "unknown"),
    [
        ("altered-spf", {"spf.temperror"}),
        ("altered-dmarc", {"dmarc.temperror"}),
        ("altered-key", {"dkim.dns_temperror"}),
        ("altered-sts", {"mtasts.none"}),
        ("altered-reports", {"tlsrpt.none"}),
        ("altered-host", {"dns.resolver_error"}),
        ("altered-tlsa", set()),
        ("altered-caa", {"dns.caa_conflict"}),
    ],
)
def test_one_record_that_does_not_validate_is_one_fault(resolver: int, label: str, unknown: set[str]) -> None:
    options = Options((("127.0.0.1", resolver),), 2.0, 20.0, connects=False, selectors=("s1",))
    result = survey(f"{label}.{PARENT}", options)
    said = "\n".join(f"{one.status} {one.id}: {one.message}" for one in result.findings)
    # its address leads back to the host of the zone that is right
    failed = {one.id for one in result.findings if one.status is Verdict.FAIL} - {"dns.fcrdns_mismatch"}
    assert failed == {"dns.dnssec_bogus"}, said
    assert {one.id for one in result.findings if one.status is Verdict.UNKNOWN} == unknown, said


def test_what_does_not_validate_is_not_said_to_validate_too(resolver: int) -> None:
    options = Options((("127.0.0.1", resolver),), 2.0, 20.0, connects=False, selectors=("s1",))
    result = survey(f"altered-dmarc.{PARENT}", options)
    assert {one.status for one in result.findings if one.id == "dns.dnssec_bogus"} == {Verdict.FAIL}


@pytest.mark.parametrize("label", ALTERED)
def test_one_signature_is_altered_and_no_other(resolver: int, label: str) -> None:
    owner, kind = ALTERED[label]
    name = f"{label}.{PARENT}" if owner == "@" else f"{owner}.{label}.{PARENT}"
    query = dns.message.make_query(name, kind, want_dnssec=True)
    assert dns.query.udp(query, "127.0.0.1", 5, resolver).rcode() == dns.rcode.SERVFAIL
    assert ask(resolver, f"{label}.{PARENT}").flags & dns.flags.AD


@pytest.mark.parametrize("name", ["gone", "x.y.z", "x.mx", "x._tcp.mx", "w.x.s1._domainkey", "_tcp.mx", "_domainkey"])
def test_what_is_not_there_is_proven_at_every_depth(resolver: int, name: str) -> None:
    query = dns.message.make_query(f"{name}.good.{PARENT}", "TXT", want_dnssec=True)
    answer = dns.query.udp(query, "127.0.0.1", 5, resolver)
    assert answer.flags & dns.flags.AD
    is_above_others = name in ("_tcp.mx", "_domainkey")
    assert answer.rcode() == (dns.rcode.NOERROR if is_above_others else dns.rcode.NXDOMAIN)
