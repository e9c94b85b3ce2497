"""What is allowed, but hardly meant, gets a warning that names the key or the variable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mailmon.config import Overrides, load, resolve
from mailmon.config.place import default_files, place_of
from tests.config.samples import FLAT, FULL, PIN, SENTINEL, changed, write


def warnings(directory: Path, document: dict[str, Any], **environ: str) -> list[str]:
    path = write(directory, changed(document, notify="none"))
    variables = {"HOME": str(directory), **environ}
    loaded = load(path, Overrides({}), variables)
    return list(resolve(loaded, path, variables).warnings)


def test_an_ordinary_configuration_gives_no_warning(tmp_path: Path) -> None:
    assert warnings(tmp_path, FULL) == []
    assert warnings(tmp_path, FLAT) == []


def test_a_ca_file_beside_a_pin_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("read when a connection is made")
    [full] = warnings(
        tmp_path, changed(FULL, accounts__main__imap__ca_file="ca.pem", accounts__main__imap__tls_sha256=[PIN])
    )
    assert full.startswith("accounts.main.imap.ca_file: unused, because with tls_sha256 chain")
    [flat] = warnings(tmp_path, {**FLAT, "ca_file": "ca.pem", "tls_sha256": PIN})
    assert flat.startswith("ca_file: unused, because")


@pytest.mark.parametrize(
    ("port", "security", "said"),
    [
        (993, "starttls", "is starttls, but port 993 is for TLS from the start"),
        (143, "tls", "is tls, but port 143 begins in clear text"),
        (993, "tls", ""),
        (143, "starttls", ""),
        (10993, "starttls", ""),
    ],
)
def test_a_port_that_contradicts_the_security_is_doubted(tmp_path: Path, port: int, security: str, said: str) -> None:
    full = changed(FULL, accounts__main__imap__port=port, accounts__main__imap__security=security)
    flat = {**FLAT, "imap_port": port, "imap_security": security}
    for document, place in ((full, "accounts.main.imap.security"), (flat, "imap_security")):
        found = warnings(tmp_path, document)
        assert [one.partition(": ")[0] for one in found] == ([place] if said else [])
        assert all(said in one for one in found)


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("MAILMON_MIAN_PASSWORD", "MAILMON_MAIN_PASSWORD"),
        ("MAILMON_SMPT_HOST", "MAILMON_SMTP_HOST"),
        ("MAILMON_CONFIG_OWNR", "MAILMON_CONFIG_OWNER"),
    ],
)
def test_a_mistyped_variable_is_named_with_what_was_meant(tmp_path: Path, variable: str, meant: str) -> None:
    [said] = warnings(tmp_path, FULL, **{variable: SENTINEL})
    assert said == f"{variable}: unknown variable; did you mean {meant}?"


def test_variables_of_other_tools_are_nobody_s_mistake(tmp_path: Path) -> None:
    assert warnings(tmp_path, FULL, MAILMON_DOCKER_IMAGE="x", MAILMON_MAIN_PASSWORD="y", OTHER="z") == []


@pytest.mark.parametrize("relative", ["state", "./state", ""])
def test_a_relative_base_directory_is_ignored(tmp_path: Path, relative: str) -> None:
    environ = {"HOME": str(tmp_path), "XDG_STATE_HOME": relative, "XDG_CONFIG_HOME": relative}
    assert place_of(FULL, None, environ).state_file == tmp_path / ".local/state/mailmon/state.json"
    assert default_files(environ)[-1] == tmp_path / ".config/mailmon/config.json"
