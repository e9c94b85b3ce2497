"""What may be wrong with what a domain publishes, how bad it is, and what mends it: one row each."""

from __future__ import annotations

from mailmon.findings.row import ERROR, NOTICE, WARNING, Row

ROWS: dict[str, Row] = {
    "dns.domain_not_found": Row(ERROR, "correct the name, or register the domain and delegate it", "RFC 8020"),
    "dns.record_changed": Row(WARNING, "if nobody meant it: look who may write into the zone, and put it back"),
    "dns.mx_cname": Row(ERROR, "let the MX name a host with an address of its own", "RFC 2181 section 10.3"),
    "dns.mx_is_address": Row(ERROR, "an MX names a host, never an address", "RFC 1035 section 3.3.9"),
    "dns.mx_ipv6_only": Row(
        WARNING, "give an MX host an IPv4 address too: many senders have no IPv6", "RFC 5321 section 5.2"
    ),
    "dns.mx_name_invalid": Row(
        WARNING, "give the MX host a name of letters, digits and hyphens, without underscores", "RFC 1123 section 2.1"
    ),
    "dns.null_mx_conflict": Row(
        WARNING, "either remove the null MX, or all that says that the domain has mail", "RFC 7505 section 3"
    ),
    "dns.dnssec_bogus": Row(
        ERROR, "sign the zone anew and compare the DS at the parent: dnsviz.net shows the break", "RFC 4035 section 5"
    ),
    "dns.dnssec_no_ds": Row(NOTICE, "give the DS record to your registrar: without it signatures count for nothing"),
    "dns.caa_conflict": Row(
        NOTICE, "let CAA name the CA that you use, as `0 issue` with its domain", "RFC 8659 section 4.2"
    ),
    "dns.srv_mismatch": Row(WARNING, "let SRV and autoconfig name the host and port that clients use", "RFC 6186"),
    "spf.none": Row(WARNING, "publish the SPF record that is expected", "RFC 7208 section 4.5"),
    "spf.multiple_records": Row(ERROR, "join them into one: with two, every receiver sees an error", "RFC 7208 4.5"),
    "spf.syntax": Row(ERROR, "correct the record: receivers treat all of it as an error", "RFC 7208 section 4.6"),
    "spf.include_none": Row(
        ERROR, "remove the include, or correct its name: it is an error for every receiver", "RFC 7208 section 5.2"
    ),
    "spf.too_many_lookups": Row(
        ERROR, "drop includes that are not needed; use ip4 and ip6 for own hosts", "RFC 7208 section 4.6.4"
    ),
    "spf.too_many_void_lookups": Row(WARNING, "remove terms whose names have no record", "RFC 7208 section 4.6.4"),
    "spf.plus_all": Row(ERROR, "end the record with -all or ~all: now everybody may send as you"),
    "spf.no_all": Row(WARNING, "end the record with -all or ~all", "RFC 7208 section 4.7"),
    "spf.neutral": Row(WARNING, "end the record with -all or ~all: ?all says nothing", "RFC 7208 section 2.6.2"),
    "spf.ptr": Row(WARNING, "replace ptr by ip4, ip6, a or mx: it is slow and many ignore it", "RFC 7208 section 5.5"),
    "spf.after_all": Row(
        NOTICE,
        "put what is meant to hold before all, and remove the rest: nobody reads what stands after it",
        "RFC 7208 section 5.1",
    ),
    "spf.own_ip_not_covered": Row(WARNING, "add the address to the SPF record"),
    "spf.temperror": Row(WARNING),
    "dkim.none": Row(WARNING, "sign your mail, and publish the key below _domainkey", "RFC 6376 section 3.6.2"),
    "dkim.key_missing": Row(ERROR, "publish the key of this selector", "RFC 6376 section 3.6.2"),
    "dkim.key_mismatch": Row(ERROR, "publish the key that is expected", "RFC 6376 section 3.6.1"),
    "dkim.key_revoked": Row(ERROR, "sign with another selector: this key is revoked", "RFC 6376 section 3.6.1"),
    "dkim.key_weak": Row(WARNING, "make an RSA key of 2048 bits: opendkim-genkey -b 2048", "RFC 8301 section 3.2"),
    "dkim.key_testing": Row(WARNING, "remove t=y when the test is over", "RFC 6376 section 3.6.1"),
    "dkim.key_syntax": Row(ERROR, "publish the record as your signer printed it", "RFC 6376 section 3.6.1"),
    "dkim.key_multiple": Row(ERROR, "leave one record at this name", "RFC 6376 section 3.6.2.2"),
    "dkim.sha1": Row(WARNING, "remove h=sha1: SHA-1 counts for nothing", "RFC 8301 section 3.1"),
    "dkim.dns_temperror": Row(WARNING),
    "dmarc.none": Row(WARNING, "publish the DMARC record that is expected", "RFC 7489 section 6.1"),
    "dmarc.policy_none": Row(
        WARNING, "when the reports show that all of your mail passes: p=quarantine, then p=reject", "RFC 7489"
    ),
    "dmarc.testing": Row(NOTICE, "remove t=y when the test is over", "RFC 9989 section 4.7"),
    "dmarc.subdomains_open": Row(NOTICE, "remove sp= and np=, so that subdomains are protected too", "RFC 7489"),
    "dmarc.multiple_records": Row(ERROR, "leave one record: of several none counts", "RFC 7489 section 6.6.3"),
    "dmarc.syntax": Row(ERROR, "correct the record", "RFC 7489 section 6.3"),
    "dmarc.pct_partial": Row(WARNING, "remove pct: it is on its way out, and protects only a part", "RFC 9989"),
    "dmarc.no_reports": Row(NOTICE, "add rua=mailto: with a mailbox that somebody reads", "RFC 7489 section 7.1"),
    "dmarc.external_report_unauthorized": Row(
        WARNING, "let the other domain publish v=DMARC1 at the name that is expected", "RFC 7489 section 7.1"
    ),
    "dmarc.temperror": Row(WARNING),
    "mtasts.none": Row(NOTICE, "publish a policy, mode: testing first", "RFC 8461 section 3"),
    "mtasts.syntax": Row(ERROR, "correct it: as it is, nobody uses the policy", "RFC 8461 section 3"),
    "mtasts.unreachable": Row(
        ERROR, "serve the policy at https://mta-sts.DOMAIN/.well-known/mta-sts.txt", "RFC 8461 section 3.3"
    ),
    "mtasts.mx_mismatch": Row(ERROR, "name every MX host in the policy, then change the id", "RFC 8461 section 4.1"),
    "mtasts.mode_testing": Row(NOTICE, "when TLS reports stay clean: mode: enforce", "RFC 8461 section 5"),
    "mtasts.short_max_age": Row(NOTICE, "raise max_age to weeks (604800 or more)", "RFC 8461 section 3.2"),
    "mtasts.id_unchanged": Row(
        WARNING, "give the TXT record another id: senders keep the old policy until then", "RFC 8461 section 3.1"
    ),
    "tlsrpt.none": Row(NOTICE, "publish it, to hear when senders cannot use TLS", "RFC 8460 section 3"),
    "tlsrpt.syntax": Row(WARNING, "correct it: as it is, nobody sends reports", "RFC 8460 section 3"),
    "dane.tlsa_unusable": Row(WARNING, "use 3 1 1 (or 2 1 1): others do not count for mail", "RFC 7672 section 3.1.3"),
}
