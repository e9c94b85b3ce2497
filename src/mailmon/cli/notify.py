"""`mailmon notify`: send a test message, or report a failed systemd unit."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

import click

from mailmon.app.setup import now
from mailmon.cli import common
from mailmon.clients.http import TIMEOUT_S
from mailmon.config import Setup
from mailmon.errors import ConfigError, DeliveryError, UnknownNameError
from mailmon.model import Alert, AlertKind
from mailmon.model.run import EXIT_ALERT, EXIT_FAILED, EXIT_UNKNOWN
from mailmon.notify import NOTIFIERS
from mailmon.notify.channel import AnyChannel
from mailmon.outputs import ping
from mailmon.run.own_failures import alert_unit_failed
from mailmon.text import visible

# Exit codes of a run that has finished and has sent its own alerts.
_FINISHED = frozenset(map(str, (EXIT_FAILED, EXIT_UNKNOWN, EXIT_ALERT)))


@click.group("notify", short_help="Send a test message, or report a failed systemd unit.")
def notify() -> None:
    """Send a test message to the alert channels, or report a failed systemd unit to them."""


@notify.command("test", short_help="Send a test message, and show the response.")
@click.argument(
    "channels",
    nargs=-1,
    metavar="[CHANNEL]...",
    shell_complete=common.completing(lambda setup: [*setup.channels, *(["ping"] if setup.ping else [])]),
)
@common.verbose_option
@common.common_options
def test(channels: tuple[str, ...], config_path: str | None, as_json: bool, color: str) -> None:
    """Send a test message to all alert channels or those named, and show the response. Exits 69 if one fails."""
    setup = common.load_setup(config_path)
    results = [(channel.name, *_try(channel)) for channel in _chosen(setup, channels)]
    for name, is_sent, words in results:
        if not as_json:
            has_colour = common.wants_colour(color)
            colour = ("green" if is_sent else "red") if has_colour else None
            common.say(f"{'✓' if is_sent else '❌'} {name}: {words}", colour=colour)
    if as_json:
        rows = [{"channel": name, "status": "sent" if sent else "failed", "message": w} for name, sent, w in results]
        common.print_json({"schema": "mailmon/notify/1", "channels": rows})
    if not all(is_sent for _, is_sent, _ in results):
        raise click.exceptions.Exit(EXIT_ALERT)


@notify.command("unit-failed", short_help="Report a failed systemd unit that runs mailmon.")
@click.argument("unit", envvar="MONITOR_UNIT", default="mailmon")
@click.option(
    "--any-exit-code", is_flag=True, help="Also report exit codes 1, 69 and 75, for a unit other than a check."
)
@common.verbose_option
@common.common_options
def unit_failed(unit: str, any_exit_code: bool, config_path: str | None, as_json: bool, color: str) -> None:
    """Report a failed UNIT [default: $MONITOR_UNIT] to all alert channels, for OnFailure= of a unit that runs mailmon.

    Alerts once; the next complete run clears it. Exit codes of a run that has finished (1, 69, 75) are not reported:
    that run has sent its own alerts. Works even if the configuration is invalid, as long as its channels are valid.
    """
    del color
    if os.environ.get("MONITOR_EXIT_STATUS") in _FINISHED and not any_exit_code:
        common.say("no alert sent: the run has finished and sent its own alerts", err=as_json)
        if as_json:
            common.print_json({"schema": "mailmon/notify/1", "alerts": []})
        return
    setup, mistakes = _setup_or_rescue(config_path)
    said = _evidence(os.environ)
    lines = alert_unit_failed(setup, visible(unit, 200), f"{said}; {mistakes}" if mistakes else said, now)
    if as_json:
        rows = [{"id": a.id, "channel": a.channel, "status": a.status, "title": a.title} for a in lines]
        common.print_json({"schema": "mailmon/notify/1", "alerts": rows})
    for line in () if as_json else lines:
        common.say(f"alert {line.status}: {line.channel}: {line.error or line.title}")
    if not lines and not as_json:
        common.say("no alert sent: already reported or silenced")
    if not setup.channels:
        raise ConfigError("notify", ["no usable alert channel, so no alert was sent"])
    if any(line.status != "sent" for line in lines):
        raise click.exceptions.Exit(EXIT_ALERT)


def _setup_or_rescue(config_path: str | None) -> tuple[Setup, str]:
    """Return the setup, or the usable part of an invalid configuration, and its first mistake."""
    try:
        setup = common.load_setup(config_path, uses_state=False)
        mistakes = ""
    except ConfigError as exc:
        for problem in exc.message.splitlines():
            common.warn(problem)
        from mailmon.config.rescue import rescue

        setup, mistakes = rescue(common.config_file(config_path), os.environ), exc.message.splitlines()[0]
    common.enter_state(setup, common.config_file(config_path))
    return setup, mistakes


def _evidence(environ: Mapping[str, str]) -> str:
    """Return how the unit ended, which systemd passes to the units of OnFailure= (systemd.exec(5), since 251)."""
    result, status = environ.get("MONITOR_SERVICE_RESULT", ""), environ.get("MONITOR_EXIT_STATUS", "")
    words = [f"result {visible(result, 40)}"] if result else []
    words += [f"exit status {visible(status, 40)}"] if status else []
    return ", ".join(words) or "no details from systemd"


def _chosen(setup: Setup, names: tuple[str, ...]) -> list[AnyChannel]:
    known = {**setup.channels, **({"ping": setup.ping} if setup.ping else {})}
    if not known:
        raise ConfigError(
            "notify",
            ["no alert channel configured"],
            "Set ntfy_topic, or add a channel under `notify`: docs/channels.md.",
        )
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UnknownNameError("\n".join(f"unknown channel {n!r} (configured: {', '.join(known)})" for n in unknown))
    return [known[name] for name in names or known]


def _try(channel: AnyChannel) -> tuple[bool, str]:
    """Send a test message; return whether it was accepted, and the response."""
    at = now()
    body = "Test message from mailmon: alerts will arrive here. ✅\nThis is the second line."
    alert = Alert(f"test-{at:%Y%m%dT%H%M%SZ}", AlertKind.TEST, f"mailmon test from {socket.gethostname()}", body, at)
    try:
        if isinstance(channel.options, ping.PingOptions):
            return True, ping.send("", body, channel, TIMEOUT_S)
        notifier = NOTIFIERS[channel.options.type]
        return True, notifier.send(alert, channel, TIMEOUT_S)
    except DeliveryError as exc:
        return False, f"{exc.message}{f' → {exc.advice}' if exc.advice else ''}"


COMMAND = notify
