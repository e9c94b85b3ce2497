"""Domains at the borders of what is right: just allowed, just not, written in an odd way, or half answered."""

from __future__ import annotations

import base64
from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.domain.cases import Case, Changes, key_record, rsa_key, strings
from tests.domain.nameserver import CUT_NO_TCP, SERVFAIL, SILENT

_NO_HOSTS: Changes = {
    "@ MX": ["0 ."], "@ TXT": ['"v=spf1 -all"'],
    "mx1 A": None, "mx1 AAAA": None, "mx2 A": None, "_imaps._tcp SRV": None, "_submissions._tcp SRV": None,
}  # fmt: skip
_SUB: Changes = {
    "sub MX": ["10 mx1.firm.example."], "sub TXT": ['"v=spf1 mx -all"'], "s1._domainkey.sub TXT": [key_record()],
    "_mta-sts.sub TXT": ['"v=STSv1; id=1"'], "_smtp._tls.sub TXT": ['"v=TLSRPTv1; rua=mailto:t@firm.example"'],
}  # fmt: skip
_SUBDOMAIN = "sub.firm.example"
_RUA = "rua=mailto:d@firm.example"


def _spf(text: str, **others: str) -> dict[str, list[str] | None]:
    return {"@ TXT": [strings(text)], **{f"{name} TXT": [strings(other)] for name, other in others.items()}}


def _dmarc(text: str) -> dict[str, list[str] | None]:
    return {"_dmarc TXT": [strings(text)]}


def _key(text: str) -> dict[str, list[str] | None]:
    return {"s1._domainkey TXT": [strings(text)]}


@cache
def _bare_key() -> str:
    """Return the p= of an RSA key in the form of RFC 6376 itself, an RSAPublicKey."""
    key = rsa.generate_private_key(65537, 2048).public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.PKCS1)).decode()


_INCLUDES = " ".join(f"include:i{number}.firm.example" for number in range(10))
_I = {f"i{number}": f"v=spf1 ip4:9.9.9.{number} -all" for number in range(10)}

# Nothing is wrong with these.
RIGHT = (
    Case("ten look-ups are allowed", "", _spf(f"v=spf1 {_INCLUDES} -all", **_I)),
    Case("two names without records are allowed", "", _spf("v=spf1 a:a.firm.example mx:b.firm.example mx -all")),
    Case("the same record twice is no loop", "",
         _spf("v=spf1 include:_spf.carrier.example redirect=x.firm.example",
              x="v=spf1 include:_spf.carrier.example -all")),
    Case("a network of /8 is not the world", "", _spf("v=spf1 ip4:9.0.0.0/8 ip6:2620::/16 -all")),
    Case("SPF in capitals", "", _spf("V=SPF1 MX IP4:9.9.9.9 -ALL")),
    Case("SPF with every kind of term", "",
         _spf("v=spf1 a/24//64 mx:firm.example/32 exists:%{i}._x.%{d2} ~all exp=why.%{d} unknown=x", why="no")),
    Case("SPF cut in the middle of a word", "", {"@ TXT": ['"v=spf1 m" "x ip4:9.9." "9.9 -al" "l"']}),
    Case("sixty strings of 255 bytes beside SPF", "", {
        "@ TXT": ['"v=spf1 mx -all"', " ".join(f'"{"x" * 255}"' for _ in range(60))],
    }),
    Case("an address of IPv6 that is covered", "", {"mx1 AAAA": ["2620:fe::10"]}, own_addresses=("2620:fe::10",)),
    Case("DMARC without blanks, and with a tag at its end", "", _dmarc(f"v=DMARC1;p=reject;{_RUA};")),
    Case("DMARC with blanks everywhere", "", _dmarc(f"v = DMARC1 ; p = Reject ; {_RUA} ; ")),
    Case("DMARC by an alias", "", {
        "_dmarc TXT": None, "_dmarc CNAME": ["firm.dmarc.carrier.example."],
        "_spf TXT": ['"v=spf1 -all"'],
    }, others={"dmarc.carrier.example": f'firm TXT "v=DMARC1; p=reject; {_RUA}"'}),
    Case("reports go to a neighbour, and may be large", "",
         _dmarc("v=DMARC1; p=reject; rua=mailto:d@reports.firm.example!10m,mailto:e@firm.example")),
    Case("a foreign text beside the records of policies", "", {
        "_dmarc TXT": [strings(f"v=DMARC1; p=reject; {_RUA}"), '"hello"'],
        "_mta-sts TXT": ['"v=STSv1; id=1"', '"hello"'],
        "_smtp._tls TXT": ['"v=TLSRPTv1; rua=mailto:t@firm.example"', '"hello"'],
    }),
    Case("a key with blanks in it, and without v=", "",
         _key(f"k=rsa; n=note; p={rsa_key(2048)[:100]} {rsa_key(2048)[100:]}")),
    Case("a key that is an RSAPublicKey", "", _key(f"v=DKIM1; p={_bare_key()}")),
    Case("a key for mail that allows SHA-1 too", "", {
        "s1._domainkey TXT": [key_record(2048, "s=email; h=sha1:sha256; ")],
    }),
    Case("a key by three aliases, over two zones", "", {
        "s1._domainkey TXT": None, "s1._domainkey CNAME": ["a.carrier.example."], "b CNAME": ["c.key.example."],
    }, others={"carrier.example": "a CNAME b.firm.example.", "key.example": f"c TXT {key_record()}"}),
    Case("MX hosts in capitals", "", {"@ MX": ["10 MX1.Firm.EXAMPLE.", "20 mx2.firm.example."]}),
    Case("the same MX host twice", "", {"@ MX": ["10 mx1.firm.example.", "20 mx1.firm.example."]}),
    Case("a PTR record of many that leads back", "", {"mx2 A": ["9.9.9.20"]}, others={
        "in-addr.arpa": "20.9.9.9 PTR gone.firm.example.\n20.9.9.9 PTR mx2.firm.example.\n"
                        "10.9.9.9 PTR mx1.firm.example.",
    }),
    Case("a service on a port of its own", "", {"_submission._tcp SRV": ["0 1 2587 mx1"]}),
    Case("the name is asked for in capitals", "", domain="FIRM.Example."),
    Case("a subdomain with a policy of its own", "", {
        **_SUB, "_dmarc TXT": ['"v=DMARC1; p=none"'], "_dmarc.sub TXT": [strings(f"v=DMARC1; p=reject; {_RUA}")],
    }, domain=_SUBDOMAIN),
    Case("a subdomain that is stricter by sp=", "", {**_SUB, **_dmarc(f"v=DMARC1; p=none; sp=reject; {_RUA}")},
         domain=_SUBDOMAIN),
    Case("a subdomain three levels down", "", {
        name.replace("sub ", "a.b.sub "): value for name, value in _SUB.items()
    }, domain="a.b.sub.firm.example"),
)  # fmt: skip

ROUTING_BORDERS = (
    Case("a domain that only has names below it", "dkim.none dns.mx_none mtasts.none spf.none tlsrpt.none", {
        "x.only TXT": ['"x"'],
    }, domain="only.firm.example", selectors=()),
    Case("a carrier's shared address range", "dns.mx_private", {"mx2 A": ["100.64.0.1"]}),
    Case("a private address beside a public one", "dns.mx_private", {"mx1 A": ["9.9.9.10", "192.168.1.1"]}),
    Case("an unreachable address of IPv6", "dns.mx_private", {"mx1 AAAA": ["fd00::1"]}),
    Case("no MX, and a private address", "dns.mx_none dns.mx_private", {
        "@ MX": None, "@ A": ["10.0.0.1"], "@ TXT": ['"v=spf1 ip4:9.9.9.9 -all"'],
    }),
    Case("every MX host is gone", "dns.mx_dangling", {"@ MX": ["10 gone.firm.example.", "20 away.firm.example."]}),
    Case("every MX names an address", "dns.mx_is_address", {
        "@ MX": ["10 9.9.9.10.", "20 9.9.9.11."], "@ TXT": ['"v=spf1 ip4:9.9.9.9 -all"'],
    }),
    Case("an MX host is an alias of a host with IPv6 only", "dns.mx_cname", {
        "mx2 A": None, "mx2 CNAME": ["mx6.carrier.example."],
    }),
    Case("the host of an SRV record cannot be looked up", "dns.srv_mismatch?", {
        "_imaps._tcp SRV": ["0 1 993 imap"], "imap A": ["9.9.9.10"],
    }, faults={"imap.firm.example": SERVFAIL}),
    Case("a null MX, and SPF with +all", "dns.null_mx_conflict spf.plus_all", {
        **_NO_HOSTS, "@ TXT": ['"v=spf1 +all"'],
    }),
    Case("the PTR record cannot be looked up", "dns.ptr_missing? dns.resolver_error?",
         faults={"11.9.9.9.in-addr.arpa": SERVFAIL}),
    Case("where a PTR name leads cannot be looked up", "dns.fcrdns_mismatch?", {"mx2 A": ["9.9.9.12"]},
         faults={"mx.carrier.example": SERVFAIL}),
    Case("the MX answer is cut, and there is no TCP", "dns.mx_none? dns.resolver_error? spf.temperror?",
         faults={"firm.example MX": CUT_NO_TCP}),
    Case("CAA cannot be looked up", "dns.caa_conflict?", faults={"firm.example CAA": SERVFAIL}),
    Case("CAA stands above", "", {**_SUB}, domain=_SUBDOMAIN),
)  # fmt: skip

POLICY_BORDERS = (
    Case("eleven look-ups, one of them below", "spf.too_many_lookups",
         _spf(f"v=spf1 {_INCLUDES} -all", **{**_I, "i9": "v=spf1 a:mx1.firm.example -all"})),
    Case("a redirect is a look-up too", "spf.too_many_lookups",
         _spf(f"v=spf1 {_INCLUDES} redirect=_spf.carrier.example", **_I)),
    Case("two records that include each other", "spf.too_many_lookups",
         _spf("v=spf1 include:x.firm.example -all", x="v=spf1 include:y.firm.example -all",
              y="v=spf1 include:x.firm.example -all")),
    Case("a record that redirects to itself", "spf.too_many_lookups", _spf("v=spf1 mx redirect=firm.example")),
    Case("a network of /7", "spf.plus_all", _spf("v=spf1 ip4:8.0.0.0/7 -all")),
    Case("every address of IPv4", "spf.plus_all", _spf("v=spf1 ip4:0.0.0.0/0 -all")),
    Case("every address of IPv6", "spf.plus_all", _spf("v=spf1 ip6:::/0 -all")),
    Case("?all behind a redirect", "spf.neutral", _spf("v=spf1 mx redirect=x.firm.example", x="v=spf1 ?all")),
    Case("no all behind a redirect", "spf.no_all",
         _spf("v=spf1 mx redirect=x.firm.example", x="v=spf1 mx:firm.example")),
    Case("an include without all is complete", "",
         _spf("v=spf1 include:x.firm.example -all", x="v=spf1 mx:firm.example")),
    Case("an include that is not answered", "spf.temperror?", _spf("v=spf1 include:_spf.carrier.example -all"),
         faults={"_spf.carrier.example": SILENT}),
    Case("an own address of IPv6 that is not covered", "spf.own_ip_not_covered", _spf("v=spf1 ip4:9.9.9.9 -all"),
         own_addresses=("2620:fe::10",)),
    Case("an own address without a name", "dns.ptr_missing", _spf("v=spf1 mx ip4:9.9.9.77 -all"),
         own_addresses=("9.9.9.77",)),
    Case("a key for something else than mail", "dkim.key_syntax", {
        "s1._domainkey TXT": [key_record(2048, "s=tlsrpt; ")],
    }),
    Case("a key of a kind that is none", "dkim.key_syntax", _key(f"v=DKIM1; k=dsa; p={rsa_key(2048)}")),
    Case("a key behind another version", "dkim.key_syntax", _key(f"v=DKIM2; p={rsa_key(2048)}")),
    Case("the key's alias leads nowhere", "dkim.key_missing", {
        "s1._domainkey TXT": None, "s1._domainkey CNAME": ["gone.carrier.example."],
    }),
    Case("the key's alias leads to itself", "dkim.dns_temperror?", {
        "s1._domainkey TXT": None, "s1._domainkey CNAME": ["s2._domainkey"], "s2._domainkey CNAME": ["s1._domainkey"],
    }),
    Case("pct=0", "dmarc.pct_partial", _dmarc(f"v=DMARC1; p=reject; pct=0; {_RUA}")),
    Case("a subdomain under sp=none", "dmarc.policy_none", {**_SUB, **_dmarc(f"v=DMARC1; p=reject; sp=none; {_RUA}")},
         domain=_SUBDOMAIN),
    Case("the policy above cannot be looked up", "dmarc.temperror?", _SUB, domain=_SUBDOMAIN,
         faults={"_dmarc.firm.example": SERVFAIL}),
    Case("whether reports are wanted cannot be looked up", "dmarc.temperror?",
         _dmarc("v=DMARC1; p=reject; rua=mailto:x@carrier.example"),
         faults={"firm.example._report._dmarc.carrier.example": SERVFAIL}),
    Case("a wildcard answers for everything", "dmarc.none mtasts.none tlsrpt.none", {
        "* TXT": ['"v=spf1 -all"'], "_dmarc TXT": None, "_mta-sts TXT": None, "_smtp._tls TXT": None,
    }),
    Case("the MTA-STS record is not answered", "mtasts.none?", faults={"_mta-sts.firm.example": SILENT}),
    Case("the TLS-RPT record is not answered", "tlsrpt.none?", faults={"_smtp._tls.firm.example": SILENT}),
    Case("two TLS-RPT records", "tlsrpt.syntax", {
        "_smtp._tls TXT": ['"v=TLSRPTv1; rua=mailto:a@firm.example"', '"v=TLSRPTv1; rua=mailto:b@firm.example"'],
    }),
)  # fmt: skip

# Here a simple look at the record alone is misled.
MISLEADING = (
    Case("SRV to an alias of a host with IPv6 only", "dns.mx_ipv6_only dns.srv_mismatch", {
        "@ MX": ["10 mx6.carrier.example."],
        "_imaps._tcp SRV": ["0 1 993 imap"], "imap CNAME": ["mx6.carrier.example."],
    }),
    Case("a null MX, and SPF that lets hosts send by redirect", "dns.null_mx_conflict", {
        **_NO_HOSTS, "@ TXT": ['"v=spf1 redirect=_spf.carrier.example"'],
    }),
    Case("half of the addresses, by a/1", "spf.plus_all", _spf("v=spf1 a:mx1.firm.example/1 -all")),
    Case("+all behind -all is not reached", "spf.after_all", _spf("v=spf1 mx -all +all")),
    Case("ptr behind -all is not reached", "spf.after_all", _spf("v=spf1 mx -all ptr")),
    Case("an include that lets everybody, to refuse them", "", _spf("v=spf1 mx -include:open.carrier.example ~all")),
    Case("a domain that neither takes nor sends mail needs no key", "", {**_NO_HOSTS, "s1._domainkey TXT": None},
          selectors=()),
    Case("the TLSA records cannot be looked up", "dns.resolver_error?",
          faults={"_25._tcp.mx1.firm.example": SERVFAIL}),
)  # fmt: skip

BORDERS = (*RIGHT, *ROUTING_BORDERS, *POLICY_BORDERS, *MISLEADING)
