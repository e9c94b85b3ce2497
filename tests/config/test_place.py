"""The place of the state file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from mailmon.config.place import as_given, place_of
from mailmon.store.belonging import Place, settle
from tests.config.samples import FULL, set_up

ACCOUNT = {"accounts": {"main": {"address": "m@example.org", "imap": {"host": "imap.example.org"}}}}
OTHER = {"accounts": {"main": {"address": "n@example.org", "imap": {"host": "imap.example.org"}}}}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a user."""
    return {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}


def place(environ: dict[str, str], file: str | Path | None, full: dict[str, Any] | None = None) -> Path:
    """Return where the state is."""
    return place_of(full or {}, Path(file) if file else None, environ).state_file


def run_with(environ: dict[str, str], file: str | Path, full: dict[str, Any]) -> Path:
    """Do what the first run of a configuration does, and return where its state is."""
    found = place_of(full, Path(file), environ)
    found.state_file.parent.mkdir(parents=True, exist_ok=True)
    assert settle(found)
    return found.state_file


@pytest.mark.parametrize(
    ("state_file", "more", "expected"),
    [
        (None, {}, "{home}/.local/state/mailmon/state.json"),
        (None, {"XDG_STATE_HOME": "/xdg"}, "/xdg/mailmon/state.json"),
        (None, {"XDG_STATE_HOME": "/xdg", "STATE_DIRECTORY": "/var/lib/mailmon"}, "/var/lib/mailmon/state.json"),
        (None, {"STATE_DIRECTORY": "/var/lib/a:/var/lib/b"}, "/var/lib/a/state.json"),
        ("/srv/s.json", {"STATE_DIRECTORY": "/var/lib/mailmon"}, "/srv/s.json"),
        ("s.json", {}, "{home}/.config/mailmon/s.json"),
    ],
)
def test_the_state_of_the_default_configuration_has_its_usual_places(
    tmp_path: Path, state_file: str | None, more: dict[str, str], expected: str
) -> None:
    directory = tmp_path / ".config" / "mailmon"
    directory.mkdir(parents=True)
    document = {**FULL, **({"state_file": state_file} if state_file else {})}
    setup = set_up(directory, document, environ={"HOME": str(tmp_path), **more})
    assert str(setup.state_file) == expected.format(home=tmp_path)


def test_the_default_files_and_no_file_at_all_have_the_old_place(environ: dict[str, str], tmp_path: Path) -> None:
    old = tmp_path / "state" / "mailmon" / "state.json"
    for file in ("/etc/mailmon/config.json", tmp_path / ".config/mailmon/config.json", None):
        assert place(environ, file) == old
    environ["XDG_CONFIG_HOME"] = str(tmp_path / "cfg")
    assert place(environ, tmp_path / "cfg/mailmon/config.json") == old
    assert place(environ, tmp_path / ".config/mailmon/config.json") != old


def test_another_file_has_a_directory_of_its_own_that_bears_its_name(environ: dict[str, str], tmp_path: Path) -> None:
    one, two = (place(environ, f"/srv/{name}/office.json") for name in ("one", "two"))
    assert one != two
    for state_file in (one, two):
        assert state_file.name == "state.json"
        assert state_file.parent.parent == tmp_path / "state" / "mailmon"
        assert state_file.parent.name.startswith("office-")
    assert place(environ, "/srv/one/office.json") == one


@pytest.mark.parametrize("file", ["/srv/é\x1b[0m/..x.json", "/srv/" + "x" * 240 + ".json", "/srv/.json", "/srv/a b"])
def test_an_odd_name_makes_a_plain_directory(environ: dict[str, str], file: str) -> None:
    name = place(environ, file).parent.name
    assert name.isascii()
    assert name.replace("-", "").replace("_", "").replace(".", "").isalnum()
    assert len(name) < 60


def test_two_default_files_do_not_share_a_state(environ: dict[str, str], tmp_path: Path) -> None:
    files = [tmp_path / name / "mailmon/config.json" for name in ("a", "b")]
    found = []
    for file in files:
        file.parent.mkdir(parents=True)
        file.touch()
        found.append(run_with({**environ, "XDG_CONFIG_HOME": str(file.parent.parent)}, file, ACCOUNT))
    assert found[0] == tmp_path / "state" / "mailmon" / "state.json"
    assert found[0] != found[1]
    again = [place({**environ, "XDG_CONFIG_HOME": str(file.parent.parent)}, file) for file in files]
    assert again == found


def test_a_default_file_follows_a_home_that_was_moved(environ: dict[str, str], tmp_path: Path) -> None:
    old, new = ({**environ, "XDG_CONFIG_HOME": str(tmp_path / name)} for name in ("old", "new"))
    assert run_with(old, tmp_path / "old/mailmon/config.json", ACCOUNT) == place(
        new, tmp_path / "new/mailmon/config.json", ACCOUNT
    )


def test_links_are_not_followed(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to("target.json")
    (tmp_path / "target.json").touch()
    before = place(environ, tmp_path / "link.json")
    assert before != place(environ, tmp_path / "target.json")
    (tmp_path / "link.json").unlink()
    (tmp_path / "link.json").symlink_to("elsewhere.json")
    assert place(environ, tmp_path / "link.json") == before


def test_a_relative_path_is_the_absolute_one(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.json").touch()
    (tmp_path / "dir").mkdir()
    monkeypatch.chdir(tmp_path)
    for text in ("a.json", "./a.json", "dir/../a.json", f"{tmp_path}//a.json", f"/{tmp_path}/a.json"):
        assert as_given(Path(text), environ) == str(tmp_path / "a.json")
        assert as_given(Path(text), {"PWD": "/"}) == str(tmp_path / "a.json")


def test_dots_behind_a_link_lead_where_the_kernel_goes(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "far/away").mkdir(parents=True)
    (tmp_path / "far/a.json").touch()
    (tmp_path / "a.json").write_text("another one")
    (tmp_path / "near").symlink_to("far/away")
    monkeypatch.chdir(tmp_path / "near")
    assert as_given(Path("../a.json"), {"PWD": str(tmp_path / "near")}) == str(tmp_path / "far/a.json")
    assert os.path.samefile(as_given(tmp_path / "near/../a.json", environ), tmp_path / "far/a.json")


@pytest.mark.parametrize("store", ["/nix/store", "/gnu/store", "/mnt/nix/store"])
@pytest.mark.parametrize(
    "entry",
    ["{}-mailmon.json", "{}-etc/mailmon/office.json", "{}-mailmon-config-1.{}/config.json", "{}-office-{}.json"],
)
def test_the_hash_and_the_version_of_a_store_path_do_not_count(environ: dict[str, str], store: str, entry: str) -> None:
    first, second = (run_with(environ, f"{store}/{entry.format(c * 32, n)}", ACCOUNT) for c, n in (("a", 1), ("b", 2)))
    assert first == second


def test_a_name_that_only_looks_like_a_store_path_counts_whole(environ: dict[str, str]) -> None:
    assert place(environ, "/srv/store/aaa-x.json") != place(environ, "/srv/store/bbb-x.json")
    assert place(environ, "/nix/store/x.json") != place(environ, "/nix/store/y.json")


def test_two_files_of_one_name_in_a_store_are_told_apart_by_what_they_watch(
    environ: dict[str, str], tmp_path: Path
) -> None:
    store = tmp_path / "nix/store"
    store.mkdir(parents=True)
    paths = {name: store / f"{name * 32}-config.json" for name in "abcde"}
    for path in paths.values():
        path.touch()
    one, other = (run_with(environ, paths[name], full) for name, full in (("a", ACCOUNT), ("b", OTHER)))
    assert one != other
    assert run_with(environ, paths["c"], ACCOUNT) == one
    assert run_with(environ, paths["d"], OTHER) == other
    # What was rebuilt and watches something else now: the file before it is gone.
    paths["c"].unlink()
    assert run_with(environ, paths["e"], {"accounts": {"main": {"address": "x", "smtp": {"host": "y"}}}}) == one


def test_a_state_in_an_explicit_place_is_nobodys_to_take_over() -> None:
    assert place_of({"state_file": "x"}, Path("/etc/mailmon/config.json"), {}) == Place(Path("/etc/mailmon/x"))
