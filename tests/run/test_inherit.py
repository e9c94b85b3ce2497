"""The part of an old common state that belongs to a configuration."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mailmon.alerting import enqueue
from mailmon.model import Announced, Change, CheckState, Health, Probe
from mailmon.model.run import LastRun
from mailmon.run.inherit import Claim, joined, share_of
from mailmon.run.subjects import NETWORK, PING, UNIT
from mailmon.store.state import State

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
OURS = Claim(
    servers={"imap_auth:main": {"mx:993", "mx:587"}, "receive:main": {"mx:993", "mx:587"}, "dns:example.org": set()},
    routes_of={"imap_auth:main": ["main"], "receive:main": ["main"], "dns:example.org": []},
    ends={"main": ("m@example.org", "m@example.org")},
    channels={"ntfy"},
    hosts={"mx"},
)


def down(target: str = "mx:993") -> CheckState:
    return CheckState(Health.DOWN, NOON, "no", target, announced=Announced(Health.DOWN, NOON, NOON, "no", target))


def probe(address: str = "m@example.org", route: str = "main", minutes: int = 0) -> Probe:
    return Probe(f"mm{minutes:032d}", route, address, address, route, NOON + timedelta(minutes=minutes))


def change(step: str, target: str = "mx:993") -> Change:
    return Change(step, Health.UP, Health.DOWN, NOON, NOON, "no", target=target, label="x", channels=("ntfy", "other"))


@pytest.mark.parametrize(
    ("step", "check_state", "is_ours"),
    [
        ("imap_auth:main", down(), True),
        ("imap_auth:main", down(""), True),
        ("imap_auth:main", down("elsewhere:993"), False),
        ("imap_auth:main", down("mx:1993"), False),
        ("imap_auth:other", down(), False),
        ("dns:example.org", down("ns.example.org"), True),
        ("dns:example.net", down(), False),
        ("channel:ntfy", down("host"), True),
        ("channel:phone", down("host"), False),
        (PING, down("host"), False),
        ("certificate:mx", down("mx"), True),
    ],
)
def test_a_step_is_taken_where_its_name_and_its_server_are_ours(
    step: str, check_state: CheckState, is_ours: bool
) -> None:
    share = share_of(State(checks={step: check_state}), OURS)
    assert (step in share.mine.checks, step in share.rest.checks) == (is_ours, not is_ours)


@pytest.mark.parametrize(
    ("ours_at", "theirs_at", "ran_last", "is_known", "is_ours"),
    [
        (1, 0, False, False, True),
        (0, 1, False, False, False),
        (1, 0, False, True, False),
        (0, 1, True, True, True),
        (None, 1, False, False, False),
        (1, None, False, True, True),
    ],
)
def test_a_step_of_a_name_that_others_have_too_is_of_who_ran_last(
    ours_at: int | None, theirs_at: int | None, ran_last: bool, is_known: bool, is_ours: bool
) -> None:
    probes = [probe(minutes=ours_at)] if ours_at is not None else []
    probes += [probe("n@example.org", minutes=theirs_at)] if theirs_at is not None else []
    state = State(checks={"receive:main": down()}, probes=tuple(probes))
    share = share_of(state, OURS._replace(ran_last=ran_last, is_known=is_known))
    assert ("receive:main" in share.mine.checks) is is_ours
    assert {p.sender for p in share.mine.probes} <= {"m@example.org"}
    assert {p.sender for p in share.rest.probes} <= {"n@example.org"}


def test_a_waiting_alert_is_parted_by_step_and_by_channel() -> None:
    changes = [change("imap_auth:main"), change("imap_auth:other", "elsewhere:993")]
    outbox = enqueue([], changes, ["ntfy", "other"], NOON, "alert")
    share = share_of(State(outbox=tuple(outbox)), OURS)
    mine = [(entry.channel, [f.id for f in entry.alert.changes]) for entry in share.mine.outbox]
    rest = [(entry.channel, [f.id for f in entry.alert.changes]) for entry in share.rest.outbox]
    assert mine == [("ntfy", ["imap_auth:main"])]
    assert rest == [("ntfy", ["imap_auth:other"]), ("other", ["imap_auth:main", "imap_auth:other"])]
    assert share.mine.outbox[0].alert.id != share.rest.outbox[0].alert.id


@pytest.mark.parametrize("step", [NETWORK, f"{UNIT}mailmon", "certificate:elsewhere"])
def test_what_bears_no_name_of_ours_is_taken_where_nothing_else_is_anybody_elses(step: str) -> None:
    last = LastRun("x", NOON, NOON, "ok")  # type: ignore[arg-type]
    alone = State(checks={"imap_auth:main": down(), step: down("host")}, last_run=last)
    share = share_of(alone, OURS)
    assert (set(share.mine.checks), share.rest.checks, share.mine.last_run) == ({"imap_auth:main", step}, {}, last)
    common = alone._replace(checks={**alone.checks, "imap_auth:other": down()})
    assert set(share_of(common, OURS).rest.checks) == {"imap_auth:other", step}
    assert share_of(common, OURS._replace(ran_last=True)).mine.checks.keys() == {"imap_auth:main", step}


def test_nothing_of_an_old_state_is_lost_or_doubled() -> None:
    steps = ["imap_auth:main", "imap_auth:other", "receive:main", NETWORK, "channel:ntfy", "certificate:x"]
    probes = (probe(), probe("n@example.org", "other", 1))
    state = State(checks={step: down() for step in steps}, probes=probes, last_run=None)
    share = share_of(state, OURS)
    assert {**share.mine.checks, **share.rest.checks} == state.checks
    assert not share.mine.checks.keys() & share.rest.checks.keys()
    assert sorted((*share.mine.probes, *share.rest.probes)) == sorted(probes)
    assert share_of(share.rest, OURS).mine.checks == {}


def test_what_a_run_has_seen_since_then_counts() -> None:
    mine = State(checks={"a": down(), "b": down()}, probes=(probe(),))
    up = CheckState(Health.UP, NOON)
    own = joined(mine, State(serial=7, checks={"a": up}, probes=(probe(),)))
    assert (own.serial, own.checks["a"], own.checks["b"], own.probes) == (7, up, down(), (probe(),))
