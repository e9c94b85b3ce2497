"""Findings about a mail server: its connections, TLS, names, and what a stranger may do there."""

from __future__ import annotations

from mailmon.findings.row import (
    CHECK,
    CRITICAL,
    DIAGNOSE,
    DNS,
    ERROR,
    NOTICE,
    SESSIONS,
    WARNING,
    Group,
    Row,
)

_NAME = "get a certificate for the name that clients use (certbot certonly -d NAME; NixOS: security.acme.certs.NAME)"
_RENEW = "renew the certificate and let the server read it again (NixOS: security.acme does both)"
_RELAYS = "warning between mail servers (port 25)"
_STRICT = "critical on port 25 where MTA-STS or DANE demands TLS"

REACHING = Group(
    "Reaching a server",
    (CHECK, DIAGNOSE),
    (
        Row(
            "dns.host_not_found",
            ERROR,
            "Host name not found",
            "The host name does not exist, or has no address (NXDOMAIN or NODATA).",
            "publish an A or AAAA record for the host, or correct its name",
            "RFC 1035",
        ),
        Row(
            "dns.resolver_error",
            ERROR,
            "Name servers do not answer",
            "The name servers did not answer within 10 s, or answered with an error. Unknown where the cause is "
            "on this machine.",
            "try again, or use other name servers with --nameserver",
        ),
        Row(
            "tcp.unreachable",
            ERROR,
            "Port unreachable",
            "Nothing answers on the port: the connection was refused or timed out, or there is no route.",
            "start the service, or open the port in the firewall",
            varies="unknown where the cause is on this machine",
        ),
        Row(
            f"{SESSIONS}.timeout",
            ERROR,
            "No reply in time",
            "A command was not answered within its time. `mailmon diagnose` reports it as unknown.",
            "check the load of the server and its log at this time",
        ),
        Row(
            f"{SESSIONS}.connection_lost",
            ERROR,
            "Connection lost",
            "The server closed or broke the connection.",
            "check the server's log at this time",
        ),
        Row(
            f"{SESSIONS}.protocol_error",
            ERROR,
            "Not a reply of this protocol",
            "The server sent something that is not a valid reply.",
            "make sure that the mail server, and nothing else, answers on this port",
            "RFC 5321 section 4.2",
        ),
        Row(
            f"{SESSIONS}.greeting_rejected",
            ERROR,
            "Refused at the greeting",
            "The greeting was a refusal (421, 554, BYE). `mailmon diagnose` reports it as unknown where it names this "
            "machine's address or a block list.",
            "the reply says why: this machine's address may be on a block list or above a limit",
            varies="warning for a 4xx",
        ),
        Row(
            "smtp.ehlo_refused",
            ERROR,
            "EHLO refused",
            "The server does not accept EHLO, so it offers no extensions and no TLS.",
            "let the server answer EHLO: without it there is no TLS",
            "RFC 5321 section 3.2",
            "warning where another name may be accepted",
        ),
    ),
)

CERTIFICATES = Group(
    "TLS and certificates",
    (CHECK, DIAGNOSE, DNS),
    (
        Row(
            "tls.cert_expired",
            ERROR,
            "Certificate expired",
            "The certificate is past its end date.",
            _RENEW,
            "RFC 5280 section 4.1.2.5",
            _STRICT,
        ),
        Row(
            "tls.cert_not_yet_valid",
            ERROR,
            "Certificate not valid yet",
            "The certificate's start date is in the future.",
            "compare the clocks; if they are right, have the certificate issued again",
            "RFC 5280 section 4.1.2.5",
            _STRICT,
        ),
        Row(
            "tls.cert_expiring",
            WARNING,
            "Certificate about to expire",
            "Less than a quarter of the certificate's lifetime is left, at most 21 days (`certificate_days`). Reported "
            "again below a twelfth, at most 7 days. `mailmon check` alerts once per certificate, however many ports "
            "show it, and counts it as failed below a twelfth, at most 3 days (`certificate_critical_days`).",
            _RENEW,
            "RFC 8314 section 3",
            "error below a twelfth of the lifetime, at most 7 days (`mailmon diagnose`)",
        ),
        Row(
            "tls.cert_name",
            ERROR,
            "Certificate for another name",
            "The certificate does not name the host or address that was connected to.",
            _NAME,
            "RFC 9525",
            f"{_RELAYS}; {_STRICT}",
        ),
        Row(
            "tls.cert_self_signed",
            ERROR,
            "Self-signed certificate",
            "The certificate is self-signed. mailmon accepts it with `ca_file` or `tls_sha256`.",
            _NAME,
            "RFC 5280 section 6",
            f"{_RELAYS}; {_STRICT}",
        ),
        Row(
            "tls.cert_untrusted",
            ERROR,
            "Certificate not trusted",
            "The chain does not lead to a CA that is trusted here.",
            "use a certificate from a public CA, or give clients the CA's certificate",
            "RFC 5280 section 6",
            f"{_RELAYS}; {_STRICT}",
        ),
        Row(
            "tls.cert_chain_incomplete",
            ERROR,
            "Incomplete certificate chain",
            "The server does not send the intermediate certificates.",
            "serve the whole chain: the certificate, then its intermediates",
            "RFC 8446 section 4.4.2",
            _RELAYS,
        ),
        Row(
            "tls.cert_weak_key",
            ERROR,
            "Weak key in a certificate",
            "An RSA key under 2048 bits, an EC key under 224 bits, or DSA.",
            "make a new key: EC P-256, or RSA with at least 2048 bits",
            "RFC 9325 section 4.5",
        ),
        Row(
            "tls.cert_weak_signature",
            WARNING,
            "Weak signature on a certificate",
            "The certificate, or a CA certificate between it and the trusted root, is signed with SHA-1 or MD5.",
            "get a certificate that is signed with SHA-256 or better",
            "RFC 9155",
            "error where TLS fails because of it",
        ),
        Row(
            "tls.handshake_failed",
            ERROR,
            "TLS handshake failed",
            "No TLS connection could be established.",
            "run openssl s_client -connect HOST:PORT (-starttls PROTOCOL), and check the server's log",
            "RFC 8446",
        ),
        Row(
            "tls.client_cert_required",
            ERROR,
            "Client certificate required",
            "The server demands a certificate of the client, and mailmon has none.",
            "let the server do without a certificate of the client on this port",
            "RFC 8446 section 4.3.2",
        ),
        Row(
            "tls.old_version",
            WARNING,
            "Old TLS version accepted",
            "The server accepts TLS 1.0 or 1.1.",
            "allow TLS 1.2 and newer only",
            "RFC 8996",
            "error where nothing newer is offered",
        ),
        Row(
            f"{SESSIONS}.starttls_missing",
            ERROR,
            "STARTTLS not offered",
            "The server does not offer STARTTLS. `mailmon check` sends nothing then.",
            "offer STARTTLS, with a key and a certificate",
            "RFC 8314 section 3.3",
            "warning on port 25 without a login; critical there where MTA-STS or DANE demands TLS",
        ),
        Row(
            f"{SESSIONS}.starttls_refused",
            ERROR,
            "STARTTLS refused",
            "STARTTLS is offered and then refused.",
            "the server's log says why: often a key or certificate file that cannot be read",
        ),
        Row(
            f"{SESSIONS}.starttls_injection",
            CRITICAL,
            "Plain text accepted after STARTTLS",
            "Text that was sent in plain text behind STARTTLS is taken as part of the encrypted session. `mailmon "
            "diagnose` tests it with `--intrusive`.",
            "update the server: it runs what was sent before TLS",
            "CVE-2011-0411",
            "error in `mailmon check`, where the server itself sent more in plain text",
        ),
        Row(
            f"{SESSIONS}.plaintext_on_tls_port",
            ERROR,
            "Plain text on a TLS port",
            "The port is expected to speak TLS from the first byte and speaks plain text.",
            "speak TLS from the first byte on this port",
            "RFC 8314 section 3",
        ),
    ),
    "Between mail servers (port 25) `tls.cert_name`, `tls.cert_untrusted`, `tls.cert_self_signed` and "
    "`tls.cert_chain_incomplete` are warnings, elsewhere errors. They, an expired certificate and a missing STARTTLS "
    "are critical on port 25 where\n\n"
    "- an MTA-STS policy with `mode: enforce` can be fetched (`testing`, `none` and a policy that cannot be fetched do "
    "not count), or\n"
    "- TLSA records that DNSSEC validates (DANE) do not authenticate the certificate. A record that names this very "
    "certificate or its key (usage 3) makes dates, names and issuer irrelevant. For a record that names a CA (usage 2) "
    "the server must send the chain up to that CA, and dates and name count. Usages 0 and 1, unknown selectors and "
    "matching types, and digests of the wrong length are unusable: where nothing else is published, TLS is mandatory "
    "and any certificate will do.\n\n"
    "`tls.cert_expiring`: the limits of a quarter (at most 21 days) and a twelfth (at most 7 days) are 21 and 7 days "
    "for a lifetime of 90 days, 11.25 and 3.75 days for 45, 40 and 13 hours for 6.7 days.",
)

LOGINS = Group(
    "Logins",
    (CHECK, DIAGNOSE),
    (
        Row(
            f"{SESSIONS}.login_refused",
            ERROR,
            "Login refused",
            "The server refused the login. `mailmon diagnose` logs in with `--account` only.",
            "check the account's name and password",
            "RFC 4954, 3501, 5034",
        ),
        Row(
            f"{SESSIONS}.any_password_accepted",
            CRITICAL,
            "Any password accepted",
            "A random password was accepted. Tested with `wrong_password_interval` and `--intrusive`.",
            "take the server off the network and repair its password database",
        ),
        Row(
            "imap.preauth",
            WARNING,
            "Logged in without a password (PREAUTH)",
            "The server greets with PREAUTH: anyone who connects is logged in without a password.",
            "no network listener may preauthenticate: it makes STARTTLS impossible",
            "CVE-2021-33515",
            "critical in `mailmon check`",
        ),
    ),
)

NAMES = Group(
    "Names and DANE",
    (DIAGNOSE, DNS),
    (
        Row(
            "dns.ptr_missing",
            ERROR,
            "No PTR record",
            "The address has no PTR record. Skipped for private addresses.",
            "ask your hosting provider to set the PTR record to the server's name",
            "RFC 1912 section 2.1",
            "notice where SPF does not let the address send; info on loopback",
        ),
        Row(
            "dns.fcrdns_mismatch",
            WARNING,
            "PTR record not confirmed",
            "No PTR name leads back to the address (FCrDNS).",
            "give the PTR name an A or AAAA record with this address",
            "RFC 8601 section 2.7.3",
        ),
        Row(
            "dns.ptr_generic",
            NOTICE,
            "Generic PTR name",
            "The PTR name spells out the address, as names of address pools do.",
            "let the PTR name be the server's own; many receivers distrust pool names",
        ),
        Row(
            "dns.mx_none",
            ERROR,
            "No MX record",
            "The domain has no MX record.",
            "publish an MX record",
            "RFC 5321 section 5.1",
            "notice where the domain has an address that takes mail",
        ),
        Row(
            "dns.mx_dangling",
            ERROR,
            "MX host without an address",
            "A host in the MX records has no address.",
            "give the MX host an address, or remove it from the MX records",
            "RFC 5321 section 5.1",
            "critical where no MX host has one",
        ),
        Row(
            "dns.mx_private",
            ERROR,
            "MX host with a private address",
            "A host in the MX records has an address that is not public.",
            "give the MX host a public address",
        ),
        Row(
            "dane.tlsa_mismatch",
            ERROR,
            "TLSA records do not match the certificate",
            "No usable TLSA record matches the certificate that the server shows.",
            "publish a TLSA record of the present key (3 1 1) before the certificate is used",
            "RFC 7672",
            "critical with DNSSEC; warning where a record matches that a stronger digest overrides",
        ),
        Row(
            "dane.tlsa_without_dnssec",
            NOTICE,
            "TLSA record without DNSSEC",
            "There is a TLSA record that DNSSEC does not validate here, so senders ignore it.",
            "sign the zone, or ask a resolver that validates: TLSA counts only with DNSSEC",
            "RFC 7672",
        ),
        Row(
            "dane.tlsa_unusable",
            WARNING,
            "No usable TLSA record",
            "All TLSA records are of a kind that no sender uses: usages other than 2 and 3, unknown types, digests of "
            "the wrong length.",
            "use 3 1 1 (or 2 1 1): others do not count for mail",
            "RFC 7672 section 3.1.3",
        ),
    ),
)

OUTSIDE = Group(
    "A server seen from outside",
    (DIAGNOSE,),
    (
        Row(
            "tcp.ipv6_unreachable",
            NOTICE,
            "IPv6 address does not answer",
            "The IPv6 address does not answer on ports that are open on IPv4.",
            "let the service listen on IPv6, or remove the AAAA record",
        ),
        Row(
            f"{SESSIONS}.auth_before_tls",
            ERROR,
            "Passwords accepted before TLS",
            "A login that sends the password in plain text is offered before TLS. Passes where it is listed and "
            "refused.",
            "take passwords only inside TLS",
            "RFC 8314 section 3.2",
        ),
        Row(
            f"{SESSIONS}.tls_on_plain_port",
            ERROR,
            "TLS on a plain-text port",
            "The port speaks TLS from the first byte where plain text is expected.",
            "begin in plain text and offer STARTTLS; TLS from the first byte is for 465, 993 and 995",
        ),
        Row(
            "smtp.banner_mismatch",
            NOTICE,
            "Banner without a valid host name",
            "The banner has no full host name, or one that does not resolve.",
            "greet with the name that the address resolves to",
            "RFC 5321 section 4.2",
        ),
        Row(
            "smtp.ehlo_invalid",
            WARNING,
            "No host name in the reply to EHLO",
            "The reply to EHLO does not begin with a host name.",
            "reply to EHLO with a full host name",
            "RFC 5321 section 4.1.1.1",
        ),
        Row(
            "smtp.slow_banner",
            WARNING,
            "Slow banner",
            "The banner comes after more than 10 s.",
            "greet within 10 s, as some senders give up: check DNS look-ups and greet delays",
            "RFC 5321 section 4.5.3.2.1",
        ),
        Row(
            "smtp.ext_missing",
            NOTICE,
            "SMTP extension not offered",
            "One of PIPELINING, SIZE, 8BITMIME, SMTPUTF8, ENHANCEDSTATUSCODES, CHUNKING and DSN is not offered.",
            "offer the extensions that are missing, or look for a firewall that removes them",
            "RFC 5321, 6531",
            "info for ENHANCEDSTATUSCODES, CHUNKING and DSN",
        ),
        Row(
            "smtp.control_characters",
            NOTICE,
            "Control characters in a reply",
            "A reply contains control characters.",
            "keep replies to printable characters",
            "RFC 5321 section 4.2",
        ),
        Row(
            "smtp.line_too_long",
            NOTICE,
            "Reply line too long",
            "A line of a reply is longer than 512 octets.",
            "keep reply lines within 512 octets",
            "RFC 5321 section 4.5.3.1.5",
        ),
        Row(
            "smtp.vrfy_enabled",
            WARNING,
            "VRFY or EXPN reveals users",
            "VRFY or EXPN reveals to strangers which mailboxes exist.",
            "do not tell strangers which mailboxes exist",
            "RFC 5321 section 7.3",
            "notice where it only refuses unknown users",
        ),
        Row(
            "smtp.open_relay",
            CRITICAL,
            "Open relay",
            "The server accepts mail from a stranger to a stranger; tested up to the reply to DATA. Unknown where "
            "something other than relaying was refused.",
            "relay only for clients that log in and for your own networks",
            "RFC 5321 section 7.1",
        ),
        Row(
            "smtp.smuggling",
            CRITICAL,
            "SMTP smuggling",
            "Something other than CRLF.CRLF ends a message. Tested with `--intrusive`.",
            "take only <CR><LF>.<CR><LF> for the end of a message",
            "CVE-2023-51764",
        ),
        Row(
            "tls.cert_differs_between_ports",
            WARNING,
            "Ports show different certificates",
            "The ports or the addresses of one host show different certificates.",
            "let all services read the same file, and reload all of them when it is renewed",
            varies="notice where each is valid",
        ),
        Row(
            "tls.no_tls13",
            NOTICE,
            "TLS 1.3 not offered",
            "The server does not offer TLS 1.3.",
            "update OpenSSL to 1.1.1 or newer, or no longer exclude TLS 1.3",
            "RFC 9325 section 3.1.1",
        ),
        Row(
            "tls.weak_dh",
            WARNING,
            "Weak Diffie-Hellman group",
            "The Diffie-Hellman group for DHE has fewer than 2048 bits.",
            "use a Diffie-Hellman group of 2048 bits (openssl dhparam -out FILE 2048), or only ECDHE",
            "RFC 9325 section 4.1",
            "error under 1024 bits",
        ),
        Row(
            "tls.no_forward_secrecy",
            WARNING,
            "No forward secrecy",
            "The key exchange has no forward secrecy.",
            "allow ECDHE cipher suites",
            "RFC 9325 section 4.1",
        ),
        Row(
            "dnsbl.listed",
            ERROR,
            "On a block list",
            "The address is on a DNS block list. Asked with `--dnsbl`, and by `checks.dnsbl`.",
            "fix the cause first, then ask the list for removal",
            "RFC 5782",
            "warning for UCEPROTECT",
        ),
        Row(
            "dnsbl.unavailable",
            None,
            "Block list not available",
            "A block list cannot be queried from here, or has shut down.",
            "ask a resolver of your own: public ones are refused by most lists",
            "RFC 5782",
        ),
        Row(
            "diagnose.unknown",
            None,
            "Nothing known about the host",
            "`checks.diagnose`: nothing could be found out about the host in this run.",
            "Run `mailmon diagnose` for the host to see why.",
        ),
    ),
    "`checks.diagnose` reports these as part of `mailmon check`; [diagnose.md](diagnose.md) describes the tests.",
)

# Reported by `mailmon check` too.
SHARED = (REACHING, LOGINS, CERTIFICATES)
GROUPS = (NAMES, OUTSIDE)
