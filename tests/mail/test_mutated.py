"""Every parser ends soon on any input: at most 50 ms of CPU time, its own errors only.

Some hundred inputs for each reader in the ordinary run, one in eight as large as it can be; MAILMON_FUZZ=100000 tries
as many, one in sixty of them large, and prints what took longest.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.mail.hostile import PIECES, grow, mutate
from tests.mail.readers import READERS, Reader

LIMIT_MS = 50.0
# Where a thread's time is short of the truth: a busy machine makes it longer, now and then.
ROUNDS = 5
COUNT = int(os.environ.get("MAILMON_FUZZ", "160"))
LARGE_EVERY = 8 if COUNT < 1000 else 60


def take(reader: Reader, raw: bytes) -> float:
    """Read; return the milliseconds of CPU time. Whatever else is raised than the reader's own errors fails."""
    begun = time.thread_time()
    with suppress(*reader.errors):
        reader.read(raw)
    return (time.thread_time() - begun) * 1000


def must_be_quick(reader: Reader, raw: bytes) -> float:
    """Read within the limit; return the milliseconds."""
    ms = take(reader, raw)
    if ms > LIMIT_MS:
        ms = min(take(reader, raw) for _ in range(ROUNDS))
    assert ms <= LIMIT_MS, f"{reader.name}: {ms:.0f} ms for {len(raw)} bytes like {raw[:60]!r} ... {raw[-60:]!r}"
    return ms


@pytest.fixture(params=READERS, ids=lambda reader: reader.name)
def reader(request: pytest.FixtureRequest) -> Reader:
    found: Reader = request.param
    return found


def test_mutated_input_is_read_within_50_ms(reader: Reader, capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(f"{reader.name} {COUNT}")
    slowest_ms, slowest = 0.0, b""
    for number in range(COUNT):
        seed = chance.choice(reader.seeds)
        is_large = number % LARGE_EVERY == 0
        raw = seed if is_large and chance.random() < 0.5 else mutate(seed, reader.seeds, chance)[: reader.max_bytes]
        if is_large:
            raw = grow(raw, reader.max_bytes, chance)
        ms = must_be_quick(reader, raw)
        if ms > slowest_ms:
            slowest_ms, slowest = ms, raw
    if COUNT >= 1000:
        with capsys.disabled():
            print(f"\n{reader.name}: {COUNT} inputs, slowest {slowest_ms:.1f} ms ({len(slowest)} bytes)", end="")


@pytest.mark.skipif(COUNT >= 1000, reason="what MAILMON_FUZZ asks for is the test above")
def test_a_hostile_piece_repeated_up_to_the_limit_is_read_within_50_ms(reader: Reader) -> None:
    chance = random.Random(reader.name)
    for piece in chance.sample(PIECES, 24):
        seed = chance.choice(reader.seeds)
        at = chance.randint(0, len(seed))
        room = max(reader.max_bytes - len(seed), 0)
        must_be_quick(reader, seed[:at] + piece * (room // len(piece)) + seed[at:])


@settings(max_examples=60, deadline=None)
@given(raw=st.one_of(st.binary(max_size=400), st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace"))))
def test_any_bytes_are_read_or_refused_by_the_documented_error(raw: bytes) -> None:
    for reader in READERS:
        take(reader, raw)
        take(reader, reader.seeds[0][: len(reader.seeds[0]) // 2] + raw)


def _slow(raw: bytes) -> object:
    return [raw.count(b"a") for _ in range(400)]


def _raising(raw: bytes) -> object:
    return raw.decode("ascii")


@pytest.mark.parametrize(("read", "error"), [(_slow, AssertionError), (_raising, UnicodeDecodeError)])
def test_a_reader_that_is_slow_or_raises_what_it_must_not_is_found_out(
    read: Callable[[bytes], object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        must_be_quick(Reader("bad", read, 1 << 20, (b"a",)), b"\xff" + b"a" * (1 << 20))
