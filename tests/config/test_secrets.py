"""Sources of credentials; their values are never shown."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest

from mailmon.config import Overrides, load, resolve
from mailmon.config.secrets import SecretProblemError, SecretSources
from mailmon.errors import ConfigError
from tests.config.samples import FLAT, FULL, SENTINEL, changed, problems, set_up, write

NO_PASSWORD = changed(FULL, accounts__main__password=...)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def password(directory: Path, document: dict[str, Any], environ: dict[str, str] | None = None) -> str:
    return set_up(directory, document, environ=environ).accounts["main"].password.value


def with_command(*command: str) -> dict[str, Any]:
    return changed(NO_PASSWORD, accounts__main__password_command=list(command))


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (f"{SENTINEL}\n", SENTINEL),
        (f"{SENTINEL}\r\n", SENTINEL),
        (SENTINEL, SENTINEL),
        (" spaces kept \n", " spaces kept "),
        ("grün\n", "grün"),
    ],
)
def test_one_line_end_of_a_file_is_stripped(tmp_path: Path, content: str, value: str) -> None:
    (tmp_path / "secret").write_bytes(content.encode())
    assert password(tmp_path, changed(NO_PASSWORD, accounts__main__password_file="secret")) == value


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "accounts.main.password_file: is empty"),
        (b"\n", "accounts.main.password_file: is empty"),
        (SENTINEL.encode() + b"\nmore\n", "accounts.main.password_file: must be a single line"),
        (SENTINEL.encode() + b"\0", "accounts.main.password_file: must be a single line"),
        (SENTINEL.encode() + b"\xff", "accounts.main.password_file: {file}: is not UTF-8 text"),
        (None, "accounts.main.password_file: {file}: No such file or directory"),
    ],
)
def test_a_file_without_a_usable_secret_is_told(tmp_path: Path, content: bytes | None, problem: str) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    found = problems(tmp_path, changed(NO_PASSWORD, accounts__main__password_file="secret"))
    assert found == [problem.format(file=tmp_path / "secret")]


def test_the_flat_form_takes_a_password_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SENTINEL)
    assert password(tmp_path, changed(FLAT, password=..., password_file=str(tmp_path / "secret"))) == SENTINEL


@pytest.mark.parametrize("name", ["main.password", "main", "password", "mailmon_main.password", "mailmon_password"])
def test_a_systemd_credential_is_used_where_nothing_is_said(tmp_path: Path, name: str) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / name).write_text(f"{SENTINEL}\n")
    assert password(tmp_path, NO_PASSWORD, {"CREDENTIALS_DIRECTORY": str(credentials)}) == SENTINEL


def test_credentials_that_cannot_be_reached_are_a_mistake_with_its_place(tmp_path: Path) -> None:
    """Else a directory of another user would pass for a bug of mailmon, or for one without credentials."""
    blocked = tmp_path / "credentials"
    blocked.write_text("no directory")
    with pytest.raises(ConfigError, match=r"credential main\.password: .*/credentials/main\.password: Not a directory"):
        password(tmp_path, NO_PASSWORD, {"CREDENTIALS_DIRECTORY": str(blocked)})


def test_a_channel_takes_its_secret_from_systemd_too(tmp_path: Path) -> None:
    (tmp_path / "ntfy.topic").write_text("alerts\n")
    setup = set_up(tmp_path, {**FULL, "notify": {"ntfy": {}}}, environ={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert setup.channels["ntfy"].credentials.get("topic") == "alerts"


def test_the_environment_takes_the_place_of_what_the_file_says(tmp_path: Path) -> None:
    assert password(tmp_path, FULL, {"MAILMON_MAIN_PASSWORD": "other"}) == "other"


def test_an_account_with_signs_in_its_name_has_a_variable(tmp_path: Path) -> None:
    document = changed(NO_PASSWORD, routes={})
    document["accounts"] = {"out-side.2": document["accounts"]["main"]}
    setup = set_up(tmp_path, document, environ={"MAILMON_OUT_SIDE_2_PASSWORD": SENTINEL})
    assert setup.accounts["out-side.2"].password.value == SENTINEL


def test_a_command_prints_the_password(tmp_path: Path) -> None:
    assert password(tmp_path, with_command("printf", f"{SENTINEL}\\n")) == SENTINEL


def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    assert password(tmp_path, with_command("printf", "%s", "$(id); x")) == "$(id); x"


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (["false"], "false: ended with exit code 1"),
        (["sh", "-c", f"echo {SENTINEL}; exit 3"], "sh: ended with exit code 3"),
        (["sh", "-c", "printf '\\377'"], "sh: output is not UTF-8 text"),
        (["true"], "is empty"),
        (["sh", "-c", f"echo {SENTINEL}; echo more"], "must be a single line"),
        (["/nonexistent/pass"], "/nonexistent/pass: No such file or directory"),
    ],
)
def test_a_command_that_gives_no_password_is_told(tmp_path: Path, command: list[str], problem: str) -> None:
    assert problems(tmp_path, with_command(*command)) == [f"accounts.main.password_command: {problem}"]


def test_an_empty_command_is_a_mistake(tmp_path: Path) -> None:
    assert problems(tmp_path, with_command())[0].startswith("accounts.main.password_command: ")


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_command_in_a_file_that_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path, with_command("printf", "x"))
    path.chmod(mode)
    loaded = load(path, Overrides(), {"HOME": "/"})
    with pytest.raises(Exception, match=r"password_command: refused, because others may write this file: chmod go-w"):
        resolve(loaded, path, {})


def test_a_command_in_a_file_that_others_may_write_is_not_run(tmp_path: Path) -> None:
    path = write(tmp_path, with_command("touch", str(tmp_path / "was-run")))
    path.chmod(0o666)
    loaded = load(path, Overrides(), {"HOME": "/"})
    with pytest.raises(Exception, match="refused"):
        resolve(loaded, path, {})
    assert not (tmp_path / "was-run").exists()


@as_root
def test_a_command_in_another_users_file_is_refused_with_advice_that_helps(tmp_path: Path) -> None:
    path = write(tmp_path, with_command("printf", "x"))
    os.chown(path, 65534, 65534)
    loaded = load(path, Overrides(), {"HOME": "/"})
    with pytest.raises(Exception, match="refused") as caught:
        resolve(loaded, path, {})
    assert "chmod" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "given"),
    [
        ({"password_file": "x"}, "password, password_file"),
        ({"password_command": ["x"]}, "password, password_command"),
        ({"password": ..., "password_file": "x", "password_command": ["x"]}, "password_file, password_command"),
    ],
)
def test_two_sources_at_once_are_refused(tmp_path: Path, changes: dict[str, Any], given: str) -> None:
    document = changed(FULL, **{f"accounts__main__{key}": value for key, value in changes.items()})
    assert problems(tmp_path, document) == [f"accounts.main.password: give only one of {given}"]


def test_a_missing_password_says_how_to_give_one(tmp_path: Path) -> None:
    said = "accounts.main.password: missing; give password_file, or the systemd credential main.password"
    assert problems(tmp_path, NO_PASSWORD) == [said]


@pytest.mark.parametrize(("mode", "is_warned"), [(0o600, False), (0o640, True), (0o604, True), (0o644, True)])
def test_a_password_that_others_may_read_is_warned_of(tmp_path: Path, mode: int, is_warned: bool) -> None:
    path = write(tmp_path, changed(FULL, notify="none"))
    path.chmod(mode)
    warnings = resolve(load(path, Overrides(), {"HOME": "/"}), path, {}).warnings
    said = f"contains a secret (accounts.main.password) and is readable by other users: chmod 600 {path}"
    advice = "or use accounts.main.password_file"
    assert warnings == ((f"{path}: {said}, {advice}",) if is_warned else ())


def test_a_ping_address_that_others_may_read_is_warned_of(tmp_path: Path) -> None:
    path = write(tmp_path, changed(NO_PASSWORD, notify="none", ping={"url": "https://hc.example.org/abc"}))
    path.chmod(0o644)
    resolved = resolve(load(path, Overrides(), {"HOME": "/"}), path, {"MAILMON_MAIN_PASSWORD": "x"})
    assert [warning for warning in resolved.warnings if "ping.url" in warning]


def test_without_secrets_no_file_is_looked_at(tmp_path: Path) -> None:
    path = write(tmp_path, changed(NO_PASSWORD, accounts__main__password_file="/nonexistent"))
    setup = resolve(load(path, Overrides(), {"HOME": "/"}), path, {}, with_secrets=False)
    assert setup.accounts["main"].password.value == ""


def test_no_secret_shows_when_a_setup_is_printed(tmp_path: Path) -> None:
    document = changed(
        FULL, notify={"ntfy": {"topic": SENTINEL, "token": SENTINEL}}, ping={"url": f"https://{SENTINEL}"}
    )
    assert SENTINEL not in repr(set_up(tmp_path, document))


def test_a_maildrop_needs_a_password_although_nothing_is_sent_with_one(tmp_path: Path) -> None:
    """An account with POP3 and `smtp.auth: none` logged in with an empty password."""
    pop3 = {"host": "pop.example.org"}
    account = changed(
        NO_PASSWORD, accounts__main__smtp__auth="none", accounts__main__imap=..., accounts__main__pop3=pop3
    )
    assert any("password" in problem for problem in problems(tmp_path, account))


def with_file(path: object) -> dict[str, Any]:
    return changed(NO_PASSWORD, notify="none", accounts__main__password_file=str(path))


def resolved(tmp_path: Path, document: dict[str, Any]) -> Any:
    path = write(tmp_path, document)
    path.chmod(0o600)
    return resolve(load(path, Overrides(), {"HOME": "/"}), path, {})


def test_a_password_comes_from_a_pipe_as_it_was_given(tmp_path: Path) -> None:
    """`--password-file <(pass show mail)` ended with exit code 78."""
    reading, writing = os.pipe()
    os.write(writing, b"from a pipe\n")
    os.close(writing)
    try:
        setup = resolved(tmp_path, with_file(f"/dev/fd/{reading}"))
    finally:
        os.close(reading)
    assert setup.accounts["main"].password.value == "from a pipe"


def test_a_named_pipe_is_waited_for_and_not_for_ever(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_text("late\n"), daemon=True)
    writer.start()
    assert resolved(tmp_path, with_file(tmp_path / "pipe")).accounts["main"].password.value == "late"
    sources = SecretSources(tmp_path, {}, pipe_timeout_s=0.2)
    with pytest.raises(SecretProblemError, match=r"password_file: .*/pipe: no data within 0\.2 s"):
        sources.find("main", "password", {"password_file": "pipe"})


@pytest.mark.parametrize("source", ["pipe", "file", "device"])
def test_a_password_without_end_is_refused(tmp_path: Path, source: str) -> None:
    path = tmp_path / "secret"
    if source == "pipe":
        os.mkfifo(path)
        threading.Thread(target=lambda: path.write_bytes(b"x" * 70_000), daemon=True).start()
    elif source == "file":
        path.write_bytes(b"x" * 70_000)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(ConfigError, match=r"is larger than 65536 bytes|not a regular file but a device"):
        resolved(tmp_path, with_file(path))


@pytest.mark.parametrize(("mode", "is_warned"), [(0o600, False), (0o640, False), (0o604, True), (0o644, True)])
def test_a_password_file_that_others_may_read_is_warned_of(mode: int, is_warned: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        (place / "password").write_text("x")
        (place / "password").chmod(mode)
        said = f"accounts.main.password_file: other users can read {place}/password: chmod o-r {place}/password"
        assert list(resolved(place, with_file("password")).warnings) == ([said] if is_warned else [])
        place.chmod(0o700)
        assert resolved(place, with_file("password")).warnings == ()


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_a_configuration_that_is_no_file_is_refused_at_once(tmp_path: Path, make: Any) -> None:
    make(tmp_path / "config.json")
    with pytest.raises(ConfigError, match=r"cannot be read: (not a regular file|Is a directory)"):
        load(tmp_path / "config.json", Overrides(), {"HOME": "/"})


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_a_ca_file_that_is_no_file_is_refused_at_once(tmp_path: Path, make: Any) -> None:
    make(tmp_path / "ca.pem")
    document = changed(FULL, notify="none", accounts__main__imap__ca_file="ca.pem")
    with pytest.raises(ConfigError, match=r"ca_file: .*/ca.pem: is not a regular file"):
        resolved(tmp_path, document)


def test_an_unknown_configuration_owner_is_reported_with_the_variables_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="MAILMON_CONFIG_OWNER: there is no user 'nobody-of-that-name'"):
        load(write(tmp_path, FULL), Overrides(), {"HOME": "/", "MAILMON_CONFIG_OWNER": "nobody-of-that-name"})
