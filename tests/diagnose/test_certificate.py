"""Examination of certificates, for the name that was asked for (RFC 9525, RFC 9325)."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from mailmon.diagnose.certificate import Certificates, Terms, Unreadable, is_forward_secret, matches
from mailmon.diagnose.handshake import Secured
from mailmon.findings import Findings
from mailmon.model import Severity, Verdict
from mailmon.model.diagnosis import Endpoint

NOW = datetime(2026, 3, 1, tzinfo=UTC)
RELAY = Endpoint("mx.example.org", "192.0.2.1", 25, "smtp")
LOGIN = Endpoint("mx.example.org", "192.0.2.1", 993, "imap", is_implicit_tls=True)
KEY = ec.generate_private_key(ec.SECP256R1())
RSA_1024 = rsa.generate_private_key(65537, 1024)
GOOD, EXPIRED, SELF_SIGNED, NO_ISSUER = 0, 10, 18, 20


def certificate(
    names: tuple[str, ...] = ("mx.example.org",),
    *,
    days: float = 60,
    begins: float = -30,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = KEY,
    issuer: str = "Example CA",
    with_url: bool = False,
) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mx.example.org")])
    signer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)])
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW + timedelta(days=begins))
        .not_valid_after(NOW + timedelta(days=days))
    )
    if names:
        listed = [_general_name(name) for name in names]
        built = built.add_extension(x509.SubjectAlternativeName(listed), critical=False)
    if with_url:
        place = x509.UniformResourceIdentifier("http://ca.example/ca.der")
        access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, place)
        built = built.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    return built.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def judged(der: bytes, code: int = GOOD, endpoint: Endpoint = LOGIN, *, is_demanded: bool = False) -> dict[str, str]:
    """Return the severity of each failure, by its id."""
    found = Findings(endpoint.target)
    secured = Secured("TLSv1.3", "TLS_AES_256_GCM_SHA384", (der,), code, "words")
    Certificates(secured).judge(found, endpoint, NOW, Terms(is_demanded))
    return {one.id: one.severity or "" for one in found.all if one.status is Verdict.FAIL}


@pytest.mark.parametrize(
    ("der", "code", "expected"),
    [
        (certificate(), GOOD, {}),
        (certificate(days=-1), EXPIRED, {"tls.cert_expired": Severity.ERROR}),
        (certificate(days=40), EXPIRED, {"tls.cert_expired": Severity.ERROR}),  # one above it has expired
        (certificate(begins=2, days=90), 9, {"tls.cert_not_yet_valid": Severity.ERROR}),
        (certificate(days=20.9, begins=-69.1), GOOD, {"tls.cert_expiring": Severity.WARNING}),
        (certificate(days=6.9, begins=-83.1), GOOD, {"tls.cert_expiring": Severity.ERROR}),
        (certificate(days=21.1, begins=-68.9), GOOD, {}),
        # Of six and of 45 days, as Let's Encrypt issues them: limits of weeks would never let them be well.
        (certificate(days=6.6, begins=-0.07), GOOD, {}),
        (certificate(days=1.7, begins=-4.97), GOOD, {}),
        (certificate(days=1.6, begins=-5.07), GOOD, {"tls.cert_expiring": Severity.WARNING}),
        (certificate(days=0.5, begins=-6.17), GOOD, {"tls.cert_expiring": Severity.ERROR}),
        (certificate(days=21, begins=-24), GOOD, {}),
        (certificate(days=11.2, begins=-33.8), GOOD, {"tls.cert_expiring": Severity.WARNING}),
        (certificate(days=3.7, begins=-41.3), GOOD, {"tls.cert_expiring": Severity.ERROR}),
        (certificate(days=20.9, begins=-344), GOOD, {"tls.cert_expiring": Severity.WARNING}),
        (certificate(days=21.1, begins=-344), GOOD, {}),
        (certificate(("other.example.org",)), GOOD, {"tls.cert_name": Severity.ERROR}),
        (certificate(()), GOOD, {"tls.cert_name": Severity.ERROR}),  # the CN does not count
        (certificate(("*.example.org",)), GOOD, {}),
        (certificate(issuer="mx.example.org"), SELF_SIGNED, {"tls.cert_self_signed": Severity.ERROR}),
        (certificate(), NO_ISSUER, {"tls.cert_untrusted": Severity.ERROR}),
        (certificate(with_url=True), NO_ISSUER, {"tls.cert_chain_incomplete": Severity.ERROR}),
        (certificate(key=RSA_1024), GOOD, {"tls.cert_weak_key": Severity.ERROR}),
        (
            certificate(("other.example.org",), days=-3),
            NO_ISSUER,
            {
                "tls.cert_expired": Severity.ERROR,
                "tls.cert_untrusted": Severity.ERROR,
                "tls.cert_name": Severity.ERROR,
            },
        ),
    ],
)
def test_each_fault_is_told_by_itself(der: bytes, code: int, expected: dict[str, str]) -> None:
    assert judged(der, code) == expected


def test_an_end_that_is_near_is_told_with_the_limit_of_this_lifetime() -> None:
    found = Findings(LOGIN.target)
    secured = Secured("TLSv1.3", "x", (certificate(days=1.25, begins=-5.42),))
    Certificates(secured).judge(found, LOGIN, NOW)
    (one,) = [one for one in found.all if one.id == "tls.cert_expiring"]
    assert (one.expected, one.found) == ("at least 1.67 days of 6.67", "30 hours")
    assert one.message.endswith("expires in 30 hours (2026-03-02); at least 1.67 days of 6.67 should be left")


def test_between_mail_servers_a_name_only_warns_unless_the_domain_demands_tls() -> None:
    der = certificate(("other.example.org",))
    assert judged(der, endpoint=RELAY) == {"tls.cert_name": Severity.WARNING}
    assert judged(der, endpoint=RELAY, is_demanded=True) == {"tls.cert_name": Severity.CRITICAL}
    assert judged(certificate(days=-1), EXPIRED, RELAY) == {"tls.cert_expired": Severity.ERROR}


@pytest.mark.parametrize(
    ("host", "name", "fits"),
    [
        ("mx.example.org", "mx.example.org", True),
        ("MX.Example.org.", "mx.example.ORG", True),
        ("mx.example.org", "*.example.org", True),
        ("a.mx.example.org", "*.example.org", False),
        ("example.org", "*.example.org", False),
        ("mx.example.org", "*.org", False),
        ("example.org", "*.org", False),
        ("mx.example.org", "m*.example.org", False),
        ("mx.example.org", "*", False),
        ("bücher.example", "xn--bcher-kva.example", True),
        ("mx.straße.example", "mx.xn--strae-oqa.example", True),
        ("mx.straße.example", "mx.strasse.example", False),
        ("MX.BÜCHER.example", "*.xn--bcher-kva.example", True),
        ("a..b", "a..b.example", False),
    ],
)
def test_names_are_compared_label_by_label(host: str, name: str, fits: bool) -> None:
    assert matches(host, name) is fits


def test_addresses_are_in_the_certificate_as_addresses() -> None:
    def fits(host: str, *names: str) -> bool:
        return Certificates(Secured("TLSv1.3", "x", (certificate(names),))).is_for(host)

    assert fits("192.0.2.1", "192.0.2.1")
    assert fits("2001:db8:0::1", "2001:db8::1")
    assert not fits("192.0.2.1", "192.0.2.2", "mx.example.org")


# Made once: a signature is another one each time.
WHOLE = certificate()


@given(st.binary(max_size=400))
def test_bytes_that_are_no_certificate_are_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        Certificates(Secured("TLSv1.3", "x", (raw,)))


@given(st.data())
def test_a_damaged_certificate_is_read_or_unreadable(data: st.DataObject) -> None:
    raw = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = Findings("mx.example.org:993")
        Certificates(Secured("TLSv1.3", "x", (bytes(raw),))).judge(found, LOGIN, NOW)
    except Unreadable:
        return
    assert all(one.message.isprintable() for one in found.all)


@pytest.mark.parametrize(
    ("version", "cipher", "is_secret"),
    [
        ("TLSv1.3", "TLS_AES_128_GCM_SHA256", True),
        ("TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256", True),
        ("TLSv1.2", "AES128-GCM-SHA256", False),
    ],
)
def test_forward_secrecy_is_a_matter_of_the_key_exchange(version: str, cipher: str, is_secret: bool) -> None:
    assert is_forward_secret(Secured(version, cipher, ())) is is_secret
