"""Small files are never torn, never readable by others, and owned as their directory is."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailmon.errors import StateError
from mailmon.store.files import make_directory, write_atomically
from mailmon.store.key import KEY_BYTES, make_key, read_key

SERVICE_UID = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@contextmanager
def full_disk() -> Iterator[None]:
    """Let every write to a file fail, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_written_for_its_owner_only(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        write_atomically(tmp_path / "state.json", b"{}")
    finally:
        os.umask(umask)
    assert mode(tmp_path / "state.json") == 0o600


def test_nothing_but_the_file_is_left(tmp_path: Path) -> None:
    write_atomically(tmp_path / "state.json", b"one")
    write_atomically(tmp_path / "state.json", b"two")
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
    assert (tmp_path / "state.json").read_bytes() == b"two"


def test_what_a_killed_run_left_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "state.json.tmp").write_bytes(b"{half")
    write_atomically(tmp_path / "state.json", b"{}")
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_a_planted_link_does_not_redirect_what_is_written(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / "state.json.tmp").symlink_to(victim)
    write_atomically(tmp_path / "state.json", b"{}")
    assert victim.read_bytes() == b"precious"
    assert not (tmp_path / "state.json").is_symlink()


def test_a_full_disk_leaves_the_old_file_whole(tmp_path: Path) -> None:
    write_atomically(tmp_path / "state.json", b"old")
    with full_disk(), pytest.raises(StateError, match=r"state\.json: cannot be written: "):
        write_atomically(tmp_path / "state.json", b"new")
    assert (tmp_path / "state.json").read_bytes() == b"old"


def test_a_missing_directory_is_told_with_its_place_and_advice(tmp_path: Path) -> None:
    with pytest.raises(StateError) as caught:
        write_atomically(tmp_path / "gone" / "state.json", b"{}")
    assert caught.value.message == f"{tmp_path}/gone/state.json: cannot be written: No such file or directory"
    assert caught.value.advice == "Set state_file to a place that can be written."


def test_a_directory_is_made_for_its_owner_only(tmp_path: Path) -> None:
    make_directory(tmp_path / "new")
    make_directory(tmp_path / "new")
    assert mode(tmp_path / "new") == 0o700


def test_a_file_where_the_directory_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match="cannot be made"):
        make_directory(tmp_path / "file")


@as_root
def test_a_file_written_as_root_belongs_to_the_owner_of_its_directory(tmp_path: Path) -> None:
    os.chown(tmp_path, SERVICE_UID, SERVICE_UID)
    write_atomically(tmp_path / "state.json", b"{}")
    status = (tmp_path / "state.json").stat()
    assert (status.st_uid, status.st_gid) == (SERVICE_UID, SERVICE_UID)


@as_root
def test_a_directory_made_as_root_belongs_to_the_owner_of_the_one_around_it(tmp_path: Path) -> None:
    os.chown(tmp_path, SERVICE_UID, SERVICE_UID)
    make_directory(tmp_path / "mailmon")
    assert (tmp_path / "mailmon").stat().st_uid == SERVICE_UID


def test_there_is_no_key_at_first(tmp_path: Path) -> None:
    assert read_key(tmp_path / "state.json") is None


def test_a_key_is_kept_from_run_to_run_for_its_owner_only(tmp_path: Path) -> None:
    key = make_key(tmp_path / "state.json")
    assert len(key) == KEY_BYTES
    assert read_key(tmp_path / "state.json") == key
    assert mode(tmp_path / "probe.key") == 0o600


def test_two_keys_are_never_the_same(tmp_path: Path) -> None:
    assert make_key(tmp_path / "state.json") != make_key(tmp_path / "state.json")


@pytest.mark.parametrize("content", [b"", b"abc", b"zz" * 32, b"00" * 31, b"00" * 33, b"\xff\x00", b"00 " * 31])
def test_a_damaged_key_counts_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "probe.key").write_bytes(content)
    assert read_key(tmp_path / "state.json") is None


def test_a_key_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "probe.key").mkdir()
    with pytest.raises(StateError, match=r"probe\.key: cannot be read: Is a directory"):
        read_key(tmp_path / "state.json")


def test_a_state_file_with_the_name_of_the_key_does_not_overwrite_it(tmp_path: Path) -> None:
    key = make_key(tmp_path / "probe.key")
    assert not (tmp_path / "probe.key").exists()
    assert read_key(tmp_path / "probe.key") == key
