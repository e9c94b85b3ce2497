"""One run of all checks, or of some of them."""

from __future__ import annotations

from mailmon.config import Setup
from mailmon.errors import UsageError
from mailmon.run import Request, RunResult, run


def check(request: Request) -> RunResult:
    """Run the checks of a setup. Raises LockHeldError, StateError, ConfigError, UnknownNameError.

    What servers answer is in the result, and its exit code follows from it.
    """
    return run(request)


def part_of(setup: Setup, shard: str | None) -> Setup:
    """Return the part `I/N` of a setup that several machines share, all of it for None. Raises UsageError."""
    if not shard:
        return setup
    from mailmon.config import shard as shards

    try:
        return shards.part_of(setup, shards.read_shard(shard))
    except ValueError as exc:
        raise UsageError(str(exc)) from exc
