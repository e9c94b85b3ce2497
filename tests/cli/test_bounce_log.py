"""`mailmon bounces list`, `show` and `summary`: what is shown, to whom, and what goes wrong."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from mailmon.cli.bounces.filters import instant
from mailmon.errors import MailmonError
from mailmon.store.bouncelog.log import BounceLog
from tests.cli.bounce_commands import NOW, BounceCommands, commands, no_bounces
from tests.store.bouncelog.samples import BOB, HOUR, INBOX, RUN, log_file, seen

__all__ = ["commands", "no_bounces"]


def test_before_the_first_scan_there_is_nothing_and_nothing_is_made(no_bounces: BounceCommands) -> None:
    assert no_bounces.run("list").output == "no bounces logged\n"
    assert no_bounces.document("list") == {"schema": "mailmon/bounces/1", "bounces": []}
    assert no_bounces.document("summary")["recipients"]["count"] == 0
    assert no_bounces.run("export").output.count("\n") == 1
    assert [path.name for path in no_bounces.directory.iterdir()] == ["config.json"]


def test_the_list_has_a_line_for_each_recipient_the_latest_last(commands: BounceCommands) -> None:
    lines = commands.run("list").output.splitlines()
    when = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}"
    patterns = [
        rf"{when}\t#5\thard\t5\.1\.1\tuserunknown\tbob@example\.org\tsmtp; 550 .*",
        rf"{when}\t#3\tfeedback\t-\t-\t\(no address\)",
        rf"{when}\t#2\tdelayed\t4\.4\.1\tnetworkerror\tdave@example\.org",
        rf"{when}\t#1\thard\t5\.1\.1\tuserunknown\tbob@example\.org\tsmtp; 550 5\.1\.1 .*",
        rf"{when}\t#1\tsoft\t4\.2\.2\tmailboxfull\tcarol@example\.com\t452 4\.2\.2 full",
    ]
    for pattern, line in zip(patterns, lines, strict=True):
        assert re.fullmatch(pattern, line), line


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_on_a_terminal_no_line_is_wider_and_no_address_is_cut(commands: BounceCommands, columns: int) -> None:
    shown = commands.run("show", "1", columns=columns).output
    assert all(len(line) <= columns for line in shown.splitlines() if " " in line.strip()), shown
    assert "\n  original subject" in shown
    out = commands.run("list", columns=columns).output
    assert all(len(line) <= columns for line in out.splitlines()), out
    assert len(re.findall(r"(?m)\bbob@example\.org$", out)) == 2
    assert "452 4.2.2 full" in out


FILTERS: list[tuple[tuple[str, ...], str]] = [
    ((), "b-dbc"),
    (("--since", "24h"), "-dbc"),
    (("--until", "24h"), "b"),
    (("--since", "3h", "--until", "90m"), "d"),
    (("--domain", "EXAMPLE.com."), "c"),
    (("--domain", "example.com", "--domain", "@example.org"), "bdbc"),
    (("--status", "4"), "dc"),
    (("--status", "5.1", "--status", "4.2.2"), "bbc"),
    (("--reason", "MailboxFull"), "c"),
    (("--hard",), "bb"),
    (("--soft",), "c"),
    (("--kind", "delayed"), "d"),
    (("--kind", "other"), "-"),
    (("--kind", "all"), "b--dbc"),
    (("--limit", "2"), "bc"),
]


@pytest.mark.parametrize(("options", "expected"), FILTERS, ids=[" ".join(row[0]) for row in FILTERS])
def test_a_filter_finds_what_it_says(commands: BounceCommands, options: tuple[str, ...], expected: str) -> None:
    assert commands.rows(*options) == expected


WRONG = [
    ("list", "--since", "99"), ("list", "--since", "soon"), ("list", "--since", "2026-02-30"), ("list", "--since", ""),
    ("list", "--since", "1h", "--until", "2h"), ("list", "--since", "9999-12-31"), ("list", "--until", "9999-12-31"),
    ("list", "--status", "5.x"), ("list", "--status", "250"), ("list", "--limit", "0"), ("list", "--kind", "spam"),
    ("show", "x"), ("show", "0"), ("show",), ("export", "--format", "pdf"), ("export", "--format", "csv", "--json"),
    ("summary", "--since", "999999999w"), ("summary", "--since", "1500w", "--until", "0001-01-02"),
    ("summary", "--top", "0"), ("list", "--since", "0001-01-01T00:00+14:00"),
]  # fmt: skip


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_wrong_usage_is_said_to_be_that(commands: BounceCommands, arguments: tuple[str, ...]) -> None:
    result = commands.run(*arguments)
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)


def test_a_time_is_local_unless_it_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "XXX-2")
    time.tzset()
    try:
        noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
        for text, expected in {
            "2026-03-01": noon - timedelta(hours=14),
            "2026-03-01T14:00": noon,
            "2026-03-01 14:00": noon,
            "2026-03-01T12:00Z": noon,
            "2026-03-01T12:00:00.000Z": noon,
            "2026-03-01T13:00+01:00": noon,
            "90m": noon - timedelta(minutes=90),
        }.items():
            assert instant(text, noon, "--since") == expected, text
        assert instant("2026-03-01", noon, "--until", is_end=True) == noon + timedelta(hours=10)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_one_message_is_shown_with_all_its_recipients(commands: BounceCommands) -> None:
    document = commands.document("show", "1")
    assert document["schema"] == "mailmon/bounce/1"
    assert [one["address"] for one in document["recipients"]] == ["bob@example.org", "carol@example.com"]
    assert document["original"] == {
        "message_id": "<1@example.net>", "subject": "Your order", "from": "shop@example.net",
        "to": ["bob@example.org"], "cc": ["boss@example.net"],
    }  # fmt: skip
    assert (document["outcome"], document["uid"], document["sha256"]) == ("processed", 1, seen(1).digest.hex())
    assert commands.document("show", "3")["recipients"] == []
    text = commands.run("show", "1").output
    for words in ("#1  bounce, received", "hard  bob@example.org", "soft  carol@example.com", "Your order"):
        assert words in text


def test_an_id_that_is_not_there_is_said(commands: BounceCommands) -> None:
    result = commands.run("show", "77")
    assert isinstance(result.exception, MailmonError)
    assert (result.exception.exit_code, result.exception.code) == (1, "not_found")
    assert result.exception.message == "no bounce 77 in the bounce log"


def test_the_summary_compares_with_the_period_before(commands: BounceCommands) -> None:
    document = commands.document("summary")
    assert document["schema"] == "mailmon/bounces-summary/1"
    assert document["recipients"] == {"count": 4, "before": 1, "change": 3, "change_percent": 300.0}
    classes = {row["name"]: (row["count"], row["before"]) for row in document["classes"]}
    assert classes == {"hard": (1, 1), "soft": (1, 0), "delayed": (1, 0), "feedback": (1, 0)}
    assert [row["name"] for row in document["domains"]["rows"]] == ["example.org", "example.com"]
    lengths = [datetime.fromisoformat(document[key]) for key in ("before_since", "since", "until")]
    assert abs((lengths[2] - lengths[1]) - timedelta(days=1)) < timedelta(seconds=1)
    assert lengths[2] - lengths[1] == lengths[1] - lengths[0]
    top = commands.document("summary", "--top", "1")["domains"]
    assert (len(top["rows"]), top["others"]["count"]) == (1, 1)
    text = commands.run("summary").output
    assert "        1  hard  (before 1, +0 %)\n" in text
    assert "bounces by reason\n        1  userunknown  (before 1, +0 %)\n" in text


@pytest.mark.parametrize("command", [("list",), ("show", "1"), ("summary",), ("export",)], ids=lambda words: words[0])
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_masked_nothing_tells_whose_addresses_they_are(
    commands: BounceCommands, command: tuple[str, ...], form: tuple[str, ...]
) -> None:
    shown = commands.run(*command, *form, "--mask")
    assert shown.exit_code == 0
    assert not re.search(r"bob|carol|dave|shop|boss|example|order", shown.output, re.IGNORECASE)
    assert re.search("bob|example", commands.run(*command, *form).output)


def test_what_a_stranger_wrote_does_no_harm_to_a_terminal(no_bounces: BounceCommands) -> None:
    evil = BOB._replace(address="\x1b]0;x\x07@example.org", diagnostic="550 \x1b[2J\r\nno", reason="\x1b[1m")
    with BounceLog(no_bounces.state_file, NOW) as log:
        log.record(INBOX, 1, [seen(1, evil)._replace(received_at=NOW - HOUR)], RUN)
    for command in (("list",), ("show", "1"), ("summary",), ("export",)):
        assert "\x1b" not in no_bounces.run(*command).output, command


def test_a_damaged_log_is_a_clear_error_and_left_alone(commands: BounceCommands) -> None:
    log_file(commands.state_file).write_bytes(b"noise " * 1000)
    for command in (("list",), ("show", "1"), ("summary",), ("export",)):
        result = commands.run(*command)
        assert isinstance(result.exception, MailmonError)
        assert result.exception.exit_code == 74
        assert "damaged" in result.exception.message
        assert result.exception.advice == "The next run that writes to it sets it aside and starts a new one."
    assert log_file(commands.state_file).read_bytes() == b"noise " * 1000


def test_a_log_of_the_earlier_name_is_renamed_when_read_unless_there_are_two(
    commands: BounceCommands,
) -> None:
    path = log_file(commands.state_file)
    earlier = path.with_name("history.sqlite")
    path.rename(earlier)
    result = commands.run("list", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert path.exists()
    assert not earlier.exists()
    earlier.write_bytes(b"")
    result = commands.run("list", "--json")
    assert result.exit_code == 0
    assert f"{earlier}: ignored because bounces.sqlite exists" in result.stderr
