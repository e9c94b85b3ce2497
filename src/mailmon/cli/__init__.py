"""The command line: one small file a command; errors become exit codes here and nowhere else."""

from __future__ import annotations

import contextlib
import errno
import gc
import io
import json
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, NoReturn

import click

from mailmon import __version__
from mailmon.errors import MailmonError, StateError, place_of

# Name -> short help. A table, so that `--help` and `check` import no other command.
COMMANDS: dict[str, str] = {
    "check": "Run one full cycle: log in, send a probe, wait for it, clean up, alert on change.",
    "diagnose": "Look at a mail server from outside: TLS, relaying, logins, names, and more.",
    "dns": "Check what a domain publishes for its mail, from MX to DANE.",
    "explain": "Explain a finding: severity, meaning, fix and reference.",
    "spf": "Say whether an address may send mail for a domain, and which term decides.",
    "status": "Show what the last runs left in memory: health, since when, what is pending.",
    "alerts": "Show the alerts that were sent, that wait, and that were dropped.",
    "bounces": "Read mail that came back: who was not reached, and why.",
    "silence": "Announce nothing of something for a while; list and end silences.",
    "notify": "Send a test message to the channels, or tell that a unit has failed.",
    "config": "Check the configuration, print its schema or an example.",
    "checks": "List the built-in checks.",
    "demo": "Watch a failure and a recovery against an embedded mail server; no network needed.",
    "sandbox": "Run the embedded mail server on loopback, well or misbehaving.",
    "completion": "Print what makes bash, zsh or fish complete commands.",
}
# For packagers; `--help` does not list them.
HIDDEN = {"man": "man"}
EXIT_BUG = 70
# A full disk or quota, or a device that fails.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
# What shells report for a program that SIGINT or SIGPIPE ended.
EXIT_INTERRUPTED, EXIT_PIPE = 130, 141


class LazyGroup(click.Group):
    """A group that imports a command, the `COMMAND` of its module, only when it is run.

    `table` maps a name to its short help; a module has the name of its command unless `modules` says otherwise.
    """

    def __init__(
        self,
        *args: Any,
        package: str = __name__,
        table: Mapping[str, str] = COMMANDS,
        modules: Mapping[str, str] = MappingProxyType({}),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._package, self._table, self._modules = package, table, modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._table and cmd_name not in self._modules:
            return None
        if cmd_name == "check":
            gc.disable()  # it ends before there is garbage; its imports alone would start dozens of collections
        module, _, attribute = self._modules.get(cmd_name, cmd_name).partition(":")
        command = getattr(import_module(f"{self._package}.{module}"), attribute or "COMMAND")
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._table.items()))


@click.group(
    "mailmon",
    cls=LazyGroup,
    modules=HIDDEN,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="mailmon")
@click.option("--config", "config_path", metavar="PATH", help="Configuration file.")
@click.pass_context
def cli(ctx: click.Context, config_path: str | None) -> None:
    """Check that a mail server really takes, delivers and shows mail; alert once when that changes."""
    ctx.obj = config_path


def main() -> NoReturn:
    """Run the command and end the process with its exit code."""
    _steady_streams()
    _heed_signals()
    wants_json = "--json" in sys.argv[1:]
    try:
        code = cli.main(prog_name="mailmon", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as exc:
        code = exc.exit_code
    except click.ClickException as exc:
        code = exc.exit_code
        with contextlib.suppress(OSError):
            exc.show()
            if wants_json:
                _print_error("usage", exc.format_message())
    except (click.Abort, KeyboardInterrupt):
        code = EXIT_INTERRUPTED
    except SystemExit as exc:  # click ends so after a completion, and when the reader of its text has gone (head)
        code = EXIT_PIPE if exc.code else 0
    except BrokenPipeError:
        # Nothing more can be said, and Python must not try to at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = EXIT_PIPE
    except MailmonError as exc:
        code = _tell(exc.code, exc.message, exc.advice, exc.exit_code, wants_json)
    except OSError as exc:
        code = _cannot_write(exc, wants_json) if exc.errno in _FULL else _bug(exc, wants_json)
    except Exception as exc:
        code = _bug(exc, wants_json)
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    # All is closed and written by now; to take the interpreter apart would cost a tenth of the run.
    os._exit(code if isinstance(code, int) else 0)


def _cannot_write(exc: OSError, wants_json: bool) -> int:
    """Say that there is no room for the output; all else that is written tells so itself."""
    message = f"the output cannot be written: {exc.strerror}"
    return _tell("output", message, "Make room, or write it elsewhere.", StateError.exit_code, wants_json)


def _bug(exc: Exception, wants_json: bool) -> int:
    """Nothing but a bug gets here; a traceback could hold a credential, its place cannot."""
    message = f"a bug in mailmon: {type(exc).__name__} at {place_of(exc)}"
    return _tell("internal", message, "Please report it with this line.", EXIT_BUG, wants_json)


def _steady_streams() -> None:
    """See to it that printing never ends a run: a closed stream goes nowhere, a poor encoding shows escapes."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 -- open until the end
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _heed_signals() -> None:
    """Let SIGINT and SIGTERM end the command, also where it was started with them ignored (nohup, a job of a shell)."""
    # What the module signal wraps; its enumerations take half a millisecond to make.
    import _signal  # type: ignore[import-not-found]

    if _signal.getsignal(_signal.SIGINT) == _signal.SIG_IGN:
        _signal.signal(_signal.SIGINT, _signal.default_int_handler)
    if _signal.getsignal(_signal.SIGTERM) == _signal.SIG_IGN:
        _signal.signal(_signal.SIGTERM, _signal.SIG_DFL)


def _tell(code: str, message: str, advice: str, exit_code: int, wants_json: bool) -> int:
    with contextlib.suppress(OSError):  # the exit code says it too
        for line in message.splitlines():
            click.echo(f"mailmon: {line}", err=True)
        if advice:
            click.echo(f"  → {advice}", err=True)
        if wants_json:
            _print_error(code, message)
    return exit_code


def _print_error(code: str, message: str) -> None:
    click.echo(json.dumps({"schema": "mailmon/error/1", "error": {"code": code, "message": message}}))
