"""Our own network is gone: that is not the mail server's failure, and nobody is told that it was."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from mailmon.clients.deadline import Deadline
from mailmon.clients.server import Security, Server
from mailmon.clients.wire import connect
from mailmon.errors import StageError
from mailmon.mail.text import Masker
from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.integration.stage import monitor_of, state_of

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
    assert state_of(monitor)["checks"] == {}
    assert receiver.requests == []


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
