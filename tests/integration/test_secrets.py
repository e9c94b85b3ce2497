"""No credential shows anywhere: not on a terminal, not in a file, not in a process list, whatever a server says."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.embedded import MAIN, config_of, files_of
from tests.monitor import Monitor, Run

PASSWORDS = {
    "plain": "sentinel-password-71",
    "quotes": "sentinel\"pass\\word'72 ",
    "non-ASCII": "sentinel-Pässwörd-73-€",
    "markup": "sentinel<b>%s{0}$HOME&74",
}
TOPIC, TOKEN = "sentinel-topic-81", "tk_sentinel_token_82"
WEBHOOK, PING = "/api/webhooks/83/sentinel-webhook-84", "/sentinel-ping-85"
NTFY_PASSWORD = "sentinel-ntfy-password-86"


def spellings(secret: str) -> set[str]:
    """Return the ways in which a text may give a secret away."""
    raw = secret.encode()
    escaped = secret.replace("\\", "\\\\").replace('"', '\\"')
    encoded = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode(), raw.hex()}
    plain = base64.b64encode(f"\0{MAIN}\0{secret}".encode()).decode()
    basic = base64.b64encode(f"u:{secret}".encode()).decode()
    shown = secret.encode("ascii", "backslashreplace").decode()
    return {secret, escaped, quote(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1], plain, basic, shown, *encoded}


@dataclass
class Scene:
    """A monitor whose every credential is a sentinel."""

    sandbox: Sandbox
    phone: Receiver
    monitor: Monitor
    password: str

    def secrets(self) -> list[str]:
        return [self.password, TOPIC, TOKEN, WEBHOOK.rpartition("/")[2], PING.strip("/"), NTFY_PASSWORD]

    def must_be_silent(self, *texts: str) -> None:
        """Fail where any spelling of a sentinel shows in a text, or in any file but those that the person wrote."""
        written = {"config.json", "sandbox/ca.pem"}
        kept = {n: raw.decode("utf-8", "replace") for n, raw in files_of(self.monitor.directory).items()}
        places = {f"text {n}": text for n, text in enumerate(texts)}
        places |= {name: text for name, text in kept.items() if name not in written}
        found = {
            (name, form)
            for name, text in places.items()
            for secret in self.secrets()
            for form in spellings(secret)
            if form in text
        }
        assert found == set()

    def must_all_be_silent(self, *commands: tuple[str, ...]) -> list[Run]:
        runs = [self.monitor.run(*command) for command in commands]
        self.must_be_silent(*(run.stdout for run in runs), *(run.stderr for run in runs))
        return runs


@pytest.fixture
def scene(request: pytest.FixtureRequest, receiver: Receiver, tmp_path: Path) -> Iterator[Scene]:
    password = PASSWORDS[getattr(request, "param", "plain")]
    with Sandbox(users={MAIN: password}, directory=tmp_path / "sandbox") as sandbox:
        config = config_of(sandbox, None) | {
            "notify": {
                "ntfy": {"server": receiver.url, "topic": TOPIC, "token": TOKEN},
                "basic": {
                    "type": "ntfy", "server": receiver.url, "topic": TOPIC, "username": "u", "password": NTFY_PASSWORD,
                },
                "discord": {"webhook": f"{receiver.url}{WEBHOOK}"},
            },
            "ping": {"url": f"{receiver.url}{PING}"},
        }  # fmt: skip
        yield Scene(sandbox, receiver, Monitor(tmp_path, config), password)


EVERY_WAY = [("check", "-v"), ("check", "--json", "-v"), ("check", "--dry-run"), ("status",), ("status", "--json")]


with_every_password = pytest.mark.parametrize("scene", PASSWORDS, indirect=True)


@with_every_password
def test_a_good_run_shows_no_credential_in_any_form_of_output(scene: Scene) -> None:
    runs = scene.must_all_be_silent(*EVERY_WAY, ("config", "validate"), ("config", "validate", "--json"))
    assert [run.exit_code for run in runs] == [0] * 7
    assert "****" in runs[0].stderr, "the transcript shows that something is hidden"


@with_every_password
def test_a_server_that_quotes_the_password_back_gives_nothing_away(scene: Scene) -> None:
    scene.sandbox.faults.refuse_login = {"smtp", "imap"}
    scene.sandbox.faults.echo_credentials = True
    runs = scene.must_all_be_silent(*EVERY_WAY)
    assert runs[0].exit_code == 1
    assert "Wrong password ****" in runs[0].stdout
    bodies = [request.body.decode() for request in scene.phone.requests]
    assert len(bodies) > 3, "three alerts, and the pings"
    assert not any(form in body for body in bodies for form in spellings(scene.password))


@with_every_password
@pytest.mark.parametrize("reply", ["250 2.0.0 Ok: queued as {}", "250 OK id={}", "250 {}", "250 Message Queued ({})"])
def test_a_server_that_calls_the_password_a_queue_id_gives_nothing_away(scene: Scene, reply: str) -> None:
    scene.sandbox.faults.data_reply = reply.format(scene.password)
    scene.sandbox.faults.lose_mail = True
    runs = scene.must_all_be_silent(*EVERY_WAY)
    assert "****" in runs[0].stdout
    bodies = [request.body.decode() for request in scene.phone.requests]
    assert not any(form in body for body in bodies for form in spellings(scene.password))


# What each kind of receiver knows and may quote, in the words of real ones: its error pages name the path.
QUOTES = {
    "ntfy": f"topic {TOPIC} is closed for Bearer {TOKEN}",
    "basic": f"no {TOPIC} for u:{NTFY_PASSWORD} (Basic {base64.b64encode(f'u:{NTFY_PASSWORD}'.encode()).decode()})",
    "discord": f"Cannot POST {WEBHOOK}",
    "ping": f"The requested URL {PING}/fail was not found on this server.",
}


@pytest.mark.parametrize("status", [500, 401, 404])
@pytest.mark.parametrize("channel", QUOTES)
def test_a_receiver_that_quotes_its_credentials_gives_nothing_away(scene: Scene, channel: str, status: int) -> None:
    scene.phone.status, scene.phone.body = status, QUOTES[channel].encode()
    scene.sandbox.faults.refuse_login = {"smtp"}
    channels = scene.monitor.config["notify"]
    scene.monitor.config["notify"] = {channel: channels[channel]} if channel in channels else "none"
    if channel != "ping":
        del scene.monitor.config["ping"]
    runs = scene.must_all_be_silent(
        ("check", "-v"), ("check", "--json"), ("status",), ("notify", "test", channel), ("notify", "test", "--json")
    )
    assert runs[0].exit_code == (69 if status != 500 and channel != "ping" else 1)
    assert runs[3].exit_code == 69
    assert f"answered {status}" in runs[3].stdout


def test_a_redirect_is_not_followed_and_gives_nothing_away(scene: Scene) -> None:
    with Receiver() as elsewhere:
        scene.phone.redirect_to = f"{elsewhere.url}/{TOPIC}"
        scene.sandbox.faults.refuse_login = {"smtp"}
        runs = scene.must_all_be_silent(*EVERY_WAY, ("notify", "test"), ("notify", "test", "ping"))
        assert elsewhere.requests == []
    assert runs[0].exit_code == 69
    assert "redirect" in runs[0].stderr
    assert runs[-1].exit_code == 69


def test_a_receiver_that_cannot_be_reached_is_not_named_by_its_secret_address(scene: Scene) -> None:
    scene.phone.stop()
    scene.sandbox.faults.refuse_login = {"smtp"}
    runs = scene.must_all_be_silent(("check",), ("check", "--json"), ("notify", "test"), ("status",))
    assert "not reached" in runs[0].stderr
    assert runs[2].exit_code == 69
    scene.phone.start()


MISTAKES: dict[str, dict[str, Any]] = {
    "unknown key": {"passwort": "sentinel-password-71"},
    "number": {"accounts": {"main": {"address": MAIN, "password": ["sentinel-password-71"]}}},
    "two lines": {"accounts": {"main": {"address": MAIN, "password": "sentinel-password-71\nx"}}},
    "webhook": {"notify": {"discord": {"webhook": f"ftp://x{WEBHOOK}"}}},
    "webhook type": {"notify": {"discord": {"webhook": {"url": f"https://x{WEBHOOK}"}}}},
    "topic": {"notify": {"ntfy": {"topic": [TOPIC], "token": {"x": TOKEN}}}},
    "ping": {"ping": {"url": f"gopher://x{PING}"}},
    "ping text": {"ping": f"https://x{PING}"},
    "both": {"accounts": {"main": {"address": MAIN, "password": "sentinel-password-71", "password_file": "x"}}},
    "login in a URL": {"notify": {"ntfy": {"server": f"https://u:{NTFY_PASSWORD}@ntfy.sh", "topic": TOPIC}}},
    "flat": {"smtp_host": "a", "imap_host": "b", "username": MAIN, "password": 71, "ntfy_topic": {"t": TOPIC}},
    "flat and full": {"password": "sentinel-password-71", "ntfy_topic": TOPIC},
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_configuration_is_told_without_a_credential(
    sandbox: Sandbox, receiver: Receiver, tmp_path: Path, mistake: str
) -> None:
    monitor = Monitor(tmp_path, config_of(sandbox, receiver) | MISTAKES[mistake])
    scene = Scene(sandbox, receiver, monitor, PASSWORDS["plain"])
    runs = scene.must_all_be_silent(("check",), ("check", "--json"), ("config", "validate"), ("notify", "test"))
    assert {run.exit_code for run in runs} == {78}


def test_broken_json_is_told_without_quoting_it(sandbox: Sandbox, receiver: Receiver, tmp_path: Path) -> None:
    monitor = Monitor(tmp_path, {})
    monitor.write()
    for text in (f'{{"password": "{PASSWORDS["plain"]}" oops}}', f'{{"{TOPIC}": 1, "{TOPIC}x": ', f'"{TOKEN}"'):
        monitor.path.write_text(text)
        run = subprocess.run(
            monitor.command("check"), env=monitor.environment(), capture_output=True, text=True, check=False
        )
        assert run.returncode == 78
        Scene(sandbox, receiver, monitor, PASSWORDS["plain"]).must_be_silent(run.stdout, run.stderr)


def test_the_option_password_works_with_a_warning(sandbox: Sandbox, receiver: Receiver, tmp_path: Path) -> None:
    monitor = Monitor(tmp_path, config_of(sandbox, receiver))
    password = sandbox.users[MAIN]
    del monitor.config["accounts"]["main"]["password"]
    run = monitor.run("check", "-v", "--password", password)
    assert run.exit_code == 0
    assert run.stderr.startswith("warning: --password: other users can read it in the process list")
    Scene(sandbox, receiver, monitor, password).must_be_silent(run.stdout, run.stderr)


@with_every_password
def test_while_it_runs_neither_argv_nor_environment_nor_a_child_holds_a_credential(scene: Scene) -> None:
    scene.sandbox.faults.delivery_delay_s = 0.6
    seen: set[bytes] = set()
    with scene.monitor.start(["check", "-v"]) as process:
        while process.poll() is None:
            for pid in (str(process.pid), *_children(process.pid)):
                for name in ("cmdline", "environ"):
                    try:
                        seen.add(Path("/proc", pid, name).read_bytes())
                    except OSError:
                        continue
            time.sleep(0.02)
        stdout, stderr = process.communicate()
    assert process.returncode == 0
    assert len(seen) >= 2
    scene.must_be_silent(stdout, stderr, *(raw.decode("utf-8", "replace") for raw in seen))


def _children(pid: int) -> list[str]:
    try:
        return Path("/proc", str(pid), "task", str(pid), "children").read_text().split()
    except OSError:
        return []


def test_a_password_command_gets_no_other_credential_and_its_stderr_is_not_shown(
    sandbox: Sandbox, receiver: Receiver, tmp_path: Path
) -> None:
    monitor = Monitor(tmp_path, config_of(sandbox, receiver))
    account = monitor.config["accounts"]["main"]
    password = account.pop("password")
    script = tmp_path / "ask.sh"
    script.write_text(f"#!/bin/sh\nenv > {tmp_path}/environ\necho noise-{password} >&2\ncat {tmp_path}/pass\nexit $1\n")
    script.chmod(0o700)
    (tmp_path / "pass").write_text(password + "\n")
    monitor.config["notify"]["ntfy"].pop("topic")
    (tmp_path / "topic").write_text(TOPIC + "\n")
    monitor.config["notify"]["ntfy"]["topic_file"] = "topic"
    for code, expected in (("0", 0), ("3", 78)):
        account["password_command"] = [str(script), code]
        run = monitor.run("check")
        assert run.exit_code == expected, run.stderr
        assert password not in run.stdout + run.stderr
        assert TOPIC not in (tmp_path / "environ").read_text()


def test_a_secret_in_the_environment_is_used_and_not_shown(
    sandbox: Sandbox, receiver: Receiver, tmp_path: Path
) -> None:
    monitor = Monitor(tmp_path, config_of(sandbox, receiver))
    password = monitor.config["accounts"]["main"].pop("password")
    monitor.environ["MAILMON_MAIN_PASSWORD"] = password
    run = monitor.run("check", "-v")
    assert run.exit_code == 0, run.stderr
    Scene(sandbox, receiver, monitor, password).must_be_silent(run.stdout, run.stderr)


def test_files_of_the_state_are_for_the_owner_only_whatever_the_umask(monitor: Monitor) -> None:
    monitor.write()
    command = ["sh", "-c", 'umask 0; exec "$@"', "sh", *monitor.command("check")]
    subprocess.run(command, env=monitor.environment(), check=True, capture_output=True)
    modes = {path.name: path.stat().st_mode & 0o777 for path in monitor.state_file.parent.iterdir()}
    assert set(modes.values()) == {0o600}
    assert os.stat(monitor.state_file.parent).st_mode & 0o777 == 0o700
