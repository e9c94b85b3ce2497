"""Mail that arrives, but not as soon as it should: a warning above one limit, a failure above another."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.embedded import MAIN, TOPIC, config_of, findings_of, kinds, route_to
from tests.monitor import Monitor, Run

LIMIT_S = 0.7
# Longer than the limit also where it is counted from the acknowledgement, shorter than the patience.
SLOW_S, TOO_SLOW_S, TIMEOUT_S = 1.0, 2.6, 5
WARNING, CRITICAL = {"warning_delivery_s": LIMIT_S}, {"critical_delivery_s": LIMIT_S}


@pytest.fixture
def patient(sandbox: Sandbox, receiver: Receiver, tmp_path: Path) -> Monitor:
    """A monitor that waits longer than any delivery takes, with the thresholds that are built in."""
    config: dict[str, Any] = config_of(sandbox, receiver)
    config["checks"] = {"receive": {"timeout_s": TIMEOUT_S}}
    config["routes"] = {"main": route()}
    return Monitor(tmp_path, config)


def route(address: str = MAIN, **limits: float) -> dict[str, Any]:
    """Return a route with limits of its own."""
    return {**route_to(address), "receive_timeout_s": TIMEOUT_S, **limits}


def set_limits(monitor: Monitor, level: str, **limits: float) -> None:
    """Set limits for all routes, or for the one that there is."""
    table = monitor.config["checks"]["receive"] if level == "checks" else monitor.config["routes"]["main"]
    table |= limits


def changes_of(run: Run) -> list[tuple[str, str, str]]:
    """Return what has changed in a run: the step, and its health before and after."""
    return [(change["id"], change["from"], change["to"]) for change in run.document["changes"]]


@pytest.mark.parametrize("level", ["checks", "route"])
def test_a_slow_delivery_is_a_warning(patient: Monitor, sandbox: Sandbox, receiver: Receiver, level: str) -> None:
    set_limits(patient, level, **WARNING)
    assert patient.check().document["status"] == "ok"
    sandbox.faults.delivery_delay_s = SLOW_S
    run = patient.check()
    step = run.step("receive:main")
    assert (run.exit_code, run.document["status"], run.troubled) == (0, "warning", ["receive:main"])
    assert changes_of(run) == [("receive:main", "up", "degraded")]
    [finding] = step["findings"]
    assert (finding["id"], finding["severity"], finding["expected"]) == ("route.slow", "warning", "<= 0.7 s")
    assert step["metrics"]["delivery_s"] == pytest.approx(SLOW_S, abs=0.3)
    # On a busy machine the bound of the error is told too.
    took = f"Email delivered in {step['metrics']['delivery_s']:.1f}s"
    assert re.search(rf"{re.escape(took)}( \(at least [\d.]+s\))?, more than 0\.7 s$", step["message"])
    assert patient.check().document["alerts"] == []
    assert kinds(receiver) == ["warning"]
    sandbox.faults.delivery_delay_s = 0.0
    assert changes_of(patient.check()) == [("receive:main", "degraded", "up")]
    assert kinds(receiver) == ["warning", "recovery"]
    assert "Receive Test recovered after " in str(receiver.ntfy_messages()[1]["title"])


@pytest.mark.parametrize("level", ["checks", "route"])
def test_a_delivery_that_is_too_slow_is_a_failure_after_its_threshold(
    patient: Monitor, sandbox: Sandbox, receiver: Receiver, level: str
) -> None:
    """Built in are two runs in a row."""
    set_limits(patient, level, **CRITICAL)
    patient.check()
    sandbox.faults.delivery_delay_s = SLOW_S
    first = patient.check()
    assert (first.exit_code, first.troubled, findings_of(first)) == (1, ["receive:main"], ["route.too_slow"])
    assert (changes_of(first), receiver.requests) == ([], [])
    second = patient.check()
    assert (second.exit_code, changes_of(second)) == (1, [("receive:main", "up", "down")])
    [finding] = second.step("receive:main")["findings"]
    assert (finding["severity"], finding["expected"]) == ("critical", "<= 0.7 s")
    assert kinds(receiver) == ["problem"]
    assert "Receive Test failing since " in str(receiver.ntfy_messages()[0]["title"])
    sandbox.faults.delivery_delay_s = 0.0
    patient.check()
    assert kinds(receiver) == ["problem", "recovery"]


def test_one_delivery_that_is_too_slow_is_told_at_once_where_that_is_wanted(
    patient: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    patient.config["checks"]["receive"] |= {"failure_threshold": 1, **CRITICAL}
    sandbox.faults.delivery_delay_s = SLOW_S
    assert changes_of(patient.check()) == [("receive:main", "new", "down")]
    assert kinds(receiver) == ["problem"]


def test_a_single_delivery_that_is_too_slow_wakes_nobody(
    patient: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    set_limits(patient, "checks", **CRITICAL)
    for delay_s in (0.0, SLOW_S, 0.0, SLOW_S):
        sandbox.faults.delivery_delay_s = delay_s
        assert patient.check().exit_code == bool(delay_s)
    assert receiver.requests == []


def test_a_route_says_more_than_what_is_said_for_all(patient: Monitor, sandbox: Sandbox, receiver: Receiver) -> None:
    patient.config["checks"]["receive"] |= {**WARNING, "failure_threshold": 1}
    patient.config["routes"] = {
        "as_all": route(),
        "calm": route("monitor+calm@example.org", warning_delivery_s=4.0),
        "strict": route("monitor+strict@example.org", warning_delivery_s=0.2, critical_delivery_s=0.4),
    }
    sandbox.faults.delivery_delay_s = SLOW_S
    run = patient.check()
    assert run.exit_code == 1
    statuses = {name: run.step(f"receive:{name}")["status"] for name in ("as_all", "calm", "strict")}
    assert statuses == {"as_all": "warning", "calm": "ok", "strict": "failed"}
    assert findings_of(run) == ["route.slow", "route.too_slow"]
    assert run.step("receive:strict")["findings"][0]["expected"] == "<= 0.4 s"
    [message] = receiver.ntfy_messages()
    assert kinds(receiver) == ["problem"]
    text = str(message["message"])
    assert text.index("Receive Test (strict): ") < text.index("Receive Test (as_all): ")
    assert "calm" not in text


@pytest.mark.slow
def test_a_delivery_that_becomes_too_slow_and_then_only_slow_is_told_as_one_story(
    patient: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    set_limits(patient, "checks", warning_delivery_s=LIMIT_S, critical_delivery_s=2.2)
    told = []
    for delay_s in (SLOW_S, TOO_SLOW_S, TOO_SLOW_S, SLOW_S, 0.0):
        sandbox.faults.delivery_delay_s = delay_s
        told.append([(before, after) for _, before, after in changes_of(patient.check())])
    assert told == [[("new", "degraded")], [], [("degraded", "down")], [("down", "degraded")], [("degraded", "up")]]
    assert kinds(receiver) == ["warning", "problem", "warning", "recovery"]
    assert "recovered with a warning" in str(receiver.ntfy_messages()[2]["title"])


def test_without_limits_only_the_patience_counts(patient: Monitor, sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.faults.delivery_delay_s = SLOW_S
    run = patient.check()
    assert (run.exit_code, run.troubled, findings_of(run)) == (0, [], [])
    assert run.step("receive:main")["metrics"]["delivery_s"] > LIMIT_S
    assert receiver.requests == []


def test_a_slow_delivery_goes_to_the_channels_of_its_severity(
    patient: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    patient.config["notify"]["chat"] = {"type": "discord", "webhook": f"{receiver.url}/hook"}
    limits = {"warning_delivery_s": LIMIT_S, "critical_delivery_s": 2.2, "failure_threshold": 1}
    patient.config["checks"]["receive"] |= {**limits, "channels": {"warning": ["chat"], "critical": ["ntfy"]}}
    sandbox.faults.delivery_delay_s = SLOW_S
    patient.check()
    assert [request.path for request in receiver.requests] == ["/hook?wait=true"]
    sandbox.faults.delivery_delay_s = TOO_SLOW_S
    patient.check()
    # Who heard of a trouble hears how it goes on.
    assert sorted(request.path for request in receiver.requests[1:]) == ["/", "/hook?wait=true"]


def test_limits_have_short_names_in_the_flat_form_and_are_told_at_once(
    sandbox: Sandbox, receiver: Receiver, tmp_path: Path
) -> None:
    flat: dict[str, Any] = {"username": MAIN, "password": sandbox.users[MAIN], "receive_timeout": TIMEOUT_S}
    flat |= {"smtp_host": "127.0.0.1", "smtp_port": sandbox.smtp_port}
    flat |= {"imap_host": "127.0.0.1", "imap_port": sandbox.imaps_port}
    flat |= {"ntfy_server": receiver.url, "ntfy_topic": TOPIC}
    monitor = Monitor(tmp_path, {**flat, **CRITICAL}, {"SSL_CERT_FILE": str(sandbox.ca_file)})
    sandbox.faults.delivery_delay_s = SLOW_S
    run = monitor.check()
    assert (run.exit_code, findings_of(run)) == (1, ["route.too_slow"]), run.stderr
    assert kinds(receiver) == ["problem"]
