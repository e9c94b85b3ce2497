"""`mailmon diagnose` for people and scripts, against the embedded server."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mailmon.cli.findings import outcome_of
from mailmon.findings import Findings
from mailmon.sandbox import Sandbox

MAILMON = str(Path(sys.executable).with_name("mailmon"))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [MAILMON, "diagnose", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def look(sandbox: Sandbox, *more: str) -> subprocess.CompletedProcess[str]:
    ports = ("--port", f"{sandbox.smtp_port}:submission", "--port", f"{sandbox.imap_port}:imap")
    return run(
        "localhost", *ports, "--ca-file", str(sandbox.ca_file), "--nameserver", "127.0.0.1:9", "--timeout", "1", *more
    )


def document(sandbox: Sandbox, *more: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(look(sandbox, "--json", *more).stdout)
    return found


def test_the_document_has_the_promised_shape(sandbox: Sandbox) -> None:
    found = document(sandbox)
    assert found["schema"] == "mailmon/diagnose/1"
    assert {"host", "addresses", "findings", "services", "transcripts", "summary"} <= set(found)
    assert found["summary"]["pass"] == sum(one["status"] == "pass" for one in found["findings"])
    service = found["services"][0]
    assert {"target", "protocol", "banner", "ehlo", "extensions", "tls", "timings"} <= set(service)
    assert {"version", "cipher", "subject", "issuer", "names", "not_after", "sha256"} <= set(service["tls"])
    assert {"connect_s", "banner_s", "ehlo_s", "tls_s"} <= set(service["timings"])
    line = found["transcripts"][0]["lines"][0]
    assert set(line) == {"at_s", "from", "text"}


def test_findings_can_be_chosen_and_set_the_exit_code(sandbox: Sandbox) -> None:
    only = document(sandbox, "--only", "tls.*", "--skip", "tls.no_*")
    assert {one["id"].partition(".")[0] for one in only["findings"]} == {"tls"}
    assert look(sandbox, "--only", "tls.*").returncode == 0
    assert look(sandbox, "--only", "tls.*", "--fail-on", "info", "--ca-file", "/etc/hostname").returncode != 0
    assert look(sandbox, "--only", "dns.*").returncode == 75


def test_an_area_names_all_its_findings(sandbox: Sandbox) -> None:
    whole, area = (document(sandbox, "--only", name)["findings"] for name in ("tls.*", "tls"))
    assert {one["id"] for one in area} == {one["id"] for one in whole}
    assert "tls" not in {one["id"].partition(".")[0] for one in document(sandbox, "--skip", "tls")["findings"]}


@pytest.mark.parametrize("option", ["--only", "--skip"])
@pytest.mark.parametrize("name", ["tsl", "tls.cert_expird", "nothing.*", "TLS.*", "tl"])
def test_a_name_of_no_finding_is_refused_with_those_that_there_are(option: str, name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mailmon", "diagnose", "192.0.2.1", option, name], capture_output=True, text=True,
        timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert f"{option}: there is no finding '{name}'" in done.stderr
    assert "areas: " in done.stderr


def test_where_nothing_could_be_found_out_that_is_no_success() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{unused.getsockname()[1]}:smtp"
        done = subprocess.run(
            [sys.executable, "-m", "mailmon", "diagnose", place, "--only", "tls"], capture_output=True, text=True,
            timeout=30, check=False,
        )  # fmt: skip
    assert done.returncode == 75
    assert "no results for tls: " in done.stderr


def test_why_nothing_was_found_out_is_what_kept_us_out(capsys: pytest.CaptureFixture[str]) -> None:
    found = Findings("localhost")
    found.fail("dns.ptr_missing", "127.0.0.1 has no PTR record")
    found.fail("mtasts.unreachable", "the policy cannot be fetched")
    given = {"only": ("tls",), "fail_on": "error"}
    assert outcome_of(found.all, [], given) == 0
    assert "PTR" not in capsys.readouterr().err
    found.fail("tcp.unreachable", "none of the mail ports is open")
    assert outcome_of(found.all, [], given) == 75
    assert "no results for tls: localhost: none of the mail ports is open" in capsys.readouterr().err


def test_the_text_begins_with_the_summary_and_shows_no_escapes(sandbox: Sandbox) -> None:
    done = look(sandbox, "-v")
    first, second, *_ = done.stdout.splitlines()
    assert first.startswith("localhost (127.0.0.1")
    assert "passed" in second
    assert "C: EHLO [127.0.0.1]" in done.stdout
    assert "\x1b" not in done.stdout
    assert "\x1b[" in look(sandbox, "--color", "always").stdout


def test_a_report_can_be_sent_on(sandbox: Sandbox) -> None:
    text = look(sandbox, "--format", "markdown").stdout
    assert text.startswith("# Diagnosis of localhost\n")
    assert "## Services" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("a b",), "is not HOST"),
        (("mx.example.org:99",), "unknown protocol on port 99"),
        (("mx.example.org", "--port", "25:ftp"), "one of smtp"),
        (("mx.example.org", "--mailbox", "nobody"), "is not an address"),
        (("mx.example.org", "--mailbox", "a@b\r\nDATA"), "is not an address"),
        (("mx.example.org", "--helo", "a b"), "must be a host name"),
        (("mx.example.org", "--nameserver", "x:y"), "HOST:PORT"),
        (("mx.example.org", "--as", "ftp"), "is not one of"),
    ],
)
def test_wrong_usage_is_told_as_such(arguments: tuple[str, ...], words: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert words in done.stderr


def test_a_ca_file_that_holds_none_is_told_before_anything_is_asked() -> None:
    done = run("localhost:25", "--ca-file", "/etc/hostname")
    assert done.returncode != 0
    assert "ca_file /etc/hostname" in done.stderr
