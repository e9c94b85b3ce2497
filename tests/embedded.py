"""Configurations that monitor the embedded server, and readers for what a run says and sends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mailmon.sandbox import Message, Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.monitor import Monitor, Run

MAIN, SECOND = "monitor@example.org", "second@example.org"
TOPIC = "alerts"
RECEIVE_S = 1
_KINDS = {"rotating_light": "problem", "warning": "warning", "white_check_mark": "recovery", "wave": "test"}


def account_of(sandbox: Sandbox, address: str = MAIN, **more: Any) -> dict[str, Any]:
    """Return the configuration of an account of the embedded server; `more` goes into both of its services."""
    trust = {"host": "127.0.0.1", "ca_file": str(sandbox.ca_file), "timeout_s": 5, **more}
    return {
        "address": address,
        "password": sandbox.users[address],
        "smtp": {"port": sandbox.smtp_port, "security": "starttls", **trust},
        "imap": {"port": sandbox.imaps_port, "security": "tls", **trust},
    }


def route_to(address: str = MAIN, sender: str = "main", reader: str = "main") -> dict[str, Any]:
    """Return the configuration of a route."""
    return {"from": sender, "to": address, "in": reader, "receive_timeout_s": RECEIVE_S}


def config_of(sandbox: Sandbox, receiver: Receiver | None) -> dict[str, Any]:
    """Return a configuration of one account and one route that tells the receiver, or nobody."""
    channels = {"ntfy": {"server": receiver.url, "topic": TOPIC}} if receiver else "none"
    return {
        "accounts": {"main": account_of(sandbox)},
        "routes": {"main": route_to()},
        "checks": {"defaults": {"failure_threshold": 1}},
        "notify": channels,
    }


def two_of_each(sandbox: Sandbox, receiver: Receiver | None) -> dict[str, Any]:
    """Return a configuration of two accounts, and a route in each direction between them."""
    accounts = {"main": account_of(sandbox), "second": account_of(sandbox, SECOND)}
    routes = {"out": route_to(SECOND, "main", "second"), "back": route_to(MAIN, "second", "main")}
    return {**config_of(sandbox, receiver), "accounts": accounts, "routes": routes}


def monitor_of(sandbox: Sandbox, directory: Path, receiver: Receiver | None = None) -> Monitor:
    """Return a monitor that watches the embedded server."""
    return Monitor(directory, config_of(sandbox, receiver))


def kinds(receiver: Receiver) -> list[str]:
    """Return what was told to the receiver as ntfy: problem, warning or recovery."""
    return [kind_of(message) for message in receiver.ntfy_messages()]


def kind_of(message: dict[str, Any]) -> str:
    """Return whether a message to ntfy tells of a problem, a warning or a recovery."""
    return _KINDS[message["tags"][0]]


def state_of(monitor: Monitor) -> dict[str, Any]:
    """Return the state file."""
    document: dict[str, Any] = json.loads(monitor.state_file.read_text())
    return document


def files_of(directory: Path) -> dict[str, bytes]:
    """Return everything below a directory by its relative name."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def probes_in(sandbox: Sandbox, address: str = MAIN, folder: str = "INBOX") -> list[Message]:
    """Return the messages that carry a probe's token, bounces of probes included."""
    return [
        message for message in sandbox.store.mailbox(address, folder).messages if b"mailmon probe mm" in message.raw
    ]


def findings_of(run: Run) -> list[str]:
    """Return the ids of everything that a run found."""
    return [finding["id"] for step in run.document["steps"] for finding in step["findings"]]


def put_foreign_mail(sandbox: Sandbox, count: int = 1, address: str = MAIN) -> list[Message]:
    """Put mail of other people into a mailbox."""
    inbox = sandbox.store.mailbox(address)
    return [
        inbox.append(f"From: boss@example.org\r\nTo: {address}\r\nSubject: lunch {n}?\r\n\r\nHello {n}\r\n".encode())
        for n in range(count)
    ]
