"""A record of bounces that several configurations shared: each has its own accounts, and no notice is sent twice."""

from __future__ import annotations

from pathlib import Path

from mailmon.mail.probe.probe import SigningKey, read_marks
from mailmon.mail.probe.probe import compose as compose_probe
from mailmon.model import Probe
from mailmon.store.bouncelog.heirs import hand_down
from mailmon.store.bouncelog.log import BounceLog, Reader
from mailmon.store.bouncelog.writing import Folder
from mailmon.store.key import hand_down as hand_down_key
from mailmon.store.key import make_key, read_key, read_signing_key
from tests.store.bouncelog.samples import BOB, NOON, RUN, log_file, seen

OFFICE, CUSTOMER = Folder("office", "INBOX", 7), Folder("customer", "Bounces", 8)


def old_state(directory: Path) -> Path:
    """Make a record of two accounts with a notice each that waits."""
    shared = directory / "old" / "state.json"
    with BounceLog(shared, NOON) as log:
        for folder in (OFFICE, CUSTOMER):
            log.record(folder, 3, [seen(3, BOB, raw=folder.account)], RUN, {3: ["boss@example.net"]})
    return shared


def test_each_account_continues_where_it_was_and_its_notice_waits_only_once(tmp_path: Path) -> None:
    shared, own = old_state(tmp_path), tmp_path / "own" / "state.json"
    own.parent.mkdir()
    for _ in range(2):  # it may have been interrupted
        hand_down(shared, own, ["office"], NOON)
    with BounceLog(own, NOON) as log:
        position = log.position("office", "INBOX")
        assert position is not None
        assert position.last_uid == 3
        assert log.position("customer", "Bounces") is None
        assert len(log.notices_due(NOON, 10)) == 1
    with BounceLog(shared, NOON) as log:
        assert len(log.notices_due(NOON, 10)) == 1
    with Reader(shared, NOON) as reader:
        assert sorted(notice.status for notice in reader.notices(10)) == ["dead", "waiting"]
    assert (own.parent / "bounces.sqlite").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in own.parent.iterdir() if path.name.endswith(".tmp")) == []


def test_logs_of_the_earlier_name_are_found_on_both_sides(tmp_path: Path) -> None:
    shared, own = old_state(tmp_path), tmp_path / "own" / "state.json"
    own.parent.mkdir()
    log_file(shared).rename(shared.with_name("history.sqlite"))
    hand_down(shared, own, ["office"], NOON)
    assert log_file(shared).exists()
    log_file(own).rename(own.with_name("history.sqlite"))
    hand_down(shared, own, ["customer"], NOON)  # what was interrupted goes on with the copy that is there
    with BounceLog(own, NOON) as log:
        assert log.warnings == ()
        assert (log.position("office", "INBOX") is None, log.position("customer", "Bounces")) == (False, None)


def test_where_there_is_no_record_none_is_made(tmp_path: Path) -> None:
    hand_down(tmp_path / "state.json", tmp_path / "own.json", ["office"], NOON)
    assert list(tmp_path.iterdir()) == []


def test_an_old_key_counts_for_the_probes_that_were_taken_over_and_for_no_other(tmp_path: Path) -> None:
    old, own = tmp_path / "old" / "state.json", tmp_path / "own" / "state.json"
    for state_file in (old, own):
        state_file.parent.mkdir()
    earlier = make_key(old)
    ours, theirs = (Probe(f"mm{digit * 32}", "main", "m@example.org", "m@example.org", "main", NOON) for digit in "12")
    hand_down_key(old, own, NOON)
    key = read_signing_key(own, [ours])
    assert isinstance(key, SigningKey)
    assert read_key(own) == bytes(key) != earlier
    signed = {probe: read_marks(compose_probe(probe, earlier, "1"), key) for probe in (ours, theirs)}
    assert (signed[ours].is_signed, signed[ours].seal.value) == (True, "good")
    assert not signed[theirs].is_signed
    fresh = ours._replace(token="mm" + "3" * 32)
    assert read_marks(compose_probe(fresh, key, "1"), key).is_signed
    assert not read_marks(compose_probe(fresh, key, "1"), earlier).is_signed
