"""Each use case, called without the command line, gives the document that its command prints with --json."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mailmon.app import alerts, check, diagnose, dns, silence, spf, status
from mailmon.app.bounces import classify, log, queue, scan, summary
from mailmon.app.setup import load_setup, now, open_setup
from mailmon.cli import cli
from mailmon.config import Setup
from mailmon.model.bounces import BounceFilter
from mailmon.render import document
from mailmon.run import Request
from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.cli.bounce_commands import BounceCommands, commands, no_bounces
from tests.domain.cases import DOMAIN, Case, zones_of
from tests.domain.nameserver import serving
from tests.embedded import monitor_of
from tests.mail.bounce.letters import LETTERS
from tests.monitor import Monitor

__all__ = ["commands", "no_bounces"]

# What differs between two runs: times, durations, random ids and ports.
_VOLATILE = re.compile(r"(_s|_at|^at|_id|timings|transcripts)$")
_NUMBERS = re.compile(r"\d+(\.\d+)?")


def stable(value: Any) -> Any:
    """Return a document without what differs between two runs."""
    if isinstance(value, dict):
        return {key: stable(one) for key, one in value.items() if not _VOLATILE.search(key)}
    if isinstance(value, list):
        return [stable(one) for one in value]
    return _NUMBERS.sub("N", re.sub(r"<[^>]+>", "<>", value)) if isinstance(value, str) else value


def printed(*arguments: str) -> Any:
    """Return the document that a command prints."""
    return json.loads(CliRunner().invoke(cli, arguments).stdout)


@pytest.fixture
def monitor(sandbox: Sandbox, receiver: Receiver, tmp_path: Path) -> Monitor:
    """Return a monitor that watches the embedded server, whose state two runs have filled."""
    monitor = monitor_of(sandbox, tmp_path, receiver)
    monitor.config["accounts"]["main"]["bounces"] = {"folder": "Junk"}
    sandbox.faults.refuse_login = {"smtp"}
    monitor.check()
    return monitor


@pytest.fixture
def setup(monitor: Monitor) -> Setup:
    """Return the setup of that monitor."""
    return open_setup(monitor.path, monitor.environment())


def test_check(monitor: Monitor, setup: Setup) -> None:
    result = check.check(Request(setup, now))
    assert stable(document.check_document(result)) == stable(monitor.check().document)
    assert result.exit_code == 1


def test_status_alerts_and_silences(monitor: Monitor, setup: Setup) -> None:
    held = silence.begin_silence(setup, ["main"], 3600, "new disk", now())
    assert document.silences_document(held) == monitor.run("silence", "list", "--json").document
    report = document.status_document(status.status(setup, now(), 3600))
    shown = monitor.run("status", "--json", "--max-age", "1h").document
    assert report | {"age_s": 0} == shown | {"age_s": 0}
    assert [one["name"] for one in report["silences"]] == ["main"]
    assert document.alerts_document(alerts.alerts(setup, now())) == monitor.run("alerts", "--json").document
    assert document.silences_document(silence.end_silence(setup, ["main"], now()))["silences"] == []


def test_bounces_scan_and_queue(monitor: Monitor, setup: Setup) -> None:
    scanned = document.scan_document(scan.scan(scan.plan(setup)))
    assert stable(scanned) == stable(monitor.run("bounces", "scan", "--json").document)
    assert document.queue_document(queue.notices(setup, 50)) == monitor.run("bounces", "queue", "--json").document
    assert document.retry_document(queue.retry(setup)) == monitor.run("bounces", "retry", "--all", "--json").document


@pytest.mark.parametrize("mask", [(), ("--mask",)])
def test_the_bounce_log(commands: BounceCommands, mask: tuple[str, ...]) -> None:
    setup = load_setup(commands.directory / "config.json", {}, with_secrets=False)
    is_masked = bool(mask)
    rows = log.latest(setup, BounceFilter(), 50, is_masked=is_masked)
    assert document.list_document(rows) == commands.document("list", *mask)
    shown = log.message(setup, rows[-1].id, is_masked=is_masked)
    assert document.message_document(shown) == commands.document("show", str(rows[-1].id), *mask)
    given = ("--since", "2026-01-01T00:00Z", "--until", "2026-01-08T00:00Z")
    figures = summary.summary(setup, *(_time(text) for text in given[1::2]), is_masked=is_masked)
    assert document.summary_document(figures, 10) == commands.document("summary", *given, *mask)
    with open(commands.directory / "export.json", "w+b") as file:
        log.export(setup, BounceFilter(), "json", file, commands.directory, is_masked=is_masked)
        file.seek(0)
        assert json.load(file) == json.loads(commands.run("export", "--json", *mask).stdout)


def test_bounces_classify(tmp_path: Path) -> None:
    path = tmp_path / "bounce.eml"
    path.write_bytes(LETTERS[0].raw)
    names = (str(path), str(tmp_path / "absent.eml"))
    rows = json.loads(json.dumps([document.classified_document(*one) for one in classify.classify_files(names)]))
    shown = CliRunner().invoke(cli, ["bounces", "classify", *names]).stdout
    assert rows == [json.loads(line) for line in shown.splitlines()]


def test_diagnose(sandbox: Sandbox) -> None:
    port, nameserver = f"{sandbox.imap_port}:imap", "127.0.0.1:9"
    wanted = diagnose.Wanted(
        "localhost", (port,), ca_file=str(sandbox.ca_file), nameservers=(nameserver,), timeout_s=1.0
    )
    found = diagnose.diagnose(diagnose.plan(wanted))
    options = ("--port", port, "--ca-file", str(sandbox.ca_file), "--nameserver", nameserver, "--timeout", "1")
    assert stable(document.diagnosis_document(found)) == stable(printed("diagnose", "localhost", *options, "--json"))


def test_dns_and_spf() -> None:
    with serving(zones_of(Case("", "", {}))) as server:
        address = f"127.0.0.1:{server.port}"
        found = dns.survey(dns.plan(dns.Wanted(DOMAIN, connects=False, timeout_s=1.0, nameservers=(address,))))
        shown = printed("dns", DOMAIN, "--no-connect", "--nameserver", address, "--timeout", "1", "--json")
        assert stable(document.survey_document(found)) == stable(shown)
        client = spf.client_of("192.0.2.1", "mx.example.org", f"alice@{DOMAIN}")
        evaluated = spf.evaluate(client, (("127.0.0.1", server.port),), 1.0)
        asked = ("--ip", "192.0.2.1", "--helo", "mx.example.org", "--mail-from", f"alice@{DOMAIN}")
        shown = printed("spf", *asked, "--nameserver", address, "--timeout", "1", "--json")
        assert document.spf_document(*evaluated) == shown


def _time(text: str) -> Any:
    from mailmon.cli.bounces.filters import instant

    return instant(text, now(), "")
