"""Domains that are healthy but unusual, and what may be reported of each: labels from the RFCs and from practice.

A domain is an ordinary one with changes; `may` is all that may be reported above info. Of DOMAINS only DNS is asked;
those of LIVE have an MX host on loopback that shows a certificate, and a web server with the MTA-STS policy.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.diagnose.healthy import Certificate, Service
from tests.domain.cases import key_record, rsa_key, strings
from tests.healthy import May

# "owner TYPE" -> values; None takes a record of the ordinary domain away.
Changes = Mapping[str, list[str] | None]
NONE: Mapping[str, str] = MappingProxyType({})


class Domain(NamedTuple):
    """A domain: what it publishes, what is asked (`mailmon dns DOMAIN ARGUMENTS`), and what may be reported.

    `origin` is the zone of `records`, `others` are more zones by their origin, `reverse` more lines of in-addr.arpa.
    `edns` is how the name server takes EDNS: "" as it should, else the rcode that it answers with.
    """

    name: str
    records: Changes = MappingProxyType({})
    may: tuple[May, ...] = ()
    others: Mapping[str, str] = NONE
    reverse: str = ""
    domain: str = "firm.example"
    arguments: tuple[str, ...] = ("--selector", "s1")
    origin: str = "firm.example"
    edns: str = ""


class Live(NamedTuple):
    """A domain whose MX host answers, with `certificates` on all its services; `unknown` is what has to be unknown.

    In TLSA records {leaf}, {leaf_certificate}, {ca} and the like are filled in, in SRV records {imaps} and other ports.
    """

    name: str
    certificates: tuple[Certificate, ...] = (Certificate(),)
    records: Changes = MappingProxyType({})
    may: tuple[May, ...] = ()
    is_secure: bool = False
    policy: str = ""
    services: tuple[Service, ...] = (Service("smtp"),)
    unknown: str = ""


def _long_key() -> str:
    """Return the record of a key of 4096 bits; to make a real pair takes a second, and nothing is signed with it."""
    public = rsa.RSAPublicNumbers(65537, (1 << 4095) | (random.Random(7).getrandbits(4094) << 1) | 1).public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return strings(f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}")


LONG_KEY = _long_key()


def ordinary() -> dict[str, list[str] | None]:
    """Return what an ordinary healthy domain publishes."""
    return {
        "@ MX": ["10 mx1", "20 mx2"],
        "mx1 A": ["9.9.9.10"],
        "mx2 A": ["9.9.9.11"],
        "out A": ["9.9.9.9"],
        "@ TXT": ['"v=spf1 mx -all"'],
        "s1._domainkey TXT": [key_record()],
        "_dmarc TXT": ['"v=DMARC1; p=reject; rua=mailto:dmarc@firm.example"'],
        "_mta-sts TXT": ['"v=STSv1; id=20260101000000Z"'],
        "_smtp._tls TXT": ['"v=TLSRPTv1; rua=mailto:tls@firm.example"'],
        "@ CAA": ['0 issue "letsencrypt.org"'],
    }


REVERSE = """\
9.9.9.9 PTR out.firm.example.
10.9.9.9 PTR mx1.firm.example.
11.9.9.9 PTR mx2.firm.example.
"""
ED25519 = '"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="'
NO_STS = May("mtasts.none", "notice", "MTA-STS is optional (RFC 8461 section 1)")
NO_TLSRPT = May("tlsrpt.none", "notice", "TLS-RPT is optional (RFC 8460 section 1)")
NO_CAA = May("dns.caa_conflict", "notice", "without an issue property any CA may issue (RFC 8659 section 4.2)")
NO_RUA = May("dmarc.no_reports", "notice", "rua is optional (RFC 9989 section 4.7)")
NO_PTR = May("dns.ptr_missing", "notice", "an MX host that sends no mail needs no name")
REVOKED = May("dkim.key_revoked", "notice", "an empty p= is how a key is withdrawn (RFC 6376 section 3.6.1)")
TESTING = May("mtasts.mode_testing", "notice", "mode: testing only reports (RFC 8461 section 5)")


def _six(address: str, name: str) -> dict[str, str]:
    """Return the zone with the name of an IPv6 address below 2620:fe::/32."""
    last = f"{int(address.rpartition('::')[2], 16):020x}"
    return {"ip6.arpa": f"{'.'.join(reversed(last))}.{'.'.join(reversed('2620' + '00fe' + '0000'))} PTR {name}.\n"}


def _hosts(count: int) -> tuple[Changes, str]:
    """Return MX records of so many hosts with their addresses, and the names of these."""
    records: dict[str, list[str] | None] = {"@ MX": [f"{number} m{number}" for number in range(1, count + 1)]}
    records |= {f"m{number} A": [f"9.9.9.{number + 30}"] for number in range(1, count + 1)}
    records |= {"mx1 A": None, "mx2 A": None, "@ TXT": ['"v=spf1 ip4:9.9.9.9 -all"']}
    return records, "".join(f"{number + 30}.9.9.9 PTR m{number}.firm.example.\n" for number in range(1, count + 1))


_NO_HOSTS: Changes = {"mx1 A": None, "mx2 A": None}
_PARKED: Changes = {
    **_NO_HOSTS,
    "@ MX": ["0 ."],
    "@ A": ["9.9.9.80"],
    "www CNAME": ["firm.example."],
    "@ TXT": ['"v=spf1 -all"'],
    "s1._domainkey TXT": None,
    "_mta-sts TXT": None,
    "_smtp._tls TXT": None,
    "_dmarc TXT": ['"v=DMARC1; p=reject; adkim=s; aspf=s"'],
    "@ CAA": ['0 issue ";"'],
}
_GOOGLE = """\
aspmx A 9.9.9.40
aspmx AAAA 2620:fe::40
alt1.aspmx A 9.9.9.41
alt2.aspmx A 9.9.9.42
alt3.aspmx A 9.9.9.43
alt4.aspmx A 9.9.9.44
r40 A 9.9.9.40
r40 AAAA 2620:fe::40
_spf TXT "v=spf1 include:_netblocks.provider.example include:_netblocks2.provider.example ~all"
_netblocks TXT "v=spf1 ip4:9.9.12.0/24 ip4:9.9.8.0/24 ~all"
_netblocks2 TXT "v=spf1 ip6:2620:fe::/48 ~all"
"""
_NESTED = {f"n{number} TXT": [f'"v=spf1 include:n{number + 1}.firm.example -all"'] for number in range(1, 9)}
_REPORTS = 'firm.example._report._dmarc TXT "v=DMARC1"\n'
_TOKENS = [f'"provider-{number}-site-verification={"abcdefgh" * 6}{number}"' for number in range(30)]

DOMAINS = (
    # where mail goes
    Domain("an ordinary domain"),
    Domain(
        "inside, the hosts for clients have private addresses (split horizon)",
        {
            "_imaps._tcp SRV": ["0 1 993 mail"],
            "_submissions._tcp SRV": ["0 1 465 mail"],
            "mail A": ["10.20.30.40"],
            "autodiscover A": ["10.20.30.40"],
            "intranet A": ["192.168.7.7"],
        },
    ),
    Domain(
        "five MX hosts of one provider, of which some have no name",
        {
            **_NO_HOSTS,
            "@ TXT": ['"v=spf1 include:_spf.provider.example ~all"'],
            "@ MX": [
                "1 aspmx.provider.example.",
                "5 alt1.aspmx.provider.example.",
                "5 alt2.aspmx.provider.example.",
                "10 alt3.aspmx.provider.example.",
                "10 alt4.aspmx.provider.example.",
            ],
        },
        (
            May("dns.ptr_missing", "notice", "the customer cannot name them, and they only receive"),
            May("dns.ptr_generic", "notice", "the provider's own naming"),
        ),
        others={"provider.example": _GOOGLE, **_six("2620:fe::40", "r40.provider.example")},
        reverse="40.9.9.9 PTR r40.provider.example.\n",
    ),
    Domain(
        "the one MX host of a provider, named after the domain, with addresses that rotate",
        {
            **_NO_HOSTS,
            "@ MX": ["0 firm-example.mail.protection.provider.example."],
            "@ TXT": ['"v=spf1 include:spf.protection.provider.example -all"'],
        },
        (NO_PTR, May("dns.ptr_generic", "notice", "the provider's own naming")),
        others={
            "provider.example": """\
firm-example.mail.protection A 9.9.9.50
firm-example.mail.protection A 9.9.9.51
firm-example.mail.protection A 9.9.9.52
mail-am5a A 9.9.9.50
mail-am5b A 9.9.9.51
spf.protection TXT "v=spf1 ip4:9.9.10.0/24 ip4:9.9.11.0/24 -all"
"""
        },
        reverse="50.9.9.9 PTR mail-am5a.provider.example.\n51.9.9.9 PTR mail-am5b.provider.example.\n",
    ),
    Domain(
        "its MX host is in a domain of its own",
        {
            **_NO_HOSTS,
            "@ MX": ["10 mail.other.example."],
        },
        others={"other.example": "mail A 9.9.9.60"},
        reverse="60.9.9.9 PTR mail.other.example.\n",
    ),
    Domain(
        "the domain is its own MX host",
        {
            **_NO_HOSTS,
            "@ MX": ["10 firm.example."],
            "@ A": ["9.9.9.61"],
        },
        reverse="61.9.9.9 PTR firm.example.\n",
    ),
    Domain("twelve MX hosts", _hosts(12)[0], reverse=_hosts(12)[1]),
    Domain(
        "an MX host with IPv6 only, beside one with IPv4",
        {
            "@ MX": ["10 mx1", "20 six"],
            "mx2 A": None,
            "six AAAA": ["2620:fe::66"],
        },
        others=_six("2620:fe::66", "six.firm.example"),
    ),
    Domain(
        "the first MX host is closed on purpose (nolisting)",
        {
            "@ MX": ["10 closed", "20 mx1", "90 mx2"],
            "closed A": ["9.9.9.62"],
            "@ TXT": ['"v=spf1 a:mx1.firm.example -all"'],
        },
        (NO_PTR,),
    ),
    Domain(
        "a backup MX of a friend, that sends nothing for it and has another name",
        {
            "@ MX": ["10 mx1", "50 backup.friend.example."],
            "mx2 A": None,
            "@ TXT": ['"v=spf1 a:mx1.firm.example -all"'],
        },
        others={"friend.example": "backup A 9.9.9.63\nserver A 9.9.9.63"},
        reverse="63.9.9.9 PTR server.friend.example.\n",
    ),
    Domain(
        "an MX host with three addresses, all of one name",
        {
            "@ MX": ["10 mx1"],
            "mx2 A": None,
            "mx1 A": ["9.9.9.10", "9.9.9.64", "9.9.9.65"],
        },
        reverse="64.9.9.9 PTR mx1.firm.example.\n65.9.9.9 PTR mx1.firm.example.\n",
    ),
    Domain(
        "an address with several names, of which one leads back",
        {
            "mx2 A": ["9.9.9.66"],
        },
        reverse="66.9.9.9 PTR www.shop.example.\n66.9.9.9 PTR mx2.firm.example.\n66.9.9.9 PTR gone.firm.example.\n",
    ),
    Domain(
        "the names of its addresses are delegated without classes (RFC 2317)",
        {
            "mx2 A": ["9.9.9.67"],
        },
        reverse="67.9.9.9 CNAME 67.64-95.9.9.9.in-addr.arpa.\n67.64-95.9.9.9 PTR mx2.firm.example.\n",
    ),
    Domain(
        "SRV: three services, one at a provider, one twice, two not offered",
        {
            "_imaps._tcp SRV": ["0 1 993 mx1", "10 1 993 mx2"],
            "_imap._tcp SRV": ["0 0 0 ."],
            "_pop3s._tcp SRV": ["0 0 0 ."],
            "_submissions._tcp SRV": ["0 1 465 mail.other.example."],
            "_sieve._tcp SRV": ["0 1 4190 mx1"],
        },
        others={"other.example": "mail A 9.9.9.60"},
        reverse="60.9.9.9 PTR mail.other.example.\n",
    ),
    Domain(
        "a domain with letters outside ASCII, as people write it",
        {
            **_NO_HOSTS,
            "@ MX": ["10 mx.xn--strae-oqa.example."],
            "_dmarc TXT": ['"v=DMARC1; p=reject; rua=mailto:d@xn--strae-oqa.example"'],
            "mx A": ["9.9.9.68"],
        },
        reverse="68.9.9.9 PTR mx.xn--strae-oqa.example.\n",
        domain="Straße.example",
        origin="xn--strae-oqa.example",
    ),
    Domain(
        "an MX host with letters outside ASCII",
        {
            **_NO_HOSTS,
            "@ MX": ["10 xn--mx-via.xn--bcher-kva.example."],
        },
        others={"xn--bcher-kva.example": "xn--mx-via A 9.9.9.69"},
        reverse="69.9.9.9 PTR xn--mx-via.xn--bcher-kva.example.\n",
    ),
    # domains that do not take, or do not send
    Domain(
        "a parked domain with a web page",
        {
            **_PARKED,
            "*._domainkey TXT": ['"v=DKIM1; p="'],
        },
        (NO_RUA, REVOKED),
        arguments=(),
    ),
    Domain(
        "a parked domain with wildcards for everything",
        {
            **_PARKED,
            "* TXT": ['"v=spf1 -all"'],
            "* MX": ["0 ."],
            "*._domainkey TXT": ['"v=DKIM1; p="'],
            "_dmarc TXT": ['"v=DMARC1;p=reject;sp=reject;np=reject"'],
        },
        (NO_RUA, REVOKED),
        arguments=(),
    ),
    Domain(
        "it receives only",
        {
            "@ TXT": ['"v=spf1 -all"'],
            "s1._domainkey TXT": None,
        },
        (May("dkim.none", "notice", "who sends nothing signs nothing"), NO_PTR),
        arguments=(),
    ),
    Domain(
        "it sends only, and its null MX says so",
        {
            **_NO_HOSTS,
            "@ MX": ["0 ."],
            "@ TXT": ['"v=spf1 ip4:9.9.9.9 -all"'],
            "_mta-sts TXT": None,
            "_smtp._tls TXT": None,
        },
        (May("dns.null_mx_conflict", "warning", "SHOULD NOT be done by domains that send (RFC 7505 section 4.2)"),),
        arguments=("--selector", "s1", "--ip", "9.9.9.9"),
    ),
    Domain(
        "the bounce domain of a mail service, below a domain with its own policy",
        {
            "bounce MX": ["10 feedback.service.example."],
            "bounce TXT": ['"v=spf1 include:service.example ~all"'],
        },
        (NO_STS, NO_TLSRPT, May("dkim.none", "notice", "an envelope domain signs nothing (RFC 6376 section 3.5, d=)")),
        others={"service.example": 'feedback A 9.9.9.70\n@ TXT "v=spf1 ip4:9.9.9.0/28 -all"'},
        reverse="70.9.9.9 PTR feedback.service.example.\n",
        domain="bounce.firm.example",
        arguments=(),
    ),
    # SPF
    Domain(
        "SPF at exactly ten look-ups, nested eight deep",
        {
            "@ TXT": ['"v=spf1 mx include:n1.firm.example -all"'],
            **_NESTED,
            "n9 TXT": ['"v=spf1 ip4:9.9.9.0/28 -all"'],
        },
    ),
    Domain(
        "SPF by redirect to a record with macros that ask for each address",
        {
            "@ TXT": ['"v=spf1 redirect=_spf.firm.example"'],
            "_spf TXT": ['"v=spf1 exists:%{i}._ip.%{d2} exists:%{ir}.%{l1r+-}._user.%{o} mx -all"'],
        },
    ),
    Domain(
        "SPF by one include whose name holds macros, at a service",
        {
            "@ TXT": ['"v=spf1 include:%{i}._ip.%{h}._ehlo.%{d}._spf.service.example ~all"'],
        },
        others={"service.example": '*._spf TXT "v=spf1 ip4:9.9.9.9 ?all"'},
    ),
    Domain(
        "SPF in many strings, cut inside of words",
        {
            "@ TXT": ['"v=spf1 ip4:9.9." "9.9 ip" "4:9.9.8.0/2" "4 mx " "" "-a" "ll"'],
            "news A": ["9.9.8.77"],
        },
        reverse="77.8.9.9 PTR news.firm.example.\n",
        arguments=("--selector", "s1", "--ip", "9.9.9.9", "--ip", "9.9.8.77"),
    ),
    Domain(
        "SPF with capitals, prefixes for both families, an explanation and an unknown modifier",
        {
            "@ TXT": ['"V=SPF1 A/24//64 MX:firm.example IP6:2620:fe::/48 x-note=hello exp=why.%{d} -ALL"'],
            "@ A": ["9.9.9.80"],
            "why TXT": ['"%{i} may not send for %{d}"'],
        },
    ),
    Domain("SPF that ends softly, beside a policy that rejects", {"@ TXT": ['"v=spf1 mx ~all"']}),
    Domain(
        "SPF beside thirty tokens of other services, and a text outside ASCII",
        {
            "@ TXT": [
                '"v=spf1 mx -all"',
                *_TOKENS,
                '"\\195\\132pfel & Birnen GmbH"',
                '"MS=ms12345678"',
                '"SPF is published above"',
            ],
        },
    ),
    # wildcards
    Domain(
        "a wildcard TXT record with SPF",
        {
            "* TXT": ['"v=spf1 -all"'],
            "_mta-sts TXT": None,
            "_smtp._tls TXT": None,
        },
        (NO_STS, NO_TLSRPT),
    ),
    Domain(
        "a wildcard alias to a web server",
        {
            "* CNAME": ["web.hoster.example."],
            "_mta-sts TXT": None,
            "_smtp._tls TXT": None,
        },
        (NO_STS, NO_TLSRPT),
        others={"hoster.example": 'web A 9.9.9.81\nweb TXT "hello"'},
    ),
    # DKIM
    Domain(
        "DKIM keys by aliases to a provider, which rotates them, through three names",
        {
            "s1._domainkey TXT": None,
            "s1._domainkey CNAME": ["s1.firm-example.dkim.provider.example."],
            "selector2._domainkey CNAME": ["selector2.firm-example.dkim.provider.example."],
        },
        (May("dkim.*", "notice", "the other selector is published when the keys rotate"),),
        others={
            "provider.example": "s1.firm-example.dkim CNAME key-2026.keys\nkey-2026.keys CNAME k77.pool\n"
            f"k77.pool TXT {key_record()}\n",
        },
    ),
    Domain(
        "an old selector is revoked, a new one in use",
        {
            "default._domainkey TXT": ['"v=DKIM1; k=rsa; p="'],
        },
        (REVOKED,),
    ),
    Domain(
        "an Ed25519 key beside an RSA key of 4096 bits",
        {
            "s1._domainkey TXT": [LONG_KEY],
            "s2._domainkey TXT": [ED25519],
        },
        arguments=("--selector", "s1", "--selector", "s2"),
    ),
    Domain(
        "a key for the domain alone, for mail, with notes and an old tag",
        {
            "s1._domainkey TXT": [key_record(2048, "t=s; s=email; h=sha256; g=*; n=made on Monday; ")],
        },
    ),
    Domain(
        "a key record of nothing but the key, folded inside of it",
        {
            "s1._domainkey TXT": [key_record().replace("v=DKIM1; k=rsa; ", "").replace("MIIB", "MI IB")],
        },
    ),
    # DMARC
    Domain(
        "DMARC inherited by a subdomain, reports to a service that was asked under the organisation's name",
        {
            "team MX": ["10 mx1"],
            "team TXT": ['"v=spf1 mx -all"'],
            "s1._domainkey.team TXT": [ED25519],
            "_dmarc TXT": ['"v=DMARC1; p=reject; rua=mailto:firm@reports.example"'],
        },
        (NO_STS, NO_TLSRPT),
        others={"reports.example": _REPORTS},
        domain="team.firm.example",
    ),
    Domain(
        "DMARC with all tags of RFC 9989",
        {
            "_dmarc TXT": [
                '"v=DMARC1; p=reject; sp=quarantine; np=reject; t=n; psd=n; adkim=s; aspf=r; fo=1:d:s; '
                'rua=mailto:d@firm.example; ruf=mailto:f@firm.example"'
            ],
        },
    ),
    Domain(
        "DMARC with the tags that only RFC 7489 had",
        {
            "_dmarc TXT": ['"v=DMARC1; p=reject; pct=100; rf=afrf; ri=86400; rua=mailto:d@firm.example"'],
        },
    ),
    Domain(
        "DMARC with blanks everywhere and capitals",
        {
            "_dmarc TXT": ['"v=DMARC1 ; p = Reject ; rua = mailto:d@firm.example ;"'],
        },
    ),
    Domain(
        "DMARC reports with limits of size, to two addresses, one of a service that takes all",
        {
            "_dmarc TXT": ['"v=DMARC1; p=quarantine; rua=mailto:d@firm.example!10m,mailto:x@reports.example!500k"'],
        },
        others={"reports.example": '*._report._dmarc TXT "v=DMARC1;"'},
    ),
    Domain(
        "DMARC by an alias to a service, beside a token of somebody else",
        {
            "_dmarc TXT": None,
            "_dmarc CNAME": ["firm.example._dmarc.reports.example."],
        },
        others={
            "reports.example": 'firm.example._dmarc TXT "v=DMARC1; p=reject; rua=mailto:y@reports.example"\n'
            'firm.example._dmarc TXT "service-verification=123"\n' + _REPORTS
        },
    ),
    Domain(
        "a domain below a public suffix that has a policy of its own",
        {
            "_dmarc TXT": ['"v=DMARC1; p=reject; rua=mailto:dmarc@firm.example"'],
        },
        others={
            "example": '_dmarc TXT "v=DMARC1; p=none; sp=reject; np=reject; psd=y; rua=mailto:psd@registry.example"'
        },
    ),
    # TLS policies
    Domain(
        "MTA-STS and TLS-RPT by aliases at a provider",
        {
            "_mta-sts TXT": None,
            "_mta-sts CNAME": ["firm._mta-sts.provider.example."],
            "mta-sts CNAME": ["sts.provider.example."],
            "_smtp._tls TXT": None,
            "_smtp._tls CNAME": ["_smtp._tls.provider.example."],
        },
        others={
            "provider.example": 'firm._mta-sts TXT "v=STSv1;id=7"\nsts A 9.9.9.82\n'
            '_smtp._tls TXT "v=TLSRPTv1; rua=https://reports.provider.example/v1/firm"'
        },
    ),
    Domain(
        "MTA-STS with a field of its own, TLS-RPT to a mailbox and a web service, without blanks",
        {
            "_mta-sts TXT": ['"v=STSv1; id=20260101T000000; vendor=x1;"'],
            "_smtp._tls TXT": ['"v=TLSRPTv1;rua=mailto:t@firm.example,https://r.firm.example/tls"'],
        },
    ),
    # CAA
    Domain(
        "CAA with an account and a method, no wildcards, and where to complain",
        {
            "@ CAA": [
                '0 issue "letsencrypt.org; accounturi=https://ca.example/acct/1; validationmethods=dns-01"',
                '0 issuewild ";"',
                '0 iodef "mailto:ca@firm.example"',
                '0 contactemail "ca@firm.example"',
            ],
        },
    ),
    Domain(
        "CAA with nothing but where to complain",
        {
            "@ CAA": ['0 iodef "mailto:ca@firm.example"'],
        },
        (NO_CAA,),
    ),
    Domain(
        "CAA of the domain above counts",
        {
            "team MX": ["10 mx1"],
            "team TXT": ['"v=spf1 mx -all"'],
            "s1._domainkey.team TXT": [ED25519],
        },
        (NO_STS, NO_TLSRPT),
        domain="team.firm.example",
    ),
    # more records, other name servers
    Domain(
        "BIMI with a mark and its proof",
        {
            "default._bimi TXT": ['"v=BIMI1; l=https://firm.example/mark.svg; a=https://firm.example/mark.pem;"'],
        },
    ),
    Domain("BIMI that says that there is none", {"default._bimi TXT": ['"v=BIMI1; l=; a=;"']}),
    Domain("a name server that answers FORMERR to EDNS", edns="FORMERR"),
    Domain("a name server that answers NOTIMP to EDNS", edns="NOTIMP"),
)

# The same kinds once more, by other records.
MORE = (
    Domain("a domain written with capitals and a final dot", domain="FIRM.Example."),
    Domain(
        "a domain with a final sigma, which was another letter once",
        {
            **_NO_HOSTS,
            "@ MX": ["10 mx.xn--nxasmm1c.example."],
            "mx A": ["9.9.9.68"],
            "_dmarc TXT": ['"v=DMARC1; p=reject; rua=mailto:d@xn--nxasmm1c.example"'],
        },
        reverse="68.9.9.9 PTR mx.xn--nxasmm1c.example.\n",
        domain="βόλος.example",
        origin="xn--nxasmm1c.example",
    ),
    Domain(
        "a domain with letters outside ASCII, in its form for DNS and in capitals",
        {
            **_NO_HOSTS,
            "@ MX": ["10 mx.xn--fa-hia.example."],
            "mx A": ["9.9.9.68"],
            "_dmarc TXT": ['"v=DMARC1; p=reject; rua=mailto:d@xn--fa-hia.example"'],
        },
        reverse="68.9.9.9 PTR mx.xn--fa-hia.example.\n",
        domain="XN--FA-HIA.EXAMPLE",
        origin="xn--fa-hia.example",
    ),
    Domain(
        "two names of MX hosts for one machine, which has one name",
        {
            "mx2 A": ["9.9.9.10"],
            "mx3 A": ["9.9.9.10"],
            "@ MX": ["10 mx1", "10 mx2", "30 mx3"],
        },
    ),
    Domain(
        "it sends by IPv6 too, from an address with a name",
        {
            "@ TXT": ['"v=spf1 mx ip6:2620:fe::77 -all"'],
            "out6 AAAA": ["2620:fe::77"],
        },
        others=_six("2620:fe::77", "out6.firm.example"),
        arguments=("--selector", "s1", "--ip", "2620:fe::77"),
    ),
    Domain(
        "SPF beside records that only look like it",
        {
            "@ TXT": ['"v=spf1 mx -all"', '"v=spf10 mx"', '"spf2.0/pra mx -all"', '"v=spf1test"', '"x v=spf1 -all"'],
        },
    ),
    Domain(
        "SPF that trusts a service less than itself",
        {
            "@ TXT": ['"v=spf1 mx ?include:service.example ~ip4:9.9.9.9 -all"'],
        },
        others={"service.example": '@ TXT "v=spf1 ip4:9.9.13.0/24 -all"'},
    ),
    Domain(
        "SPF by a redirect whose name holds the domain, with an explanation that is not there",
        {
            "@ TXT": ['"v=spf1 redirect=%{d}._spf.service.example exp=gone.%{d}"'],
        },
        others={"service.example": 'firm.example._spf TXT "v=spf1 ip4:9.9.9.0/27 -all"'},
    ),
    Domain(
        "SPF that fills a packet and more",
        {
            "@ TXT": [strings("v=spf1 mx " + " ".join(f"ip4:9.9.14.{number}" for number in range(120)) + " -all")],
        },
    ),
    Domain(
        "a selector with a dot, a key with all blanks that are allowed, both hashes",
        {
            "2026.mail._domainkey TXT": [strings(f"v = DKIM1 ; k = rsa ; h = sha1 : sha256 ; p = {rsa_key(2048)}")],
        },
        arguments=("--selector", "2026.mail"),
    ),
    Domain(
        "DMARC, MTA-STS and TLS-RPT beside other texts at their names",
        {
            "_dmarc TXT": [
                '"v=DMARC1; p=reject; rua=mailto:d@firm.example"',
                '"hello"',
                '"v=spf1 -all"',
                '"v=DMARC2; p=none"',
            ],
            "_mta-sts TXT": ['"v=STSv1; id=1"', '"token=abc"', '"v=spf1 -all"'],
            "_smtp._tls TXT": ['"v=TLSRPTv1; rua=mailto:t@firm.example"', '"token=abc"', '"v=spf1 -all"'],
        },
    ),
    Domain(
        "DMARC of a subdomain, with reports to the organisation and to a third name of it",
        {
            "team MX": ["10 mx1"],
            "team TXT": ['"v=spf1 mx -all"'],
            "s1._domainkey.team TXT": [ED25519],
            "_dmarc.team TXT": ['"v=DMARC1; p=quarantine; rua=mailto:d@firm.example,mailto:d@reports.firm.example"'],
        },
        (NO_STS, NO_TLSRPT),
        domain="team.firm.example",
    ),
    Domain(
        "DMARC reports to a service that says so by an alias",
        {
            "_dmarc TXT": ['"v=DMARC1; p=reject; rua=mailto:x@reports.example"'],
        },
        others={"reports.example": 'firm.example._report._dmarc CNAME _allow\n_allow TXT "v=DMARC1"'},
    ),
    Domain(
        "CAA with a critical flag, capitals, and properties for mail and marks",
        {
            "@ CAA": [
                '128 ISSUE "letsencrypt.org"',
                '0 issue "sectigo.com"',
                '0 issuemail ";"',
                '0 issuevmc "digicert.com"',
            ],
        },
    ),
    Domain(
        "SRV for calendars, for a provider's autodiscover, and with equal weights",
        {
            "_caldavs._tcp SRV": ["0 1 443 dav"],
            "_autodiscover._tcp SRV": ["0 0 443 autodiscover.provider.example."],
            "_submission._tcp SRV": ["0 5 587 mx1", "0 5 587 mx2"],
            "_imap._tcp SRV": ["0 0 143 mx1"],
            "dav A": ["9.9.9.83"],
        },
        others={"provider.example": "autodiscover A 9.9.9.84"},
    ),
    Domain(
        "BIMI without a proof, by another selector too",
        {
            "default._bimi TXT": ['"v=BIMI1;l=https://firm.example/mark.svg"'],
            "v1._bimi TXT": ['"v=BIMI1; l=https://firm.example/mark.svg; a=; avp=brand;"'],
        },
    ),
    Domain(
        "a parked subdomain, which lives by the policy above",
        {
            "old MX": ["0 ."],
            "old TXT": ['"v=spf1 -all"'],
        },
        (REVOKED, May("dkim.none", "notice", "who sends nothing signs nothing")),
        domain="old.firm.example",
        arguments=(),
    ),
    Domain(
        "its name servers are in another domain, and MX hosts in a delegated zone of its own",
        {
            **_NO_HOSTS,
            "@ MX": ["10 a.mail", "20 b.mail"],
            "mail NS": ["ns1.dns.example."],
        },
        others={"mail.firm.example": "a A 9.9.9.85\nb A 9.9.9.86", "dns.example": "ns1 A 9.9.9.87"},
        reverse="85.9.9.9 PTR a.mail.firm.example.\n86.9.9.9 PTR b.mail.firm.example.\n",
    ),
)

# Asked through a resolver that validates: `example` and `firm.example` are signed, all others are not.
SIGNED = (
    Domain(
        "signed, with DANE for both MX hosts",
        {
            "_25._tcp.mx1 TLSA": ["3 1 1 " + "ab" * 32, "2 1 1 " + "cd" * 32],
            "_25._tcp.mx2 TLSA": ["3 1 1 " + "ab" * 32],
        },
    ),
    Domain(
        "signed, with wildcards and an alias that leads out of the signed zone",
        {
            "* TXT": ['"v=spf1 -all"'],
            "s1._domainkey TXT": None,
            "s1._domainkey CNAME": ["k1.provider.example."],
        },
        others={"provider.example": f"k1 TXT {key_record()}"},
    ),
    Domain(
        "signed, its MX host in a domain that is not (insecure delegation)",
        {
            **_NO_HOSTS,
            "@ MX": ["10 mail.provider.example."],
        },
        others={"provider.example": "mail A 9.9.9.60"},
        reverse="60.9.9.9 PTR mail.provider.example.\n",
    ),
    Domain(
        "a subdomain that a signed domain has delegated without a DS",
        {
            "team NS": ["ns.provider.example."],
        },
        (NO_STS, NO_TLSRPT),
        others={
            "team.firm.example": f'@ MX 10 mx1.firm.example.\n@ TXT "v=spf1 mx -all"\ns1._domainkey TXT {ED25519}',
        },
        domain="team.firm.example",
    ),
)

_DANE = "_25._tcp.mx1 TLSA"
_IGNORED = "with usage 3 the key alone counts: dates, names and issuers are ignored (RFC 7672 section 3.1.1, 7671 5.1)"
_BY_DANE = (May("tls.cert_*", "notice", _IGNORED),)
LIVE = (
    Live("an MX host with a certificate of a public CA"),
    Live("a certificate of six days, one day old", (Certificate(age_days=1, left_days=5.6),)),
    Live("a certificate of six days, at half of its time", (Certificate(age_days=3.4, left_days=3.3),)),
    Live("a certificate of 45 days, fresh", (Certificate(age_days=1, left_days=44),)),
    Live("a certificate of 45 days, at half of its time", (Certificate(age_days=24, left_days=21),)),
    Live("a certificate of 90 days, on the day of its renewal", (Certificate(age_days=60, left_days=29),)),
    Live(
        "an RSA certificate and an ECDSA certificate, both in TLSA",
        (Certificate(), Certificate(key="rsa")),
        {
            _DANE: ["3 1 1 {leaf}", "3 1 1 {leaf2}"],
        },
        is_secure=True,
    ),
    Live(
        "DANE with a self-signed certificate",
        (Certificate(issuer="self"),),
        {
            _DANE: ["3 1 1 {leaf}"],
        },
        _BY_DANE,
        is_secure=True,
    ),
    Live(
        "DANE with a certificate that has expired",
        (Certificate(age_days=100, left_days=-10),),
        {
            _DANE: ["3 1 1 {leaf}"],
        },
        _BY_DANE,
        is_secure=True,
    ),
    Live(
        "DANE with a certificate for another name",
        (Certificate(names=("old.firm.example",)),),
        {
            _DANE: ["3 1 1 {leaf}"],
        },
        _BY_DANE,
        is_secure=True,
    ),
    Live(
        "DANE with a private CA, by its key",
        (Certificate(issuer="private"),),
        {
            _DANE: ["2 1 1 {ca}"],
        },
        _BY_DANE,
        is_secure=True,
    ),
    Live(
        "DANE with a private CA, by its whole certificate",
        (Certificate(issuer="private"),),
        {
            _DANE: ["2 0 1 {ca_certificate}"],
        },
        _BY_DANE,
        is_secure=True,
    ),
    Live(
        "DANE while keys roll over: the next one is published before it is shown",
        records={
            _DANE: ["3 1 1 {leaf}", "3 1 1 " + "ab" * 32],
        },
        is_secure=True,
    ),
    Live(
        "DANE by an alias, beside a record that does not count for mail",
        records={
            "_25._tcp.mx1 CNAME": ["_dane.firm.example."],
            "_dane TLSA": ["3 1 2 {leaf_sha512}", "1 1 1 " + "cd" * 32],
        },
        is_secure=True,
    ),
    Live(
        "MTA-STS enforced, at a host that a wildcard names",
        records={"_mta-sts TXT": ['"v=STSv1; id=1"']},
        policy="version: STSv1\nmode: enforce\nmx: other.firm.example\nmx: *.firm.example\nmax_age: 31557600\nx: y\n",
    ),
    Live(
        "MTA-STS in testing",
        records={"_mta-sts TXT": ['"v=STSv1; id=1"']},
        may=(TESTING,),
        policy="version: STSv1\r\nmode: testing\r\nmx: mx1.firm.example\r\nmax_age: 86400\r\n",
    ),
    Live(
        "CAA allows the CA by an account, and forbids wildcards",
        (Certificate(issuer="lets-encrypt"),),
        {
            "@ CAA": ['0 issue "letsencrypt.org; accounturi=https://ca.example/acct/1"', '0 issuewild ";"'],
        },
    ),
    Live(
        "names that exist by a wildcard only, where a web server knows neither policy nor autoconfig",
        records={
            "* A": ["127.0.0.1"],
        },
    ),
    Live(
        "SRV sends clients to the services that are there",
        records={
            "_imaps._tcp SRV": ["0 1 {imaps} mx1"],
            "_submissions._tcp SRV": ["0 1 {smtps} mx1"],
            "_submission._tcp SRV": ["0 1 {submission} mx1"],
            "_pop3s._tcp SRV": ["0 0 0 ."],
        },
        services=tuple(Service(kind) for kind in ("smtp", "imaps", "smtps", "submission")),
    ),
    Live(
        "its MX host lets a client wait before the greeting ends, and offers little at first",
        records={
            "_25._tcp.mx1 TLSA": ["3 1 1 {leaf}"],
        },
        is_secure=True,
        services=(Service("smtp", ("220-{host} ESMTP", "220 {host} ESMTP"), gap_s=0.3, offers=("SIZE 1000",)),),
    ),
    Live(
        "its MX host refuses this machine for its address",
        records={
            "_25._tcp.mx1 TLSA": ["3 1 1 {leaf}"],
        },
        may=(May("*", "unknown", "whoever turns us away in the greeting shows us no certificate"),),
        is_secure=True,
        services=(
            Service("smtp", ("554 5.7.1 Service unavailable; Client host [{client}] blocked using bl.example",)),
        ),
        unknown="tls.handshake_failed",
    ),
    Live(
        "its MX host is not reached from here, though MTA-STS and DANE demand TLS",
        records={
            "_mta-sts TXT": ['"v=STSv1; id=1"'],
            "_25._tcp.mx1 TLSA": ["3 1 1 " + "ab" * 32],
        },
        may=(May("*", "unknown", "port 25 is closed to many networks, and nothing is seen of what is not reached"),),
        is_secure=True,
        services=(Service("imaps"),),
        policy="version: STSv1\nmode: enforce\nmx: mx1.firm.example\nmax_age: 604800\n",
        unknown="tls.handshake_failed",
    ),
)
