"""The cost of a cycle in a mailbox with 100,000 messages.

Next to one in an empty mailbox, where the server keeps an index that it trusts (mdbox). In a Maildir Dovecot reads the
directory anew at SELECT, STORE and EXPUNGE, whoever asks: there the base is the floor's cycle in the same mailbox.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from bench.commands import Command, Usage, alternate, ratios, spread
from bench.environment import Environment, SkipError, has_floor
from bench.tables import Bound, print_table
from tests.bed import Bed, bed_directory, missing_programs

MESSAGES = int(os.environ.get("MAILMON_BENCH_MESSAGES", "100000"))
LARGE, EMPTY = "monitor", "u0001"
MAX_WALL, MAILDIR_ROUNDS = 1.5, 3
_MAIL = b"From: Bob <bob@example.org>\nTo: alice@example.com\nSubject: lunch %d?\n\n" + b"At noon, as ever?\n" * 40


def measure(rounds: int) -> list[Bound]:
    """Fill a mailbox, measure in it, convert it, and measure again. Raises SkipError."""
    if missing := missing_programs():
        raise SkipError(f"no mail server to measure with; missing: {', '.join(missing)} (make test-system-deps)")
    directory = bed_directory()
    try:
        with Bed(directory) as bed, tempfile.TemporaryDirectory(prefix="bench-") as files:
            environment = Environment(bed, Path(files))
            _fill(bed, MESSAGES)
            bounds = _in_maildir(environment) if has_floor() else []
            _convert(bed)
            return [*bounds, _in_mdbox(environment, rounds)]
    finally:
        shutil.rmtree(directory)


def _in_maildir(environment: Environment) -> list[Bound]:
    floor, ours = alternate(
        [environment.floor(environment.ports()), _check(environment, LARGE)], MAILDIR_ROUNDS, environment.directory
    )
    _print(f"Maildir, {MESSAGES} messages", {"floor.py": floor, "mailmon check": ours})
    wall = ratios(ours, floor, _wall_s)
    return [Bound(f"Maildir with {MESSAGES} messages, wall, times the floor's in it", wall.median, MAX_WALL)]


def _in_mdbox(environment: Environment, rounds: int) -> Bound:
    empty, large = alternate([_check(environment, EMPTY), _check(environment, LARGE)], rounds, environment.directory)
    _print("mdbox", {"empty mailbox": empty, f"{MESSAGES} messages": large})
    wall = ratios(large, empty, _wall_s)
    return Bound(f"mdbox with {MESSAGES} messages, wall, times that of an empty one", wall.median, MAX_WALL)


def _print(title: str, runs: dict[str, list[Usage]]) -> None:
    rows = [
        (name, spread(mine, _wall_s).show("{:.0f}", 1000), f"{mine[-1].peak_kib / 1024:.1f}")
        for name, mine in runs.items()
    ]
    print_table(f"One cycle: {title}", ("cycle", "wall ms", "peak MiB"), rows)


def _check(environment: Environment, user: str) -> Command:
    monitor = environment.monitor(environment.ports(), to=f"{user}@mail.test")
    monitor.config["accounts"]["main"]["address"] = f"{user}@mail.test"
    monitor.write()
    return environment.check(monitor)


def _fill(bed: Bed, count: int) -> None:
    """Put messages straight into the Maildir, as delivery would."""
    bed.deliver(LARGE, _MAIL % count)  # makes the directory
    inbox = bed.directory / "mail" / LARGE
    owner = inbox.stat()
    for number in range(count - 1):
        path = inbox / "cur" / f"{1700000000 + number}.M{number}.bench:2,S"
        path.write_bytes(_MAIL % number)
        os.chown(path, owner.st_uid, owner.st_gid)


def _convert(bed: Bed) -> None:
    """Let Dovecot keep all mailboxes as mdbox, this one with what is in its Maildir."""
    maildir = bed.directory / "mail" / LARGE
    owner, place = maildir.stat(), bed.directory / "mdbox"
    place.mkdir()
    os.chown(place, owner.st_uid, owner.st_gid)
    configuration = bed.directory / "dovecot.conf"
    text = configuration.read_text()
    configuration.write_text(text.replace(f"maildir:{bed.directory}/mail/%n", f"mdbox:{place}/%n"))
    doveadm = ["doveadm", "-c", str(configuration)]
    for command in (["import", "-u", bed.user, f"maildir:{maildir}", "", "ALL"], ["reload"]):
        subprocess.run([*doveadm, *command], check=True, timeout=300, capture_output=True)


def _wall_s(usage: Usage) -> float:
    return usage.wall_s
