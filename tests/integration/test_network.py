"""Our own network is gone: that is not the mail server's failure, and nobody is told that it was."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mailmon.clients.deadline import Deadline
from mailmon.clients.server import Security, Server
from mailmon.clients.wire import connect
from mailmon.errors import StageError
from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from mailmon.text import Masker
from tests.embedded import monitor_of, state_of

alone = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root and unshare for a network namespace"
)


@alone
@pytest.mark.parametrize("host", ["mail.example.org", "192.0.2.1"])
def test_a_machine_without_a_network_could_not_tell(
    sandbox: Sandbox, receiver: Receiver, tmp_path: Path, host: str
) -> None:
    monitor = monitor_of(sandbox, tmp_path, receiver)
    for service in ("smtp", "imap"):
        monitor.config["accounts"]["main"][service]["host"] = host
    monitor.write()
    command = ["unshare", "-n", *monitor.command("check")]
    result = subprocess.run(command, env=monitor.environment(), capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 75, result.stdout + result.stderr
    assert "Look" in result.stdout or "look" in result.stdout
    assert [step_id for step_id in state_of(monitor)["checks"] if not step_id.startswith("mailmon:")] == []
    assert receiver.requests == []


# What a run would say of a server on each of these addresses: no route of our own, silence, or a reply.
VERDICTS = """
import socket, sys
from mailmon.clients.deadline import Deadline
from mailmon.clients.server import Security, Server
from mailmon.clients.wire import connect
from mailmon.errors import StageError
from mailmon.text import Masker
for host in sys.argv[1:]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server = Server("smtp", host, 587, Security.PLAIN, timeout_s=1.0)
    try:
        connect(server, [(family, (host, 587))], Deadline(9), Masker())
    except StageError as exc:
        print("ours" if exc.ours else "silence" if exc.is_silence else "reply", exc.said, sep=": ")
"""
LOOK = """
import socket, sys
from mailmon.clients.deadline import Deadline
from mailmon.clients.resolver import resolve_with_system
from mailmon.clients.connectivity import Monitored, parse_target
from mailmon.run.network import Means, examine
from mailmon.model import Finding, Outcome, Severity, Status, Verdict
finding = Finding(sys.argv[1], Verdict.FAIL, "192.0.2.10:587", "no answer", Severity.ERROR)
monitored = Monitored(frozenset({"192.0.2.10"}), {"192.0.2.10": ["192.0.2.10"]}, frozenset({"example.org"}), {})
targets = [parse_target(text) for text in sys.argv[2:]]
means = Means(targets, [("203.0.113.53", 53)], Deadline(60), resolve_with_system)
outcome = Outcome("smtp_auth:main", "smtp_auth", "main", Status.FAILED, "", findings=(finding,))
verdict = examine([outcome], monitored, means)
print("offline" if verdict.is_offline else "online", verdict.evidence, sep=": ")
"""
UPLINK = """
ip link set lo up
ip link add up0 type veth peer name down0
ip link set up0 up
ip addr add 198.51.100.2/24 dev up0
ip route add default via 198.51.100.1
"""
ROUTER = """
unshare -n sleep 30 &
router=$!
trap 'kill $router' EXIT
until [ "$(readlink /proc/$router/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done
ip link set down0 netns $router
ip route replace default via 198.51.100.1
nsenter -n -t $router sh -ec 'ip link set down0 up; ip link set lo up; ip addr add 198.51.100.1/24 dev down0
echo 1 > /proc/sys/net/ipv4/ip_forward
ip addr add 203.0.113.9/32 dev lo
ip route add unreachable 192.0.2.0/26
ip route add prohibit 192.0.2.64/26
ip route add blackhole 192.0.2.128/26'
"""


def alone_with(setup: str, code: str, *arguments: str, environment: dict[str, str] | None = None) -> list[str]:
    """Return what a program says in a network namespace of its own, or skip where that cannot be set up."""
    script = f'set -e\n{setup}\nprintf "ready\\n"\n"$@"'
    command = ["unshare", "-n", "sh", "-c", script, "sh", sys.executable, "-c", code, *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    if not result.stdout.startswith("ready"):
        pytest.skip(f"this network cannot be set up here: {result.stderr.strip()}")
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()[1:]


@alone
@pytest.mark.parametrize("address", ["192.0.2.10", "127.0.0.1", "2001:db8::10", "::1"])
def test_without_an_interface_every_address_is_our_own_trouble(address: str) -> None:
    assert alone_with("", VERDICTS, address)[0].startswith("ours: ")


@alone
@pytest.mark.parametrize(
    ("route", "said"),
    [
        ("unreachable", "No route to host"),
        ("prohibit", "Permission denied"),
        ("blackhole", "Invalid argument"),
        ("throw", "Network is unreachable"),
    ],
)
@pytest.mark.parametrize(("net", "address"), [("192.0.2.0/24", "192.0.2.10"), ("2001:db8::/32", "2001:db8::10")])
def test_a_route_of_our_own_that_sends_nothing_is_our_own_trouble(
    net: str, address: str, route: str, said: str
) -> None:
    setup = f"ip link set lo up\nip route add {route} {net}"
    assert alone_with(setup, VERDICTS, address, "127.0.0.1") == [f"ours: {said}", "reply: connection refused"]


@alone
def test_a_gateway_that_is_dead_is_silence() -> None:
    assert alone_with(UPLINK, VERDICTS, "192.0.2.10") == ["silence: no answer within 1 s"]


@alone
def test_a_router_that_knows_no_way_is_silence_and_its_own_refusal_a_reply() -> None:
    """The server's own network may be gone: an ICMP error of somebody on the way is no evidence against us."""
    addresses = ("192.0.2.10", "192.0.2.70", "192.0.2.130", "198.51.100.1")
    verdicts = [line.partition(":")[0] for line in alone_with(UPLINK + ROUTER, VERDICTS, *addresses)]
    assert verdicts == ["silence", "silence", "silence", "reply"]


@alone
@pytest.mark.parametrize(
    ("setup", "targets", "expected"),
    [
        ("", ("203.0.113.9:53",), "offline: 203.0.113.9:53 does not answer either"),
        ("ip link set lo up", ("203.0.113.9:53",), "offline: 203.0.113.9:53 does not answer either"),
        (UPLINK, ("203.0.113.9:53",), "offline: 203.0.113.9:53 does not answer either"),
        (UPLINK, (), "online: there is no independent target to compare with"),
        (UPLINK, ("192.0.2.10:53",), "online: there is no independent target to compare with"),
        (UPLINK + ROUTER, ("203.0.113.9:53",), "online: 203.0.113.9:53 answers"),  # it refuses
        (UPLINK + ROUTER, ("[2001:db8::1]:53", "203.0.113.9:53"), "online: 203.0.113.9:53 answers"),
        # There is no IPv6 here at all, which says nothing of a server that has IPv4.
        (UPLINK + ROUTER, ("[2001:db8::1]:53",), "online: there is no independent target to compare with"),
        (UPLINK + ROUTER, ("192.0.2.11:53",), "offline: 192.0.2.11:53 does not answer either"),  # only ICMP comes back
    ],
)
def test_a_look_at_the_world(setup: str, targets: tuple[str, ...], expected: str) -> None:
    assert alone_with(setup, LOOK, "smtp.timeout", *targets) == [expected]


@alone
@pytest.mark.parametrize(
    ("setup", "why"), [("", "network is unreachable"), (UPLINK, "silent"), (UPLINK + ROUTER, "silent")]
)
def test_name_servers_out_of_reach_are_our_own_trouble(setup: str, why: str) -> None:
    expected = f"offline: no name server answers for the root zone (203.0.113.53 {why})"
    assert alone_with(setup, LOOK, "dns.resolver_error") == [expected]


@alone
@pytest.mark.parametrize(
    ("targets", "exit_code", "words"),
    [([], 1, "no answer within 1 s"), (["203.0.113.9:53"], 75, "203.0.113.9:53 does not answer either")],
)
def test_a_server_that_is_silent_has_failed_unless_the_world_is_silent_too(
    sandbox: Sandbox, tmp_path: Path, targets: list[str], exit_code: int, words: str
) -> None:
    monitor = monitor_of(sandbox, tmp_path)
    monitor.config["reachability"] = targets
    for service in ("smtp", "imap"):
        monitor.config["accounts"]["main"][service] |= {"host": "192.0.2.10", "timeout_s": 1}
    monitor.write()
    code = "import subprocess, sys; run = subprocess.run(sys.argv[1:]); print('exit code', run.returncode)"
    lines = alone_with(UPLINK, code, *monitor.command("check"), environment=monitor.environment())
    assert f"exit code {exit_code}" in lines
    assert words in "\n".join(lines)


def test_an_address_family_that_this_machine_lacks_hides_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = Server("smtp", "mail.example.org", port, Security.STARTTLS)
        addresses = [(socket.AF_APPLETALK, ("x", 1)), (socket.AF_INET, ("127.0.0.1", port))]
        wire = connect(server, addresses, Deadline(5.0), Masker())
        wire.close()


def test_several_dead_addresses_take_no_longer_than_one() -> None:
    server = Server("smtp", "mail.example.org", 9, Security.STARTTLS, timeout_s=1.0)
    deadline = Deadline(20.0)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        with pytest.raises(StageError, match="no answer within 1 s"):
            connect(server, [(socket.AF_INET, ("127.0.0.1", port))] * 4, deadline, Masker())
        for sock in waiting:
            sock.close()
    assert deadline.remaining_s() > 18.5
