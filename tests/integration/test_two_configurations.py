"""Two configurations of one user: each has a state of its own, and takes its part of the one that they once shared."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.embedded import MAIN, SECOND, account_of, kind_of, probes_in, route_to
from tests.monitor import Monitor, Run


@dataclass
class Configuration(Monitor):
    """A configuration of its own name that says nothing of a state, and whose alerts go to a topic of that name."""

    name: str = "config"

    @property
    def path(self) -> Path:
        """Return the configuration file."""
        return self.directory / f"{self.name}.json"

    @property
    def state_file(self) -> Path:
        """Return what `config validate` says."""
        return Path(self.run("config", "validate", "--json").document["state_file"])

    def write(self) -> None:
        """Write the configuration, for the owner only."""
        self.path.write_text(json.dumps(self.config))
        self.path.chmod(0o600)

    def checked(self, step: str) -> dict[str, Any]:
        """Return what `status` knows of a step."""
        document = self.run("status", "--json").document
        return next((one for one in document["checks"] if one["id"] == step), {})


@dataclass
class Desk:
    """A user with configurations that watch the embedded server; all that share this home share its old state."""

    sandbox: Sandbox
    receiver: Receiver
    home: Path

    @property
    def shared(self) -> Path:
        """Return the directory that all configurations had in common."""
        return self.home / "state" / "mailmon"

    def configuration(self, name: str, address: str = MAIN, account: str = "main") -> Configuration:
        """Return a configuration of one mailbox."""
        config = {
            "accounts": {account: account_of(self.sandbox, address)},
            "routes": {account: route_to(address, account, account)},
            "checks": {"defaults": {"failure_threshold": 1}},
            "notify": {"ntfy": {"server": self.receiver.url, "topic": name}},
        }
        environ = {"XDG_STATE_HOME": str(self.home / "state"), "XDG_CONFIG_HOME": str(self.home / "config")}
        return Configuration(self.home, config, environ, name)

    def told(self, name: str) -> list[str]:
        """Return what came to a topic."""
        return [kind_of(message) for message in self.receiver.ntfy_messages() if message["topic"] == name]

    def check_as_before(self, configuration: Configuration) -> Run:
        """Run a check with the state that all have in common, as earlier versions did."""
        configuration.environ["STATE_DIRECTORY"] = str(self.shared)
        run = configuration.check()
        del configuration.environ["STATE_DIRECTORY"]
        return run


@pytest.fixture
def desk(sandbox: Sandbox, receiver: Receiver, tmp_path: Path) -> Desk:
    """Return a user's home."""
    (tmp_path / "home").mkdir()
    return Desk(sandbox, receiver, tmp_path / "home")


def break_login_of(configuration: Configuration) -> None:
    """Give a configuration a wrong password."""
    for account in configuration.config["accounts"].values():
        account["password"] = "wrong"


def test_two_configurations_in_ten_alternating_runs_alert_once_each(desk: Desk) -> None:
    one, two = desk.configuration("one"), desk.configuration("two", SECOND)
    desk.sandbox.faults.refuse_login = {"smtp"}
    for configuration in (one, two) * 5:
        assert configuration.check().exit_code == 1
    assert (desk.told("one"), desk.told("two")) == (["problem"], ["problem"])
    desk.sandbox.faults.refuse_login = set()
    for configuration in (one, two) * 2:
        assert configuration.check().exit_code == 0
    assert (desk.told("one"), desk.told("two")) == (["problem", "recovery"], ["problem", "recovery"])
    assert one.state_file != two.state_file


def test_the_trouble_of_one_configuration_is_no_news_to_the_other_one(desk: Desk) -> None:
    one, two = desk.configuration("one"), desk.configuration("two", SECOND)
    password = one.config["accounts"]["main"]["password"]
    break_login_of(one)
    for _ in range(3):
        assert (one.check().exit_code, two.check().exit_code) == (1, 0)
    one.config["accounts"]["main"]["password"] = password
    for _ in range(2):
        assert (one.check().exit_code, two.check().exit_code) == (0, 0)
    assert (desk.told("one"), desk.told("two")) == (["problem", "recovery"], [])


def test_all_that_lies_beside_the_state_is_of_one_configuration(desk: Desk) -> None:
    one, two = desk.configuration("one"), desk.configuration("two", SECOND)
    for configuration in (one, two):
        assert configuration.check().exit_code == 0
        assert configuration.run("silence", "main", "--for", "1h").exit_code == 0
    states = {configuration.name: configuration.state_file for configuration in (one, two)}
    keys = {(state.parent / "probe.key").read_text() for state in states.values()}
    assert len(keys) == 2
    for name, state in states.items():
        assert state.parent.name.startswith(f"{name}-")
        assert {path.name for path in state.parent.iterdir()} >= {
            "state.json", "state.json.lock", "state.json.journal", "state.json.silences",
            "probe.key", "config.checked", "configuration",
        }  # fmt: skip
        assert {path.stat().st_mode & 0o777 for path in state.parent.iterdir()} == {0o600}
    assert [path for path in desk.shared.iterdir() if path.is_file()] == []


def test_every_command_finds_the_state_of_its_configuration_and_shows_it_on_request(desk: Desk) -> None:
    one, two = desk.configuration("one"), desk.configuration("two", SECOND)
    one.check()
    break_login_of(two)
    two.check()
    assert one.checked("imap_auth:main")["health"] == "up"
    assert two.checked("imap_auth:main")["health"] == "down"
    assert one.run("alerts").stdout == "no alerts yet\n"
    assert "two" not in one.run("alerts").stdout
    assert len(two.run("alerts", "--json").document["alerts"]) == 1
    assert f"state     {one.state_file}\n" in one.run("status").stdout
    assert f"state: {two.state_file}\n" in two.run("config", "validate").stdout
    for command in (("status",), ("alerts",), ("silence", "list"), ("bounces", "list"), ("check", "--dry-run")):
        assert f"state: {one.state_file}\n" in one.run(*command, "-v").stderr
    two.run("notify", "unit-failed", "mailmon.service")
    assert "unit:mailmon.service" not in one.state_file.read_text()
    assert "unit:mailmon.service" in two.state_file.read_text()


def test_the_configuration_in_its_default_place_keeps_the_old_place_of_the_state(desk: Desk) -> None:
    default = desk.configuration("config")
    default.directory = desk.home / "config" / "mailmon"
    default.directory.mkdir(parents=True)
    assert default.check().exit_code == 0
    assert default.state_file == desk.shared / "state.json"
    elsewhere = desk.configuration("config")
    assert elsewhere.check().exit_code == 0
    assert elsewhere.state_file.parent.parent == desk.shared


def test_a_name_for_the_configuration_in_the_environment_counts_as_given(desk: Desk) -> None:
    one = desk.configuration("one")
    one.write()
    named = desk.configuration("other")
    named.environ["MAILMON_CONFIG"] = str(one.path)
    run = _Unnamed(named).run("config", "validate", "--json")
    assert run.document["state_file"] == str(one.state_file)


class _Unnamed(Monitor):
    """Runs a command without --config."""

    def __init__(self, of: Configuration) -> None:
        super().__init__(of.directory, of.config, of.environ)

    def command(self, *arguments: str) -> list[str]:
        return super().command(*arguments)[:-2]

    def write(self) -> None:
        pass

    def run(self, *arguments: str, timeout_s: float = 60.0) -> Run:
        begun_s = time.monotonic()
        with self.start(arguments) as process:
            stdout, stderr = process.communicate(timeout=timeout_s)
        return Run(process.returncode, stdout, stderr, time.monotonic() - begun_s)


def test_where_somebody_says_the_place_of_the_state_it_is_there(desk: Desk, tmp_path: Path) -> None:
    one = desk.configuration("one")
    one.environ["STATE_DIRECTORY"] = str(tmp_path / "unit")
    assert one.state_file == tmp_path / "unit" / "state.json"
    one.config["state_file"] = str(tmp_path / "own.json")
    assert one.state_file == tmp_path / "own.json"
    one.check()
    assert not (tmp_path / "configuration").exists()
    assert not desk.shared.exists()


# --- an old state that several had in common ---


def test_an_old_state_of_one_configuration_is_taken_over_as_it_is(desk: Desk) -> None:
    one = desk.configuration("one")
    desk.sandbox.faults.refuse_login = {"smtp"}
    assert desk.check_as_before(one).exit_code == 1
    before = json.loads((desk.shared / "state.json").read_text())["checks"]["smtp_auth:main"]["since"]
    assert one.checked("smtp_auth:main")["health"] == "down"
    for _ in range(3):
        assert one.check().exit_code == 1
    assert one.checked("smtp_auth:main")["since"].replace("Z", "")[:19] == before[:19]
    desk.sandbox.faults.refuse_login = set()
    assert one.check().exit_code == 0
    assert desk.told("one") == ["problem", "recovery"]


@pytest.mark.parametrize(
    ("accounts", "first", "last"),
    [
        (("main", "main"), "one", "one"),
        (("main", "main"), "two", "one"),
        (("main", "main"), "one", "two"),
        (("office", "other"), "two", "one"),
    ],
)
def test_an_old_state_of_two_configurations_tells_nobody_of_the_others(
    desk: Desk, accounts: tuple[str, str], first: str, last: str
) -> None:
    both = {
        "one": desk.configuration("one", MAIN, accounts[0]),
        "two": desk.configuration("two", SECOND, accounts[1]),
    }
    for configuration in both.values():
        desk.check_as_before(configuration)
    desk.check_as_before(both[last])
    desk.receiver.requests.clear()
    break_login_of(both[last])
    assert desk.check_as_before(both[last]).exit_code == 1
    assert desk.told(last) == ["problem"]
    order = (both[first], both["two" if first == "one" else "one"])
    for configuration in order * 2:
        assert configuration.check().exit_code == (1 if configuration.name == last else 0)
    other = "two" if last == "one" else "one"
    assert (desk.told(last), desk.told(other)) == (["problem"], [])
    both[last].config["accounts"] = desk.configuration(
        "x", MAIN if last == "one" else SECOND, accounts[last == "two"]
    ).config["accounts"]
    for configuration in order:
        assert configuration.check().exit_code == 0
    assert (desk.told(last), desk.told(other)) == (["problem", "recovery"], [])


def test_an_alert_that_waits_in_the_old_state_goes_to_its_own_channel_once(desk: Desk) -> None:
    one, two = desk.configuration("one", MAIN, "office"), desk.configuration("two", SECOND, "customer")
    desk.check_as_before(two)
    desk.receiver.status = 404
    break_login_of(one)
    assert desk.check_as_before(one).exit_code in (1, 69)
    desk.receiver.status = 200
    desk.receiver.requests.clear()
    two.check()
    assert desk.told("one") == desk.told("two") == []
    for configuration in (one, two) * 2:
        configuration.check()
    assert (desk.told("one"), desk.told("two")) == (["problem"], [])


@pytest.mark.parametrize("lost", [("shared.json",), ("configuration",), ("shared.json", "configuration")])
def test_a_takeover_that_was_interrupted_is_done_again_and_tells_nothing_twice(
    desk: Desk, lost: tuple[str, ...]
) -> None:
    one = desk.configuration("one")
    break_login_of(one)
    desk.receiver.status = 404
    desk.check_as_before(one)
    desk.receiver.status = 200
    desk.receiver.requests.clear()
    assert len(one.run("status", "--json").document["pending"]) == 1
    for name in lost:  # what a crash keeps from being written
        (desk.shared / name if name == "shared.json" else one.state_file.with_name(name)).unlink()
    for _ in range(2):
        one.check()
    assert desk.told("one") == ["problem"]


def test_a_default_configuration_leaves_the_part_of_another_one_in_the_old_state(desk: Desk) -> None:
    default = desk.configuration("config")
    default.directory = desk.home / "config" / "mailmon"
    default.directory.mkdir(parents=True)
    other = desk.configuration("two", SECOND, "customer")
    break_login_of(other)
    desk.check_as_before(default)
    desk.check_as_before(other)
    assert desk.told("two") == ["problem"]
    for configuration in (default, other) * 3:
        configuration.check()
    assert (desk.told("config"), desk.told("two")) == ([], ["problem"])
    assert default.checked("imap_auth:main")["health"] == "up"
    assert other.checked("imap_auth:customer")["health"] == "down"


def test_probes_of_the_old_state_are_known_and_cleaned_up(desk: Desk) -> None:
    one = desk.configuration("one")
    desk.sandbox.faults.delivery_delay_s = 2.0
    assert desk.check_as_before(one).exit_code == 1
    desk.sandbox.faults.delivery_delay_s = 0.0
    until_s = time.monotonic() + 10
    while not probes_in(desk.sandbox) and time.monotonic() < until_s:
        time.sleep(0.05)
    run = one.check()
    assert run.exit_code == 0, run.stdout
    assert "route.arrived_late" in run.stdout
    assert probes_in(desk.sandbox) == []
    assert one.check().exit_code == 0


def test_a_dry_run_takes_nothing_over_and_still_knows_what_was_told(desk: Desk) -> None:
    one = desk.configuration("one")
    desk.sandbox.faults.refuse_login = {"smtp"}
    desk.check_as_before(one)
    files = sorted(str(path) for path in desk.shared.rglob("*"))
    assert one.check("--dry-run").document["alerts"] == []
    assert sorted(str(path) for path in desk.shared.rglob("*")) == files


def test_silences_of_the_old_state_hold_for_those_whose_names_they_are(desk: Desk) -> None:
    one, two = desk.configuration("one", MAIN, "office"), desk.configuration("two", SECOND, "customer")
    desk.check_as_before(one)
    one.environ["STATE_DIRECTORY"] = str(desk.shared)
    one.run("silence", "office", "--for", "1h")
    del one.environ["STATE_DIRECTORY"]
    names = {c.name: [s["name"] for s in c.run("silence", "list", "--json").document["silences"]] for c in (one, two)}
    assert names == {"one": ["office"], "two": []}


# --- paths that change ---


def test_a_link_to_another_store_path_after_each_rebuild_keeps_its_state(desk: Desk) -> None:
    one = desk.configuration("one")
    break_login_of(one)
    for number in range(3):
        one.config["deadline_s"] = 100 + number
        entry = desk.home / "nix" / "store" / f"{number:032d}-mailmon.json"
        entry.parent.mkdir(parents=True, exist_ok=True)
        entry.write_text(json.dumps(one.config))
        entry.chmod(0o600)
        one.path.unlink(missing_ok=True)
        one.path.symlink_to(entry)
        assert _Linked(one).check().exit_code == 1
    assert desk.told("one") == ["problem"]


class _Linked(_Unnamed):
    """Runs a command with a configuration that it does not write."""

    def __init__(self, of: Configuration) -> None:
        super().__init__(of)
        self.environ = {**of.environ, "MAILMON_CONFIG": str(of.path)}


def in_store(desk: Desk, configuration: Configuration, digest: str, name: str = "mailmon.json") -> _Linked:
    """Put a configuration into a store of its own, and return how it is run from there."""
    entry = desk.home / "nix" / "store" / f"{digest * 32}-{name}"
    entry.parent.mkdir(parents=True, exist_ok=True)
    entry.write_text(json.dumps(configuration.config))
    entry.chmod(0o600)
    run = _Linked(configuration)
    run.environ["MAILMON_CONFIG"] = str(entry)
    return run


def test_a_configuration_given_by_its_store_path_keeps_its_state_over_rebuilds(desk: Desk) -> None:
    one = desk.configuration("one")
    break_login_of(one)
    for number, digest in enumerate("abcd"):
        one.config["deadline_s"] = 100 + number
        assert in_store(desk, one, digest).check().exit_code == 1
    assert desk.told("one") == ["problem"]


def test_two_configurations_of_one_name_in_the_store_do_not_share_a_state(desk: Desk) -> None:
    one, two = desk.configuration("one"), desk.configuration("two", SECOND)
    break_login_of(one)
    for digests in ("ab", "ab", "cd", "cb"):
        assert in_store(desk, one, digests[0]).check().exit_code == 1
        assert in_store(desk, two, digests[1]).check().exit_code == 0
    assert (desk.told("one"), desk.told("two")) == (["problem"], [])


def test_a_path_through_a_link_counts_as_the_shell_gave_it(desk: Desk) -> None:
    one = desk.configuration("one")
    places = []
    for release in ("r1", "r2"):
        (desk.home / release).mkdir()
        current = desk.home / "current"
        current.unlink(missing_ok=True)
        current.symlink_to(release)
        (desk.home / release / "mailmon.json").write_text(json.dumps(one.config))
        (desk.home / release / "mailmon.json").chmod(0o600)
        run = _Linked(one)
        run.environ |= {"MAILMON_CONFIG": "mailmon.json", "PWD": str(current)}
        command = ["sh", "-c", f'cd {current} && exec "$@"', "sh", *run.command("config", "validate", "--json")]
        places.append(run_in_shell(command, run.environment()))
    assert places[0] == places[1]
    shutil.rmtree(desk.home / "r1")


def run_in_shell(command: list[str], environ: dict[str, str]) -> str:
    """Return the state's path that a command tells."""
    said = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=30, check=True).stdout
    return str(json.loads(said)["state_file"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others")
def test_root_by_hand_becomes_the_owner_of_the_state_of_that_configuration(desk: Desk) -> None:
    for place in (desk.home, *desk.home.parents):
        if place != Path("/") and place.stat().st_uid == 0:
            place.chmod(place.stat().st_mode | 0o011)
    one = desk.configuration("one")
    desk.shared.mkdir(parents=True)
    for place in (desk.shared.parent, desk.shared):
        os.chown(place, 4321, 4321)
    assert one.check().exit_code == 0
    assert {path.stat().st_uid for path in desk.shared.rglob("*")} == {4321}
