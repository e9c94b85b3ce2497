"""`mailmon man`: manual pages (man(7)), one per command, made from the help texts. For packagers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import click

from mailmon import __version__

# Sections of mailmon(1) that help pages do not have.
_EXIT_STATUS = (
    ("0", "Success, or only warnings."),
    ("1", "A check failed, a finding is at or above --fail-on, or the last complete run is older than --max-age."),
    ("2", "Wrong usage."),
    ("69", "An alert was permanently refused, or has been pending for 3 runs."),
    ("70", "A bug in mailmon."),
    ("74", "The state cannot be read or written."),
    ("75", "Inconclusive, for example without network; or another run holds the lock."),
    ("78", "The configuration is invalid."),
)
_FILES = (
    (
        "/etc/mailmon/config.json",
        "Configuration, unless $MAILMON_CONFIG names another; else ~/.config/mailmon/config.json.",
    ),
    ("$STATE_DIRECTORY/state.json", "State file; else below ~/.local/state/mailmon."),
    ("$CREDENTIALS_DIRECTORY", "Credentials from systemd, named like main.password or ntfy.topic."),
)


@click.command("man", hidden=True)
@click.option("--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="Output directory.")
def man(output: Path) -> None:
    """Write one manual page per command."""
    from mailmon.cli import cli

    output.mkdir(parents=True, exist_ok=True)
    for context in _contexts(click.Context(cli, info_name="mailmon")):
        name = context.command_path.replace(" ", "-")
        (output / f"{name}.1").write_text(page(context), encoding="utf-8")


def page(context: click.Context) -> str:
    """Return the manual page of one command."""
    command, path = context.command, context.command_path
    lines = [
        f'.TH "{path.replace(" ", "-").upper()}" "1" "" "mailmon {__version__}" "User Commands"',
        *(".SH NAME", f"{_text(path.replace(' ', '-'))} \\- {_text(_summary(command))}"),
        *(".SH SYNOPSIS", f".B {_text(path)}", _text(" ".join(command.collect_usage_pieces(context)))),
        *(".SH DESCRIPTION", *_paragraphs(command.help or "")),
        *_section(
            "OPTIONS",
            [
                record
                for p in command.get_params(context)
                if isinstance(p, click.Option) and (record := p.get_help_record(context))
            ],
        ),
    ]
    if isinstance(command, click.Group):
        lines += _section("COMMANDS", [(sub.command_path, _summary(sub.command)) for sub in _children(context)])
    if context.parent is None:
        lines += [*_section("EXIT STATUS", _EXIT_STATUS), *_section("FILES", _FILES)]
    others = [c.command_path.replace(" ", "-") for c in (context.parent, *_children(context)) if c]
    if others:
        lines += [".SH SEE ALSO", ",\n".join(f".BR {_text(name)} (1)" for name in others)]
    return "\n".join(lines) + "\n"


def _contexts(context: click.Context) -> Iterator[click.Context]:
    yield context
    for child in _children(context):
        yield from _contexts(child)


def _children(context: click.Context) -> list[click.Context]:
    group = context.command
    if not isinstance(group, click.Group):
        return []
    commands = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return [click.Context(c, parent=context, info_name=n) for n, c in commands.items() if c and not c.hidden]


def _summary(command: click.Command) -> str:
    return command.get_short_help_str(limit=200).removesuffix(".")


def _section(title: str, rows: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> list[str]:
    lines = [line for term, words in rows for line in (".TP", f"\\fB{_text(term)}\\fR", _text(words))]
    return [f".SH {title}", *lines] if rows else []


def _paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a help text; one that begins with `\\b` keeps its lines, as in click."""
    lines = []
    for paragraph in re.split(r"\n\s*\n", cleandoc(text)):
        is_kept, words = paragraph.startswith("\b"), paragraph.removeprefix("\b").strip("\n")
        shown = [_text(line) for line in words.splitlines()]
        lines += [".PP", ".nf", *shown, ".fi"] if is_kept else [".PP", *shown]
    return lines


def _text(words: str) -> str:
    """Return text escaped for roff."""
    escaped = words.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


COMMAND = man
