"""Times of delivery, read from Postfix's own log."""

import re
from dataclasses import dataclass
from pathlib import Path

_MESSAGE_ID = re.compile(r": (\w+): message-id=(<[^>]*>)")
# delays=a/b/c/d: before the queue manager (the client's own transmission), in the queue, connecting, transmitting
_DELIVERY = re.compile(
    r" pf\S*/(?P<transport>\w+)\[\d+\]: (?P<queue_id>\w+): to=<(?P<recipient>[^>]*)>.*"
    r" delays=[\d.]+/(?P<b>[\d.]+)/(?P<c>[\d.]+)/(?P<d>[\d.]+),.* status=(?P<status>\w+)"
)


@dataclass(frozen=True)
class Delivery:
    """One attempt to deliver one mail to one recipient. `status` is Postfix's: sent, deferred or bounced.

    `after_accept_s` is the true delivery time: from the moment Postfix had the whole mail to the mailbox server's
    answer. It has microseconds. For a mail that was deferred before, it counts the last attempt only.
    """

    queue_id: str
    message_id: str | None
    recipient: str
    transport: str
    after_accept_s: float
    status: str


def read_deliveries(log: Path) -> list[Delivery]:
    """List the attempts so far, in the log's order. Postfix writes a line some milliseconds after the attempt."""
    found: list[Delivery] = []
    message_ids: dict[str, str] = {}
    if not log.exists():
        return found
    for line in log.read_text(errors="replace").splitlines():
        if match := _MESSAGE_ID.search(line):
            message_ids[match[1]] = match[2]
        elif match := _DELIVERY.search(line):
            queue_id, recipient, transport, status = match.group("queue_id", "recipient", "transport", "status")
            after_accept_s = round(sum(float(delay) for delay in match.group("b", "c", "d")), 6)
            message_id = message_ids.get(queue_id)
            found.append(Delivery(queue_id, message_id, recipient, transport, after_accept_s, status))
    return found
