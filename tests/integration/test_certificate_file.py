"""A server not reloaded after its certificate was renewed: real Postfix and Dovecot."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.bed import Bed
from tests.monitor import Monitor

NEVER_OLD = {"certificate_days": 0, "certificate_critical_days": 0}


def monitor_of(directory: Path, file: Path, *servers: str, **more: float) -> Monitor:
    files = {"mail": {"file": str(file), "servers": list(servers)}}
    checks = {"certificate_file": {"files": files, "interval": 0, **more}}
    return Monitor(directory, {"accounts": {}, "checks": checks, "notify": "none"})


def days_of(file: Path) -> float:
    """Return for how many days openssl says that a certificate lasts."""
    said = subprocess.run(
        ["openssl", "x509", "-noout", "-enddate", "-dateopt", "iso_8601", "-in", str(file)],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return (datetime.fromisoformat(said.strip().removeprefix("notAfter=")) - datetime.now(UTC)) / timedelta(days=1)


def servers_of(bed: Bed) -> list[str]:
    kinds = ("submission", "smtps", "imap", "imaps", "pop3", "pop3s")
    return [f"127.0.0.1:{bed.ports[kind]}:{kind}" for kind in kinds]


def test_a_reload_that_was_forgotten_is_told_until_it_is_made_up_for(bed: Bed, tmp_path: Path) -> None:
    bed.use_certificate("server")
    file = tmp_path / "fullchain.pem"
    file.write_bytes((bed.directory / "tls" / "server.crt").read_bytes())
    monitor = monitor_of(tmp_path, file, *servers_of(bed), **NEVER_OLD)
    good = monitor.check()
    assert (good.exit_code, good.step("certificate_file:mail")["status"]) == (0, "ok"), good.stdout
    assert len(good.step("certificate_file:mail")["findings"]) == 6
    try:
        file.write_bytes((bed.directory / "tls" / "soon.crt").read_bytes())
        step = monitor.check().step("certificate_file:mail")
        assert step["status"] == "warning"
        assert {one["id"] for one in step["findings"]} == {"certificate.not_reloaded"}
        assert all(one["status"] == "fail" for one in step["findings"])
        assert " (until " in step["message"]
        assert "use another file?" in step["advice"]
        bed.use_certificate_for_mailboxes("soon")
        step = monitor.check().step("certificate_file:mail")
        assert [one["status"] for one in step["findings"]] == ["fail", "fail", "pass", "pass", "pass", "pass"]
        bed.use_certificate("soon")
        assert monitor.check().document["changes"][0]["to"] == "up"
    finally:
        bed.use_certificate("server")


def test_an_old_certificate_that_is_still_shown_needs_a_reload(bed: Bed, tmp_path: Path) -> None:
    bed.use_certificate_for_mailboxes("soon")
    try:
        run = monitor_of(tmp_path, bed.directory / "tls/server.crt", servers_of(bed)[3]).check()
        step = run.step("certificate_file:mail")
        assert (step["status"], step["findings"][0]["id"]) == ("warning", "certificate.not_reloaded")
        assert step["advice"].startswith("Reload the server")
    finally:
        bed.use_certificate_for_mailboxes("server")


@pytest.mark.parametrize(
    ("name", "finding", "exit_code"),
    [
        ("soon", ("tls.cert_expiring", "warning", "expires in "), 0),
        ("expired", ("tls.cert_expired", "failed", " ago"), 1),
        ("server", None, 0),
    ],
)
def test_a_file_that_was_not_renewed_is_told_although_nobody_shows_it(
    bed: Bed, tmp_path: Path, name: str, finding: tuple[str, str, str] | None, exit_code: int
) -> None:
    run = monitor_of(tmp_path, bed.directory / f"tls/{name}.crt").check()
    step = run.step("certificate_file:mail")
    found, status, words = finding or (None, "ok", "OK")
    assert ([one["id"] for one in step["findings"]], step["status"]) == ([found] if found else [], status)
    assert (run.exit_code, words in step["message"]) == (exit_code, True), step["message"]
    assert [change["id"] for change in run.document["changes"]] == (["certificate_file:mail"] if found else [])
    assert step["metrics"]["certificate_days"] == pytest.approx(days_of(bed.directory / f"tls/{name}.crt"), abs=0.1)


def test_one_certificate_in_a_file_and_at_logins_is_told_once(bed: Bed, tmp_path: Path) -> None:
    bed.use_certificate("soon")
    try:
        monitor = monitor_of(tmp_path, bed.directory / "tls/soon.crt", servers_of(bed)[3])
        imap = {"host": "localhost", "port": bed.ports["imaps"], "ca_file": str(bed.ca_file)}
        monitor.config["accounts"] = {"main": {"address": bed.user, "password": bed.password, "imap": imap}}
        run = monitor.check()
        assert run.troubled == ["imap_auth:main", "certificate_file:mail"]
        assert [change["id"].partition(":")[0] for change in run.document["changes"]] == ["certificate"]
    finally:
        bed.use_certificate("server")


@pytest.mark.parametrize("text", [None, "", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", "no PEM"])
def test_a_file_that_cannot_be_read_is_unknown(bed: Bed, tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "cert.pem"
    if text is not None:
        file.write_text(text)
    run = monitor_of(tmp_path, file, servers_of(bed)[3]).check()
    step = run.step("certificate_file:mail")
    assert (run.exit_code, step["status"], step["findings"][0]["id"]) == (75, "unknown", "certificate.not_readable")


def test_a_server_that_is_not_there_is_unknown_and_the_others_are_compared(bed: Bed, tmp_path: Path) -> None:
    file = bed.directory / "tls" / "server.crt"
    step = monitor_of(tmp_path, file, "127.0.0.1:1:imaps", servers_of(bed)[3]).check().step("certificate_file:mail")
    assert [one["status"] for one in step["findings"]] == ["unknown", "pass"]


@pytest.mark.parametrize("server", ["mail.example.org", "mail.example.org:12345", "mail.example.org:4190", "x:1:y"])
def test_a_server_that_cannot_be_meant_is_a_mistake(tmp_path: Path, server: str) -> None:
    run = monitor_of(tmp_path, tmp_path / "x", server).check()
    assert (run.exit_code, "certificate_file.files.mail" in run.stderr) == (78, True), run.stderr
