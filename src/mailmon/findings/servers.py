"""What may be wrong with a server, how bad it is, and what mends it: one row each. An id `*.x` is of every protocol.

Where the fix depends on the server's software, it stands in fixes.py.
"""

from __future__ import annotations

from mailmon.findings.row import CRITICAL, ERROR, INFO, NOTICE, WARNING, Row

_NAME = "get a certificate for the name that clients use (certbot certonly -d NAME; NixOS: security.acme.certs.NAME)"

ROWS: dict[str, Row] = {
    "dns.host_not_found": Row(ERROR, "publish an A or AAAA record for the host, or correct its name", "RFC 1035"),
    "dns.resolver_error": Row(ERROR, "ask again, or name other servers with --nameserver"),
    "dns.ptr_missing": Row(
        ERROR, "ask whoever gave you the address for a PTR record to the server's name", "RFC 1912 section 2.1"
    ),
    "dns.fcrdns_mismatch": Row(
        WARNING, "let the PTR name have an A or AAAA record with this address", "RFC 8601 section 2.7.3"
    ),
    "dns.ptr_generic": Row(NOTICE, "let the PTR name be the server's own; many receivers distrust pool names"),
    "dns.mx_none": Row(ERROR, "publish an MX record", "RFC 5321 section 5.1"),
    "dns.mx_dangling": Row(
        ERROR, "give the MX host an address, or remove it from the MX records", "RFC 5321 section 5.1"
    ),
    "dns.mx_private": Row(ERROR, "let the MX host have a public address"),
    "tcp.unreachable": Row(ERROR, "start the service, or open the port in the firewall"),
    "tcp.ipv6_unreachable": Row(NOTICE),
    "*.timeout": Row(ERROR),
    "*.connection_lost": Row(ERROR, "look into the server's log at this time"),
    "*.protocol_error": Row(
        ERROR, "see that the mail server, and nothing else, answers on this port", "RFC 5321 section 4.2"
    ),
    "*.greeting_rejected": Row(ERROR, "the server's words say why; a block list or a limit may hold our address"),
    "*.plaintext_on_tls_port": Row(ERROR, reference="RFC 8314 section 3"),
    "*.tls_on_plain_port": Row(ERROR),
    "*.starttls_missing": Row(ERROR, reference="RFC 8314 section 3.3"),
    "*.starttls_refused": Row(ERROR, "the log says why: often a key or certificate file that cannot be read"),
    "*.starttls_injection": Row(CRITICAL, "update the server: it runs what was sent before TLS", "CVE-2011-0411"),
    "*.auth_before_tls": Row(ERROR, reference="RFC 8314 section 3.2"),
    "*.any_password_accepted": Row(CRITICAL, "take the server off the network and repair its password database"),
    "*.login_refused": Row(ERROR, "check the account's name and password"),
    "imap.preauth": Row(
        WARNING, "no network listener may preauthenticate: it makes STARTTLS impossible", "CVE-2021-33515"
    ),
    "smtp.banner_mismatch": Row(NOTICE, reference="RFC 5321 section 4.2"),
    "smtp.ehlo_invalid": Row(WARNING, reference="RFC 5321 section 4.1.1.1"),
    "smtp.ehlo_refused": Row(ERROR, "let the server answer EHLO: without it there is no TLS", "RFC 5321 section 3.2"),
    "smtp.slow_banner": Row(WARNING, "greet within 10 s: some senders give up; look at DNS look-ups and greet delays"),
    "smtp.ext_missing": Row(NOTICE, reference="RFC 5321, 6531"),
    "smtp.control_characters": Row(NOTICE, "keep replies to printable characters", "RFC 5321 section 4.2"),
    "smtp.line_too_long": Row(NOTICE, "keep reply lines within 512 octets", "RFC 5321 section 4.5.3.1.5"),
    "smtp.vrfy_enabled": Row(WARNING, reference="RFC 5321 section 7.3"),
    "smtp.open_relay": Row(CRITICAL, reference="RFC 5321 section 7.1"),
    "smtp.smuggling": Row(CRITICAL, reference="CVE-2023-51764"),
    "tls.handshake_failed": Row(
        ERROR, "openssl s_client -connect HOST:PORT (-starttls PROTOCOL) shows the same; see the log"
    ),
    "tls.client_cert_required": Row(ERROR, reference="RFC 8446 section 4.3.2"),
    "tls.cert_expired": Row(ERROR),
    "tls.cert_not_yet_valid": Row(ERROR, "compare the clocks; else issue the certificate anew"),
    "tls.cert_expiring": Row(WARNING),
    "tls.cert_name": Row(ERROR, _NAME, "RFC 9525"),
    "tls.cert_self_signed": Row(ERROR, _NAME, "RFC 5280 section 6"),
    "tls.cert_untrusted": Row(
        ERROR, "use a certificate of a public CA, or give clients the CA's certificate", "RFC 5280 section 6"
    ),
    "tls.cert_chain_incomplete": Row(ERROR, reference="RFC 8446 section 4.4.2"),
    "tls.cert_weak_key": Row(ERROR, "make a new key: EC P-256, or RSA with at least 2048 bits", "RFC 9325 section 4.5"),
    "tls.cert_weak_signature": Row(WARNING, "get a certificate that is signed with SHA-256 or better", "RFC 9155"),
    "tls.cert_differs_between_ports": Row(
        WARNING, "let all services read the same file, and reload all of them when it is renewed"
    ),
    "tls.old_version": Row(WARNING, reference="RFC 8996"),
    "tls.no_tls13": Row(
        NOTICE, "update OpenSSL to 1.1.1 or newer, or no longer exclude TLS 1.3", "RFC 9325 section 3.1.1"
    ),
    "tls.weak_dh": Row(WARNING, reference="RFC 9325 section 4.1"),
    "tls.no_forward_secrecy": Row(WARNING, "allow ECDHE cipher suites", "RFC 9325 section 4.1"),
    "dane.tlsa_mismatch": Row(ERROR, "publish a TLSA record of the present key (3 1 1) before it is used", "RFC 7672"),
    "dane.tlsa_without_dnssec": Row(
        NOTICE, "sign the zone, or ask a resolver that validates: TLSA counts only with DNSSEC"
    ),
    "dnsbl.listed": Row(ERROR, "mend the cause first, then ask the list for removal"),
    "dnsbl.unavailable": Row(INFO, "ask a resolver of your own: public ones are refused by most lists"),
}
