"""Certificates: names (RFC 9525), dates, trust, key and signature. No I/O."""

from __future__ import annotations

import hashlib
import ipaddress
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from mailmon.diagnose.handshake import Secured
from mailmon.findings import Findings
from mailmon.mail.lifetime import Lifetime, span
from mailmon.mail.message.address import dns_name
from mailmon.mail.tls_words import UNTRUSTED
from mailmon.model.diagnosis import Endpoint, TlsFacts
from mailmon.model.findings import Finding, Severity, Verdict
from mailmon.text import visible

MAX_NAME_CHARS = 1000
# A server may send any number of certificates.
MAX_CERTIFICATES = 20
MIN_RSA_BITS, MIN_EC_BITS = 2048, 224
_WEAK_HASHES = ("md5", "sha1")
# OpenSSL's verdicts (x509_vfy.h)
_NOT_YET, _EXPIRED, _SELF_SIGNED, _SELF_SIGNED_ABOVE, _NO_ISSUER, _NO_LEAF_ISSUER = 9, 10, 18, 19, 20, 21


_NEW_CHAIN = "serve the CA's current intermediate certificate; the server's own need not be renewed"
# All exceptions that cryptography raises for what it cannot or will not read.
UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


# Findings that a DANE-EE record makes irrelevant (RFC 7671 section 5.1): all but those on the key and on TLS.
_PINNED = ("expired", "not_yet_valid", "expiring", "self_signed", "untrusted", "chain_incomplete", "name")
_PINNED_IDS = tuple(f"tls.cert_{one}" for one in (*_PINNED, "weak_signature"))


class Unreadable(ValueError):
    """The certificate cannot be parsed."""


class Terms(NamedTuple):
    """What senders require of a certificate between mail servers.

    `is_demanded` if senders refuse a server whose certificate is not valid. `pin` is the TLSA record that names this
    certificate or its key; `anchor` one that names a CA above it, with the `path` that leads there and further `names`
    that are accepted then.
    """

    is_demanded: bool = False
    pin: str = ""
    anchor: str = ""
    path: tuple[x509.Certificate, ...] = ()
    names: tuple[str, ...] = ()


OPPORTUNISTIC = Terms()


class Certificates:
    """The chain that a server sent, the leaf first. Raises Unreadable."""

    def __init__(self, secured: Secured) -> None:
        if not secured.chain:
            raise Unreadable("the server sent no certificate")
        self._secured = secured
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self.chain = [x509.load_der_x509_certificate(raw) for raw in secured.chain]
                self._verified = [x509.load_der_x509_certificate(raw) for raw in secured.path]
                self.leaf = self.chain[0]
                self.names, self.addresses = _names(self.leaf)
                self._issuer_urls = _issuer_urls(self.leaf)
                self.key = _key(self.leaf)
                self.facts = self._read_facts()
            except UNREADABLE as exc:
                raise Unreadable(f"the certificate cannot be read: {visible(str(exc), 100)}") from exc

    @property
    def is_self_signed(self) -> bool:
        """Return whether the leaf is its own issuer."""
        return self.leaf.issuer == self.leaf.subject

    def is_for(self, host: str) -> bool:
        """Return whether the certificate is for a name or an address; the subject's CN does not count (RFC 9525)."""
        try:
            return ipaddress.ip_address(host) in self.addresses
        except ValueError:
            return any(matches(host, name) for name in self.names)

    def judge(self, found: Findings, endpoint: Endpoint, now: datetime, terms: Terms = OPPORTUNISTIC) -> None:
        """Judge the certificate.

        Between mail servers TLS is opportunistic: there a wrong name or issuer is only a warning, unless the domain
        demands TLS (MTA-STS, DANE); then senders refuse to deliver because of it.
        """
        is_relay_port = endpoint.protocol == "smtp" and not endpoint.needs_login
        demanded = Severity.CRITICAL if terms.is_demanded else None
        severity = demanded or (Severity.WARNING if is_relay_port else Severity.ERROR)
        own = Findings(found.target)
        self._judge_time(own, now, demanded or Severity.ERROR, terms)
        self._judge_trust(own, severity, terms)
        self._judge_name(own, endpoint.host, severity, terms)
        self._judge_strength(own, terms)
        found.all += [_pinned(one, terms.pin) for one in own.all] if terms.pin else own.all

    def _judge_time(self, found: Findings, now: datetime, severity: Severity, terms: Terms) -> None:
        begins, ends = self.leaf.not_valid_before_utc, self.leaf.not_valid_after_utc
        days = (ends - now).total_seconds() / 86400
        lifetime = Lifetime((ends - begins).total_seconds() / 86400)
        until = f"{ends:%Y-%m-%d}"
        facts = {
            "expected": lifetime.wanted(lifetime.warning_days),
            "found": span(days),
            "evidence": f"notAfter={ends:%b %d %H:%M:%S %Y} GMT",
        }
        above = [one for one in terms.path[1:] if not one.not_valid_before_utc <= now <= one.not_valid_after_utc]
        if now < begins:
            found.fail(
                "tls.cert_not_yet_valid", f"the certificate is valid only from {begins:%Y-%m-%d %H:%M} UTC", severity
            )
        elif self._secured.verify_code == _NOT_YET and not terms.anchor:
            said = self._secured.why or "a certificate above the server's in its chain is not valid yet"
            found.fail("tls.cert_not_yet_valid", said, severity, fix=_NEW_CHAIN)
        elif now > ends:
            facts["found"] = "none"
            found.fail("tls.cert_expired", f"the certificate expired on {until}, {span(days)} ago", severity, **facts)
        elif self._secured.verify_code == _EXPIRED and not terms.anchor:
            said = self._secured.why or "a certificate above the server's in its chain has expired"
            found.fail("tls.cert_expired", said, severity, fix=_NEW_CHAIN)
        elif above:
            said = f"the CA certificate {_name(above[0].subject)} above the server's is not valid today"
            found.fail("tls.cert_expired", said, severity, fix=_NEW_CHAIN)
        elif days < lifetime.warning_days:
            is_urgent = days < lifetime.error_days
            facts["expected"] = wanted = lifetime.wanted(lifetime.error_days if is_urgent else lifetime.warning_days)
            said = f"the certificate expires in {span(days)} ({until}); {wanted} should be left"
            found.fail("tls.cert_expiring", said, Severity.ERROR if is_urgent else Severity.WARNING, **facts)
        else:
            found.passed("tls.cert_expired", f"the certificate is valid until {until}, {span(days)}", **facts)

    def _judge_trust(self, found: Findings, severity: Severity, terms: Terms) -> None:
        code, issuer = self._secured.verify_code, self.facts.issuer
        evidence = f"OpenSSL {code}: {visible(self._secured.verify_message, 200)}"
        if terms.anchor:
            found.passed("tls.cert_untrusted", f"its chain leads to the CA named in DNS ({terms.anchor}; {issuer})")
        elif code in (0, _NOT_YET, _EXPIRED):
            found.passed("tls.cert_untrusted", f"its chain leads to a CA that is trusted here (issuer {issuer})")
        elif code == _SELF_SIGNED or self.is_self_signed:
            found.fail("tls.cert_self_signed", "the certificate is self-signed", severity, evidence=evidence)
        elif code in (_NO_ISSUER, _NO_LEAF_ISSUER) and len(self.chain) == 1 and self._issuer_urls:
            said = f"only the server's own certificate is sent, not that of its issuer {issuer}"
            found.fail("tls.cert_chain_incomplete", said, severity, evidence=evidence)
        elif code not in UNTRUSTED and self._secured.why:
            found.fail("tls.cert_untrusted", self._secured.why, severity, evidence=evidence)
        else:
            said = f"its issuer {issuer} is not trusted here"
            said += ", and the server sends no chain to one that is" if len(self.chain) == 1 else ""
            found.fail("tls.cert_untrusted", said, severity, evidence=evidence)

    def _judge_name(self, found: Findings, host: str, severity: Severity, terms: Terms) -> None:
        listed = ", ".join((*self.names, *map(str, self.addresses))[:10]) or "no name at all"
        wanted = [host, *terms.names]
        more = {"expected": " or ".join(dict.fromkeys(wanted)), "found": listed}
        right = next(filter(self.is_for, wanted), "")
        if right:
            found.passed("tls.cert_name", f"the certificate is for {right}", **more)
        else:
            found.fail("tls.cert_name", f"the certificate is for {listed}, not for {host}", severity, **more)

    def _judge_strength(self, found: Findings, terms: Terms) -> None:
        kind, bits, is_weak = self.key
        found.judge("tls.cert_weak_key", not is_weak, f"its key is {kind} {bits} bit", f"its key is {kind} {bits} bit")
        path = self._path(terms)
        # The signature of a trusted CA is not verified, nor that of a self-signed one.
        above = path[1:-1] if terms.path or self._verified else path[1:]
        signed = [self.leaf, *(one for one in above if one.issuer != one.subject)]
        weak = next((one for one in signed if _hash_of(one) in _WEAK_HASHES), None)
        said = f"it is signed with {_hash_of(weak or self.leaf)}"
        if weak and weak is not self.leaf:
            said = f"{_name(weak.subject)}, a CA certificate of its chain, is signed with {_hash_of(weak)}"
        found.judge("tls.cert_weak_signature", weak is None, said, said)

    def _path(self, terms: Terms) -> Sequence[x509.Certificate]:
        """Return the certificates that lead from the leaf to a trusted one; others that are sent do not matter.

        If none is trusted, the path is a guess: of several certificates of an issuer the self-signed one, then the one
        that expires last.
        """
        if terms.path:
            return terms.path
        if self._verified:
            return self._verified
        path, left = [self.leaf], list(self.chain[1:])
        while path[-1].issuer != path[-1].subject:
            above = [one for one in left if one.subject == path[-1].issuer]
            if not above:
                break
            path.append(max(above, key=lambda one: (one.issuer == one.subject, one.not_valid_after_utc)))
            left.remove(path[-1])
        return path

    def _read_facts(self) -> TlsFacts:
        kind, bits, _ = self.key
        secured = self._secured
        return TlsFacts(
            secured.version,
            secured.cipher,
            _name(self.leaf.subject),
            _name(self.leaf.issuer),
            (*self.names, *map(str, self.addresses)),
            f"{self.leaf.not_valid_after_utc.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            hashlib.sha256(secured.chain[0]).hexdigest(),
            f"{kind} {bits}",
            _hash_of(self.leaf),
            len(self.chain),
            is_forward_secret(secured),
        )


def read_chain(chain: Sequence[bytes]) -> list[x509.Certificate]:
    """Return the certificates (DER, the leaf first) that can be read; one that cannot hides those behind it."""
    found = []
    for der in chain[:MAX_CERTIFICATES]:
        try:
            one = x509.load_der_x509_certificate(der)
            one.public_key()
        except UNREADABLE:
            break
        found.append(one)
    return found


def matches(host: str, name: str) -> bool:
    """Compare a host with a name of a certificate; `*` stands for exactly one label, the first (RFC 9525 section 6.3).

    >>> matches("mx.example.org", "*.example.org"), matches("a.b.example.org", "*.example.org")
    (True, False)
    """
    wanted, given = host.lower().rstrip("."), name.lower().rstrip(".")
    if len(wanted) > MAX_NAME_CHARS:
        return False
    if not wanted.isascii():
        try:
            wanted = dns_name(wanted)
        except ValueError:
            return False
    if given.startswith("*."):
        return given.count(".") > 1 and wanted.partition(".")[2] == given[2:] and wanted.partition(".")[0] != ""
    return wanted == given


def is_forward_secret(secured: Secured) -> bool:
    """Return whether a key stolen later does not decrypt recorded traffic (RFC 9325 section 4.1)."""
    return secured.version == "TLSv1.3" or secured.cipher.startswith(("ECDHE", "DHE"))


def _pinned(finding: Finding, pin: str) -> Finding:
    """Return a finding about a certificate that DANE pins: a failure that DANE makes irrelevant becomes a pass."""
    if finding.status is not Verdict.FAIL or finding.id not in _PINNED_IDS:
        return finding
    said = f"{finding.message}; irrelevant here, because DANE pins it ({pin}: RFC 7671 section 5.1)"
    return finding._replace(status=Verdict.PASS, severity=None, fix="", message=said)


def _names(leaf: x509.Certificate) -> tuple[tuple[str, ...], tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...]]:
    try:
        listed = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return (), ()
    names = tuple(visible(name, 253) for name in listed.get_values_for_type(x509.DNSName)[:200])
    found = listed.get_values_for_type(x509.IPAddress)[:50]
    return names, tuple(one for one in found if isinstance(one, ipaddress.IPv4Address | ipaddress.IPv6Address))


def _issuer_urls(leaf: x509.Certificate) -> bool:
    """Return whether it has the URL of its issuer's certificate, as those of public CAs with intermediates do."""
    try:
        access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return False
    return any(one.access_method == AuthorityInformationAccessOID.CA_ISSUERS for one in access)


def _key(leaf: x509.Certificate) -> tuple[str, int, bool]:
    """Return kind, bits, and whether it is too weak."""
    key = leaf.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return "RSA", key.key_size, key.key_size < MIN_RSA_BITS
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "EC", key.key_size, key.key_size < MIN_EC_BITS
    if isinstance(key, dsa.DSAPublicKey):
        return "DSA", key.key_size, True
    kind = type(key).__name__.removesuffix("PublicKey").strip("_")
    return kind, 256, False


def _hash_of(certificate: x509.Certificate) -> str:
    try:
        algorithm = certificate.signature_hash_algorithm
    except Exception:  # cryptography raises several exceptions for unknown algorithms
        return "an unknown algorithm"
    return algorithm.name if algorithm else "Ed25519 or Ed448"


def _name(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return visible(str(common[0].value) if common else name.rfc4514_string(), 200)


def now_utc() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)
