"""The unit's sandboxing: a probe in the place of mailmon tries what an ordinary user can."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from .environment import Environment, call, journal

_UNIT, _PROBE = "mailmon-probe.service", Path(__file__).with_name("probe.py")


def sandboxing(environment: Environment, seen: dict[str, Any]) -> dict[str, Any]:
    """The same attempts as nobody outside the unit, and inside it; and inside another instance's unit."""
    del environment, seen
    _lay_out()
    with _listener() as server, _process_of_somebody() as somebody:
        arguments = [str(server.getsockname()[1]), str(somebody.pid)]
        outside = call(sys.executable, str(_PROBE), *arguments, user="nobody")
        inside = _run_probe(arguments)
        somebody.kill()
    return {"outside": json.loads(outside["stdout"]), "inside": inside}


def addresses(environment: Environment, seen: dict[str, Any]) -> dict[str, Any]:
    """The same with a list of allowed addresses; without BPF in the kernel systemd refuses nobody any address."""
    del seen
    with _listener() as server, _process_of_somebody() as somebody:
        lines = "[Service]\nIPAddressDeny=any\nIPAddressAllow=127.0.0.1\n"
        environment.drop_in(_UNIT, lines)
        port = server.getsockname()[1]
        inside = _run_probe([str(port), str(somebody.pid)])
        somebody.kill()
        connect = f"import socket; socket.create_connection(('127.0.0.1', {port}), 1)"
        deny = ("systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--property=IPAddressDeny=any")
        is_enforced = call(*deny, sys.executable, "-c", connect)["exit"] != 0
    return {"inside": inside, "is_enforced": is_enforced}


def _lay_out() -> None:
    """Make places that everybody may write to and read: what keeps a program out is then the sandbox alone."""
    for directory in ("/etc/open", "/home/open", "/var/lib/other", "/opt/mailmon/open"):
        Path(directory).mkdir(parents=True, exist_ok=True)
        Path(directory).chmod(0o777)
    for letter in (Path("/home/open/letter"), Path("/tmp/letter")):
        letter.write_text("private")
        letter.chmod(0o644)


def _run_probe(arguments: list[str]) -> dict[str, str]:
    """Run the probe in the unit of mailmon, with nothing but its command changed."""
    unit = Path("/etc/systemd/system/mailmon.service").read_text()
    command = " ".join([sys.executable, str(_PROBE), *arguments])
    lines = [f"ExecStart={command}" if line.startswith("ExecStart=") else line for line in unit.splitlines()]
    (Path("/etc/systemd/system") / _UNIT).write_text("\n".join(lines) + "\n")
    call("systemctl", "daemon-reload")
    started = call("systemctl", "start", _UNIT)
    if started["exit"] != 0:
        raise RuntimeError(f"the probe did not run: {started['stderr']} {journal(_UNIT)}")
    answers = [line for line in journal(_UNIT).splitlines() if line.startswith("{")]
    told: dict[str, str] = json.loads(answers[-1])
    return told


def _listener() -> socket.socket:
    """Return a socket that is connected to at every address of this machine."""
    return socket.create_server(("0.0.0.0", 0))


def _process_of_somebody() -> subprocess.Popen[bytes]:
    """Return a process of another user, for others to look at."""
    return subprocess.Popen(["sleep", "60"], user=1)
