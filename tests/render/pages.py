"""What is laid out in the tests: a domain and a host with the longest names, keys and messages that occur."""

from __future__ import annotations

from mailmon.findings import Findings
from mailmon.model.diagnosis import Diagnosis, Service, TlsFacts, in_order
from mailmon.model.dns import Published, Survey
from mailmon.model.findings import Severity

DOMAIN = "xn--strae-oqa.example"
SELECTOR = "selector-with-forty-characters-2026-11-a"
# Four labels of 60 characters and the end: 253 in all, the longest name there is.
LONGEST = ".".join(["l" * 60] * 3 + ["m" * 53, "example"] + ["z" * 8])[:253].rstrip(".")
KEY = "MIICIjANBgkqhkiG9w0BAQEFAAOCAg8A" * 22 + "AwEAAQ=="
DIGEST = "0b9fa5a59eed715c26c1020c711b4f6ec42d58b0015e14337a39dad301c5afc3"
SPF = (
    "v=spf1 mx ip4:192.0.2.0/24 ip4:198.51.100.0/24 ip6:2001:db8:4711::/48 include:_spf.carrier.example "
    "include:spf.protection.carrier.example include:servers.mcsv.example exists:%{i}._spf.%{d2} -all"
)
V6 = "2001:db8:4711::25"
ARPA6 = "5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.1.7.4.8.b.d.0.1.0.0.2.ip6.arpa"


def survey() -> Survey:
    """Return a domain with 12 MX records, IPv6, a key of 4096 bits, UTF-8, and names of all lengths."""
    found = Findings(DOMAIN)
    found.fail("tlsrpt.none", "nobody hears of TLS failures: there is no TLS-RPT record")
    found.fail("dns.mx_dangling", "the MX host mx12.firm.example has no address", found="no A, no AAAA")
    found.fail("spf.multiple_records", f"{DOMAIN} has 2 SPF records")
    found.fail("dkim.key_weak", f"the key of {SELECTOR} has 1024 bits", expected=">= 2048", found="1024")
    found.fail("dmarc.policy_none", "its DMARC policy is none: forged mail is delivered")
    found.fail("dns.host_not_found", f"the host {LONGEST} has no address", Severity.CRITICAL)
    found.unknown("dns.dnssec_bogus", "the DS record could not be looked up: no answer within 5 s")
    pointers = Findings(V6)
    pointers.fail("dns.fcrdns_mismatch", f"the PTR name mx1.firm.example does not lead back to {V6}")
    exchangers = tuple(f"{10 * number} mx{number}.firm.example" for number in range(1, 13))
    rows = (
        Published(DOMAIN, "MX", "where its mail goes", "\n".join(exchangers), exchangers, 300),
        Published("mx1.firm.example", "A", "address of the MX host", "192.0.2.10", ("192.0.2.10",), 300),
        Published("mx1.firm.example", "AAAA", "address of the MX host", V6, (V6,), 300),
        Published("10.2.0.192.in-addr.arpa", "PTR", "", "mx1.firm.example", ("mx1.firm.example",), 300),
        Published(ARPA6, "PTR", "name of it", "mx1.firm.example", ("mx1.firm.example",), 300),
        Published(DOMAIN, "TXT", "SPF", SPF, ("v=spf1 a -all", SPF), 300),
        Published(f"{SELECTOR}._domainkey.{DOMAIN}", "TXT", "DKIM key", "", (f"v=DKIM1; k=rsa; p={KEY}",), 300),
        Published(f"new._domainkey.{DOMAIN}", "TXT", "DKIM key", f"v=DKIM1; k=rsa; p={KEY}"),
        Published(f"_dmarc.{DOMAIN}", "TXT", "DMARC", "", ("v=DMARC1; p=none; n=Grüße aus 東京 und Köln",), 300),
        Published(f"_smtp._tls.{DOMAIN}", "TXT", "", f"v=TLSRPTv1; rua=mailto:postmaster@{DOMAIN}"),
        Published("_25._tcp.mx1.firm.example", "TLSA", "", f"3 1 1 {DIGEST}", (f"3 1 1 {DIGEST}",), 300),
        Published(LONGEST, "A", "address of the MX host", "192.0.2.11", (), 0),
        Published(f"_imaps._tcp.{DOMAIN}", "SRV", "", "0 1 993 mx1.firm.example", ("0 1 993 mx1.firm.example",), 60),
        Published(DOMAIN, "DS", "DNSSEC", f"4711 13 2 {DIGEST}", (), 0, is_known=False),
    )
    return Survey(DOMAIN, rows, tuple(in_order([*found.all, *pointers.all])), duration_s=1.2)


def diagnosis() -> Diagnosis:
    """Return a host with services on two addresses, one of them IPv6."""
    host = "mail-relay-01.frankfurt.customers.firm.example"
    tls = TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", not_after="2027-01-28T10:00:00Z", sha256=DIGEST)
    old = tls._replace(version="TLSv1.2", cipher="ECDHE-RSA-AES256-GCM-SHA384")
    found, services = [], []
    for address in ("192.0.2.10", V6):
        for port, protocol, facts in ((25, "smtp", old), (993, "imap", tls)):
            target = f"{host}:{port} ({address})"
            greeting = (
                f"{host} ESMTP Postfix (Debian/GNU)"
                if port == 25
                else "* OK [CAPABILITY IMAP4rev1 SASL-IR ID ENABLE IDLE] Dovecot (Debian) ready."
            )
            services.append(Service(target, address, protocol, greeting, tls=facts))
            one = Findings(target)
            said = "TLSv1.1 and TLSv1.0 are still taken beside newer versions"
            one.fail("tls.old_version", said, evidence="TLSv1.1: ECDHE-RSA-AES256-SHA", expected=">= TLSv1.2")
            one.fail("tls.no_tls13", "TLS 1.3 is not offered, only TLSv1.2")
            one.passed("tcp.unreachable", f"it answers at {address}")
            found += one.all
    one = Findings(f"{host}:25 (192.0.2.10)")
    one.fail("smtp.open_relay", "it takes mail from strangers for strangers: 250 2.1.5 Ok")
    one.unknown("smtp.vrfy_enabled", "it could not be told: 421 4.7.0 übler Server, 再见")
    notes = ("relaying: one recipient asked; --relay-test tries all forms",)
    return Diagnosis(host, ("192.0.2.10", V6), tuple(in_order([*found, *one.all])), tuple(services), (), notes, 0.94)
