"""The flat form has every key that advice names: for TLS, tokens and the ntfy channel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mailmon.clients.server import Security
from mailmon.config import Overrides, load
from mailmon.config.load import environment_overrides
from mailmon.config.setup import Setup, resolve
from tests.config.samples import FLAT, FULL, changed, problems, set_up, write

PIN = "ab" * 32


def servers(setup: Setup) -> tuple[Any, Any]:
    account = setup.accounts["main"]
    return account.smtp, account.imap


def test_flat_tls_keys_hold_for_both_servers(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("read when a connection is made")
    smtp, imap = servers(set_up(tmp_path, {**FLAT, "ca_file": "ca.pem", "tls_sha256": PIN}))
    assert smtp.trust == imap.trust
    assert smtp.trust == (str(tmp_path / "ca.pem"), (PIN,), False)


@pytest.mark.parametrize("pins", [PIN, [PIN], f"{PIN}, {'cd' * 32}", [PIN, "cd" * 32]])
def test_a_flat_pin_is_one_digest_or_several(tmp_path: Path, pins: object) -> None:
    smtp, _ = servers(set_up(tmp_path, {**FLAT, "tls_sha256": pins}))
    assert smtp.trust.tls_sha256 == ((PIN,) if pins in (PIN, [PIN]) else (PIN, "cd" * 32))


def test_flat_security_is_for_one_server(tmp_path: Path) -> None:
    setup = set_up(tmp_path, {**FLAT, "smtp_security": "tls", "imap_security": "plain", "tls_sha256": PIN})
    smtp, imap = servers(setup)
    assert (smtp.security, imap.security) == (Security.TLS, Security.PLAIN)
    assert (smtp.trust.tls_sha256, imap.trust.tls_sha256) == ((PIN,), ())  # a plain connection has no certificate
    assert "imap_security: plain, the password travels to imap.example.org in clear text" in setup.warnings


def test_a_pin_without_tls_is_a_mistake(tmp_path: Path) -> None:
    both = {"smtp_security": "plain", "imap_security": "plain", "tls_sha256": PIN}
    [problem] = problems(tmp_path, {**FLAT, **both})
    assert problem.startswith("tls_sha256: no server has a certificate to check")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"smtp_security": "ssl"}, "smtp_security: must be"),
        ({"tls_sha256": "ab"}, "tls_sha256.0: must be a SHA-256 digest"),
        ({"ca_file": "missing.pem"}, "ca_file: "),
        ({"oauth": {"token_url": "x", "client_id": "a"}}, "oauth.token_url: must be an https URL"),
        ({"password_file": "missing"}, "password_file: "),
        ({"tls_sha265": PIN}, "tls_sha265: unknown key; did you mean tls_sha256?"),
        ({"smtp_tls": True}, "smtp_tls: unknown key; did you mean smtp_security?"),
        ({"smtp_ca_file": "/x"}, "smtp_ca_file: unknown key; did you mean ca_file?"),
        ({"imap_helo": "x"}, "imap_helo: unknown key; did you mean helo?"),
        ({"pop3_host": "x"}, "pop3_host: unknown key; did you mean accounts.NAME.pop3.host?"),
        ({"tls": True}, "tls: unknown key; did you mean smtp_security and imap_security?"),
        ({"ntfy_topic": "x", "ntfy_ca_file": "missing.pem"}, "ntfy_ca_file: "),
        ({"ntfy_topic_file": "missing"}, "ntfy_topic_file: "),
    ],
)
def test_a_mistake_is_told_by_its_flat_key(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    has_own = changes.keys() & {"oauth", "password_file"}
    document = {key: value for key, value in FLAT.items() if key != "password" or not has_own}
    said = problems(tmp_path, {**document, **changes})
    assert [one for one in said if one.startswith(problem)], said
    assert not [one for one in said if one.startswith(("accounts.", "notify."))], said


def test_a_token_can_stand_in_the_flat_form(tmp_path: Path) -> None:
    """Advice said to set `token_command` or `oauth`, which the flat form did not have."""
    document = {key: value for key, value in FLAT.items() if key != "password"}
    account = set_up(tmp_path, {**document, "token": "t0ken"}).accounts["main"]
    assert account.token is not None
    assert account.token.value == "t0ken"


def test_a_flat_key_beside_the_full_form_says_where_it_belongs(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, changed(FULL, ca_file="ca.pem"))
    assert problem == (
        "ca_file: is a flat key in a full configuration: use accounts.NAME.smtp.ca_file and accounts.NAME.imap.ca_file"
    )


def test_the_environment_sets_tls_keys_in_either_form(tmp_path: Path) -> None:
    given = environment_overrides({"MAILMON_TLS_SHA256": PIN, "MAILMON_SMTP_SECURITY": "tls"})
    for document in (FLAT, FULL):
        smtp, imap = servers(set_up(tmp_path, document, given))
        assert (smtp.security, smtp.trust.tls_sha256, imap.trust.tls_sha256) == (Security.TLS, (PIN,), (PIN,))


def test_a_secret_that_others_can_read_is_told_by_its_flat_key(tmp_path: Path) -> None:
    path = write(tmp_path, {**FLAT, "ntfy_topic": "alerts"})
    path.chmod(0o644)
    environ = {"HOME": str(tmp_path)}
    setup = resolve(load(path, Overrides(), environ), path, environ)
    [warning] = [one for one in setup.warnings if "readable by other users" in one]
    assert warning == (
        f"{path}: contains a secret (password) and is readable by other users: chmod 600 {path}, or use password_file"
    )
