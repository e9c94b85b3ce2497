"""Mail that was sent while a route was down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailmon.mail.probe.ledger import fate_words, losses
from mailmon.model import Fate, Probe
from tests.mail.samples import OTHER_TOKEN, SENT_AT, TOKEN, probe

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
WHEN = f"the probe of {SENT_AT.astimezone():%Y-%m-%d %H:%M %z}"


def late(took: timedelta) -> Probe:
    sent = probe(fate=Fate.LATE)
    assert sent.accepted_at is not None
    return sent._replace(settled_at=sent.accepted_at + took)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (probe(), ""),
        (probe(fate=Fate.ARRIVED), ""),
        (probe(fate=Fate.WAITING), "has not arrived yet"),
        (late(452 * timedelta(seconds=1)), "arrived late, after 7 min 32 s"),
        # the server's clock is behind ours
        (late(-HOUR), "arrived late"),
        (late(timedelta()), "arrived late"),
        (
            probe(fate=Fate.LOST),
            "is lost: accepted by mail.example.org:587 as queue id 4XyZ12abcD, not seen for a day",
        ),
        (probe(fate=Fate.BOUNCED)._replace(detail="552 5.2.2 mailbox full"), "bounced: 552 5.2.2 mailbox full"),
    ],
)
def test_each_fate_has_its_words(sent: Probe, words: str) -> None:
    assert fate_words(sent) == (f"{WHEN} {words}" if words else "")


def test_what_was_not_in_time_is_told_oldest_first() -> None:
    probes = [
        probe("mm1", fate=Fate.LOST, age=MINUTE),
        probe("mm2", fate=Fate.ARRIVED, age=2 * MINUTE),
        probe("mm3", fate=Fate.LATE, age=3 * MINUTE),
    ]
    told = losses(probes, "main", SENT_AT - HOUR)
    assert [" ".join(words.split()[6:8]) for words in told] == ["arrived late,", "is lost:"]


def test_only_the_routes_own_probes_of_that_time_are_told() -> None:
    probes = [
        probe(fate=Fate.LOST, age=2 * HOUR),
        probe(OTHER_TOKEN, fate=Fate.LOST)._replace(route="other"),
        probe(TOKEN, fate=Fate.WAITING),
    ]
    assert len(losses(probes, "main", SENT_AT)) == 1
    assert len(losses(probes, "main", SENT_AT - 2 * HOUR)) == 2
    assert losses(probes, "main", SENT_AT + MINUTE) == ()


def test_what_no_server_accepted_was_not_lost() -> None:
    refused = probe(fate=Fate.BOUNCED)._replace(accepted_at=None)
    assert losses([refused, probe()], "main", SENT_AT - HOUR) == ()


TIMES = st.datetimes(min_value=SENT_AT.replace(tzinfo=None), timezones=st.just(UTC))


@given(fate=st.sampled_from(list(Fate)), settled_at=st.none() | TIMES)
def test_every_probe_can_be_spoken_of(fate: Fate, settled_at: datetime | None) -> None:
    assert isinstance(fate_words(probe(fate=fate)._replace(settled_at=settled_at)), str)
