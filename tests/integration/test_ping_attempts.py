"""The ping address: tried again when it fails, told how a run ended, and told nothing by a run for a part."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from mailmon.outputs.ping import MAX_BODY_BYTES
from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.embedded import TOPIC, route_to, two_of_each
from tests.monitor import Monitor

UUID = "5f9f5a1e-4a52-4c7b-8a3e-3d7f6d1c2b1a"
START, SUCCESS, FAIL = f"/{UUID}/start", f"/{UUID}", f"/{UUID}/fail"


@pytest.fixture
def pinged(monitor: Monitor, receiver: Receiver) -> Monitor:
    """A monitor with a ping address and no other channel."""
    monitor.config |= {"notify": "none", "ping": {"url": f"{receiver.url}/{UUID}"}}
    return monitor


def paths(receiver: Receiver) -> list[str]:
    """Return what was asked for, in its order."""
    return [request.path for request in receiver.requests]


def body(receiver: Receiver) -> list[str]:
    """Return the lines of what was told last."""
    return receiver.requests[-1].body.decode().split("\n")


@pytest.mark.parametrize(
    ("script", "asked"),
    [
        ([500, 200, 200], [START, START, SUCCESS]),
        ([503, 429, 200, 200], [START, START, START, SUCCESS]),
        ([200, 500, 200], [START, SUCCESS, SUCCESS]),
        ([200, 502, 408, 200], [START, SUCCESS, SUCCESS, SUCCESS]),
        ([500, 200, 500, 200], [START, START, SUCCESS, SUCCESS]),
        ([500] * 6, [START] * 3 + [SUCCESS] * 3),
        # What is refused for good is not asked again, and the end is told all the same.
        ([404, 200], [START, SUCCESS]),
        ([404, 404], [START, SUCCESS]),
        ([200, 403], [START, SUCCESS]),
    ],
)
def test_a_ping_that_does_not_get_through_is_tried_up_to_three_times(
    pinged: Monitor, receiver: Receiver, script: list[int], asked: list[str]
) -> None:
    receiver.script, receiver.status = [*script], 418
    run = pinged.check()
    assert run.exit_code == 0
    # That the end of the run was refused is said: such a watcher never alarms.
    assert ("the ping URL: answered" in run.stderr) == (script[-1] in (403, 404))
    assert paths(receiver) == asked
    assert [request.status for request in receiver.requests] == script


def test_each_attempt_tells_the_same_and_the_next_one_waits_a_little(pinged: Monitor, receiver: Receiver) -> None:
    receiver.script = [200, 500, 500, 200]
    pinged.check()
    assert paths(receiver) == [START, SUCCESS, SUCCESS, SUCCESS]
    first, second, third = receiver.requests[1:]
    assert first.body == second.body == third.body != b""
    assert 0.25 < second.at - first.at < 4
    assert 0.5 < third.at - second.at < 4


def test_a_failure_is_tried_again_as_a_failure(pinged: Monitor, sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.faults.refuse_login = {"smtp"}
    receiver.script = [200, 500, 200]
    assert pinged.check().exit_code == 1
    assert paths(receiver) == [START, FAIL, FAIL]


def test_an_answer_that_is_lost_is_asked_for_again(pinged: Monitor, receiver: Receiver) -> None:
    receiver.lose_answer = True
    assert pinged.check().exit_code == 0
    assert paths(receiver) == [START] * 3 + [SUCCESS] * 3


def test_a_redirect_is_not_followed(pinged: Monitor, receiver: Receiver) -> None:
    """The address is a credential: whoever is redirected to would learn it."""
    with Receiver() as other:
        receiver.redirect_to = f"{other.url}/{UUID}"
        assert pinged.check().exit_code == 0
        assert other.requests == []
    assert paths(receiver) == [START, SUCCESS]


def spoil_authority(monitor: Monitor, directory: Path) -> None:
    """Let mailmon be unable to tell: the file of its authority makes no sense."""
    (directory / "spoilt.pem").write_text("no certificate")
    monitor.config["accounts"]["main"]["smtp"]["ca_file"] = str(directory / "spoilt.pem")


@pytest.mark.parametrize(("form", "refused", "unknown"), [("fail", "fail", "fail"), ("exit_code", "1", "75")])
def test_a_failure_is_told_by_its_word_or_by_the_exit_code(
    pinged: Monitor, sandbox: Sandbox, receiver: Receiver, tmp_path: Path, form: str, refused: str, unknown: str
) -> None:
    pinged.config["ping"]["failure"] = form
    assert pinged.check().exit_code == 0
    sandbox.faults.refuse_login = {"smtp"}
    assert pinged.check().exit_code == 1
    sandbox.faults.refuse_login = set()
    spoil_authority(pinged, tmp_path)
    assert pinged.check().exit_code == 75
    ends = [path.removeprefix(f"/{UUID}") for path in paths(receiver)[1::2]]
    assert ends == ["", f"/{refused}", f"/{unknown}"]
    assert set(paths(receiver)[::2]) == {START}


def test_that_nobody_can_be_told_is_a_failure_with_its_exit_code(
    pinged: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    with Receiver() as closed:
        closed.status = 403
        pinged.config["notify"] = {"ntfy": {"server": closed.url, "topic": TOPIC}}
        pinged.config["ping"]["failure"] = "exit_code"
        sandbox.faults.refuse_login = {"smtp"}
        assert pinged.check().exit_code == 69
    assert paths(receiver) == [START, f"/{UUID}/69"]
    assert body(receiver)[0].startswith("exit code 69: failed, ")


def test_the_body_tells_how_the_run_ended_and_what_each_step_said(
    pinged: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    run = pinged.check()
    assert receiver.requests[0].body == b""
    assert receiver.requests[1].headers["Content-Type"] == "text/plain; charset=utf-8"
    head, *steps = body(receiver)
    assert re.fullmatch(r"exit code 0: ok, \d+\.\d s", head)
    assert steps == [f"{step['id']}: {step['status']}: {step['message']}" for step in run.document["steps"]]
    sandbox.faults.refuse_login = {"smtp"}
    pinged.check()
    head, *steps = body(receiver)
    assert re.fullmatch(r"exit code 1: failed, \d+\.\d s", head)
    assert steps[1].startswith(f"smtp_auth:main: failed: 127.0.0.1:{sandbox.smtp_port}: login: 535 5.7.8 ")
    assert steps[2] == "send:main: skipped: skipped, because smtp_auth:main did not succeed"


def test_a_body_of_many_steps_has_a_bounded_size(pinged: Monitor, sandbox: Sandbox, receiver: Receiver) -> None:
    """Healthchecks keeps so many bytes; of more, the beginning counts."""
    sandbox.faults.rcpt_reply = f"550 5.1.1 {'no such user ' * 30}"
    pinged.config["routes"] = {f"route{n}": route_to() for n in range(40)}
    assert pinged.check().exit_code == 1
    told = receiver.requests[-1].body
    assert len(told) == MAX_BODY_BYTES
    assert told.startswith(b"exit code 1: failed, ")
    assert told.decode().endswith("…")


@pytest.mark.parametrize("arguments", [("main",), ("second",), ("out",), ("--dry-run",), ("out", "--dry-run")])
@pytest.mark.parametrize("is_broken", [False, True])
def test_a_run_for_a_part_and_a_dry_run_ping_nothing(
    sandbox: Sandbox, receiver: Receiver, tmp_path: Path, arguments: tuple[str, ...], is_broken: bool
) -> None:
    """One that asks for a part must neither end an alarm of the whole nor begin one."""
    config: dict[str, Any] = {**two_of_each(sandbox, None), "ping": {"url": f"{receiver.url}/{UUID}"}}
    sandbox.faults.refuse_login = {"imap"} if is_broken else set()
    assert Monitor(tmp_path, config).check(*arguments).exit_code == int(is_broken)
    assert receiver.requests == []


def test_an_address_with_a_query_keeps_it_behind_the_signal(
    pinged: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    """A check of Healthchecks that is addressed by its name is made at its first ping by `?create=1`."""
    pinged.config["ping"]["url"] = f"{receiver.url}/{UUID}/mail?create=1"
    sandbox.faults.refuse_login = {"smtp"}
    assert pinged.check().exit_code == 1
    assert paths(receiver) == [f"/{UUID}/mail/start?create=1", f"/{UUID}/mail/fail?create=1"]
