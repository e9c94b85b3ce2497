"""Records of runs: what the script says that each step finds, and what mailmon did and sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tests.faults.dsl import CERTIFICATE, OK, Observation, Run, Scenario

ACCOUNT_CHECKS = ("imap_auth", "smtp_auth")
ROUTE_CHECKS = ("send", "receive", "cleanup")


class StepReport(NamedTuple):
    """What one message reports for one step: the healths in order, and since when the last one holds."""

    step: str
    healths: tuple[str, ...]
    since: datetime | None = None


class Message(NamedTuple):
    """A message that arrived. Without `reports` only its kind is known. `acked`: mailmon got its acknowledgement."""

    run: int
    channel: str
    kind: str
    id: str = ""
    reports: tuple[StepReport, ...] | None = None
    acked: bool = True
    body: bytes = b""


@dataclass
class Record:
    """One run. `observations` are by step, None for a skipped step; without a kill every run is `seen`."""

    number: int
    run: Run
    observations: dict[str, Observation | None]
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
        """Date the run back."""
        self.started_at, self.ended_at = self.started_at - passed, self.ended_at - passed

        def older(report: StepReport) -> StepReport:
            return report._replace(since=report.since and report.since - passed)

        self.messages = [
            message._replace(reports=message.reports and tuple(map(older, message.reports)))
            for message in self.messages
        ]

    @property
    def is_offline(self) -> bool:
        """Report whether this machine had no network."""
        return any(fault.is_offline for fault in self.run.faults)

    @property
    def present(self) -> frozenset[str]:
        """Return the channels that are configured."""
        return frozenset(channel for channel, mode in self.modes.items() if mode != "gone")

    @property
    def disk(self) -> str:
        """Return what could not be written."""
        return next((fault.disk for fault in self.run.faults if fault.disk), "")


class Recording(NamedTuple):
    """A scenario with the records of its runs."""

    scenario: Scenario
    records: list[Record]


def thresholds_of(config: dict[str, Any]) -> dict[str, int]:
    """Return the failure threshold of each check (docs/configuration.md)."""
    options = config.get("checks", {})
    is_full = "accounts" in config
    return {
        check: options.get(check, {}).get("failure_threshold", 2 if is_full and check in ROUTE_CHECKS else 1)
        for check in (*ACCOUNT_CHECKS, *ROUTE_CHECKS)
    }


def observations_of(run: Run, config: dict[str, Any]) -> dict[str, Observation | None]:
    """Return what every step of a run must find, given its faults."""
    if run.unit:
        return {}
    hits: dict[str, Observation] = {}
    for fault in run.faults:
        for name, observation in fault.hits.items():
            worse = name not in hits or (observation.status, hits[name].status) == ("failed", "warning")
            hits[name] = observation if worse else hits[name]
    accounts, routes = _asked(run, *_subjects(config))
    observations: dict[str, Observation | None] = {}
    for account in accounts:
        for check in ACCOUNT_CHECKS:
            observations[f"{check}:{account}"] = hits.get(f"{check}:{account}") or hits.get(check) or OK
    for route, (sender, reader) in routes.items():
        seen = {check: hits.get(f"{check}:{route}") or hits.get(check) or OK for check in ROUTE_CHECKS}
        can_read, can_send = (_went(observations[f"imap_auth:{reader}"]), _went(observations[f"smtp_auth:{sender}"]))
        observations[f"send:{route}"] = seen["send"] if can_read and can_send else None
        observations[f"receive:{route}"] = seen["receive"] if _went(observations[f"send:{route}"]) else None
        observations[f"cleanup:{route}"] = seen["cleanup"] if can_read else None
    # Every login sees the certificate, and all of them the same one.
    logins = (observations[f"{check}:{account}"] for account in accounts for check in ("imap_auth", "smtp_auth"))
    observations[CERTIFICATE] = hits.get(CERTIFICATE) or OK if any(map(_went, logins)) else None
    return observations


def _went(observation: Observation | None) -> bool:
    return observation is not None and observation.status in ("ok", "warning")


def _asked(
    run: Run, accounts: list[str], routes: dict[str, tuple[str, str]]
) -> tuple[list[str], dict[str, tuple[str, str]]]:
    """Return the accounts and routes that a run checks: a route needs the accounts at both its ends."""
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
