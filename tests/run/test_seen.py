"""Hosts, configured for other purposes, that show whether our own network works."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mailmon.clients.connectivity import Target, is_independent, monitored_by
from mailmon.clients.deadline import Deadline
from mailmon.clients.resolver import RememberingResolve, resolver_for
from mailmon.config import Setup
from mailmon.model import Outcome, Status
from mailmon.run.network import _implicit_targets, check_network
from mailmon.store.state import State
from tests.clients.test_connectivity import full_listener, unused_port
from tests.config.samples import FULL, set_up
from tests.run.outcomes import MAIL, no_reply_outcome, ok_outcome

UUID = "5f9f5a1e-4a52-4c7b-8a3e-3d7f6d1c2b1a"
PROXIES = [f"{scheme}_proxy" for scheme in ("http", "https", "all", "ftp", "no")]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the proxy that this machine may be behind."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def setup_of(directory: Path, notify: Mapping[str, Any] | str = "none", ping: str = "", **more: Any) -> Setup:
    """Return a configuration with these channels, and with a ping address if there is one."""
    return set_up(directory, {**FULL, "notify": notify, **({"ping": {"url": ping}} if ping else {}), **more})


def targets(directory: Path, notify: Mapping[str, Any] | str = "none", ping: str = "") -> list[Target]:
    """Return the implicit targets of a configuration."""
    return list(_implicit_targets(setup_of(directory, notify, ping)))


def implicit(host: str, port: int, label: str = "") -> Target:
    return Target(host, port, True, label)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"type": "ntfy"}, ("ntfy.sh", 443)),
        ({"type": "ntfy", "server": "https://ntfy.example.net"}, ("ntfy.example.net", 443)),
        ({"type": "ntfy", "server": "http://ntfy.example.net/push/"}, ("ntfy.example.net", 80)),
        ({"type": "ntfy", "server": "http://NTFY.example.net:8080"}, ("ntfy.example.net", 8080)),
        ({"type": "ntfy", "server": "http://192.0.2.7:2586"}, ("192.0.2.7", 2586)),
        ({"type": "ntfy", "server": "https://[2001:db8::7]"}, ("2001:db8::7", 443)),
    ],
)
def test_the_server_of_ntfy_is_a_target_by_its_name(
    tmp_path: Path, options: dict[str, str], expected: tuple[str, int]
) -> None:
    """The topic is the credential, the server is none."""
    assert targets(tmp_path, {"phone": {"topic": "x", **options}}) == [implicit(*expected)]


@pytest.mark.parametrize(
    ("options", "host", "port"),
    [
        ({"type": "discord", "webhook": "https://discord.com/api/webhooks/1/abcdefghijkl"}, "discord.com", 443),
        ({"type": "webhook", "url": "https://hooks.example.net/in/abcdefghijkl"}, "hooks.example.net", 443),
        ({"type": "webhook", "url": "http://hooks.example.net:8080/"}, "hooks.example.net", 8080),
        ({"type": "apprise", "url": "https://push.example.net/abcdefghijkl"}, "push.example.net", 443),
        ({"type": "apprise", "url": "jsons://push.example.net:8443/abcdefghijkl"}, "push.example.net", 8443),
    ],
)
def test_the_host_of_an_address_that_is_a_credential_is_a_target_without_its_name(
    tmp_path: Path, options: dict[str, str], host: str, port: int
) -> None:
    found = targets(tmp_path, {"chat": options})
    assert found == [implicit(host, port, "the host of chat")]
    assert [str(target) for target in found] == ["the host of chat"]


def test_the_host_of_the_ping_address_is_a_target_too(tmp_path: Path) -> None:
    found = targets(tmp_path, {"ntfy": {"topic": "x"}}, f"https://hc-ping.com/{UUID}")
    assert found == [implicit("ntfy.sh", 443), implicit("hc-ping.com", 443, "the host of ping")]


def test_an_address_in_a_file_counts_as_one_in_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "hook").write_text("https://discord.com/api/webhooks/1/abcdefghijkl\n")
    found = targets(tmp_path, {"chat": {"type": "discord", "webhook_file": "hook"}})
    assert found == [implicit("discord.com", 443, "the host of chat")]


@pytest.mark.parametrize(
    "options",
    [
        {"type": "email", "to": ["admin@example.net"]},
        {"type": "command", "command": ["/bin/true"]},
        {"type": "apprise", "url": "tgram://123456789:abcdefghijkl/12315544/"},  # what looks like a port is a token
        {"type": "apprise", "url": "pover://user@abcdefghijkl"},
        {"type": "apprise", "url": "mailto://user:word@example.net"},
        {"type": "webhook", "url": "https://hooks.example.net:99999/in"},
    ],
    ids=lambda options: str(options.get("url", options["type"])),
)
def test_a_channel_without_a_host_that_can_be_asked_gives_no_target(tmp_path: Path, options: dict[str, Any]) -> None:
    both = {"odd": options, "phone": {"type": "ntfy", "topic": "x"}}
    assert targets(tmp_path, both) == [implicit("ntfy.sh", 443)]


def test_without_channels_there_is_no_target(tmp_path: Path) -> None:
    assert targets(tmp_path) == []


EVERY_KIND = {
    "phone": {"type": "ntfy", "topic": "x"},
    "chat": {"type": "discord", "webhook": "https://discord.com/api/webhooks/1/x"},
}


@pytest.mark.parametrize("name", [*PROXIES[:3], *(name.upper() for name in PROXIES[:3])])
def test_behind_a_proxy_the_channels_show_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """It may be the only way out: a connection of our own would never come about, whatever our network does."""
    monkeypatch.setenv(name, "http://proxy.example.net:3128")
    assert targets(tmp_path, EVERY_KIND, f"https://hc-ping.com/{UUID}") == []


@pytest.mark.parametrize(
    ("name", "value"), [("https_proxy", ""), ("ftp_proxy", "http://proxy.example.net:3128"), ("no_proxy", "*")]
)
def test_a_proxy_that_is_not_used_for_alerts_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert len(targets(tmp_path, EVERY_KIND, f"https://hc-ping.com/{UUID}")) == 3


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ("https://ntfy.sh", True),
        ("https://ntfy.example.net", True),
        ("https://notexample.org", True),
        ("https://192.0.2.11", True),
        ("https://ntfy.example.org", False),  # beside mail.example.org
        ("https://mail.example.org:8443", False),
        ("https://example.org", False),
        ("https://192.0.2.10", False),  # where mail.example.org was seen
        ("http://localhost:2586", False),
        ("http://127.0.0.1:2586", False),
        ("http://[::1]:2586", False),
    ],
)
def test_a_channel_on_a_monitored_server_or_this_machine_is_no_evidence(
    tmp_path: Path, server: str, expected: bool
) -> None:
    setup = setup_of(tmp_path, {"phone": {"type": "ntfy", "topic": "x", "server": server}})
    monitored = monitored_by(setup.accounts.values(), {MAIL: ["192.0.2.10"]})
    assert [is_independent(target, (), monitored) for target in _implicit_targets(setup)] == [expected]


def look_at(setup: Setup, *outcomes: Outcome) -> tuple[list[Status], bool, list[str]]:
    """Look around with real sockets; return what the steps are then, whether we are blind, and what is said of it."""
    resolve = RememberingResolve(resolver_for(setup.nameservers))
    seen = check_network(outcomes, setup, State(addresses={MAIL: ("192.0.2.10",)}), resolve, Deadline(60))
    return [step.status for step in seen.steps], seen.is_offline, [outcome.message for outcome in seen.own]


def test_a_configured_target_without_a_reply_excuses_a_local_channel_does_not(
    tmp_path: Path,
) -> None:
    with full_listener() as port:
        phone = {"phone": {"type": "ntfy", "topic": "x", "server": f"http://127.0.0.1:{port}"}}
        setups = [setup_of(tmp_path, phone, reachability=named) for named in ([], [f"127.0.0.1:{port}"])]
        seen = [look_at(setup, no_reply_outcome()) for setup in setups]
    assert seen[0] == ([Status.FAILED], False, [])
    assert seen[1] == ([Status.UNKNOWN], True, [f"127.0.0.1:{port} does not answer either"])


def test_a_named_target_that_refuses_shows_that_the_network_works(tmp_path: Path) -> None:
    setup = setup_of(tmp_path, reachability=[f"127.0.0.1:{unused_port()}"])
    assert look_at(setup, no_reply_outcome()) == ([Status.FAILED], False, [])


def test_where_nothing_was_silent_nothing_is_looked_at(tmp_path: Path) -> None:
    with full_listener() as port:
        setup = setup_of(tmp_path, reachability=[f"127.0.0.1:{port}"])
        deadline = Deadline(60)
        resolve = RememberingResolve(resolver_for(()))
        seen = check_network([ok_outcome("imap_auth:main")], setup, State(), resolve, deadline)
    assert (seen.own, seen.is_offline, seen.steps[0].status) == ((), False, Status.OK)
    assert deadline.remaining_s() > 59.5
