"""Accounts and routes, with their credentials resolved: the targets of most checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mailmon.clients.account import Account
from mailmon.mail.probe.probe import Form

if TYPE_CHECKING:  # what only some checks need is loaded only where somebody has them
    from mailmon.mail.probe.expected import Expected

__all__ = ["Account", "Route"]

# Seconds until a probe must have arrived.
RECEIVE_TIMEOUT_S = 60.0


class Route(NamedTuple):
    """A delivery path: from an account, to an address, seen in an account within `timeout_s` seconds.

    A delivery that takes longer than `warning_s` is a warning, one longer than `critical_s` a failure. The route is
    checked every `interval_s` seconds, 0: in every run. With `patience_s` no run waits: later ones check whether the
    probe has arrived. An arrival in one of `junk_folders` is a failure.
    """

    name: str
    sender: Account
    recipient: str
    reader: Account
    timeout_s: float = RECEIVE_TIMEOUT_S
    warning_s: float | None = None
    critical_s: float | None = None
    interval_s: float = 0.0
    patience_s: float | None = None
    junk_folders: tuple[str, ...] = ()
    form: Form = Form()
    expected: Expected | None = None

    @property
    def target(self) -> str:
        """Return the server at which the probe must be seen."""
        return self.reader.target_of(self.reader.reads_by) or self.reader.name
