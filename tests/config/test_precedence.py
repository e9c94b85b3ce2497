"""Precedence: defaults, file, environment, options; typed conversion agrees with the schema."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailmon.config import Overrides, load, resolve
from mailmon.config.load import environment_overrides
from mailmon.errors import ConfigError
from mailmon.store.checked import remember_checked
from mailmon.store.key import make_key
from tests.config.samples import FLAT, FULL, SENTINEL, changed, problems, set_up, write
from tests.config.test_forms import plain
from tests.full import size

EXAMPLE = json.loads((Path(__file__).parents[2] / "config.example.json").read_text())

TOLD = {
    **FULL,
    "checks": {
        "defaults": {"failure_threshold": 2, "reminder_interval": "6h", "channels": {"warning": ["ntfy"]}},
        "receive": {"timeout_s": 60, "warning_delivery_s": 10, "critical_delivery_s": 45, "unknown_threshold": 5},
    },
    "notify": {"ntfy": {"topic": "x"}},
    "reachability": ["www.example.net:443"],
    "heartbeat_file": "beat",
}


@pytest.mark.parametrize("document", [FLAT, FULL], ids=["flat", "full"])
@pytest.mark.parametrize(
    ("key", "value", "path"),
    [
        ("smtp_host", "other.example.org", "smtp.host"),
        ("smtp_port", 465, "smtp.port"),
        ("imap_host", "other.example.org", "imap.host"),
        ("imap_port", 143, "imap.port"),
        ("username", "other@example.org", "username"),
        ("password", "other", "password.value"),
    ],
)
def test_an_option_takes_the_place_of_the_file(
    tmp_path: Path, document: dict[str, Any], key: str, value: object, path: str
) -> None:
    found: Any = set_up(tmp_path, document, {key: value}).accounts["main"]
    for step in path.split("."):
        found = getattr(found, step)
    assert found == value


@pytest.mark.parametrize("document", [FLAT, FULL], ids=["flat", "full"])
def test_options_reach_the_route_and_the_state(tmp_path: Path, document: dict[str, Any]) -> None:
    values = {"test_recipient": "r@example.org", "receive_timeout": 90.0, "state_file": "/srv/s.json"}
    setup = set_up(tmp_path, document, values)
    assert (setup.routes["main"].recipient, setup.routes["main"].timeout_s) == ("r@example.org", 90)
    assert str(setup.state_file) == "/srv/s.json"


@pytest.mark.parametrize("document", [FLAT, FULL], ids=["flat", "full"])
def test_an_option_that_was_not_given_hides_nothing(tmp_path: Path, document: dict[str, Any]) -> None:
    setup = set_up(tmp_path, document, {"smtp_port": None, "imap_port": None, "receive_timeout": None})
    assert plain(setup) == plain(set_up(tmp_path, document))


def test_a_password_file_by_option_replaces_the_password_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("other\n")
    for document in (FLAT, FULL):
        account = set_up(tmp_path, document, {"password_file": str(tmp_path / "secret")}).accounts["main"]
        assert account.password.value == "other"


def test_a_topic_by_option_replaces_the_topic_file(tmp_path: Path) -> None:
    document = {**FULL, "notify": {"ntfy": {"topic_file": "/nonexistent"}}}
    assert set_up(tmp_path, document, {"ntfy_topic": "x"}).channels["ntfy"].credentials.get("topic") == "x"


def test_an_option_that_fits_several_accounts_is_a_mistake(tmp_path: Path) -> None:
    document = changed(FULL, accounts__other={**FULL["accounts"]["main"]})
    said = "--smtp-host: ambiguous with several accounts: set it in the file"
    assert problems(tmp_path, document, {"smtp_host": "x.example.org"}) == [said]


def test_name_servers_by_option_replace_those_in_the_file(tmp_path: Path) -> None:
    document = {**FULL, "dns": {"nameservers": ["192.0.2.1"]}}
    assert set_up(tmp_path, document, nameservers=("192.0.2.2:54",)).nameservers == (("192.0.2.2", 54),)


def test_the_environment_speaks_in_numbers_where_numbers_are_wanted() -> None:
    environ = {"MAILMON_SMTP_PORT": "465", "MAILMON_RECEIVE_TIMEOUT": "1.5", "MAILMON_USERNAME": "7", "MAILMON_X": "1"}
    assert environment_overrides(environ) == {"smtp_port": 465, "receive_timeout": 1.5, "username": "7"}


def test_an_empty_variable_says_nothing() -> None:
    assert environment_overrides({"MAILMON_SMTP_HOST": ""}) == {}


def test_a_variable_that_is_no_number_is_told(tmp_path: Path) -> None:
    values = environment_overrides({"MAILMON_SMTP_PORT": "many"})
    assert problems(tmp_path, FLAT, values) == ["smtp_port: must be an integer, got 'many'"]


def remember(path: Path) -> None:
    """Note that the configuration was checked, as a run does."""
    loaded = load(path, Overrides(), {"HOME": "/"})
    remember_checked(loaded.state_file, loaded.document, make_key(loaded.state_file))


@pytest.mark.parametrize(
    "document",
    [
        FLAT,
        FULL,
        {**EXAMPLE, "state_file": "state.json"},
        {**FULL, "notify": "none", "ping": {"url": "https://x.example"}},
        TOLD,
    ],
    ids=["flat", "full", "example", "none", "told"],
)
def test_a_configuration_that_was_checked_gives_the_same_setup(tmp_path: Path, document: dict[str, Any]) -> None:
    path = write(tmp_path, {"state_file": "state.json", **document})
    remember(path)
    quick, full = (load(path, Overrides(), {"HOME": "/"}, must_check=must) for must in (False, True))
    setups = [resolve(loaded, path, {}, with_secrets=False) for loaded in (quick, full)]
    assert plain(setups[0]) == plain(setups[1])
    for name in ("warnings", "document", "policies", "reachability", "heartbeat_file"):
        assert getattr(setups[0], name) == getattr(setups[1], name)
    options = [{name: vars(checked) for name, checked in setup.checks.items()} for setup in setups]
    assert options[0] == options[1] != {}


@pytest.mark.parametrize(("is_checked", "is_imported"), [(True, False), (False, True)])
def test_pydantic_is_asked_only_of_what_was_not_checked(tmp_path: Path, is_checked: bool, is_imported: bool) -> None:
    path = write(tmp_path, {"state_file": "state.json", **FLAT})
    if is_checked:
        remember(path)
    program = (
        "import sys; from pathlib import Path; from mailmon.config import Overrides, load;"
        f"load(Path({str(path)!r}), Overrides(), {{}}); print('pydantic' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == str(is_imported)


def test_a_checked_configuration_is_checked_again_when_a_byte_changes(tmp_path: Path) -> None:
    path = write(tmp_path, {"state_file": "state.json", **FLAT, "smtp_port": 58700})
    remember(path)
    path.write_text(path.read_text().replace("58700", "78700"))
    with pytest.raises(ConfigError, match="smtp_port: must be between 1 and 65535, got 78700"):
        load(path, Overrides(), {"HOME": "/"})


def test_a_checked_configuration_is_checked_again_when_an_option_changes_it(tmp_path: Path) -> None:
    path = write(tmp_path, {"state_file": "state.json", **FLAT})
    remember(path)
    with pytest.raises(ConfigError, match="smtp_port: must be between"):
        load(path, Overrides({"smtp_port": 70000}), {"HOME": "/"})


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("main")
KEYS = st.text(max_size=6) | st.sampled_from(
    [
        "accounts",
        "routes",
        "notify",
        "smtp",
        "imap",
        "host",
        "port",
        "main",
        "ntfy",
        "smtp_host",
        "username",
        "dns",
        "ping",
        "checks",
        "defaults",
        "receive",
        "channels",
        "failure_threshold",
        "reminder_interval",
        "reachability",
    ]
)
JSON: st.SearchStrategy[Any] = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)


def replaced(node: Any, at: list[int], value: Any) -> Any:
    if not at or not isinstance(node, dict) or not node:
        return value
    key = list(node)[at[0] % len(node)]
    return {**node, key: replaced(node[key], at[1:], value)}


def load_any(directory: Path, document: Any) -> None:
    path = write(directory, document if isinstance(document, str) else json.dumps(document))
    problem = None
    try:
        loaded = load(path, Overrides(), {"HOME": str(directory)})
        resolve(loaded, path, {}, with_secrets=False)
    except ConfigError as exc:
        problem = exc
    assert problem is None or (problem.problems and SENTINEL not in problem.message)


@settings(deadline=None, max_examples=size(40, 400), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=JSON | st.dictionaries(KEYS, JSON, max_size=5))
def test_any_document_loads_or_is_a_mistake(tmp_path: Path, document: Any) -> None:
    load_any(tmp_path, document)


@settings(deadline=None, max_examples=size(60, 600), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    document=st.sampled_from([FLAT, FULL, EXAMPLE, TOLD]),
    at=st.lists(st.integers(0, 12), min_size=1, max_size=5),
    value=JSON,
)
def test_a_configuration_with_any_value_replaced_loads_or_is_a_mistake(
    tmp_path: Path, document: dict[str, Any], at: list[int], value: Any
) -> None:
    load_any(tmp_path, replaced(document, at, value))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.text(max_size=60))
def test_any_text_loads_or_is_a_mistake(tmp_path: Path, raw: str) -> None:
    load_any(tmp_path, raw.encode(errors="replace").decode())
