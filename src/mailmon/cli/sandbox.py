"""`mailmon sandbox`: a mail server to test mailmon with."""

from __future__ import annotations

import dataclasses
import math
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin

import click

from mailmon.cli import common
from mailmon.errors import MissingExtraError

if TYPE_CHECKING:
    from mailmon.sandbox import Faults

_POLL_S = 0.2


def import_sandbox() -> Any:
    """Return the sandbox package. Raises MissingExtraError where its libraries are not installed."""
    try:
        import mailmon.sandbox.settings
    except ImportError as exc:
        raise MissingExtraError(
            f"the embedded mail server needs {exc.name}", "Install the extra: pip install 'mailmon[sandbox]'"
        ) from exc
    return mailmon.sandbox


@click.command("sandbox", short_help="Run an embedded mail server on loopback, optionally with injected faults.")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory for its files [default: a temporary one].",
)
@click.option("--fault", "faults", multiple=True, metavar="NAME[=VALUE]", help="Inject a fault; repeatable.")
@click.option("--list-faults", is_flag=True, help="List the faults with types and descriptions, and exit.")
@click.option("--seconds", type=common.Finite(), metavar="S", help="Stop after this many seconds.")
def sandbox(directory: Path | None, faults: tuple[str, ...], list_faults: bool, seconds: float | None) -> None:
    """Run a small SMTP and IMAP server on 127.0.0.1 with random passwords and a temporary CA.

    Writes a configuration for it to its directory. To try a failure and a recovery, write faults to the file `faults`
    there, one per line: changes are applied while the server runs.
    """
    package = import_sandbox()
    if list_faults:
        for field in dataclasses.fields(package.Faults):
            click.echo(f"{field.name:<20} {_kind(field):<22} {description_of(field)}")
        return
    settings = apply_faults(package.Faults(), list(faults))
    with tempfile.TemporaryDirectory(prefix="mailmon-sandbox-") as temporary:
        place = (directory or Path(temporary)).resolve()
        place.mkdir(parents=True, exist_ok=True)
        with package.Sandbox(faults=settings, directory=place) as server:
            path = package.settings.write_configuration(server, place)
            common.say(f"SMTP on 127.0.0.1:{server.smtp_port} (starttls) and {server.smtps_port} (tls)")
            common.say(f"IMAP on 127.0.0.1:{server.imap_port} (starttls) and {server.imaps_port} (tls)")
            common.say(f"try it:   mailmon check --config {path}")
            common.say(f"break it: echo lose_mail > {place / 'faults'}   (mailmon sandbox --list-faults)")
            common.say("end it:   Ctrl-C")
            _serve(settings, place / "faults", list(faults), seconds)


def apply_faults(faults: Faults, words: list[str]) -> Faults:
    """Set faults from `name` and `name=value`, and reset all others. Raises click.UsageError for an invalid one."""
    fresh = type(faults)()
    fields = {field.name: field for field in dataclasses.fields(fresh)}
    for word in words:
        name, _, value = word.partition("=")
        if name not in fields:
            raise click.UsageError(f"unknown fault {name!r}: see `mailmon sandbox --list-faults`")
        try:
            setattr(fresh, name, _parsed(getattr(fresh, name), _kind(fields[name]), value))
        except ValueError as exc:
            raise click.UsageError(f"{name}: {exc}") from exc
    for name in fields:
        setattr(faults, name, getattr(fresh, name))
    return faults


def _parsed(present: object, kind: str, value: str) -> object:
    if isinstance(present, bool):
        return value.lower() not in ("0", "no", "false")
    if isinstance(present, set):
        return {part.strip() for part in value.split(",") if part.strip()}
    if isinstance(present, float):
        number = float(value)
        if not math.isfinite(number):
            raise ValueError(f"expected a number, got {value[:80]!r}")
        return number
    if not value:
        raise ValueError(f"expected a value: {kind}")
    return value


def description_of(field: dataclasses.Field[Any]) -> str:
    """Return the description of a fault."""
    return str(get_args(field.type)[1])


def _kind(field: dataclasses.Field[Any]) -> str:
    kind = get_args(field.type)[0]
    # `set[str]` is shown as a set.
    return "set" if get_origin(kind) is set else kind.__name__ if isinstance(kind, type) else str(kind)


def _serve(faults: Faults, file: Path, given: list[str], seconds: float | None) -> None:
    """Wait, and apply the faults file whenever it has changed."""
    ended = threading.Event()
    seen = ""
    waited_s = 0.0
    while seconds is None or waited_s < seconds:
        ended.wait(_POLL_S)
        waited_s += _POLL_S
        text = file.read_text("utf-8", errors="replace") if file.exists() else ""
        if text != seen:
            seen = text
            _apply_file(faults, [*given, *(line.strip() for line in text.splitlines() if line.strip())])


def _apply_file(faults: Faults, words: list[str]) -> None:
    try:
        apply_faults(faults, words)
    except click.UsageError as exc:
        common.warn(exc.format_message())
    else:
        common.say(f"faults: {', '.join(words) or 'none'}")


COMMAND = sandbox
