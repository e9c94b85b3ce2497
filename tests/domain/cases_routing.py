"""Domains whose mail does not get there: MX, addresses, names of addresses, services, CAA."""

from __future__ import annotations

from tests.domain.cases import Case
from tests.domain.nameserver import CUT, CUT_NO_TCP, REFUSED, SERVFAIL, SILENT, Fault

_NO_SRV: dict[str, list[str] | None] = {"_imaps._tcp SRV": None, "_submissions._tcp SRV": None}

ROUTING = (
    Case("the domain does not exist", "dns.domain_not_found", domain="nosuch.example"),
    Case("no MX and no address", "dns.mx_none", {"@ MX": None, "@ TXT": ['"v=spf1 ip4:9.9.9.9 -all"']}),
    Case("no MX, but an address", "dns.mx_none", {
        "@ MX": None, "@ A": ["9.9.9.10"], "@ TXT": ['"v=spf1 a -all"'], "mx1 A": ["9.9.9.10"],
    }),
    Case("one of two MX hosts has no address", "dns.mx_dangling", {"mx2 A": None}),
    Case("the only MX host does not exist", "dns.mx_dangling", {"@ MX": ["10 gone.firm.example."]}),
    Case("an MX host is an alias", "dns.mx_cname", {"mx2 A": None, "mx2 CNAME": ["mx.carrier.example."]}),
    Case("an MX names an address", "dns.mx_is_address", {"@ MX": ["10 mx1.firm.example.", "20 9.9.9.11."]}),
    Case("an MX host has a private address", "dns.mx_private", {"mx2 A": ["10.1.2.3"]}),
    Case("a null MX beside another", "dns.null_mx_conflict", {"@ MX": ["0 .", "10 mx1.firm.example."]}),
    Case("a null MX, and SPF that lets hosts send", "dns.null_mx_conflict", {
        "@ MX": ["0 ."], "@ TXT": ['"v=spf1 ip4:9.9.9.9 -all"'],
    }),
    Case("an address without a name", "dns.ptr_missing", {"mx2 A": ["9.9.9.77"]}),
    Case("a name that leads elsewhere", "dns.fcrdns_mismatch", {"mx2 A": ["9.9.9.13"]}),
    Case("a name of a pool", "dns.ptr_generic", {"mx2 A": ["9.9.9.14"]}),
    Case("no CAA", "dns.caa_conflict", {"@ CAA": None}),
    Case("SRV to a host without an address", "dns.srv_mismatch", {"_imaps._tcp SRV": ["0 1 993 gone"]}),
    Case("SRV to an alias", "dns.srv_mismatch", {
        "_imaps._tcp SRV": ["0 1 993 imap"], "imap CNAME": ["mx1.firm.example."],
    }),
    Case("SRV with the port of another service", "dns.srv_mismatch", {"_imaps._tcp SRV": ["0 1 143 mx1"]}),
    Case("SRV says that a service is not offered", "", {"_pop3s._tcp SRV": ["0 0 0 ."]}),
    Case("nothing for clients", "", _NO_SRV),
    Case("the MX question is answered SERVFAIL", "dns.mx_none? dns.resolver_error? spf.temperror?",
         faults={"firm.example MX": SERVFAIL}),
    Case("the MX question is refused", "dns.mx_none? dns.resolver_error? spf.temperror?",
         faults={"firm.example MX": REFUSED}),
    Case("the MX question is not answered", "dns.mx_none? dns.resolver_error? spf.temperror?",
         faults={"firm.example MX": SILENT}),
    Case("the address of an MX host cannot be looked up", "dns.resolver_error?",
         {"mx1 AAAA": None}, faults={"mx2.firm.example": SERVFAIL}),
    Case("answers that come by TCP only", "", faults={"firm.example": CUT, "s1._domainkey.firm.example": CUT}),
    Case("cut answers, and no TCP", "dkim.dns_temperror?", faults={"s1._domainkey.firm.example": CUT_NO_TCP}),
    Case("an alias that leads to itself", "dns.resolver_error?", {
        "@ MX": ["10 mx1.firm.example.", "20 loop.firm.example."],
        "loop CNAME": ["loop2.firm.example."], "loop2 CNAME": ["loop.firm.example."],
    }),
    Case("a slow answer is an answer", "", faults={"mx1.firm.example A": Fault(slow_s=0.5)}),
    Case("two MX hosts of a provider", "", {
        "@ MX": ["10 mx.carrier.example.", "10 mx6.carrier.example."],
        "_imaps._tcp SRV": ["0 1 993 mx.carrier.example."], "_submissions._tcp SRV": ["0 1 465 mx.carrier.example."],
    }),
    Case("TLSA records without DNSSEC", "dane.tlsa_without_dnssec", {"_25._tcp.mx1 TLSA": [f"3 1 1 {'ab' * 32}"]}),
    Case("TLSA records that do not count for mail", "dane.tlsa_unusable", {
        "_25._tcp.mx1 TLSA": [f"1 1 1 {'ab' * 32}"],
    }),
)  # fmt: skip
