"""Is a person told of bounces that concern them, and not of each one?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailmon.judge.bounce_alarms import MAX_NAMED, REFUSALS, find_alarms
from mailmon.judge.table import observe
from mailmon.model import Finding, Health, Outcome, Policy, Severity, Status
from mailmon.model.bounces import BounceWindow, Refusal
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
        (BounceWindow({}, {}, (GMAIL,)), {"tells_refusals": False}, []),
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
    assert finding.fix == "Repair these records and signatures; see who else sends in your name."


def test_one_more_bounce_is_no_news_and_another_domain_is() -> None:
    def remembered(*findings: Finding) -> tuple[str, ...]:
        outcome = Outcome("bounces:main", "bounces", "main", Status.FAILED, "x", findings=findings)
        memory = observe(None, outcome, Policy(), SENT_AT)
        assert memory is not None
        assert memory.health is Health.DOWN
        return memory.causes

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
