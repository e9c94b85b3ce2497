"""All mistakes are reported at once, with their place, without any credential."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from mailmon.config import Overrides, find_file, load
from mailmon.errors import ConfigError
from tests.config.samples import FLAT, FULL, PIN, SENTINEL, changed, problems

ADDRESS = "must be a mail address (user@example.org), got"
NAMESERVER = "must be ADDRESS or ADDRESS:PORT, got"
URL = "must be a URL that begins with https:// or http://, without a login"
HELO = "must be a full host name or an address literal ([192.0.2.1]), got"
KINDS = "(known: ntfy, discord, webhook, email, command, apprise)"
EXCLUDE = "insecure and tls_sha256 exclude each other: remove one"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"helo": "monitor"}, f"helo: {HELO} 'monitor'"),
        ({"smtp_port": 70000}, "smtp_port: must be between 1 and 65535, got 70000"),
        ({"smtp_port": 0}, "smtp_port: must be between 1 and 65535, got 0"),
        ({"smtp_port": -1}, "smtp_port: must be between 1 and 65535, got -1"),
        ({"smtp_port": "587"}, "smtp_port: must be an integer, got '587'"),
        ({"smtp_port": True}, "smtp_port: must be an integer, got true"),
        ({"smtp_port": 587.5}, "smtp_port: must be an integer, got 587.5"),
        ({"imap_host": ...}, "imap_host: missing"),
        ({"imap_host": ""}, "imap_host: missing"),
        ({"imap_host": "http://x"}, "imap_host: must be a host name or an IP address, got 'http://x'"),
        ({"receive_timeout": 0.5}, "receive_timeout: must be between 1 and 3600, got 0.5"),
        ({"receive_timeout": [60]}, "receive_timeout: must be a number, got a list"),
        ({"receive_timout": 60}, "receive_timout: unknown key; did you mean receive_timeout?"),
        ({"username": "jo"}, "username: is not a mail address: also set address"),
        ({"password": [SENTINEL]}, "password: must be a string, got a list"),
        ({"password": 71625344}, "password: must be a string, got a number"),
        ({"password": f"{SENTINEL}\n"}, "password: must be one line of text that is not empty"),
        ({"ntfy_server": "ntfy.sh", "ntfy_topic": "x"}, f"ntfy_server: {URL}"),
        ({"accounts": []}, "smtp_host: accounts is not a table"),
        (
            {"accounts__main__smtp__host": "x"},
            "smtp_host: is also set as accounts.main.smtp.host: remove one of the two",
        ),
        ({"test_recipient": "grün @example.org"}, f"test_recipient: {ADDRESS} 'grün @example.org'"),
    ],
)
def test_a_mistake_in_the_flat_form_is_named_by_its_key(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    assert problem in problems(tmp_path, changed(FLAT, **changes))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"accounts__main__smtp__port": 70000}, "accounts.main.smtp.port: must be between 1 and 65535, got 70000"),
        ({"accounts__main__smtp__prot": 1}, "accounts.main.smtp.prot: unknown key; did you mean port?"),
        ({"accounts__main__colour": "x"}, "accounts.main.colour: unknown key"),
        ({"accounts__main__helo": "monitor"}, f"accounts.main.helo: {HELO} 'monitor'"),
        ({"accounts__main__helo": "a b.example.org"}, f"accounts.main.helo: {HELO} 'a b.example.org'"),
        ({"accounts__main__helo": "[192.0.2.300]"}, f"accounts.main.helo: {HELO} '[192.0.2.300]'"),
        ({"accounts__main__helo": "192.0.2.1"}, f"accounts.main.helo: {HELO} '192.0.2.1'"),
        ({"accounts__main__helo": "x.example.org\r\nQUIT"}, f"accounts.main.helo: {HELO} 'x.example.org\\r\\nQUIT'"),
        ({"checks__diagnose__helo": "monitor"}, f"checks.diagnose.helo: {HELO} 'monitor'"),
        ({"accounts__main__smtp__host": ...}, "accounts.main.smtp.host: missing"),
        ({"accounts__main__smtp": 5}, "accounts.main.smtp: must be a table: { ... }"),
        (
            {"accounts__main__smtp__security": "ssl"},
            "accounts.main.smtp.security: must be 'tls', 'starttls' or 'plain'",
        ),
        ({"accounts__main__smtp__tls_sha256": PIN}, "accounts.main.smtp.tls_sha256: must be a list: [ ... ]"),
        (
            {"accounts__main__smtp__tls_sha256": [PIN], "accounts__main__smtp__insecure": True},
            f"accounts.main.smtp: {EXCLUDE}",
        ),
        ({"accounts__main__smtp__insecure": "yes"}, "accounts.main.smtp.insecure: must be a boolean, got 'yes'"),
        (
            {"accounts__main__password_command": f"echo {SENTINEL}"},
            "accounts.main.password_command: must be a list: [ ... ]",
        ),
        ({"accounts__main__address": "nobody"}, f"accounts.main.address: {ADDRESS} 'nobody'"),
        ({"accounts__main__address": "a@b\r\nBcc: c@d"}, f"accounts.main.address: {ADDRESS} 'a@b\\r\\nBcc: c@d'"),
        ({"accounts": ...}, "accounts: missing"),
        ({"accounts": []}, "accounts: must be a table: { ... }"),
        ({"routes__main__from": "nix"}, "routes.main.from: unknown account 'nix' (defined: main)"),
        ({"accounts__main__imap": ...}, "routes.main.in: accounts.main has no imap or pop3 server"),
        ({"routes__main__in": ...}, "routes.main.in: missing"),
        ({"notfy": {}}, "notfy: unknown key; did you mean notify?"),
        ({"notify": "off"}, "notify: must be a table: { ... }"),
        ({"notify__slack": {}}, f"notify.slack: unknown channel type {KINDS}"),
        (
            {"notify__nfty": {"topic": "x"}},
            f"notify.nfty: unknown channel type; did you mean ntfy? {KINDS}",
        ),
        (
            {"notify__ntfy": {"topic": "x", "prority": "max"}},
            "notify.ntfy.prority: unknown key; did you mean priority?",
        ),
        ({"notify__ntfy": {}}, "notify.ntfy.topic: missing; give topic_file, or the systemd credential ntfy.topic"),
        ({"notify__discord": {"webhook": SENTINEL}}, "notify.discord.webhook: must begin with https:// or http://"),
        ({"ping": {"url": SENTINEL}}, "ping.url: must begin with https:// or http://"),
        ({"deadline_s": 89}, "deadline_s: must be at least 90, 30 more than the longest receive timeout, got 89"),
        ({"deadline_s": 90000}, "deadline_s: must be between 30 and 86400, got 90000"),
        ({"dns__nameservers": ["ns.example.org"]}, f"dns.nameservers.0: {NAMESERVER} 'ns.example.org'"),
        ({"dns__nameservers": ["192.0.2.1:99999"]}, f"dns.nameservers.0: {NAMESERVER} '192.0.2.1:99999'"),
        ({"dns__nameservers": ["999.0.2.1"]}, f"dns.nameservers.0: {NAMESERVER} '999.0.2.1'"),
    ],
)
def test_a_mistake_in_the_full_form_is_named_by_its_path(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    assert problem in problems(tmp_path, changed(FULL, **changes))


def test_what_only_follows_from_a_missing_flat_key_is_not_reported(tmp_path: Path) -> None:
    assert problems(tmp_path, changed(FLAT, smtp_host=...)) == ["smtp_host: missing"]
    assert problems(tmp_path, changed(FLAT, imap_host=...)) == ["imap_host: missing"]
    without = changed(FLAT, smtp_host=..., imap_host=...)
    assert sorted(problems(tmp_path, without)) == ["imap_host: missing", "smtp_host: missing"]


def test_a_deadline_that_is_too_short_has_one_minimum(tmp_path: Path) -> None:
    said = "deadline_s: must be at least 90, 30 more than the longest receive timeout, got 1"
    assert problems(tmp_path, changed(FULL, deadline_s=1)) == [said]


def test_an_unknown_account_among_none_is_called_so(tmp_path: Path) -> None:
    found = problems(tmp_path, changed(FULL, accounts={}))
    assert "routes.main.from: unknown account 'main' (none defined)" in found


def test_every_mistake_is_said_at_once(tmp_path: Path) -> None:
    document = changed(
        FULL,
        accounts__main__smtp__port=70000,
        accounts__main__adress="x@example.org",
        routes__main__from="nix",
        checks__receive__timeout_s=0,
        notfy={},
    )
    places = [problem.partition(":")[0] for problem in problems(tmp_path, document)]
    assert sorted(places) == [
        "accounts.main.adress",
        "accounts.main.smtp.port",
        "checks.receive.timeout_s",
        "notfy",
        "routes.main.from",
    ]


def test_credentials_and_the_deadline_are_looked_at_together_with_the_rest(tmp_path: Path) -> None:
    document = changed(FULL, accounts__main__smtp__port=70000, accounts__main__password=..., deadline_s=60)
    places = [problem.partition(":")[0] for problem in problems(tmp_path, document)]
    assert sorted(places) == ["accounts.main.password", "accounts.main.smtp.port", "deadline_s"]


@pytest.mark.parametrize(
    "document", [{"accounts": {}}, changed(FULL, accounts__main__smtp=..., accounts__main__imap=..., routes={})]
)
def test_a_configuration_that_would_check_nothing_is_a_mistake(tmp_path: Path, document: dict[str, Any]) -> None:
    assert problems(tmp_path, document)


def test_a_certificate_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    assert "accounts.main.imap.ca_file" in problems(tmp_path, changed(FULL, accounts__main__imap__ca_file="x.pem"))[0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ('{\n  "a": 1\n  "b": 2\n}', "line 3 column 3: a comma is missing before this"),
        (f'{{"password": "{SENTINEL}" x}}', "line 1 column 31: a comma is missing before this"),
        ('{"smtp_host": "a", "smtp_host": "b"}', "duplicate key 'smtp_host'"),
        ("[]", "must be a JSON object, not a list"),
        ("null", "must be a JSON object, not null"),
    ],
)
def test_what_is_no_configuration_says_where(tmp_path: Path, text: str, problem: str) -> None:
    assert problems(tmp_path, text) == [problem]


def test_brackets_without_end_are_told(tmp_path: Path) -> None:
    """Python 3.11 gives up at the depth, 3.13 at the end of the text."""
    said = problems(tmp_path, "[" * 5000)[0]
    assert said == "is nested too deeply" or "is never closed" in said


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(b'{"smtp_host": "\xff"}')
    with pytest.raises(ConfigError, match="line 1 column 16: the byte 0xff is not UTF-8"):
        load(tmp_path / "config.json", Overrides(), {"HOME": "/"})


@pytest.mark.parametrize("depth", [300, 500, 700, 900, 960])
def test_deep_nesting_is_told(tmp_path: Path, depth: int) -> None:
    assert problems(tmp_path, '{"a": ' * depth + "1" + "}" * depth)


@pytest.mark.parametrize("key", ["smtp_port", "receive_timeout"])
@pytest.mark.parametrize("number", [10**400, 1e400, float("nan"), -(10**400)], ids=["large", "inf", "nan", "low"])
def test_a_number_beyond_all_bounds_is_told(tmp_path: Path, key: str, number: float) -> None:
    assert problems(tmp_path, {**FLAT, key: number})[0].startswith(f"{key}: ")


def test_a_missing_file_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "gone.json", Overrides(), {"HOME": "/"})
    assert caught.value.message == f"{tmp_path}/gone.json: cannot be read: No such file or directory"
    assert caught.value.advice.startswith("Give the right file by --config, or write one: ")


def test_without_a_file_the_advice_says_how_to_begin() -> None:
    with pytest.raises(ConfigError, match="options: ") as caught:
        load(None, Overrides(), {"HOME": "/"})
    assert "mailmon config example" in caught.value.advice


def test_without_any_place_for_the_state_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ConfigError, match="state_file: missing, and neither STATE_DIRECTORY nor HOME is set"):
        load(tmp_path / "config.json", Overrides(), {})


def test_a_login_in_a_url_is_not_quoted(tmp_path: Path) -> None:
    for key in ("server", "click"):
        url = f"https://user:{SENTINEL}@ntfy.example.org"
        assert problems(tmp_path, {**FULL, "notify": {"ntfy": {"topic": "x", key: url}}})


def test_the_configuration_itself_cannot_be_the_state_file(tmp_path: Path) -> None:
    assert problems(tmp_path, {**FULL, "state_file": "config.json"})


@pytest.mark.parametrize("name", ["\x1b[2J", "a\nb", "\ud800"])
def test_control_characters_in_a_key_are_made_visible(tmp_path: Path, name: str) -> None:
    document = changed(FULL, **{f"routes__{name}": {"from": "nix", "to": "a@example.org", "in": "main"}})
    assert all(problem.isprintable() for problem in problems(tmp_path, document))


def test_a_named_file_is_taken_whether_it_is_there_or_not(tmp_path: Path) -> None:
    assert find_file("/x.json", {"MAILMON_CONFIG": "/y.json"}) == Path("/x.json")
    assert find_file(None, {"MAILMON_CONFIG": "/y.json"}) == Path("/y.json")


@pytest.mark.skipif(Path("/etc/mailmon/config.json").exists(), reason="this machine is monitored")
def test_without_a_name_the_users_own_file_is_taken(tmp_path: Path) -> None:
    own = tmp_path / ".config/mailmon/config.json"
    assert find_file(None, {"HOME": str(tmp_path)}) is None
    own.parent.mkdir(parents=True)
    own.touch()
    assert find_file(None, {"HOME": str(tmp_path)}) == own
    assert find_file(None, {"HOME": "/", "XDG_CONFIG_HOME": str(tmp_path / ".config")}) == own


def test_a_home_that_cannot_be_looked_into_is_no_bug() -> None:
    assert find_file(None, {"HOME": "/" + "x" * (os.pathconf("/", "PC_NAME_MAX") + 1)}) is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"accounts__main__bounces": {}}, "accounts.main.bounces.folder: missing"),
        (
            {"accounts__main__bounces": {"folder": "Bounces", "processed": "Bounces"}},
            "accounts.main.bounces: 'Bounces' is both source and target: use different folders",
        ),
        (
            {"accounts__main__bounces": {"folder": "INBOX", "skipped": "Other"}},
            "accounts.main.bounces.skipped: would move all mail out of INBOX, where probes arrive: use a separate "
            "folder for bounces",
        ),
        (
            {"bounce_notices": {"account": "nobody", "to": ["a@example.org"]}},
            "bounce_notices.account: no account 'nobody' with an smtp server",
        ),
        (
            {"bounce_notices": {"account": "main", "to": ["a@example.org"], "cc": True}},
            "bounce_notices: cc: also set cc_domains to your own domains; otherwise anyone could make mailmon "
            "write to anyone",
        ),
        ({"bounce_notices": {"account": "main", "to": []}}, "bounce_notices: to: must be a list of 1 to 20 addresses"),
        ({"checks__bounces__max_hard": -1}, "checks.bounces.max_hard: must be between 0 and 1e+06, got -1"),
    ],
)
def test_a_mistake_about_bounces_is_told(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    assert problem in problems(tmp_path, changed(FULL, **changes))


@pytest.mark.parametrize(
    ("place", "changes"),
    [
        ("accounts.main.smtp", {"accounts__main__smtp__ca_file": "x.pem"}),
        ("checks.diagnose", {"checks__diagnose": {"hosts": ["mail.example.org"], "ca_file": "x.pem"}}),
        ("checks.dns", {"checks__dns": {"domains": {"example.org": {}}, "ca_file": "x.pem"}}),
        (
            "checks.http.pages.web",
            {"checks__http": {"pages": {"web": {"url": "https://a.example/", "ca_file": "x.pem"}}}},
        ),
    ],
)
def test_a_certificate_file_that_is_not_there_is_told_before_any_run(
    tmp_path: Path, place: str, changes: dict[str, object]
) -> None:
    assert problems(tmp_path, changed(FULL, **changes)) == [f"{place}.ca_file: {tmp_path}/x.pem: cannot be read"]
