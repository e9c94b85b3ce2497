"""Each route and host belongs to exactly one shard, always the same one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailmon.config.shard import Shard, read_shard
from tests.monitor import Monitor


@given(st.text(min_size=1, max_size=60), st.integers(1, 50))
def test_a_name_is_in_exactly_one_part(name: str, count: int) -> None:
    assert sum(Shard(number, count).has(name) for number in range(1, count + 1)) == 1


def test_the_parts_are_about_as_large_and_stay_what_they_are() -> None:
    sizes = Counter(next(n for n in range(1, 5) if Shard(n, 4).has(f"u{i:04d}")) for i in range(1000))
    assert min(sizes.values()) > 200
    assert [Shard(1, 4).has(f"u{i:04d}") for i in range(6)] == [True, True, False, False, False, True]


@pytest.mark.parametrize("text", ["0/4", "5/4", "1/0", "1/1001", "1", "a/b", "1/4/2", "-1/4", ""])
def test_what_is_no_part_is_told(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="invalid shard"):
        read_shard(text)


def test_each_machine_does_its_part(tmp_path: Path) -> None:
    server = {"host": "127.0.0.1", "port": 9, "timeout_s": 1}
    names = [f"u{number}" for number in range(12)]
    accounts = {
        name: {"address": f"{name}@example.org", "password": "x", "smtp": server, "imap": server} for name in names
    }
    routes = {name: {"from": name, "to": f"{name}@example.org", "in": name} for name in names[:8]}
    monitor = Monitor(tmp_path, {"accounts": accounts, "routes": routes, "notify": "none"})
    seen: Counter[str] = Counter()
    for part in ("1/3", "2/3", "3/3"):
        seen.update(step["id"] for step in monitor.check("--shard", part).document["steps"])
    assert set(seen.values()) == {1}
    assert {step for step in seen if step.startswith("imap_auth:")} == {f"imap_auth:{name}" for name in names}
    assert monitor.check("--shard", "4/3").exit_code == 2
