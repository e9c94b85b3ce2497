"""What waits in the queue of Postfix on this machine, for how long, and why?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from mailmon.checks.check import Check
from mailmon.checks.subjects import Host
from mailmon.checks.tools import Tools
from mailmon.mail.text import count, format_duration
from mailmon.model import Fact, Finding, Metric, Note, Severity, Verdict

if TYPE_CHECKING:  # only who has a queue loads it
    from mailmon.mail.queue import MailQueue

# As postqueue ends then; of other trouble it ends with the same code (postqueue(1)).
EX_UNAVAILABLE, _DOWN_WORDS = 69, "mail system is down"


class QueueLimits(NamedTuple):
    """Of what there may be how much: messages, and the age of the oldest in seconds; None: that is never told."""

    deferred: int | None = 50
    critical_deferred: int | None = None
    active: int | None = 1000
    hold: int | None = None
    age_s: float | None = 4 * 3600.0


class QueueSettings(NamedTuple):
    """How the queue is listed, and what is too much. Without a `command` it is postqueue, wherever that is."""

    command: tuple[str, ...] = ()
    config_directory: str | None = None
    limits: QueueLimits = QueueLimits()
    timeout_s: float = 30.0


def ask(tools: Tools, host: Host) -> Iterator[Fact]:
    """List the queue once."""
    from mailmon.clients.program import ProgramError, find_program, lines_of
    from mailmon.mail.queue import read_queue

    settings = host.queue
    assert settings is not None
    command = settings.command or _postqueue(find_program("postqueue"), settings.config_directory)
    if not command:
        yield _unreadable(host.name, "there is no postqueue on this machine", "Run this where Postfix runs.")
        return
    try:
        queue = read_queue(lines_of(command, tools.world.deadline.bound_s(settings.timeout_s)))
    except ProgramError as exc:
        if exc.code == EX_UNAVAILABLE and _DOWN_WORDS in exc.said and _may_use_local_sockets():
            yield Finding("queue.mail_system_down", Verdict.FAIL, host.name, exc.said, Severity.ERROR, fix=_DOWN)
            return
        yield _unreadable(host.name, exc.said, _ALLOW)
        return
    yield from _metrics(queue, tools.world.now().timestamp())
    yield from judge(queue, settings.limits, host.name, tools.world.now().timestamp())
    yield Note(f"OK ({count(queue.total, 'message')} queued)" if queue.total else "OK (empty)")


def judge(queue: MailQueue, limits: QueueLimits, target: str, now_s: float) -> Iterator[Finding]:
    """Yield what is too much."""
    why = _why(queue)
    deferred = queue.count("deferred")
    most = limits.critical_deferred
    if most is not None and deferred > most:
        yield _too_many("deferred", deferred, most, target, why, Severity.ERROR)
    elif limits.deferred is not None and deferred > limits.deferred:
        yield _too_many("deferred", deferred, limits.deferred, target, why)
    if limits.active is not None and queue.count("active") > limits.active:
        yield _too_many("active", queue.count("active"), limits.active, target, "")
    if limits.hold is not None and queue.count("hold") > limits.hold:
        yield _too_many("hold", queue.count("hold"), limits.hold, target, "")
    age_s = _age_s(queue, now_s)
    if limits.age_s is not None and age_s > limits.age_s:
        said = f"the oldest message has been waiting for {format_duration(age_s)}{why}"
        limit = format_duration(limits.age_s)
        yield Finding(
            "queue.old", Verdict.FAIL, target, said, Severity.WARNING,
            expected=f"<= {limit}", found=format_duration(age_s), fix=_LOOK,
        )  # fmt: skip
    if queue.unread:
        said = f"{count(queue.unread, 'line')} of the list made no sense"
        yield Finding("queue.not_readable", Verdict.FAIL, target, said, Severity.NOTICE)


def _metrics(queue: MailQueue, now_s: float) -> Iterator[Metric]:
    from mailmon.mail.queue import QUEUES

    for name in QUEUES:
        yield Metric(name, queue.count(name))
    yield Metric("size_bytes", queue.size_bytes)
    yield Metric("oldest_s", round(_age_s(queue, now_s), 1))


def _age_s(queue: MailQueue, now_s: float) -> float:
    return max(now_s - queue.oldest_at.timestamp(), 0.0) if queue.oldest_at else 0.0


def _why(queue: MailQueue) -> str:
    """Return the most frequent reasons, as the end of a sentence."""
    reasons = "; ".join(f"{number} times {reason}" for reason, number in queue.reasons)
    domains = ", ".join(f"{name} ({number})" for name, number in queue.domains)
    return f": {reasons}; for {domains}" if reasons else ""


def _too_many(
    name: str, number: int, limit: int, target: str, why: str, severity: Severity = Severity.WARNING
) -> Finding:
    words = {"deferred": "could not be delivered yet", "active": "are being delivered", "hold": "are on hold"}[name]
    said = f"{count(number, 'message')} {words}{why}"
    return Finding(
        f"queue.{name}", Verdict.FAIL, target, said, severity, expected=f"<= {limit}", found=str(number), fix=_LOOK
    )


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
_DOWN = "Start Postfix: `systemctl status postfix` says why it is down."
_ALLOW = "This user must be allowed to list the queue (docs/mail-host.md)."

CHECK = Check("queue", "Mail queue", ask)
