"""The CA in use compared with CAA, whatever its certificates call it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from mailmon.clients.deadline import Deadline
from mailmon.clients.records import Records
from mailmon.diagnose.mta_sts import MtaStsPolicy, PolicyAccess
from mailmon.domain import caa as caa_check
from mailmon.domain.context import DomainContext, RecordCheck
from mailmon.domain.options import Options
from mailmon.domain.servers import MxSessions, Servers
from mailmon.mail.records.mx import Exchanger
from mailmon.model.findings import Finding, Severity, Verdict
from tests.domain.cases import DOMAIN, Case, zones_of
from tests.domain.nameserver import serving

HOST = f"mx1.{DOMAIN}"


def certificate(organisation: str, common_name: str, names: Sequence[str] = ()) -> bytes:
    """Return a certificate by an issuer of this name, for these names, as DER."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    issuer = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), critical=False
        )
    made = builder.not_valid_before(now).not_valid_after(now + timedelta(days=30)).sign(key, hashes.SHA256())
    return made.public_bytes(Encoding.DER)


def judged(caa: list[str], issuer: tuple[str, str], names: Sequence[str] = ()) -> tuple[list[Finding], str]:
    """Return what is said of CAA, and the value that is expected, where the MX host shows such a certificate."""
    session = SimpleNamespace(secured=SimpleNamespace(chain=(certificate(*issuer, names),)))
    sessions = MxSessions(cast(dict[str, Any], {HOST: session}))
    servers = cast(Servers, SimpleNamespace(mx_sessions=lambda: sessions))
    with serving(zones_of(Case("", "", {"@ CAA": caa or None}))) as server, ThreadPoolExecutor(2) as pool:
        records, deadline = Records([("127.0.0.1", server.port)], 2.0), Deadline(10)
        sts = MtaStsPolicy(DOMAIN, records, deadline, PolicyAccess(1.0))
        hosts = (Exchanger(10, HOST),)
        check = RecordCheck(DomainContext(DOMAIN, Options(), records, deadline, pool, sts, servers, mx_records=hosts))
        caa_check.run(check)
    return [one for one in check.found.all if one.status is Verdict.FAIL], check.rows[0].expected


LE_WILD = '0 issuewild "letsencrypt.org"'
LETS_ENCRYPT, SECTIGO, OWN = ("Let's Encrypt", "R11"), ("Sectigo Limited", "Sectigo RSA DV"), ("Firm", "Firm CA")


@pytest.mark.parametrize(
    ("caa", "issuer", "severities"),
    [
        (['0 issue "letsencrypt.org"'], LETS_ENCRYPT, []),
        (['0 issue "letsencrypt.org; validationmethods=dns-01"'], LETS_ENCRYPT, []),
        (['0 issue "digicert.com"', '0 issue "letsencrypt.org"'], LETS_ENCRYPT, []),
        (['0 issue "digicert.com"'], LETS_ENCRYPT, [Severity.WARNING]),
        (['0 issue ";"'], LETS_ENCRYPT, [Severity.WARNING]),
        (['0 issue "letsencrypt.org"'], SECTIGO, [Severity.WARNING]),
        (['0 issue "letsencrypt.org"'], OWN, []),
        (['0 issuewild "digicert.com"', '0 issuemail ";"'], LETS_ENCRYPT, []),
        ([], LETS_ENCRYPT, [Severity.NOTICE]),
    ],
)
def test_a_ca_that_may_not_issue_any_more_is_told_before_the_renewal_fails(
    caa: list[str], issuer: tuple[str, str], severities: list[Severity]
) -> None:
    assert [one.severity for one in judged(caa, issuer)[0]] == severities


def test_what_should_be_published_names_the_ca_that_is_used() -> None:
    assert judged([], LETS_ENCRYPT)[1] == '0 issue "letsencrypt.org"'
    assert judged([], SECTIGO)[1] == '0 issue "sectigo.com"'


WILD, BOTH = ["*.firm.example"], ["mx1.firm.example", "*.firm.example"]


@pytest.mark.parametrize(
    ("caa", "names", "wanted"),
    [
        (['0 issue "letsencrypt.org"', '0 issuewild ";"'], WILD, ['0 issue "letsencrypt.org"', LE_WILD]),
        (['0 issue "letsencrypt.org"', '0 issuewild ";"'], BOTH, ['0 issue "letsencrypt.org"', LE_WILD]),
        (['0 issue "letsencrypt.org"', '0 issuewild ";"'], [HOST], []),
        (['0 issue ";"', LE_WILD], WILD, []),
        (['0 issue ";"', LE_WILD], BOTH, ['0 issue "letsencrypt.org"', LE_WILD]),
        (['0 issue "digicert.com"', LE_WILD], WILD, []),
        (['0 issue "digicert.com"'], WILD, ['0 issue "digicert.com"', '0 issue "letsencrypt.org"']),
        (['0 issuewild "digicert.com"'], WILD, ['0 issuewild "digicert.com"', LE_WILD]),
        (['0 issuewild "digicert.com"'], [HOST], []),
        (['128 tbs "unknown"', '0 issue "letsencrypt.org"'], [HOST], ['0 issue "letsencrypt.org"']),
        (['128 issue "letsencrypt.org"'], [HOST], []),
    ],
)
def test_wildcards_are_held_against_issuewild_and_all_other_names_against_issue(
    caa: list[str], names: list[str], wanted: list[str]
) -> None:
    found, expected = judged(caa, LETS_ENCRYPT, names)
    assert bool(found) == bool(wanted), found
    if wanted:
        assert sorted(expected.splitlines()) == sorted(wanted)
        assert judged(expected.splitlines(), LETS_ENCRYPT, names)[0] == []


@pytest.mark.parametrize(
    "caa", [['0 iodef "mailto:x@firm.example"'], ['0 issuemail ";"'], ['0 contactemail "x@firm.example"']]
)
def test_records_that_name_no_ca_let_any_issue(caa: list[str]) -> None:
    (found,), expected = judged(caa, SECTIGO)
    assert (found.severity, "any may issue" in found.message) == (Severity.NOTICE, True)
    assert sorted(expected.splitlines()) == sorted([*caa, '0 issue "sectigo.com"'])
