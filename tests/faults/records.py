"""What happened in a run? The truth of it, which the script says, and what mailmon did and whom it told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tests.faults.language import CERTIFICATE, OK, History, Run, Sight

ACCOUNT_CHECKS = ("imap_auth", "smtp_auth")
ROUTE_CHECKS = ("send", "receive", "cleanup")


class Told(NamedTuple):
    """What one message tells of one step: the healths in their order, the last one since when."""

    step: str
    healths: tuple[str, ...]
    since: datetime | None = None


class Message(NamedTuple):
    """What a person got by a channel. Without `told` only its kind is known. `acked`: mailmon surely heard of it."""

    run: int
    channel: str
    kind: str
    id: str = ""
    told: tuple[Told, ...] | None = None
    acked: bool = True
    body: bytes = b""


@dataclass
class Record:
    """One run. `sights` are by step, None where a step had to be skipped; without a kill every run is `seen`."""

    number: int
    run: Run
    sights: dict[str, Sight | None]
    modes: dict[str, str]
    forgets: bool = False
    loses_state: bool = False
    silenced: frozenset[str] = frozenset()
    thresholds: dict[str, int] = field(default_factory=dict)
    is_reminder_due: bool = False
    started_at: datetime = datetime.min
    ended_at: datetime = datetime.min
    took_s: float = 0.0
    exit_code: int = 0
    second_exit_code: int | None = None
    stdout: str = ""
    stderr: str = ""
    messages: list[Message] = field(default_factory=list)
    state: dict[str, Any] | None = None
    is_seen: bool = True

    def become_older(self, passed: timedelta) -> None:
        """Note that so much time has passed since."""
        self.started_at, self.ended_at = self.started_at - passed, self.ended_at - passed
        self.messages = [
            message._replace(
                told=message.told and tuple(t._replace(since=t.since and t.since - passed) for t in message.told)
            )
            for message in self.messages
        ]

    @property
    def is_blind(self) -> bool:
        """Say whether the trouble was our own."""
        return any(fault.is_blind for fault in self.run.faults)

    @property
    def present(self) -> frozenset[str]:
        """Return the channels that are configured."""
        return frozenset(channel for channel, mode in self.modes.items() if mode != "gone")

    @property
    def disk(self) -> str:
        """Say what could not be written."""
        return next((fault.disk for fault in self.run.faults if fault.disk), "")


class Played(NamedTuple):
    """A history and what happened in it."""

    history: History
    records: list[Record]


def thresholds_of(config: dict[str, Any]) -> dict[str, int]:
    """Return how many failures in a row have to be told, by check (docs/configuration.md)."""
    options = config.get("checks", {})
    is_full = "accounts" in config
    return {
        check: options.get(check, {}).get("failure_threshold", 2 if is_full and check in ROUTE_CHECKS else 1)
        for check in (*ACCOUNT_CHECKS, *ROUTE_CHECKS)
    }


def sights_of(run: Run, config: dict[str, Any]) -> dict[str, Sight | None]:
    """Return what every step of a run must see of its faults."""
    if run.unit:
        return {}
    hits: dict[str, Sight] = {}
    for fault in run.faults:
        for name, sight in fault.hits.items():
            worse = name not in hits or (sight.status, hits[name].status) == ("failed", "warning")
            hits[name] = sight if worse else hits[name]
    accounts, routes = _asked(run, *_subjects(config))
    sights: dict[str, Sight | None] = {}
    for account in accounts:
        for check in ACCOUNT_CHECKS:
            sights[f"{check}:{account}"] = hits.get(f"{check}:{account}") or hits.get(check) or OK
    for route, (sender, reader) in routes.items():
        seen = {check: hits.get(f"{check}:{route}") or hits.get(check) or OK for check in ROUTE_CHECKS}
        can_read, can_send = (_went(sights[f"imap_auth:{reader}"]), _went(sights[f"smtp_auth:{sender}"]))
        sights[f"send:{route}"] = seen["send"] if can_read and can_send else None
        sights[f"receive:{route}"] = seen["receive"] if _went(sights[f"send:{route}"]) else None
        sights[f"cleanup:{route}"] = seen["cleanup"] if can_read else None
    # Whoever logs in is shown it, and all of them the same one.
    logins = (sights[f"{check}:{account}"] for account in accounts for check in ("imap_auth", "smtp_auth"))
    sights[CERTIFICATE] = hits.get(CERTIFICATE) or OK if any(map(_went, logins)) else None
    return sights


def _went(sight: Sight | None) -> bool:
    return sight is not None and sight.status in ("ok", "warning")


def _asked(
    run: Run, accounts: list[str], routes: dict[str, tuple[str, str]]
) -> tuple[list[str], dict[str, tuple[str, str]]]:
    """Return what a run is asked for: a route needs the accounts at both its ends."""
    if not run.names:
        return accounts, routes
    asked = {name: ends for name, ends in routes.items() if name in run.names}
    needed = {*run.names, *(end for ends in asked.values() for end in ends)}
    return [account for account in accounts if account in needed], asked


def _subjects(config: dict[str, Any]) -> tuple[list[str], dict[str, tuple[str, str]]]:
    """Return the accounts, and the routes with their sender and reader; the flat form has one of each, `main`."""
    if "accounts" not in config:
        return ["main"], {"main": ("main", "main")}
    return list(config["accounts"]), {name: (r["from"], r["in"]) for name, r in config["routes"].items()}
