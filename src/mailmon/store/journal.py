"""The journal: which alerts were sent, kept where the state file cannot be written.

A file beside the state file is filled when it is made and overwritten in place ever after: a full disk has room for it.
It has two slots; a record goes to the one that does not hold the newest, so that a crash at any byte leaves one whole.
"""

from __future__ import annotations

import errno
import hashlib
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from mailmon import safe
from mailmon.errors import StateError
from mailmon.store.files import write_atomically

MAX_PAYLOAD_BYTES = 16 * 1024 * 1024
MIN_SLOT_BYTES = 16 * 1024
# A slot begins at a block of its own: what tears that leaves the other slot whole.
_BLOCK_BYTES = 4096
_MAGIC = b"mailmon journal 1\n"
# Magic, SHA-256 of all behind it, serial, sequence (its parity is the slot), bytes of packed payload; then the payload.
_HEADER = struct.Struct(f">{len(_MAGIC)}s32sQQI")
_NUMBERS = struct.Struct(">QQI")


class Record(NamedTuple):
    """What was written. `serial` is of the state that it belongs to, from 0 to 2**64 - 1; the greatest wins."""

    serial: int
    payload: bytes


def read(state_file: Path) -> Record | None:
    """Return the newest whole record, None where there is none. Never raises: a torn or foreign journal has none."""
    with suppress(OSError, ValueError), _opened(_file(state_file), os.O_RDONLY) as (descriptor, slot_bytes):
        return _newest(descriptor, slot_bytes)[0]
    return None


def write(state_file: Path, record: Record) -> None:
    """Overwrite the slot that does not hold the newest record, and sync it; the caller holds the lock.

    Of records with the same serial the last one wins; one with a smaller serial than the newest is never read.
    Raises StateError when it cannot be written or does not fit; the newest record before stays whole.
    """
    path = _file(state_file)
    try:
        with _opened(path, os.O_RDWR) as (descriptor, slot_bytes):
            if not slot_bytes:
                raise StateError(f"{path}: cannot be written: this is no journal of mailmon")
            sequence = _newest(descriptor, slot_bytes)[1] + 1
            packed = _packed(record, sequence)
            if len(packed) > slot_bytes or len(record.payload) > MAX_PAYLOAD_BYTES:
                raise StateError(f"{path}: cannot be written: {len(packed)} bytes do not fit into {slot_bytes}")
            # A killed run may have left the newest record unsynced: it must be on the disk before the older one goes.
            os.fdatasync(descriptor)
            if os.pwrite(descriptor, packed, sequence % 2 * slot_bytes) < len(packed):
                raise OSError(errno.EIO, "only a part of it was taken")
            os.fdatasync(descriptor)
    except OSError as exc:
        raise _error(path, exc) from exc


def allocate(state_file: Path, payload_bytes: int) -> None:
    """Make sure that the journal exists and has room for payloads of so many bytes. Raises StateError.

    Twice that is reserved. A new journal takes the newest record over; a regular file that is no journal is replaced.
    """
    path, carried = _file(state_file), None
    if payload_bytes > MAX_PAYLOAD_BYTES:
        raise StateError(f"{path}: cannot be made: {payload_bytes} bytes are more than {MAX_PAYLOAD_BYTES}")
    try:
        with suppress(FileNotFoundError), _opened(path, os.O_RDONLY) as (descriptor, slot_bytes):
            if slot_bytes >= _room_for(payload_bytes):
                return
            carried, _ = _newest(descriptor, slot_bytes)
    except OSError as exc:
        raise _error(path, exc) from exc
    size = -(-max(MIN_SLOT_BYTES, _room_for(2 * payload_bytes)) // _BLOCK_BYTES) * _BLOCK_BYTES
    slots = (_packed(carried, 0) if carried else _MAGIC, _MAGIC)
    write_atomically(path, b"".join(slot.ljust(size, b"\0") for slot in slots))


def _file(state_file: Path) -> Path:
    return state_file.with_name(f"{state_file.name}.journal")


@contextmanager
def _opened(path: Path, access: int) -> Iterator[tuple[int, int]]:
    """Yield the descriptor and the bytes of a slot, 0 where the file is no journal."""
    descriptor = safe.open_regular(path, access)
    try:
        status = os.fstat(descriptor)
        size = status.st_size // 2 // _BLOCK_BYTES * _BLOCK_BYTES
        # One magic is enough: the other may be damaged, and a new journal would need room on the disk.
        is_ours = any(os.pread(descriptor, len(_MAGIC), place) == _MAGIC for place in (0, size))
        yield descriptor, size if is_ours else 0
    finally:
        os.close(descriptor)


def _newest(descriptor: int, slot_bytes: int) -> tuple[Record | None, int]:
    """Return the newest whole record and its sequence, -1 where there is none."""
    return max(_whole(descriptor, slot_bytes), key=lambda found: (found[0].serial, found[1]), default=(None, -1))


def _whole(descriptor: int, slot_bytes: int) -> Iterator[tuple[Record, int]]:
    room = min(slot_bytes, _room_for(MAX_PAYLOAD_BYTES)) - _HEADER.size
    for slot in (0, 1):
        header = os.pread(descriptor, _HEADER.size, slot * slot_bytes).ljust(_HEADER.size)
        magic, digest, serial, sequence, length = _HEADER.unpack(header)
        if magic != _MAGIC or sequence % 2 != slot or length > room:
            continue
        packed = os.pread(descriptor, length, slot * slot_bytes + _HEADER.size)
        if hashlib.sha256(header[-_NUMBERS.size :] + packed).digest() == digest:
            import zlib

            with suppress(zlib.error):
                yield Record(serial, zlib.decompressobj().decompress(packed, MAX_PAYLOAD_BYTES)), sequence


def _packed(record: Record, sequence: int) -> bytes:
    import zlib

    packed = zlib.compress(record.payload)
    hashed = _NUMBERS.pack(record.serial, sequence, len(packed)) + packed
    return _MAGIC + hashlib.sha256(hashed).digest() + hashed


def _room_for(payload_bytes: int) -> int:
    """Return the bytes of a slot that holds such a payload though it does not shrink."""
    return _HEADER.size + payload_bytes + payload_bytes // 1000 + 64


def _error(path: Path, exc: OSError) -> StateError:
    if isinstance(exc, safe.NotRegularError):
        return StateError(f"{path}: cannot be written: there is a {exc.what} in its place", "Move it away.")
    return StateError(f"{path}: cannot be written: {exc.strerror}", "Set state_file to a place that can be written.")
