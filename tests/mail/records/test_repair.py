"""Repairs of broken records: their meaning, and that our own parsers accept them."""

from __future__ import annotations

import os
import random

import pytest

from mailmon.mail.auth.spf.record import read_record
from mailmon.mail.auth.spf.repair import draft, looks_like_spf
from mailmon.mail.records.dkim import read_key
from mailmon.mail.records.dmarc import read_dmarc
from mailmon.mail.records.repair import (
    dmarc_record,
    key_record,
    looks_like_dmarc,
    looks_like_sts,
    looks_like_tls_rpt,
    tls_rpt_record,
)
from mailmon.mail.records.tls_rpt import read_tls_rpt

RUNS = int(os.environ.get("MAILMON_FUZZ", "40")) * 10
KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
RUA = "rua=mailto:d@firm.example"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v=spf1 mx -all;", "v=spf1 mx -all"),
        ("v=spf1 mx -all.", "v=spf1 mx -all"),
        ("v=spf1 mx - all", "v=spf1 mx -all"),
        ("v=spf1 mx --all", "v=spf1 mx -all"),
        ("v=spf1 mx -al", "v=spf1 mx -all"),
        ("v=spf1 mx-all", "v=spf1 mx -all"),
        ("v=spf1mx -all", "v=spf1 mx -all"),
        ("v=spf1 v=spf1 mx -all", "v=spf1 mx -all"),
        ("v=spf1 mx –all", "v=spf1 mx -all"),
        ("v=spf1;mx;-all", "v=spf1 mx -all"),
        ("v=spf1 mx mx -all -all", "v=spf1 mx -all"),
        ("v=spf1 mx ~all -all", "v=spf1 mx -all"),
        ("v=spf1 mx:", "v=spf1 mx ~all"),
        ("v=spf1 ip4:192.0.2.7~all", "v=spf1 ip4:192.0.2.7 ~all"),
        ("v=spf1 ip6:2001:db8::7?all", "v=spf1 ip6:2001:db8::7 ~all"),
        ("v=spf1 include:_spf.x.example-all", "v=spf1 include:_spf.x.example -all"),
        ("v=spf1 IPV4:192.0.2.7 -all", "v=spf1 ip4:192.0.2.7 -all"),
        ("v=spf1 ip:192.0.2.7 ip:2001:db8::7 -all", "v=spf1 ip4:192.0.2.7 ip6:2001:db8::7 -all"),
        ("v=spf1 ip6:192.0.2.7 -all", "v=spf1 ip4:192.0.2.7 -all"),
        ("v=spf1 ip4:192.0.2.7/33 -all", "v=spf1 ip4:192.0.2.7 -all"),
        ("v=spf1 ip4:192.0.2.0/255.255.255.0 -all", "v=spf1 ip4:192.0.2.0/24 -all"),
        ("v=spf1 ip4:192.0.2.* -all", "v=spf1 ip4:192.0.2.0/24 -all"),
        ("v=spf1 ip4:192.0.2.8-192.0.2.9 -all", "v=spf1 ip4:192.0.2.8/31 -all"),
        ("v=spf1 ip4:192.0.2.7,192.0.2.8 -all", "v=spf1 ip4:192.0.2.7 ip4:192.0.2.8 -all"),
        ("v=spf1 ip4:192.0.2.7ip4:192.0.2.8 -all", "v=spf1 ip4:192.0.2.7 ip4:192.0.2.8 -all"),
        ("v=spf1 ip4:192.0.2.7:25 -all", "v=spf1 ip4:192.0.2.7 -all"),
        ("v=spf1 ip4:192.0.02.07 -all", "v=spf1 ip4:192.0.2.7 -all"),
        ("v=spf1 ip4:192.0.2.0 /24 -all", "v=spf1 ip4:192.0.2.0/24 -all"),
        ("v=spf1 a:192.0.2.7 mx:192.0.2.8 include:192.0.2.9 -all",
         "v=spf1 ip4:192.0.2.7 ip4:192.0.2.8 ip4:192.0.2.9 -all"),
        ("v=spf1 ip4:mail.firm.example -all", "v=spf1 a:mail.firm.example -all"),
        ("v=spf1 mail.firm.example -all", "v=spf1 a:mail.firm.example -all"),
        ("v=spf1 inlcude:_spf.x.example ~all", "v=spf1 include:_spf.x.example ~all"),
        ("v=spf1 include=_spf.x.example ~all", "v=spf1 include:_spf.x.example ~all"),
        ("v=spf1 include:https://_spf.x.example/ ~all", "v=spf1 include:_spf.x.example ~all"),
        ("v=spf1 include:<_spf.x.example>, ~all", "v=spf1 include:_spf.x.example ~all"),
        ("v=spf1 include:straße.example ~all", "v=spf1 include:xn--strae-oqa.example ~all"),
        ("v=spf1 include:a.x.exampleinclude:b.x.example ~all", "v=spf1 include:a.x.example include:b.x.example ~all"),
        ("v=spf1 redirect:_spf.x.example", "v=spf1 redirect=_spf.x.example"),
        ("v=spf1 redirect=_spf.x.example -all", "v=spf1 -all"),
        ("v=spf1 exists:%{i}.x.example -all;", "v=spf1 exists:%{i}.x.example -all"),
        ('"v=spf1 mx -all"', "v=spf1 mx -all"),
    ],
)  # fmt: skip
def test_what_an_spf_record_was_meant_to_say(text: str, expected: str) -> None:
    assert draft([text]).record() == expected


@pytest.mark.parametrize("term", ["ip4:192.0.2", "ip4:300.0.2.1", "include:google", "hello", "ip4:a_b", "/24"])
def test_a_term_that_is_not_clear_is_left_out_and_told(term: str) -> None:
    made = draft([f"v=spf1 mx {term} -all"])
    assert (made.record(), made.unclear) == ("v=spf1 mx -all", (term,))
    assert draft([f"v=spf1 {term} -all"]).record(default="mx") == "v=spf1 mx -all", "nobody is locked out by it"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["v=DMARC1 p=reject; rua=mailto:d@firm.example"], f"v=DMARC1; p=reject; {RUA}"),
        (["v=DMARC1, p=reject, rua=mailto:d@firm.example"], f"v=DMARC1; p=reject; {RUA}"),
        (["v=DMARC1: p=reject: rua=mailto:d@firm.example"], f"v=DMARC1; p=reject; {RUA}"),
        (["v=DMARC1\\; p=reject\\; rua=mailto:d@firm.example"], f"v=DMARC1; p=reject; {RUA}"),
        (["v=DMARC1; p=reject; rua=d@firm.example"], f"v=DMARC1; p=reject; {RUA}"),
        (["v=DMARC1; p=reject; rua=mailto: d@firm.example"], f"v=DMARC1; p=reject; {RUA}"),
        (["v=DMARC1; p=reject; rua=maito:d@firm.example"], f"v=DMARC1; p=reject; {RUA}"),
        (["v=DMARC1; p=reject; rua=mailto:d@firm.example;mailto:e@firm.example"],
         f"v=DMARC1; p=reject; {RUA},mailto:e@firm.example"),
        (["v=dmarc1; P=Reject; RUA=mailto:d@firm.example"], f"v=DMARC1; p=reject; {RUA}"),
        (["p=reject; v=DMARC1; rua=mailto:d@firm.example"], f"v=DMARC1; p=reject; {RUA}"),
        (["v=DMARC1; reject; rua=mailto:d@firm.example"], f"v=DMARC1; p=reject; {RUA}"),
        (["v=DMARC1; policy=reject; rua=mailto:d@firm.example"], f"v=DMARC1; p=reject; {RUA}"),
        (["v=DMARC1; p=jerect; rua=mailto:d@firm.example"], f"v=DMARC1; p=reject; {RUA}"),
        (["v=DMARC1; p=block; rua=mailto:d@firm.example"], f"v=DMARC1; p=reject; {RUA}"),
        (["v=DMARC1; p=quarantaine; rua=mailto:d@firm.example"], f"v=DMARC1; p=quarantine; {RUA}"),
        (["v=DMARC1; p=reject; polcy=x; rua=mailto:d@firm.example"], f"v=DMARC1; p=reject; {RUA}"),
        (["v=DMARC1; p=reject; sp=jerect; adkim=strict; rua=mailto:d@firm.example"],
         f"v=DMARC1; p=reject; adkim=s; {RUA}"),
        (["v=DMARC1; p=quarantine; sp=reject; np=rejct; rua=mailto:d@firm.example"],
         f"v=DMARC1; p=quarantine; sp=reject; np=reject; {RUA}"),
        (["v=DMARC1; p=none", f"v=DMARC1; p=reject; {RUA}"], f"v=DMARC1; p=reject; {RUA}"),
        ([f"v=DMARC1; p=reject; sp=quarantine; {RUA}", "v=DMARC1; p=none; sp=reject; ruf=mailto:f@firm.example"],
         f"v=DMARC1; p=reject; {RUA}; ruf=mailto:f@firm.example"),
        ([f"v=DMARC1; p=reject; {RUA}!10m"], f"v=DMARC1; p=reject; {RUA}!10m"),
        (["v=DMARC1; p=reject; rua=mailto:d@bücher.example"], "v=DMARC1; p=reject; rua=mailto:d@xn--bcher-kva.example"),
    ],
)  # fmt: skip
def test_what_a_dmarc_record_was_meant_to_say(texts: list[str], expected: str) -> None:
    assert dmarc_record("firm.example", texts) == expected
    assert dmarc_record("firm.example", [expected]) == expected


def test_a_domain_that_takes_no_mail_is_given_no_mailbox() -> None:
    assert dmarc_record("firm.example", [], takes_mail=False) == "v=DMARC1; p=reject"
    assert dmarc_record("firm.example", ["v=DMARC1; p=reject"], takes_mail=False) == "v=DMARC1; p=reject"


@pytest.mark.parametrize(
    ("text", "is_spf", "is_dmarc", "is_sts", "is_tls_rpt"),
    [
        ("v=spf1 include:stsv1.tlsrpt.dmarc1.example -all", True, False, False, False),
        ("google-site-verification=abcSTSdefDMARC1spf1", False, False, False, False),
        ("SPF is published above", False, False, False, False),
        ("dmarc.example.org is our service", False, False, False, False),
        ("v = STSv1; id = 1", False, False, True, False),
        ("v=STS1; id=1", False, False, True, False),
        ("v=MTA-STSv1; id=1", False, False, True, False),
        ("sts.example.org", False, False, False, False),
        ("V=TLSRPTv1; rua=x", False, False, False, True),
        ("v=TLS-RPTv1; rua=x", False, False, False, True),
        ("V=DMARC1; p=none", False, True, False, False),
        ("p=none; v=DMARC1", False, True, False, False),
        ("p=reject; rua=mailto:d@firm.example", False, True, False, False),
        ("rua=mailto:d@firm.example", False, False, False, True),
        ("id=20260101", False, False, True, False),
        ("'v=spf1 mx'", True, False, False, False),
        ("spf2.0/pra mx -all", True, False, False, False),
    ],
)
def test_what_was_meant_to_be_a_record_is_told_from_what_only_holds_its_name(
    text: str, is_spf: bool, is_dmarc: bool, is_sts: bool, is_tls_rpt: bool
) -> None:
    found = looks_like_spf(text), looks_like_dmarc(text), looks_like_sts(text), looks_like_tls_rpt(text)
    assert found == (is_spf, is_dmarc, is_sts, is_tls_rpt)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([f"v=DKIM1; k=ed25519; p={KEY}; p="], f"v=DKIM1; k=ed25519; p={KEY}"),
        ([f"v=DKIM1 k=ed25519 p={KEY}"], f"v=DKIM1; k=ed25519; p={KEY}"),
        ([f"p={KEY}; k=ed25519; v=DKIM1"], f"v=DKIM1; k=ed25519; p={KEY}"),
        ([f"v=DKIM1; k=ed25519; t=y:s; h=sha1; p={KEY}"], f"v=DKIM1; k=ed25519; t=s; p={KEY}"),
        ([f"v=DKIM1; k=ed25519; p={KEY[:20]} {KEY[20:]}\\"], f"v=DKIM1; k=ed25519; p={KEY}"),
        ([f"v=DKIM1; k=rsa; p={KEY}"], f"v=DKIM1; k=ed25519; p={KEY}"),
        ([f"v=DKIM1; p=-----BEGIN PUBLIC KEY-----{KEY}-----END PUBLIC KEY-----"], f"v=DKIM1; k=ed25519; p={KEY}"),
        ([f"v=DKIM1; k=rsa; MII{'A' * 121}"], f"v=DKIM1; k=rsa; p=MII{'A' * 121}"),
        (["hello", f"v=DKIM1; k=ed25519; p={KEY}"], f"v=DKIM1; k=ed25519; p={KEY}"),
        ([f"v=DKIM1; k=ed25519; p={KEY}", f"v=DKIM1; k=ed25519; p={KEY[::-1][1:]}="], ""),
        (["v=DKIM1; p="], ""),
        (["v=DKIM1; k=ed25519; p=half"], ""),
    ],
)
def test_which_key_a_record_was_meant_to_hold(texts: list[str], expected: str) -> None:
    assert key_record(texts) == expected


MEANT = (
    "v=spf1 mx a:mail.firm.example ip4:192.0.2.0/24 ip6:2001:db8::/32 include:_spf.x.example exists:%{i}.x.example "
    "redirect=y.example exp=e.x.example -all",
    "v=DMARC1; p=reject; sp=quarantine; adkim=s; rua=mailto:d@firm.example,mailto:e@x.example!10m; fo=1; pct=5; psd=n",
    "v=TLSRPTv1; rua=mailto:t@firm.example,https://r.x.example/a",
    f"v=DKIM1; k=ed25519; t=y:s; h=sha256; n=note; p={KEY}",
)
_MORE = [
    "",
    ";",
    ",",
    "=",
    ":",
    "-",
    "~all",
    " ",
    "\\",
    '"',
    "\xe2\x80\x93",
    "é",
    "\x00",
    "%{",
    "ip4:",
    "p=",
    "rua=",
    "@",
]


def mutated(rng: random.Random) -> str:
    chars = list(rng.choice(MEANT))
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(chars) + 1)
        match rng.randint(0, 3):
            case 0:
                chars[at:at] = rng.choice(_MORE)
            case 1:
                del chars[at : at + rng.randint(1, 5)]
            case 2:
                chars[at:at] = chars[: rng.randint(0, 40)]
            case _:
                chars[at : at + 1] = chr(rng.randrange(256))
    return "".join(chars)


def test_whatever_stands_there_what_is_proposed_can_be_read_and_is_proposed_again() -> None:
    rng = random.Random(20261130)
    for _ in range(RUNS):
        text = mutated(rng)
        read_record(draft([text]).record(["192.0.2.9"], default="mx"))
        read_record(draft([text, MEANT[0]]).record())
        policy = dmarc_record("firm.example", [text])
        record = read_dmarc(policy)
        assert (record.mistakes, record.policy == "none", record.is_testing) == ((), False, False), text
        assert dmarc_record("firm.example", [policy]) == policy
        read_tls_rpt(tls_rpt_record("firm.example", [text]))
        key = key_record([text])
        assert not key or (read_key(key).mistakes, key_record([key])) == ((), key), text
