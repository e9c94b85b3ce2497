"""The environment of one row: both servers running in their tree, mailmon outside, and somewhere for alerts."""

from __future__ import annotations

import contextlib
import imaplib
import json
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mailmon.sandbox.receiver import Receiver
from tests.monitor import Monitor, Run
from tests.servers import outside, tree
from tests.servers.machine import ADDRESS, OUTSIDE, OUTSIDE_HOST, Machine
from tests.servers.parts import (
    CERTIFICATE,
    CHAIN,
    DOMAIN,
    HOST,
    KEY,
    MONITOR,
    PASSWORD,
    USERS,
    Combination,
    Door,
    Stored,
)  # fmt: skip

RECEIVE_S = 15
_SETTLE_S = 45.0
_RUN_S = 300.0


@dataclass
class Environment:
    """What the scenario works with."""

    row: Combination
    machine: Machine
    directory: Path
    ca_file: Path
    receiver: Receiver
    evidence: Path
    monitors: dict[str, Monitor] = field(default_factory=dict)
    runs: int = 0

    @property
    def mailbox_step(self) -> str:
        """Return the id of the step that logs in to the mailbox."""
        return f"{self.row.protocol}_auth:main"

    def account(self, user: str = MONITOR, password: str = PASSWORD, protocol: str = "") -> dict[str, Any]:
        """Return the configuration of an account."""
        protocol = protocol or self.row.protocol
        door = self.row.store.imap if protocol == "imap" else self.row.store.pop3
        return {
            "address": f"{user}@{DOMAIN}",
            "username": user,
            "password": password,
            "smtp": self._door(self.row.transport.submission),
            protocol: self._door(door),
        }

    def _door(self, door: Door) -> dict[str, Any]:
        return {"host": HOST, "port": door.port, "security": door.security, "ca_file": str(self.ca_file)}

    def monitor(self, name: str = "main", **config: Any) -> Monitor:
        """Return the monitor of that name, made on first use; by default it watches MONITOR and tells the receiver."""
        if name not in self.monitors:
            directory = self.directory / "monitors" / name
            directory.mkdir(parents=True)
            default = {
                "accounts": {"main": self.account()},
                "routes": {"main": self.route("main", "main")},
                "checks": {"defaults": {"failure_threshold": 1}},
                "notify": {"ntfy": {"server": self.receiver.url, "topic": "alerts"}},
            }
            self.monitors[name] = Monitor(directory, {**default, **self.row.config, **config})
        return self.monitors[name]

    def route(self, sender: str, reader: str, user: str = MONITOR) -> dict[str, Any]:
        """Return the configuration of a route."""
        return {"from": sender, "to": f"{user}@{DOMAIN}", "in": reader, "receive_timeout_s": RECEIVE_S}

    def run(self, monitor: Monitor, *arguments: str) -> Run:
        """Run the command, and keep what it said among the evidence."""
        run = monitor.run(*arguments, timeout_s=_RUN_S)
        self.runs += 1
        name = f"{self.runs:02d}-{monitor.directory.name}-{'-'.join(arguments[:2])}"
        (self.evidence / f"{name}.json").write_text(run.stdout)
        if run.stderr:
            (self.evidence / f"{name}.err").write_text(run.stderr)
        return run

    def check(self, monitor: Monitor | None = None, *arguments: str) -> Run:
        """Run one cycle with its document on stdout."""
        return self.run(monitor or self.monitor(), "check", "--json", *arguments)

    def stored(self, user: str = MONITOR) -> list[Stored]:
        """Return what lies on disk for a user."""
        return self.row.store.stored(self.machine, user)

    def deliver(self, user: str, *letters: bytes) -> None:
        """Let the server deliver mail of strangers, and wait until it lies on disk."""
        wanted = len(self.stored(user)) + len(letters)
        for raw in letters:
            self.sendmail("stranger@away.test", f"{user}@{DOMAIN}", raw)
        self.wait_until(lambda: len(self.stored(user)) >= wanted, f"{wanted} messages on disk for {user}")

    def sendmail(self, sender: str, recipient: str, raw: bytes) -> None:
        """Send a message with the server's own command."""
        self.machine.run("/usr/sbin/sendmail", "-i", "-f", sender, recipient, given=raw)

    def wait_until(self, claim: Callable[[], bool], what: str, patience_s: float = _SETTLE_S) -> None:
        """Wait until a claim is true. AssertionError when it does not become so."""
        deadline = time.monotonic() + patience_s
        while not claim():
            assert time.monotonic() < deadline, f"not within {patience_s:.0f} s: {what}"
            time.sleep(0.2)

    @contextlib.contextmanager
    def imap(self, user: str = MONITOR) -> Iterator[imaplib.IMAP4]:
        """Log in as a user's own mail program."""
        door, context = self.row.store.imap, ssl.create_default_context(cafile=str(self.ca_file))
        if door.security == "tls":
            client: imaplib.IMAP4 = imaplib.IMAP4_SSL(HOST, door.port, ssl_context=context, timeout=20)
        else:
            client = imaplib.IMAP4(HOST, door.port, timeout=20)
            client.starttls(context)
        client.login(user, PASSWORD)
        try:
            yield client
        finally:
            client.logout()

    def start(self) -> None:
        """Start both servers and wait until they answer; what runs already is left alone."""
        store, transport = self.row.store, self.row.transport
        store.start(self.machine)
        transport.start(self.machine)
        self.wait_for_all()

    def wait_for_all(self) -> None:
        """Wait until every port takes connections."""
        store, transport = self.row.store, self.row.transport
        self.machine.wait_for([store.imap.port, store.pop3.port, 25, transport.submission.port])


@contextlib.contextmanager
def running_environment(row: Combination, directory: Path, evidence: Path) -> Iterator[Environment]:
    """Set up the environment in an empty directory. The caller needs its own mount, net, pid and uts namespaces."""
    tree.unpack(row.packages, row.suite, directory / "tree")
    _resolve_outside(directory)
    with Machine(directory / "tree") as machine, outside.everything(), Receiver() as receiver:
        try:
            ca_file = _certify(directory, machine)
            environment = Environment(row, machine, directory, ca_file, receiver, evidence)
            _add_users(machine)
            row.store.configure(machine)
            row.transport.configure(machine, row.store)
            environment.start()
            yield environment
        finally:
            if machine.log.exists():
                shutil.copy(machine.log, evidence / "syslog")


def _resolve_outside(directory: Path) -> None:
    """Let this side of the cable have its own host name and name server."""
    subprocess.run(["hostname", OUTSIDE_HOST], check=True)
    resolver, hosts = directory / "resolv.conf", directory / "hosts"
    resolver.write_text(f"nameserver {OUTSIDE}\n")
    hosts.write_text(f"127.0.0.1 localhost\n{ADDRESS} {HOST}\n{OUTSIDE} {OUTSIDE_HOST}\n")
    for source, target in ((resolver, "/etc/resolv.conf"), (hosts, "/etc/hosts")):
        subprocess.run(["mount", "--bind", str(source), str(Path(target).resolve())], check=True)


def _certify(directory: Path, machine: Machine) -> Path:
    """Give the server a certificate of a CA made for this run; return the CA's certificate."""
    own, ca = directory / "live", directory / "ca"
    usage = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    _openssl(ca, "CA of the server matrix", *usage)
    signed = ("-CA", f"{ca}.crt", "-CAkey", f"{ca}.key", "-addext", "basicConstraints=CA:FALSE")
    _openssl(own, DOMAIN, "-addext", f"subjectAltName=DNS:{DOMAIN},DNS:{HOST}", *signed)
    certificate, key = own.with_suffix(".crt").read_text(), own.with_suffix(".key").read_text()
    machine.write(CERTIFICATE, certificate)
    machine.write(KEY, key)  # readable for all: nothing else lives in this tree
    machine.write(CHAIN, certificate + ca.with_suffix(".crt").read_text())
    return ca.with_suffix(".crt")


def _openssl(stem: Path, name: str, *more: str) -> None:
    """Make a certificate. Its key is RSA: OpenSMTPD 6.8 with OpenSSL 3 cannot use another kind."""
    new = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "800", "-subj", f"/CN={name}")
    files = ("-keyout", f"{stem}.key", "-out", f"{stem}.crt")
    subprocess.run(["openssl", *new, *files, *more], check=True, capture_output=True, timeout=60)


def _add_users(machine: Machine) -> None:
    for user in USERS:
        machine.run("useradd", "--create-home", "--shell", "/bin/sh", user)
    machine.run("chpasswd", given="".join(f"{user}:{PASSWORD}\n" for user in USERS).encode())


def document_of(run: Run) -> dict[str, Any]:
    """Return the document of a run. AssertionError when it printed none."""
    try:
        document: dict[str, Any] = json.loads(run.stdout)
    except ValueError:
        raise AssertionError(f"exit code {run.exit_code}, no JSON: {run.stdout[:200]} {run.stderr[-500:]}") from None
    return document
