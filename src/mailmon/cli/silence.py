"""`mailmon silence`: announce nothing of something for a while; what still matters then is told afterwards."""

from __future__ import annotations

import getpass
from datetime import datetime, timedelta

import click

from mailmon.cli import common
from mailmon.clock import read_anchor
from mailmon.config import Setup
from mailmon.errors import UnknownNameError
from mailmon.model import Silence
from mailmon.render import document, terminal
from mailmon.run.subjects import silenceable_names
from mailmon.store.files import make_directory
from mailmon.store.lock import Lock
from mailmon.store.silences import active, read_silences, silences_file, write_silences
from mailmon.text import format_duration, parse_duration, visible

MAX_WHY = 200
MAX_FOR_S = 366 * 86400


@click.command("silence", short_help="Announce nothing of something for a while; list and end silences.")
@click.argument(
    "words",
    nargs=-1,
    metavar="NAME... | list | end NAME",
    shell_complete=common.completing(lambda setup: {*silenceable_names(setup), "list", "end"}),
)
@click.option("--for", "lasting", metavar="DURATION", help="How long, like 30m, 2h or 1d; it begins now.")
@click.option("--why", default="", metavar="TEXT", help="The reason, for those who look at `mailmon status`.")
@common.verbose_option
@common.common_options
def silence(
    words: tuple[str, ...], lasting: str | None, why: str, config_path: str | None, as_json: bool, color: str
) -> None:
    """Announce nothing of NAME for a while: an account, a route, a step like send:main, or `all`.

    Checks go on meanwhile. What has changed by the end and still holds is announced then, also a recovery of what
    was known to be down.

    \b
      mailmon silence office --for 2h --why "new disk"
      mailmon silence list
      mailmon silence end office
    """
    del color
    setup = common.load_setup(config_path, with_secrets=False)
    if not words:
        raise click.UsageError("give a NAME with --for, or `list`, or `end NAME`")
    if lasting is None and words == ("list",):
        _print(_held(setup), as_json=as_json)
    elif lasting is None and words[0] == "end":
        _print(_end(setup, words[1:]), as_json=as_json)
    elif lasting is None:
        raise click.UsageError("say how long by --for, for example --for 2h")
    else:
        _print(_begin(setup, words, lasting, why), as_json=as_json)


def _begin(setup: Setup, names: tuple[str, ...], lasting: str, why: str) -> list[Silence]:
    known = silenceable_names(setup)
    unknown = [name for name in names if name not in known]
    if unknown:
        there = ", ".join(sorted(known))
        raise UnknownNameError("\n".join(f"there is no {name!r}; there are: {there}" for name in unknown))
    try:
        seconds = parse_duration(lasting)
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--for") from exc
    if not 1 <= seconds <= MAX_FOR_S:
        raise click.BadParameter("must be between a second and a year", param_hint="--for")
    now = common.now()
    reason = visible(why or f"by {_user()}", MAX_WHY)
    fresh = [Silence(name, now, now + timedelta(seconds=seconds), reason) for name in names]
    return _change(setup, names, fresh, now)


def _end(setup: Setup, names: tuple[str, ...]) -> list[Silence]:
    held = {silence.name for silence in _held(setup)}
    if not names:
        raise click.UsageError("say which: `mailmon silence end NAME`")
    unknown = [name for name in names if name not in held]
    if unknown:
        there = f"there are: {', '.join(sorted(held))}" if held else "there is none"
        raise UnknownNameError("\n".join(f"{name!r} is not silent; {there}" for name in unknown))
    return _change(setup, names, [], common.now())


def _change(setup: Setup, names: tuple[str, ...], fresh: list[Silence], now: datetime) -> list[Silence]:
    """Replace the silences of these names, under a lock of their file: a run that goes on does not hold it."""
    make_directory(setup.state_file.parent)
    with Lock(silences_file(setup.state_file), now):
        silences, problem = read_silences(setup.state_file, read_anchor(now))
        if problem:
            common.warn(problem)
        kept = [*(s for s in active(silences, now) if s.name not in names), *fresh]
        write_silences(setup.state_file, kept, read_anchor(now))
    return kept


def _held(setup: Setup) -> list[Silence]:
    now = common.now()
    silences, problem = read_silences(setup.state_file, read_anchor(now))
    if problem:
        common.warn(problem)
    return active(silences, now)


def _print(silences: list[Silence], *, as_json: bool) -> None:
    if as_json:
        rows = [document.silence_document(silence) for silence in silences]
        common.print_json({"schema": "mailmon/silence/1", "silences": rows})
        return
    now = common.now()
    for silence in silences:
        left = format_duration((silence.until - now).total_seconds())
        common.say(f"{silence.name:<24}  for {left} more, until {terminal.local_time(silence.until)}: {silence.why}")
    if not silences:
        common.say("nothing is silent")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "an unknown user"


COMMAND = silence
