"""Opened files are regular, have one name, and are reached through nobody else's links."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailmon import safe

OTHER = 4321
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory of this user's below /tmp, where others have their own things."""
    directory = Path(tempfile.mkdtemp(prefix="mailmon-safe-"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


def opened(path: Path, access: int = os.O_RDONLY, mode: int | None = None) -> int:
    descriptor = safe.open_regular(path, access, mode)
    os.close(descriptor)
    return descriptor


def plant_link(path: Path) -> None:
    path.with_name("victim").write_bytes(b"precious")
    path.symlink_to("victim")


def plant_zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize(
    ("plant", "what"),
    [(Path.mkdir, "directory"), (os.mkfifo, "pipe"), (plant_link, "symbolic link"), (plant_zero, "symbolic link")],
)
@pytest.mark.parametrize("access", [os.O_RDONLY, os.O_RDWR])
def test_what_is_no_file_is_named_and_left_alone(
    place: Path, plant: Callable[[Path], object], what: str, access: int
) -> None:
    plant(place / "file")
    before = (place / "file").lstat()
    with pytest.raises(safe.NotRegularError) as caught:
        opened(place / "file", access, 0o600)
    assert caught.value.what == what
    assert (place / "file").lstat() == before


def test_a_file_with_a_second_name_is_not_written(place: Path) -> None:
    (place / "victim").write_bytes(b"precious")
    os.link(place / "victim", place / "file")
    with pytest.raises(OSError, match="hard link"):
        opened(place / "file", os.O_RDWR, 0o600)
    assert opened(place / "file")


def test_a_missing_file_is_made_only_where_that_is_asked_for(place: Path) -> None:
    with pytest.raises(FileNotFoundError):
        opened(place / "file", os.O_RDWR)
    opened(place / "file", os.O_RDWR, 0o640)
    assert stat.S_IMODE((place / "file").stat().st_mode) == 0o640


@pytest.mark.parametrize("read", [safe.read_regular, safe.read_file])
def test_no_more_than_the_limit_and_one_byte_is_read(place: Path, read: Callable[[Path, int], bytes]) -> None:
    (place / "file").write_bytes(b"x" * 5000)
    assert len(read(place / "file", 100)) == 101
    assert read(place / "file", 5000) == b"x" * 5000


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/dev", "/proc/self/fd"])
def test_a_device_or_a_directory_is_not_read(path: str) -> None:
    with pytest.raises(safe.NotRegularError):
        safe.read_regular(path, 100)


def test_a_path_of_the_users_own_is_nobody_elses(place: Path) -> None:
    (place / "file").touch()
    trusted = {0, os.geteuid()}
    opened = safe.open_checked(place / "file", trusted)
    os.close(opened.descriptor)
    assert (opened.others, opened.owner) == (None, os.geteuid())


def others_of(path: Path) -> tuple[int | None, str]:
    way = safe.follow(path, safe.ROOT)
    os.close(way.directory)
    return way.others, way.place


@as_root
def test_a_directory_of_another_user_on_the_way_is_found_wherever_it_is(place: Path) -> None:
    (place / "theirs/ours/file").parent.mkdir(parents=True)
    (place / "theirs/ours/file").touch()
    os.chown(place / "theirs", OTHER, OTHER)
    (place / "link").symlink_to("theirs/ours")
    for path in ("theirs/ours/file", "link/file", "theirs/../theirs/ours/file"):
        assert others_of(place / path) == (OTHER, str(place / "theirs"))
        assert safe.controller(place / path) == OTHER
    assert others_of(place / "theirs") == (None, "")
    assert safe.controller(place / "theirs/gone/file") == OTHER
    assert safe.controller(place / "gone/file") == 0


@as_root
@pytest.mark.parametrize(
    ("mode", "group", "others"),
    [
        (0o777, 0, safe.ANYBODY),
        (0o775, 65534, safe.ANYBODY),
        (0o775, 0, None),
        (0o1775, 65534, None),
        (0o1777, 0, None),
    ],
)
def test_where_others_may_write_only_the_sticky_bit_makes_a_directory_safe(
    place: Path, mode: int, group: int, others: int | None
) -> None:
    (place / "file").touch()
    os.chown(place, 0, group)
    place.chmod(mode)
    assert others_of(place / "file") == (others, str(place) if others is not None else "")
    os.chown(place / "file", OTHER, OTHER)
    assert others_of(place / "file") == (
        OTHER if mode & 0o022 and others_may(mode, group) else None,
        str(place) if others_may(mode, group) else "",
    )


def others_may(mode: int, group: int) -> bool:
    return bool(mode & 0o002 or (mode & 0o020 and group))


@as_root
def test_root_follows_no_link_that_another_user_may_have_put_there(place: Path) -> None:
    (place / "theirs").mkdir()
    (place / "theirs/state").symlink_to("/etc")
    os.chown(place / "theirs", OTHER, OTHER)
    with pytest.raises(safe.NotRegularError):
        safe.open_directory(place / "theirs/state")
    (place / "ours").symlink_to("theirs")
    os.close(safe.open_directory(place / "ours"))


@as_root
def test_root_gives_new_files_to_the_directorys_owner_and_spares_root_owned_ones(
    place: Path,
) -> None:
    """It could be a second name, however briefly, of a file of root's elsewhere."""
    (place / "old").touch()
    os.chown(place, OTHER, OTHER)
    opened(place / "new", os.O_RDWR, 0o600)
    assert (place / "new").stat().st_uid == OTHER
    with pytest.raises(PermissionError, match="does not belong to the owner of its directory"):
        safe.open_regular(place / "old", os.O_RDWR, 0o600)


def test_a_ring_of_links_ends(place: Path) -> None:
    (place / "a").symlink_to("b")
    (place / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic link"):
        safe.follow(place / "a" / "file", safe.ROOT)


@as_root
def test_who_may_read_a_file_is_told_with_its_mode_and_the_command_to_use(place: Path) -> None:
    path = place / "secret"
    path.write_text("x")
    path.chmod(0o640)
    os.chown(path, OTHER, 0)
    said = safe.who_may_read(path)
    assert said.startswith(
        f"It belongs to {OTHER}:root with mode 0640, and this runs as root: run as {OTHER} (sudo -u "
    )
    assert safe.who_may_read(place / "gone") == ""


def test_a_file_that_its_owner_may_not_read_is_for_the_owner_to_open(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.touch(0o000)
    assert safe.who_may_read(path) == f"It has mode 0000, which keeps its owner out: chmod u+r {path}"
