"""The registry of channels: a new kind is a file with a NOTIFIER in it and a line here."""

from __future__ import annotations

from typing import Any

from mailmon.notify.channel import Notifier
from mailmon.registry import Registry

NOTIFIERS: Registry[Notifier[Any]] = Registry(__name__, "NOTIFIER")
NOTIFIERS.add("ntfy")
NOTIFIERS.add("discord")
NOTIFIERS.add("webhook")
NOTIFIERS.add("email")
NOTIFIERS.add("command")
NOTIFIERS.add("apprise")
