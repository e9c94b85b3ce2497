"""Runs a bed by hand (`python -m tests.bed start --dir /tmp/bed`, then `. /tmp/bed/env.sh`)."""

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from . import certificates
from .bed import Bed
from .processes import missing_programs
from .settings import BedError


def main() -> int:
    """Run one command; the exit code is 1 when the bed is not as it should be."""
    arguments = _parser().parse_args()
    try:
        if arguments.command == "start":
            return _start(arguments)
        bed = Bed.attached(arguments.dir)
        if arguments.command == "status":
            return _status(bed)
        if arguments.command == "deliveries":
            for delivery in bed.deliveries():
                print(json.dumps(asdict(delivery)))
        elif arguments.command == "cert":
            bed.use_certificate(arguments.name)
        elif arguments.command == "reset":
            bed.reset()
        else:
            bed.stop()
    except BedError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bed", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    every = argparse.ArgumentParser(add_help=False)
    every.add_argument("--dir", type=Path, required=True, help="where the bed lives")
    start = commands.add_parser("start", parents=[every], help="start a bed that runs until stop")
    start.add_argument("--users", type=int, default=10)
    start.add_argument("--port", action="append", default=[], metavar="NAME=N", type=_port, help="default: free ports")
    start.add_argument("--penalty", action="store_true", help="keep Dovecot's delay after wrong passwords")
    cert = commands.add_parser("cert", parents=[every], help="swap the servers' certificate")
    cert.add_argument("name", choices=certificates.NAMES)
    for name, what in (
        ("stop", "end the bed's processes"),
        ("status", "say which servers run and answer"),
        ("reset", "empty the mailboxes and the queue"),
        ("deliveries", "print each delivery as a line of JSON"),
    ):
        commands.add_parser(name, parents=[every], help=what)
    return parser


def _port(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    return name, int(number)


def _start(arguments: argparse.Namespace) -> int:
    if missing := missing_programs():
        print(f"missing: {', '.join(missing)}", file=sys.stderr)
        return 1
    began = time.monotonic()
    bed = Bed(arguments.dir, arguments.users, dict(arguments.port), arguments.penalty)
    bed.start()
    print(f"ready in {time.monotonic() - began:.2f} s; now: . {bed.directory}/env.sh")
    return 0


def _status(bed: Bed) -> int:
    for name, pid in bed.processes.items():
        print(f"{name:9} pid {pid}")
    problems = bed.problems()
    print("\n".join(problems) or "all servers answer")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
