"""One kind of channel a file. A new one is a file with a NOTIFIER in it and a line in this registry."""

from typing import Any

from mailmon.notify import discord, ntfy
from mailmon.notify.channel import Notifier

NOTIFIERS: dict[str, Notifier[Any]] = {notifier.name: notifier for notifier in (ntfy.NOTIFIER, discord.NOTIFIER)}
