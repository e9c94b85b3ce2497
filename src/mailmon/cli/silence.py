"""`mailmon silence`: begin, list and end silences."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from datetime import datetime

import click

from mailmon.app import silence as app
from mailmon.app.setup import now
from mailmon.cli import common
from mailmon.model import Silence
from mailmon.render import terminal
from mailmon.render.document import silences_document
from mailmon.run.subjects import silenceable_names
from mailmon.text import format_duration, parse_duration

_HELP = {
    "list": """Usage: mailmon silence list [OPTIONS]

  List the active silences, with their ends and reasons.

  Options: --config, --json, --color and -v, as for `mailmon silence`.""",
    "end": """Usage: mailmon silence end [OPTIONS] NAME...

  End the silences of NAME now, and list those that are left. NAME is as in
  `mailmon silence list`. The next run alerts on changes that still hold.

  Options: --config, --json, --color and -v, as for `mailmon silence`.""",
}


class _SilenceCommand(click.Command):
    """A command whose words `list` and `end` have a help of their own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] in _HELP and any(one in ctx.help_option_names for one in args):
            click.echo(_HELP[args[0]])
            ctx.exit()
        return super().parse_args(ctx, args)


@click.command(
    "silence", cls=_SilenceCommand, short_help="Silence alerts for an account, route or check; list and end silences."
)
@click.argument(
    "words",
    nargs=-1,
    metavar="NAME... | list | end NAME",
    shell_complete=common.completing(lambda setup: {*silenceable_names(setup), "list", "end"}),
)
@click.option("--for", "lasting", metavar="DURATION", help="How long, from now: for example 30m, 2h or 1d.")
@click.option("--why", default="", metavar="TEXT", help="Reason, shown by `mailmon status`.")
@common.verbose_option
@common.common_options
def silence(
    words: tuple[str, ...], lasting: str | None, why: str, config_path: str | None, as_json: bool, color: str
) -> None:
    """Suppress alerts for NAME (an account, a route, a check such as send:main, or `all`) for a while.

    Checks continue to run. When the silence ends, changes that still hold are alerted, including recoveries.

    \b
    Examples:
      mailmon silence office --for 2h --why "new disk"
      mailmon silence list
      mailmon silence end office
    """
    del color
    setup = common.load_setup(config_path, with_secrets=False)
    if not words:
        raise click.UsageError("give NAME with --for, or `list`, or `end NAME`")
    at = now()
    if lasting is None and words == ("list",):
        held = app.list_silences(setup, at)
    elif lasting is None and words[0] == "end":
        if len(words) == 1:
            raise click.UsageError("missing NAME: `mailmon silence end NAME`")
        held = app.end_silence(setup, words[1:], at)
    elif lasting is None:
        raise click.UsageError("missing --for, for example --for 2h")
    else:
        with common.usage("--for"):
            held = app.begin_silence(setup, words, _seconds(lasting), why or f"by {_user()}", at)
    for warning in held.warnings:
        common.warn(warning)
    if as_json:
        common.print_json(silences_document(held))
    else:
        _print(held.silences, at)


def _seconds(lasting: str) -> float:
    try:
        return parse_duration(lasting)
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--for") from exc


def _print(silences: Sequence[Silence], at: datetime) -> None:
    for silence in silences:
        left = format_duration((silence.until - at).total_seconds())
        common.say(f"{silence.name:<24}  for another {left}, until {terminal.local_time(silence.until)}: {silence.why}")
    if not silences:
        common.say("no active silences")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown user"


COMMAND = silence
