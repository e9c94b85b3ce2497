"""The crontab in the README, run as cron runs it: for pipx, uv and a venv, with no PATH that knows mailmon."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.embedded import config_of, kinds

ROOT = Path(__file__).parents[2]
MAILMON = Path(sys.executable).with_name("mailmon")


class Crontab(NamedTuple):
    """The variables of a crontab, and the command of its only line."""

    variables: dict[str, str]
    command: str


def crontab_of(page: str, *, has_user: bool = False) -> Crontab:
    """Return the crontab that a page shows, as cron reads it (crontab(5)) once its ping URL is no comment any more."""
    [block] = re.findall(r"^```cron\n(.*?)^```", (ROOT / page).read_text(), re.M | re.S)
    lines = block.strip().replace("# MAILMON_PING_URL=", "MAILMON_PING_URL=").splitlines()
    variables = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))
    [line] = [line for line in lines if not re.match(r"[A-Z_]+=", line)]
    fields = line.split(None, 6 if has_user else 5)
    assert "%" not in fields[-1]  # a new line to cron
    return Crontab(variables, fields[-1])


def run_as_cron(crontab: Crontab, home: Path) -> subprocess.CompletedProcess[str]:
    """Run the command with cron's environment and the crontab's variables."""
    environ = {"HOME": str(home), "LOGNAME": "somebody", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        ["/bin/sh", "-c", crontab.command], env={**environ, **crontab.variables}, cwd=home, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, sandbox: Sandbox, receiver: Receiver) -> Path:
    """Return a home with a configuration in its default place."""
    directory = tmp_path / "home" / ".config" / "mailmon"
    directory.mkdir(parents=True)
    path = directory / "config.json"
    path.write_text(json.dumps(config_of(sandbox, receiver)))
    path.chmod(0o600)
    return tmp_path / "home"


def install(place: Path) -> None:
    """Put the program where it would be installed, as pipx and uv do: a link to an environment of its own."""
    place.parent.mkdir(parents=True)
    place.symlink_to(MAILMON)


def with_ping(crontab: Crontab, receiver: Receiver) -> Crontab:
    """Return the crontab with the address of the receiver for that of the watcher."""
    assert crontab.variables["MAILMON_PING_URL"].startswith("https://")
    return crontab._replace(variables={**crontab.variables, "MAILMON_PING_URL": f"{receiver.url}/ping"})


def pings(receiver: Receiver) -> list[str]:
    return [request.path for request in receiver.requests if request.path.startswith("/ping")]


@pytest.mark.parametrize("installed", [".local/bin/mailmon", "venvs/mailmon/bin/mailmon"], ids=["pipx and uv", "venv"])
def test_the_crontab_of_the_readme_runs_as_it_is(
    home: Path, sandbox: Sandbox, receiver: Receiver, installed: str
) -> None:
    install(home / installed)
    crontab = with_ping(crontab_of("README.md"), receiver)
    assert "@" in crontab.variables["MAILTO"]
    assert crontab.command.startswith("$HOME/.local/bin/mailmon check")
    crontab = crontab._replace(command=crontab.command.replace("$HOME/.local/bin/mailmon", str(home / installed)))
    done = run_as_cron(crontab, home)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")  # nothing that cron would mail
    assert pings(receiver) == ["/ping/start", "/ping"]
    sandbox.faults.refuse_login = {"smtp"}
    done = run_as_cron(crontab, home)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    assert kinds(receiver) == ["problem"]
    assert pings(receiver)[2:] in (["/ping/start", "/ping/1"], ["/ping/start", "/ping/fail"])


def test_without_the_program_cron_mails_an_error_and_no_ping_is_sent(home: Path, receiver: Receiver) -> None:
    done = run_as_cron(with_ping(crontab_of("README.md"), receiver), home)
    assert done.returncode == 127
    assert "mailmon" in done.stderr
    assert pings(receiver) == []


def test_the_crontab_for_a_user_of_its_own_names_the_program_by_an_absolute_path(tmp_path: Path) -> None:
    crontab = crontab_of("docs/systemd.md", has_user=True)
    assert crontab.command.startswith("/opt/mailmon/bin/mailmon check --config /etc/mailmon/config.json")
    assert {"MAILTO", "STATE_DIRECTORY", "CREDENTIALS_DIRECTORY", "MAILMON_PING_URL"} == set(crontab.variables)


def test_an_empty_ping_variable_switches_no_pings_on(home: Path, receiver: Receiver) -> None:
    install(home / ".local/bin/mailmon")
    crontab = crontab_of("README.md")
    done = run_as_cron(crontab._replace(variables={"MAILMON_PING_URL": ""}), home)
    assert (done.returncode, done.stderr, pings(receiver)) == (0, "", [])
