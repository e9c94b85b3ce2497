"""The meaning of a configuration in the flat and in the full form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mailmon.checks.targets import Account, Route
from mailmon.clients.server import Keys, Security, Server, Trust, default_security
from mailmon.config import Setup
from mailmon.notify.discord import DiscordOptions
from mailmon.notify.ntfy import NtfyOptions
from tests.config.samples import FLAT, FULL, PIN, SENTINEL, changed, set_up


def unnamed(server: Server | None) -> Server | None:
    """Return a server without what its keys are called, which differs from form to form."""
    return server._replace(keys=Keys()) if server else None


def plain(setup: Setup) -> tuple[Any, ...]:
    """Return what can be compared of a setup; a secret only knows itself."""

    def account(a: Account) -> tuple[Any, ...]:
        return a.name, a.address, a.username, a.password.value, *map(unnamed, (a.smtp, a.imap)), a.folder

    def route(r: Route) -> tuple[Any, ...]:
        return r.name, r.sender.name, r.recipient, r.reader.name, r.timeout_s

    return (
        [account(a) for a in setup.accounts.values()],
        [route(r) for r in setup.routes.values()],
        list(setup.channels),
        setup.nameservers,
        setup.deadline_s,
        setup.state_file,
    )


def test_the_flat_form_is_one_account_and_one_route(tmp_path: Path) -> None:
    setup = set_up(tmp_path, FLAT)
    (account,), (route,) = setup.accounts.values(), setup.routes.values()
    assert (account.name, account.address, account.username) == ("main", "monitor@example.org", "monitor@example.org")
    assert account.password.value == SENTINEL
    assert (route.name, route.sender, route.recipient, route.reader) == ("main", account, account.address, account)


def test_the_flat_form_has_the_small_monitors_defaults(tmp_path: Path) -> None:
    setup = set_up(tmp_path, {**FLAT, "ntfy_topic": "alerts"})
    account, channel = setup.accounts["main"], setup.channels["ntfy"]
    assert unnamed(account.smtp) == Server("smtp", "mail.example.org", 587, Security.STARTTLS)
    assert unnamed(account.imap) == Server("imap", "imap.example.org", 993, Security.TLS)
    assert setup.routes["main"].timeout_s == 60
    assert isinstance(channel.options, NtfyOptions)
    assert (channel.options.server, channel.credentials.get("topic")) == ("https://ntfy.sh", "alerts")


def test_every_key_of_the_small_monitor_has_its_effect(tmp_path: Path) -> None:
    keys = {
        "smtp_port": 465,
        "imap_port": 143,
        "test_recipient": "other@example.org",
        "receive_timeout": 120,
        "ntfy_topic": "alerts",
        "ntfy_server": "https://ntfy.example.org",
        "state_file": "/var/lib/mail-monitor/state.json",
    }
    setup = set_up(tmp_path, {**FLAT, **keys})
    account, route, channel = setup.accounts["main"], setup.routes["main"], setup.channels["ntfy"]
    assert account.smtp is not None
    assert account.imap is not None
    assert isinstance(channel.options, NtfyOptions)
    assert (account.smtp.port, account.smtp.security) == (465, Security.TLS)
    assert (account.imap.port, account.imap.security) == (143, Security.STARTTLS)
    assert (route.recipient, route.timeout_s, setup.deadline_s) == ("other@example.org", 120, 210)
    assert (channel.options.server, str(setup.state_file)) == (keys["ntfy_server"], keys["state_file"])


def test_keys_that_the_small_monitors_module_left_null_count_as_unsaid(tmp_path: Path) -> None:
    setup = set_up(tmp_path, {**FLAT, "test_recipient": None, "ntfy_topic": None, "ntfy_server": "https://ntfy.sh"})
    assert (setup.routes["main"].recipient, dict(setup.channels)) == ("monitor@example.org", {})


def test_a_login_that_is_no_address_has_its_address_beside_it(tmp_path: Path) -> None:
    account = set_up(tmp_path, {**FLAT, "username": "monitor", "address": "m@example.org"}).accounts["main"]
    assert (account.username, account.address) == ("monitor", "m@example.org")


def test_the_full_form_says_the_same_as_the_flat_one(tmp_path: Path) -> None:
    assert plain(set_up(tmp_path, FULL)) == plain(set_up(tmp_path, FLAT))


def test_the_flat_form_may_stand_beside_the_full_one(tmp_path: Path) -> None:
    outside = {"address": "o@example.net", "password": "x", "smtp": {"host": "smtp.example.net", "port": 465}}
    routes = {"incoming": {"from": "outside", "to": "monitor@example.org", "in": "main", "receive_timeout_s": 300}}
    setup = set_up(tmp_path, {**FLAT, "accounts": {"outside": outside}, "routes": routes})
    assert set(setup.accounts) == {"main", "outside"}
    assert {r.name: (r.sender.name, r.reader.name, r.timeout_s) for r in setup.routes.values()} == {
        "main": ("main", "main", 60),
        "incoming": ("outside", "main", 300),
    }
    assert setup.deadline_s == 390


def test_several_channels_of_one_kind_have_names_of_their_own(tmp_path: Path) -> None:
    notify = {
        "night": {"type": "ntfy", "topic": "a"},
        "ntfy": {"topic": "b"},
        "team": {"type": "discord", "webhook": "https://discord.example.org/hook"},
    }
    setup = set_up(tmp_path, {**FULL, "notify": notify})
    kinds = {name: type(channel.options) for name, channel in setup.channels.items()}
    assert kinds == {"night": NtfyOptions, "ntfy": NtfyOptions, "team": DiscordOptions}


@pytest.mark.parametrize(
    ("protocol", "port", "security"),
    [
        ("smtp", 465, "tls"),
        ("smtp", 587, "starttls"),
        ("smtp", 25, "starttls"),
        ("smtp", 2525, "starttls"),
        ("imap", 993, "tls"),
        ("imap", 143, "starttls"),
        ("imap", 1143, "tls"),
        ("pop3", 995, "tls"),
        ("pop3", 110, "starttls"),
        ("pop3", 1110, "tls"),
    ],
)
def test_the_port_tells_the_security_when_nothing_is_said(protocol: str, port: int, security: str) -> None:
    assert default_security(protocol, port) == security


@pytest.mark.parametrize("security", list(Security))
def test_what_is_said_of_the_security_holds_on_every_port(tmp_path: Path, security: Security) -> None:
    document = changed(FULL, accounts__main__smtp__security=security.value, accounts__main__smtp__port=465)
    smtp = set_up(tmp_path, document).accounts["main"].smtp
    assert smtp is not None
    assert smtp.security is security


@pytest.mark.parametrize("pin", [PIN, PIN.upper(), ":".join([PIN[:2]] * 32), f" {PIN}\n"])
def test_a_pin_is_read_in_every_usual_spelling(tmp_path: Path, pin: str) -> None:
    imap = set_up(tmp_path, changed(FULL, accounts__main__imap__tls_sha256=[pin])).accounts["main"].imap
    assert imap is not None
    assert imap.trust == Trust(None, (PIN,), False)


def test_a_ca_file_counts_from_the_directory_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    imap = set_up(tmp_path, changed(FULL, accounts__main__imap__ca_file="ca.pem")).accounts["main"].imap
    assert imap is not None
    assert imap.trust.ca_file == str(tmp_path / "ca.pem")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"notify": {"ntfy": {"topic": "x"}}}, []),
        ({"notify": "none"}, []),
        ({}, ["no alert channel configured"]),
        ({"notify": {}}, ["no alert channel configured"]),
        (
            {"notify": "none", "accounts__main__imap__insecure": True},
            ["accounts.main: insecure, the certificate of imap.example.org is not verified"],
        ),
        (
            {"notify": "none", "accounts__main__smtp__security": "plain"},
            ["accounts.main: plain, the password travels to mail.example.org in clear text"],
        ),
        # Nobody logs in there: port 25 as a foreign server uses it.
        (
            {"notify": "none", "accounts__main__smtp__security": "plain", "accounts__main__smtp__auth": "none"},
            [],
        ),
        (
            {"notify": "none", "accounts__main__smtp__auth": "none", "accounts__main__imap__security": "plain"},
            ["accounts.main: plain, the password travels to imap.example.org in clear text"],
        ),
        (
            {
                "notify": "none",
                "accounts__main__smtp__auth": "none",
                "accounts__main__pop3": {"host": "pop.example.org", "security": "plain"},
            },
            ["accounts.main: plain, the password travels to pop.example.org in clear text"],
        ),
        (
            {
                "notify": "none",
                "accounts__main__password": ...,
                "accounts__main__token": "t",
                "accounts__main__imap__security": "plain",
            },
            ["accounts.main: plain, the token travels to imap.example.org in clear text"],
        ),
    ],
)
def test_what_is_unwise_is_warned_of(tmp_path: Path, changes: dict[str, Any], words: list[str]) -> None:
    warnings = set_up(tmp_path, changed(FULL, **changes)).warnings
    assert len(warnings) == len(words)
    assert all(warning.startswith(expected) for warning, expected in zip(warnings, words, strict=True))


@pytest.mark.parametrize(
    ("text", "nameserver"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
    ],
)
def test_a_name_server_may_have_a_port(tmp_path: Path, text: str, nameserver: tuple[str, int]) -> None:
    assert set_up(tmp_path, {**FULL, "dns": {"nameservers": [text]}}).nameservers == (nameserver,)
