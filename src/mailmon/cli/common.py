"""What the commands share: options, the loaded configuration, and printing."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click

from mailmon.app import setup as setups
from mailmon.config import Overrides, Setup, find_file
from mailmon.errors import MailmonError, UsageError
from mailmon.store.files import must_be_a_state_file

LARGE_DOCUMENT = 200
VERBOSE = "mailmon-verbose"
F = TypeVar("F", bound=Callable[..., Any])

_print_lock = threading.Lock()


class Finite(click.types.FloatParamType):
    """A finite number: `nan` and `inf`, which `float` accepts, are refused."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number. Raises BadParameter."""
        return _finite(self, super().convert(value, param, ctx), param, ctx)


class FiniteRange(click.FloatRange):
    """A finite number within bounds; click accepts `nan`, which is neither below nor above."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number. Raises BadParameter."""
        return _finite(self, super().convert(value, param, ctx), param, ctx)


def _finite(kind: click.ParamType[Any], number: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
    if not math.isfinite(number):
        kind.fail(f"{number} is not a finite number.", param, ctx)
    return number


@contextlib.contextmanager
def usage(option: str = "") -> Iterator[None]:
    """Report a value that a use case cannot take as click does, naming the option. Raises click.UsageError."""
    try:
        yield
    except UsageError as exc:
        option = option or _option_of(exc.field)
        raise click.BadParameter(exc.message, param_hint=option) if option else click.UsageError(exc.message) from exc


def _option_of(field: str) -> str:
    """Return the option of the running command that gives a field, "" where there is none."""
    context = click.get_current_context(silent=True)
    found = (one.opts[0] for one in context.command.params if one.name == field) if context and field else ()
    return next(iter(found), "")


def common_options(command: F) -> F:
    """Add --config, --json and --color to a command."""
    for option in (
        click.option(
            "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour the output."
        ),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout."),
        click.option(
            "--config",
            "config_path",
            metavar="PATH",
            help="Configuration [default: $MAILMON_CONFIG, /etc/mailmon/config.json, ~/.config/mailmon/config.json].",
        ),
    ):
        command = option(command)
    return command


def transcript_option(command: F) -> F:
    """Add -v to a command that connects to mail servers; it is passed as `verbose`."""
    return click.option(
        "-v", "--verbose", is_flag=True, callback=note_verbose,
        help="Show protocol transcripts on stderr, credentials masked, and the path of the state file.",
    )(command)  # fmt: skip


def verbose_option(command: F) -> F:
    """Add -v to a command without transcripts: it prints the path of the state file."""
    return click.option(
        "-v",
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=note_verbose,
        help="Print the path of the state file.",
    )(command)


def note_verbose(context: click.Context, _parameter: click.Parameter, value: bool) -> bool:
    """Remember that -v was given."""
    context.meta[VERBOSE] = value
    return value


def is_verbose() -> bool:
    """Return whether the command was given -v."""
    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get(VERBOSE))


def config_file(config_path: str | None) -> Path | None:
    """Return the configuration file given by the options or the environment, None where there is none."""
    context = click.get_current_context(silent=True)
    return find_file(config_path or (context.obj if context else None), os.environ)


def load_setup(
    config_path: str | None,
    overrides: Overrides = Overrides(),  # noqa: B008 -- it is immutable
    *,
    with_secrets: bool = True,
    must_check: bool = False,
    uses_state: bool = True,
    writes: bool = True,
) -> Setup:
    """Load the configuration that the options and the environment name, and enter its state unless it is not used.

    Raises ConfigError, StateError. Without `writes`, for a dry run, nothing is taken over from an old common state.
    """
    path = config_file(config_path)
    given = {"with_secrets": with_secrets, "must_check": must_check, "uses_state": uses_state}
    setup = setups.load_setup(path, os.environ, overrides, **given)
    if uses_state:
        enter_state(setup, path, writes=writes)
        must_be_a_state_file(setup.state_file)
    return setup


def enter_state(setup: Setup, path: Path | None, *, writes: bool = True) -> None:
    """As root, become the user that the state belongs to, for good; with -v print where it is. Raises StateError."""
    if is_verbose():
        say(f"state: {setup.state_file}", err=True)
    setups.enter_state(setup, path, writes=writes)


def absolute(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Return the path of an option made absolute. Links are not resolved: those of `<(...)` lead nowhere."""
    return None if value is None else os.path.join(os.getcwd(), value)


def configured_nameservers(config_path: str | None) -> tuple[tuple[str, int], ...]:
    """Return `dns.nameservers` of the configuration. An invalid file that was not named is only a warning."""
    if config_file(config_path) is None:
        return ()
    try:
        return load_setup(config_path, with_secrets=False, uses_state=False).nameservers
    except MailmonError as exc:
        if config_path:
            raise
        warn(f"ignoring the configuration: {exc.message.splitlines()[0]}")
        return ()


def completing(choose: Callable[[Setup], Iterable[str]]) -> Callable[..., list[str]]:
    """Return a shell completion of an argument: names of the configuration, none where that is invalid."""

    def complete(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
        path = context.params.get("config_path") or context.find_root().params.get("config_path")
        try:
            setup = load_setup(path, with_secrets=False, uses_state=False)
        except MailmonError:
            return []
        return sorted(name for name in choose(setup) if name.startswith(incomplete))

    return complete


def wants_colour(color: str) -> bool:
    """Return whether to colour text: as given, else on a terminal unless NO_COLOR is set (no-color.org)."""
    if color != "auto":
        return color == "always"
    return not os.environ.get("NO_COLOR") and sys.stdout.isatty()


def say(text: str, *, colour: str | None = None, err: bool = False, is_styled: bool = False) -> None:
    """Print one line; safe to call from threads. A closed stream is ignored: it must not prevent an alert.

    `is_styled`: the text already contains escapes for colours.
    """
    stream = sys.stderr if err else sys.stdout
    has_colour = True if colour or is_styled else None
    with _print_lock:
        try:
            click.echo(click.style(text, fg=colour) if colour else text, file=stream, color=has_colour)
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def styled(text: str, style: str) -> str:
    """Return text in a style such as `bold red` or `dim`."""
    words = style.split()
    colour = next((word for word in words if word not in ("bold", "dim")), None)
    return click.style(text, fg=colour, bold="bold" in words or None, dim="dim" in words or None)


def warn(text: str) -> None:
    """Print a warning on stderr."""
    say(f"warning: {text}", err=True)


def print_json(document: dict[str, Any]) -> None:
    """Print one JSON document, indented; a large one on a single line, which takes a tenth of the time."""
    is_large = len(document.get("steps", ())) > LARGE_DOCUMENT
    say(json.dumps(document, ensure_ascii=False, indent=None if is_large else 2))


def print_transcript(target: str, at_s: float, who: str, text: str) -> None:
    """Print one line of a protocol transcript on stderr."""
    say(f"{target:<28} {at_s:8.3f}  {'C:' if who == 'client' else 'S:'} {text}", err=True)
