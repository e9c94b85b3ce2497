"""Proposals can be copied: they parse as a zone file, pass our own checks, and keep the meaning."""

from __future__ import annotations

import dns.name
import pytest

from mailmon.domain.options import Options
from mailmon.domain.runbook import runbook
from mailmon.domain.survey import survey
from mailmon.mail.records.zone_file import line
from mailmon.model.dns import Survey
from mailmon.model.findings import Severity, Verdict
from tests.domain.cases import Case, zones_of
from tests.domain.cases_borders import BORDERS
from tests.domain.cases_meant import MEANT, PROPOSED
from tests.domain.nameserver import serving
from tests.domain.publishing import parsed, proposed, published
from tests.domain.test_zones import CASES, marks

# What nobody can write for somebody else, and what the record of another domain makes of ours.
NOT_OURS = {
    "dkim.none", "dkim.key_missing", "dkim.key_revoked", "dkim.key_weak",  # a key is made by the signer
    "dane.tlsa_without_dnssec", "dane.tlsa_unusable",  # the certificate that is served was not looked at
    "dns.mx_ipv6_only", "dns.mx_private", "dns.mx_name_invalid",  # only the operator knows another address or name
}  # fmt: skip
UNCLEAR = {
    "the domain does not exist": {"dmarc.policy_none", "dns.mx_dangling"},
    "no MX and no address": {"dns.mx_dangling"},
    "the only MX host does not exist": {"dns.mx_dangling"},
    "every MX host is gone": {"dns.mx_dangling"},
    "a domain that only has names below it": {"dns.mx_dangling"},
    "no DMARC": {"dmarc.policy_none"},  # one begins with reports, and tightens the policy by them
    "a wildcard answers for everything": {"dmarc.policy_none"},
    "half a key": {"dkim.key_syntax"},
    "no p=": {"dkim.key_syntax"},
    "two keys under one name": {"dkim.key_multiple"},
    "the key at a guessed selector is broken": {"dkim.key_syntax"},
    "an own address without a name": {"dns.ptr_missing"},
    "an include that lets everybody": {"spf.plus_all"},
    "include of two records": {"spf.multiple_records"},
    "include of a wrong record": {"spf.syntax"},
    "eleven look-ups": {"spf.too_many_lookups"},
    "eleven look-ups, one of them below": {"spf.too_many_lookups"},
    "a redirect is a look-up too": {"spf.too_many_lookups"},
    "an include that includes itself": {"spf.too_many_lookups"},
    "two records that include each other": {"spf.too_many_lookups"},
}
EVERY = [case for case in (*CASES, *BORDERS, *MEANT) if not case.faults]


def options_of(case: Case, port: int) -> Options:
    return Options(
        (("127.0.0.1", port),), 1.0, 20.0, connects=False, selectors=case.selectors, own_addresses=case.own_addresses
    )


def ask(case: Case, result: Survey | None = None) -> Survey:
    """Look at a case, as it is or with all published that was proposed for it."""
    zones = zones_of(case)
    with serving(published(zones, result) if result else zones) as server:
        return survey(case.domain, options_of(case, server.port))


@pytest.mark.parametrize("case", EVERY, ids=lambda case: case.name)
def test_what_is_proposed_can_be_copied_and_is_right_in_our_own_eyes(case: Case) -> None:
    first = ask(case)
    the_runbook_parses_and_means_what_was_meant(first, options_of(case, 0))
    nothing_that_is_called_an_error_looks_right(first)
    if case in MEANT:
        said = "\n".join(f"{one.status} {one.id}: {one.message}" for one in first.findings if one.status != "pass")
        assert marks(first) == sorted(case.expected.split()), said
    if case.name in PROPOSED:
        assert PROPOSED[case.name] in [row.expected for row in first.records]
    if not list(proposed(first)):
        return
    again = ask(case, first)
    left = {mark for mark in marks(again) if not mark.endswith("?")} - NOT_OURS - UNCLEAR.get(case.name, set())
    said = "\n".join(f"{one.status} {one.id}: {one.message}" for one in again.findings if one.id in left)
    assert not left, f"{said}\n{[(row.name, row.type, row.expected) for row in proposed(first)]}"
    if case.name not in UNCLEAR:
        assert [(row.name, row.expected) for row in proposed(again)] == []


def the_runbook_parses_and_means_what_was_meant(result: Survey, options: Options) -> None:
    entries = list(runbook(result, options))
    lines = [one for entry in entries for one in entry.lines]
    comments = [one for entry in entries for one in entry.words]
    parsed(lines)
    assert [one for one in lines if not f".{one.split()[0]}".endswith(f".{result.domain}.")] == []
    zone = parsed([*lines, *(one for one in comments if " IN " in one)])
    for row in result.records:
        if row.type in ("HTTPS", "DS") or row.alias or not row.is_known:
            continue
        for value in row.expected.splitlines():
            written = line(row.name, row.type, value)
            is_ours = f".{row.name}".endswith(f".{result.domain}")
            assert written in (lines if is_ours else comments)
            found = zone.find_rdataset(dns.name.from_text(row.name), row.type)
            if row.type == "TXT":
                assert value.encode() in [b"".join(one.strings) for one in found]
            else:
                wanted = parsed([written]).find_rdataset(dns.name.from_text(row.name), row.type)
                assert wanted[0] in found
            assert "firm.example.firm.example" not in found.to_text()
    assert not any(word in one for one in lines for word in ("ADDRESS", "…", "..")), lines


def nothing_that_is_called_an_error_looks_right(result: Survey) -> None:
    failed = {one.id for one in result.findings if one.severity in (Severity.CRITICAL, Severity.ERROR)}
    right = [row.purpose for row in result.records if row.is_right and row.type == "TXT"]
    for area, word in (("spf", "(SPF)"), ("dmarc", "(DMARC)"), ("mtasts", "(MTA-STS)"), ("tlsrpt", "(TLS-RPT)")):
        if any(one.startswith(f"{area}.") for one in failed - {"spf.own_ip_not_covered"}):
            assert [purpose for purpose in right if word in purpose] == [], failed
    if "dkim.key_syntax" in failed:
        assert not [row for row in result.records if row.name.startswith("s1._domainkey") and row.is_right]


@pytest.mark.parametrize(
    ("name", "finding_id", "severity", "words"),
    [
        ("sp= is no policy", "dmarc.syntax", "error", "sp=jerect: no such policy: receivers treat the whole record as"),
        ("sp= is no policy, and no reports", "dmarc.syntax", "error", "sp=jerect: no such policy"),
        ("p= twice", "dkim.key_syntax", "error", "p= stands there twice"),
        ("DMARC with p= twice", "dmarc.syntax", "error", "p= stands there twice: receivers that go by RFC 6376"),
        ("DMARC with a wrong fo=", "dmarc.syntax", "warning", "fo=1:x: it must be of 0, 1, d and s"),
        ("the key at a guessed selector is broken", "dkim.key_syntax", "notice", "p= is base64, but no public key"),
        (
            "a guessed selector is an alias of nothing",
            "dkim.key_missing",
            "notice",
            "(CNAME) of selector1-firm._domain",
        ),
        ("the given selector is an alias of nothing", "dkim.key_missing", "error", "which does not exist"),
        (
            "an MX host that sends nothing has no name",
            "dns.ptr_missing",
            "notice",
            "it only receives, as SPF does not include it",
        ),
        ("every MX host has IPv6 only", "dns.mx_ipv6_only", "warning", "no IPv4 address"),
        ("an MX host with an underscore", "dns.mx_name_invalid", "warning", "mail_1.firm.example"),
        ("quarantine that is only tested", "dmarc.policy_none", "warning", "apply quarantine as none"),
        ("CAA names nobody, only where to complain", "dns.caa_conflict", "notice", "(iodef) name no CA: any may issue"),
        (
            "CAA with an address of a page",
            "dns.caa_conflict",
            "warning",
            "names no CA's domain: this record lets no CA issue",
        ),
        (
            "CAA with two CAs in one record",
            "dns.caa_conflict",
            "warning",
            "names no CA's domain: this record lets no CA issue",
        ),
        (
            "CAA with a critical property of nobody",
            "dns.caa_conflict",
            "warning",
            "a critical property that no CA knows",
        ),
        ("TLS-RPT with a blank between its addresses", "tlsrpt.syntax", "warning", "a comma parts addresses"),
        ("DMARC with slashes before the address", "dmarc.syntax", "warning", "holds no address"),
        ("SPF with the sign behind all", "spf.syntax", "error", "all-"),
        ("SPF with ip4= and include=", "spf.syntax", "warning", "ip4=9.9.9.9 does nothing"),
    ],
)
def test_each_fault_is_named_and_is_as_bad_as_it_is(name: str, finding_id: str, severity: str, words: str) -> None:
    case = next(one for one in MEANT if one.name == name)
    failed = [one for one in ask(case).findings if one.status is Verdict.FAIL and one.id == finding_id]
    assert (failed[0].severity, words in failed[0].message) == (severity, True), failed


def test_what_is_left_out_of_a_proposal_is_said() -> None:
    result = ask(Case("", "", {"@ TXT": ['"v=spf1 mx ip4:9.9.9 include:google -all"']}))
    (row,) = [row for row in result.records if row.purpose.endswith("(SPF)")]
    assert row.expected == "v=spf1 mx -all"
    (found,) = [one for one in result.findings if one.id == "spf.syntax"]
    assert "where ip4:9.9.9, include:google is left out: its meaning is not clear" in found.fix


def test_an_alias_is_not_frozen_by_the_runbook() -> None:
    changes = {"s1._domainkey TXT": None, "s1._domainkey CNAME": ["key.carrier.example."]}
    case = Case("", "", changes)
    entries = [entry for entry in runbook(ask(case), options_of(case, 0)) if entry.purpose == "DKIM key"]
    assert [(entry.lines, entry.words) for entry in entries] == [
        ((), ("s1._domainkey.firm.example is an alias (CNAME) of key.carrier.example: leave it",))
    ]


def test_a_domain_that_takes_no_mail_gets_no_servers_by_the_runbook() -> None:
    case = next(case for case in CASES if case.name == "it takes no mail, and says so")
    lines = [one for entry in runbook(ask(case), options_of(case, 0)) for one in entry.lines]
    assert "firm.example. IN MX 0 ." in lines
    assert [one for one in lines if "SRV" in one or "mail.firm.example" in one] == []


def test_the_policy_to_serve_names_each_mx_host() -> None:
    case = Case("", "", {"_mta-sts TXT": None})
    (policy,) = [entry for entry in runbook(ask(case), options_of(case, 0)) if entry.purpose == "MTA-STS policy"]
    assert [one for one in policy.words if one.startswith("mx:")] == ["mx: mx1.firm.example", "mx: mx2.firm.example"]


HOSTED = Case("", "", {
    "@ MX": ["10 mx.carrier.example."], "_imaps._tcp SRV": None, "_submissions._tcp SRV": None, "_mta-sts TXT": None,
    "mta-sts A": None,
})  # fmt: skip


def test_the_mx_host_of_a_provider_is_not_proposed_as_imap_and_submission_server() -> None:
    entries = list(runbook(ask(HOSTED), options_of(HOSTED, 0)))
    assert [one for entry in entries for one in (*entry.lines, *entry.words) if " IN SRV " in one] == []
    (told,) = [entry for entry in entries if entry.purpose == "where clients find their server"]
    assert told.words[0].startswith("the provider of mx.carrier.example knows the hosts for IMAP and submission")
    assert "_imaps._tcp.firm.example" in told.words


def test_the_runbook_has_records_of_other_zones_as_comments_only() -> None:
    entries = list(runbook(ask(HOSTED), options_of(HOSTED, 0)))
    lines = [one for entry in entries for one in entry.lines]
    assert [one for one in lines if one.startswith("mx.carrier.example.") or "in-addr.arpa" in one] == []
    (address,) = [entry for entry in entries if entry.purpose == "address of the MX host"]
    assert address.words[0].startswith("mx.carrier.example. IN A ")
    assert address.words[1] == "in another zone than that of the domain"


def test_the_proposals_for_a_new_domain_name_the_policy_host_and_the_address() -> None:
    case = Case("", "", domain="new.example")
    options = options_of(case, 0)._replace(host="mail.new.example", own_addresses=("192.0.2.10", "2001:db8::10"))
    with serving(zones_of(case)) as server:
        result = survey(case.domain, options._replace(nameservers=(("127.0.0.1", server.port),)))
    entries = list(runbook(result, options))
    assert "mta-sts.new.example. IN CNAME mail.new.example." in [one for entry in entries for one in entry.lines]
    words = [one for entry in entries for one in entry.words]
    assert "10.2.0.192.in-addr.arpa. IN PTR mail.new.example." in words
    assert any(one.endswith("8.b.d.0.1.0.0.2.ip6.arpa. IN PTR mail.new.example.") for one in words)


def test_the_policy_of_a_hosted_domain_needs_a_web_server_that_is_not_the_mx_host() -> None:
    entries = list(runbook(ask(HOSTED), options_of(HOSTED, 0)))
    (told,) = [entry for entry in entries if entry.purpose == "web server of the MTA-STS policy"]
    assert (told.lines, told.words[0].startswith("mta-sts.firm.example needs an address")) == ((), True)


def test_a_policy_that_was_not_fetched_is_not_replaced() -> None:
    case = Case("", "")
    (policy,) = [entry for entry in runbook(ask(case), options_of(case, 0)) if entry.purpose == "MTA-STS policy"]
    assert (policy.state, policy.lines, "mode:" in str(policy.words)) == ("not known", (), False)


def test_advice_on_a_tested_policy_speaks_of_the_test_and_not_of_the_policy() -> None:
    case = next(one for one in MEANT if one.name == "quarantine that is only tested")
    (told,) = [one for one in ask(case).findings if one.id == "dmarc.policy_none" and one.status is Verdict.FAIL]
    assert told.fix.endswith(": remove t=y")


def test_a_stricter_policy_is_proposed_with_what_must_be_known_before() -> None:
    result = ask(Case("", "", {"_dmarc TXT": ['"v=DMARC1; p=none; rua=mailto:d@firm.example"']}))
    (row,) = [row for row in result.records if row.name == "_dmarc.firm.example" and row.type == "TXT"]
    assert row.expected.startswith("v=DMARC1; p=quarantine")
    assert row.purpose.endswith("not before reports show that all of your mail passes")


def test_a_ca_that_nobody_has_seen_is_proposed_as_a_guess() -> None:
    result = ask(Case("", "", {"@ CAA": None}))
    (row,) = [row for row in result.records if row.type == "CAA"]
    assert row.purpose == "which CA may issue; name the CA that you use"


def test_the_sign_behind_all_is_meant_and_not_softened() -> None:
    case = next(one for one in MEANT if one.name == "SPF with the sign behind all")
    (row,) = [row for row in ask(case).records if "(SPF)" in row.purpose and row.name == "firm.example"]
    assert row.expected == "v=spf1 a mx -all"


def test_an_address_not_covered_by_a_broken_record_gets_advice_to_fix_the_record() -> None:
    result = ask(Case("", "", {"@ TXT": ['"v=spf1 mx -all"', '"v=spf1 a -all"']}, own_addresses=("9.9.9.9",)))
    (told,) = [one for one in result.findings if one.id == "spf.own_ip_not_covered"]
    assert told.fix.startswith("correct the record first")


def test_bad_mx_hosts_beside_a_null_mx_are_each_judged_and_not_proposed() -> None:
    result = ask(Case("", "", {"@ MX": ["10 9.9.9.11.", "20 .", "30 mx\\032a.firm.example."]}))
    failed = {one.id: one for one in result.findings if one.status is Verdict.FAIL}
    assert {"dns.null_mx_conflict", "dns.mx_is_address", "dns.mx_name_invalid", "dns.mx_dangling"} <= failed.keys()
    (row,) = [row for row in result.records if row.type == "MX"]
    assert row.expected == "10 mx2.firm.example"
    assert failed["dns.mx_name_invalid"].fix.endswith("is left out of the proposal")


def test_no_address_is_proposed_for_an_mx_host_with_a_blank_in_its_name() -> None:
    result = ask(Case("", "", {"@ MX": ["10 mx\\032a.firm.example."]}, own_addresses=("9.9.9.9",)))
    assert [row.expected for row in result.records if row.type in ("MX", "A", "AAAA") and row.expected] == []


@pytest.mark.parametrize("mistake", ["-all;", "ip4:9.9.9", "https://x"])
def test_an_include_without_a_record_beside_a_syntax_mistake_is_named(mistake: str) -> None:
    result = ask(Case("", "", {"@ TXT": [f'"v=spf1 mx include:nothing.carrier.example {mistake}"']}))
    failed = [one for one in result.findings if one.status is Verdict.FAIL]
    (dead,) = [one for one in failed if one.id == "spf.include_none"]
    assert "nothing.carrier.example has no SPF record" in dead.message
    assert "spf.syntax" in {one.id for one in failed}


def test_a_mistake_in_the_own_spf_record_names_the_domain_once() -> None:
    result = ask(Case("", "", {"@ TXT": ['"v=spf1 mx -all;"']}))
    (told,) = [one for one in result.findings if one.id == "spf.syntax" and one.status is Verdict.FAIL]
    assert (told.target, told.message) == ("firm.example", "firm.example: -all;: this is no term")


def test_a_tlsa_record_whose_digest_has_a_wrong_length_is_unusable_and_no_silence() -> None:
    result = ask(Case("", "", {"_25._tcp.mx1 TLSA": ["3 1 1 aabb"]}))
    (told,) = [one for one in result.findings if one.id == "dane.tlsa_unusable"]
    assert "2 bytes are no digest of matching type 1" in told.message
    assert "dns.resolver_error" not in {one.id for one in result.findings if one.status is Verdict.UNKNOWN}
    (row,) = [row for row in result.records if row.type == "TLSA" and row.found]
    assert (row.expected, row.is_right) == ("", False)
