"""Output and exit codes of `mailmon dns`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mailmon.cli import cli
from tests.domain.cases import DOMAIN, Case, Changes, zones_of
from tests.domain.nameserver import SERVFAIL, Faults, serving

RECORD_KEYS = {"name", "type", "purpose", "expected", "found", "ttl_s"}


def run(*arguments: str, changes: Changes | None = None, faults: Faults | None = None, domain: str = DOMAIN) -> Result:
    with serving(zones_of(Case("", "", changes or {})), faults) as server:
        return CliRunner().invoke(
            cli,
            ["dns", domain, "--no-connect", "--nameserver", f"127.0.0.1:{server.port}", "--timeout", "1", *arguments],
        )


def test_the_document_has_what_was_promised() -> None:
    result = run("--json", "--selector", "s1")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["schema"], document["domain"]) == (0, "mailmon/dns/1", DOMAIN)
    assert {key for row in document["records"] for key in row} == RECORD_KEYS
    (row,) = [row for row in document["records"] if row["type"] == "MX"]
    assert row["found"] == ["10 mx1.firm.example", "20 mx2.firm.example"]
    assert (row["expected"], row["ttl_s"]) == ("10 mx1.firm.example\n20 mx2.firm.example", 300)
    assert document["summary"]["error"] == 0
    assert document["spf"][0]["lookups"] == 1


@pytest.mark.parametrize(
    ("arguments", "changes", "code"),
    [
        ((), {}, 0),
        ((), {"_dmarc TXT": ['"v=DMARC1; p=bogus"']}, 1),
        ((), {"@ TXT": ['"v=spf1 mx"']}, 0),
        (("--fail-on", "warning"), {"@ TXT": ['"v=spf1 mx"']}, 1),
        (("--fail-on", "warning", "--skip", "spf.*"), {"@ TXT": ['"v=spf1 mx"']}, 0),
        (("--fail-on", "warning", "--only", "dmarc.*"), {"@ TXT": ['"v=spf1 mx"']}, 0),
    ],
)
def test_the_exit_code_says_whether_something_is_wrong(arguments: tuple[str, ...], changes: Changes, code: int) -> None:
    assert run(*arguments, changes=changes).exit_code == code


def test_what_could_not_be_told_is_exit_code_75() -> None:
    result = run(faults={f"_dmarc.{DOMAIN}": SERVFAIL})
    assert result.exit_code == 75
    assert "dmarc.temperror" in result.stdout


def test_each_wrong_record_is_shown_with_what_should_stand_there() -> None:
    result = run(changes={"@ TXT": ['"v=spf1 mx -all"', '"v=spf1 a ~all"'], "_smtp._tls TXT": None})
    assert "firm.example TXT  v=spf1 a mx -all" in result.stdout
    assert "_smtp._tls.firm.example TXT  v=TLSRPTv1; rua=mailto:postmaster@firm.example" in result.stdout


def test_an_address_that_is_not_covered_is_added_to_the_record() -> None:
    result = run("--ip", "9.9.9.9", changes={"@ TXT": ['"v=spf1 mx -all"']})
    assert "firm.example TXT  v=spf1 mx ip4:9.9.9.9 -all" in result.stdout


def test_the_tree_of_spf_is_shown_on_demand() -> None:
    changes: Changes = {"@ TXT": ['"v=spf1 include:_spf.carrier.example mx -all"']}
    shown = run("--verbose", changes=changes).stdout
    assert "include:_spf.carrier.example _spf.carrier.example (0 look-ups): v=spf1 ip4:9.9.9.0/24 -all" in shown


def test_markdown_can_be_sent_on() -> None:
    shown = run("--format", "markdown", changes={"_dmarc TXT": None}).stdout
    assert shown.startswith(f"# DNS of {DOMAIN}\n")
    assert "| warning | firm.example: there is no DMARC record" in shown


def test_the_runbook_is_a_zone_file_for_a_domain_that_is_not_there_yet(tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = tmp_path / "mail.private"
    file.write_bytes(key)
    arguments = ("--runbook", "--host", "mx.new.example", "--ip", "9.9.9.20", "--selector", "mail")
    shown = run(*arguments, "--dkim-key", str(file), domain="new.example").stdout
    lines = shown.splitlines()
    for line in (
        "mx.new.example. IN A 9.9.9.20",
        "new.example. IN MX 10 mx.new.example.",
        'new.example. IN TXT "v=spf1 mx ip4:9.9.9.20 -all"',
        '_dmarc.new.example. IN TXT "v=DMARC1; p=none; rua=mailto:postmaster@new.example"',
        "_imaps._tcp.new.example. IN SRV 0 1 993 mx.new.example.",
    ):
        assert line in lines, shown
    (published,) = [line for line in lines if line.startswith("mail._domainkey.new.example. IN TXT ")]
    pieces = published.partition(" IN TXT ")[2].strip('"').split('" "')
    assert len(pieces) == 2
    assert max(map(len, pieces)) == 255
    assert "".join(pieces).startswith("v=DKIM1; k=rsa; p=MII")
    assert "PRIVATE" not in shown


def test_a_key_that_is_not_the_published_one_is_told(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(
        ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    result = run("--selector", "s1", "--dkim-key", str(file))
    assert (result.exit_code, "dkim.key_mismatch" in result.stdout) == (1, True)


@pytest.fixture
def bad_files(tmp_path: Path) -> Path:
    (tmp_path / "nonsense").write_text("hello")
    (tmp_path / "broken.pem").write_text("-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n")
    return tmp_path


@pytest.mark.parametrize("name", ["nonsense", "broken.pem"])
def test_a_key_file_that_is_none_is_told(bad_files: Path, name: str) -> None:
    result = run("--selector", "s1", "--dkim-key", str(bad_files / name))
    assert name in str(result.exception)


@pytest.mark.parametrize(
    "arguments",
    [("--ip", "firm"), ("--selector", "a b"), ("--host", "a/b"), ("--dkim-key", __file__), ("--nameserver", "a:b:c")],
)
def test_nonsense_on_the_command_line_is_told(arguments: tuple[str, ...]) -> None:
    result = CliRunner().invoke(cli, ["dns", DOMAIN, *arguments])
    assert result.exit_code == 2, result.output


@pytest.mark.parametrize("domain", ["", "a b", "user@firm.example", "https://firm.example/", "x" * 70, "-x.example"])
def test_a_domain_that_is_none_is_told(domain: str) -> None:
    assert CliRunner().invoke(cli, ["dns", domain]).exit_code == 2
