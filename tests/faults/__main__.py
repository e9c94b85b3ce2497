"""Play all histories and print the figures of docs/measurements.md: `python -m tests.faults`."""

from __future__ import annotations

import shutil
import sys
from importlib import import_module
from pathlib import Path

from tests.bed import Bed, bed_directory, missing_programs
from tests.faults.figures import table
from tests.faults.language import History
from tests.faults.theatre import Theatre, missing


def all_histories() -> list[History]:
    """Return the histories of all themes."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("test_*.py"))
    themes = (import_module(f"tests.faults.{name}") for name in names)
    return [history for theme in themes for history in getattr(theme, "HISTORIES", ())]


def main() -> int:
    """Return 0 when every history went as it must, but for those that are known not to."""
    histories = all_histories()
    lacking = {history.name: missing(history) for history in histories}
    theatre = Theatre(histories)
    if not missing_programs():
        _perform_on_bed(theatre, [history for history in histories if history.on == "bed"])
    for history in histories:
        if history.on == "sandbox" and not lacking[history.name]:
            theatre.perform(history)
    theatre.close()
    for name in filter(lacking.get, lacking):
        print(f"not played: {name}: {lacking[name]}", file=sys.stderr)
    unexpected = [p for p in theatre.performances if p.is_right == bool(p.history.broken)]
    for performance in theatre.performances:
        known = f" (known: {performance.history.broken})" if performance.history.broken else ""
        if not performance.is_right:
            print("\n".join([f"{performance.history.name}{known}", *performance.problems]), file=sys.stderr)
        elif known:
            print(f"{performance.history.name}: goes right by now{known}", file=sys.stderr)
    print(table(theatre.performances))
    return 1 if unexpected else 0


def _perform_on_bed(theatre: Theatre, histories: list[History]) -> None:
    directory = bed_directory()
    with Bed(directory) as bed:
        for history in histories:
            bed.reset()
            theatre.perform(history, bed)
    shutil.rmtree(directory)


if __name__ == "__main__":
    sys.exit(main())
