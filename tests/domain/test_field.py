"""Domains of outside data get the expected findings; read in place from MAILMON_TEST_DATA."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from mailmon.domain.options import Options
from mailmon.domain.survey import survey
from mailmon.model.dns import Survey
from mailmon.model.findings import Verdict
from tests.domain.nameserver import serving
from tests.field import case_of, files, needed, published

pytestmark = needed


class Seen(NamedTuple):
    """What must be told of a zone ("id" or "id?"), what must not, and what is proposed."""

    must: str = ""
    never: str = ""
    proposed: str = ""
    domain: str = "firm.example"
    addresses: tuple[str, ...] = ()


SEEN = {
    "a04": Seen(never="dns.caa_conflict"),  # without a certificate at hand nothing contradicts it
    "a06": Seen("dns.caa_conflict", proposed='0 iodef "mailto:x@firm.example"\n0 issue "letsencrypt.org"'),
    "d01": Seen("dmarc.policy_none dmarc.syntax", proposed="v=DMARC1; p=reject; rua=mailto:d@firm.example"),
    "d07": Seen("dmarc.syntax", proposed="v=DMARC1; p=reject; rua=mailto:d@firm.example"),
    "d11": Seen("dmarc.multiple_records", proposed="v=DMARC1; p=reject; rua=mailto:d@firm.example"),
    "d26": Seen(never="dmarc.external_report_unauthorized dmarc.none", domain="sub.firm.example"),
    "d28": Seen(never="dmarc.none dmarc.policy_none dmarc.no_reports", domain="agency.gov.example"),
    "g02": Seen("dns.mx_dangling"),
    "k32": Seen("dkim.key_syntax"),
    "m03": Seen("mtasts.none", never="mtasts.syntax"),
    "m19": Seen("tlsrpt.syntax", proposed="v=TLSRPTv1; rua=mailto:a@b.example"),
    "p03": Seen(never="mtasts.none mtasts.syntax"),
    "s04": Seen("spf.syntax", proposed="v=spf1 ip4:203.0.113.7 ~all"),
    "s17": Seen("spf.syntax", proposed="v=spf1 ip4:5.9.7.25 -all"),
    "s57": Seen("spf.own_ip_not_covered", proposed="v=spf1 mx ip4:9.9.9.9 -all", addresses=("9.9.9.9",)),
    "x11": Seen("dns.mx_ipv6_only", never="dns.mx_dangling"),
    "y01": Seen(never="dns.mx_none dns.null_mx_conflict"),
    "y03": Seen("dns.mx_none? dns.resolver_error?", never="dns.mx_none"),
}


def look(path: Path, seen: Seen) -> Survey:
    zones, faults, is_secure = published(path.read_text("utf-8"))
    with serving(zones, faults, validates=is_secure) as server:
        nameservers = (("127.0.0.1", server.port),)
        options = Options(nameservers, 1.0, 20.0, False, selectors=("s1",), own_addresses=seen.addresses)
        return survey(seen.domain, options)


@pytest.mark.parametrize("path", files(SEEN), ids=lambda path: path.stem)
def test_a_domain_that_people_reported_is_seen_as_it_is(path: Path) -> None:
    seen = SEEN[case_of(path)]
    result = look(path, seen)
    failed = {one.id for one in result.findings if one.status is Verdict.FAIL}
    unknown = {f"{one.id}?" for one in result.findings if one.status is Verdict.UNKNOWN}
    assert set(seen.must.split()) <= failed | unknown
    assert not failed & set(seen.never.split())
    if seen.proposed:
        assert seen.proposed in [row.expected for row in result.records]
