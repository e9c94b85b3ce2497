"""Help pages and errors about wrong usage."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from mailmon import __version__
from mailmon.checks import CHECKS
from mailmon.cli import COMMANDS, cli
from tests.cli.programs import run


def every_command(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from every_command(command, *path, name)


EVERY_COMMAND = [((), cli), *every_command(cli)]
by_command = pytest.mark.parametrize(
    ("path", "command"), EVERY_COMMAND, ids=[" ".join(path) or "mailmon" for path, _ in EVERY_COMMAND]
)


@by_command
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_has_a_help_page(path: tuple[str, ...], command: click.Command, flag: str) -> None:
    result = CliRunner().invoke(cli, [*path, flag])
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")
    assert command.help, "says what it does"
    assert all(len(line) <= 100 for line in result.stdout.splitlines())


@by_command
def test_every_option_says_what_it_is_for(path: tuple[str, ...], command: click.Command) -> None:
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    assert [option.name for option in options if not option.help] == []


def test_the_first_page_names_every_command_with_a_full_sentence() -> None:
    page = re.sub(r"\s+", " ", CliRunner().invoke(cli, ["--help"]).stdout)
    for name, words in COMMANDS.items():
        assert f" {name} {words}" in page
        assert words.endswith(".")
    assert set(COMMANDS) == {path[0] for path, _ in EVERY_COMMAND[1:]}


@by_command
def test_no_sentence_on_a_page_of_commands_is_cut_off(path: tuple[str, ...], command: click.Command) -> None:
    page = CliRunner().invoke(cli, [*path, "--help"]).stdout
    assert not re.search(r"(?<![A-Z]\])(?<!NAME)\.\.\.\n", page)


def test_the_version_is_told(tmp_path: Path) -> None:
    result = run(tmp_path, "--version")
    assert (result.returncode, result.stdout, result.stderr) == (0, f"mailmon, version {__version__}\n", "")


def test_without_a_command_the_help_is_shown_as_wrong_usage(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.returncode == 2
    assert "Commands:" in result.stdout + result.stderr


WRONG = [
    ("nonsense",),
    ("--nonsense",),
    ("check", "--nonsense"),
    ("check", "--smtp-port", "many"),
    ("check", "--receive-timeout", "soon"),
    ("check", "--config"),
    ("check", "--color", "pink"),
    ("config", "nonsense"),
    ("config", "example", "surplus"),
    ("status", "surplus"),
    ("notify", "nonsense"),
    ("sandbox", "--seconds", "x"),
    ("sandbox", "--fault", "nonsense", "--seconds", "1"),
    ("sandbox", "--fault", "delivery_delay_s=soon", "--seconds", "1"),
    ("sandbox", "--fault", "rcpt_reply", "--seconds", "1"),
]


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_wrong_usage_is_2_and_says_what_is_wrong(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    result = run(tmp_path, *arguments)
    assert result.returncode == 2
    assert "Error: " in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_the_built_in_checks_are_listed_with_what_they_do_and_need(tmp_path: Path) -> None:
    result = run(tmp_path, "checks")
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    rows = [re.split(r"\s{2,}", line) for line in lines[::2]]
    assert [row[:2] for row in rows] == [[name, check.label] for name, check in CHECKS.items()]
    assert all(len(row) == 3 and row[2].endswith(".") for row in rows)
    assert lines[1::2][0].strip() == "needs accounts.*.imap"
    assert lines[1::2][5].strip() == "needs routes.*, smtp_auth, imap_auth or pop3_auth"
    assert all(len(line) <= 120 for line in lines)
