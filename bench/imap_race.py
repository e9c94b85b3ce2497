"""imaplib or IMAPClient? Who sees the EXISTS that rides on the reply to an empty SEARCH, and what do both cost?

The server is the sandbox, told to announce a new message only with a SEARCH that did not find it (RFC 3501 section 7
allows it, Dovecot does it now and then): who waits for another EXISTS waits for ever. docs/decisions/0003-imaplib.md
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from bench import waiters
from bench.commands import Command, Usage, alternate, base_environment, run, spread
from bench.tables import Bound, print_table
from mailmon.sandbox import Sandbox

LIBRARIES = {"imaplib": "import ssl, imaplib", "imapclient": "import ssl, imapclient"}
WAITERS = (("imaplib", "noop"), ("imapclient", "noop"), ("imapclient", "idle"))
TRIALS = 5
USER = "monitor@example.org"
MESSAGE = b"From: monitor@example.org\r\nTo: monitor@example.org\r\nSubject: probe\r\n\r\nHello.\r\n"
MISSED = "nowhere"


def measure(rounds: int) -> list[Bound]:
    """Run the race and take the costs; print both. The bound: what mailmon uses must never miss the message."""
    if not find_spec("imapclient"):
        print("skipped: imap_race: IMAPClient is not installed")
        return []
    with tempfile.TemporaryDirectory(prefix="bench-") as files, Sandbox() as sandbox:
        directory = Path(files)
        misses = _race(sandbox, directory)
        _print_costs(sandbox, directory, rounds)
    return [Bound("naive waiter with imaplib: messages missed", misses, 0, "{:.0f}")]


def _race(sandbox: Sandbox, directory: Path) -> int:
    """Return how many messages the waiter with imaplib has missed."""
    sandbox.faults.late_exists = True
    rows, missed = [], {}
    for library, mode in WAITERS:
        seen = [_wait(sandbox, directory, library, mode) for _ in range(TRIALS)]
        missed[library, mode] = seen.count(MISSED)
        where = ", ".join(sorted(set(seen)))
        rows.append((f"{library}, then {mode.upper()}", str(TRIALS), str(seen.count(MISSED)), where))
    sandbox.faults.late_exists = False
    head = ("naive waiter", "runs", f"still waiting after {waiters.PATIENCE_S:g} s", "EXISTS seen")
    print_table("The race: EXISTS rides on an empty SEARCH", head, rows)
    return missed["imaplib", "noop"]


def _wait(sandbox: Sandbox, directory: Path, library: str, mode: str) -> str:
    """Let one waiter select the empty folder, put a message there, let it search; return where it saw the message."""
    inbox = sandbox.store.mailbox(USER)
    inbox.expunge([message.uid for message in inbox.messages])
    command = _command(sandbox, directory, library, mode)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command.argv, env=dict(command.environ), text=True, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "selected"
        inbox.append(MESSAGE)
        said, _ = process.communicate("go\n", timeout=30)
    return str(said).strip()


def _print_costs(sandbox: Sandbox, directory: Path, rounds: int) -> None:
    environ = base_environment(directory)
    # The interpreter with what any mail client needs is the zero of both libraries.
    programs = {"python": "import ssl", **LIBRARIES}
    imports = [Command([sys.executable, "-c", program], environ) for program in programs.values()]
    cycles = [_command(sandbox, directory, library, "cycle") for library in LIBRARIES]
    runs = dict(zip(programs, alternate(imports, rounds, directory), strict=True))
    cycle_runs = dict(zip(LIBRARIES, _alternate_cycles(sandbox, cycles, rounds, directory), strict=True))
    rows = [("ssl alone", *_cells(runs["python"]), "-")]
    for library in LIBRARIES:
        cpu = spread(cycle_runs[library], lambda usage: usage.cpu_s).show("{:.0f}", 1000)
        rows.append((library, *_cells(runs[library]), cpu))
    head = ("import", "wall ms", "CPU ms", "peak MiB", "CPU ms of a cycle (start to end)")
    print_table(f"Cost of the libraries ({rounds} runs; median and quartiles)", head, rows)


def _alternate_cycles(sandbox: Sandbox, commands: list[Command], rounds: int, directory: Path) -> list[list[Usage]]:
    runs: list[list[Usage]] = [[] for _ in commands]
    for number in range(rounds + 1):
        for command, mine in zip(commands, runs, strict=True):
            sandbox.store.mailbox(USER).append(MESSAGE)
            usage = run(command, directory)
            if number:
                mine.append(usage)
    return runs


def _command(sandbox: Sandbox, directory: Path, library: str, mode: str) -> Command:
    argv = [sys.executable, waiters.__file__, library, mode, sandbox.host, str(sandbox.imaps_port)]
    return Command([*argv, str(sandbox.ca_file), USER, sandbox.users[USER]], base_environment(directory))


def _cells(runs: list[Usage]) -> tuple[str, str, str]:
    wall = spread(runs, lambda usage: usage.wall_s).show("{:.0f}", 1000)
    cpu = spread(runs, lambda usage: usage.cpu_s).show("{:.0f}", 1000)
    return wall, cpu, f"{spread(runs, lambda usage: usage.peak_kib).median / 1024:.1f}"
