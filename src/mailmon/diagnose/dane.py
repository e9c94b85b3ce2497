"""DANE for SMTP: TLSA records compared with the certificates of a server (RFC 6698, RFC 7671, RFC 7672)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from mailmon.clients.records import Answer
from mailmon.diagnose.certificate import UNREADABLE, read_chain
from mailmon.diagnose.handshake import Secured
from mailmon.findings import Findings
from mailmon.mail.records.tlsa import END_ENTITY, FULL, PUBLIC_KEY, TRUST_ANCHOR, WHOLE_CERTIFICATE, Tlsa, read_tlsa
from mailmon.model.findings import Severity

# Certificates published in DNS as a whole that are tried as issuers.
MAX_PUBLISHED = 20


class Match(NamedTuple):
    """The record that authenticates a server; `path` leads from its certificate to the one that the record names.

    If the record holds a bare key (2 1 0), the path ends with the certificate that this key has signed.
    """

    record: Tlsa
    path: tuple[x509.Certificate, ...]

    @property
    def is_pin(self) -> bool:
        """Return whether the record names the server's own certificate (DANE-EE): then nothing else in it matters."""
        return self.record.usage == END_ENTITY


def usable_for_mail(answer: Answer) -> list[Tlsa]:
    """Return the TLSA records that mail servers use (RFC 7672 section 3.1)."""
    found = [read_tlsa(value) for value in answer.values]
    return [one for one in found if one and not one.why_unusable]


def why_unusable(answer: Answer) -> str:
    """Return why senders use none of the records."""
    found = [read_tlsa(value) for value in answer.values]
    return "; ".join(dict.fromkeys(one.why_unusable if one else "it cannot be read" for one in found))[:300]


def authenticate(records: Sequence[Tlsa], chain: Sequence[bytes]) -> Match | None:
    """Return the record that authenticates the server with this chain (DER, the leaf first), None if none does.

    DANE-EE (3) wins, because dates, names and chain are irrelevant then (RFC 7671 section 5.1). DANE-TA (2) needs
    signatures from the leaf up to the certificate or key that the record names; names and dates are the caller's to
    judge. The leaf itself is not a trust anchor, as in OpenSSL.
    """
    sent = read_chain(chain)
    leaf = sent[0] if sent else None
    for record in records:
        if record.usage == END_ENTITY and chain and _is_of(record, chain[0], leaf):
            return Match(record, (leaf,) if leaf else ())
    anchors = [one for one in records if one.usage == TRUST_ANCHOR]
    return _lead_to(anchors, sent) if anchors and leaf else None


def fits(record: Tlsa, chain: Sequence[bytes]) -> bool:
    """Return whether a record names a certificate of a chain (DER, the leaf first), whoever signed it."""
    sent = read_chain(chain)
    if record.usage == END_ENTITY:
        return bool(chain) and _is_of(record, chain[0], sent[0] if sent else None)
    return any(_is_of(record, None, one) for one in sent[1:])


def judge_records(found: Findings, answer: Answer, of: str) -> bool:
    """Judge TLSA records by themselves; return whether they are usable. `of` names their port or host in messages."""
    if not usable_for_mail(answer):
        said = f"senders use no TLSA record of {of}: {why_unusable(answer)}"
        found.fail("dane.tlsa_unusable", said, found="; ".join(answer.values)[:300])
        return False
    if not answer.is_authentic:
        said = f"the TLSA records of {of} are not validated by DNSSEC here, so senders ignore them"
        found.fail("dane.tlsa_without_dnssec", said)
    return True


def judge_chain(found: Findings, answer: Answer, port: int, secured: Secured) -> None:
    """Compare the TLSA records of a port with the certificates that its server sent."""
    usable = usable_for_mail(answer)
    match = authenticate(usable, secured.chain)
    if match and not authenticate(_strongest(usable), secured.chain):
        said = f"{match.record.name} matches the certificate, but a stronger digest published beside it does not"
        said += ": senders may look only at the stronger one (RFC 7671 section 9)"
        found.fail("dane.tlsa_mismatch", f"port {port}: {said}", Severity.WARNING, found=_listed(usable))
        return
    if match:
        found.passed(
            "dane.tlsa_mismatch", f"a TLSA record of port {port} ({match.record.name}) matches the certificate"
        )
        return
    severity = Severity.CRITICAL if answer.is_authentic else Severity.ERROR
    said = f"no TLSA record of port {port} matches the certificate{_hint(usable, secured)}"
    found.fail("dane.tlsa_mismatch", f"{said}: senders that check DANE send no mail", severity, found=_listed(usable))


def records_to_publish(answer: Answer, chains: Sequence[Sequence[bytes]]) -> tuple[str, ...]:
    """Return the TLSA records that should be published for these chains: those there, or one for each key (3 1 1).

    Records of future and retired keys, and of other usages, are kept: they are as valid as a proposed one.
    """
    usable = usable_for_mail(answer)
    matches = [(chain, authenticate(usable, chain)) for chain in chains if chain]
    lacking = {_record_of(leaf) for chain, match in matches if not match for leaf in read_chain(chain[:1])}
    if not lacking:
        return answer.values
    right = {match.record for _, match in matches if match}
    kept = [text for text in answer.values if read_tlsa(text) in right]
    return (*kept, *sorted(lacking))


def _record_of(leaf: x509.Certificate) -> str:
    return f"3 1 1 {hashlib.sha256(_key_of(leaf)).hexdigest()}"


def _listed(records: Sequence[Tlsa]) -> str:
    return "; ".join(f"{one.name} {one.data.hex()[:64]}" for one in records)[:300]


def _strongest(records: Sequence[Tlsa]) -> list[Tlsa]:
    """Return the records that OpenSSL uses: of the digests with one usage and selector only the strongest."""
    best: dict[tuple[int, int], int] = {}
    for one in records:
        best[one.usage, one.selector] = max(one.matching, best.get((one.usage, one.selector), FULL))
    return [one for one in records if one.matching in (FULL, best[one.usage, one.selector])]


def _hint(usable: Sequence[Tlsa], secured: Secured) -> str:
    """Return which record nearly matches: that is a different mistake from a forgotten record."""
    chain = secured.chain
    for record in usable:
        other = record._replace(usage=END_ENTITY if record.usage == TRUST_ANCHOR else TRUST_ANCHOR)
        if fits(other, chain):
            whose = "the server's own certificate" if other.usage == END_ENTITY else "the certificate of a CA"
            return f" ({record.name} names {whose}, which needs usage {other.usage})"
        if record.usage == TRUST_ANCHOR and fits(record, chain):
            return f" ({record.name} names a certificate that is sent, but did not issue the server's)"
        if record.usage == TRUST_ANCHOR and fits(record, secured.path):
            return f" ({record.name} names a CA's certificate that must be sent too, but is not)"
    return ""


def _is_of(record: Tlsa, der: bytes | None, certificate: x509.Certificate | None) -> bool:
    """Return whether a record is of this certificate or its key; a whole one can be compared even if unreadable."""
    if record.selector == WHOLE_CERTIFICATE:
        data = der or (certificate.public_bytes(Encoding.DER) if certificate else None)
    else:
        data = _key_of(certificate) if certificate else None
    return data is not None and record.data == _digests(data)[record.matching]


def _digests(data: bytes) -> tuple[bytes, bytes, bytes]:
    return data, hashlib.sha256(data).digest(), hashlib.sha512(data).digest()


def _key_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _lead_to(anchors: Sequence[Tlsa], sent: Sequence[x509.Certificate]) -> Match | None:
    """Follow the signatures up from the leaf; each certificate is tried once."""
    waiting: list[tuple[x509.Certificate, ...]] = [(sent[0],)]
    others = [*sent[1:], *_published(anchors)]
    while waiting:
        path = waiting.pop()
        for record in anchors:
            if len(path) > 1 and _is_of(record, None, path[-1]):
                return Match(record, path)
            if (record.selector, record.matching) == (PUBLIC_KEY, FULL) and _has_signed(record.data, path[-1]):
                return Match(record, path)
        # Of several certificates of one CA the one that expires last is tried first.
        issuers = sorted((one for one in others if _is_issuer(one, path[-1])), key=lambda one: one.not_valid_after_utc)
        others = [one for one in others if one not in issuers]
        waiting += [(*path, one) for one in issuers]
    return None


def _published(anchors: Sequence[Tlsa]) -> Iterator[x509.Certificate]:
    """Yield the certificates that are published whole in DNS (2 0 0): these need not be sent (RFC 7671 section 5.2)."""
    for record in anchors[:MAX_PUBLISHED]:
        if (record.selector, record.matching) == (WHOLE_CERTIFICATE, FULL):
            yield from read_chain((record.data,))


def _is_issuer(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Return whether a certificate is that of a CA, and has signed another one."""
    try:
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, x509.ExtensionNotFound, *UNREADABLE):
        return False
    return constraints.ca


def _has_signed(key: bytes, certificate: x509.Certificate) -> bool:
    """Return whether a bare key (DER) has signed a certificate."""
    signature, signed = certificate.signature, certificate.tbs_certificate_bytes
    try:
        public, digest = load_der_public_key(key), certificate.signature_hash_algorithm
        if isinstance(public, rsa.RSAPublicKey) and digest:
            parameters = certificate.signature_algorithm_parameters
            method = parameters if isinstance(parameters, padding.PSS) else padding.PKCS1v15()
            public.verify(signature, signed, method, digest)
        elif isinstance(public, ec.EllipticCurvePublicKey) and digest:
            public.verify(signature, signed, ec.ECDSA(digest))
        elif isinstance(public, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            public.verify(signature, signed)
        else:
            return False
    except (InvalidSignature, *UNREADABLE):
        return False
    return True
