"""Killed at any moment, and two at once: every batch is recorded whole and once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mailmon.errors import MailmonError
from mailmon.model.bounces import BounceFilter
from mailmon.store.bouncelog.log import BounceLog, Reader
from mailmon.store.bouncelog.writing import Folder
from mailmon.store.sqlite.files import UseLock
from tests.store.bouncelog.samples import BOB, INBOX, NOON, RUN, log_file, seen

KILLS = int(os.environ.get("MAILMON_KILLS", "12"))
BATCH = 20
# Goes on from the position, tells each position once it is on the disk, and never ends by itself.
PROGRAM = f"""
import sys
from pathlib import Path
from mailmon.store.bouncelog.log import BounceLog
from tests.store.bouncelog.samples import BOB, FULL, INBOX, NOON, RUN, seen
with BounceLog(Path(sys.argv[1]), NOON) as log:
    assert not log.warnings, log.warnings
    position = log.position("main", "INBOX")
    uid = position.last_uid if position else 0
    while True:
        batch = [seen(number, BOB, FULL) for number in range(uid + 1, uid + {BATCH} + 1)]
        uid += {BATCH}
        log.record(INBOX, uid, batch, RUN)
        print(uid, flush=True)
"""


def recorder(state_file: Path, program: str = PROGRAM) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, str(state_file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip


def test_a_run_that_is_killed_loses_no_batch_and_doubles_none(tmp_path: Path) -> None:
    state_file, moments = tmp_path / "state.json", random.Random(20260301)
    for _ in range(KILLS):
        process = recorder(state_file)
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first, process.communicate()[1]
        time.sleep(moments.random() * 0.1)
        process.send_signal(signal.SIGKILL)
        told = [int(line) for line in (first + process.communicate()[0]).split("\n")[:-1] if line]
        with BounceLog(state_file, NOON) as log:
            assert log.warnings == ()
            position = log.position("main", "INBOX")
        assert position is not None
        assert position.last_uid >= told[-1], "what was told to be recorded is recorded"
        with Reader(state_file, NOON) as reader:
            rows = list(reader.rows(BounceFilter()))
        assert len(rows) == 2 * position.last_uid
        assert len({(row.id, row.address) for row in rows}) == len(rows)


def test_two_processes_that_scan_the_same_folder_record_each_message_once(tmp_path: Path) -> None:
    program = PROGRAM.replace("position.last_uid if position else 0", "0").replace("while True:", "while uid < 400:")
    state_file = tmp_path / "state.json"
    processes = [recorder(state_file, program) for _ in range(2)]
    for process in processes:
        assert process.communicate(timeout=60)[1] == ""
    with Reader(state_file, NOON) as reader:
        assert len(list(reader.rows(BounceFilter()))) == 800


def test_threads_that_scan_an_account_each_record_all(tmp_path: Path) -> None:
    state_file, errors = tmp_path / "state.json", []

    def scan(account: str) -> None:
        try:
            with BounceLog(state_file, NOON) as log:
                for uid in range(1, 31):
                    log.record(Folder(account, "INBOX", 1), uid, [seen(uid, BOB)], RUN)
        except MailmonError as exc:
            errors.append(exc.message)

    threads = [threading.Thread(target=scan, args=(f"account {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with Reader(state_file, NOON) as reader:
        assert len(list(reader.rows(BounceFilter()))) == 120


def test_a_file_that_another_process_uses_is_not_set_aside_under_it(tmp_path: Path) -> None:
    state_file = tmp_path / "state.json"
    with BounceLog(state_file, NOON) as log:
        log.record(INBOX, 300, [seen(uid, BOB) for uid in range(1, 301)], RUN)
    other = UseLock(log_file(state_file))
    assert other.take(alone=False)
    with BounceLog(state_file, NOON) as log:
        log._connection.execute("PRAGMA cache_size = 0")
        with log_file(state_file).open("r+b") as file:
            file.seek(4096)
            file.write(b"\xa5" * 200_000)
        with pytest.raises(MailmonError, match="damaged") as caught:
            log.record(INBOX, 400, [seen(uid, BOB) for uid in range(301, 400)], RUN)
        assert caught.value.advice == "Another process uses it; the next run sets it aside."
    other.release()
    assert not list(tmp_path.glob("*set-aside*"))
