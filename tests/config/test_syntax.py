"""What is said of a configuration that is not JSON: what it looks like, where the mistake is, and what to do."""

from __future__ import annotations

import grp
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailmon.config import Overrides, load
from mailmon.config.load import by_source
from mailmon.config.syntax import explain, not_an_object
from mailmon.errors import ConfigError
from mailmon.store.owner import User, acting_as
from tests.config.samples import FLAT, SENTINEL, problems, write

GOOD = '{\n  "smtp_host": "mail.example.org",\n  "imap_port": 993\n}\n'


@pytest.mark.parametrize(
    ("text", "problem", "advice"),
    [
        ("", "is empty", "config example"),
        (" \n\t\n", "is empty", "config example"),
        ("smtp_host: mail.example.org\nimap_port: 993\n", "line 1 column 1: looks like YAML", "JSON"),
        ("# mine\n\nsmtp_host: mail.example.org\n", "line 3 column 1: looks like YAML", "JSON"),
        ("---\nsmtp_host: x\n", "line 1 column 1: looks like YAML", "JSON"),
        ("accounts:\n  main:\n    x: 1\n", "line 1 column 1: looks like YAML", "JSON"),
        ("- a\n- b\n", "line 1 column 1: looks like YAML", "JSON"),
        ('smtp_host = "mail.example.org"\n', "line 1 column 1: looks like TOML, INI", "JSON"),
        ("[accounts.main]\nx = 1\n", "line 1 column 1: looks like TOML or INI", "JSON"),
        ("[[routes]]\nx = 1\n", "line 1 column 1: looks like TOML or INI", "JSON"),
        ("; ini\n[mail]\nhost=x\n", "line 2 column 1: looks like TOML or INI", "JSON"),
        ("SMTP_HOST=mail\n", "line 1 column 1: looks like TOML, INI", "JSON"),
        ("<config/>", "line 1 column 1: looks like XML or HTML", "JSON"),
        ("Dear admin, please\n", "line 1 column 1: not JSON", "JSON"),
        ('// mine\n{"a": 1}', "line 1 column 1: a comment", "Remove it"),
        ('{\n  "a": 1, // mine\n  "b": 2\n}', "line 2 column 11: a comment", "Remove it"),
        ('{\n  # mine\n  "b": 2\n}', "line 2 column 3: a comment", "Remove it"),
        ('{"a": /* x */ 1}', "line 1 column 7: a comment", "Remove it"),
        ('{\n  "a": 1,\n}\n', "line 2 column 9: trailing comma", "Remove it"),
        ('{"a": [1, 2, ]}', "line 1 column 12: trailing comma", "Remove it"),
        ('{"a": 1,, "b": 2}', "line 1 column 9: a comma too many", "Remove it"),
        ("{'a': 1}", "line 1 column 2: single quotation marks", "double"),
        ("{\"a\": 'x'}", "line 1 column 7: single quotation marks", "double"),
        ("{\u201ca\u201d: 1}", "line 1 column 2: typographic quotation marks", "double"),
        ('{a: 1}', "line 1 column 2: a key must stand in double quotation marks", "key"),
        ('{"a": yes}', "line 1 column 7: yes is not JSON", "true"),
        ('{"a": None}', "line 1 column 7: None is not JSON", "null"),
        ('{"a": True}', "line 1 column 7: True is not JSON", "true"),
        ('{"a": mail}', "line 1 column 7: this is no value", "double quotation"),
        ('{"a": }', "line 1 column 7: a value is missing before }", "key"),
        ('{"a" = 1}', "line 1 column 6: a colon must follow a key, not =", '"key": value'),
        ('{"a": 1 "b": 2}', "line 1 column 9: a comma is missing before this", "comma"),
        ('{"a": 1]', "line 1 column 8: this ] does not close the bracket that is open", "inner bracket first"),
        ('{"smtp_port": 0587}', "line 1 column 16: a number must not begin with 0", "Remove the 0"),
        ('{\n  "a": {\n "b": 1\n', "line 2 column 8: the { that begins here is never closed; the file ends at line 3",
         "the }"),
        ('{"a": [1, 2', "line 1 column 7: the [ that begins here is never closed", "Add the ]"),
        ('{"a": ', "line 1 column 1: the { that begins here is never closed", "Add the }"),
        ('{"a": "x', "line 1 column 7: this text has no closing quotation mark", '"'),
        ('{"a": "x\n}', "line 1 column 9: a line ends inside a text", 'closing "'),
        ('{"a": "C:\\pw"}', "line 1 column 10: a backslash that JSON does not know", "\\\\"),
        ('{"a": 1}}', "line 1 column 9: one } too many", "Remove it"),
        ('{"a": 1}\n{"b": 2}', "line 2 column 1: something follows the end", "into one"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place_and_what_to_do(text: str, problem: str, advice: str) -> None:
    mistake = explain(text.encode())
    assert mistake.problem.startswith(problem)
    assert advice in mistake.advice


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (GOOD.encode("utf-16-be"), "contains NUL bytes"),
        (b"\xff\xfe{\x00", "is in UTF-16"),
        (b"\x7fELF\0\0", "contains NUL bytes"),
        ('{\n  "a": "grün"\n}'.encode("latin-1"), "line 2 column 11: the byte 0xfc is not UTF-8"),
        (b'{\r\n  "a": 1,\r\n}', "line 2 column 9: trailing comma"),
    ],
)
def test_bytes_that_are_no_text_are_told(raw: bytes, problem: str) -> None:
    assert explain(raw).problem.startswith(problem)


def test_a_byte_order_mark_is_no_mistake_and_moves_no_column(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(b"\xef\xbb\xbf" + write(tmp_path, FLAT).read_bytes())
    assert load(path, Overrides(), {"HOME": str(tmp_path)}).document
    assert explain(b'\xef\xbb\xbf{"a": 1,}').problem.startswith("line 1 column 8:")


ODD: list[object] = [[], "x", 1, True, None]


def test_json_that_is_no_object_is_told_as_such() -> None:
    said = [not_an_object(one).problem for one in ODD]
    assert said == [f"must be a JSON object, not {what}" for what in (
        "a list", "a string", "a number", "a boolean", "null")]  # fmt: skip


@given(st.text(alphabet="{}[]\",:'#/ \n\\ab1=-<", max_size=40))
def test_any_text_is_explained(text: str) -> None:
    mistake = explain(text.encode())
    assert mistake.problem


@pytest.mark.parametrize(
    "text",
    [f"password: {SENTINEL}", f'{{"password": {SENTINEL}}}', f'{{"password": "{SENTINEL}}}', f"password={SENTINEL}",
     f"{{'password': '{SENTINEL}'}}", f'{{"password" "{SENTINEL}"}}', f"{SENTINEL}"],
)  # fmt: skip
def test_no_word_of_the_text_is_quoted(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, text)


def test_a_large_text_is_explained_at_once() -> None:
    import time

    begun_s = time.process_time()
    for text in (
        "{" * 100_000,
        '{"a": "' + "\\" * 1_000_000,
        "\n" * 1_000_000 + "x",
        "#\n" * 500_000,
        '{"a":1}' * 100_000,
    ):
        explain(text.encode())
    assert time.process_time() - begun_s < 5


# --- where a value was given ---


def run(tmp_path: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command with a good configuration."""
    path = write(tmp_path, {**FLAT, "ntfy_topic": "x"})
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MAILMON_", "XDG_"))}
    environment = {**kept, "HOME": str(tmp_path), "MAILMON_CONFIG": str(path), **environ}
    return subprocess.run(
        [sys.executable, "-m", "mailmon", *arguments], env=environment, capture_output=True, text=True, timeout=30,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MAILMON_SMTP_PORT", "many", "must be an integer, got 'many'"),
        ("MAILMON_SMTP_PORT", "70000", "must be between 1 and 65535, got 70000"),
        ("MAILMON_TLS_SHA256", "zz", "must be a SHA-256 digest of 64 hexadecimal digits, colons allowed, got 'zz'"),
        ("MAILMON_PING_URL", "hc/x", "must begin with https:// or http://"),
        ("MAILMON_IMAP_HOST", "http://x", "must be a host name or an IP address, got 'http://x'"),
        ("MAILMON_TEST_RECIPIENT", "nobody", "must be a mail address"),
        ("MAILMON_REMINDER_INTERVAL", "soon", "must be"),
        ("MAILMON_PASSWORD_FILE", "/nowhere/password", "/nowhere/password: No such file or directory"),
    ],
)
def test_a_wrong_variable_is_named_and_not_the_file(tmp_path: Path, name: str, value: str, said: str) -> None:
    done = run(tmp_path, "config", "validate", **{name: value})
    assert done.returncode == 78
    assert done.stderr.splitlines()[0].startswith(f"mailmon: {name}: {said}")


def test_a_wrong_option_is_named_and_not_the_file(tmp_path: Path) -> None:
    done = run(tmp_path, "check", "--smtp-port", "70000", "--password-file", "/nowhere/password")
    assert done.stderr.splitlines()[0] == "mailmon: --smtp-port: must be between 1 and 65535, got 70000"
    assert any(line.startswith("mailmon: --password-file: /nowhere/password: ") for line in done.stderr.splitlines())


def test_a_variable_is_named_where_its_place_in_the_full_form_is_told() -> None:
    full: dict[str, dict[str, object]] = {"accounts": {"office": {}}}
    origins = {"smtp_port": "MAILMON_SMTP_PORT"}
    told = by_source("x.json", ["accounts.office.smtp.port: no", "accounts.office.imap.port: no"], origins, full)
    assert told == [("MAILMON_SMTP_PORT", "no"), ("x.json", "accounts.office.imap.port: no")]


def test_a_file_that_the_environment_names_and_that_is_missing_is_told_so(tmp_path: Path) -> None:
    done = run(tmp_path, "status", MAILMON_CONFIG="/nowhere/config.json")
    assert "MAILMON_CONFIG names this file. There is no directory /nowhere." in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="root makes the file of another user")
@pytest.mark.parametrize("is_hidden", [False, True])
def test_a_file_that_may_not_be_read_is_told_with_its_owner_and_who_asks(tmp_path: Path, is_hidden: bool) -> None:
    for place in (tmp_path, *tmp_path.parents):
        if place != Path("/"):
            place.chmod(place.stat().st_mode | 0o011)
    directory = tmp_path / "etc"
    directory.mkdir()
    path = write(directory, FLAT)
    os.chown(path, 4321, 4322)
    assert grp.getgrgid(0)  # loaded by root: another user may not reach Python's own files
    directory.chmod(0o700 if is_hidden else 0o755)
    with acting_as(User(4323, 4323, (), "somebody")), pytest.raises(ConfigError) as caught:
        load(path, Overrides(), {"HOME": "/"})
    assert caught.value.message == f"{path}: cannot be read: Permission denied"
    whose = f"The directory {directory} belongs to root:root with mode 0700" if is_hidden else (
        "It belongs to 4321:4322 with mode 0600")  # fmt: skip
    assert f"{whose}, and this runs as 4323: run as {'root' if is_hidden else '4321'}" in (caught.value.advice)


def test_what_is_left_of_the_example_is_told(tmp_path: Path) -> None:
    done = run(tmp_path, "config", "example", "--flat")
    path = tmp_path / "example.json"
    path.write_text(done.stdout)
    path.chmod(0o600)
    told = run(tmp_path, "config", "validate", "--config", str(path)).stderr
    assert "still the example; fill in: imap_host, ntfy_server, ntfy_topic, smtp_host, test_recipient, username" in told
    assert "write one secret into each file (mode 600), or name another: /run/secrets/mailmon" in told


def test_a_configuration_with_mistakes_raises_with_all_of_them(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, "{"), Overrides(), {"HOME": str(tmp_path)})
    assert caught.value.message == (
        f"{tmp_path}/config.json: line 1 column 1: the {{ that begins here is never closed; the file ends at "
        "line 1 column 2"
    )
