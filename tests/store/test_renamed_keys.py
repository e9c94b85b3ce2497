"""State files, journals and silences of earlier versions, which called keys and steps otherwise."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from mailmon.model import Anchor, CheckState, Health, OutboxEntry, Silence
from mailmon.store import journal
from mailmon.store.keeper import Keeper
from mailmon.store.shared import Shared, read_shared, rest_file
from mailmon.store.silences import read_silences, silences_file, write_silences
from mailmon.store.state import State, from_journal, journal_payload, load, save
from mailmon.typedjson.convert import to_plain
from tests.store.test_state import CHANGE, DOWN, HOUR, NOON, STATE

NETWORK, OLD_NETWORK = "mailmon:network", "mailmon:sight"
OFFLINE = CHANGE._replace(id=NETWORK, names=("all", NETWORK), kind="network")
KNOWN_AGAIN = CHANGE._replace(id="imap_auth:main", ended=Health.UNKNOWN)
ALERT = STATE.outbox[0].alert._replace(changes=(CHANGE, OFFLINE, KNOWN_AGAIN))
NEW = STATE._replace(checks={**STATE.checks, NETWORK: DOWN}, outbox=(OutboxEntry(ALERT, "phone"),))


def with_old_names(state: State) -> dict[str, Any]:
    """Return a state as earlier versions wrote it."""
    document: dict[str, Any] = json.loads(json.dumps(to_plain(state)).replace(NETWORK, OLD_NETWORK))
    for check_state in document["checks"].values():
        check_state["told"] = check_state.pop("announced")
    for entry in document["outbox"]:
        entry["alert"]["flips"] = entry["alert"].pop("changes")
        for change in entry["alert"]["flips"]:
            change["kind"] = "machine" if change["id"] == OLD_NETWORK else change["kind"]
            is_unknown = change.pop("ended") == "unknown"
            change |= {"failed": "failed", "works": "can be checked again" if is_unknown else "recovered"}
    return document


def with_digest(document: dict[str, Any]) -> dict[str, Any]:
    contents = {key: value for key, value in document.items() if key != "schema"}
    digest = hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()
    return {"schema": document["schema"], "digest": digest, **contents}


def test_an_old_state_file_is_read_and_written_with_the_new_names(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    for document in (with_digest(with_old_names(NEW)), with_old_names(NEW)):  # as written, and edited by hand
        path.write_text(json.dumps(document))
        loaded = load(path, NOON)
        assert (loaded.state, loaded.warnings) == (NEW, ())
    save(path, loaded.state)
    text = path.read_text()
    assert not any(f'"{word}"' in text for word in ("told", "flips", OLD_NETWORK))
    assert load(path, NOON).state == NEW


def test_an_old_journal_is_read(tmp_path: Path) -> None:
    payload = json.dumps(with_old_names(NEW)).encode()
    kept = from_journal(payload)
    assert kept is not None
    assert (kept.checks, kept.outbox) == (NEW.checks, NEW.outbox)
    path = tmp_path / "state.json"
    journal.allocate(path, len(payload))
    journal.write(path, journal.Record(8, payload))
    keeper = Keeper(path, NOON, is_dry=False)
    assert (keeper.state.checks, keeper.state.outbox) == (NEW.checks, NEW.outbox)
    keeper.save(outbox=())
    record = journal.read(path)
    assert record is not None
    assert b"told" not in record.payload


def test_old_silences_and_the_rest_of_an_old_common_state_are_read(tmp_path: Path) -> None:
    path, anchor = tmp_path / "state.json", Anchor("boot", 1.0, NOON)
    write_silences(path, [Silence(OLD_NETWORK, NOON, NOON + HOUR)], anchor)
    assert OLD_NETWORK in silences_file(path).read_text()
    assert [silence.name for silence in read_silences(path, anchor)[0]] == [NETWORK]
    rest = {**to_plain(Shared()), "state": with_old_names(NEW)}
    rest_file(path).write_text(json.dumps(rest))
    assert read_shared(path, NOON).state == NEW


def test_an_earlier_version_assumes_that_people_know_what_is_down(tmp_path: Path) -> None:
    """An earlier version knows no `announced`, and takes a state without `told` as one from before silences."""
    path = tmp_path / "state.json"
    save(path, NEW)
    document = json.loads(path.read_bytes())
    assert document["schema"] == "mailmon/state/1"
    written = document["checks"]["smtp_auth:main"]
    assert "told" not in written
    assert (written["health"], written["since"]) == ("down", "2026-03-01T12:00:00Z")
    alert = document["outbox"][0]["alert"]
    assert (alert["title"], alert["body"]) == (ALERT.title, ALERT.body)


def test_a_state_and_a_journal_of_a_later_version_are_set_aside_and_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    later = {**to_plain(NEW), "schema": "mailmon/state/2"}
    path.write_text(json.dumps(later))
    payload = json.dumps(later).encode()
    journal.allocate(path, len(payload))
    journal.write(path, journal.Record(9, payload))
    keeper = Keeper(path, NOON, is_dry=False)
    assert (keeper.state.checks, keeper.state.serial) == ({}, 9)
    assert "its schema is 'mailmon/state/2'" in keeper.warnings[0]
    assert [json.loads(aside.read_text()) for aside in tmp_path.glob("state.json.set-aside-*")] == [later]
    keeper.save(checks={"smtp_auth:main": CheckState(Health.UP, NOON)})
    assert from_journal(journal.read(path).payload) is not None  # type: ignore[union-attr]
    assert journal_payload(keeper.state)
