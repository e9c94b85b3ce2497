"""One kind of channel a file. A new one is a file with a NOTIFIER in it and its name in this registry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from mailmon.notify.channel import Notifier


class _Registry(Mapping[str, Notifier[Any]]):
    """Notifiers by name, each imported when it is first asked for: a run needs those that are configured."""

    _NAMES = ("ntfy", "discord", "webhook", "email", "command", "apprise")

    def __getitem__(self, name: str) -> Notifier[Any]:
        if name not in self._NAMES:
            raise KeyError(name)
        notifier = import_module(f"mailmon.notify.{name}").NOTIFIER
        assert isinstance(notifier, Notifier)
        return notifier

    def __iter__(self) -> Iterator[str]:
        return iter(self._NAMES)

    def __len__(self) -> int:
        return len(self._NAMES)


NOTIFIERS: Mapping[str, Notifier[Any]] = _Registry()
