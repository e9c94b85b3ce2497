"""The documentation agrees with the code."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from mailmon.cli import COMMANDS
from mailmon.config import Overrides, load, resolve
from mailmon.notify import NOTIFIERS
from tests.docs.generate import PAGE, ROOT, page_with, reference
from tests.docs.registries import FINDINGS, METRICS, findings_reference, metrics_reference

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))


def test_the_reference_of_the_configuration_is_not_stale() -> None:
    page = PAGE.read_text("utf-8")
    assert page_with(reference(), page) == page, "run `make docs`"


@pytest.mark.parametrize(("file", "generated"), [(FINDINGS, findings_reference()), (METRICS, metrics_reference())])
def test_the_pages_of_findings_and_metrics_are_not_stale(file: Path, generated: str) -> None:
    page = file.read_text("utf-8")
    assert page_with(generated, page) == page, "run `make docs`"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command: str) -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    assert f"mailmon {command}" in text


def test_no_two_decisions_have_one_number() -> None:
    numbers = Counter(page.name[:4] for page in DECISIONS)
    assert [number for number, times in numbers.items() if times > 1 or not number.isdigit()] == []


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_begins_with_its_number(page: Path) -> None:
    assert page.read_text("utf-8").startswith(f"# {page.name[:4]} ")


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
    assert not [warning for warning in setup.warnings if "no alert channel" in warning]


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
