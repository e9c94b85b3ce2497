"""Sending of a route's probe."""

from __future__ import annotations

from collections.abc import Iterator

from mailmon.checks.check import RouteCheck
from mailmon.checks.context import RunContext
from mailmon.checks.options import CheckOptions
from mailmon.checks.targets import Route
from mailmon.clients.smtp import Accepted, ended_before_mail
from mailmon.errors import StageError
from mailmon.mail.probe.probe import compose, message_id
from mailmon.model import Fact, Note, Probe
from mailmon.text import fit_characters, format_duration

# Each remembered probe keeps its reply; one with a queue id in it is no longer than this.
MAX_REPLY = 200


def run(context: RunContext, route: Route, _options: CheckOptions) -> Iterator[Fact]:
    """Hand the planned probe over; the 250 after DATA starts the clock of its delivery."""
    assert route.sender.smtp is not None
    probe = context.ledger.current(route.name)
    if probe.accepted_at is not None:
        ago_s = (context.environment.now() - probe.accepted_at).total_seconds()
        yield Note(f"OK (sent {format_duration(max(ago_s, 1))} ago)")
        return
    message = compose(probe, context.environment.key, context.environment.version, route.form)
    accepted = _send(context, route, probe, message)
    context.accepted[probe.token] = accepted
    queue_id, reply = accepted.queue_id, fit_characters(accepted.reply, MAX_REPLY)
    context.ledger.accept(
        probe.token, at=context.environment.now(), by=route.sender.smtp.target, queue_id=queue_id, reply=reply
    )
    yield Note(f"OK (Message-ID: {message_id(probe.token, probe.sender.rpartition('@')[2])})")


def _send(context: RunContext, route: Route, probe: Probe, message: bytes) -> Accepted:
    """Hand the probe over; once more where the server had ended the session while the mailbox was opened."""
    client = context.smtp(route.sender)
    try:
        return client.send(probe.sender, probe.recipient, message)
    except StageError as exc:
        if not ended_before_mail(exc):
            raise
    return context.reopen_smtp(route.sender, client).send(probe.sender, probe.recipient, message)


# A probe that is greylisted is no outage.
CHECK = RouteCheck(
    name="send",
    label="Send Test",
    about="Sends a probe from the route's account to its address.",
    options=CheckOptions,
    run=run,
    failure_threshold=2,
    needs=("smtp_auth:sender", "mailbox:reader"),
)
