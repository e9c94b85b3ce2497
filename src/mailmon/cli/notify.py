"""`mailmon notify`: do alerts get through?"""

from __future__ import annotations

import socket

import click

from mailmon.cli import common
from mailmon.clients.http import TIMEOUT_S
from mailmon.config import Setup
from mailmon.errors import ConfigError, DeliveryError
from mailmon.model import Alert, AlertKind
from mailmon.notify import NOTIFIERS, ping
from mailmon.notify.channel import AnyChannel

EXIT_REFUSED = 69


@click.group("notify", short_help="Send a test message to the configured channels.")
def notify() -> None:
    """Send a test message to the configured channels."""


@notify.command("test", short_help="Send a test message, say what came back.")
@click.argument("channels", nargs=-1, metavar="[CHANNEL]...")
@common.common_options
def test(channels: tuple[str, ...], config_path: str | None, as_json: bool, color: str) -> None:
    """Send a test message to all channels, or to those named, and say what came back; exit code 69 on a failure."""
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
        raise click.exceptions.Exit(EXIT_REFUSED)


def _chosen(setup: Setup, names: tuple[str, ...]) -> list[AnyChannel]:
    known = {**setup.channels, **({"ping": setup.ping} if setup.ping else {})}
    if not known:
        raise ConfigError("notify", ["no channel is configured"], "Add one under `notify`: docs/configuration.md.")
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ConfigError("notify", [f"there is no channel {n!r}; there are: {', '.join(known)}" for n in unknown])
    return [known[name] for name in names or known]


def _try(channel: AnyChannel) -> tuple[bool, str]:
    """Send a test message; return whether it was taken and what came back."""
    now = common.now()
    body = "If you can read this, alerts of mailmon reach you here. ✅\nTwo lines and an emoji arrive whole."
    alert = Alert(f"test-{now:%Y%m%dT%H%M%SZ}", AlertKind.TEST, f"mailmon test from {socket.gethostname()}", body, now)
    try:
        if isinstance(channel.options, ping.PingOptions):
            return True, ping.send("", body, channel.options, channel.credentials, TIMEOUT_S)
        notifier = NOTIFIERS[channel.options.type]
        return True, notifier.send(alert, channel, TIMEOUT_S)
    except DeliveryError as exc:
        return False, f"{exc.message}{f' → {exc.advice}' if exc.advice else ''}"


COMMAND = notify
