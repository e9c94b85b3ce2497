"""Is a server found out that was not reloaded after its certificate was renewed? At a real Postfix and Dovecot."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bed import Bed
from tests.monitor import Monitor


def monitor_of(directory: Path, file: Path, *servers: str) -> Monitor:
    files = {"mail": {"file": str(file), "servers": list(servers)}}
    checks = {"certificate_file": {"files": files, "interval": 0}}
    return Monitor(directory, {"accounts": {}, "checks": checks, "notify": "none"})


def servers_of(bed: Bed) -> list[str]:
    kinds = ("submission", "smtps", "imap", "imaps", "pop3", "pop3s")
    return [f"127.0.0.1:{bed.ports[kind]}:{kind}" for kind in kinds]


def test_a_reload_that_was_forgotten_is_told_until_it_is_made_up_for(bed: Bed, tmp_path: Path) -> None:
    bed.use_certificate("server")
    file = tmp_path / "fullchain.pem"
    file.write_bytes((bed.directory / "tls" / "server.crt").read_bytes())
    monitor = monitor_of(tmp_path, file, *servers_of(bed))
    good = monitor.check()
    assert (good.exit_code, good.step("certificate_file:mail")["status"]) == (0, "ok"), good.stdout
    assert len(good.step("certificate_file:mail")["findings"]) == 6
    try:
        file.write_bytes((bed.directory / "tls" / "soon.crt").read_bytes())
        step = monitor.check().step("certificate_file:mail")
        assert step["status"] == "warning"
        assert {one["id"] for one in step["findings"]} == {"certificate.not_reloaded"}
        assert all(one["status"] == "fail" for one in step["findings"])
        bed.use_certificate_for_mailboxes("soon")
        step = monitor.check().step("certificate_file:mail")
        assert [one["status"] for one in step["findings"]] == ["fail", "fail", "pass", "pass", "pass", "pass"]
        bed.use_certificate("soon")
        assert monitor.check().document["changes"][0]["to"] == "up"
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
