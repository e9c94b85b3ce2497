"""Alerts into a file: a channel as a contributor writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from mailmon.errors import DeliveryError
from mailmon.model import Alert
from mailmon.notify.channel import Channel, ChannelOptions, Notifier
from mailmon.typedjson.declare import About, FileName, options


@options
class FileOptions(ChannelOptions):
    """A file that alerts are appended to."""

    type: Literal["file"] = "file"
    path: Annotated[FileName, About("File to append to")]


def send(alert: Alert, channel: Channel[FileOptions], _timeout_s: float) -> str:
    """Append an alert. Raises DeliveryError."""
    try:
        with Path(channel.options.path).open("a", encoding="utf-8") as file:
            file.write(f"{alert.kind.value}: {alert.title}\n")
    except OSError as exc:
        raise DeliveryError(f"{channel.options.path}: {exc.strerror}") from exc
    return "written"


NOTIFIER = Notifier("file", FileOptions, send)
