"""The environment of a scenario: a mail server behind two links, and channels behind links of their own."""

from __future__ import annotations

import contextlib
import shutil
import socket
import tempfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, Self

from mailmon.sandbox import Sandbox
from mailmon.sandbox.faults import Faults
from mailmon.sandbox.receiver import Receiver
from tests.bed import Bed
from tests.faults.dsl import Scenario
from tests.link import Link
from tests.monitor import Monitor

RECEIVE_S, TIMEOUT_S = 1.5, 3.0
ADDRESS = "monitor@example.org"


class Environment:
    """One scenario's own server, receivers, directory and configuration; a context manager."""

    def __init__(self, scenario: Scenario, bed: Bed | None = None) -> None:
        self.scenario = scenario
        self.bed = bed
        self.prefix: list[str] = []
        self.environ: dict[str, str] = {}
        self.silenced: frozenset[str] = frozenset()
        # What some scenarios add (tests/faults/network.py).
        self.resolver: Any = None
        self.wire: Any = None
        self.kept: Any = None
        self.notify: dict[str, Any] = {}
        self.repairs: list[Callable[[], object]] = []
        self.cleanups = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self.directory = Path(tempfile.mkdtemp(prefix="mailmon-scenario-")).resolve()
        self.cleanups.callback(shutil.rmtree, self.directory, ignore_errors=True)
        try:
            self.build()
        except BaseException:
            self.cleanups.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.cleanups.close()

    def build(self) -> None:
        """Start everything and write the configuration, in memory."""
        enter = self.cleanups.enter_context
        self.sandbox = Sandbox(directory=self.directory / "sandbox")
        if not self.bed:
            enter(self.sandbox)
        ports = self.bed.ports if self.bed else {"submission": self.sandbox.smtp_port, "imaps": self.sandbox.imaps_port}
        self.smtp, self.imap = self.link(ports["submission"]), self.link(ports["imaps"])
        self.receivers = {name: enter(Receiver()) for name in self.scenario.channels}
        self.doors = {name: self.link(int(r.url.rpartition(":")[2])) for name, r in self.receivers.items()}
        self.monitor = Monitor(self.directory, self._flat() if self.scenario.form == "flat" else self._full())
        self.notify = {name: self.channel(name, f"http://127.0.0.1:{door.port}") for name, door in self.doors.items()}
        if self.scenario.success_threshold > 1:
            self.defaults["success_threshold"] = self.scenario.success_threshold
        if self.scenario.reminder_interval:
            self.defaults["reminder_interval"] = self.scenario.reminder_interval

    def link(self, target: int) -> Link:
        """Return a link that keeps its port while it refuses connections: bound twice, listening once."""
        holder = self.cleanups.enter_context(socket.socket())
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        return self.cleanups.enter_context(Link(target, port=holder.getsockname()[1]))

    @property
    def checks(self) -> dict[str, Any]:
        """Return the options of the checks."""
        checks: dict[str, Any] = self.monitor.config.setdefault("checks", {})
        return checks

    @property
    def defaults(self) -> dict[str, Any]:
        """Return the options that all checks have."""
        if self.scenario.form == "flat":
            return self.monitor.config
        defaults: dict[str, Any] = self.checks.setdefault("defaults", {})
        return defaults

    @property
    def account(self) -> dict[str, Any]:
        """Return the first account of the full form."""
        account: dict[str, Any] = self.monitor.config["accounts"]["main"]
        return account

    @property
    def ca_file(self) -> Path:
        """Return the CA file of the mail server's certificates."""
        return self.bed.ca_file if self.bed else self.sandbox.ca_file

    def server(self, port: int, security: str) -> dict[str, Any]:
        """Return the configuration of a mail service behind a link."""
        host = "localhost" if self.bed else "127.0.0.1"
        trust = {"ca_file": str(self.ca_file), "timeout_s": TIMEOUT_S}
        return {"host": host, "port": port, "security": security, **trust}

    def account_of(self, address: str, password: str) -> dict[str, Any]:
        """Return the configuration of an account."""
        servers = {"smtp": self.server(self.smtp.port, "starttls"), "imap": self.server(self.imap.port, "tls")}
        return {"address": address, "password": password, **servers}

    def channel(self, name: str, url: str) -> dict[str, Any]:
        """Return the configuration of a channel; its type is its name without a number."""
        kind = name.rstrip("0123456789")
        return {"type": kind, **({"server": url, "topic": "alerts"} if kind == "ntfy" else {"url": f"{url}/hook"})}

    def repair(self) -> None:
        """Repair everything except mailmon's own files."""
        while self.repairs:
            self.repairs.pop()()
        good = Faults()
        for field in fields(Faults):
            setattr(self.sandbox.faults, field.name, getattr(good, field.name))
        for link in (self.smtp, self.imap, *self.doors.values()):
            link.heal()
        for receiver in self.receivers.values():
            receiver.status, receiver.hang, receiver.lose_answer, receiver.delay_s = 200, False, False, 0.0
            receiver.script, receiver.headers = [], {}
        if self.resolver:
            self.resolver.mode = "well"
        if self.bed:
            self.monitor.config["routes"]["main"]["to"] = self.bed.user
        self.prefix, self.environ = [], {}

    def _flat(self) -> dict[str, Any]:
        return {
            "smtp_host": "127.0.0.1",
            "smtp_port": self.smtp.port,
            "imap_host": "127.0.0.1",
            "imap_port": self.imap.port,
            "username": ADDRESS,
            "password": self.sandbox.users[ADDRESS],
            "receive_timeout": RECEIVE_S,
            "deadline_s": 40,
        }

    def _full(self) -> dict[str, Any]:
        user = (self.bed.user, self.bed.password) if self.bed else (ADDRESS, self.sandbox.users[ADDRESS])
        return {
            "accounts": {"main": self.account_of(*user)},
            "routes": {"main": {"from": "main", "to": user[0], "in": "main"}},
            "checks": {"receive": {"timeout_s": RECEIVE_S}},
            "deadline_s": 40,
        }
