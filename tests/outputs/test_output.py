"""Outputs: each gets the result of a run, and none can fail, delay or garble it."""

from __future__ import annotations

import sys
import threading
import time
from datetime import UTC, datetime

import pytest

from mailmon.errors import StateError
from mailmon.model import Status
from mailmon.model.run import RunResult
from mailmon.outputs.output import Output, Outputs

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RESULT = RunResult("run-1", NOON, NOON, 1.0, Status.OK, ())


class Toy(Output):
    """An output that keeps what it gets, after printing something."""

    name, called, deadline_s = "toy", "the toy", 0.3

    def __init__(self) -> None:
        self.events: list[object] = []

    def begin(self) -> None:
        print("begun")
        self.events.append("begin")

    def end(self, result: RunResult) -> None:
        print("ended")
        self.events.append(result)

    def fail(self, exit_code: int, said: str) -> None:
        self.events.append((exit_code, said))


class Raising(Toy):
    name, called = "raising", "the raising toy"

    def begin(self) -> None:
        raise ZeroDivisionError

    def end(self, result: RunResult) -> None:
        raise ZeroDivisionError


class Refusing(Toy):
    name, called = "refusing", "the refusing toy"

    def end(self, result: RunResult) -> None:
        raise StateError("the toy is full")


class Exiting(Toy):
    name, called = "exiting", "the exiting toy"

    def end(self, result: RunResult) -> None:
        sys.exit("good-bye")


class Hanging(Toy):
    name, called = "hanging", "the hanging toy"

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def begin(self) -> None:
        self.go_on.wait(20)

    def end(self, result: RunResult) -> None:
        self.go_on.wait(20)
        print("late")


def test_an_output_is_told_the_beginning_before_the_end() -> None:
    toy = Toy()
    outputs = Outputs([toy])
    outputs.begin()
    (delivered,) = outputs.end(RESULT)
    assert (toy.events, delivered.error) == (["begin", RESULT], None)


def test_an_output_is_told_that_a_run_could_not_begin() -> None:
    toy = Toy()
    Outputs([toy]).fail(74, "the lock is held")
    assert toy.events == [(74, "the lock is held")]


def test_no_output_can_harm_the_run_or_another_output(capsys: pytest.CaptureFixture[str]) -> None:
    toy, hanging = Toy(), Hanging()
    outputs, stdout = Outputs([Raising(), Refusing(), Exiting(), hanging, toy]), sys.stdout
    started_s = time.monotonic()
    outputs.begin()
    print("the run")
    errors = {delivered.output.name: delivered.error for delivered in outputs.end(RESULT)}
    print("its end")
    assert time.monotonic() - started_s < 5
    assert toy.events == ["begin", RESULT]
    said = {name: error and error.message for name, error in errors.items()}
    assert said["toy"] is None
    assert said["refusing"] == "the toy is full"
    assert said["hanging"] == "the hanging toy: no answer within 0.3 s"
    assert (said["raising"] or "").startswith("the raising toy: a bug in mailmon: ZeroDivisionError at ")
    assert (said["exiting"] or "").startswith("the exiting toy: a bug in mailmon: SystemExit at ")
    hanging.go_on.set()
    time.sleep(0.1)
    sys.stdout = stdout
    assert capsys.readouterr().out == "the run\nits end\n"


def test_outputs_that_hang_share_one_time() -> None:
    hanging = [Hanging() for _ in range(3)]
    outputs, stdout, started_s = Outputs(hanging), sys.stdout, time.monotonic()
    outputs.begin()
    delivered = outputs.end(RESULT)
    # The time of `begin` and that of `end`; one after the other would take three times as long.
    assert time.monotonic() - started_s < 2 * Hanging.deadline_s + 0.5
    assert [one.error and one.error.message for one in delivered] == ["the hanging toy: no answer within 0.3 s"] * 3
    for one in hanging:
        one.go_on.set()
    time.sleep(0.1)
    sys.stdout = stdout


class Loud(Toy):
    """An output that uses all ways to the standard output."""

    def end(self, result: RunResult) -> None:
        sys.stdout.writelines(["one\n", "two\n"])
        sys.stdout.buffer.write(b"three\n")
        sys.stdout.buffer.flush()
        sys.stdout.flush()
        print("four \udcff", flush=True)
        self.events.append(sys.stdout.write("five"))


def test_no_way_to_the_standard_output_is_open_to_an_output(capfd: pytest.CaptureFixture[str]) -> None:
    loud = Loud()
    outputs = Outputs([loud])
    outputs.begin()
    print("the run")
    sys.stdout.flush()
    (delivered,) = outputs.end(RESULT)
    assert (delivered.error, loud.events[1:]) == (None, [4])
    assert capfd.readouterr().out == "the run\n"


def test_what_follows_is_printed_again_once_all_outputs_have_ended(capsys: pytest.CaptureFixture[str]) -> None:
    stdout = sys.stdout
    outputs = Outputs([Toy()])
    outputs.begin()
    outputs.end(RESULT)
    assert sys.stdout is stdout
    assert capsys.readouterr().out == ""
