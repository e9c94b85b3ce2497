"""`mailmon demo`: a failure, its alert and the recovery on an embedded mail server."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import click
from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from mailmon.app.setup import now
from mailmon.cli.sandbox import import_sandbox
from mailmon.config import Overrides, Setup, load, resolve
from mailmon.model import Outcome
from mailmon.render import terminal
from mailmon.run import Request, run

_TAG_EMOJI = {"rotating_light": "🚨", "warning": "⚠️", "white_check_mark": "✅", "email": "📧"}
_PHONE_COLUMNS = 72
_WAIT_S = 2


class _Step(NamedTuple):
    """One step: what happens to the server, as text and as faults, and why no alert is sent."""

    title: str
    faults: dict[str, Any]
    no_alert: str = ""


_STEPS = (
    _Step("All checks pass.", {}, "No alert: nothing has changed."),
    _Step("The SMTP server refuses the login.", {"refuse_login": {"smtp"}}),
    _Step("The next run gives the same result.", {"refuse_login": {"smtp"}}, "No second alert: nothing has changed."),
    _Step("Logins recover, but the server loses accepted mail.", {"lose_mail": True}),
    _Step("Everything is fixed.", {}),
)


@click.command("demo", short_help="Watch a failure, its alert and the recovery on an embedded mail server.")
@click.option("--fast", is_flag=True, help="Do not pause between the steps.")
def demo(fast: bool) -> None:
    """Check an embedded mail server that works, fails and recovers, and show the alerts.

    Needs no network and no configuration, writes only to a temporary directory, takes about ten seconds.
    """
    package = import_sandbox()
    from mailmon.sandbox.receiver import Receiver

    console = Console(highlight=False, emoji=False)
    with tempfile.TemporaryDirectory(prefix="mailmon-demo-") as name, Receiver() as phone:
        directory = Path(name)
        with package.Sandbox(directory=directory) as server:
            console.print(
                f"A mail server listens on {server.host}, SMTP {server.smtp_port} and IMAP {server.imaps_port}."
            )
            console.print("A local server stands in for ntfy. Each step is one run of [bold]mailmon check[/bold].")
            setup = _setup(package, server, directory, phone.url)
            for number, step in enumerate(_STEPS, start=1):
                _pause(fast)
                _play(console, number, step, server, setup, phone)
    console.print(
        "\nThese were real mails over real TLS, and real notifications. To monitor your own server, see README.md."
    )


def _setup(package: Any, server: Any, directory: Path, url: str) -> Setup:
    changes = {
        "notify": {"ntfy": {"server": url, "topic": "demo"}},
        "checks": {"defaults": {"failure_threshold": 1}, "receive": {"timeout_s": _WAIT_S}},
        "routes": {
            "main": {"from": "main", "to": next(iter(server.users)), "in": "main", "receive_timeout_s": _WAIT_S}
        },
    }
    path = package.settings.write_configuration(server, directory, changes)
    return resolve(load(path, Overrides(), os.environ), path, os.environ)


def _play(console: Console, number: int, step: _Step, server: Any, setup: Setup, phone: Any) -> None:
    fresh = type(server.faults)()
    for name in vars(fresh):
        setattr(server.faults, name, step.faults.get(name, getattr(fresh, name)))
    console.print(f"\n[bold]{number}. {step.title}[/bold]")
    console.print("[dim]$ mailmon check[/dim]")
    n_seen = len(phone.ntfy_messages())
    report = run(Request(setup, now, on_done=lambda outcome, label: _print_step(console, outcome, label)))
    console.print(f"[dim]exit code {report.exit_code}, {report.duration_s:.1f} s[/dim]")
    messages = phone.ntfy_messages()[n_seen:]
    for message in messages:
        console.print(_as_on_the_phone(message))
    if not messages:
        console.print(f"  {step.no_alert}")


def _print_step(console: Console, outcome: Outcome, label: str) -> None:
    colour = terminal.COLOURS.get(outcome.status)
    for number, line in enumerate(terminal.step_lines(outcome, label)):
        console.print(Text(f"  {line}", style=colour or "" if number == 0 else "dim"))


def _as_on_the_phone(message: dict[str, Any]) -> Padding:
    emoji = " ".join(_TAG_EMOJI.get(tag, "") for tag in message["tags"])
    text = Text.assemble((f"{emoji}  {message['title']}\n\n", "bold"), message["message"])
    panel = Panel(text, title=f"ntfy · {message['topic']} · now", title_align="left", width=_PHONE_COLUMNS)
    return Padding(panel, (0, 2))


def _pause(is_fast: bool) -> None:
    if not is_fast:
        time.sleep(1)


COMMAND = demo
