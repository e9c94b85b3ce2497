"""Alarms about bounces that concern the user, not about each one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailmon.alerting.transitions import next_state
from mailmon.bounces.alarms import MAX_NAMED, MAX_UNVERIFIED, REFUSALS, find_alarms
from mailmon.model import Finding, Health, Outcome, Policy, Severity, Status
from mailmon.model.bounces import BounceWindow, Hearsay, Refusal, Unverified
from mailmon.model.limits import BounceLimits
from tests.mail.samples import SENT_AT

GMAIL = Refusal(
    "gmail.com", "authfailure", "5.7.26", "550-5.7.26 This mail to jonathan@gmail.com is unauthenticated\r\n550 x"
)


def alarms(seen: BounceWindow, **limits: object) -> list[Finding]:
    return list(find_alarms(seen, BounceLimits(**limits), "mail.example.org:993"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seen", "limits", "messages"),
    [
        (BounceWindow({"hard": 20}), {"classes": {"hard": 20}}, []),
        (BounceWindow({"hard": 21}), {"classes": {"hard": 20}}, ["21 hard bounces in 24 h, more than 20"]),
        (BounceWindow({"hard": 21, "soft": 900}), {}, []),
        (BounceWindow({"feedback": 1}), {"classes": {"feedback": 0}}, ["1 complaints in 24 h, more than 0"]),
        (
            BounceWindow({}, {"gmail.com": 31, "example.org": 9, "": 99}),
            {"any_domain": 20},
            ["31 bounces for gmail.com in 24 h, more than 20"],
        ),
        (
            BounceWindow({}, {"gmail.com": 31, "example.org": 9}),
            {"any_domain": 8, "domains": {"gmail.com": 40}},
            ["9 bounces for example.org in 24 h, more than 8"],
        ),
        (BounceWindow({}, {}, (GMAIL,)), {}, ["gmail.com refuses us: 5.7.26 unauthenticated"]),
        (BounceWindow({}, {}, (GMAIL,)), {"reports_refusals": False}, []),
        (BounceWindow({}, {}, (Refusal("gmail.com", "userunknown", "5.1.1", "no"),)), {}, []),
    ],
)
def test_what_is_told(seen: BounceWindow, limits: dict[str, object], messages: list[str]) -> None:
    assert [finding.message for finding in alarms(seen, **limits)] == messages


def test_an_alarm_holds_no_address_and_no_control_character() -> None:
    (finding,) = alarms(BounceWindow({}, {}, (GMAIL,)))
    assert "jonathan" not in str(finding)
    assert all(str(text).isprintable() for text in finding)
    assert (finding.id, finding.severity) == ("bounces.policy", Severity.ERROR)
    assert finding.fix == "Fix these records and signatures; find out who else sends in your name."


def test_one_more_bounce_is_no_news_and_another_domain_is() -> None:
    def remembered(*findings: Finding) -> tuple[str, ...]:
        outcome = Outcome("bounces:main", "bounces", "main", Status.FAILED, "x", findings=findings)
        state = next_state(None, outcome, Policy(), SENT_AT)
        assert state is not None
        assert state.health is Health.DOWN
        return state.causes

    limits = {"classes": {"hard": 20}}
    first = remembered(*alarms(BounceWindow({"hard": 21}, {}, (GMAIL,)), **limits))
    assert first == remembered(*alarms(BounceWindow({"hard": 22}, {}, (GMAIL._replace(diagnostic="550 y"),)), **limits))
    assert first != remembered(
        *alarms(BounceWindow({"hard": 21}, {}, (GMAIL._replace(domain="example.org"),)), **limits)
    )


@given(
    st.dictionaries(st.text(max_size=8), st.integers(0, 10**6), max_size=40),
    st.lists(st.tuples(st.text(), st.sampled_from([*REFUSALS, "userunknown"]), st.text(), st.text()), max_size=40),
)
def test_any_window_gives_a_bounded_number_of_printable_findings(
    domains: dict[str, int], refusals: list[tuple[str, str, str, str]]
) -> None:
    seen = BounceWindow({"hard": 5}, domains, tuple(Refusal(*one) for one in refusals))
    found = alarms(seen, classes={"hard": 1}, any_domain=0)
    assert len(found) <= 2 * (MAX_NAMED + 1) + 1
    for finding in found:
        assert finding.message.isprintable()
        assert len(finding.message) < 300


ENOUGH = Hearsay(3, 3, 3, "run-1", "run-2")


@pytest.mark.parametrize(
    ("hearsay", "is_told"),
    [
        (ENOUGH, True),
        (Hearsay(50, 50, 50, "run-1", "run-1"), False),
        (Hearsay(2, 2, 2, "run-1", "run-2"), False),
        (Hearsay(9, 9, 2, "run-1", "run-2"), False),
        (Hearsay(9, 1, 9, "run-1", "run-2"), False),
    ],
)
def test_without_evidence_three_recipients_in_two_runs_raise_an_alarm(hearsay: Hearsay, is_told: bool) -> None:
    """One forged message said that gmail.com refuses us."""
    found = alarms(BounceWindow(unverified=Unverified(refusals=((GMAIL, hearsay),))))
    assert [one.message for one in found] == ["gmail.com refuses us: 5.7.26 unauthenticated (unverified)"] * is_told
    seen = BounceWindow({"hard": 8}, {"a.example": 8}, (), Unverified({"hard": hearsay}, {"a.example": hearsay}))
    told = [one.message for one in alarms(seen, classes={"hard": 9}, any_domain=9)]
    count = 8 + hearsay.recipients
    words = ("hard bounces", "bounces for a.example")
    assert told == [f"{count} {what} in 24 h, more than 9 (unverified)" for what in words] * is_told


def test_what_is_unverified_says_so_and_is_a_warning() -> None:
    (finding,) = alarms(BounceWindow(unverified=Unverified(refusals=((GMAIL, ENOUGH),))))
    assert finding.severity is Severity.WARNING
    assert finding.fix.startswith("These messages may be forged")
    (both,) = alarms(BounceWindow({}, {}, (GMAIL,), Unverified(refusals=((GMAIL, ENOUGH),))))
    assert "unverified" not in f"{both.message} {both.expected}"


def test_ever_new_forged_domains_make_no_new_causes() -> None:
    def causes(count: int) -> set[str]:
        forged = tuple((GMAIL._replace(domain=f"d{number}.example"), ENOUGH) for number in range(count))
        domains = {f"d{number}.example": Hearsay(9, 9, 9, "a", "b") for number in range(count)}
        seen = BounceWindow({}, {}, (), Unverified({}, domains, forged))
        return {one.expected for one in alarms(seen, any_domain=1)}

    assert len(causes(50)) == 2 * (MAX_UNVERIFIED + 1)
    assert causes(50) == causes(1000)


def test_the_own_word_of_ever_new_domains_pushes_nothing_aside_that_is_sure() -> None:
    own = tuple(GMAIL._replace(domain=f"d{number}.example", is_own_word=True) for number in range(50))
    found = [one.message for one in alarms(BounceWindow({}, {}, (*own, GMAIL)))]
    assert found[0] == "gmail.com refuses us: 5.7.26 unauthenticated"
    assert len(found) == 1 + MAX_UNVERIFIED + 1
    # The oldest of them: one more changes nothing.
    assert found[1] == "d49.example refuses us: 5.7.26 unauthenticated"
