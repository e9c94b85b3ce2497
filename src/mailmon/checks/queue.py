"""What waits in the queue of Postfix on this machine, for how long, and why?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from mailmon.checks.check import Check
from mailmon.checks.context import RunContext
from mailmon.checks.targets import Host
from mailmon.model import Fact, Finding, Metric, Note, Severity, Verdict
from mailmon.text import count, format_duration

if TYPE_CHECKING:  # only who has a queue loads it
    from mailmon.clients.program import ProgramError
    from mailmon.mail.postqueue import MailQueue

# What postqueue says then (postqueue(1)): to root as a warning beside the list, which it reads from the disk; others
# get no list, and an exit code that it also has for other trouble.
_DOWN_WORDS = b"mail system is down"
# Where Postfix has yet to take a message on: cleanup(8) and pickup(8), then qmgr(8).
_ARRIVING = ("incoming", "maildrop")
_WAITING = ("active", "deferred", *_ARRIVING)


class QueueLimits(NamedTuple):
    """Of what there may be how much: messages, and the age of the oldest in seconds; None: that is never told."""

    deferred: int | None = 50
    critical_deferred: int | None = None
    active: int | None = 1000
    hold: int | None = None
    age_s: float | None = 4 * 3600.0
    arriving_s: float | None = 900.0


class QueueSettings(NamedTuple):
    """How the queue is listed, and what is too much. Without a `command` it is postqueue, wherever that is."""

    command: tuple[str, ...] = ()
    config_directory: str | None = None
    limits: QueueLimits = QueueLimits()
    timeout_s: float = 30.0


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
        """Say whether Postfix is down. Without local sockets nothing could be asked, and it would always seem so."""
        return _DOWN_WORDS in self._said.lower() and _may_use_local_sockets()


def ask(tools: RunContext, host: Host) -> Iterator[Fact]:
    """List the queue once."""
    from mailmon.clients.program import ProgramTimeoutError, find_program
    from mailmon.mail.postqueue import read_queue

    settings = host.queue
    assert settings is not None
    command = settings.command or _postqueue(find_program("postqueue"), settings.config_directory)
    if not command:
        yield _unreadable(host.name, "there is no postqueue on this machine", "Run this where Postfix runs.")
        return
    listing = _Listing(command, tools.world.deadline.bound_s(settings.timeout_s))
    queue, now_s = read_queue(listing), tools.world.now().timestamp()
    if listing.says_down:
        yield Finding("queue.mail_system_down", Verdict.FAIL, host.name, _DOWN_SAID, Severity.ERROR, fix=_DOWN)
        if listing.error:
            return
    elif isinstance(listing.error, ProgramTimeoutError):
        # What was listed until then can be too much already; that it is not says nothing.
        found = list(judge(queue._replace(is_whole=False, unread=0), settings.limits, host.name, now_s))
        yield from found or [_unreadable(host.name, listing.error.said, _SLOW)]
        return
    elif listing.error:
        yield _unreadable(host.name, listing.error.said, _ALLOW)
        return
    yield from _metrics(queue, now_s)
    yield from judge(queue, settings.limits, host.name, now_s)
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
        yield _too_old("queue.old", target, said, age_s, limits.age_s, _LOOK)
    if limits.arriving_s is not None and arriving_s > limits.arriving_s:
        number = count(queue.count(*_ARRIVING), "message")
        said = f"{number} not taken on yet from incoming or maildrop, the oldest for {format_duration(arriving_s)}"
        yield _too_old("queue.stuck", target, said, arriving_s, limits.arriving_s, _STUCK)
    if queue.unread:
        said = f"{count(queue.unread, 'line')} of the list made no sense"
        yield Finding("queue.not_readable", Verdict.FAIL, target, said, Severity.NOTICE)


def _metrics(queue: MailQueue, now_s: float) -> Iterator[Metric]:
    from mailmon.mail.postqueue import QUEUES

    for name in QUEUES:
        yield Metric(name, queue.count(name))
    yield Metric("size_bytes", queue.size_bytes)
    yield Metric("oldest_s", round(max(queue.age_s(now_s, *_WAITING), 0.0), 1))


def _why(queue: MailQueue) -> str:
    """Return the most frequent reasons, as the end of a sentence."""
    reasons = "; ".join(f"{number} times {reason}" for reason, number in queue.reasons)
    domains = ", ".join(f"{name} ({number})" for name, number in queue.domains)
    return f": {reasons}; for {domains}" if reasons else ""


def _too_many(
    name: str, queue: MailQueue, limit: int, target: str, why: str = "", severity: Severity = Severity.WARNING
) -> Finding:
    words = {"deferred": "could not be delivered yet", "active": "are being delivered", "hold": "are on hold"}[name]
    number = queue.count(name)
    said = f"{'' if queue.is_whole else 'at least '}{count(number, 'message')} {words}{why}"
    return Finding(
        f"queue.{name}", Verdict.FAIL, target, said, severity, expected=f"<= {limit}", found=str(number), fix=_LOOK
    )


def _too_old(finding_id: str, target: str, said: str, age_s: float, limit_s: float, fix: str) -> Finding:
    expected, found = f"<= {format_duration(limit_s)}", format_duration(age_s)
    return Finding(
        finding_id, Verdict.FAIL, target, said, Severity.WARNING, expected=expected, found=found, fix=fix
    )  # fmt: skip


def _may_use_local_sockets() -> bool:
    """Say whether postqueue could have asked at all: without local sockets it takes the mail system to be down."""
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
    return Finding("queue.not_readable", Verdict.UNKNOWN, target, said, fix=advice)


_LOOK = "Look at `postqueue -p`, and at the mail server's log for the reasons."
_STUCK = "See whether Postfix's pickup and qmgr run (`postfix status`), whether the disk is full, and the mail log."
_DOWN_SAID = "the mail system is down"
_DOWN = "Start Postfix: `systemctl status postfix` says why it is down."
_ALLOW = "This user must be allowed to list the queue (docs/mail-host.md)."
_SLOW = "See whether Postfix answers `postqueue -p`; a long queue on a slow disk needs a longer timeout_s."

CHECK = Check("queue", "Mail queue", ask)
