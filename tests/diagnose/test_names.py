"""Names of hosts, of pools and in EHLO; targets on the command line."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailmon.clients.records import Answer, Answered, Records
from mailmon.diagnose.blocklists import LISTS, BlockList, query_name
from mailmon.diagnose.dnsbl import judge_lists
from mailmon.diagnose.names import is_ehlo_name, is_generic, judge_pointers, may_send
from mailmon.diagnose.plan import kinds_for, split_target
from mailmon.findings import Findings

ADDRESS = "192.0.2.66"
LIST = BlockList("bl.example", {"127.0.0.2": "spam", "127.0.1.": "a pool"}, "https://bl.example/?ip={address}")
FAILED, NONE = Answer(Answered.FAILED, why="no answer within 5 s"), Answer(Answered.NXDOMAIN, why="no such name")
LISTED, FREE = query_name("127.0.0.2", LIST.zone), query_name("127.0.0.1", LIST.zone)
ASKED = query_name(ADDRESS, LIST.zone)


class Zone:
    """What DNS says in a test: records by name, nothing for any other."""

    def __init__(self, records: dict[str, Answer]) -> None:
        self.records = records

    def ask(self, name: str, _kind: str) -> Answer:
        return self.records.get(name, NONE)

    def addresses(self, host: str) -> tuple[tuple[str, ...], Answer | None]:
        found = self.ask(host, "A")
        return found.values, found if found.kind is Answered.FAILED else None

    def pointers(self, _address: str) -> Answer:
        return self.ask("PTR", "PTR")


def found(*values: str) -> Answer:
    return Answer(Answered.FOUND, values)


def on_list(**records: Answer) -> list[tuple[str, str]]:
    names = {"listed": LISTED, "free": FREE, "asked": ASKED}
    zone = cast(Records, Zone({names[key]: answer for key, answer in records.items()}))
    (judged,) = judge_lists(zone, ADDRESS, [LIST])
    return [(one.id, one.status.value) for one in judged.all]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ({"listed": found("127.0.0.2")}, ("dnsbl.listed", "pass")),
        ({"listed": found("127.0.0.2"), "asked": found("127.0.0.2")}, ("dnsbl.listed", "fail")),
        ({"listed": found("127.0.0.2"), "asked": found("127.0.1.9")}, ("dnsbl.listed", "fail")),
        ({"listed": found("127.0.0.2"), "asked": found("127.0.0.99")}, ("dnsbl.listed", "pass")),  # a white list's code
        ({"listed": found("127.0.0.2"), "asked": found("127.255.255.254")}, ("dnsbl.unavailable", "unknown")),
        ({"listed": found("127.255.255.254")}, ("dnsbl.unavailable", "unknown")),
        ({"listed": found("127.0.0.2"), "asked": found("198.51.100.7")}, ("dnsbl.unavailable", "unknown")),
        ({"listed": found("127.0.0.2"), "asked": FAILED}, ("dnsbl.unavailable", "unknown")),
        ({"listed": FAILED}, ("dnsbl.unavailable", "unknown")),
        ({}, ("dnsbl.unavailable", "unknown")),  # a dead list knows nothing, not even its test entry
        ({"asked": found("127.0.0.2")}, ("dnsbl.unavailable", "unknown")),
        (
            {"listed": found("127.0.0.2"), "free": found("127.0.0.2"), "asked": found("127.0.0.2")},
            ("dnsbl.unavailable", "unknown"),
        ),
    ],
)
def test_only_a_list_that_proves_to_be_alive_is_believed(records: dict[str, Answer], expected: tuple[str, str]) -> None:
    assert on_list(**records) == [expected]


def test_a_listing_says_why_and_where_to_ask_for_removal() -> None:
    zone = Zone({LISTED: found("127.0.0.2"), ASKED: found("127.0.0.2")})
    (judged,) = judge_lists(cast(Records, zone), ADDRESS, [LIST])
    assert "127.0.0.2 (spam)" in judged.all[0].message
    assert "https://bl.example/?ip=192.0.2.66" in judged.all[0].message


def test_the_code_that_is_shown_is_the_one_that_refuses() -> None:
    zone = Zone({LISTED: found("127.0.0.2"), ASKED: found("127.0.0.2", "127.255.255.254")})
    (judged,) = judge_lists(cast(Records, zone), ADDRESS, [LIST])
    assert judged.all[0].message.endswith("it refuses to answer this resolver (127.255.255.254)")


@pytest.mark.parametrize("code", ["127.0.0.1", "127.0.0.255", "127.0.1.255"])
def test_a_list_that_answers_everything_alike_refuses_us_whatever_its_code(code: str) -> None:
    zone = Zone(dict.fromkeys((LISTED, FREE, ASKED), found(code)))
    (judged,) = judge_lists(cast(Records, zone), ADDRESS, [LIST])
    assert [one.id for one in judged.all] == ["dnsbl.unavailable"]
    assert judged.all[0].message.endswith(f"({code}): the list is dead, or refuses this resolver")


@pytest.mark.parametrize("code", [f"127.255.255.{number}" for number in (1, 250, 252, 253, 254, 255)])
@pytest.mark.parametrize("beside", [(), ("127.0.0.2",), ("127.0.0.2", "127.0.1.7")])
def test_a_code_of_refusal_is_one_beside_listings_too(code: str, beside: tuple[str, ...]) -> None:
    assert on_list(listed=found("127.0.0.2"), asked=found(*beside, code)) == [("dnsbl.unavailable", "unknown")]


def test_lists_without_ipv6_are_not_asked_for_it() -> None:
    (judged,) = judge_lists(cast(Records, Zone({})), "2001:db8::1", [LIST])
    assert [one.status.value for one in judged.all] == ["skipped"]
    assert query_name("2001:db8::1", "bl").startswith("1.0.0.0.0.0")


def test_every_built_in_list_has_codes_and_a_way_out() -> None:
    assert all(one.codes and one.removal.startswith("https://") for one in LISTS)
    assert len({one.zone for one in LISTS}) == len(LISTS)


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ({}, {"dns.ptr_missing": "fail", "dns.fcrdns_mismatch": "skipped"}),
        ({"PTR": FAILED}, {"dns.resolver_error": "unknown", "dns.ptr_missing": "unknown"}),
        ({"PTR": found("mx.example")}, {"dns.ptr_missing": "pass", "dns.fcrdns_mismatch": "fail"}),
        (
            {"PTR": found("mx.example"), "mx.example": FAILED},
            {"dns.ptr_missing": "pass", "dns.fcrdns_mismatch": "unknown"},
        ),
        (
            {"PTR": found("gone.example", "mx.example"), "mx.example": found(ADDRESS)},
            {"dns.ptr_missing": "pass", "dns.fcrdns_mismatch": "pass"},
        ),
        (
            {
                "PTR": found(*(f"gone{number}.example" for number in range(9)), "mx.example"),
                "mx.example": found(ADDRESS),
            },
            {"dns.ptr_missing": "pass", "dns.fcrdns_mismatch": "pass"},
        ),
        (
            {"PTR": found(*(f"gone{number}.example" for number in range(11)))},
            {"dns.ptr_missing": "pass", "dns.fcrdns_mismatch": "unknown"},
        ),
        (
            {"PTR": found("192-0-2-66.pool.example"), "192-0-2-66.pool.example": found(ADDRESS)},
            {"dns.ptr_missing": "pass", "dns.fcrdns_mismatch": "pass", "dns.ptr_generic": "fail"},
        ),
    ],
)
def test_pointers_are_confirmed_or_not_known(records: dict[str, Answer], expected: dict[str, str]) -> None:
    judged = Findings(ADDRESS)
    judge_pointers(cast(Records, Zone(records)), ADDRESS, judged)
    assert {one.id: one.status.value for one in judged.all} == expected


@pytest.mark.parametrize(
    ("address", "sends", "expected"),
    [
        ("9.9.9.9", True, "error"),
        ("9.9.9.9", False, "notice"),
        ("10.1.2.3", True, "skipped"),
        ("192.168.1.1", True, "skipped"),
        ("172.20.0.1", True, "skipped"),
        ("100.64.0.1", True, "skipped"),
        ("fd00::1", True, "skipped"),
        ("fe80::1", True, "skipped"),
        ("::1", True, "skipped"),
        ("127.0.0.1", True, "skipped"),
        ("127.0.1.1", True, "skipped"),
        ("127.55.0.9", True, "info"),
        ("2001:4860::1", True, "error"),
    ],
)
def test_a_missing_name_counts_where_receivers_would_look_for_it(address: str, sends: bool, expected: str) -> None:
    judged = Findings(address)
    judge_pointers(cast(Records, Zone({})), address, judged, sends=sends)
    (one,) = [one for one in judged.all if one.id == "dns.ptr_missing"]
    assert (one.severity or one.status).value == expected


@pytest.mark.parametrize(
    ("texts", "sends"),
    [
        ((), True),
        (("v=spf1 ip4:192.0.2.66 -all",), True),
        (("v=spf1 ip4:192.0.2.1 -all",), False),
        (("v=spf1 ip4:192.0.2.1 ~all",), False),
        (("v=spf1 -all",), False),
        (("v=spf1 bogus",), True),
    ],
)
def test_an_address_that_spf_leaves_out_only_receives(texts: tuple[str, ...], sends: bool) -> None:
    assert may_send(cast(Records, Zone({"firm.example": found(*texts)})), "firm.example", ADDRESS) is sends
    assert may_send(cast(Records, Zone({})), "", ADDRESS)


@pytest.mark.parametrize(
    ("name", "address", "is_pool"),
    [
        ("mail.example.org", "192.0.2.66", False),
        ("mx66.example.org", "192.0.2.66", False),
        ("66.2.0.192.dyn.example.net", "192.0.2.66", True),
        ("host-192-0-2-66.example.net", "192.0.2.66", True),
        ("ip192002066.example.net", "192.0.2.66", False),
        ("c0000242.example.net", "192.0.2.66", True),
        ("2001-db8-0-0-0-0-0-1.example.net", "2001:db8::1", False),
    ],
)
def test_names_of_pools_spell_the_address(name: str, address: str, is_pool: bool) -> None:
    assert is_generic(name, address) is is_pool


@pytest.mark.parametrize(
    ("text", "is_name"),
    [
        ("mx.example.org", True),
        ("[192.0.2.1]", True),
        ("[IPv6:2001:db8::1]", True),
        ("[2001]", False),
        ("localhost", False),
        ("-a.example", False),
        ("mail server!", False),
        ("", False),
        ("a" * 64 + ".example", False),
        ("192.0.2.1", False),
    ],
)
def test_names_in_ehlo_are_host_names_or_address_literals(text: str, is_name: bool) -> None:
    assert is_ehlo_name(text) is is_name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mx.example.org", ("mx.example.org", ())),
        ("mx.example.org.:25", ("mx.example.org", ("25",))),
        ("mx.example.org:2587:submission", ("mx.example.org", ("2587:submission",))),
        ("[2001:db8::1]:25", ("2001:db8::1", ("25",))),
        ("2001:db8::1", ("2001:db8::1", ())),
        ("bücher.example", ("xn--bcher-kva.example", ())),
    ],
)
def test_targets_are_read(text: str, expected: tuple[str, tuple[str, ...]]) -> None:
    assert split_target(text) == expected


_NO_TARGETS = ["a..b", "a..b:25", ".example", ".", "[::1", "[::1]25", "[::1]:", "[]:25", "5.9.7.256", "5.9.7"]
_NO_TARGETS += [
    "",
    "a b",
    "mx.example.org:",
    "https://mx.example.org",
    "a@b",
    "a\x1b",
    "x" * 300,
    "x" * 64 + ".example",
]


@pytest.mark.parametrize("text", _NO_TARGETS)
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"HOST|port number"):
        split_target(text)


@pytest.mark.parametrize("port", ["0", "65536", "x", "25:ftp", "99", "-1", "٢٥"])
def test_ports_that_make_no_sense_are_refused(port: str) -> None:
    with pytest.raises(ValueError, match="port"):
        kinds_for((port,), None)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_targets(text: str) -> None:
    try:
        host, ports = split_target(text)
        kinds_for(ports, "smtp")
    except ValueError:
        return
    assert host
