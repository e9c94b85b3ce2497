"""The command line: one small file per command. Errors become exit codes here and nowhere else."""

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
    "check": "Run all checks once: log in, send a test mail, receive it, alert on changes.",
    "diagnose": "Test a mail server from outside: TLS, relaying, logins, host names and more.",
    "dns": "Check the DNS records of a mail domain, from MX to DANE.",
    "explain": "Explain a finding: severity, meaning, fix and reference.",
    "spf": "Evaluate SPF for a client address and an envelope sender.",
    "status": "Show the current health of every check and pending alerts.",
    "alerts": "Show recent alerts: sent, pending and dropped.",
    "bounces": "Classify, log and summarise bounces.",
    "silence": "Silence alerts for an account, route or check; list and end silences.",
    "notify": "Send a test message, or report a failed systemd unit.",
    "config": "Validate the configuration; print its schema or an example.",
    "checks": "List the built-in checks.",
    "demo": "Watch a failure, its alert and the recovery on an embedded mail server.",
    "sandbox": "Run an embedded mail server on loopback, optionally with injected faults.",
    "completion": "Print a shell completion script for bash, zsh or fish.",
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
    """Monitor mail end to end: log in, send, receive. Alert once on each change."""
    ctx.obj = config_path


def main() -> NoReturn:
    """Run the command and end the process with its exit code."""
    _make_streams_safe()
    _restore_signals()
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
    except SystemExit as exc:  # click exits like this after a completion, and when its reader is gone (head)
        code = EXIT_PIPE if exc.code else 0
    except BrokenPipeError:
        # Nothing more can be printed, and Python must not try to when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = EXIT_PIPE
    except MailmonError as exc:
        code = _report(exc.code, exc.message, exc.advice, exc.exit_code, wants_json)
    except OSError as exc:
        code = _cannot_write(exc, wants_json) if exc.errno in _FULL else _bug(exc, wants_json)
    except Exception as exc:
        code = _bug(exc, wants_json)
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    # Everything is closed and written; shutting the interpreter down would take a tenth of the run.
    os._exit(code if isinstance(code, int) else 0)


def _cannot_write(exc: OSError, wants_json: bool) -> int:
    """Report that the output cannot be written; every other file has an error of its own."""
    message = f"the output cannot be written: {exc.strerror}"
    return _report("output", message, "Free disk space, or write to another place.", StateError.exit_code, wants_json)


def _bug(exc: Exception, wants_json: bool) -> int:
    """Report a bug by its place: unlike a traceback, that cannot contain a credential."""
    message = f"a bug in mailmon: {type(exc).__name__} at {place_of(exc)}"
    return _report("internal", message, "Please report it with this line.", EXIT_BUG, wants_json)


def _make_streams_safe() -> None:
    """Make sure that printing never ends a run: discard what goes to a closed stream, escape what cannot be encoded."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 -- open until the end
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _restore_signals() -> None:
    """Let SIGINT and SIGTERM end the command even if it was started with them ignored (nohup, a background job)."""
    # What the module signal wraps; its enumerations take half a millisecond to make.
    import _signal  # type: ignore[import-not-found]

    if _signal.getsignal(_signal.SIGINT) == _signal.SIG_IGN:
        _signal.signal(_signal.SIGINT, _signal.default_int_handler)
    if _signal.getsignal(_signal.SIGTERM) == _signal.SIG_IGN:
        _signal.signal(_signal.SIGTERM, _signal.SIG_DFL)


def _report(code: str, message: str, advice: str, exit_code: int, wants_json: bool) -> int:
    with contextlib.suppress(OSError):  # the exit code remains
        for line in message.splitlines():
            click.echo(f"mailmon: {line}", err=True)
        if advice:
            click.echo(f"  → {advice}", err=True)
        if wants_json:
            _print_error(code, message)
    return exit_code


def _print_error(code: str, message: str) -> None:
    click.echo(json.dumps({"schema": "mailmon/error/1", "error": {"code": code, "message": message}}))
