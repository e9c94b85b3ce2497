"""`mailmon config`: every mistake at once with its place, an example that is right, and a schema that knows it all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mailmon.sandbox import Sandbox
from tests.cli.programs import run
from tests.monitor import Monitor

ROOT = Path(__file__).parents[2]
PACKAGED = ROOT / "src/mailmon/config/example.json"


def validate(directory: Path, text: str, *options: str) -> tuple[int, str]:
    """Return the exit code and the words on stderr for a configuration."""
    path = directory / "config.json"
    path.write_text(text)
    path.chmod(0o600)
    result = run(directory, "config", "validate", "--config", str(path), *options)
    assert "Traceback" not in result.stderr
    return result.returncode, result.stderr


def test_the_example_in_the_root_is_the_one_in_the_package() -> None:
    assert (ROOT / "config.example.json").read_bytes() == PACKAGED.read_bytes()


@pytest.mark.parametrize("form", [(), ("--flat",), ("--full",)], ids=["both", "flat", "full"])
def test_what_is_printed_as_an_example_validates(tmp_path: Path, form: tuple[str, ...]) -> None:
    printed = run(tmp_path, "config", "example", *form)
    assert printed.returncode == 0
    assert validate(tmp_path, printed.stdout, "--no-secrets") == (0, "")


def test_the_example_printed_is_the_one_in_the_package(tmp_path: Path) -> None:
    assert json.loads(run(tmp_path, "config", "example").stdout) == json.loads(PACKAGED.read_text())


def test_the_example_with_secrets_names_every_file_that_is_missing(tmp_path: Path) -> None:
    exit_code, said = validate(tmp_path, PACKAGED.read_text())
    assert exit_code == 78
    for place in (
        "config.json: password_file",  # a flat key is called as it stands in the file
        "notify.discord.webhook_file",
        "notify.discord.webhook_file",
        "ping.url",
    ):
        assert place in said


def test_the_schema_is_one_json_document_that_knows_every_key_of_the_example(tmp_path: Path) -> None:
    schema = json.loads(run(tmp_path, "config", "schema").stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(json.loads(PACKAGED.read_text())) <= set(schema["properties"])
    assert all("description" in schema["properties"][key] for key in ("smtp_host", "ntfy_topic", "deadline_s"))


def test_a_right_configuration_is_said_to_be_right(monitor: Monitor) -> None:
    result = monitor.run("config", "validate")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"{monitor.path}: valid (")
    document = monitor.run("config", "validate", "--json").document
    places = {"file": str(monitor.path), "state_file": str(monitor.state_file)}
    assert document == {"schema": "mailmon/config/1", **places, "warnings": []}


def test_every_mistake_is_reported_at_once_with_its_path(tmp_path: Path) -> None:
    wrong: dict[str, Any] = {
        "accounts": {
            "main": {
                "address": "no address", "pasword": "x", "smtp": {"host": "a b", "port": 70000},
                "imap": {"host": "imap.example.org", "security": "ssl", "timeout_s": -1},
            }
        },
        "routes": {"main": {"from": "main", "to": "x@example.org", "in": "other", "receive_timeout_s": 0}},
        "notfy": {}, "deadline_s": "soon",
    }  # fmt: skip
    exit_code, said = validate(tmp_path, json.dumps(wrong), "--no-secrets")
    assert exit_code == 78
    assert "accounts.main.smtp.port: must be between 1 and 65535, got 70000" in said
    assert "accounts.main.pasword: unknown key; did you mean password?" in said
    assert "notfy: unknown key; did you mean notify?" in said
    for place in (
        "main.address:",
        "smtp.host:",
        "imap.security:",
        "imap.timeout_s:",
        "receive_timeout_s:",
        "deadline_s:",
    ):
        assert place in said, place
    assert all(line.startswith(f"mailmon: {tmp_path}/config.json: ") for line in said.splitlines())


def test_a_flat_mistake_is_told_by_its_flat_name(tmp_path: Path) -> None:
    wrong = {"smtp_host": "a", "imap_host": "b", "username": "m@example.org", "smtp_port": 0, "recieve_timeout": 5}
    exit_code, said = validate(tmp_path, json.dumps(wrong), "--no-secrets")
    assert exit_code == 78
    assert "smtp_port: must be between 1 and 65535, got 0" in said
    assert "recieve_timeout: unknown key; did you mean receive_timeout?" in said
    assert "accounts." not in said


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\ufeff{}", '{"a": NaN}', '{"accounts": ' * 9000, "{} {}"])
def test_a_file_that_is_no_configuration_is_told_as_such(tmp_path: Path, text: str) -> None:
    exit_code, said = validate(tmp_path, text)
    assert exit_code == 78
    assert said.startswith(f"mailmon: {tmp_path}/config.json: ")


@pytest.mark.parametrize("command", [("check",), ("status",), ("notify", "test"), ("config", "validate")])
def test_a_missing_file_is_told_as_such_and_as_json_on_request(tmp_path: Path, command: tuple[str, ...]) -> None:
    for how in ({}, {"MAILMON_CONFIG": "/nowhere/config.json"}):
        named = [] if how else ["--config", "/nowhere/config.json"]
        result = run(tmp_path, *command, *named, "--json", env=how)
        assert result.returncode == 78
        assert result.stderr.startswith("mailmon: /nowhere/config.json: cannot be read: No such file or directory\n")
        document = json.loads(result.stdout)
        assert document["schema"] == "mailmon/error/1"
        assert document["error"]["code"] == "config"
        assert document["error"]["message"] in result.stderr


def test_without_any_file_the_command_says_what_to_do(tmp_path: Path) -> None:
    if Path("/etc/mailmon/config.json").exists():
        pytest.skip("this machine has a configuration")
    result = run(tmp_path, "check")
    assert result.returncode == 78
    assert "No configuration file found at /etc/mailmon/config.json" in result.stderr
    assert "`mailmon config example --flat` prints one" in result.stderr


def test_a_directory_in_the_place_of_the_file_is_told_as_such(tmp_path: Path) -> None:
    result = run(tmp_path, "check", "--config", str(tmp_path))
    assert result.returncode == 78
    assert "Is a directory" in result.stderr


def test_options_come_before_the_environment_and_that_before_the_file(monitor: Monitor, sandbox: Sandbox) -> None:
    imap = monitor.config["accounts"]["main"]["imap"]
    imap["port"] = 1
    assert monitor.check().troubled == ["imap_auth:main"]
    monitor.environ["MAILMON_IMAP_PORT"] = str(sandbox.imaps_port)
    assert monitor.check().exit_code == 0
    monitor.environ["MAILMON_IMAP_PORT"] = "2"
    assert monitor.check().troubled == ["imap_auth:main"]
    assert monitor.check("--imap-port", str(sandbox.imaps_port)).exit_code == 0
    monitor.environ["MAILMON_IMAP_PORT"] = "many"
    assert monitor.check().exit_code == 78


def test_the_file_may_be_named_before_the_command_too(monitor: Monitor, tmp_path: Path) -> None:
    monitor.write()
    assert run(tmp_path, "--config", str(monitor.path), "config", "validate").returncode == 0


def test_a_password_in_a_file_that_others_can_read_earns_a_warning(monitor: Monitor, tmp_path: Path) -> None:
    monitor.write()
    monitor.path.chmod(0o644)
    result = run(tmp_path, "config", "validate", "--config", str(monitor.path))
    assert result.returncode == 0
    assert "warning: " in result.stderr
    assert "contains a secret (accounts.main.password) and is readable by other users" in result.stderr


@pytest.mark.parametrize("key", ["ping", "webhook"])
def test_an_address_of_a_receiver_that_others_can_read_earns_a_warning_too(
    monitor: Monitor, tmp_path: Path, key: str
) -> None:
    password = monitor.config["accounts"]["main"].pop("password")
    (tmp_path / "password").write_text(password)
    monitor.config["accounts"]["main"]["password_file"] = "password"
    monitor.config["notify"] = {"discord": {"webhook": "https://example.org/1"}} if key == "webhook" else "none"
    if key == "ping":
        monitor.config["ping"] = {"url": "https://example.org/1"}
    monitor.write()
    monitor.path.chmod(0o644)
    result = run(tmp_path, "config", "validate", "--config", str(monitor.path))
    assert "is readable by other users" in result.stderr


def test_a_command_in_a_file_that_others_can_write_is_refused(monitor: Monitor, tmp_path: Path) -> None:
    account = monitor.config["accounts"]["main"]
    del account["password"]
    account["password_command"] = ["touch", str(tmp_path / "was-run")]
    monitor.write()
    monitor.path.chmod(0o622)
    result = run(tmp_path, "check", "--config", str(monitor.path))
    assert result.returncode == 78
    assert "refused, because others may write this file" in result.stderr
    assert not (tmp_path / "was-run").exists(), "refused means that it is not run"
