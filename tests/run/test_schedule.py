"""Every step starts once, in its turn, within the share of its host."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailmon.model.limits import RunLimits
from mailmon.run.plan import Step
from mailmon.run.schedule import Schedule


def step(name: str, host: str, needs: tuple[str, ...] = (), account: str = "") -> Step:
    return Step(name, "check", name, "Check", lambda _: (), needs, target=f"{host}:993", accounts=(account or name,))


def begun(schedule: Schedule) -> list[str]:
    """Begin all that may begin now."""
    found = []
    while one := schedule.next():
        found.append(one.id)
    return found


def test_no_more_steps_run_than_there_are_workers() -> None:
    schedule = Schedule([step(f"s{n}", "a") for n in range(40)], RunLimits(workers=5))
    first = begun(schedule)
    assert first == ["s0", "s1", "s2", "s3", "s4"]
    list(schedule.end("s3"))
    assert begun(schedule) == ["s5"]


def test_one_host_leaves_workers_for_the_others() -> None:
    steps = [*[step(f"hung{n}", "a") for n in range(40)], *[step(f"well{n}", "b") for n in range(40)]]
    first = begun(Schedule(steps, RunLimits(workers=16)))
    assert Counter(name.rstrip("0123456789") for name in first) == {"hung": 12, "well": 4}


def test_a_single_host_gets_all_workers() -> None:
    assert len(begun(Schedule([step(f"s{n}", "a") for n in range(40)], RunLimits(workers=16)))) == 16


def test_what_waits_for_a_login_comes_before_the_next_login() -> None:
    steps = [step(f"login{n}", "a") for n in range(4)] + [step(f"read{n}", "a", (f"login{n}",)) for n in range(4)]
    schedule = Schedule(steps, RunLimits(workers=2))
    assert begun(schedule) == ["login0", "login1"]
    list(schedule.end("login1"))
    assert begun(schedule) == ["read1"]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 6)), max_size=40),
    st.integers(1, 6),
    st.none() | st.integers(1, 6),
    st.randoms(use_true_random=False),
)
def test_every_step_is_begun_once_within_the_limits(
    drawn: list[tuple[str, int]], workers: int, per_host: int | None, chance: random.Random
) -> None:
    steps = [
        step(f"s{n}", host, (f"s{n - back}",) if 0 < back <= n else (), account=f"a{n % 5}")
        for n, (host, back) in enumerate(drawn)
    ]
    by_id = {one.id: one for one in steps}
    schedule = Schedule(steps, RunLimits(workers, per_host))
    running: list[str] = []
    ended: set[str] = set()
    released: list[str] = []
    while len(ended) < len(steps):
        running += begun(schedule)
        assert 0 < len(running) <= workers
        assert all(set(by_id[name].needs) <= ended for name in running)
        if per_host is not None:
            assert max(Counter(by_id[name].target for name in running).values()) <= per_host
        name = running.pop(chance.randrange(len(running)))
        assert name not in ended
        ended.add(name)
        released += schedule.end(name)
    assert sorted(released) == sorted({one.accounts[0] for one in steps})
    assert begun(schedule) == []


@pytest.mark.parametrize("target", ["mail.example.org:993", "MAIL.example.org:25", "mail.example.org"])
def test_a_host_is_known_by_its_name(target: str) -> None:
    steps = [
        Step(f"s{n}", "c", "n", "l", lambda _: (), target=target if n % 2 else "mail.example.org:1") for n in range(9)
    ]
    assert len(begun(Schedule(steps, RunLimits(workers=9, per_host=2)))) == 2
