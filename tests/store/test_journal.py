"""The journal: what was announced, when the state file cannot be written."""

from __future__ import annotations

import hashlib
import os
import random
import resource
import socket
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailmon.errors import StateError
from mailmon.store.journal import MAX_PAYLOAD_BYTES, MIN_SLOT_BYTES, Record, allocate, read, write
from tests.store.test_files import SERVICE_UID, as_root, mode

OLD, NEW = Record(7, b"what was known " * 3), Record(8, b"what is known now " * 3)
HEADER_BYTES = 70
# Writes records of growing serials for ever; says each one's serial when it is on the disk.
WRITE = """
import random, sys
from pathlib import Path
from mailmon.store.journal import Record, write
serial = int(sys.argv[2])
while True:
    serial += 1
    write(Path(sys.argv[1]), Record(serial, random.Random(serial).randbytes(serial % 40 * 1000)))
    sys.stdout.write(f"{serial}\\n")
    sys.stdout.flush()
"""


def journal(state_file: Path) -> Path:
    return state_file.with_name(f"{state_file.name}.journal")


def noise(length: int, seed: int = 1) -> bytes:
    """Return bytes that zlib cannot pack."""
    return random.Random(seed).randbytes(length)


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    """Return the path of a state file that has a journal."""
    allocate(tmp_path / "state.json", 1000)
    return tmp_path / "state.json"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return the directory of a file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"only root may mount a file system here: {mounted.stderr.decode(errors='replace').strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path) -> None:
    """Leave no free byte."""
    with (disk / "filler").open("wb", buffering=0) as file, suppress(OSError):
        for _ in range(1000):
            file.write(bytes(4096))
    assert os.statvfs(disk).f_bfree == 0


# What was written is there


def test_without_a_journal_there_is_no_record(tmp_path: Path) -> None:
    assert read(tmp_path / "state.json") is None
    assert read(tmp_path / "gone" / "state.json") is None


def test_a_new_journal_holds_no_record(state_file: Path) -> None:
    assert read(state_file) is None


@settings(deadline=None, max_examples=50)
@given(serial=st.integers(0, 2**64 - 1), payload=st.binary(max_size=1000))
def test_a_record_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, serial: int, payload: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "state.json"
    allocate(path, 1000)
    write(path, Record(serial, payload))
    assert read(path) == (serial, payload)


def test_the_record_with_the_greatest_serial_is_read(state_file: Path) -> None:
    for serial in (1, 2, 3, 10, 9, 8, 11, 5):
        write(state_file, Record(serial, b"%d" % serial))
    assert read(state_file) == Record(11, b"11")


def test_of_two_records_with_the_same_serial_the_last_one_is_read(state_file: Path) -> None:
    for number in range(6):
        write(state_file, Record(3, b"%d" % number))
        assert read(state_file) == Record(3, b"%d" % number)


def test_states_beside_each_other_have_journals_of_their_own(tmp_path: Path) -> None:
    for name in ("one.json", "two.json"):
        allocate(tmp_path / name, 10)
        write(tmp_path / name, Record(1, name.encode()))
    assert read(tmp_path / "one.json") == Record(1, b"one.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.json.journal", "two.json.journal"]


def test_a_write_changes_neither_the_size_nor_the_file(state_file: Path) -> None:
    before = journal(state_file).stat()
    for serial in range(5):
        write(state_file, Record(serial, noise(1000)))
    after = journal(state_file).stat()
    assert (after.st_ino, after.st_size, after.st_blocks) == (before.st_ino, before.st_size, before.st_blocks)


# What is torn leaves the other record


def images(directory: Path, first_slot: int) -> tuple[Path, bytes, bytes, int]:
    """Write OLD and NEW; return the state file, the journal before and after NEW, and where NEW's slot begins."""
    path = directory / "state.json"
    allocate(path, 1000)
    for serial in range(first_slot):
        write(path, Record(serial, b"earlier"))
    write(path, OLD)
    before = journal(path).read_bytes()
    write(path, NEW)
    after = journal(path).read_bytes()
    assert before[:HEADER_BYTES] == after[:HEADER_BYTES] or before[MIN_SLOT_BYTES:] == after[MIN_SLOT_BYTES:]
    return path, before, after, 0 if first_slot % 2 else MIN_SLOT_BYTES


@pytest.mark.parametrize("first_slot", [0, 1, 2, 3])
def test_a_write_that_ends_at_any_byte_leaves_the_record_before_it(tmp_path: Path, first_slot: int) -> None:
    path, before, after, start = images(tmp_path, first_slot)
    changed = [place for place in range(len(after)) if before[place] != after[place]]
    assert start < changed[0] < start + HEADER_BYTES < changed[-1] < start + MIN_SLOT_BYTES
    for end in range(start, changed[-1] + 1):
        journal(path).write_bytes(after[:end] + before[end:])
        assert read(path) == OLD
    journal(path).write_bytes(after)
    assert read(path) == NEW


@settings(deadline=None, max_examples=200)
@given(first_slot=st.integers(0, 1), done=st.lists(st.booleans(), min_size=40, max_size=40), step=st.integers(1, 9))
def test_a_write_of_which_any_parts_reached_the_disk_leaves_a_whole_record(
    tmp_path_factory: pytest.TempPathFactory, first_slot: int, done: list[bool], step: int
) -> None:
    path, before, after, start = images(tmp_path_factory.mktemp("torn"), first_slot)
    torn = bytearray(before)
    for number, is_done in enumerate(done):
        part = slice(start + number * step, start + (number + 1) * step)
        torn[part] = after[part] if is_done else before[part]
    journal(path).write_bytes(torn)
    assert read(path) == (NEW if torn == after else OLD)


@settings(deadline=None, max_examples=200)
@given(first_slot=st.integers(0, 1), place=st.integers(0, HEADER_BYTES + 20), damage=st.binary(min_size=1, max_size=9))
def test_damage_anywhere_in_the_newest_record_leaves_the_other_and_the_next_write(
    tmp_path_factory: pytest.TempPathFactory, first_slot: int, place: int, damage: bytes
) -> None:
    path, _, after, start = images(tmp_path_factory.mktemp("damaged"), first_slot)
    damaged = after[: start + place] + damage + after[start + place + len(damage) :]
    journal(path).write_bytes(damaged)
    assert read(path) == (NEW if damaged == after else OLD)
    write(path, Record(9, b"next"))
    assert read(path) == Record(9, b"next")


@settings(deadline=None, max_examples=100)
@given(length=st.integers(0, 2 * MIN_SLOT_BYTES))
def test_a_journal_that_was_cut_off_anywhere_gives_a_record_or_none(
    tmp_path_factory: pytest.TempPathFactory, length: int
) -> None:
    path, _, after, _ = images(tmp_path_factory.mktemp("cut"), 0)
    journal(path).write_bytes(after[:length])
    assert read(path) == (NEW if length == len(after) else OLD if length >= 8192 else None)
    allocate(path, 1000)
    write(path, Record(9, b"next"))
    assert read(path) == Record(9, b"next")


def test_bytes_appended_to_a_journal_are_in_nobodys_way(state_file: Path) -> None:
    for record in (OLD, NEW):
        write(state_file, record)
        with journal(state_file).open("ab") as file:
            file.write(b"\n")
        assert read(state_file) == record


def start_writing(path: Path, serial: int) -> subprocess.Popen[bytes]:
    """Start a process that writes records after this serial, and wait for its first word."""
    process = subprocess.Popen([sys.executable, "-c", WRITE, str(path), str(serial)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


def test_a_kill_at_any_moment_leaves_the_record_that_was_acknowledged_or_a_newer_one(tmp_path: Path) -> None:
    path, moments = tmp_path / "state.json", random.Random(1)
    allocate(path, 40_000)
    last = 0
    for _ in range(30):
        process = start_writing(path, last)
        assert process.stdout is not None
        time.sleep(moments.uniform(0, 0.02))
        process.kill()
        said = process.stdout.read().split(b"\n")[:-1]
        process.stdout.close()
        process.wait()
        record = read(path)
        assert record is not None
        assert record.serial >= int(said[-1] if said else last + 1)
        assert record.payload == noise(record.serial % 40 * 1000, record.serial)
        last = record.serial
    assert last > 30


# Where nothing can be written


def test_a_full_disk_has_room_for_what_people_know(small_disk: Path) -> None:
    allocate(small_disk / "state.json", 8000)
    fill(small_disk)
    for serial in range(4):
        write(small_disk / "state.json", Record(serial, noise(16_000, serial)))
        assert read(small_disk / "state.json") == Record(serial, noise(16_000, serial))


def test_a_journal_that_is_missing_on_a_full_disk_is_told(small_disk: Path) -> None:
    fill(small_disk)
    with pytest.raises(StateError, match=r"state\.json\.journal: cannot be written: No space left"):
        allocate(small_disk / "state.json", 1000)
    assert not journal(small_disk / "state.json").exists()


def test_a_journal_that_cannot_grow_on_a_full_disk_keeps_its_record(small_disk: Path) -> None:
    allocate(small_disk / "state.json", 1000)
    write(small_disk / "state.json", OLD)
    fill(small_disk)
    with pytest.raises(StateError, match="No space left"):
        allocate(small_disk / "state.json", 100_000)
    assert read(small_disk / "state.json") == OLD
    write(small_disk / "state.json", NEW)
    assert read(small_disk / "state.json") == NEW


def test_on_a_full_disk_a_journal_with_a_torn_slot_is_not_made_anew(small_disk: Path) -> None:
    path, before, after, start = images(small_disk, 0)
    fill(small_disk)
    with journal(path).open("r+b", buffering=0) as file:
        file.write(after[: start + 30] + before[start + 30 :])
    allocate(path, 1000)
    assert read(path) == OLD


def test_a_read_only_file_system_is_told_and_its_record_is_read(small_disk: Path) -> None:
    path = small_disk / "state.json"
    allocate(path, 1000)
    write(path, OLD)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StateError, match=r"state\.json\.journal: cannot be written: Read-only file system"):
        write(path, NEW)
    allocate(path, 1000)
    assert read(path) == OLD


def test_a_partial_write_is_reported_and_leaves_the_earlier_record(state_file: Path) -> None:
    write(state_file, OLD)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MIN_SLOT_BYTES + 100, limits[1]))
    try:
        with pytest.raises(StateError, match="cannot be written: only a part of it was taken"):
            write(state_file, Record(8, noise(1000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert read(state_file) == OLD


def test_a_missing_journal_is_told_and_not_made_by_a_write(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"state\.json\.journal: cannot be written: No such file"):
        write(tmp_path / "state.json", OLD)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_directory_is_told(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="No such file"):
        allocate(tmp_path / "gone" / "state.json", 10)


# What does not fit


def test_a_payload_that_does_not_fit_is_told_and_leaves_what_was_there(state_file: Path) -> None:
    write(state_file, OLD)
    before = journal(state_file).read_bytes()
    with pytest.raises(StateError, match=r"cannot be written: \d+ bytes do not fit into 16384"):
        write(state_file, Record(8, noise(MIN_SLOT_BYTES)))
    assert journal(state_file).read_bytes() == before


def test_a_payload_that_could_not_be_read_again_is_not_written(state_file: Path) -> None:
    allocate(state_file, 20_000)
    with pytest.raises(StateError, match="do not fit"):
        write(state_file, Record(1, bytes(MAX_PAYLOAD_BYTES + 1)))
    with pytest.raises(StateError, match="cannot be made"):
        allocate(state_file, MAX_PAYLOAD_BYTES + 1)


@pytest.mark.parametrize("length", [0, 1, 8_000, 16_250, 16_251, 40_000, 1_000_000])
def test_a_payload_of_exactly_the_requested_size_fits_uncompressed(tmp_path: Path, length: int) -> None:
    allocate(tmp_path / "state.json", length)
    for seed in range(3):
        write(tmp_path / "state.json", Record(seed, noise(length, seed)))
        assert read(tmp_path / "state.json") == Record(seed, noise(length, seed))


@pytest.mark.parametrize("length", range(MIN_SLOT_BYTES - 200, MIN_SLOT_BYTES, 3))
def test_a_slot_that_is_just_large_enough_is_large_enough(state_file: Path, length: int) -> None:
    allocate(state_file, length)
    write(state_file, Record(1, noise(length)))
    assert read(state_file) == Record(1, noise(length))


def test_a_payload_that_has_doubled_still_fits(tmp_path: Path) -> None:
    allocate(tmp_path / "state.json", 20_000)
    write(tmp_path / "state.json", Record(1, noise(40_000)))
    assert read(tmp_path / "state.json") == Record(1, noise(40_000))


# How it is made


def test_a_journal_is_made_of_blocks_that_the_disk_has_given(tmp_path: Path) -> None:
    allocate(tmp_path / "state.json", 50_000)
    status = journal(tmp_path / "state.json").stat()
    assert status.st_size >= 200_000
    assert status.st_blocks * 512 >= status.st_size


def test_a_journal_that_is_large_enough_is_left_alone(state_file: Path) -> None:
    write(state_file, OLD)
    before = journal(state_file).stat()
    for payload_bytes in (0, 1000, 2000, 16_000):
        allocate(state_file, payload_bytes)
    assert journal(state_file).stat() == before


def test_a_journal_that_grows_takes_its_record_over(state_file: Path) -> None:
    write(state_file, OLD)
    write(state_file, NEW)
    allocate(state_file, 50_000)
    assert read(state_file) == NEW
    for serial in (9, 10, 11):
        write(state_file, Record(serial, noise(50_000, serial)))
        assert read(state_file) == Record(serial, noise(50_000, serial))
    assert [path.name for path in state_file.parent.iterdir()] == ["state.json.journal"]


def test_a_journal_is_for_its_owner_only(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        allocate(tmp_path / "state.json", 10)
    finally:
        os.umask(umask)
    assert mode(journal(tmp_path / "state.json")) == 0o600


@as_root
def test_a_journal_made_as_root_belongs_to_the_owner_of_its_directory(tmp_path: Path) -> None:
    os.chown(tmp_path, SERVICE_UID, SERVICE_UID)
    for payload_bytes in (10, 50_000):
        allocate(tmp_path / "state.json", payload_bytes)
        write(tmp_path / "state.json", OLD)
        status = journal(tmp_path / "state.json").stat()
        assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (SERVICE_UID, SERVICE_UID, 0o600)


# What is not ours


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"precious", noise(100), noise(50_000), bytes(50_000), b"mailmon journal 2\n" * 3000]
)
def test_a_file_that_is_no_journal_is_not_written_to_but_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.json"
    journal(path).write_bytes(content)
    assert read(path) is None
    with pytest.raises(StateError, match="cannot be written: this is no journal of mailmon"):
        write(path, OLD)
    assert journal(path).read_bytes() == content
    allocate(path, 10)
    write(path, OLD)
    assert read(path) == OLD


@settings(deadline=None, max_examples=300)
@given(head=st.binary(max_size=120), slots=st.integers(0, 5))
def test_a_journal_with_any_bytes_behind_its_magic_holds_no_record(
    tmp_path_factory: pytest.TempPathFactory, head: bytes, slots: int
) -> None:
    path = tmp_path_factory.mktemp("any") / "state.json"
    journal(path).write_bytes((b"mailmon journal 1\n" + head).ljust(4096 * slots, b"\xff"))
    assert read(path) is None


def test_a_slot_whose_payload_cannot_be_unpacked_holds_no_record(state_file: Path) -> None:
    hashed = struct.pack(">QQI", 9, 0, 5) + b"hello"
    with journal(state_file).open("r+b") as file:
        file.write(b"mailmon journal 1\n" + hashlib.sha256(hashed).digest() + hashed)
    assert read(state_file) is None
    write(state_file, OLD)
    assert read(state_file) == OLD


def test_a_slot_that_lies_in_the_place_of_the_other_holds_no_record(state_file: Path) -> None:
    write(state_file, OLD)
    slot = journal(state_file).read_bytes()[:MIN_SLOT_BYTES]
    journal(state_file).write_bytes(bytes(MIN_SLOT_BYTES) + slot)
    assert read(state_file) is None


def plant_link(place: Path) -> None:
    (place.parent / "victim").write_bytes(b"precious")
    place.symlink_to(place.parent / "victim")


def plant_socket(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))


@pytest.mark.parametrize(
    ("plant", "what"),
    [(plant_link, "symbolic link"), (Path.mkdir, "directory"), (os.mkfifo, "pipe"), (plant_socket, "socket")],
    ids=["link", "directory", "pipe", "socket"],
)
def test_what_is_no_file_is_told_by_its_name_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plant: Callable[[Path], object], what: str
) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    path = Path("state.json")
    plant(journal(path))
    before = journal(path).lstat()
    assert read(path) is None
    uses: list[Callable[[], None]] = [partial(write, path, OLD), partial(allocate, path, 10)]
    for use in uses:
        with pytest.raises(StateError) as caught:
            use()
        assert caught.value.message == f"state.json.journal: cannot be written: there is a {what} in its place"
        assert caught.value.advice == "Move it away."
    assert journal(path).lstat() == before
    assert what != "symbolic link" or Path("victim").read_bytes() == b"precious"


def test_a_link_where_the_new_journal_is_written_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / "state.json.journal.tmp").symlink_to(tmp_path / "victim")
    allocate(tmp_path / "state.json", 10)
    assert (tmp_path / "victim").read_bytes() == b"precious"
    assert not journal(tmp_path / "state.json").is_symlink()


def test_a_path_that_can_be_no_file_has_no_record(tmp_path: Path) -> None:
    assert read(tmp_path / "\0") is None
    assert read(Path("/")) is None
