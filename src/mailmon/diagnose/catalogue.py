"""How bad is a finding by itself, what mends it, and where is that written?

One row each; an id that is meant for every protocol begins with `*`. Fixes can be copied.
"""

from __future__ import annotations

from typing import NamedTuple

from mailmon.model.facts import Finding, Severity, Verdict

_CRITICAL, _ERROR, _WARNING, _NOTICE, _INFO = (
    Severity.CRITICAL,
    Severity.ERROR,
    Severity.WARNING,
    Severity.NOTICE,
    Severity.INFO,
)


class Row(NamedTuple):
    """What is the same wherever a finding is made."""

    severity: Severity
    fix: str = ""
    reference: str = ""


_RENEW = (
    "renew the certificate, then: postfix reload; doveadm reload (NixOS: security.acme renews and reloads by itself)"
)
_NAME = "get a certificate for the name that clients use (certbot certonly -d NAME; NixOS: security.acme.certs.NAME)"
_CHAIN = "serve the whole chain: fullchain.pem in smtpd_tls_chain_files (Postfix) and ssl_cert (Dovecot)"
_TLS_ONLY = "Postfix: smtpd_tls_auth_only = yes. Dovecot: auth_allow_cleartext = no (2.3: disable_plaintext_auth = yes)"
_OLD = (
    "Postfix: smtpd_tls_protocols = >=TLSv1.2, smtpd_tls_mandatory_protocols = >=TLSv1.2. "
    "Dovecot: ssl_min_protocol = TLSv1.2"
)
_STARTTLS = (
    "Postfix: smtpd_tls_chain_files = KEY, CERT and smtpd_tls_security_level = may. Dovecot: ssl = required, "
    "ssl_cert = <FILE, ssl_key = <FILE"
)
_SMUGGLING = "Postfix: smtpd_forbid_bare_newline = normalize (3.9, or a 3.5 to 3.8 with that backport); else update"

ROWS: dict[str, Row] = {
    "dns.host_not_found": Row(_ERROR, "publish an A or AAAA record for the host, or correct its name", "RFC 1035"),
    "dns.resolver_error": Row(_ERROR, "ask again, or name other servers with --nameserver"),
    "dns.ptr_missing": Row(
        _ERROR, "ask whoever gave you the address for a PTR record to the server's name", "RFC 1912 section 2.1"
    ),
    "dns.fcrdns_mismatch": Row(
        _WARNING, "let the PTR name have an A or AAAA record with this address", "RFC 8601 section 2.7.3"
    ),
    "dns.ptr_generic": Row(_NOTICE, "let the PTR name be the server's own; many receivers distrust pool names"),
    "dns.mx_none": Row(_ERROR, "publish an MX record", "RFC 5321 section 5.1"),
    "dns.mx_dangling": Row(
        _ERROR, "give the MX host an address, or remove it from the MX records", "RFC 5321 section 5.1"
    ),
    "dns.mx_private": Row(_ERROR, "let the MX host have a public address"),
    "tcp.unreachable": Row(_ERROR, "start the service, or open the port in the firewall"),
    "tcp.ipv6_unreachable": Row(
        _NOTICE, "let the service listen on IPv6 (Postfix: inet_protocols = all), or drop the AAAA"
    ),
    "*.timeout": Row(_ERROR),
    "*.connection_lost": Row(_ERROR, "look into the server's log at this time"),
    "*.protocol_error": Row(
        _ERROR, "see that the mail server, and nothing else, answers on this port", "RFC 5321 section 4.2"
    ),
    "*.greeting_rejected": Row(_ERROR, "the server's words say why; a block list or a limit may hold our address"),
    "*.plaintext_on_tls_port": Row(
        _ERROR,
        "Postfix, master.cf: smtps inet n - y - - smtpd -o smtpd_tls_wrappermode=yes. Dovecot: ssl = yes in the "
        "inet_listener",
        "RFC 8314 section 3",
    ),
    "*.tls_on_plain_port": Row(
        _ERROR, "Postfix, master.cf: no smtpd_tls_wrappermode on this port. Dovecot: no ssl = yes in this inet_listener"
    ),
    "*.starttls_missing": Row(_ERROR, _STARTTLS, "RFC 8314 section 3.3"),
    "*.starttls_refused": Row(_ERROR, "the log says why: often a key or certificate file that cannot be read"),
    "*.starttls_injection": Row(_CRITICAL, "update the server: it runs what was sent before TLS", "CVE-2011-0411"),
    "*.auth_before_tls": Row(_ERROR, _TLS_ONLY, "RFC 8314 section 3.2"),
    "*.any_password_accepted": Row(_CRITICAL, "take the server off the network and repair its password database"),
    "*.login_refused": Row(_ERROR, "check the account's name and password"),
    "imap.preauth": Row(
        _WARNING, "no network listener may preauthenticate: it makes STARTTLS impossible", "CVE-2021-33515"
    ),
    "smtp.banner_mismatch": Row(
        _WARNING, "Postfix: myhostname = the name that the address resolves from", "RFC 5321 section 4.2"
    ),
    "smtp.ehlo_invalid": Row(_WARNING, "Postfix: myhostname = a full host name", "RFC 5321 section 4.1.1.1"),
    "smtp.ehlo_refused": Row(_ERROR, "let the server answer EHLO: without it there is no TLS", "RFC 5321 section 3.2"),
    "smtp.slow_banner": Row(_WARNING, "greet within 10 s: some senders give up; look at DNS look-ups and greet delays"),
    "smtp.ext_missing": Row(
        _NOTICE, "Postfix offers them by default: see smtpd_discard_ehlo_keywords", "RFC 5321, 6531"
    ),
    "smtp.control_characters": Row(_NOTICE, "keep replies to printable characters", "RFC 5321 section 4.2"),
    "smtp.line_too_long": Row(_NOTICE, "keep reply lines within 512 octets", "RFC 5321 section 4.5.3.1.5"),
    "smtp.vrfy_enabled": Row(_WARNING, "Postfix: disable_vrfy_command = yes", "RFC 5321 section 7.3"),
    "smtp.open_relay": Row(
        _CRITICAL,
        "Postfix: smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
        "RFC 5321 section 7.1",
    ),
    "smtp.smuggling": Row(_CRITICAL, _SMUGGLING, "CVE-2023-51764"),
    "tls.handshake_failed": Row(
        _ERROR, "openssl s_client -connect HOST:PORT (-starttls PROTOCOL) shows the same; see the log"
    ),
    "tls.cert_expired": Row(_ERROR, _RENEW),
    "tls.cert_not_yet_valid": Row(_ERROR, "compare the clocks; else issue the certificate anew"),
    "tls.cert_expiring": Row(_WARNING, _RENEW),
    "tls.cert_name": Row(_ERROR, _NAME, "RFC 9525"),
    "tls.cert_self_signed": Row(_ERROR, _NAME, "RFC 5280 section 6"),
    "tls.cert_untrusted": Row(
        _ERROR, "use a certificate of a public CA, or give clients the CA's certificate", "RFC 5280 section 6"
    ),
    "tls.cert_chain_incomplete": Row(_ERROR, _CHAIN, "RFC 8446 section 4.4.2"),
    "tls.cert_weak_key": Row(
        _ERROR, "make a new key: EC P-256, or RSA with at least 2048 bits", "RFC 9325 section 4.5"
    ),
    "tls.cert_weak_signature": Row(_WARNING, "get a certificate that is signed with SHA-256 or better", "RFC 9155"),
    "tls.cert_differs_between_ports": Row(
        _WARNING, "let all services read the same file, and reload all of them when it is renewed"
    ),
    "tls.old_version": Row(_WARNING, _OLD, "RFC 8996"),
    "tls.no_tls13": Row(
        _NOTICE, "update OpenSSL to 1.1.1 or newer, or no longer exclude TLS 1.3", "RFC 9325 section 3.1.1"
    ),
    "tls.no_forward_secrecy": Row(_WARNING, "allow ECDHE cipher suites", "RFC 9325 section 4.1"),
    "dane.tlsa_mismatch": Row(_ERROR, "publish a TLSA record of the present key (3 1 1) before it is used", "RFC 7672"),
    "dane.tlsa_without_dnssec": Row(
        _NOTICE, "sign the zone, or ask a resolver that validates: TLSA counts only with DNSSEC"
    ),
    "dnsbl.listed": Row(_ERROR, "mend the cause first, then ask the list for removal"),
    "dnsbl.unavailable": Row(_INFO, "ask a resolver of your own: public ones are refused by most lists"),
}


def row(finding_id: str) -> Row:
    """Return the row of an id, that of all protocols where it has none of its own."""
    return ROWS.get(finding_id) or ROWS.get(f"*.{finding_id.partition('.')[2]}") or Row(_ERROR)


class Findings:
    """Collects what is found out about one target."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.all: list[Finding] = []

    def fail(self, finding_id: str, message: str, severity: Severity | None = None, **more: str) -> None:
        """Something is wrong; fix and reference are those of the catalogue, and the severity unless given."""
        known = row(finding_id)
        finding = self._finding(finding_id, Verdict.FAIL, message, more)
        self.all.append(finding._replace(severity=severity or known.severity, fix=known.fix, reference=known.reference))

    def passed(self, finding_id: str, message: str, **more: str) -> None:
        """It was looked at, and is well."""
        self.all.append(self._finding(finding_id, Verdict.PASS, message, more))

    def unknown(self, finding_id: str, message: str, **more: str) -> None:
        """It could not be told from here."""
        self.all.append(self._finding(finding_id, Verdict.UNKNOWN, message, more))

    def skipped(self, finding_id: str, message: str) -> None:
        """It was not asked, because of something else."""
        self.all.append(self._finding(finding_id, Verdict.SKIPPED, message, {}))

    def judge(self, finding_id: str, is_good: bool, good: str, bad: str, **more: str) -> None:
        """Pass or fail."""
        if is_good:
            self.passed(finding_id, good, **more)
        else:
            self.fail(finding_id, bad, None, **more)

    def _finding(self, finding_id: str, status: Verdict, message: str, more: dict[str, str]) -> Finding:
        said = f"{self.target}: {message}"
        evidence, expected, found = (more.get(name, "") for name in ("evidence", "expected", "found"))
        return Finding(finding_id, status, self.target, said, None, evidence, expected, found)
