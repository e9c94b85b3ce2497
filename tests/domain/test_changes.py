"""A changed record is reported for a day with its old and new value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mailmon.domain.changes import HOLD, MAX_REMEMBERED, Changes
from mailmon.model import Finding
from mailmon.model.dns import Published, Remembered

NOW = datetime(2026, 11, 27, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
DOMAIN = "firm.example"


def mx(*values: str, is_known: bool = True) -> Published:
    return Published(DOMAIN, "MX", "where its mail goes", "", values, 300, is_known)


def policy(mode: str, policy_id: str) -> list[Published]:
    return [
        Published(f"_mta-sts.{DOMAIN}", "TXT", "", "", (f"v=STSv1; id={policy_id}",)),
        Published("https://mta-sts.firm.example/", "HTTPS", "", "", ("version: STSv1", f"mode: {mode}")),
    ]


def told(changes: Changes, rows: list[Published], at: datetime) -> list[str]:
    return [one.message for one in changes.take(DOMAIN, rows, at)]


def test_what_is_seen_for_the_first_time_is_no_change() -> None:
    assert told(Changes({}), [mx("10 a")], NOW) == []


def test_a_change_is_told_with_old_and_new_value_for_a_day() -> None:
    changes = Changes({})
    told(changes, [mx("10 a")], NOW)
    expected = ["firm.example: firm.example MX changed from 10 a to 10 b"]
    assert told(changes, [mx("10 b")], NOW + HOUR) == expected
    assert told(changes, [mx("10 b")], NOW + 2 * HOUR) == expected
    assert told(changes, [mx("10 b")], NOW + HOUR + HOLD) == []
    assert told(changes, [mx("10 b")], NOW + 2 * HOLD) == []


def test_what_changes_back_is_no_change_any_more() -> None:
    changes = Changes({})
    told(changes, [mx("10 a")], NOW)
    assert told(changes, [mx("10 evil")], NOW + HOUR)
    assert told(changes, [mx("10 a")], NOW + 2 * HOUR) == []


def test_a_second_change_is_told_against_the_first_state() -> None:
    changes = Changes({})
    told(changes, [mx("10 a")], NOW)
    told(changes, [mx("10 b")], NOW + HOUR)
    assert told(changes, [mx("10 c")], NOW + 2 * HOUR) == ["firm.example: firm.example MX changed from 10 a to 10 c"]


def test_another_order_is_no_change_and_no_answer_is_none_either() -> None:
    changes = Changes({})
    told(changes, [mx("10 a", "20 b")], NOW)
    assert told(changes, [mx("20 b", "10 a")], NOW + HOUR) == []
    assert told(changes, [mx(is_known=False)], NOW + 2 * HOUR) == []
    assert told(changes, [mx("10 a", "20 b")], NOW + 3 * HOUR) == []


def address(host: str, *values: str) -> Published:
    return Published(host, "A", "address of the MX host", "", values, 300)


def key(*values: str, alias: str = "") -> Published:
    return Published(f"s1._domainkey.{DOMAIN}", "TXT", "DKIM key", "", values, 300, alias=alias)


def test_what_a_provider_changes_in_its_own_domain_is_no_change_of_ours() -> None:
    changes = Changes({})
    pointer = Published("7.2.0.192.in-addr.arpa", "PTR", "", "", ("a.provider.example",))
    told(changes, [address("mx.provider.example", "192.0.2.7"), pointer, key("p=old", alias="k.provider.example")], NOW)
    moved = [address("mx.provider.example", "192.0.2.8"), pointer._replace(found=("b.provider.example",))]
    assert told(changes, [*moved, key("p=new", alias="k.provider.example")], NOW + HOUR) == []


def test_what_changes_in_our_own_domain_is_told_also_where_an_alias_comes_or_goes() -> None:
    changes = Changes({})
    told(changes, [address(f"mx.{DOMAIN}", "192.0.2.7"), key("p=old", alias="k.provider.example")], NOW)
    moved = [address(f"mx.{DOMAIN}", "192.0.2.8"), key("p=new")]
    assert told(changes, moved, NOW + HOUR) == [
        "firm.example: mx.firm.example A changed from 192.0.2.7 to 192.0.2.8",
        "firm.example: s1._domainkey.firm.example TXT changed from CNAME k.provider.example to p=new",
    ]
    other = [key("p=new", alias="evil.example")]
    assert len(told(changes, other, NOW + 2 * HOUR)) == 1


def test_an_alias_that_was_remembered_by_what_it_leads_to_is_no_change() -> None:
    changes = Changes({DOMAIN: {f"s1._domainkey.{DOMAIN} TXT": Remembered(("p=old",))}})
    assert told(changes, [key("p=old", alias="k.provider.example")], NOW) == []
    assert told(changes, [key("p=new", alias="k.provider.example")], NOW + HOUR) == []


def test_a_record_that_is_gone_is_a_change() -> None:
    changes = Changes({})
    told(changes, [mx("10 a")], NOW)
    assert told(changes, [mx()], NOW + HOUR) == ["firm.example: firm.example MX changed from 10 a to nothing"]


def test_two_changes_are_two_causes() -> None:
    changes = Changes({})
    rows = [mx("10 a"), Published(DOMAIN, "NS", "", "", ("ns1",))]
    told(changes, rows, NOW)
    found = changes.take(DOMAIN, [mx(), rows[1]._replace(found=())], NOW + HOUR)
    assert len({(one.id, one.expected) for one in found}) == 2


def test_a_policy_that_changes_under_the_same_id_is_told_until_the_id_changes() -> None:
    changes = Changes({})
    assert told(changes, policy("testing", "1"), NOW) == []
    for hours in (1, 2, 50):
        (found,) = changes.take(DOMAIN, policy("enforce", "1"), NOW + hours * HOUR)
        assert found.id == "mtasts.id_unchanged"
    ids = [one.id for one in changes.take(DOMAIN, policy("enforce", "2"), NOW + 51 * HOUR)]
    assert ids == ["dns.record_changed"], "the new id is a change of the record"
    assert told(changes, policy("enforce", "2"), NOW + 51 * HOUR + HOLD) == []


def test_only_domains_that_are_still_looked_at_are_remembered() -> None:
    changes = Changes({"gone.example": {"gone.example MX": Remembered(("10 a",))}})
    told(changes, [mx("10 a")], NOW)
    assert changes.remaining({DOMAIN}) == {DOMAIN: {"firm.example MX": Remembered(("10 a",))}}


_ROWS = st.lists(
    st.builds(
        mx, st.text(max_size=400), is_known=st.booleans()
    ) | st.builds(lambda name, value: Published(name, "TXT", "", "", (value,)), st.text(max_size=9), st.text()),
    max_size=30,
)  # fmt: skip


@given(st.lists(st.tuples(_ROWS, st.integers(0, 90)), max_size=8))
def test_whatever_stands_there_is_remembered_in_bounds(history: list[tuple[list[Published], int]]) -> None:
    changes, at = Changes({}), NOW
    for rows, hours in history:
        at += hours * HOUR
        found: list[Finding] = changes.take(DOMAIN, rows, at)
        assert all(len(one.message) < 1500 for one in found)
    assert len(changes.remaining({DOMAIN}).get(DOMAIN, {})) <= MAX_REMEMBERED
