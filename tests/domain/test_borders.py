"""Domains at the limits of what is correct, and the severity of each fault."""

from __future__ import annotations

import pytest

from mailmon.model.findings import Verdict
from tests.domain.cases import Case, Changes, rsa_key, strings
from tests.domain.cases_borders import BORDERS
from tests.domain.nameserver import SERVFAIL
from tests.domain.test_zones import CASES, WORSE, look, marks

_GONE = ["10 gone.firm.example.", "20 away.firm.example."]
# An RSA key of 512 bits, which no library makes any more.
_TINY = (
    "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAJAAAAAAAADAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADMAAAA"
    "AAAAMQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAKq8CAwEAAQ=="
)


@pytest.mark.parametrize(
    "case",
    BORDERS,
    ids=lambda case: case.name,
)
def test_each_domain_at_a_border_is_seen_as_it_is(case: Case) -> None:
    result = look(case)
    said = "\n".join(f"{one.status} {one.id}: {one.message}" for one in result.findings if one.status != "pass")
    assert marks(result) == sorted(case.expected.split()), said
    if not case.expected:
        assert [one for one in result.findings if one.severity in WORSE] == []


@pytest.mark.parametrize(
    ("changes", "selectors", "finding_id", "severity"),
    [
        ({"@ MX": None, "@ TXT": ['"v=spf1 ip4:9.9.9.9 -all"']}, ("s1",), "dns.mx_none", "error"),
        ({"@ MX": None, "@ A": ["9.9.9.10"]}, ("s1",), "dns.mx_none", "notice"),
        ({"@ MX": _GONE}, ("s1",), "dns.mx_dangling", "critical"),
        ({"@ MX": ["10 mx1.firm.example.", *_GONE]}, ("s1",), "dns.mx_dangling", "error"),
        ({"mx2 A": ["9.9.9.77"]}, ("s1",), "dns.ptr_missing", "error"),
        ({"mx2 A": ["9.9.9.13"]}, ("s1",), "dns.fcrdns_mismatch", "warning"),
        ({"mx2 A": ["9.9.9.14"]}, ("s1",), "dns.ptr_generic", "notice"),
        ({"@ CAA": None}, ("s1",), "dns.caa_conflict", "notice"),
        ({"s1._domainkey TXT": ['"v=DKIM1; p="']}, ("s1",), "dkim.key_revoked", "error"),
        ({"s1._domainkey TXT": ['"v=DKIM1; p="']}, (), "dkim.key_revoked", "notice"),
        ({"s1._domainkey TXT": [strings(f"v=DKIM1; p={rsa_key(1024)}")]}, ("s1",), "dkim.key_weak", "warning"),
        ({"s1._domainkey TXT": [strings(f"v=DKIM1; p={_TINY}")]}, ("s1",), "dkim.key_weak", "error"),
        ({"_dmarc TXT": ['"v=DMARC1; p=bogus"']}, ("s1",), "dmarc.syntax", "error"),
        ({"_dmarc TXT": ['"v=DMARC1; p=reject; aspf=x"']}, ("s1",), "dmarc.syntax", "warning"),
        ({"_dmarc TXT": None, "@ TXT": ['"v=DMARC1; p=reject"']}, ("s1",), "dmarc.syntax", "warning"),
        ({"_dmarc TXT": ['"v=DMARC1; p=reject"']}, ("s1",), "dmarc.no_reports", "notice"),
        ({"_mta-sts TXT": None}, ("s1",), "mtasts.none", "notice"),
        ({"_mta-sts TXT": ['"v=STSv1"']}, ("s1",), "mtasts.syntax", "error"),
        ({"_smtp._tls TXT": None}, ("s1",), "tlsrpt.none", "notice"),
        ({"_smtp._tls TXT": ['"v=TLSRPTv1"']}, ("s1",), "tlsrpt.syntax", "warning"),
        ({"_25._tcp.mx1 TLSA": [f"3 1 1 {'ab' * 32}"]}, ("s1",), "dane.tlsa_without_dnssec", "notice"),
        ({"_25._tcp.mx1 TLSA": [f"0 0 1 {'ab' * 32}"]}, ("s1",), "dane.tlsa_unusable", "warning"),
        ({"@ TXT": ['"v=spf1 mx -all a"']}, ("s1",), "spf.after_all", "notice"),
        ({"@ TXT": ['"v=spf1 mx +all"']}, ("s1",), "spf.plus_all", "error"),
        ({"@ TXT": ['"v=spf1 mx ?all"']}, ("s1",), "spf.neutral", "warning"),
    ],
)
def test_each_fault_is_as_bad_as_it_is(
    changes: Changes, selectors: tuple[str, ...], finding_id: str, severity: str
) -> None:
    result = look(Case("", "", changes, selectors=selectors))
    failed = {(one.id, one.severity) for one in result.findings if one.status is Verdict.FAIL}
    assert (finding_id, severity) in failed
    assert [one for one, _ in failed].count(finding_id) == 1


def test_of_what_does_not_exist_nothing_else_is_said() -> None:
    result = look(Case("", "", domain="nosuch.example"))
    told = [(one.id, one.severity) for one in result.findings if one.status is not Verdict.SKIPPED]
    assert told == [("dns.domain_not_found", "error")]


def test_of_a_host_that_is_not_answered_it_is_not_said_that_it_is_no_alias() -> None:
    result = look(Case("", "", faults={"mx2.firm.example": SERVFAIL}))
    passed = [one.message for one in result.findings if (one.id, one.status) == ("dns.mx_cname", Verdict.PASS)]
    assert [message for message in passed if "mx2" in message] == []


def test_of_a_zone_whose_keys_are_not_answered_it_is_not_said_that_it_is_unsigned() -> None:
    result = look(Case("", "", faults={"firm.example DNSKEY": SERVFAIL}))
    assert [one.message for one in result.findings if "not signed" in one.message] == []


def test_names_differ_from_those_of_the_other_cases() -> None:
    names = [case.name for case in (*CASES, *BORDERS)]
    assert len(set(names)) == len(names)
