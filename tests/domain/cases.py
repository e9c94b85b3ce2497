"""Cases of domains: a healthy domain, what each case changes, and the finding expected."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

import dns.zone
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.domain.nameserver import Fault, zone_of

DOMAIN = "firm.example"
OWN = "9.9.9.9"
# "owner TYPE" -> values; None takes a record of the healthy domain away.
Changes = Mapping[str, list[str] | None]


class Case(NamedTuple):
    """A domain. `expected` are all findings that fail or are unknown, "id" or "id?" for unknown."""

    name: str
    expected: str
    changes: Changes = MappingProxyType({})
    faults: Mapping[str, Fault] = MappingProxyType({})
    others: Mapping[str, str] = MappingProxyType({})
    selectors: tuple[str, ...] = ("s1",)
    own_addresses: tuple[str, ...] = ()
    domain: str = DOMAIN


@cache
def rsa_key(bits: int) -> str:
    """Return the p= of an RSA key."""
    key = rsa.generate_private_key(65537, bits).public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def strings(text: str) -> str:
    """Return the strings of a TXT record."""
    return " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))


def key_record(bits: int = 2048, more: str = "") -> str:
    """Return a DKIM key record."""
    return strings(f"v=DKIM1; k=rsa; {more}p={rsa_key(bits)}")


def healthy() -> dict[str, list[str]]:
    """Return what a domain publishes that has everything."""
    return {
        "@ MX": ["10 mx1.firm.example.", "20 mx2.firm.example."],
        "mx1 A": ["9.9.9.10"],
        "mx1 AAAA": ["2620:fe::10"],
        "mx2 A": ["9.9.9.11"],
        "@ TXT": ['"v=spf1 mx ip4:9.9.9.9 -all"', '"google-site-verification=x"'],
        "s1._domainkey TXT": [key_record()],
        "_dmarc TXT": ['"v=DMARC1; p=reject; rua=mailto:dmarc@firm.example"'],
        "_mta-sts TXT": ['"v=STSv1; id=2026010101"'],
        "_smtp._tls TXT": ['"v=TLSRPTv1; rua=mailto:tls@firm.example"'],
        "@ CAA": ['0 issue "letsencrypt.org"'],
        "_imaps._tcp SRV": ["0 1 993 mx1"],
        "_submissions._tcp SRV": ["0 1 465 mx1"],
    }


_REVERSE = """\
9.9.9.9 PTR out.firm.example.
10.9.9.9 PTR mx1.firm.example.
11.9.9.9 PTR mx2.firm.example.
12.9.9.9 PTR mx.carrier.example.
13.9.9.9 PTR elsewhere.carrier.example.
14.9.9.9 PTR 9-9-9-14.pool.carrier.example.
"""
_REVERSE_6 = "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.e.f.0.0.0.2.6.2 PTR {}.\n"
_CARRIER = """\
mx A 9.9.9.12
mx6 AAAA 2620:fe::10
elsewhere A 9.9.9.99
9-9-9-14.pool A 9.9.9.14
_spf TXT "v=spf1 ip4:9.9.9.0/24 -all"
_spf6 TXT "v=spf1 ip6:2620:fe::/48 ~all"
nospf TXT "hello"
two TXT "v=spf1 -all"
two TXT "v=spf1 ~all"
bad TXT "v=spf1 ipv4:9.9.9.9 -all"
open TXT "v=spf1 +all"
loop TXT "v=spf1 include:loop.carrier.example -all"
key TXT {key}
policy TXT "v=STSv1; id=77"
mail MX 10 mx
*._report._dmarc TXT "v=DMARC1"
"""


def zones_of(case: Case) -> list[dns.zone.Zone]:
    """Return all zones of a case: its own, those of a carrier, and the names of addresses."""
    records = {**healthy(), "out A": [OWN], **case.changes}
    lines = [f"{owner} {value}" for owner, values in records.items() for value in values or ()]
    v6_name = "mx6.carrier.example" if any("mx6.carrier" in line for line in lines) else f"mx1.{DOMAIN}"
    zones = {
        DOMAIN: "\n".join(lines),
        "carrier.example": _CARRIER.replace("{key}", key_record()),
        "example": "nothing TXT x",
        "in-addr.arpa": _REVERSE,
        "ip6.arpa": _REVERSE_6.format(v6_name),
        **case.others,
    }
    return [zone_of(origin, text) for origin, text in zones.items()]
