"""Discord: an embed through a webhook, which mentions nobody (discord.com/developers/docs/resources/webhook)."""

from __future__ import annotations

import json
import re
from dataclasses import field
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from mailmon.errors import DeliveryError
from mailmon.model import Alert, AlertKind
from mailmon.notify.channel import Channel, ChannelOptions, Notifier
from mailmon.text import fit_characters
from mailmon.typedjson.declare import About, SecretText, options

if TYPE_CHECKING:
    from mailmon.clients.http import Answer

# Of the 256 and 4096 characters that Discord takes: it may count an emoji twice.
MAX_TITLE = 250
MAX_TOTAL = 2000
MAX_FOOTER = 200

_MARKS = {
    AlertKind.PROBLEM: ("🚨", 0xDC3545),
    AlertKind.WARNING: ("⚠️", 0xFFC107),
    AlertKind.RECOVERY: ("✅", 0x198754),
    AlertKind.TEST: ("👋", 0x0D6EFD),
    AlertKind.REPORT: ("📊", 0x6C757D),
}
_MARKDOWN = re.compile(r"([\\*_~`|>\[\]()#@<-])")


@options
class DiscordOptions(ChannelOptions):
    """A webhook of a Discord channel; its address is a credential."""

    SECRETS: ClassVar[tuple[str, ...]] = ("webhook",)
    REQUIRED_SECRETS: ClassVar[tuple[str, ...]] = ("webhook",)

    type: Literal["discord"] = "discord"
    webhook: Annotated[SecretText | None, About("Address of the webhook")] = field(default=None, repr=False)
    webhook_file: Annotated[str | None, About("File that holds the address of the webhook")] = None


def send(alert: Alert, channel: Channel[DiscordOptions], timeout_s: float) -> str:
    """Post an alert; return what Discord answered. Raises DeliveryError; a 429 says when to come back."""
    from mailmon.clients.http import Request, post_for_answer

    mark, colour = _MARKS[alert.kind]
    title = f"{mark} {_escaped(alert.title, MAX_TITLE - len(mark) - 1)}"
    message = {
        "embeds": [
            {
                "title": title,
                "description": _escaped(alert.body, MAX_TOTAL - len(title)),
                "color": colour,
                "timestamp": f"{alert.at:%Y-%m-%dT%H:%M:%SZ}",
                "footer": {"text": fit_characters(f"alert {alert.id}", MAX_FOOTER)},
            }
        ],
        "allowed_mentions": {"parse": []},
    }
    answer = post_for_answer(
        Request(
            who="Discord",
            url=_waiting(channel.credentials.get("webhook") or ""),
            body=json.dumps(message).encode(),
            headers={"Content-Type": "application/json", "X-Mailmon-Alert-Id": alert.id},
            mask=channel.credentials.masker(),
            ca_file=channel.options.ca_file,
            ca_key=channel.key("ca_file"),
        ),
        timeout_s,
    )
    _must_be_discords(answer)
    return f"Discord answered {answer.status}"


def _must_be_discords(answer: Answer) -> None:
    """Raise DeliveryError for a page that a proxy or a login portal gives in place of Discord's answer."""
    if answer.status == 204 or not answer.said.strip():
        return
    if not isinstance(answer.document(), dict):
        raise DeliveryError(
            f"Discord: answered {answer.status}, but with something else than Discord's JSON, so nothing was sent",
            "A proxy or a login portal may be in between: open the address from this machine.",
        )


def _waiting(webhook: str) -> str:
    """Ask Discord to answer when the message is saved: else it answers 204 also to one that is not."""
    return f"{webhook}{'&' if '?' in webhook else '?'}wait=true"


def _escaped(text: str, limit: int) -> str:
    """Escape a server's text: no formatting, no link, no mention; at most `limit` characters."""
    parts = [_MARKDOWN.sub(r"\\\1", char) for char in text[:limit]]
    escaped = "".join(parts)
    if len(escaped) <= limit and len(text) <= limit:
        return escaped
    while sum(map(len, parts)) > limit - 1:
        parts.pop()
    return "".join(parts) + "…"


NOTIFIER = Notifier("discord", DiscordOptions, send)
