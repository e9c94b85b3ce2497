"""The TLS that senders demand of an MX host: by MTA-STS (RFC 8461) and DANE (RFC 7672)."""

from __future__ import annotations

from collections.abc import Sequence

from mailmon.clients.records import Answer, Answered, Records, is_address
from mailmon.diagnose.certificate import OPPORTUNISTIC, Terms
from mailmon.diagnose.dane import authenticate, usable_for_mail
from mailmon.diagnose.mta_sts import MtaStsPolicy
from mailmon.model.diagnosis import Endpoint
from mailmon.model.findings import Finding, Severity, Verdict

# No TLS: up to the senders, unless the domain demands it.
_NO_TLS = ("smtp.starttls_missing", "smtp.starttls_refused", "smtp.ehlo_refused", "tls.handshake_failed")
_NOTHING = Answer(Answered.NODATA)


class TlsPolicy:
    """The demands on the ports for mail between servers; ports for logins have none of these.

    `tlsa_port` is the port whose TLSA records apply, by default that of the endpoint.
    """

    def __init__(self, records: Records, domain: str, sts: MtaStsPolicy | None = None, tlsa_port: int = 0) -> None:
        self._records, self._domain, self._sts, self._tlsa_port = records, domain, sts, tlsa_port

    def weighed(self, endpoint: Endpoint, findings: Sequence[Finding]) -> list[Finding]:
        """Return findings; those that keep senders away that deliver only by TLS become critical.

        TLSA records demand TLS even where none of them is usable (RFC 7672 section 2.2).
        """
        broken = [one for one in findings if one.id in _NO_TLS and one.status is Verdict.FAIL]
        if not broken or not _is_relay(endpoint) or not (self._is_enforced or self._tlsa(endpoint).values):
            return list(findings)
        why = "many senders hold mail back, because MTA-STS or DANE demands TLS"
        return [
            one._replace(severity=Severity.CRITICAL, message=f"{one.message}; {why}") if one in broken else one
            for one in findings
        ]

    def terms(self, endpoint: Endpoint, chain: Sequence[bytes]) -> Terms:
        """Return what senders require of the certificate of a server (DER, the leaf first).

        A certificate that DANE authenticates needs no CA; unless MTA-STS is enforced, as many senders know only that.
        """
        if not _is_relay(endpoint):
            return OPPORTUNISTIC
        usable = usable_for_mail(self._tlsa(endpoint))
        if self._is_enforced or not usable:
            return Terms(is_demanded=self._is_enforced)
        match = authenticate(usable, chain)
        if match is None:
            return Terms(is_demanded=True)
        pin = f"TLSA {match.record.name}"
        if match.is_pin:
            return Terms(pin=pin)
        # The next-hop domain is a name too (RFC 7672 section 3.2.2).
        return Terms(is_demanded=True, anchor=pin, path=match.path, names=tuple(filter(None, (self._domain,))))

    @property
    def _is_enforced(self) -> bool:
        return self._sts is not None and self._sts.mode() == "enforce"

    def _tlsa(self, endpoint: Endpoint) -> Answer:
        """Return the TLSA records, none if DNSSEC does not validate them."""
        if is_address(endpoint.host):
            return _NOTHING
        answer = self._records.ask(f"_{self._tlsa_port or endpoint.port}._tcp.{endpoint.host}", "TLSA")
        return answer if answer.is_authentic else _NOTHING


def _is_relay(endpoint: Endpoint) -> bool:
    return endpoint.protocol == "smtp" and not endpoint.needs_login
