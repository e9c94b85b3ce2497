"""A run keeps its state, and reports when it cannot."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mailmon.model import CheckState, Health
from mailmon.store.checked import remember_checked, was_checked
from mailmon.store.keeper import Keeper
from mailmon.store.key import make_key, read_key
from mailmon.store.state import peek
from tests.store.test_files import full_disk

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
UP = {"send:main": CheckState(Health.UP, NOON)}
DOCUMENT: dict[str, Any] = {"accounts": {"main": {"address": "monitor@example.org"}}}


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def open_keeper(directory: Path, *, is_dry: bool = False) -> Keeper:
    return Keeper(directory / "state.json", NOON, is_dry=is_dry)


def test_what_is_saved_is_there_for_the_next_run(tmp_path: Path) -> None:
    before = open_keeper(tmp_path)
    before.save(checks=UP)
    assert open_keeper(tmp_path).state == before.state
    assert (before.state.checks, before.state.serial, before.error, before.may_repeat) == (UP, 1, "", False)


def test_every_save_has_a_number_of_its_own(tmp_path: Path) -> None:
    keeper = open_keeper(tmp_path)
    for _ in range(3):
        keeper.save(checks=UP)
    again = open_keeper(tmp_path)
    again.save()
    assert (keeper.state.serial, again.state.serial, peek(tmp_path / "state.json").state.serial) == (3, 4, 4)


def test_the_key_stays_the_same(tmp_path: Path) -> None:
    key = open_keeper(tmp_path).signing_key()
    assert open_keeper(tmp_path).signing_key() == key


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    keeper = open_keeper(tmp_path, is_dry=True)
    keeper.save(checks=UP)
    keeper.remember_checked(DOCUMENT, keeper.signing_key())
    assert (names(tmp_path), keeper.state.checks, keeper.error) == ([], UP, "")


def test_a_full_disk_is_remembered_as_an_error_and_ends_nothing(tmp_path: Path) -> None:
    keeper = open_keeper(tmp_path)
    with full_disk():
        keeper.save(checks=UP)
        assert len(keeper.signing_key()) == 32
    assert "cannot be written" in keeper.error
    assert (keeper.state.checks, keeper.may_repeat) == (UP, True)


def test_a_save_after_a_failed_one_makes_good(tmp_path: Path) -> None:
    keeper = open_keeper(tmp_path)
    with full_disk():
        keeper.save(checks=UP)
    keeper.save(outbox=())
    assert peek(tmp_path / "state.json").state.checks == UP
    assert (keeper.error, keeper.may_repeat) == ("", False)


def test_a_configuration_that_was_checked_is_known_again(tmp_path: Path) -> None:
    remember_checked(tmp_path / "state.json", DOCUMENT, make_key(tmp_path / "state.json"))
    assert was_checked(tmp_path / "state.json", dict(DOCUMENT))


@pytest.mark.parametrize(
    "other", [{}, {"accounts": {"main": {"address": "monitor@example.com"}}}, {**DOCUMENT, "deadline_s": 100}]
)
def test_another_configuration_was_not_checked(tmp_path: Path, other: dict[str, Any]) -> None:
    remember_checked(tmp_path / "state.json", DOCUMENT, make_key(tmp_path / "state.json"))
    assert not was_checked(tmp_path / "state.json", other)


def test_with_another_key_nothing_was_checked(tmp_path: Path) -> None:
    remember_checked(tmp_path / "state.json", DOCUMENT, make_key(tmp_path / "state.json"))
    make_key(tmp_path / "state.json")
    assert not was_checked(tmp_path / "state.json", DOCUMENT)


@pytest.mark.parametrize("content", [b"", b"\xff", b"00" * 32])
def test_a_damaged_note_means_that_nothing_was_checked(tmp_path: Path, content: bytes) -> None:
    make_key(tmp_path / "state.json")
    (tmp_path / "config.checked").write_bytes(content)
    assert not was_checked(tmp_path / "state.json", DOCUMENT)


def test_the_note_holds_nothing_of_the_configuration(tmp_path: Path) -> None:
    remember_checked(tmp_path / "state.json", {"password": "sentinel"}, make_key(tmp_path / "state.json"))
    assert len((tmp_path / "config.checked").read_bytes().strip()) == 64


def test_without_a_state_directory_nothing_was_checked(tmp_path: Path) -> None:
    assert not was_checked(tmp_path / "gone" / "state.json", DOCUMENT)
    assert read_key(tmp_path / "gone" / "state.json") is None


def test_a_state_file_with_the_name_of_the_note_is_not_overwritten(tmp_path: Path) -> None:
    key = make_key(tmp_path / "config.checked")
    remember_checked(tmp_path / "config.checked", DOCUMENT, key)
    assert not (tmp_path / "config.checked").exists()
