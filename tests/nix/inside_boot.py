"""What is seen inside the machine that test_boot.py boots: `python inside_boot.py RESULTS` as root, then it is off."""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import ssl
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mailmon.sandbox import Faults, Sandbox
from mailmon.sandbox.receiver import Receiver

MAIN, FAILURE = "mailmon-main.service", "mailmon-main-failure.service"
SUMMARY, SUMMARY_FAILURE = "mailmon-main-summary.service", "mailmon-main-summary-failure.service"
UNITS = Path("/etc/systemd/system")
PASSWORD, TOPIC = "sentinel-password-main", "topic-that-nobody-may-see"
SECRETS = {"100%password": PASSWORD, "ntfy-topic": TOPIC}


def call(*command: str, env: dict[str, str] | None = None, user: int | None = None) -> dict[str, Any]:
    """Run a command; return its exit code and its words."""
    ran = subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, user=user, capture_output=True, text=True, timeout=90, check=False
    )
    return {"exit": ran.returncode, "stdout": ran.stdout, "stderr": ran.stderr}


def show(unit: str) -> dict[str, str]:
    """Return what systemd knows of a unit."""
    names = ("Result", "ActiveState", "ExecMainStatus", "TimeoutStartUSec", "DynamicUser", "User")
    said = call("systemctl", "show", unit, *(f"--property={name}" for name in names))["stdout"]
    return dict(line.partition("=")[::2] for line in said.splitlines())


def eventually(is_so: Callable[[], object], what: str) -> None:
    """Wait until something is so. Raises TimeoutError."""
    end = time.monotonic() + 30
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError(f"waited in vain: {what}")
        time.sleep(0.1)


class Machine:
    """The servers, and the units of one of the configurations."""

    def __init__(self, sandbox: Sandbox, receiver: Receiver) -> None:
        self.sandbox, self.receiver = sandbox, receiver
        self._known_alerts = 0

    def install(self, name: str) -> None:
        """Put the units, the configuration and the command of a configuration in place."""
        made = json.loads(Path(f"/opt/trial/{name}.json").read_text())
        for unit, text in made["units"].items():
            (UNITS / unit).write_text(text)
        for path, document in made["files"].items():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(document.replace("http://127.0.0.1:1", self.receiver.url))
        for command, text in made["wrappers"].items():
            Path(f"/usr/local/bin/{command}").write_text(text)
            Path(f"/usr/local/bin/{command}").chmod(0o755)
        call("systemctl", "daemon-reload")
        self.give_secrets()

    def give_secrets(self) -> None:
        """Write the files that sops-nix or agenix would make: root's alone."""
        Path("/run/secrets").mkdir(mode=0o700, exist_ok=True)
        for name, text in SECRETS.items():
            Path(f"/run/secrets/{name}").write_text(f"{text}\n")
            Path(f"/run/secrets/{name}").chmod(0o400)

    def inject(self, **faults: Any) -> None:
        """Set these faults of the mail server and no others."""
        for name, value in {**vars(Faults()), **faults}.items():
            setattr(self.sandbox.faults, name, value)

    def new_alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that have come since the last question."""
        messages = self.receiver.ntfy_messages()
        fresh, self._known_alerts = messages[self._known_alerts :], len(messages)
        return [{key: message[key] for key in ("topic", "title", "tags")} for message in fresh]

    def run(self) -> dict[str, Any]:
        """Start the unit, wait for what follows, and return what came."""
        call("systemctl", "reset-failed", MAIN, FAILURE)
        began = call("systemctl", "start", MAIN)
        if show(MAIN)["ActiveState"] == "failed":
            eventually(lambda: show(FAILURE)["ActiveState"] in ("inactive", "failed"), "the failure unit ends")
            eventually(lambda: "alert" in self.said(FAILURE), "the failure unit speaks")
        return {**began, "unit": show(MAIN), "alerts": self.new_alerts(), "said": self.said(MAIN)}

    def said(self, unit: str) -> str:
        """Return what a unit has said."""
        call("journalctl", "--sync")
        return str(call("journalctl", "--no-pager", "--output=cat", f"--unit={unit}")["stdout"])


def first_run(machine: Machine) -> dict[str, Any]:
    """A run of which nobody hears, and what it leaves."""
    machine.install("mailmon")
    ran = machine.run()
    state = Path("/var/lib/private/mailmon-main")
    return {**ran, "modes": {path.name: f"{path.stat().st_mode & 0o7777:o}" for path in [state, *state.iterdir()]}}


def summary(machine: Machine) -> dict[str, Any]:
    """The summary of bounces, of which there were none; then one that a drop-in breaks."""
    began = call("systemctl", "start", SUMMARY)
    sent = {**began, "unit": show(SUMMARY), "alerts": machine.new_alerts(), "said": machine.said(SUMMARY)}
    dropin = UNITS / f"{SUMMARY}.d/broken.conf"
    dropin.parent.mkdir()
    dropin.write_text("[Service]\nExecStartPre=/bin/sh -c 'exit 70'\n")
    call("systemctl", "daemon-reload")
    call("systemctl", "start", SUMMARY)
    eventually(lambda: "alert" in machine.said(SUMMARY_FAILURE), "the failure unit speaks")
    broken = {"unit": show(SUMMARY), "alerts": machine.new_alerts()}
    shutil.rmtree(dropin.parent)
    call("systemctl", "daemon-reload")
    return {"sent": sent, "broken": broken, "recovered": machine.run()}


def failure_and_recovery(machine: Machine) -> dict[str, Any]:
    """The login is refused for two runs and a run by hand, then all is well again."""
    machine.inject(refuse_login={"smtp"})
    failed, again, hand = machine.run(), machine.run(), call("/usr/local/bin/mailmon-main", "check")
    news = machine.new_alerts()
    machine.inject()
    return {"failed": failed, "again": again, "by_hand": hand, "alerts": news, "recovered": machine.run()}


def by_hand(machine: Machine) -> dict[str, Any]:
    """Subcommands by the command for people, its exit codes and words; and as nobody."""
    command = "/usr/local/bin/mailmon-main"
    plain = {"PATH": os.environ["PATH"]}
    words: dict[str, Any] = {
        "status": call(command, "status", "--json", env=plain),
        "check": call(command, "check", "--json", env=plain),
        "silence": call(command, "silence", "main", "--for", "2h", "--why", "new disk; $(id)", env=plain),
        "silences": call(command, "silence", "list", env=plain),
        "end": call(command, "silence", "end", "main", env=plain),
        "usage": call(command, "no-such-command", env=plain),
        "nobody": call(command, "status", env=plain, user=pwd.getpwnam("nobody").pw_uid),
        "validate": call(command, "config", "validate", env=plain),
    }
    [document] = re.findall(r"MAILMON_CONFIG=(\S+)", Path(command).read_text())
    bare = {**plain, "STATE_DIRECTORY": "/var/lib/mailmon-main", "MAILMON_CONFIG": document}
    refused = {word: call("/opt/mailmon/bin/mailmon", word, env=bare) for word in ("check", "status")}
    words["refused"] = refused
    copied = {word: said["stderr"].splitlines()[-1] for word, said in refused.items()}
    words["copied"] = {line: call("/bin/sh", "-c", line, env=plain) for line in copied.values()}
    state = Path("/var/lib/private/mailmon-main")
    owners = {path.stat().st_uid for path in [state, *state.iterdir()]}
    # systemd forgets them when it has time.
    left = ("systemctl", "list-units", "--all", "--no-legend", "*by-hand*")
    eventually(lambda: call(*left)["stdout"] == "", "no unit of a command by hand is left")
    return {**words, "owners": sorted(owners), "alerts": machine.new_alerts(), "unit": machine.run()}


def missing_password(machine: Machine) -> dict[str, Any]:
    """The file of the password is gone: what tells of it?"""
    Path("/run/secrets/100%password").unlink()
    hand = call("/usr/local/bin/mailmon-main", "check")
    failed = machine.run()
    told = {"failure_unit": show(FAILURE), "failure_said": machine.said(FAILURE)}
    machine.give_secrets()
    return {"failed": failed, **told, "by_hand": hand, "recovered": machine.run()}


def give_certificate() -> None:
    """Put what the IMAP server shows where an ACME client of NixOS would: for its group."""
    call("groupadd", "--system", "acme")
    file = Path("/var/lib/acme/mail/fullchain.pem")
    file.parent.mkdir(parents=True)
    file.write_text(ssl.get_server_certificate(("127.0.0.1", 1993)))
    for path, mode in ((file.parent, 0o750), (file, 0o640)):
        shutil.chown(path, "root", "acme")
        path.chmod(mode)


def queue(machine: Machine) -> dict[str, Any]:
    """The queue of a real Postfix: empty, with a message that waits, without leave to look, and with Postfix down."""
    call(
        "postconf", "-e", "defer_transports = smtp local", "inet_interfaces = loopback-only", "myhostname = trial.test"
    )
    call("newaliases")
    began = call("postfix", "start")
    give_certificate()
    machine.install("queue")
    empty = machine.run()
    letter = "Subject: waits\n\nHello\n"
    subprocess.run(["sendmail", "-f", "root", "root"], input=letter, text=True, timeout=30, check=True)
    eventually(lambda: '"deferred"' in call("postqueue", "-j")["stdout"], "the message is deferred")
    waiting = machine.run()
    machine.install("queue-closed")
    closed = machine.run()
    machine.install("queue")
    call("postfix", "stop")
    down = machine.run()
    listed = call("/usr/local/bin/mailmon-main", "check", "postfix", "--json")
    return {"began": began, "empty": empty, "waiting": waiting, "closed": closed, "down": down, "by_hand": listed}


def old_name(machine: Machine) -> dict[str, Any]:
    """The directory of the small monitor, with its state and a user of its own, under the new units."""
    shutil.rmtree("/var/lib/private/mailmon-main")
    call("useradd", "--system", "mail-monitor")
    old = Path("/var/lib/mail-monitor")
    old.mkdir(mode=0o700)
    (old / "keepsake").write_text("from before\n")
    for path in (old, old / "keepsake"):
        shutil.chown(path, "mail-monitor", "mail-monitor")
    machine.install("mail-monitor")
    ran = machine.run()
    kept = (old / "keepsake").read_text()
    return {**ran, "kept": kept, "files": sorted(path.name for path in old.iterdir())}


def main(results: Path) -> None:
    """Play everything in its order; what breaks is told, and what follows is played all the same."""
    seen: dict[str, Any] = {}
    users = {"monitor@example.org": PASSWORD}
    ports = {"smtp": 1587, "imaps": 1993}
    with Sandbox(users=users, directory=Path("/run/trial"), ports=ports) as sandbox, Receiver() as receiver:
        for path in (Path("/run/trial"), Path("/run/trial/ca.pem")):
            path.chmod(0o755)
        machine = Machine(sandbox, receiver)
        for scenario in (first_run, summary, failure_and_recovery, by_hand, missing_password, queue, old_name):
            try:
                seen[scenario.__name__] = scenario(machine)
            except Exception:
                seen[scenario.__name__] = {"error": traceback.format_exc()}
            results.write_text(json.dumps(seen, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
