"""`mailmon explain`: every finding by id, area or pattern, without a configuration."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailmon.cli import cli
from mailmon.findings.registry import entries
from mailmon.findings.row import sentence
from tests.cli.programs import run

ROOT = Path(__file__).parents[2]


def explain(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["explain", *arguments], env={"COLUMNS": "80"})


def test_an_entry_has_all_that_is_known_of_a_finding() -> None:
    assert explain("tls.weak_dh").stdout.startswith(
        "tls.weak_dh  Weak Diffie-Hellman group\n"
        "severity: warning; error under 1024 bits\n"
        "reported by: mailmon diagnose, and mailmon check with the check of that name\n"
        "reference: RFC 9325 section 4.1\n"
        "\n"
        "The Diffie-Hellman group for DHE has fewer than 2048 bits.\n"
        "\n"
        "fix: Use a Diffie-Hellman group of 2048 bits (openssl dhparam -out FILE 2048),\n"
        "  or only ECDHE.\n"
        "  Postfix 3.7 and newer, main.cf:\n"
        "    smtpd_tls_dh1024_param_file = auto\n"
    )


@pytest.mark.parametrize("finding_id", entries())
def test_every_finding_is_explained(finding_id: str) -> None:
    shown = explain(finding_id)
    assert shown.exit_code == 0
    text = " ".join(shown.stdout.split())
    row = entries()[finding_id].row
    for words in (f"{finding_id} {row.title}", row.meaning, sentence(row.fix), row.reference):
        assert " ".join(words.split()) in text
    (document,) = json.loads(explain(finding_id, "--json").stdout)["findings"]
    assert (document["id"], document["meaning"], document["fix"]) == (finding_id, row.meaning, row.fix)


def test_lines_of_text_fit_the_terminal_and_lines_to_copy_stay_whole() -> None:
    lines = explain("smtp.open_relay").stdout.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert "    smtpd_relay_restrictions = permit_mynetworks," in lines


def test_an_area_or_a_pattern_lists_the_ids_with_their_titles() -> None:
    area = explain("spf").stdout.splitlines()
    assert len(area) == sum(one.startswith("spf.") for one in entries())
    assert "⚠ warning  spf.ptr                    Mechanism ptr" in area
    assert [line.split()[2] for line in explain("tls.cert_exp*").stdout.splitlines()] == [
        "tls.cert_expired",
        "tls.cert_expiring",
    ]
    listed = CliRunner().invoke(cli, ["explain"], env={"COLUMNS": "120"}).stdout
    assert [line.split()[2] for line in listed.splitlines()] == list(entries())


def test_the_document_has_the_same_shape_for_one_and_for_many() -> None:
    document = json.loads(explain("--json", "dkim.none", "dns.unknown").stdout)
    assert document["schema"] == "mailmon/explain/1"
    assert [(one["id"], one["severity"], one["reported_by"]) for one in document["findings"]] == [
        ("dns.unknown", None, ["dns"]),
        ("dkim.none", "warning", ["dns"]),
    ]
    (software,) = {
        tuple(one) for one in json.loads(explain("--json", "smtp.smuggling").stdout)["findings"][0]["software"]
    }
    assert software == ("place", "lines")


def test_a_mistyped_id_is_wrong_usage_and_names_those_that_are_near(tmp_path: Path) -> None:
    shown = run(tmp_path, "explain", "tls.cert_expird", "--json")
    assert shown.returncode == 2
    assert "there is no finding 'tls.cert_expird'; did you mean tls.cert_expired or tls.cert_exp" in shown.stderr
    assert json.loads(shown.stdout)["error"]["code"] == "usage"


def test_a_broken_configuration_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    shown = run(tmp_path, "--config", str(tmp_path / "config.json"), "explain", "spf.none")
    assert (shown.returncode, shown.stderr) == (0, "")


def test_a_new_finding_is_one_row(tmp_path: Path) -> None:
    """What CONTRIBUTING.md promises, tried: the row is in explain, in the documentation and in --only at once."""
    ignored = shutil.ignore_patterns("__pycache__")
    for folder in ("src", "docs", "tests/docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    (tmp_path / "tests" / "__init__.py").touch()
    table = tmp_path / "src" / "mailmon" / "findings" / "domains.py"
    row = 'Row("spf.odd", WARNING, "Odd record", "The record is odd.", "make it even", "RFC 7208")'
    before, heading, after = table.read_text("utf-8").partition('        Row(\n            "spf.none",')
    table.write_text(f"{before}        {row},\n{heading}{after}", "utf-8")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{tmp_path / 'src'}"}

    def python(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout

    assert "The record is odd." in python("-m", "mailmon", "explain", "spf.odd")
    assert "spf.odd" in python("-m", "mailmon", "explain", "spf")
    python("-m", "tests.docs.registries")
    page = (tmp_path / "docs" / "findings.md").read_text("utf-8")
    assert "| `spf.odd` | warning | **Odd record.** The record is odd. (RFC 7208) | Make it even. |" in page
    make = (
        "from mailmon.findings import *; print(make_finding('spf.odd', Verdict('fail'), 'example.org', 'is odd').fix)"
    )
    assert python("-c", f"from mailmon.model import Verdict; {make}") == "make it even\n"
