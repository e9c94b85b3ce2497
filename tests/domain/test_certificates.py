"""Policies and records compared with what servers show: a real Postfix and Dovecot, and a web server."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mailmon.domain.options import Options
from mailmon.domain.survey import survey
from mailmon.model.dns import Survey
from mailmon.model.findings import Severity, Verdict
from tests.bed import Bed
from tests.domain.nameserver import serving, zone_of
from tests.domain.web import Page, autoconfig, policy, web

pytestmark = pytest.mark.bed

STS, AUTOCONFIG = "/.well-known/mta-sts.txt", "/mail/config-v1.1.xml"
# A server on loopback, without CAA and DNSSEC, is all that is wrong with it.
HAS = {"dns.mx_private", "dns.caa_conflict"}


def lines(bed: Bed, more: Mapping[str, str | None]) -> str:
    records: dict[str, str | None] = {
        "@ MX": "10 mx",
        "mx A": "127.0.0.1",
        "@ TXT": '"v=spf1 mx -all"',
        "_dmarc TXT": '"v=DMARC1; p=reject; rua=mailto:d@mail.test"',
        "s1._domainkey TXT": '"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="',
        "_mta-sts TXT": '"v=STSv1; id=1"',
        "mta-sts A": "127.0.0.1",
        "_smtp._tls TXT": '"v=TLSRPTv1; rua=mailto:t@mail.test"',
        "_imaps._tcp SRV": f"0 1 {bed.ports['imaps']} mx",
        "_submission._tcp SRV": f"0 1 {bed.ports['submission']} mx",
        **more,
    }
    return "\n".join(f"{name} {value}" for name, value in records.items() if value is not None)


def look(
    bed: Bed,
    pages: Mapping[str, Page],
    more: Mapping[str, str | None] | None = None,
    *,
    timeout_s: float = 3.0,
    certificate: str = "server",
) -> Survey:
    with (
        web(dict(pages), bed.directory / "tls" / f"{certificate}.crt") as https_port,
        serving([zone_of("mail.test", lines(bed, more or {}))]) as server,
    ):
        options = Options(
            (("127.0.0.1", server.port),),
            timeout_s,
            20.0,
            ca_file=str(bed.ca_file),
            selectors=("s1",),
            smtp_port=bed.ports["smtp"],
            https_port=https_port,
        )
        return survey("mail.test", options)


def failed(result: Survey) -> set[str]:
    return {one.id for one in result.findings if one.status is not Verdict.PASS and one.status is not Verdict.SKIPPED}


def said(result: Survey) -> str:
    return "\n".join(f"{one.status} {one.severity} {one.id}: {one.message}" for one in result.findings)


def digest(bed: Bed, name: str = "server") -> str:
    certificate = x509.load_pem_x509_certificate((bed.directory / "tls" / f"{name}.crt").read_bytes())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(key).hexdigest()


def test_a_domain_that_keeps_its_word_has_just_what_it_has(bed: Bed) -> None:
    pages = {
        STS: policy(),
        AUTOCONFIG: autoconfig(
            ("imap", "mx.mail.test", bed.ports["imaps"], "SSL"),
            ("smtp", "mx.mail.test", bed.ports["submission"], "STARTTLS"),
        ),
    }
    result = look(bed, pages, {"autoconfig A": "127.0.0.1"})
    assert failed(result) == HAS, said(result)
    assert {"mtasts.mx_mismatch", "tls.cert_name", "dns.srv_mismatch"} <= {one.id for one in result.findings}


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (policy(mx="other.mail.test"), {"mtasts.mx_mismatch"}),
        (policy(mx="*.mail.test"), set()),
        (policy("testing"), {"mtasts.mode_testing"}),
        (policy("none"), {"mtasts.mode_testing"}),
        (policy(age="600"), {"mtasts.short_max_age"}),
        (policy(age="soon"), {"mtasts.syntax"}),
        (policy("enforced"), {"mtasts.syntax"}),
        (Page("<html>hello</html>", kind="text/html"), {"mtasts.syntax"}),
        (policy()._replace(kind="text/html"), {"mtasts.syntax"}),
        (Page("", 404), {"mtasts.unreachable"}),
        (Page("", 301, location="https://mail.test/policy"), {"mtasts.unreachable"}),
        (Page("x" * 100_000), {"mtasts.unreachable"}),
        (policy()._replace(slow_s=4.0), {"mtasts.unreachable"}),
    ],
    ids=lambda value: repr(value)[:60] if isinstance(value, set) else None,
)
def test_a_policy_is_fetched_and_held_against_the_mx_hosts(bed: Bed, page: Page, expected: set[str]) -> None:
    result = look(bed, {STS: page}, timeout_s=2.0 if page.slow_s else 3.0)
    assert failed(result) - HAS == expected, said(result)


def test_what_is_enforced_and_not_kept_is_critical(bed: Bed) -> None:
    result = look(bed, {STS: policy(mx="other.mail.test")})
    (found,) = [one for one in result.findings if one.id == "mtasts.mx_mismatch"]
    assert (found.status, found.severity) == (Verdict.FAIL, Severity.CRITICAL)


def test_a_policy_behind_a_wrong_certificate_is_none(bed: Bed) -> None:
    result = look(bed, {STS: policy()}, certificate="wronghost")
    assert failed(result) - HAS == {"mtasts.unreachable"}, said(result)


def test_a_policy_host_without_an_address_is_told(bed: Bed) -> None:
    assert failed(look(bed, {}, {"mta-sts A": None})) - HAS == {"mtasts.unreachable"}


def test_where_tls_is_demanded_the_certificate_of_the_mx_host_counts(bed: Bed) -> None:
    bed.use_certificate("wronghost")
    try:
        result = look(bed, {STS: policy()}, {"_imaps._tcp SRV": None, "_submission._tcp SRV": None})
    finally:
        bed.use_certificate("server")
    assert failed(result) - HAS == {"tls.cert_name"}, said(result)
    (found,) = [one for one in result.findings if one.id == "tls.cert_name"]
    assert found.severity is Severity.CRITICAL


def test_tlsa_records_are_held_against_the_live_certificate(bed: Bed) -> None:
    name = "_25._tcp.mx TLSA"
    good = look(bed, {STS: policy()}, {name: f"3 1 1 {digest(bed)}"})
    assert failed(good) - HAS == {"dane.tlsa_without_dnssec"}, said(good)
    bad = look(bed, {STS: policy()}, {name: f"3 1 1 {'ab' * 32}"})
    row = next(one for one in bad.records if one.type == "TLSA")
    assert row.expected == f"3 1 1 {digest(bed)}"
    assert row.found == (f"3 1 1 {'ab' * 32}",)
    assert failed(bad) - HAS == {"dane.tlsa_without_dnssec", "dane.tlsa_mismatch"}, said(bad)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"_imaps._tcp SRV": "0 1 9 mx"}, "mx.mail.test:9"),
        ({"_imaps._tcp SRV": "0 1 {imap} mx"}, "plain text"),
        ({"_imaps._tcp SRV": "0 1 {imaps} mail.other.test."}, "which has no address"),
        ({"autoconfig A": "127.0.0.1"}, "autoconfig sends clients to"),
    ],
    ids=["closed", "plain text", "no such host", "autoconfig"],
)
def test_clients_are_sent_where_their_server_is(bed: Bed, more: dict[str, str], words: str) -> None:
    pages = {STS: policy(), AUTOCONFIG: autoconfig(("imap", "mail.test", bed.ports["imaps"], "SSL"))}
    filled = {name: value.format(**bed.ports) for name, value in more.items()}
    result = look(bed, pages, filled)
    assert failed(result) - HAS == {"dns.srv_mismatch"}, said(result)
    assert words in said(result)


def test_the_beds_own_domain_has_the_findings_that_it_has(bed: Bed) -> None:
    options = Options((("127.0.0.1", bed.ports["dns"]),), ca_file=str(bed.ca_file), smtp_port=bed.ports["smtp"])
    result = survey("mail.test", options._replace(selectors=("tb",), own_addresses=("127.0.0.1",)))
    assert failed(result) == {"dns.mx_private", "mtasts.unreachable", "dns.caa_conflict"}, said(result)


def test_a_broken_domain_has_all_of_them(bed: Bed) -> None:
    options = Options((("127.0.0.1", bed.ports["dns"]),))
    result = survey("broken.test", options)
    notices = {"mtasts.none", "tlsrpt.none", "dns.caa_conflict"}
    assert failed(result) - notices == {"dns.mx_dangling", "spf.multiple_records", "dkim.none", "dmarc.syntax"}


@pytest.mark.parametrize(
    ("page", "more", "is_told"),
    [
        (Page("", 404), {}, False),
        (Page("", 410), {}, False),
        (Page("", 403), {}, False),
        (Page("", 500), {}, True),
        (Page("<html>hello</html>", kind="text/html"), {}, True),
        (Page("<html>hello</html>", kind="text/html"), {"* A": "127.0.0.1", "autoconfig A": None}, False),
        (Page("", 500), {"* A": "127.0.0.1"}, False),
    ],
    ids=["404", "410", "403", "500", "a page", "a page by a wildcard", "500 by a wildcard"],
)
def test_a_web_server_that_nobody_made_for_autoconfig_is_none(
    bed: Bed, page: Page, more: dict[str, str | None], is_told: bool
) -> None:
    result = look(bed, {STS: policy(), AUTOCONFIG: page}, {"autoconfig A": "127.0.0.1", **more})
    assert failed(result) - HAS == ({"dns.srv_mismatch"} if is_told else set()), said(result)


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (policy(mx="other.mail.test"), ["mode: enforce", "mx: other.mail.test", "mx: mx.mail.test", "max_age: 604800"]),
        (policy("enforced"), ["mode: enforce", "mx: mx.mail.test", "max_age: 604800"]),
        (policy("testing", age="600"), ["mode: testing", "mx: mx.mail.test", "max_age: 604800"]),
        (policy(age="soon"), ["mode: enforce", "mx: mx.mail.test", "max_age: 604800"]),
        (policy(), []),
    ],
    ids=["another host", "enforced", "a short age", "no age", "nothing wrong"],
)
def test_the_policy_that_should_be_served_is_no_weaker_and_names_the_mx_host(
    bed: Bed, page: Page, expected: list[str]
) -> None:
    result = look(bed, {STS: page})
    (row,) = [row for row in result.records if row.type == "HTTPS"]
    assert row.is_right is (not expected)
    if expected:
        assert row.expected.splitlines() == ["version: STSv1", *expected]
        again = look(bed, {STS: Page(row.expected)})
        assert failed(again) - HAS - {"mtasts.mode_testing"} == set(), said(again)
