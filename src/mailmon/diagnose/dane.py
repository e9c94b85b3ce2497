"""Do the TLSA records fit the certificate that is served? (RFC 6698, RFC 7672)"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mailmon.catalogue import Findings
from mailmon.clients.records import Answer, Records, is_address
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
        usable = usable_for_mail(answer)
        if not usable:
            continue
        if not answer.is_authentic:
            found.fail(
                "dane.tlsa_without_dnssec", "its TLSA record is not validated by DNSSEC here, so it counts for nothing"
            )
        judge_fit(found, answer, endpoint.port, secured.chain)


def usable_for_mail(answer: Answer) -> list[str]:
    """Return the TLSA records whose usage counts between mail servers (RFC 7672 section 3.1)."""
    return [value for value in answer.values if value.split(" ", 1)[0] in ("2", "3")]


def judge_fit(found: Findings, answer: Answer, port: int, chain: Sequence[bytes]) -> None:
    """Compare the TLSA records of a port with the certificates that its server sent."""
    usable = usable_for_mail(answer)
    if any(fits(value, chain) for value in usable):
        found.passed("dane.tlsa_mismatch", f"a TLSA record of port {port} fits the certificate")
        return
    severity = Severity.CRITICAL if answer.is_authentic else Severity.ERROR
    said = f"no TLSA record of port {port} fits the certificate: who checks DANE sends no mail"
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
