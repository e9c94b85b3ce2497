"""A check that has nothing to say starts fast: it imports nothing that it does not need, and connects but twice."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mailmon.checks import CHECKS
from mailmon.notify import NOTIFIERS
from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.embedded import put_foreign_mail, two_of_each
from tests.monitor import Monitor

HEAVY = {
    "aiosmtpd", "asyncio", "certifi", "cryptography", "dns", "email", "http", "idna", "imapclient",
    "jinja2", "logging", "multiprocessing", "pydantic", "pydantic_core", "requests", "rich", "smtplib",
    "sqlite3", "tempfile", "trustme", "typing_extensions", "urllib.request", "urllib3",
}  # fmt: skip


def imported_by(monitor: Monitor, command: list[str]) -> list[str]:
    """Return every module that a command imports, in order."""
    traced = [command[0], "-X", "importtime", *command[1:]]
    run = subprocess.run(traced, env=monitor.environment(), capture_output=True, text=True, timeout=30, check=True)
    lines = [line for line in run.stderr.splitlines() if line.startswith("import time:")]
    return [line.rpartition("|")[2].strip() for line in lines]


def heavy(modules: list[str]) -> set[str]:
    """Return the heavy packages among these modules."""
    return {module for module in modules if module in HEAVY or module.partition(".")[0] in HEAVY}


def test_the_second_green_check_imports_nothing_heavy(monitor: Monitor) -> None:
    assert monitor.check().exit_code == 0
    modules = imported_by(monitor, monitor.command("check"))
    assert "mailmon.run.run" in modules
    assert heavy(modules) == set()


def test_the_classifier_of_bounces_is_loaded_only_where_a_bounce_is_suspected(
    monitor: Monitor, sandbox: Sandbox
) -> None:
    def loads_it() -> bool:
        modules = imported_by(monitor, monitor.command("check"))
        return any(module.startswith(("mailmon.mail.bounce", "mailmon.mail.probe.returned")) for module in modules)

    put_foreign_mail(sandbox, 3)
    monitor.check()
    assert not loads_it()
    sandbox.faults.bounce, sandbox.faults.bounce_form = "5.2.2 full", "postfix_delay"
    monitor.check()
    sandbox.faults.bounce = None
    assert loads_it()


@pytest.mark.parametrize("arguments", [("--json",), ("-v",), ("--dry-run",), ("main",)])
def test_an_option_makes_a_quiet_check_no_heavier(monitor: Monitor, arguments: tuple[str, ...]) -> None:
    assert monitor.check().exit_code == 0
    assert heavy(imported_by(monitor, monitor.command("check", *arguments))) == set()


def test_other_commands_are_not_imported_by_a_check(monitor: Monitor) -> None:
    monitor.check()
    modules = imported_by(monitor, monitor.command("check"))
    others = ("demo", "sandbox", "status", "notify", "config", "checks")
    assert [module for module in modules if module in {f"mailmon.cli.{name}" for name in others}] == []
    assert not any(module.startswith("mailmon.sandbox") for module in modules)


def test_a_check_imports_only_the_checks_and_channels_that_are_configured(monitor: Monitor) -> None:
    monitor.check()
    program, *arguments = monitor.command("check")
    verbose = [program, "-v", *arguments]
    run = subprocess.run(verbose, env=monitor.environment(), capture_output=True, text=True, timeout=60, check=True)
    imported = set(re.findall(r"^import 'mailmon\.(checks|notify)\.(\w+)'", run.stderr, re.MULTILINE))
    checks = {name for package, name in imported if package == "checks"}
    assert checks & set(CHECKS) == {"imap_auth", "smtp_auth", "send", "receive", "cleanup"}
    assert {name for package, name in imported if package == "notify"} & set(NOTIFIERS) == {"ntfy"}


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_version_and_help_import_only_the_command_line(monitor: Monitor, argument: str) -> None:
    modules = imported_by(monitor, [sys.executable, "-m", "mailmon", argument])
    ours = {module for module in modules if module.startswith("mailmon.")}
    assert ours <= {"mailmon.cli", "mailmon.errors"}
    assert heavy(modules) == set()
    assert not {"ssl", "socket", "imaplib"} & set(modules)


def test_a_changed_configuration_is_checked_once_and_then_trusted(monitor: Monitor) -> None:
    monitor.check()
    monitor.config["deadline_s"] = 77
    monitor.write()
    assert "pydantic" in heavy(imported_by(monitor, monitor.command("check")))
    assert heavy(imported_by(monitor, monitor.command("check"))) == set()


def test_a_run_takes_one_connection_and_one_login_for_each_service(monitor: Monitor, sandbox: Sandbox) -> None:
    for number in (1, 2):
        assert monitor.check().exit_code == 0
        assert sandbox.connections == {"smtp": number, "imap": number}
        assert sandbox.logins == {("smtp", "ok"): number, ("imap", "ok"): number}


def test_two_accounts_and_two_routes_take_one_connection_per_service_and_account(
    sandbox: Sandbox, receiver: Receiver, tmp_path: Path
) -> None:
    monitor = Monitor(tmp_path, two_of_each(sandbox, receiver))
    run = monitor.check()
    assert run.exit_code == 0, run.stdout
    assert sandbox.connections == {"smtp": 2, "imap": 2}
    assert sandbox.logins == {("smtp", "ok"): 2, ("imap", "ok"): 2}


def test_a_green_run_tells_nobody(monitor: Monitor, receiver: Receiver) -> None:
    for _ in range(2):
        assert monitor.run("check").stderr == ""
    assert receiver.requests == []
