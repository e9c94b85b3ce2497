"""The units' sandboxing: the same attempts outside, where all succeed, and inside."""

from __future__ import annotations

import pytest

from tests.systemd.machine import Trial

# What nobody may do outside either, with the error that tells whose refusal it is.
REFUSED_OUTSIDE = {"open a packet socket": "EPERM"}
NEEDED = ("write its state", "write to its own /tmp", "start a process", "connect to 127.0.0.1", "open an IPv6 socket")
REFUSED = {
    "write to /etc": "EROFS",
    "write to /home": ("EACCES", "ENOENT", "EROFS"),
    "write to /var/lib/other": "EROFS",
    "write to /opt/mailmon": "EROFS",
    "read /home": ("EACCES", "ENOENT"),
    "read /tmp of others": "ENOENT",
    "read the kernel's settings": "ENOENT",
    "see process 1": "ENOENT",
    "see another user's process": "ENOENT",
    "open a local socket": "EAFNOSUPPORT",
    "open a netlink socket": "EAFNOSUPPORT",
    "open a packet socket": "EAFNOSUPPORT",
    "map memory to write and run": ("EPERM", "EACCES"),  # by seccomp, or by PR_SET_MDWE
    "make a setuid file": "EPERM",
    "make a user namespace": "EPERM",
    "change its personality": "EPERM",
}
ADDRESS = "connect to 127.0.0.2"


def test_every_attempt_is_judged(trial: Trial) -> None:
    assert set(trial.scenario("sandboxing")["inside"]) == {*NEEDED, *REFUSED, ADDRESS}


@pytest.mark.parametrize("attempt", NEEDED)
def test_what_mailmon_needs_is_allowed(trial: Trial, attempt: str) -> None:
    assert trial.scenario("sandboxing")["inside"][attempt] == "done"


@pytest.mark.parametrize("attempt", REFUSED)
def test_what_mailmon_does_not_need_is_refused_by_the_unit_alone(trial: Trial, attempt: str) -> None:
    scenario = trial.scenario("sandboxing")
    assert scenario["outside"][attempt] == REFUSED_OUTSIDE.get(attempt, "done"), "this attempt proves nothing"
    expected = REFUSED[attempt]
    assert scenario["inside"][attempt] in ((expected,) if isinstance(expected, str) else expected)


def test_another_address_is_refused_by_a_list_of_allowed_ones(trial: Trial) -> None:
    scenario = trial.scenario("addresses")
    if not scenario["is_enforced"]:
        pytest.skip("no unit can be refused an address here: the kernel has no BPF for the machine")
    assert trial.scenario("sandboxing")["inside"][ADDRESS] == "done"
    assert scenario["inside"]["connect to 127.0.0.1"] == "done"
    assert scenario["inside"][ADDRESS] == "ETIMEDOUT", "what is not allowed is dropped without a word"
