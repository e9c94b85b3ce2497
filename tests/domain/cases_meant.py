"""Domains whose records say something else than what was meant, and some that look so and are right."""

from __future__ import annotations

from collections.abc import Mapping

from tests.domain.cases import Case, Changes, key_record, rsa_key, strings

_RUA = "rua=mailto:d@firm.example"
_SUB: Changes = {
    "sub MX": ["10 mx1.firm.example."], "sub TXT": ['"v=spf1 mx -all"'], "s1._domainkey.sub TXT": [key_record()],
    "_mta-sts.sub TXT": ['"v=STSv1; id=1"'], "_smtp._tls.sub TXT": ['"v=TLSRPTv1; rua=mailto:t@firm.example"'],
}  # fmt: skip
_TO_SERVICE = {"_dmarc TXT": [f'"v=DMARC1; p=reject; {_RUA},mailto:x@service.example"']}
_REGISTRY = '_dmarc TXT "v=DMARC1; p=none; sp=reject; np=reject; psd=y; rua=mailto:d@registry.example"'
_AGENCY = """\
agency MX 10 mx1.firm.example.
agency TXT "v=spf1 mx -all"
s1._domainkey.agency TXT {key}
_mta-sts.agency TXT "v=STSv1; id=1"
_smtp._tls.agency TXT "v=TLSRPTv1; rua=mailto:t@agency.gov.example"
agency CAA 0 issue "letsencrypt.org"
"""
_MANY = [f"{number} m{number}.firm.example." for number in range(1, 13)]


def _spf(text: str) -> Changes:
    return {"@ TXT": [strings(text)]}


def _dmarc(*texts: str) -> Changes:
    return {"_dmarc TXT": [strings(text) for text in texts]}


def _key(text: str) -> Changes:
    return {"s1._domainkey TXT": [strings(text)]}


def _many(*gone: int) -> Changes:
    """Return twelve MX hosts, of which some have no address."""
    hosts = {f"m{n} A": ["9.9.9.10"] for n in range(1, 13) if n not in gone}
    return {"@ MX": _MANY, "@ TXT": ['"v=spf1 ip4:9.9.9.9 -all"'], "mx2 A": None, **hosts}


SPF = (
    Case("SPF with a semicolon at its end", "spf.syntax", _spf("v=spf1 mx -all;")),
    Case("SPF with no blank before ~all", "spf.syntax", _spf("v=spf1 ip4:9.9.9.9~all")),
    Case("SPF with commas", "spf.none spf.syntax", _spf("v=spf1, mx, ip4:9.9.9.9, -all")),
    Case("SPF with ip4= and include=", "spf.syntax", _spf("v=spf1 mx ip4=9.9.9.9 include=_spf.carrier.example -all")),
    Case("SPF with a blank behind ip4:", "spf.syntax", _spf("v=spf1 mx ip4: 9.9.9.9 -all")),
    Case("SPF with an address alone", "spf.syntax", _spf("v=spf1 mx 9.9.9.9 -all")),
    Case("SPF with an IPv6 address as ip4", "spf.syntax", _spf("v=spf1 mx ip4:2620:fe::9 -all")),
    Case("SPF with redirect:", "spf.syntax", _spf("v=spf1 redirect:_spf.carrier.example")),
    Case("SPF in the signs of a word processor", "spf.syntax", {
        "@ TXT": ['"v=spf1 mx \\226\\128\\147all"'],
    }),
    Case("SPF that refuses our own address", "spf.own_ip_not_covered", _spf("v=spf1 -ip4:9.9.9.9 mx -all"),
         own_addresses=("9.9.9.9",)),
    Case("SPF that refuses our own network", "spf.own_ip_not_covered", _spf("v=spf1 mx -ip4:9.9.9.8/30 -all"),
         own_addresses=("9.9.9.9",)),
    Case("a typing mistake in the term for our own address", "spf.own_ip_not_covered spf.syntax",
         _spf("v=spf1 ipv4:9.9.9.9 -all"), own_addresses=("9.9.9.9",)),
    Case("SPF without the 1", "spf.none spf.syntax", _spf("v=spf mx -all")),
    Case("SPF with blanks around =", "spf.none spf.syntax", _spf("v = spf1 mx -all")),
    Case("SPF with -ALL", "", _spf("v=spf1 mx -ALL")),
    Case("two SPF records, one a redirect", "spf.multiple_records", {
        "@ TXT": ['"v=spf1 redirect=_spf.carrier.example"', '"v=spf1 mx -all"'],
    }),
)  # fmt: skip

DMARC = (
    Case("sp= is no policy", "dmarc.policy_none dmarc.syntax", _dmarc(f"v=DMARC1; p=reject; sp=jerect; {_RUA}")),
    Case("np= is no policy", "dmarc.policy_none dmarc.syntax", _dmarc(f"v=DMARC1; p=reject; np=rejct; {_RUA}")),
    Case("sp= is no policy, and no reports", "dmarc.syntax", _dmarc("v=DMARC1; p=reject; sp=jerect")),
    Case("p= is no policy, but reports", "dmarc.policy_none dmarc.syntax", _dmarc(f"v=DMARC1; p=rejct; {_RUA}")),
    Case("no semicolon behind v=DMARC1", "dmarc.syntax", _dmarc(f"v=DMARC1 p=reject; {_RUA}")),
    Case("DMARC with backslashes", "dmarc.syntax", {"_dmarc TXT": [f'"v=DMARC1\\\\; p=reject\\\\; {_RUA}"']}),
    Case("DMARC with p= twice", "dmarc.syntax", _dmarc(f"v=DMARC1; p=reject; p=none; {_RUA}")),
    Case("DMARC with a wrong fo=", "dmarc.syntax", _dmarc(f"v=DMARC1; p=reject; fo=1:x; {_RUA}")),
    Case("DMARC with P=", "dmarc.policy_none dmarc.syntax", _dmarc(f"v=DMARC1; P=reject; {_RUA}")),
    Case("DMARC with v= at its end", "dmarc.syntax", _dmarc(f"p=reject; {_RUA}; v=DMARC1")),
    Case("two DMARC records, with two mailboxes", "dmarc.multiple_records",
         _dmarc(f"v=DMARC1; p=none; {_RUA}", "v=DMARC1; p=reject; rua=mailto:e@firm.example")),
    Case("a parked domain without DMARC", "dkim.key_revoked dmarc.none", {
        "@ MX": ["0 ."], "@ TXT": ['"v=spf1 -all"'], "mx1 A": None, "mx1 AAAA": None, "mx2 A": None, "_dmarc TXT": None,
        "s1._domainkey TXT": ['"v=DKIM1; p="'], "_imaps._tcp SRV": None, "_submissions._tcp SRV": None,
    }, selectors=()),
    Case("quarantine that is only tested", "dmarc.policy_none", _dmarc(f"v=DMARC1; p=quarantine; t=y; {_RUA}")),
    Case("a subdomain whose reports go to a service under the organisation's name", "", {**_SUB, **_TO_SERVICE},
         domain="sub.firm.example",
         others={"service.example": 'firm.example._report._dmarc TXT "v=DMARC1"'}),
    Case("a subdomain whose reports go to a service under its own name", "dmarc.external_report_unauthorized",
         {**_SUB, **_TO_SERVICE}, domain="sub.firm.example",
         others={"service.example": 'sub.firm.example._report._dmarc TXT "v=DMARC1"'}),
    Case("a domain lives by the policy of its registry", "dmarc.external_report_unauthorized", {},
         domain="agency.gov.example",
         others={"gov.example": f"{_AGENCY.replace('{key}', key_record())}{_REGISTRY}"}),
    Case("a domain of its own below a registry", "dmarc.no_reports", {}, domain="agency.gov.example",
         others={"gov.example": f'{_AGENCY.replace("{key}", key_record())}{_REGISTRY}\n'
                                '_dmarc.agency TXT "v=DMARC1; p=reject"'}),
)  # fmt: skip

DKIM = (
    Case("p= twice", "dkim.key_syntax", {"s1._domainkey TXT": [f"{key_record()} \"; p=\""]}),
    Case("P= and no p=", "dkim.key_syntax", _key(f"v=DKIM1; P={rsa_key(2048)}")),
    Case("a key with a backslash before the semicolon", "dkim.key_syntax", {
        "s1._domainkey TXT": [f"\"v=DKIM1\\\\; k=rsa\\\\; \" {strings(f'p={rsa_key(2048)}')}"],
    }),
    Case("a key without semicolons", "dkim.key_syntax", _key(f"v=DKIM1 k=rsa p={rsa_key(2048)}")),
    Case("a key in quotes", "dkim.key_syntax", {
        "s1._domainkey TXT": [f"\"\\\"v=DKIM1; k=rsa; \" {strings(f'p={rsa_key(2048)}')} \"\\\"\""],
    }),
    Case("the key at a guessed selector is broken", "dkim.key_syntax", {
        "google._domainkey TXT": ['"v=DKIM1; k=rsa; p=MIIB"'],
    }, selectors=()),
    Case("a guessed selector is an alias of nothing", "dkim.key_missing", {
        "selector1._domainkey CNAME": ["selector1-firm._domainkey.carrier.example."],
    }, selectors=()),
    Case("the given selector is an alias of nothing", "dkim.key_missing", {
        "s1._domainkey TXT": None, "s1._domainkey CNAME": ["gone.dkim.carrier.example."],
    }),
    Case("an alias of nothing for every name", "", {
        "*._domainkey CNAME": ["gone.carrier.example."], "s1._domainkey TXT": [key_record()],
    }),
)  # fmt: skip

TLS = (
    Case("MTA-STS with blanks around =", "mtasts.syntax", {"_mta-sts TXT": ['"v = STSv1; id = 1"']}),
    Case("MTA-STS with a blank behind id=", "mtasts.syntax", {"_mta-sts TXT": ['"v=STSv1; id= 1"']}),
    Case("MTA-STS without v=", "mtasts.syntax", {"_mta-sts TXT": ['"STSv1; id=1"']}),
    Case("a token at _mta-sts", "mtasts.none", {"_mta-sts TXT": ['"google-site-verification=abcSTSdef"']}),
    Case("a wildcard SPF that names stsv1", "mtasts.none tlsrpt.none", {
        "* TXT": ['"v=spf1 include:stsv1.tlsrpt.carrier.example -all"'], "_mta-sts TXT": None, "_smtp._tls TXT": None,
    }),
    Case("TLS-RPT with blanks around =", "tlsrpt.syntax", {
        "_smtp._tls TXT": ['"v = TLSRPTv1 ; rua = mailto:a@firm.example"'],
    }),
    Case("TLS-RPT with a blank behind rua", "tlsrpt.syntax", {
        "_smtp._tls TXT": ['"v=TLSRPTv1; rua =mailto:a@firm.example"'],
    }),
    Case("TLS-RPT in small letters", "tlsrpt.syntax", {"_smtp._tls TXT": ['"v=tlsrptv1; rua=mailto:a@firm.example"']}),
)  # fmt: skip

ROUTING = (
    Case("of twelve MX hosts the eleventh and the twelfth have no address", "dns.mx_dangling", _many(11, 12)),
    Case("twelve MX hosts", "", _many()),
    Case("twelve MX hosts, and SPF that asks for them", "spf.syntax", {**_many(), "@ TXT": ['"v=spf1 mx -all"']}),
    Case("twelve MX hosts, and no SPF", "spf.none", {**_many(), "@ TXT": None}),
    Case("every MX host has IPv6 only", "dns.mx_ipv6_only", {"@ MX": ["10 mx6.carrier.example."]}),
    Case("an MX host with an underscore", "dns.mx_name_invalid", {
        "@ MX": ["10 mail_1.firm.example.", "20 mx2.firm.example."], "mail_1 A": ["9.9.9.10"],
    }),
    Case("no MX, an own address", "dns.mx_none", {"@ MX": None, "@ TXT": ['"v=spf1 ip4:9.9.9.10 -all"']},
         own_addresses=("9.9.9.10",)),
    Case("every MX host is gone, and our address is known", "dns.mx_dangling", {
        "@ MX": ["10 gone.firm.example."], "@ TXT": ['"v=spf1 ip4:9.9.9.10 -all"'],
    }, own_addresses=("9.9.9.10",)),
    Case("an MX host that sends nothing has no name", "dns.ptr_missing", {
        "mx2 A": ["9.9.9.77"], "@ TXT": ['"v=spf1 ip4:9.9.9.9 ip4:9.9.9.10 ip6:2620:fe::10 -all"'],
    }),
    Case("our own address has a name that does not lead back", "dns.fcrdns_mismatch", {
        "out A": None, "@ TXT": ['"v=spf1 mx ip4:9.9.9.9 -all"'],
    }, own_addresses=("9.9.9.9",)),
    Case("CAA names nobody, only where to complain", "dns.caa_conflict", {
        "@ CAA": ['0 iodef "mailto:x@firm.example"'],
    }),
    Case("CAA with an address of a page", "dns.caa_conflict", {"@ CAA": ['0 issue "https://letsencrypt.org"']}),
    Case("CAA with two CAs in one record", "dns.caa_conflict", {"@ CAA": ['0 issue "letsencrypt.org,digicert.com"']}),
    Case("CAA with a critical property of nobody", "dns.caa_conflict", {
        "@ CAA": ['0 issue "letsencrypt.org"', '128 tbs "x"'],
    }),
    Case("TLS-RPT with a blank between its addresses", "tlsrpt.syntax", {
        "_smtp._tls TXT": ['"v=TLSRPTv1; rua=mailto:t@firm.example mailto:u@firm.example"'],
    }),
    Case("TLS-RPT with slashes before the address", "tlsrpt.syntax", {
        "_smtp._tls TXT": ['"v=TLSRPTv1; rua=mailto://t@firm.example"'],
    }),
    Case("DMARC with slashes before the address", "dmarc.no_reports dmarc.syntax", {
        "_dmarc TXT": ['"v=DMARC1; p=reject; rua=mailto://d@firm.example"'],
    }),
    Case("SPF with the sign behind all", "spf.syntax", {"@ TXT": ['"v=spf1 a mx all-"']}),
    Case("CAA for S/MIME only", "dns.caa_conflict", {"@ CAA": ['0 issuemail ";"']}),
    Case("CAA for wildcards only", "", {"@ CAA": ['0 issuewild ";"']}),
)  # fmt: skip

MEANT = (*SPF, *DMARC, *DKIM, *TLS, *ROUTING)

# What is proposed, by the name of the case: it says what was meant, and is never weaker.
PROPOSED: Mapping[str, str] = {
    "SPF with a semicolon at its end": "v=spf1 mx -all",
    "SPF with no blank before ~all": "v=spf1 ip4:9.9.9.9 ~all",
    "SPF with commas": "v=spf1 mx ip4:9.9.9.9 -all",
    "SPF with ip4= and include=": "v=spf1 mx ip4:9.9.9.9 include:_spf.carrier.example -all",
    "SPF with a blank behind ip4:": "v=spf1 mx ip4:9.9.9.9 -all",
    "SPF with an address alone": "v=spf1 mx ip4:9.9.9.9 -all",
    "SPF with an IPv6 address as ip4": "v=spf1 mx ip6:2620:fe::9 -all",
    "SPF with redirect:": "v=spf1 redirect=_spf.carrier.example",
    "SPF in the signs of a word processor": "v=spf1 mx -all",
    "SPF that refuses our own address": "v=spf1 mx ip4:9.9.9.9 -all",
    "SPF that refuses our own network": "v=spf1 mx ip4:9.9.9.9 -ip4:9.9.9.8/30 -all",
    "a typing mistake in the term for our own address": "v=spf1 ip4:9.9.9.9 -all",
    "SPF without the 1": "v=spf1 mx -all",
    "SPF with blanks around =": "v=spf1 mx -all",
    "SPF with -ALL": "v=spf1 mx -ALL",
    "twelve MX hosts, and SPF that asks for them": "v=spf1 ip4:9.9.9.10 -all",
    "twelve MX hosts, and no SPF": "v=spf1 ip4:9.9.9.10 -all",
    "two SPF records, one a redirect": "v=spf1 mx include:_spf.carrier.example -all",
    "sp= is no policy": f"v=DMARC1; p=reject; {_RUA}",
    "np= is no policy": f"v=DMARC1; p=reject; {_RUA}",
    "sp= is no policy, and no reports": "v=DMARC1; p=reject; rua=mailto:postmaster@firm.example",
    "p= is no policy, but reports": f"v=DMARC1; p=reject; {_RUA}",
    "no semicolon behind v=DMARC1": f"v=DMARC1; p=reject; {_RUA}",
    "DMARC with backslashes": f"v=DMARC1; p=reject; {_RUA}",
    "DMARC with p= twice": f"v=DMARC1; p=reject; {_RUA}",
    "DMARC with a wrong fo=": f"v=DMARC1; p=reject; {_RUA}",
    "DMARC with P=": f"v=DMARC1; p=reject; {_RUA}",
    "DMARC with v= at its end": f"v=DMARC1; p=reject; {_RUA}",
    "two DMARC records, with two mailboxes": "v=DMARC1; p=reject; rua=mailto:e@firm.example,mailto:d@firm.example",
    "a parked domain without DMARC": "v=DMARC1; p=reject",
    "quarantine that is only tested": f"v=DMARC1; p=quarantine; {_RUA}",
    "p= twice": f"v=DKIM1; k=rsa; p={rsa_key(2048)}",
    "P= and no p=": f"v=DKIM1; k=rsa; p={rsa_key(2048)}",
    "a key with a backslash before the semicolon": f"v=DKIM1; k=rsa; p={rsa_key(2048)}",
    "a key without semicolons": f"v=DKIM1; k=rsa; p={rsa_key(2048)}",
    "a key in quotes": f"v=DKIM1; k=rsa; p={rsa_key(2048)}",
    "TLS-RPT with blanks around =": "v=TLSRPTv1; rua=mailto:a@firm.example",
    "TLS-RPT with a blank behind rua": "v=TLSRPTv1; rua=mailto:a@firm.example",
    "TLS-RPT in small letters": "v=TLSRPTv1; rua=mailto:a@firm.example",
}
