"""What do all commands share? Options, the loaded configuration, and how lines are printed."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from mailmon.config import Overrides, Setup, find_file, load, resolve
from mailmon.config.load import environment_overrides, variable_names
from mailmon.errors import MailmonError
from mailmon.store.files import must_be_a_state_file

LARGE_DOCUMENT = 200
VERBOSE = "mailmon-verbose"
F = TypeVar("F", bound=Callable[..., Any])

_print_lock = threading.Lock()


class Finite(click.types.FloatParamType):
    """A number that is one: `nan` and `inf`, which `float` reads, are none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number. Raises BadParameter."""
        return _finite(self, super().convert(value, param, ctx), param, ctx)


class FiniteRange(click.FloatRange):
    """A number within bounds, which `nan` passes in click: it is neither below nor above."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number. Raises BadParameter."""
        return _finite(self, super().convert(value, param, ctx), param, ctx)


def _finite(kind: click.ParamType[Any], number: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
    if not math.isfinite(number):
        kind.fail(f"{number} is not a number to wait for.", param, ctx)
    return number


def common_options(command: F) -> F:
    """Add --config, --json and --color to a command."""
    for option in (
        click.option(
            "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour the text."
        ),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout, nothing else."),
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
    """Add -v to a command that talks to mail servers; its `verbose` parameter says whether it was given."""
    return click.option(
        "-v", "--verbose", is_flag=True, callback=note_verbose,
        help="Show the protocol transcripts on stderr, credentials masked, and the path of the state file.",
    )(command)  # fmt: skip


def verbose_option(command: F) -> F:
    """Add -v to a command that has no conversations to show: it prints where the state is."""
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
    """Say whether the command was given -v."""
    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get(VERBOSE))


def now() -> datetime:
    """Return the present time, aware and in UTC."""
    return datetime.now(UTC)


def config_file(config_path: str | None) -> Path | None:
    """Return the configuration file that the options and the environment name."""
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
    """Load the configuration: defaults < file < environment < options. Raises ConfigError.

    All commands that use the state come through here: what only root can read was read then, and as root this process
    becomes the user that the state belongs to, for good. Raises StateError where that is not possible. Without `writes`
    what an old state holds of this configuration is not taken over either: for a dry run.
    """
    path = config_file(config_path)
    environment = environment_overrides(os.environ)
    given = {key: value for key, value in overrides.values.items() if value is not None}
    if any(key.startswith("password") for key in given):
        environment = {key: value for key, value in environment.items() if not key.startswith("password")}
    names = variable_names()
    origins = {key: f"--{key.replace('_', '-')}" if key in given else names[key] for key in {**environment, **given}}
    merged = Overrides({**environment, **given}, overrides.nameservers, origins)
    loaded = load(path, merged, os.environ, must_check=must_check, with_secrets=with_secrets)
    if uses_state:
        # Before the secrets: where only the unit gets to its state, only the unit may have them.
        _must_reach(loaded.state_file, path)
    setup = resolve(loaded, path, os.environ, with_secrets=with_secrets, must_check=must_check)
    if uses_state:
        enter_state(setup, path, writes=writes)
        must_be_a_state_file(setup.state_file)
    return setup


def enter_state(setup: Setup, config: Path | None, *, writes: bool = True) -> None:
    """Pass the gate to the state: as root, become the user that it belongs to, for good. Raises StateError.

    The first one that uses the state of a configuration takes over what the old common state holds of it.
    """
    if os.geteuid() == 0:
        from mailmon.store.owner import owner_of

        if owner := owner_of(setup.state_file):
            from mailmon.cli.by_hand import become_owner

            become_owner(owner, setup, config)
    if is_verbose():
        say(f"state: {setup.state_file}", err=True)
    if writes and setup.place and not setup.place.is_settled:
        from mailmon.run.inherit import take_over

        take_over(setup, now())


def _must_reach(state_file: Path, config: Path | None) -> None:
    """As root, see that the user that the state belongs to can get there. Raises StateError with the command to use."""
    if os.geteuid() == 0:
        from mailmon.store.owner import owner_of

        if owner := owner_of(state_file):
            from mailmon.cli.by_hand import see_that_it_is_reached

            see_that_it_is_reached(owner, state_file, config)


def is_another_users(setup: Setup) -> bool:
    """Say whether root would become somebody else at the gate. Raises StateError."""
    if os.geteuid() != 0:
        return False
    from mailmon.store.owner import owner_of

    return owner_of(setup.state_file) is not None


def absolute(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Return the path of an option as seen from here; no link in it is resolved, `<(...)` leads nowhere then."""
    return None if value is None else os.path.join(os.getcwd(), value)


def configured_nameservers(config_path: str | None) -> tuple[tuple[str, int], ...]:
    """Return `dns.nameservers` of the configuration, if any; a bad file that nobody named is only warned of."""
    if config_file(config_path) is None:
        return ()
    try:
        return load_setup(config_path, with_secrets=False, uses_state=False).nameservers
    except MailmonError as exc:
        if config_path:
            raise
        warn(f"the configuration is not used: {exc.message.splitlines()[0]}")
        return ()


def completing(choose: Callable[[Setup], Iterable[str]]) -> Callable[..., list[str]]:
    """Return what completes an argument in a shell: names of the configuration, none where it has mistakes."""

    def complete(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
        path = context.params.get("config_path") or context.find_root().params.get("config_path")
        try:
            setup = load_setup(path, with_secrets=False, uses_state=False)
        except MailmonError:
            return []
        return sorted(name for name in choose(setup) if name.startswith(incomplete))

    return complete


def wants_colour(color: str) -> bool:
    """Say whether text is coloured: as asked for, else on a terminal unless NO_COLOR is set (no-color.org)."""
    if color != "auto":
        return color == "always"
    return not os.environ.get("NO_COLOR") and sys.stdout.isatty()


def say(text: str, *, colour: str | None = None, err: bool = False, is_styled: bool = False) -> None:
    """Print one line; threads may call it side by side. That nobody can read it must not keep an alert from anybody.

    `is_styled` says that the text holds escapes for colours that are wanted.
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
    """Print one JSON document, indented for people; a large one on one line, which takes a tenth of the time."""
    is_large = len(document.get("steps", ())) > LARGE_DOCUMENT
    say(json.dumps(document, ensure_ascii=False, indent=None if is_large else 2))


def print_transcript(target: str, at_s: float, who: str, text: str) -> None:
    """Print one line of a conversation on stderr."""
    say(f"{target:<28} {at_s:8.3f}  {'C:' if who == 'client' else 'S:'} {text}", err=True)
