"""Does the documentation say what the code does?"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mailmon.cli import COMMANDS
from mailmon.config import Overrides, load, resolve
from mailmon.findings import ROWS
from mailmon.notify import NOTIFIERS
from tests.docs.generate import PAGE, ROOT, page_with, reference

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
_PROTOCOLS = ("smtp", "imap", "pop3")


def test_the_reference_of_the_configuration_is_not_stale() -> None:
    page = PAGE.read_text("utf-8")
    assert page_with(reference(), page) == page, "run `make docs`"


def _finding_ids() -> set[str]:
    """Return all ids that the source can give: literal ones, and those that get their protocol at run time."""
    found: set[str] = set()
    for path in (ROOT / "src" / "mailmon").rglob("*.py"):
        if "sandbox" in path.parts:
            continue
        text = path.read_text("utf-8")
        areas = "http|oauth|dns|dnsbl|spf|dkim|dmarc|mtasts|tlsrpt|dane|tcp|tls|route|cleanup|diagnose|mailmon"
        areas += "|queue|certificate"
        found |= set(re.findall(rf'"((?:{areas})\.[a-z_]+)"', text))
        protocols = [p for p in _PROTOCOLS if path.name == f"{p}.py" or path.name.startswith(f"{p}_")] or _PROTOCOLS
        calls = re.findall(r'(?:\.error\(|_ask\(|_expect\([^"\n]*)\s*"([a-z_]+)"', text)
        found |= {f"{protocol}.{problem}" for protocol in protocols for problem in calls}
    return found | {f"smtp.{stage}_refused" for stage in ("mail", "rcpt", "data")}


def test_every_finding_is_documented() -> None:
    page = (ROOT / "docs" / "findings.md").read_text("utf-8")
    ids = _finding_ids()
    assert len(ids) > 35, "the search for ids has lost its way"
    assert sorted(one for one in ids if f"`{one}`" not in page) == []


def test_every_finding_of_a_diagnosis_is_documented() -> None:
    page = (ROOT / "docs" / "findings.md").read_text("utf-8")
    wanted = {one.replace("*.", f"{protocol}.") for one in ROWS for protocol in ("smtp", "imap", "pop3", "sieve")}
    wanted -= {"sieve.plaintext_on_tls_port"}  # there is no such port
    assert sorted(one for one in wanted if f"`{one}`" not in page) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command: str) -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    assert f"mailmon {command}" in text


def _examples() -> list[tuple[str, str]]:
    return [
        (f"{page.name}-{number}", block)
        for page in PAGES
        for number, block in enumerate(re.findall(r"```json\n(.*?)```", page.read_text("utf-8"), re.DOTALL))
    ]


@pytest.mark.parametrize(("name", "block"), _examples(), ids=[name for name, _ in _examples()])
def test_every_configuration_in_the_documentation_is_right(name: str, block: str, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(block)
    loaded = load(path, Overrides(), {"HOME": str(tmp_path)})
    setup = resolve(loaded, path, {}, with_secrets=False)
    assert setup.routes
    assert not [warning for warning in setup.warnings if "no channel" in warning]


_AROUND = {
    "accounts": {
        name: {"address": f"monitor@{name}.example.org", "smtp": {"host": "mail.example.org"}}
        for name in ("main", "outside")
    },
    "state_file": "state.json",
}


def _channels() -> list[tuple[str, str]]:
    text = (ROOT / "docs" / "channels.md").read_text("utf-8")
    blocks = re.findall(r"```jsonc\n(.*?)```", text, re.DOTALL)
    return [(block.split('"')[1], block) for block in blocks]


def test_every_kind_of_channel_has_an_example() -> None:
    channels = {name: options for _, block in _channels() for name, options in json.loads(f"{{{block}}}").items()}
    assert {options.get("type", name) for name, options in channels.items()} == set(NOTIFIERS)


@pytest.mark.parametrize(("name", "block"), _channels(), ids=[name for name, _ in _channels()])
def test_every_channel_in_the_documentation_is_right(name: str, block: str, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**_AROUND, "notify": json.loads(f"{{{block}}}")}))
    setup = resolve(load(path, Overrides(), {}, with_secrets=False), path, {}, with_secrets=False)
    assert name in setup.channels


def test_the_example_is_the_one_that_the_command_prints() -> None:
    root = json.loads((ROOT / "config.example.json").read_text("utf-8"))
    assert root == json.loads((ROOT / "src" / "mailmon" / "config" / "example.json").read_text("utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_link_leads_nowhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
