"""What does a cycle cost in a mailbox with 100,000 messages, next to one in an empty mailbox?"""

from __future__ import annotations

import imaplib
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from bench.commands import Command, alternate, ratios, spread
from bench.scene import Scene
from bench.tables import Bound, print_table
from tests.monitor import Monitor

MESSAGES = int(os.environ.get("MAILMON_BENCH_MESSAGES", "100000"))
LARGE, EMPTY = "u0001", "u0002"
MAX_WALL = 1.5
_MAIL = b"From: Bob <bob@example.org>\nTo: alice@example.com\nSubject: lunch %d?\n\n" + b"At noon, as ever?\n" * 40


def measure(scene: Scene, rounds: int) -> list[Bound]:
    """Fill an INBOX, and run cycles in it and in an empty one in turn."""
    _fill(scene, LARGE, MESSAGES)
    commands = [_check(scene, user) for user in (EMPTY, LARGE)]
    empty, large = alternate(commands, rounds, scene.directory)
    wall = ratios(large, empty, lambda usage: usage.wall_s)
    cpu = ratios(large, empty, lambda usage: usage.cpu_s)
    rows = [
        (name, spread(runs, lambda usage: usage.wall_s).show("{:.0f}", 1000), f"{runs[0].peak_kib / 1024:.1f}")
        for name, runs in (("empty mailbox", empty), (f"{MESSAGES} messages", large))
    ]
    print_table("One cycle by the size of the mailbox", ("mailbox", "wall ms", "peak MiB"), rows)
    print(f"\nwall {wall.show()} times, client CPU {cpu.show()} times")
    return [Bound(f"cycle with {MESSAGES} messages, wall, to an empty mailbox", wall.median, MAX_WALL)]


def _check(scene: Scene, user: str) -> Command:
    monitor: Monitor = scene.monitor(scene.ports(), to=f"{user}@mail.test")
    monitor.config["accounts"]["main"]["address"] = f"{user}@mail.test"
    monitor.write()
    return scene.check(monitor)


def _fill(scene: Scene, user: str, count: int) -> None:
    """Put messages straight into the mail directory, as delivery would."""
    with _session(scene, user):
        pass
    inbox = scene.bed.directory / "mail" / user
    owner = inbox.stat()
    for number in range(count):
        path = inbox / "cur" / f"{1700000000 + number}.M{number}.bench:2,S"
        path.write_bytes(_MAIL % number)
        os.chown(path, owner.st_uid, owner.st_gid)
    with _session(scene, user) as imap:  # the server reads its directory before anything is measured
        _, exists = imap.select("INBOX", readonly=True)
        assert exists == [b"%d" % count], exists


@contextmanager
def _session(scene: Scene, user: str) -> Iterator[imaplib.IMAP4_SSL]:
    context = ssl.create_default_context(cafile=scene.ca_bundle)
    imap = imaplib.IMAP4_SSL(scene.bed.host, scene.bed.ports["imaps"], ssl_context=context, timeout=300)
    imap.login(f"{user}@mail.test", scene.bed.password)
    try:
        yield imap
    finally:
        imap.logout()
