"""The ids of all findings (docs/findings.md), and which of them somebody means by a pattern."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

_LISTED = """
bounces.complaints bounces.history bounces.not_moved bounces.notice_failed bounces.policy bounces.rate
bounces.unread bounces.unreadable
certificate.not_readable certificate.not_reloaded
cleanup.not_possible cleanup.sweep_failed
dane.tlsa_mismatch dane.tlsa_unusable dane.tlsa_without_dnssec
diagnose.unknown
dkim.dns_temperror dkim.key_mismatch dkim.key_missing dkim.key_multiple dkim.key_revoked dkim.key_syntax
dkim.key_testing dkim.key_weak dkim.none dkim.sha1
dmarc.external_report_unauthorized dmarc.multiple_records dmarc.no_reports dmarc.none dmarc.pct_partial
dmarc.policy_none dmarc.subdomains_open dmarc.syntax dmarc.temperror dmarc.testing
dns.caa_conflict dns.dnssec_bogus dns.dnssec_no_ds dns.domain_not_found dns.fcrdns_mismatch dns.host_not_found
dns.mx_cname dns.mx_dangling dns.mx_ipv6_only dns.mx_is_address dns.mx_name_invalid dns.mx_none dns.mx_private
dns.null_mx_conflict dns.ptr_generic
dns.ptr_missing dns.record_changed dns.resolver_error dns.srv_mismatch dns.unknown
dnsbl.listed dnsbl.unavailable
http.content http.header http.status http.timeout http.unreachable
imap.any_password_accepted imap.auth_before_tls imap.auth_not_offered imap.command_failed imap.connection_lost
imap.create_failed imap.greeting_rejected imap.login_refused imap.move_failed imap.plaintext_on_tls_port
imap.preauth imap.protocol_error imap.quota_high imap.select_failed imap.server_not_verified imap.starttls_injection
imap.starttls_missing imap.starttls_refused imap.timeout imap.tls_on_plain_port
mailbox.unread
mailmon.blind mailmon.bug mailmon.channel mailmon.deadline mailmon.error mailmon.ping mailmon.unit
mtasts.id_unchanged mtasts.mode_testing mtasts.mx_mismatch mtasts.none mtasts.short_max_age mtasts.syntax
mtasts.unreachable
oauth.refused oauth.timeout oauth.unreachable
pop3.any_password_accepted pop3.auth_before_tls pop3.auth_not_offered pop3.command_failed pop3.connection_lost
pop3.greeting_rejected pop3.in_use pop3.login_delay pop3.login_refused pop3.not_looked_at pop3.plaintext_on_tls_port
pop3.protocol_error pop3.server_not_verified pop3.starttls_injection pop3.starttls_missing pop3.starttls_refused
pop3.timeout pop3.tls_on_plain_port pop3.uidl_missing
queue.active queue.deferred queue.hold queue.mail_system_down queue.not_readable queue.old queue.stuck
route.arrived_late route.bounced route.bounced_late route.bounces_unseen route.delivered_twice route.dkim
route.dmarc route.folder_missing route.frozen_view route.in_junk route.lost route.modified route.no_tls
route.not_looked_at route.not_received route.on_its_way route.slow route.spf route.too_slow route.unread
sieve.any_password_accepted sieve.auth_before_tls sieve.connection_lost sieve.greeting_rejected sieve.login_refused
sieve.protocol_error sieve.starttls_injection sieve.starttls_missing sieve.starttls_refused sieve.timeout
sieve.tls_on_plain_port
smtp.any_password_accepted smtp.auth_before_tls smtp.auth_not_offered smtp.banner_mismatch smtp.connection_lost
smtp.control_characters smtp.data_refused smtp.ehlo_invalid smtp.ehlo_refused smtp.ext_missing
smtp.greeting_rejected smtp.line_too_long smtp.login_refused smtp.mail_refused smtp.no_8bitmime smtp.open_relay
smtp.plaintext_on_tls_port smtp.protocol_error smtp.rcpt_refused smtp.server_not_verified smtp.slow_banner
smtp.smtputf8_missing smtp.smuggling smtp.starttls_injection smtp.starttls_missing smtp.starttls_refused
smtp.timeout smtp.tls_on_plain_port smtp.vrfy_enabled
spf.after_all spf.include_none spf.multiple_records spf.neutral spf.no_all spf.none spf.own_ip_not_covered
spf.plus_all spf.ptr spf.syntax spf.temperror spf.too_many_lookups spf.too_many_void_lookups
tcp.ipv6_unreachable tcp.unreachable
tls.cert_chain_incomplete tls.cert_differs_between_ports tls.cert_expired tls.cert_expiring tls.cert_name
tls.cert_not_yet_valid tls.cert_self_signed tls.cert_untrusted tls.cert_weak_key tls.cert_weak_signature
tls.client_cert_required tls.handshake_failed tls.no_forward_secrecy tls.no_tls13 tls.old_version tls.pin_mismatch
tls.weak_dh
tlsrpt.none tlsrpt.syntax
"""
IDS = frozenset(_LISTED.split())
AREAS = tuple(sorted({one.partition(".")[0] for one in IDS}))


def is_meant(finding_id: str, patterns: Iterable[str]) -> bool:
    """Say whether a pattern names a finding: an id, one with wildcards (tls.*), or an area (tls)."""
    return any(fnmatchcase(finding_id, one) or finding_id.startswith(f"{one}.") for one in patterns)


def unknown_pattern(patterns: Iterable[str]) -> str:
    """Return the first pattern that names no finding at all, with those that it could mean; "" where all name one."""
    for pattern in patterns:
        if not any(is_meant(one, (pattern,)) for one in IDS):
            from difflib import get_close_matches

            close = get_close_matches(pattern, [*IDS, *AREAS], n=3, cutoff=0.6)
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            return f"there is no finding {pattern[:80]!r}{hint}; areas: {', '.join(AREAS)}"
    return ""
