"""Webhook: the alert as JSON to an address of your own, signed, with an id that identifies repetitions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, ClassVar, Literal

from mailmon.model import Alert, Secret
from mailmon.notify.channel import MIN_SECRET_PART, Channel, ChannelOptions, Credentials, Notifier
from mailmon.text import Masker
from mailmon.typedjson.declare import About, Matching, SecretText, options

SIGNATURE_HEADER, ID_HEADER = "X-Mailmon-Signature", "X-Mailmon-Alert-Id"

# What frames the request or says who it is from: a second value would be a puzzle for the receiver.
_OURS = frozenset(
    {"connection", "content-encoding", "content-length", "content-type", "host", "idempotency-key", "transfer-encoding"}
) | {SIGNATURE_HEADER.lower(), ID_HEADER.lower()}

HeaderName = Annotated[str, Matching(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}", "the name of a header")]
HeaderValue = Annotated[
    str, Matching(r"[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?", "one line of text", is_secret=True)
]


@options
class WebhookOptions(ChannelOptions):
    """A URL of your own that accepts alerts as JSON."""

    SECRETS: ClassVar[tuple[str, ...]] = ("url", "secret", "authorization")
    REQUIRED_SECRETS: ClassVar[tuple[str, ...]] = ("url",)

    type: Literal["webhook"] = "webhook"
    url: Annotated[SecretText | None, About("Address that is posted to")] = field(default=None, repr=False)
    url_file: Annotated[str | None, About("File that holds the address")] = None
    secret: Annotated[SecretText | None, About("Key of the signature (HMAC-SHA256)")] = field(default=None, repr=False)
    secret_file: Annotated[str | None, About("File that holds the key of the signature")] = None
    authorization: Annotated[SecretText | None, About("Value of the Authorization header")] = field(
        default=None, repr=False
    )
    authorization_file: Annotated[str | None, About("File that holds the value of the Authorization header")] = None
    headers: Annotated[dict[HeaderName, HeaderValue], About("Headers of your own, by name")] = field(
        default_factory=dict, repr=False
    )

    def __post_init__(self) -> None:
        for name, value in self.headers.items():
            if not _is_latin(value):
                raise ValueError(f"headers: {name} holds a character that no header can: write it in ASCII")
            if name.lower() == "authorization":
                raise ValueError("headers: use authorization or authorization_file for the header Authorization")
            if name.lower() in _OURS:
                raise ValueError(f"headers: {name} is set by mailmon: remove it")


def _is_latin(value: str) -> bool:
    return all(ord(char) < 256 for char in value)


def send(alert: Alert, channel: Channel[WebhookOptions], timeout_s: float) -> str:
    """Post an alert; return what the receiver answered. Raises DeliveryError."""
    import json

    from mailmon.clients.http import Request, post
    from mailmon.render.document import alert_document, instant

    document = {
        "event": f"alert.{alert.kind}",
        "timestamp": instant(alert.at),
        "details": alert_document(alert),
    }
    body = json.dumps(document).encode()
    status = post(
        Request(
            who="the webhook",
            url=channel.credentials.get("url") or "",
            body=body,
            headers=_headers(alert, channel, body),
            mask=_masker(channel),
            ca_file=channel.options.ca_file,
            ca_key=channel.key("ca_file"),
        ),
        timeout_s,
    )
    return f"the webhook answered {status}"


def sign(body: bytes, key: str) -> str:
    """Return the value of the signature header: `sha256=` and the HMAC-SHA256 of the body (RFC 2104) in hexadecimal.

    >>> sign(b"{}", "key")[:24]
    'sha256=a777724d943eb48dc'
    """
    import hmac

    return f"sha256={hmac.new(key.encode(), body, 'sha256').hexdigest()}"


def _headers(alert: Alert, channel: Channel[WebhookOptions], body: bytes) -> Mapping[str, str]:
    from mailmon import __version__

    secret, authorization = channel.credentials.get("secret"), channel.credentials.get("authorization")
    return {
        "User-Agent": f"mailmon/{__version__}",
        **channel.options.headers,
        "Content-Type": "application/json",
        ID_HEADER: alert.id,
        "Idempotency-Key": alert.id,
        **({SIGNATURE_HEADER: sign(body, secret)} if secret else {}),
        **({"Authorization": authorization} if authorization else {}),
    }


def _masker(channel: Channel[WebhookOptions]) -> Masker:
    """Hide custom headers too: that is where many services want their key. And a token without its scheme."""
    token = (channel.credentials.get("authorization") or "").partition(" ")[2].strip()
    more = [*channel.options.headers.values(), token, *_address_parts(channel.credentials.get("url") or "")]
    hidden = {f"more {number}": Secret(value) for number, value in enumerate(more) if value}
    return Credentials({**channel.credentials.values, **hidden}).masker()


def _address_parts(url: str) -> list[str]:
    """Return what is secret in an address beside its path: the password of a login, and what its query holds."""
    from urllib.parse import unquote

    authority, *rest = re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)
    password = authority.rpartition("@")[0].partition(":")[2]
    parts = [part for part in re.split(r"[/?&=#]", "".join(rest)) if len(part) >= MIN_SECRET_PART]
    return [password, unquote(password), *parts, *map(unquote, parts)]


NOTIFIER = Notifier("webhook", WebhookOptions, send)
