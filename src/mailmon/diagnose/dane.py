"""Do the TLSA records fit the certificate that is served? (RFC 6698, RFC 7672)"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mailmon.clients.records import Records, is_address
from mailmon.diagnose.catalogue import Findings
from mailmon.diagnose.certificate import UNREADABLE
from mailmon.diagnose.session import Session
from mailmon.model.facts import Severity


def judge_tlsa(found: Findings, sessions: Sequence[Session], records: Records) -> None:
    """Compare TLSA records with what each SMTP port shows (RFC 6698, RFC 7672)."""
    for one in sessions:
        endpoint, secured = one.endpoint, one.secured
        if endpoint.protocol != "smtp" or not secured or is_address(endpoint.host):
            continue
        answer = records.ask(f"_{endpoint.port}._tcp.{endpoint.host}", "TLSA")
        usable = [value for value in answer.values if value.split(" ", 1)[0] in ("2", "3")]
        if not usable:
            continue
        if not answer.is_authentic:
            found.fail(
                "dane.tlsa_without_dnssec", "its TLSA record is not validated by DNSSEC here, so it counts for nothing"
            )
        if any(fits(value, secured.chain) for value in usable):
            found.passed("dane.tlsa_mismatch", f"a TLSA record of port {endpoint.port} fits the certificate")
            continue
        severity = Severity.CRITICAL if answer.is_authentic else Severity.ERROR
        said = f"no TLSA record of port {endpoint.port} fits the certificate: who checks DANE sends no mail"
        found.fail("dane.tlsa_mismatch", said, severity, found="; ".join(usable)[:300])


def fits(value: str, chain: Sequence[bytes]) -> bool:
    """Say whether a TLSA record, as its text, fits the certificates that a server sent, the leaf first."""
    usage, selector, matching, *digest = value.split()
    wanted = "".join(digest).lower()
    for der in chain[:1] if usage == "3" else chain:
        try:
            key = x509.load_der_x509_certificate(der).public_key()
        except UNREADABLE:
            continue
        data = der if selector == "0" else key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        forms = {"0": data.hex(), "1": hashlib.sha256(data).hexdigest(), "2": hashlib.sha512(data).hexdigest()}
        if forms.get(matching) == wanted:
            return True
    return False
