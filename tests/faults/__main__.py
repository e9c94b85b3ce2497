"""Run all scenarios and print the figures of docs/measurements.md: `python -m tests.faults`."""

from __future__ import annotations

import shutil
import sys
from importlib import import_module
from pathlib import Path

from tests.bed import Bed, bed_directory, missing_programs
from tests.faults.dsl import Scenario
from tests.faults.figures import table
from tests.faults.runner import Runner, missing


def all_scenarios() -> list[Scenario]:
    """Return the scenarios of all test modules."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("test_*.py"))
    modules = (import_module(f"tests.faults.{name}") for name in names)
    return [scenario for module in modules for scenario in getattr(module, "SCENARIOS", ())]


def main() -> int:
    """Return 0 when every scenario is correct, apart from those marked as broken."""
    scenarios = all_scenarios()
    lacking = {scenario.name: missing(scenario) for scenario in scenarios}
    runner = Runner(scenarios)
    if not missing_programs():
        _run_on_bed(runner, [scenario for scenario in scenarios if scenario.on == "bed"])
    for scenario in scenarios:
        if scenario.on == "sandbox" and not lacking[scenario.name]:
            runner.result_of(scenario)
    runner.close()
    for name in filter(lacking.get, lacking):
        print(f"not run: {name}: {lacking[name]}", file=sys.stderr)
    unexpected = [p for p in runner.results if p.is_correct == bool(p.scenario.broken)]
    for result in runner.results:
        known = f" (known: {result.scenario.broken})" if result.scenario.broken else ""
        if not result.is_correct:
            print("\n".join([f"{result.scenario.name}{known}", *result.problems]), file=sys.stderr)
        elif known:
            print(f"{result.scenario.name}: correct by now{known}", file=sys.stderr)
    print(table(runner.results))
    return 1 if unexpected else 0


def _run_on_bed(runner: Runner, scenarios: list[Scenario]) -> None:
    directory = bed_directory()
    with Bed(directory) as bed:
        for scenario in scenarios:
            bed.reset()
            runner.result_of(scenario, bed)
    shutil.rmtree(directory)


if __name__ == "__main__":
    sys.exit(main())
