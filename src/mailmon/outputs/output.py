"""The interface of outputs, and the threads in which they are called."""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar, NamedTuple, TextIO, cast

from mailmon.errors import DeliveryError, MailmonError, place_of
from mailmon.model.run import RunResult

DEADLINE_S = 5.0


class Output:
    """A receiver of the results of runs.

    Its methods raise MailmonError for a problem. It is called in a thread of its own, for `deadline_s` at most per
    call; what it prints is dropped. A problem is one warning of the run. That of an output that `is_monitored` is
    alerted on like a failed step, `mailmon:NAME`: whatever waits for this output never alarms by itself.
    """

    name: ClassVar[str]
    # What messages call it.
    called: ClassVar[str]
    deadline_s: ClassVar[float] = DEADLINE_S
    is_monitored: ClassVar[bool] = False

    def begin(self) -> None:
        """Take note that a run has begun. Nobody waits for it, and its problems are not reported."""

    def end(self, result: RunResult) -> None:
        """Take the result of a run; never before `begin` has returned or its time is over."""
        raise NotImplementedError

    def fail(self, exit_code: int, said: str) -> None:
        """Take note that a run could not even begin."""


class Delivered(NamedTuple):
    """What became of a result at one output: `error` is None where it was taken."""

    output: Output
    error: MailmonError | None


class Outputs:
    """The outputs of one run."""

    def __init__(self, outputs: Sequence[Output]) -> None:
        self._outputs = outputs
        self._begun: dict[str, _Call] = {}
        self._stdout = sys.stdout

    def begin(self) -> None:
        """Start all that want to know that a run has begun."""
        if self._outputs:
            self._stdout = sys.stdout
            sys.stdout = cast(TextIO, _Stdout(sys.stdout))
        for output in self._outputs:
            if type(output).begin is not Output.begin:
                self._begun[output.name] = _Call(output, output.begin)
                self._begun[output.name].start()

    def end(self, result: RunResult) -> list[Delivered]:
        """Hand the result to all, side by side, and return what became of it."""
        calls = [_Call(one, partial(one.end, result), self._begun.get(one.name)) for one in self._outputs]
        return self._called(calls)

    def fail(self, exit_code: int, said: str) -> None:
        """Let all know that a run could not even begin."""
        self._called([_Call(one, partial(one.fail, exit_code, said)) for one in self._outputs])

    def _called(self, calls: Sequence[_Call]) -> list[Delivered]:
        for call in calls:
            call.start()
        begun_s = time.monotonic()
        for call in calls:
            call.join(max(0.0, begun_s + call.longest_s - time.monotonic()))
        # One that hangs may still print: then its words go on being dropped.
        if not any(call.is_alive() for call in (*calls, *self._begun.values())) and isinstance(sys.stdout, _Stdout):
            sys.stdout = self._stdout
        return [Delivered(call.output, call.error) for call in calls]


class _Call(threading.Thread):
    """One call of an output. A daemon: one that hangs must not keep the process from ending."""

    def __init__(self, output: Output, work: Callable[[], None], after: _Call | None = None) -> None:
        super().__init__(name=f"output {output.name}", daemon=True)
        self.output = output
        self._work, self._after = work, after
        self.longest_s = output.deadline_s * (2 if after else 1)
        self.error: MailmonError | None = DeliveryError(f"{output.called}: no answer within {output.deadline_s:g} s")

    def run(self) -> None:
        if self._after:
            self._after.join(self.output.deadline_s)
        try:
            self._work()
            self.error = None
        except MailmonError as exc:
            self.error = exc
        except BaseException as exc:  # a bug in an output must not cost the run anything
            said = f"a bug in mailmon: {type(exc).__name__} at {place_of(exc)}"
            self.error = MailmonError(f"{self.output.called}: {said}", "Please report it with this line.")


class _Nowhere(io.RawIOBase):
    """A stream that drops what is written."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return memoryview(data).nbytes


class _Stdout:
    """The standard output without what outputs print: with --json there is one document and nothing else.

    Whatever an output does with it, by the buffer below too, is done with a stream that leads nowhere.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._nowhere = io.TextIOWrapper(io.BufferedWriter(_Nowhere()), "utf-8", "replace")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._nowhere if isinstance(threading.current_thread(), _Call) else self._stream, name)
