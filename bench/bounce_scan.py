"""Speed and memory of scanning a large folder of bounces, and the cost of a scan with nothing new."""

from __future__ import annotations

import contextlib
import imaplib
import json
import os
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

from bench.commands import Command, Spread, run
from bench.environment import Environment
from bench.tables import Bound, print_table
from tests.mail.bounce.letters import LETTERS
from tests.mail.samples import FOREIGN_KEY, dsn, headers

MESSAGES = int(os.environ.get("MAILMON_BENCH_MESSAGES", "100000"))
FOLDER = "Flood"
MOST_MIB, LEAST_A_SECOND, MOST_QUIET = 120.0, 1000.0, 1.2
_FIELDS = (
    "Reporting-MTA: dns; mail.example.org\n\nFinal-Recipient: rfc822; u%d@example.org\nAction: failed\nStatus: 5.1.1\n"
)
_OTHER = "From: Bob <bob@example.org>\nTo: alice@example.com\nSubject: lunch %d?\n\n" + "At noon, as ever?\n" * 40


def measure(environment: Environment, rounds: int) -> list[Bound]:
    """Fill a folder, scan it once, then scan it with nothing new beside a plain login, select and logout."""
    size_bytes = _fill(environment, MESSAGES)
    monitor = environment.monitor(environment.ports())
    monitor.config["accounts"]["main"]["bounces"] = {"folder": FOLDER}
    monitor.write()
    scan = Command(monitor.command("bounces", "scan", "--json"), environment.environ)
    first = run(scan, environment.directory)
    (row,) = json.loads(first.stdout)["accounts"]
    assert row["new"] == MESSAGES, row
    quiet, plain = [], []
    for number in range(rounds + 1):
        (again,) = json.loads(run(scan, environment.directory).stdout)["accounts"]
        assert again["new"] == 0, again
        plain_s = _plain_s(environment)
        if number:
            quiet.append(again["duration_s"])
            plain.append(plain_s)
    ratio = Spread.of([one / other for one, other in zip(quiet, plain, strict=True)])
    rate = MESSAGES / row["duration_s"]
    print_table(
        f"{MESSAGES} messages of {size_bytes} bytes on average",
        ("scan", "duration s", "messages/s", "peak MiB"),
        (
            ("first", f"{row['duration_s']:.1f}", f"{rate:.0f}", f"{first.peak_kib / 1024:.1f}"),
            ("nothing new", Spread.of(quiet).show("{:.4f}"), "", ""),
            ("plain login, select, logout", Spread.of(plain).show("{:.4f}"), "", ""),
        ),
    )
    return [
        Bound("first scan, ms a message", 1000 / rate, 1000 / LEAST_A_SECOND, "{:.2f} ms"),
        Bound("first scan, peak memory", first.peak_kib / 1024, MOST_MIB, "{:.1f} MiB"),
        Bound("nothing new, to login, select, logout", ratio.median, MOST_QUIET),
    ]


def _fill(environment: Environment, count: int) -> int:
    """Put messages straight into the mail directory, as delivery would; return their mean size in bytes."""
    with _session(environment) as imap:
        imap.create(FOLDER)
    inbox = environment.bed.directory / "mail" / "monitor"
    folder = inbox / f".{FOLDER}" / "cur"
    owner = inbox.stat()
    total_bytes = 0
    for number in range(count):
        raw = _message(number)
        total_bytes += len(raw)
        path = folder / f"{1700000000 + number}.M{number}.bench:2,"
        path.write_bytes(raw)
        os.chown(path, owner.st_uid, owner.st_gid)
    with _session(environment) as imap:  # the server reads its directory before anything is measured
        imap.select(FOLDER, readonly=True)
    return total_bytes // max(count, 1)


def _message(number: int) -> bytes:
    """Return one of ten messages: five notifications with fields, four in words only, one that is none."""
    if number % 10 < 5:
        return dsn(_FIELDS % number, returned=headers(key=FOREIGN_KEY).replace(b"X-Mailmon", b"X-Other"))
    if number % 10 < 9:
        return LETTERS[number // 10 % len(LETTERS)].raw + b"No. %d\n" % number
    return (_OTHER % number).encode()


def _plain_s(environment: Environment) -> float:
    started_s = time.perf_counter()
    with _session(environment) as imap:
        imap.select(FOLDER, readonly=True)
    return time.perf_counter() - started_s


@contextlib.contextmanager
def _session(environment: Environment) -> Iterator[imaplib.IMAP4_SSL]:
    context = ssl.create_default_context(cafile=Path(environment.ca_bundle))
    imap = imaplib.IMAP4_SSL(environment.bed.host, environment.bed.ports["imaps"], ssl_context=context, timeout=120)
    imap.login(environment.bed.user, environment.bed.password)
    try:
        yield imap
    finally:
        imap.logout()
