"""Ping URL: tell an outside watcher that mailmon is alive (healthchecks.io/docs/http_api/).

`<url>/start` when a run begins, `<url>` when all is well, `<url>/fail` when something failed. A ping that is missing is
what the outside watcher alarms on; one that was never pinged does not, so an address that refuses is reported by us.
"""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, ClassVar, Literal

from mailmon.errors import DeliveryError
from mailmon.notify.channel import Channel, ChannelOptions
from mailmon.text import fit_bytes, fit_characters, visible
from mailmon.typedjson.declare import About, SecretText, options

MAX_BODY_BYTES, MAX_SHOWN = 10_000, 200
# Healthchecks answers so, with 200, to a ping for a check that it does not know.
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
    """Say whether a service that answers 2xx says in its body that it did not take the ping."""
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
