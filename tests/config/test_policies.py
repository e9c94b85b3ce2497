"""Alert policies per check, and options that contradict each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mailmon.checks import CHECKS
from mailmon.model import Policy
from tests.config.samples import FLAT, FULL, changed, problems, set_up

HOUR_S = 3600.0
CHANNELS = {"phone": {"type": "ntfy", "topic": "x"}, "chat": {"type": "ntfy", "topic": "y"}}
TOLD = {**FULL, "notify": CHANNELS}


def policy(directory: Path, document: dict[str, Any], check: str = "receive", **changes: Any) -> Policy:
    return set_up(directory, changed(document, **changes)).policies[check]


@pytest.mark.parametrize(
    ("check", "full", "flat"),
    [("imap_auth", 1, 1), ("smtp_auth", 1, 1), ("bounces", 1, 1), ("send", 2, 1), ("receive", 2, 1), ("cleanup", 2, 1)],
)
def test_one_probe_is_no_outage_in_the_full_form_and_is_told_in_the_flat_one(
    tmp_path: Path, check: str, full: int, flat: int
) -> None:
    assert policy(tmp_path, FULL, check) == Policy(failure_threshold=full)
    assert policy(tmp_path, FLAT, check) == Policy(failure_threshold=flat)


def test_the_flat_form_beside_accounts_is_as_patient_as_the_full_one(tmp_path: Path) -> None:
    outside = {"address": "o@example.net", "password": "x", "smtp": {"host": "smtp.example.net"}}
    assert policy(tmp_path, {**FLAT, "accounts": {"outside": outside}}).failure_threshold == 2


@pytest.mark.parametrize("document", [FLAT, FULL], ids=["flat", "full"])
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"checks__defaults__failure_threshold": 4}, Policy(failure_threshold=4)),
        ({"checks__receive__failure_threshold": 3, "checks__defaults__failure_threshold": 4}, Policy(3)),
        ({"failure_threshold": 5}, Policy(5)),
        ({"failure_threshold": 5, "checks__receive__failure_threshold": 3}, Policy(3)),
        ({"checks__receive__failure_threshold": 3, "checks__defaults__success_threshold": 2}, Policy(3, 2)),
        ({"failure_threshold": 1, "success_threshold": 3, "unknown_threshold": 7}, Policy(1, 3, 7)),
        ({"failure_threshold": 1, "reminder_interval": "6h"}, Policy(1, reminder_interval_s=6 * HOUR_S)),
        (
            {
                "failure_threshold": 1,
                "checks__defaults__reminder_interval": "1d",
                "checks__receive__reminder_interval": "30m",
            },
            Policy(1, reminder_interval_s=HOUR_S / 2),
        ),
    ],
)
def test_a_check_says_more_than_the_defaults_and_these_more_than_what_is_built_in(
    tmp_path: Path, document: dict[str, Any], changes: dict[str, Any], expected: Policy
) -> None:
    assert policy(tmp_path, document, **changes) == expected


@pytest.mark.parametrize(
    ("text", "seconds"), [(90, 90.0), (1.5, 1.5), ("90", 90.0), ("90s", 90.0), ("30m", 1800.0), ("6h", 6 * HOUR_S)]
)
def test_a_duration_is_said_as_people_say_it(tmp_path: Path, text: object, seconds: float) -> None:
    assert policy(tmp_path, FULL, checks__receive__reminder_interval=text).reminder_interval_s == seconds


def test_a_check_names_its_own_channels_by_severity(tmp_path: Path) -> None:
    document = changed(
        TOLD,
        checks__defaults__channels={"warning": ["chat"], "error": ["phone"]},
        checks__receive__channels={"error": ["chat", "phone"], "critical": []},
    )
    assert policy(tmp_path, document).channels == {"warning": ("chat",), "error": ("chat", "phone"), "critical": ()}
    assert policy(tmp_path, document, "send").channels == {"warning": ("chat",), "error": ("phone",)}


def test_limits_of_the_delivery_are_for_all_routes_or_for_one(tmp_path: Path) -> None:
    second = {"from": "main", "to": "x@example.org", "in": "main", "warning_delivery_s": 5}
    document = changed(
        FULL,
        checks__receive__warning_delivery_s=10,
        checks__receive__critical_delivery_s=45,
        routes__second=second,
    )
    routes = set_up(tmp_path, document).routes
    limits = {name: (route.warning_s, route.critical_s) for name, route in routes.items()}
    assert limits == {"main": (10, 45), "second": (5, 45)}


def test_limits_have_short_names_in_the_flat_form(tmp_path: Path) -> None:
    (route,) = set_up(tmp_path, {**FLAT, "warning_delivery_s": 10, "critical_delivery_s": 45}).routes.values()
    assert (route.warning_s, route.critical_s) == (10, 45)


def test_who_watches_mailmon_and_what_shows_that_the_network_works(tmp_path: Path) -> None:
    targets = ["www.example.net:443", "[2001:db8::1]:53", "192.0.2.1:80"]
    setup = set_up(tmp_path, {**FULL, "heartbeat_file": "beat", "reachability": targets})
    assert (setup.heartbeat_file, setup.reachability) == (tmp_path / "beat", tuple(targets))
    assert (set_up(tmp_path, FULL).heartbeat_file, set_up(tmp_path, FULL).reachability) == (None, ())


def test_every_check_has_a_threshold_of_its_own(tmp_path: Path) -> None:
    assert set(set_up(tmp_path, FULL).policies) == {*CHECKS, "certificate"}


LIMITS = "checks__receive__warning_delivery_s", "checks__receive__critical_delivery_s"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"checks__send__failure_threshold": 0}, "checks.send.failure_threshold: must be between 1 and 1000, got 0"),
        (
            {"checks__defaults__unknown_threshold": 1.5},
            "checks.defaults.unknown_threshold: must be an integer, got 1.5",
        ),
        (
            {"checks__defaults__reminder_interval": "often"},
            "checks.defaults.reminder_interval: must be a duration like 90s, 30m, 2h or 1d",
        ),
        (
            {"checks__defaults__reminder_interval": "2y"},
            "checks.defaults.reminder_interval: must be a duration like 90s, 30m, 2h or 1d",
        ),
        ({"checks__sned": {}}, "checks.sned: unknown key; did you mean send?"),
        (
            {"checks__send__channels": {"error": ["phon"]}},
            "checks.send.channels.error: unknown channel 'phon' (defined: phone, chat)",
        ),
        (
            {"checks__defaults__channels": {"warning": ["x"]}, "notify": "none"},
            "checks.defaults.channels.warning: unknown channel 'x' (none defined)",
        ),
        (
            {LIMITS[0]: 60},
            "checks.receive.warning_delivery_s: must be less than the receive timeout (60), got 60",
        ),
        ({LIMITS[1]: 60}, "checks.receive.critical_delivery_s: must be less than the receive timeout (60), got 60"),
        (
            {LIMITS[1]: 90, "checks__receive__timeout_s": 80},
            "checks.receive.critical_delivery_s: must be less than the receive timeout (80), got 90",
        ),
        (
            {LIMITS[0]: 30, LIMITS[1]: 30},
            "checks.receive.warning_delivery_s: must be less than the critical_delivery_s (30), got 30",
        ),
        (
            {"routes__main__critical_delivery_s": 40, "routes__main__receive_timeout_s": 30},
            "routes.main.critical_delivery_s: must be less than the receive timeout (30), got 40",
        ),
        (
            {"reachability": ["www.example.net"]},
            "reachability.0: must be HOST:PORT, an IPv6 address in brackets, got 'www.example.net'",
        ),
        ({"heartbeat_file": ""}, "heartbeat_file: must be the name of a file, got ''"),
        (
            {"notify": {"mail": {"type": "email", "to": ["a@example.org"], "accounts": ["gone"]}}},
            "notify.mail.accounts: no account 'gone' with an smtp server",
        ),
    ],
)
def test_what_cannot_be_meant_is_a_mistake(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    assert problem in problems(tmp_path, changed(TOLD, **changes))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"failure_threshold": 0}, "failure_threshold: must be between 1 and 1000, got 0"),
        ({"reminder_interval": "soon"}, "reminder_interval: must be a duration like 90s, 30m, 2h or 1d"),
        (
            {"failure_threshold": 2, "checks__defaults__failure_threshold": 3},
            "failure_threshold: is also set as checks.defaults.failure_threshold: remove one of the two",
        ),
    ],
)
def test_a_mistake_in_a_short_name_is_told_by_it(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    assert problem in problems(tmp_path, changed(FLAT, **changes))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {LIMITS[1]: 40, "routes__main__receive_timeout_s": 30},
            "checks.receive.critical_delivery_s: must be less than the receive timeout (30), got 40",
        ),
        (
            {LIMITS[0]: 30, "routes__main__critical_delivery_s": 20},
            "checks.receive.warning_delivery_s: must be less than the critical_delivery_s (20), got 30",
        ),
        (
            {LIMITS[1]: 20, "routes__main__warning_delivery_s": 25},
            "routes.main.warning_delivery_s: must be less than the critical_delivery_s (20), got 25",
        ),
        (
            {LIMITS[0]: 40, "routes__main__receive_timeout_s": 30},
            "checks.receive.warning_delivery_s: must be less than the receive timeout (30), got 40",
        ),
    ],
)
def test_a_limit_that_can_never_be_reached_on_a_route_is_a_mistake(
    tmp_path: Path, changes: dict[str, Any], problem: str
) -> None:
    assert problems(tmp_path, changed(FULL, **changes)) == [problem]


def test_limits_that_a_route_replaces_do_not_contradict_it(tmp_path: Path) -> None:
    own = {"routes__main__warning_delivery_s": 5, "routes__main__critical_delivery_s": 20}
    document = changed(FULL, checks__receive__warning_delivery_s=30, checks__receive__critical_delivery_s=45, **own)
    (route,) = set_up(tmp_path, document).routes.values()
    assert (route.warning_s, route.critical_s) == (5, 20)


def test_a_limit_that_is_too_long_is_told_by_its_short_name(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, {**FLAT, "critical_delivery_s": 60})
    assert problem.startswith("critical_delivery_s: ")


@pytest.mark.parametrize("text", ["3000d", 366 * 86400 + 1, -1])
def test_a_duration_out_of_bounds_is_told_in_words_that_people_use(tmp_path: Path, text: object) -> None:
    (problem,) = problems(tmp_path, changed(FULL, checks__defaults__reminder_interval=text))
    assert problem.startswith("checks.defaults.reminder_interval: must be between 0 and 366 d")


@pytest.mark.parametrize("zero", [0, 0.0, "0", "0s", "0d"])
def test_a_check_switches_the_reminder_of_the_defaults_off_by_0(tmp_path: Path, zero: object) -> None:
    document = changed(FULL, checks__defaults__reminder_interval="6h", checks__receive__reminder_interval=zero)
    assert policy(tmp_path, document).reminder_interval_s is None
    assert policy(tmp_path, document, "send").reminder_interval_s == 6 * HOUR_S
    assert policy(tmp_path, FULL, checks__defaults__reminder_interval=zero).reminder_interval_s is None
