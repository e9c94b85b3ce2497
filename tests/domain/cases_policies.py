"""Domains whose SPF, DKIM, DMARC, MTA-STS or TLS-RPT is wrong."""

from __future__ import annotations

from tests.domain.cases import Case, key_record, strings
from tests.domain.nameserver import SERVFAIL

_ELEVEN = " ".join(f"include:i{number}.firm.example" for number in range(11))
_I = {f"i{number} TXT": [f'"v=spf1 ip4:9.9.9.{number} -all"'] for number in range(11)}


def _spf(text: str, *more: str) -> dict[str, list[str] | None]:
    return {"@ TXT": [strings(text), *map(strings, more)]}


def _dmarc(*texts: str) -> dict[str, list[str] | None]:
    return {"_dmarc TXT": [strings(text) for text in texts]}


SPF = (
    Case("no SPF", "spf.none", {"@ TXT": ['"hello"']}),
    Case("two SPF records", "spf.multiple_records", _spf("v=spf1 mx -all", "v=spf1 a -all")),
    Case("SPF with a wrong mechanism", "spf.syntax", _spf("v=spf1 ipv4:9.9.9.9 -all")),
    Case("SPF behind a quote", "spf.none spf.syntax", {"@ TXT": ['"\\"v=spf1 mx -all\\""']}),
    Case("include of a name without SPF", "spf.include_none", _spf("v=spf1 include:nospf.carrier.example -all")),
    Case("redirect to nowhere", "spf.include_none", _spf("v=spf1 redirect=gone.carrier.example")),
    Case("include of two records", "spf.multiple_records", _spf("v=spf1 include:two.carrier.example -all")),
    Case("include of a wrong record", "spf.syntax", _spf("v=spf1 include:bad.carrier.example -all")),
    Case("eleven look-ups", "spf.too_many_lookups", {**_spf(f"v=spf1 {_ELEVEN} -all"), **_I}),
    Case("an include that includes itself", "spf.too_many_lookups",
         _spf("v=spf1 include:loop.carrier.example -all")),
    Case("three names without records", "spf.too_many_void_lookups",
         _spf("v=spf1 a:a.firm.example mx:b.firm.example exists:c.firm.example mx -all")),
    Case("+all", "spf.plus_all", _spf("v=spf1 mx +all")),
    Case("all without a sign", "spf.plus_all", _spf("v=spf1 mx all")),
    Case("half of the addresses", "spf.plus_all", _spf("v=spf1 ip4:0.0.0.0/1 -all")),
    Case("an include that lets everybody", "spf.plus_all", _spf("v=spf1 include:open.carrier.example -all")),
    Case("no all", "spf.no_all", _spf("v=spf1 mx")),
    Case("?all", "spf.neutral", _spf("v=spf1 mx ?all")),
    Case("ptr", "spf.ptr", _spf("v=spf1 mx ptr -all")),
    Case("terms after all", "spf.after_all", _spf("v=spf1 mx -all ip4:9.9.9.9")),
    Case("redirect beside all", "spf.after_all", _spf("v=spf1 mx -all redirect=_spf.carrier.example")),
    Case("an own address that is not covered", "spf.own_ip_not_covered", _spf("v=spf1 mx -all"),
         own_addresses=("9.9.9.9",)),
    Case("the TXT question fails", "spf.temperror?", {},
         faults={"firm.example TXT": SERVFAIL}),
    Case("an include that fails", "spf.temperror?", _spf("v=spf1 include:_spf.carrier.example -all"),
         faults={"_spf.carrier.example": SERVFAIL}),
)  # fmt: skip

DKIM = (
    Case("no key at all", "dkim.none", {"s1._domainkey TXT": None}, selectors=()),
    Case("a key under a name that nobody can guess", "", {
        "s1._domainkey TXT": None, "q7x._domainkey TXT": [key_record()],
    }, selectors=()),
    Case("a key under a common name is found", "", selectors=()),
    Case("the selector has no key", "dkim.key_missing", selectors=("s1", "s9x")),
    Case("the key is revoked", "dkim.key_revoked", {"s1._domainkey TXT": ['"v=DKIM1; p="']}),
    Case("a key of 1024 bits", "dkim.key_weak", {"s1._domainkey TXT": [key_record(1024)]}),
    Case("t=y", "dkim.key_testing", {"s1._domainkey TXT": [key_record(2048, "t=y; ")]}),
    Case("half a key", "dkim.key_syntax", {"s1._domainkey TXT": ['"v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0B"']}),
    Case("no p=", "dkim.key_syntax", {"s1._domainkey TXT": ['"v=DKIM1; k=rsa"']}),
    Case("two keys under one name", "dkim.key_multiple", {"s1._domainkey TXT": [key_record(), key_record(1024)]}),
    Case("h=sha1", "dkim.sha1", {"s1._domainkey TXT": [key_record(2048, "h=sha1; ")]}),
    Case("the key question fails", "dkim.dns_temperror?", faults={"s1._domainkey.firm.example": SERVFAIL}),
    Case("a wildcard is no key", "", {
        "s1._domainkey TXT": None, "*._domainkey TXT": ['"v=spf1 -all"'],
    }, selectors=()),
)  # fmt: skip

DMARC = (
    Case("no DMARC", "dmarc.none", {"_dmarc TXT": None}),
    Case("p=none", "dmarc.policy_none", _dmarc("v=DMARC1; p=none; rua=mailto:d@firm.example")),
    Case("t=y in DMARC", "dmarc.testing", _dmarc("v=DMARC1; p=reject; t=y; rua=mailto:d@firm.example")),
    Case("sp=none", "dmarc.subdomains_open", _dmarc("v=DMARC1; p=reject; sp=none; rua=mailto:d@firm.example")),
    Case("two DMARC records", "dmarc.multiple_records", _dmarc("v=DMARC1; p=reject", "v=DMARC1; p=none")),
    Case("p=bogus", "dmarc.syntax", _dmarc("v=DMARC1; p=bogus")),
    Case("no p=, but reports", "dmarc.policy_none dmarc.syntax", _dmarc("v=DMARC1; rua=mailto:d@firm.example")),
    Case("an address without mailto:", "dmarc.no_reports dmarc.syntax",
         _dmarc("v=DMARC1; p=reject; rua=d@firm.example")),
    Case("a tag that is none", "dmarc.syntax", _dmarc("v=DMARC1; p=reject; polcy=x; rua=mailto:d@firm.example")),
    Case("pct=20", "dmarc.pct_partial", _dmarc("v=DMARC1; p=reject; pct=20; rua=mailto:d@firm.example")),
    Case("no rua", "dmarc.no_reports", _dmarc("v=DMARC1; p=reject")),
    Case("reports to a domain that does not want them", "dmarc.external_report_unauthorized",
         _dmarc("v=DMARC1; p=reject; rua=mailto:x@nobody.example")),
    Case("DMARC at the domain itself", "dmarc.none dmarc.syntax", {
        "_dmarc TXT": None, "@ TXT": ['"v=spf1 mx -all"', '"v=DMARC1; p=reject"'],
    }),
    Case("the DMARC question fails", "dmarc.temperror?", faults={"_dmarc.firm.example": SERVFAIL}),
)  # fmt: skip

TLS = (
    Case("no MTA-STS", "mtasts.none", {"_mta-sts TXT": None}),
    Case("two MTA-STS records", "mtasts.syntax", {"_mta-sts TXT": ['"v=STSv1; id=1"', '"v=STSv1; id=2"']}),
    Case("MTA-STS without an id", "mtasts.syntax", {"_mta-sts TXT": ['"v=STSv1"']}),
    Case("MTA-STS with a wrong id", "mtasts.syntax", {"_mta-sts TXT": ['"v=STSv1; id=2026-01-01"']}),
    Case("no TLS-RPT", "tlsrpt.none", {"_smtp._tls TXT": None}),
    Case("TLS-RPT without an address", "tlsrpt.syntax", {"_smtp._tls TXT": ['"v=TLSRPTv1"']}),
    Case("TLS-RPT with http:", "tlsrpt.syntax", {"_smtp._tls TXT": ['"v=TLSRPTv1; rua=http://firm.example/"']}),
    Case("a TXT record of 60 strings is read whole", "", {
        "@ TXT": [strings("v=spf1 mx -all"), " ".join(f'"{"x" * 250}"' for _ in range(60))],
    }),
)  # fmt: skip
