"""Apprise: some hundred other services through the library of that name (github.com/caronc/apprise), an optional extra.

Whatever Apprise says may quote the address, which is a credential. So none of its words are shown, only the name of
the service and the status that it answered.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import field
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from mailmon.clients.deadline import within
from mailmon.errors import DeliveryError
from mailmon.model import Alert, AlertKind
from mailmon.notify.channel import Channel, ChannelOptions, Notifier
from mailmon.text import visible
from mailmon.typedjson.declare import About, SecretText, options

if TYPE_CHECKING:
    import logging

    from apprise import NotifyBase

_TYPES = {
    AlertKind.PROBLEM: "failure",
    AlertKind.WARNING: "warning",
    AlertKind.RECOVERY: "success",
    AlertKind.TEST: "info",
    AlertKind.REPORT: "info",
}
_STATUS = re.compile(r"error=(\d{3})\b", re.ASCII)
_PERMANENT = ("400", "401", "403", "404", "405", "410", "413")
# Words of a mail server must not ring everybody in a chat.
_MENTION = re.compile(r"(@(?=everyone\b|here\b|channel\b|all\b)|<(?=[!@&]))", re.IGNORECASE)


@options
class AppriseOptions(ChannelOptions):
    """Any service that the Apprise library knows; its address is a credential."""

    SECRETS: ClassVar[tuple[str, ...]] = ("url",)
    REQUIRED_SECRETS: ClassVar[tuple[str, ...]] = ("url",)

    type: Literal["apprise"] = "apprise"
    url: Annotated[SecretText | None, About("Address in Apprise's notation, of one service")] = field(
        default=None, repr=False
    )
    url_file: Annotated[str | None, About("File that holds the address")] = None

    def __post_init__(self) -> None:
        if self.ca_file:
            raise ValueError("ca_file: Apprise has no use for it; set REQUESTS_CA_BUNDLE for it instead")


def send(alert: Alert, channel: Channel[AppriseOptions], timeout_s: float) -> str:
    """Send through Apprise; return which service accepted it. Raises DeliveryError, also without the library."""
    url = channel.credentials.get("url") or ""
    # Apprise bounds single reads, not a whole delivery, and its own threads keep a process from ending.
    try:
        return within(timeout_s, lambda: _quietly(alert, url))
    except DeliveryError:
        raise
    except TimeoutError:
        raise DeliveryError(f"Apprise: no answer within {timeout_s:.3g} s") from None
    except Exception as exc:  # a plugin may raise anything, with the address in its words
        from mailmon.clients.failure import words_of

        words = words_of(exc, default="")
        raise DeliveryError(f"Apprise: failed{f': {words}' if words else f' ({type(exc).__name__})'}") from None


def _quietly(alert: Alert, url: str) -> str:
    import logging

    statuses: list[str] = []
    logger, heard = logging.getLogger("apprise"), _hear(statuses)
    logger.addFilter(heard)
    try:
        return _deliver(alert, url, statuses)
    finally:
        logger.removeFilter(heard)


def _deliver(alert: Alert, url: str, statuses: list[str]) -> str:
    try:
        import apprise
    except ImportError as exc:
        advice = "Install the extra: pip install 'mailmon[apprise]'."
        raise DeliveryError("Apprise is not installed", advice, is_permanent=True) from exc

    service = _service(url)
    name = visible(str(service.service_name), 60)
    sender = apprise.Apprise(asset=service.asset)
    sender.add(service)
    is_taken = sender.notify(
        title=_MENTION.sub("\\1\u200b", alert.title),
        body=_MENTION.sub("\\1\u200b", alert.body),
        notify_type=_TYPES[alert.kind],
        body_format=apprise.NotifyFormat.TEXT,
    )
    if is_taken:
        return f"{name} took it, says Apprise"
    status = statuses[-1] if statuses else ""
    raise DeliveryError(
        f"{name}, through Apprise: {f'answered {status}' if status else 'not delivered'}",
        "Check the address of the channel." if status in ("401", "403", "404") else "",
        is_permanent=status in _PERMANENT,
    )


def _service(url: str) -> NotifyBase:
    """Return the service of an address, set to what an acknowledgement is worth here.

    A redirect is no delivery, an "optional" service must not pass for one that took the alert, and what is repeated,
    and when, is decided by the outbox.
    """
    import apprise

    if int(apprise.__version__.partition(".")[0]) >= 2:
        # Without a limit of its own Apprise works in our thread, else in one that a process waits for at its end.
        asset = apprise.AppriseAsset(async_mode=False, http_redirects=False, service_timeout=0)
    else:
        asset = apprise.AppriseAsset(async_mode=False, http_redirects=False)
    service = apprise.Apprise.instantiate(url, asset=asset)
    if service is None:
        raise DeliveryError(
            "Apprise: cannot use the address",
            "Check it with the command `apprise`; some services need a library more.",
            is_permanent=True,
        )
    service.redirects = False
    service.optional = False
    service.retry = 0
    return service


def _hear(statuses: list[str]) -> Callable[[logging.LogRecord], bool]:
    """Return a filter that keeps the HTTP statuses which Apprise logs in this thread, and lets no word of it pass."""
    here = threading.get_ident()

    def hear(record: logging.LogRecord) -> bool:
        match = _STATUS.search(record.getMessage()) if record.thread == here else None
        statuses.extend([match[1]] if match else [])
        return False

    return hear


NOTIFIER = Notifier("apprise", AppriseOptions, send)
