"""Run the matrix and print its table: `python -m tests.servers [ROW]... [--cell NAME]... [--write]`."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.servers import scenario, table, tree
from tests.servers.combinations import ROWS
from tests.servers.environment import running_environment
from tests.servers.parts import Combination

PAGE = Path(__file__).parents[2] / "docs/measurements.md"
_PROGRAMS = ("mmdebstrap", "unshare", "nsenter", "ip", "tar", "openssl")
# Everything of a row ends with its process, however that ends.
_APART = ("unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc")
_ROW_S = 3600.0


def main() -> int:
    """Run the rows; the exit code is 1 when a cell says no, 2 where nothing can be run."""
    options = _options()
    rows = [row for row in ROWS if not options.rows or row.key in options.rows]
    if options.inside:
        return _play(rows[0], Path(options.inside), options.cell)
    if problem := _missing():
        print(problem, file=sys.stderr)
        return 2
    for row in rows:
        tree.make(row.packages, row.suite)
    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda row: _run(row, options.cell), rows))
    text = table.render(results)
    print(f"\n{text}")
    if options.write:
        PAGE.write_text(table.put(PAGE.read_text("utf-8"), text), "utf-8")
    return 1 if any(one["word"] == "no" for row in results for one in row["verdicts"]) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.servers", description=__doc__)
    names = [row.key for row in ROWS]
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"default: all of {', '.join(names)}")
    parser.add_argument("--cell", action="append", default=[], choices=list(scenario.CELLS), help="play only this")
    parser.add_argument("--jobs", type=int, default=3, help="rows at a time; they mostly wait (default: 3)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/measurements.md")
    # The directory of a row's process, which has namespaces of its own.
    parser.add_argument("--inside", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if unknown := set(options.rows) - set(names):
        parser.error(f"unknown row {', '.join(sorted(unknown))} (defined: {', '.join(names)})")
    if options.write and (options.rows or options.cell):
        parser.error("--write takes the whole matrix: name no rows and cells")
    return options


def _missing() -> str:
    if os.geteuid() != 0:
        return "only root can run servers in namespaces of their own"
    absent = [name for name in _PROGRAMS if shutil.which(name) is None]
    return f"not installed: {', '.join(absent)} (make test-system-deps)" if absent else ""


def _run(row: Combination, cells: list[str]) -> dict[str, Any]:
    """Run a row in namespaces of its own, and print what it said when it has ended."""
    started_s = time.monotonic()
    evidence = _evidence(row)
    shutil.rmtree(evidence, ignore_errors=True)
    evidence.mkdir(parents=True)
    chosen = [word for cell in cells for word in ("--cell", cell)]
    # Made and removed out here, where nothing is mounted below it.
    directory = Path(tempfile.mkdtemp(prefix="mailmon-servers-"))
    directory.chmod(0o755)
    command = [*_APART, sys.executable, "-m", "tests.servers", row.key, "--inside", str(directory), *chosen]
    with (evidence / "printed").open("wb") as out:
        try:
            ended = str(
                subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=_ROW_S).returncode
            )
        except subprocess.TimeoutExpired:
            ended = f"none after {_ROW_S:.0f} s"
        finally:
            shutil.rmtree(directory)
    printed = (evidence / "printed").read_text(errors="replace")
    print(f"{row.key}:\n{printed}  {time.monotonic() - started_s:.0f} s; evidence: {evidence}", flush=True)
    result = evidence / "result.json"
    if not result.exists():
        verdict = {"cell": "green", "word": "no", "remark": f"the row ended before its end; exit code: {ended}"}
        return {"servers": row.key, "verdicts": [verdict]}
    document: dict[str, Any] = json.loads(result.read_text())
    return document


def _play(row: Combination, directory: Path, cells: list[str]) -> int:
    """Play a row, inside its namespaces."""
    evidence = _evidence(row)
    names, verdicts = row.key, []
    try:
        with running_environment(row, directory, evidence) as environment:
            parts = dict.fromkeys((row.transport, row.store))
            names = " + ".join(f"{part.name} {part.version(environment.machine)}" for part in parts)
            names += ", ".join(["", row.protocol.upper(), *([row.note] if row.note else [])])
            print(f"  {names}", flush=True)
            verdicts = scenario.play(environment, cells, lambda line: print(line, flush=True))
    except Exception as exc:
        traceback.print_exc()
        verdicts = verdicts or [scenario.Verdict("green", "no", f"the environment was not set: {exc}")]
    document = {"servers": names, "verdicts": [verdict._asdict() for verdict in verdicts]}
    (evidence / "result.json").write_text(json.dumps(document, indent=1))
    return 0


def _evidence(row: Combination) -> Path:
    return tree.cache() / "evidence" / row.key


if __name__ == "__main__":
    sys.exit(main())
