"""`mailmon demo`: a failure, its alert and the recovery, to watch."""

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


class _Act(NamedTuple):
    """One scene: what happens to the server, in words and as faults, and what a person is told."""

    title: str
    faults: dict[str, Any]
    no_alert: str = ""


_ACTS = (
    _Act("All is well. A first check says so and disturbs nobody.", {}, "Nobody is told: nothing has changed."),
    _Act("The SMTP server now refuses the login.", {"refuse_login": {"smtp"}}),
    _Act("The next check finds the same.", {"refuse_login": {"smtp"}}, "Nobody is told again: nothing has changed."),
    _Act("The login works again, but the server loses the mail that it accepts.", {"lose_mail": True}),
    _Act("Everything is repaired.", {}),
)


@click.command("demo", short_help="Watch a failure and a recovery; no network needed.")
@click.option("--fast", is_flag=True, help="Do not pause between the scenes.")
def demo(fast: bool) -> None:
    """Run full check cycles against an embedded mail server, well, broken and repaired, and show the alerts.

    Needs no network and no configuration, touches nothing outside a temporary directory, takes some ten seconds.
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
            console.print("A notification server stands for ntfy. Each scene is one run of [bold]mailmon check[/bold].")
            setup = _setup(package, server, directory, phone.url)
            for number, act in enumerate(_ACTS, start=1):
                _pause(fast)
                _play(console, number, act, server, setup, phone)
    console.print("\nThat was real mail, over real TLS, and a real notification. Now your own server: README.md.")


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


def _play(console: Console, number: int, act: _Act, server: Any, setup: Setup, phone: Any) -> None:
    fresh = type(server.faults)()
    for name in vars(fresh):
        setattr(server.faults, name, act.faults.get(name, getattr(fresh, name)))
    console.print(f"\n[bold]{number}. {act.title}[/bold]")
    console.print("[dim]$ mailmon check[/dim]")
    told = len(phone.ntfy_messages())
    report = run(Request(setup, now, on_done=lambda outcome, label: _print_step(console, outcome, label)))
    console.print(f"[dim]exit code {report.exit_code}, {report.duration_s:.1f} s[/dim]")
    messages = phone.ntfy_messages()[told:]
    for message in messages:
        console.print(_as_on_the_phone(message))
    if not messages:
        console.print(f"  {act.no_alert}")


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
