"""Faults of our own side: no network, a resolver that is dead or lies, one host that runs everything."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import threading
from functools import cache

import dns.message
import dns.rcode
import dns.rrset

from tests.faults.dsl import Fault, Need
from tests.faults.faults import failed
from tests.faults.harness import Harness
from tests.link import Link


@cache
def _can_unshare() -> bool:
    """A container's root may not be allowed to."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "ip"))):
        return False
    command = ["unshare", "-n", "ip", "link", "add", "near0", "type", "veth", "peer", "name", "far0"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


NAMESPACES = Need("needs root, unshare and ip (iproute2) for a network namespace", _can_unshare)
NAME = "mail.example.org"
_numbers = itertools.count()


class Resolver:
    """A name server on UDP that answers for one name, as long as it is well; a context manager."""

    def __init__(self, host: str, address: str) -> None:
        self.mode, self.address = "well", address
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self.place = f"{host}:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Resolver:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.mode = "closed"
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread; says that it is not connected
        self._socket.close()

    def _serve(self) -> None:
        while self.mode != "closed":
            try:
                asked, client = self._socket.recvfrom(4096)
            except OSError:
                return
            if self.mode in ("well", "wrong", "SERVFAIL", "NXDOMAIN") and asked:
                with contextlib.suppress(OSError):
                    self._socket.sendto(self._answer(asked), client)

    def _answer(self, asked: bytes) -> bytes:
        query = dns.message.from_wire(asked)
        answer = dns.message.make_response(query)
        name = query.question[0].name
        if self.mode in ("SERVFAIL", "NXDOMAIN"):
            answer.set_rcode(dns.rcode.from_text(self.mode))
        elif str(name) == f"{NAME}." and query.question[0].rdtype == dns.rdatatype.A:
            address = "127.0.0.9" if self.mode == "wrong" else self.address
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", address))
        return answer.to_wire()


class WideLink(Link):
    """A link that listens on an address of its own."""

    def __init__(self, target: int, host: str) -> None:
        super().__init__(target)
        self._host = host

    def listen(self) -> None:
        """Take connections on that address."""
        if self._listener is None:
            listener = socket.create_server((self._host, self.port), backlog=64)
            self.port = listener.getsockname()[1]
            self._listener = listener
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()


def _cut_off(harness: Harness) -> None:
    harness.prefix = ["unshare", "-n"]


no_network = Fault("no network", _cut_off, is_offline=True)


def named(harness: Harness) -> None:
    """Let the mail server be found by name, by a resolver that is not on its address."""
    resolver = harness.cleanups.enter_context(Resolver("127.0.0.2", "127.0.0.1"))
    _found_by_name(harness, resolver)


def _found_by_name(harness: Harness, resolver: Resolver) -> None:
    harness.resolver = resolver
    for service in ("smtp", "imap"):
        harness.account[service] |= {"host": NAME, "tls_sha256": [harness.sandbox.certificate_sha256]}
        del harness.account[service]["ca_file"]
    harness.monitor.config["dns"] = {"nameservers": [resolver.place]}


def _resolver(mode: str, *, is_offline: bool) -> Fault:
    def inject(harness: Harness) -> None:
        harness.resolver.mode = mode

    observations = {} if is_offline else dict.fromkeys(("smtp_auth", "imap_auth"), failed(mode))
    return Fault(f"resolver: {mode}", inject, observations, is_offline=is_offline)


resolver_dead = _resolver("dead", is_offline=True)
resolver_fails = _resolver("SERVFAIL", is_offline=True)
resolver_denies = _resolver("NXDOMAIN", is_offline=False)
resolver_lies = _resolver("wrong", is_offline=False)


class Wire:
    """A network namespace for mailmon at the end of a virtual cable; the hosts that it sees are at our end of it."""

    def __init__(self, harness: Harness) -> None:
        number = next(_numbers) % 16
        self.name = f"mailmon-{os.getpid()}-{number}"
        self.cable = f"mm{os.getpid() % 100000}-{number}"
        self.mail, self.other = f"198.51.100.{16 * number + 2}", f"198.51.100.{16 * number + 3}"
        self._far = f"198.51.100.{16 * number + 1}"
        _ip("netns", "add", self.name)
        harness.cleanups.callback(_ip, "netns", "delete", self.name)
        _ip("link", "add", self.cable, "type", "veth", "peer", "name", "far0", "netns", self.name)
        _ip("link", "set", self.cable, "up")
        self.inside("addr", "add", f"{self._far}/28", "dev", "far0")
        self.inside("link", "set", "far0", "up")
        self.inside("link", "set", "lo", "up")
        self.has_way_out = True
        self.appear()

    def inside(self, *words: str) -> None:
        """Change the network as mailmon sees it."""
        _ip("-n", self.name, *words)

    def appear(self) -> None:
        """Let both hosts be there."""
        for address in (self.mail, self.other):
            _ip("addr", "replace", f"{address}/32", "dev", self.cable)
        _ip("route", "replace", f"{self._far}/32", "dev", self.cable)  # it goes with the last address
        self.inside("link", "set", "far0", "up")
        if self.has_way_out:
            self.inside("route", "replace", "default", "via", self.other)

    def vanish(self, *addresses: str) -> None:
        """Let hosts be dead: nobody answers for their addresses."""
        for address in addresses:
            _ip("addr", "del", f"{address}/32", "dev", self.cable)
        self.inside("neigh", "flush", "dev", "far0")


def one_host_for_all(harness: Harness) -> None:
    """Let one host run mail, the name server and the channel; another one is there to compare with."""
    harness.wire = Wire(harness)
    _on_hosts(harness, harness.wire, harness.wire.mail)


def one_host_without_a_way_out(harness: Harness) -> None:
    """The same in a network of its own, with no way to anywhere else."""
    one_host_for_all(harness)
    harness.wire.has_way_out = False
    harness.wire.inside("route", "delete", "default")


def names_elsewhere(harness: Harness) -> None:
    """Let one host run mail and the channel; the name server is on another one."""
    harness.wire = Wire(harness)
    _on_hosts(harness, harness.wire, harness.wire.other)


def _on_hosts(harness: Harness, wire: Wire, names: str) -> None:
    enter = harness.cleanups.enter_context
    _found_by_name(harness, enter(Resolver(names, wire.mail)))
    for service, port in (("smtp", harness.sandbox.smtp_port), ("imap", harness.sandbox.imaps_port)):
        harness.account[service] |= {"port": enter(WideLink(port, wire.mail)).port, "timeout_s": 2}
    for name, receiver in harness.receivers.items():
        door = enter(WideLink(int(receiver.url.rpartition(":")[2]), wire.mail))
        harness.notify[name] = harness.channel(name, f"http://{wire.mail}:{door.port}")
    other = enter(WideLink(harness.sandbox.smtp_port, wire.other))
    harness.monitor.config |= {"reachability": [f"{wire.other}:{other.port}"], "deadline_s": 31.5}


def _on_the_wire(name: str, *gone: str, is_offline: bool = False, link: str = "up") -> Fault:
    def inject(harness: Harness) -> None:
        wire = harness.wire
        wire.appear()
        wire.vanish(*(getattr(wire, host) for host in gone))
        wire.inside("link", "set", "far0", link)
        harness.prefix = ["ip", "netns", "exec", wire.name]

    observations = dict.fromkeys(("smtp_auth", "imap_auth"), failed("dead")) if gone and not is_offline else {}
    return Fault(name, inject, observations, is_offline=is_offline)


all_well = _on_the_wire("all hosts answer")
host_dead = _on_the_wire("the mail host is dead", "mail")
router_dead = _on_the_wire("nobody answers", "mail", "other", is_offline=True)
cable_out = _on_the_wire("our cable is out", is_offline=True, link="down")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
