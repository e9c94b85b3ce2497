"""SPF evaluation: its limits, the trace of terms, and hostile DNS answers."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailmon.mail.auth.spf import Client, Found, Result, Verdict, check_host
from mailmon.mail.auth.spf.macros import expand, fitting, is_macro_string
from mailmon.mail.auth.spf.record import SyntaxMistake, read_record

CLIENT = Client(ipaddress.ip_address("192.0.2.7"), "mx.example.net", "strong-bad@email.example.com")
SIX = CLIENT._replace(address=ipaddress.ip_address("2001:db8::cb01"))


def checked(records: dict[str, Found | str], client: Client = CLIENT) -> Verdict:
    """Evaluate; `records` are by `name TYPE`, a text stands for one TXT record."""

    def ask(name: str, kind: str) -> Found:
        value = records.get(f"{name} {kind}", Found())
        return Found((value,)) if isinstance(value, str) else value

    return check_host(client, ask)


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=spf1 ip4:192.0.2.0/24 -all", Result.PASS),
        ("v=spf1 ip4:192.0.2.8 ~all", Result.SOFTFAIL),
        ("v=spf1 ?ip4:192.0.2.7 -all", Result.NEUTRAL),
        ("v=spf1", Result.NEUTRAL),
        ("V=SPF1 -ALL", Result.FAIL),
        ("v=spf1 ip4:192.0.2.07 -all", Result.PERMERROR),
        ("v=spf1 ip4:192.0.2.7/033 -all", Result.PERMERROR),
        ("v=spf1 a:localhost -all", Result.PERMERROR),
        ("v=spf1 foo -all", Result.PERMERROR),
        ("v=spf1 redirect=a.example redirect=b.example", Result.PERMERROR),
        ("v=spf1 unknown=%{q} -all", Result.PERMERROR),
        ("v=spf1 unknown=%{d} -all", Result.FAIL),
        ("v=spf1 -all mx:", Result.PERMERROR),
        ("v=spf10 -all", Result.NONE),
        ("v=spf1 ip4:192.0.2.7 é", Result.PERMERROR),
    ],
)
def test_a_record_is_read_as_a_whole(record: str, result: Result) -> None:
    assert checked({"email.example.com TXT": record}).result is result


def test_look_ups_are_counted_and_at_the_eleventh_it_is_over() -> None:
    def chain(length: int) -> Verdict:
        records: dict[str, Found | str] = {
            f"d{n}.example TXT": f"v=spf1 include:d{n + 1}.example" for n in range(length)
        }
        last: dict[str, Found | str] = {f"d{length}.example TXT": "v=spf1 +all"}
        return checked({**records, **last, "email.example.com TXT": "v=spf1 include:d0.example -all"})

    ten, eleven = chain(9), chain(10)
    assert (ten.result, ten.lookups) == (Result.PASS, 10)
    assert (eleven.result, eleven.lookups) == (Result.PERMERROR, 11)
    assert "more than 10" in eleven.reason


def test_three_look_ups_that_find_nothing_are_too_many() -> None:
    two = checked({"email.example.com TXT": "v=spf1 a:a.example mx:b.example -all"})
    three = checked({"email.example.com TXT": "v=spf1 a:a.example mx:b.example exists:c.example -all"})
    assert (two.result, two.void_lookups) == (Result.FAIL, 2)
    assert (three.result, three.void_lookups) == (Result.PERMERROR, 3)


def test_silence_is_a_temporary_error_and_never_a_missing_record() -> None:
    silent = Found(is_error=True, why="no answer within 5 s")
    assert checked({"email.example.com TXT": silent}).result is Result.TEMPERROR
    verdict = checked({"email.example.com TXT": "v=spf1 a:a.example -all", "a.example A": silent})
    assert (verdict.result, "no answer within 5 s" in verdict.reason) == (Result.TEMPERROR, True)


def test_what_decided_is_told() -> None:
    verdict = checked(
        {
            "email.example.com TXT": "v=spf1 include:a.example mx -all",
            "a.example TXT": "v=spf1 ip4:198.51.100.0/24 -all",
            "email.example.com MX": Found(("10 mx.example.com",)),
            "mx.example.com A": Found(("192.0.2.7",)),
        }
    )
    assert (verdict.result, verdict.reason) == (Result.PASS, "email.example.com: mx")
    assert [(one.term, one.outcome) for one in verdict.trace] == [
        ("ip4:198.51.100.0/24", "no match"),
        ("-all", "match"),
        ("include:a.example", "no match"),
        ("mx", "match"),
    ]


def test_an_ipv4_address_in_ipv6_clothes_is_one_of_ipv4() -> None:
    client = CLIENT._replace(address=ipaddress.ip_address("::ffff:192.0.2.7"))
    assert checked({"email.example.com TXT": "v=spf1 ip4:192.0.2.7 -all"}, client).result is Result.PASS


@pytest.mark.parametrize(
    ("text", "expected"),
    [  # RFC 7208 section 7.4
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "7.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
        ("%%%_%-", "% %20"),
        ("%{S}", "strong-bad%40email.example.com"),
    ],
)
def test_macros_are_those_of_the_specification(text: str, expected: str) -> None:
    assert expand(text, CLIENT, "email.example.com", lambda: "unknown") == expected


def test_an_ipv6_address_is_spelled_nibble_by_nibble() -> None:
    expected = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com"
    assert expand("%{ir}.%{v}._spf.%{d2}", SIX, "email.example.com", lambda: "unknown") == expected


def test_names_that_are_too_long_lose_labels_from_the_left() -> None:
    assert fitting(".".join(["a" * 60] * 5)) == ".".join(["a" * 60] * 4)


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=255), max_size=120))
def test_no_record_breaks_the_reading(text: str) -> None:
    try:
        record = read_record(f"v=spf1 {text}")
    except SyntaxMistake:
        return
    assert all(is_macro_string(one.domain) for one in record.directives)


_TERMS = st.sampled_from(
    [
        "include:a.example",
        "include:%{d}",
        "a",
        "mx",
        "ptr",
        "exists:%{i}.b.example",
        "a:c.example/24//64",
        "ip4:192.0.2.7",
        "?all",
        "-all",
        "redirect=a.example",
        "exp=e.example",
        "mx:d.example",
    ]
)
_FOUND = st.builds(
    Found, st.lists(st.sampled_from(["192.0.2.7", "10 a.example", "x", ""]), max_size=12).map(tuple), st.booleans()
)


@given(st.lists(_TERMS, max_size=6), st.lists(_FOUND, min_size=1, max_size=8), st.booleans())
def test_whatever_dns_says_there_is_a_result_and_an_end(terms: list[str], answers: list[Found], is_six: bool) -> None:
    asked: list[str] = []
    record = f"v=spf1 {' '.join(terms)}"

    def ask(name: str, kind: str) -> Found:
        asked.append(name)
        if kind == "TXT":
            return Found((record,))
        answer = answers[len(asked) % len(answers)]
        good = {"A": "192.0.2.7", "AAAA": "2001:db8::1", "MX": "10 a.example", "PTR": "a.example"}[kind]
        return answer._replace(values=tuple(good for _ in answer.values))

    verdict = check_host(SIX if is_six else CLIENT, ask)
    assert verdict.result in Result
    assert verdict.lookups <= 11
    assert len(asked) < 250
