"""Does the server take a message from the account to the route's address?"""

from __future__ import annotations

from collections.abc import Iterator

from mailmon.checks.check import Check
from mailmon.checks.subjects import Route
from mailmon.checks.tools import Tools
from mailmon.mail.probe import compose, message_id
from mailmon.mail.text import format_duration
from mailmon.model import Fact, Note


def ask(tools: Tools, route: Route) -> Iterator[Fact]:
    """Hand the planned probe over; the 250 after DATA starts the clock of its delivery."""
    assert route.sender.smtp is not None
    probe = tools.ledger.current(route.name)
    if probe.accepted_at is not None:
        ago_s = (tools.world.now() - probe.accepted_at).total_seconds()
        yield Note(f"OK (sent {format_duration(max(ago_s, 1))} ago)")
        return
    message = compose(probe, tools.world.key, tools.world.version, route.form)
    accepted = tools.smtp(route.sender).send(probe.sender, probe.recipient, message)
    tools.accepted[probe.token] = accepted
    tools.ledger.accept(probe.token, at=tools.world.now(), by=route.sender.smtp.target, queue_id=accepted.queue_id)
    yield Note(f"OK (Message-ID: {message_id(probe.token, probe.sender.rpartition('@')[2])})")


CHECK = Check("send", "Send Test", ask, needs=("smtp_auth:sender", "mailbox:reader"))
