"""The mail queue of Postfix on this machine: how many messages wait, for how long, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import TYPE_CHECKING, Annotated, ClassVar, NamedTuple

from mailmon.checks.check import ConfigContext, HostCheck
from mailmon.checks.context import RunContext
from mailmon.checks.options import CheckOptions
from mailmon.findings import make_finding
from mailmon.metrics import make_metric
from mailmon.model import Fact, Finding, Metric, Note, Severity, Verdict
from mailmon.text import count, format_duration
from mailmon.typedjson.declare import About, Between, Duration, FileName, Name, Timeout, Word, options, seconds

if TYPE_CHECKING:  # only who has a queue loads it
    from mailmon.clients.program import ProgramError
    from mailmon.mail.postqueue import MailQueue

# What postqueue says then (postqueue(1)): to root as a warning beside the list, which it reads from the disk; others
# get no list, and an exit code that it also has for other trouble.
_DOWN_WORDS = b"mail system is down"
# Where Postfix has yet to take a message on: cleanup(8) and pickup(8), then qmgr(8).
_ARRIVING = ("incoming", "maildrop")
_WAITING = ("active", "deferred", *_ARRIVING)


Most = Annotated[int, Between(0, 10_000_000)]


@options
class MailQueueOptions:
    """One instance of Postfix, and how many messages may wait in it."""

    config_directory: Annotated[FileName | None, About("Its configuration directory, as for `postqueue -c`")] = None
    command: Annotated[
        tuple[Word, ...] | None, About("Another command with the output of `postqueue -j`, as a list of words")
    ] = None
    max_deferred: Annotated[Most | None, About("Warn above this many deferred messages")] = 50
    critical_deferred: Annotated[Most | None, About("Fail above this many deferred messages")] = None
    max_active: Annotated[Most | None, About("Warn above this many messages being delivered")] = 1000
    max_hold: Annotated[Most | None, About("Warn above this many messages on hold")] = None
    max_age: Annotated[Duration | None, About("Warn when the oldest message is older")] = "4h"
    max_arriving: Annotated[Duration | None, About("Warn when the oldest message in incoming or maildrop is older")] = (
        "15m"
    )
    timeout_s: Annotated[Timeout, About("Timeout for listing the queue, in seconds")] = 30.0


@options
class QueueOptions(CheckOptions):
    """The mail queues of this machine (Postfix)."""

    # A configuration of Postfix is as good as a command: it can name libraries to load (shlib_directory).
    COMMANDS: ClassVar[tuple[str, ...]] = ("command", "config_directory")

    instances: Annotated[
        dict[Name, MailQueueOptions], About('Instances of Postfix by name; the usual single one is {"postfix": {}}')
    ] = field(default_factory=dict)
    interval: Annotated[Duration, About("Time between two checks; by default every run checks")] = 0


class QueueLimits(NamedTuple):
    """The most messages, and the greatest ages in seconds, that are no finding; None for no limit."""

    deferred: int | None = 50
    critical_deferred: int | None = None
    active: int | None = 1000
    hold: int | None = None
    age_s: float | None = 4 * 3600.0
    arriving_s: float | None = 900.0


class QueueInstance(NamedTuple):
    """A queue, how it is listed, and its limits. Without a `command` it is listed by postqueue, wherever that is."""

    name: str
    interval_s: float
    command: tuple[str, ...] = ()
    config_directory: str | None = None
    limits: QueueLimits = QueueLimits()
    timeout_s: float = 30.0


def targets(asked: QueueOptions, config: ConfigContext) -> Iterator[QueueInstance]:
    """Yield the queues to list."""
    for name, own in asked.instances.items():
        ages_s = [None if age is None else seconds(age) for age in (own.max_age, own.max_arriving)]
        limits = QueueLimits(own.max_deferred, own.critical_deferred, own.max_active, own.max_hold, *ages_s)
        directory = config.path(own.config_directory)
        yield QueueInstance(name, seconds(asked.interval), own.command or (), directory, limits, own.timeout_s)


class _Listing:
    """The lines of a command that lists a queue; how it ended is known when they are read."""

    def __init__(self, command: tuple[str, ...], timeout_s: float) -> None:
        self._command, self._timeout_s = command, timeout_s
        self._said = bytearray()
        self.error: ProgramError | None = None

    def __iter__(self) -> Iterator[bytes]:
        from mailmon.clients.program import ProgramError, lines_of

        try:
            yield from lines_of(self._command, self._timeout_s, self._said)
        except ProgramError as exc:
            self.error = exc

    @property
    def says_down(self) -> bool:
        """Return whether Postfix is down. Without local sockets nothing could be asked, and it would always seem so."""
        return _DOWN_WORDS in self._said.lower() and _may_use_local_sockets()


def run(context: RunContext, instance: QueueInstance) -> Iterator[Fact]:
    """List the queue once."""
    from mailmon.clients.program import ProgramTimeoutError, find_program
    from mailmon.mail.postqueue import read_queue

    command = instance.command or _postqueue(find_program("postqueue"), instance.config_directory)
    if not command:
        yield _unreadable(instance.name, "there is no postqueue on this machine", "Run this where Postfix runs.")
        return
    listing = _Listing(command, context.environment.deadline.bound_s(instance.timeout_s))
    queue, now_s = read_queue(listing), context.environment.now().timestamp()
    if listing.says_down:
        yield make_finding("queue.mail_system_down", Verdict.FAIL, instance.name, _DOWN_SAID)
        if listing.error:
            return
    elif isinstance(listing.error, ProgramTimeoutError):
        # What was listed until then can be too much already; that it is not says nothing.
        found = list(judge(queue._replace(is_whole=False, unread=0), instance.limits, instance.name, now_s))
        yield from found or [_unreadable(instance.name, listing.error.said, _SLOW)]
        return
    elif listing.error:
        yield _unreadable(instance.name, listing.error.said, _ALLOW)
        return
    yield from _metrics(queue, now_s)
    yield from judge(queue, instance.limits, instance.name, now_s)
    yield Note(f"OK ({count(queue.total, 'message')} queued)" if queue.total else "OK (empty)")


def judge(queue: MailQueue, limits: QueueLimits, target: str, now_s: float) -> Iterator[Finding]:
    """Yield what is too much, and what waits for too long."""
    why = _why(queue)
    deferred, most = queue.count("deferred"), limits.critical_deferred
    if most is not None and deferred > most:
        yield _too_many("deferred", queue, most, target, why, Severity.ERROR)
    elif limits.deferred is not None and deferred > limits.deferred:
        yield _too_many("deferred", queue, limits.deferred, target, why)
    if limits.active is not None and queue.count("active") > limits.active:
        yield _too_many("active", queue, limits.active, target)
    if limits.hold is not None and queue.count("hold") > limits.hold:
        yield _too_many("hold", queue, limits.hold, target)
    age_s, arriving_s = queue.age_s(now_s, *_WAITING), queue.age_s(now_s, *_ARRIVING)
    if limits.age_s is not None and age_s > limits.age_s:
        said = f"the oldest message has been waiting for {format_duration(age_s)}{why}"
        yield _too_old("queue.old", target, said, age_s, limits.age_s)
    if limits.arriving_s is not None and arriving_s > limits.arriving_s:
        number = count(queue.count(*_ARRIVING), "message")
        said = f"{number} not yet picked up from incoming or maildrop, the oldest for {format_duration(arriving_s)}"
        yield _too_old("queue.stuck", target, said, arriving_s, limits.arriving_s)
    if queue.unread:
        said = f"{count(queue.unread, 'line')} of the list could not be parsed"
        yield make_finding("queue.not_readable", Verdict.FAIL, target, said)


def _metrics(queue: MailQueue, now_s: float) -> Iterator[Metric]:
    from mailmon.mail.postqueue import QUEUES

    for name in QUEUES:
        yield make_metric(name, queue.count(name))
    yield make_metric("size_bytes", queue.size_bytes)
    yield make_metric("oldest_s", round(max(queue.age_s(now_s, *_WAITING), 0.0), 1))


def _why(queue: MailQueue) -> str:
    """Return the most frequent reasons, as the end of a sentence."""
    reasons = "; ".join(f"{number} times {reason}" for reason, number in queue.reasons)
    domains = ", ".join(f"{name} ({number})" for name, number in queue.domains)
    return f": {reasons}; for {domains}" if reasons else ""


def _too_many(
    name: str, queue: MailQueue, limit: int, target: str, why: str = "", severity: Severity | None = None
) -> Finding:
    words = {"deferred": "could not be delivered yet", "active": "are being delivered", "hold": "are on hold"}[name]
    number = queue.count(name)
    said = f"{'' if queue.is_whole else 'at least '}{count(number, 'message')} {words}{why}"
    return make_finding(
        f"queue.{name}", Verdict.FAIL, target, said, severity, expected=f"<= {limit}", found=str(number)
    )


def _too_old(finding_id: str, target: str, said: str, age_s: float, limit_s: float) -> Finding:
    expected, found = f"<= {format_duration(limit_s)}", format_duration(age_s)
    return make_finding(finding_id, Verdict.FAIL, target, said, expected=expected, found=found)


def _may_use_local_sockets() -> bool:
    """Return whether postqueue could have asked at all: without local sockets it takes the mail system to be down."""
    import socket

    try:
        socket.socket(socket.AF_UNIX).close()
    except OSError:
        return False
    return True


def _postqueue(program: str | None, config_directory: str | None) -> tuple[str, ...]:
    if program is None:
        return ()
    return (program, *(("-c", config_directory) if config_directory else ()), "-j")


def _unreadable(target: str, said: str, advice: str) -> Finding:
    return make_finding("queue.not_readable", Verdict.UNKNOWN, target, said, fix=advice)


_DOWN_SAID = "the mail system is down"
_ALLOW = "This user must be allowed to list the queue (docs/mail-host.md)."
_SLOW = "See whether Postfix answers `postqueue -p`; a long queue on a slow disk needs a longer timeout_s."

CHECK = HostCheck(
    name="queue",
    label="Mail queue",
    about="Reports messages that wait too long in the queue of Postfix on this machine.",
    options=QueueOptions,
    targets=targets,
    run=run,
)
