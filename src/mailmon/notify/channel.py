"""Channels: each takes an alert and either acknowledges it or raises DeliveryError."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Generic, NamedTuple, TypeVar

from mailmon.clients.account import Account
from mailmon.model import Alert, Secret
from mailmon.text import Masker
from mailmon.typedjson.declare import About, options

# Shorter parts of an address ("api", "webhooks") are no secrets, and masking them would garble every message.
MIN_SECRET_PART = 10


@options
class ChannelOptions:
    """Options of every channel: `type` names the notifier, by default the channel's own name."""

    # Which of the options are credentials. Each has a form `<name>_file` beside it.
    SECRETS: ClassVar[tuple[str, ...]] = ()
    REQUIRED_SECRETS: ClassVar[tuple[str, ...]] = ()

    type: str
    ca_file: Annotated[str | None, About("PEM file of the CA that the server's certificate must come from")] = None


OptionsT = TypeVar("OptionsT", bound=ChannelOptions)


class Credentials(NamedTuple):
    """The secrets of one channel by the name of their option; a `Secret` never shows its value."""

    values: Mapping[str, Secret]

    def get(self, name: str) -> str | None:
        """Return a secret, None where it is not configured."""
        secret = self.values.get(name)
        return secret.value if secret else None

    def masker(self, username: str = "") -> Masker:
        """Return a masker of these secrets: also of the parts of an address, and of a login of basic auth."""
        secrets = [secret.value for secret in self.values.values()]
        parts = [part for value in secrets for part in _address_parts(value)]
        logins = [f"{username}:{value}" for value in secrets if username]
        return Masker([*secrets, *parts, *logins])


class Channel(NamedTuple, Generic[OptionsT]):
    """A configured channel. `accounts` are those that it may send mail through; `is_flat`: flat keys configure it."""

    name: str
    options: OptionsT
    credentials: Credentials
    accounts: tuple[Account, ...] = ()
    is_flat: bool = False

    def key(self, name: str) -> str:
        """Return how the configuration names one of the channel's options, for advice."""
        if self.is_flat:
            return f"ntfy_{name}"
        return f"ping.{name}" if self.options.type == "ping" else f"notify.{self.name}.{name}"


AnyChannel = Channel[Any]


class Notifier(NamedTuple, Generic[OptionsT]):
    """A kind of channel: `send` returns what the receiver answered, in words, or raises DeliveryError.

    It takes `timeout_s` seconds at most, and acknowledges only what the receiver has acknowledged.
    """

    name: str
    options: type[OptionsT]
    send: Callable[[Alert, Channel[OptionsT], float], str]


def _address_parts(value: str) -> list[str]:
    """Return the parts of a webhook's or ping's address that are secret by themselves: its path and long segments."""
    scheme, separator, rest = value.partition("://")
    if not separator or scheme not in ("http", "https"):
        return []
    path = rest.partition("/")[2].strip("/")
    return [part for part in (path, *path.split("/")) if len(part) >= MIN_SECRET_PART]
