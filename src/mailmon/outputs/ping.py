"""The ping URL: reports to an outside monitoring service that mailmon is alive (healthchecks.io/docs/http_api/).

`<url>/start` when a run begins, `<url>` when all is well, `<url>/fail` when something failed. The service alarms when a
ping is missing. One that was never pinged does not, so mailmon alerts when the URL refuses its pings.
"""

from __future__ import annotations

import time
from dataclasses import field
from typing import Annotated, ClassVar, Literal

from mailmon.clients.deadline import Deadline
from mailmon.errors import DeliveryError
from mailmon.model.run import RunResult
from mailmon.notify.channel import Channel, ChannelOptions
from mailmon.outputs.output import Output
from mailmon.text import fit_bytes, fit_characters, visible
from mailmon.typedjson.declare import About, SecretText, options

MAX_BODY_BYTES, MAX_SHOWN = 10_000, 200
# Between the attempts of one ping, all of which have the deadline of one call.
PAUSES_S = (0.3, 0.6)
# The answer of Healthchecks, with 200, to a ping for a check that it does not know.
_UNKNOWN = b"OK (not found)"
_ADVICE = "Copy the ping URL from the monitoring service again, and test it with `mailmon notify test ping`."


@options
class PingOptions(ChannelOptions):
    """A check of Healthchecks, or of whatever speaks its conventions; its address is a credential."""

    SECRETS: ClassVar[tuple[str, ...]] = ("url",)
    REQUIRED_SECRETS: ClassVar[tuple[str, ...]] = ("url",)

    type: Literal["ping"] = "ping"
    url: Annotated[SecretText | None, About("Ping address")] = field(default=None, repr=False)
    url_file: Annotated[str | None, About("File that holds the ping address")] = None
    failure: Annotated[
        Literal["fail", "exit_code"], About("What is added to the address after a failure: /fail, or the exit code")
    ] = "fail"


class Ping(Output):
    """Pings when a run begins and ends, up to three times each."""

    name, called, is_monitored = "ping", "the ping URL", True

    def __init__(self, channel: Channel[PingOptions]) -> None:
        self._channel = channel

    def begin(self) -> None:
        self._ping("start", "")

    def end(self, result: RunResult) -> None:
        head = f"exit code {result.exit_code}: {result.status}, {result.duration_s:.1f} s"
        body = "\n".join([head, *(f"{step.id}: {step.status}: {step.message}" for step in result.steps)])
        self._ping(self._failure(result.exit_code) if result.exit_code else "", body)

    def fail(self, exit_code: int, said: str) -> None:
        self._ping(self._failure(exit_code), f"exit code {exit_code}: {said}")

    def _failure(self, exit_code: int) -> str:
        return "fail" if self._channel.options.failure == "fail" else str(exit_code)

    def _ping(self, signal: str, body: str) -> None:
        deadline = Deadline(self.deadline_s)
        for pause_s in (*PAUSES_S, None):
            try:
                send(signal, body, self._channel, deadline.remaining_s())
            except DeliveryError as exc:
                if exc.is_permanent or pause_s is None or pause_s >= deadline.remaining_s():
                    raise
                time.sleep(pause_s)
            else:
                return


def send(signal: str, body: str, channel: Channel[PingOptions], timeout_s: float) -> str:
    """Send `start`, `fail`, an exit code or `` (success) with a body; return what came back. Raises DeliveryError."""
    from mailmon.clients.http import Request, post_for_answer

    # Healthchecks takes options in the query; the signal is part of the path.
    base, mark, query = (channel.credentials.get("url") or "").partition("?")
    base = base.rstrip("/")
    mask = channel.credentials.masker()
    request = Request(
        who="the ping URL",
        url=(f"{base}/{signal}" if signal else base) + mark + query,
        body=fit_bytes(body, MAX_BODY_BYTES).encode(),
        headers={"Content-Type": "text/plain; charset=utf-8"},
        mask=mask,
        ca_file=channel.options.ca_file,
        ca_key=channel.key("ca_file"),
    )
    try:
        answer = post_for_answer(request, timeout_s)
    except DeliveryError as exc:
        if exc.is_permanent:
            raise DeliveryError(exc.message, _ADVICE, is_permanent=True) from exc
        raise
    if _is_unknown(answer.said):
        words = fit_characters(mask(visible(answer.said.strip())), MAX_SHOWN)
        raise DeliveryError(f"the ping URL: answered {answer.status}: {words}", _ADVICE, is_permanent=True)
    return f"the ping URL answered {answer.status}"


def _is_unknown(said: bytes) -> bool:
    """Return whether a service that answers 2xx says in its body that it did not take the ping."""
    if said.strip() == _UNKNOWN:
        return True
    if not said.lstrip().startswith(b"{"):
        return False
    import json

    try:
        document = json.loads(said)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and document.get("ok") is False
