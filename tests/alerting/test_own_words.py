"""Wording of alerts about mailmon itself, its channels and units."""

from __future__ import annotations

from collections.abc import Sequence

from mailmon.alerting import evaluate
from mailmon.alerting.outbox import merge
from mailmon.model import Change, CheckState, Outcome
from mailmon.model.run import AlertLine
from mailmon.run.subjects import NETWORK, channel_outcomes, network_outcome, subjects_of
from tests.alerting.sequences import QUARTER, START
from tests.alerting.test_wording import alert, text


def own(*found: Sequence[Outcome]) -> list[Change]:
    """Return what is told of mailmon itself in these runs, with a name of its machine that does not change."""
    states: dict[str, CheckState] = {}
    changes: list[Change] = []
    for number, outcomes in enumerate(found):
        subjects = subjects_of((), (), {}, [outcome.id for outcome in outcomes])
        states, more, _ = evaluate(states, outcomes, subjects, START + number * QUARTER, alert_id=f"run-{number}")
        changes += more
    return [change._replace(target="monitor") for change in changes]


def test_mailmon_cannot_see_and_sees_again() -> None:
    blind = [network_outcome("192.0.2.1:443 does not answer", is_offline=True)]
    seeing = [network_outcome("", is_offline=False)]
    first, second = own(blind, blind, seeing)
    assert first.id == NETWORK
    assert (
        text(first)
        == """\
problem: monitor: mailmon has no network since 13:00 +0100: 192.0.2.1:443 does not answer
mailmon: 192.0.2.1:443 does not answer
→ Look at this machine's network.
Since 13:00 +0100.
"""
    )
    assert (
        text(second)
        == """\
recovery: monitor: mailmon is online again after 30 min
mailmon is online again since 13:30 +0100, after 30 min.
Cause: 192.0.2.1:443 does not answer
"""
    )
    (both,) = merge([first], [second])
    assert alert(both).title == "monitor: mailmon had no network and is online again after 30 min (13:00-13:30 +0100)"


def test_a_channel_that_refuses_and_takes_again() -> None:
    refused = AlertLine("1", "phone", "pending", "t", "ntfy at https://ntfy.example.org: answered 403", True)
    evaluated = AlertLine("1", "phone", "sent", "t")
    first, second = own(channel_outcomes([refused], ()), channel_outcomes([evaluated], ["channel:phone"]))
    assert (
        text(first)
        == """\
problem: monitor: Alerts via phone failing since 13:00 +0100: ntfy at https://ntfy.example.org: answered 403
Alerts via phone: ntfy at https://ntfy.example.org: answered 403
→ Try it with `mailmon notify test`.
Since 13:00 +0100.
"""
    )
    assert alert(second).title == "monitor: Alerts via phone recovered after 15 min"
