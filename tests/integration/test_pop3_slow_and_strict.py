"""A maildrop on a server that is slow, full of other people's mail, or strict about how often somebody logs in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mailmon.sandbox import Sandbox
from tests.embedded import MAIN, account_of
from tests.monitor import Monitor, Run
from tests.peers.maildrop import Maildrop, Manners, somebody_logs_in

FOREIGN = "From: a@example.org\r\nTo: monitor@example.org\r\nSubject: invoice {}\r\nDate: x\r\n\r\nhello\r\n"


@pytest.fixture
def maildrop(sandbox: Sandbox) -> Iterator[Maildrop]:
    with Maildrop(sandbox.store.mailbox(MAIN)) as running:
        yield running


@pytest.fixture
def monitor(sandbox: Sandbox, maildrop: Maildrop, tmp_path: Path) -> Monitor:
    """A monitor whose account has SMTP at the sandbox, and POP3 only."""
    account = {**account_of(sandbox), "pop3": maildrop.service()}
    del account["imap"]
    route = {"from": "main", "to": MAIN, "in": "main", "receive_timeout_s": 10}
    checks = {"defaults": {"failure_threshold": 1}}
    return Monitor(
        tmp_path, {"accounts": {"main": account}, "routes": {"main": route}, "checks": checks, "notify": "none"}
    )


def fill(maildrop: Maildrop, count: int) -> None:
    for number in range(count):
        maildrop.mailbox.append(FOREIGN.format(number).encode())


def route_of(monitor: Monitor) -> dict[str, Any]:
    route: dict[str, Any] = monitor.config["routes"]["main"]
    return route


def said(run: Run, step: str) -> list[str]:
    return [finding["id"] for finding in run.step(step)["findings"]]


def subjects(maildrop: Maildrop) -> list[bytes]:
    lines = [line for one in maildrop.mailbox.messages for line in one.raw.split(b"\r\n")]
    return [line for line in lines if line.startswith(b"Subject:")]


def test_sixty_foreign_mails_on_a_slow_server_do_not_use_up_the_run(monitor: Monitor, maildrop: Maildrop) -> None:
    fill(maildrop, 60)
    maildrop.manners.delays_s = {"TOP": 3.0}
    run = monitor.check()
    assert (run.exit_code, run.troubled) == (0, []), run.stdout
    assert run.took_s < 35
    assert run.step("cleanup:main")["message"] == "OK (removed 1)"
    finding = run.step("pop3_auth:main")["findings"][0]
    assert (finding["id"], finding["severity"]) == ("pop3.not_looked_at", "info")
    assert "of 60 messages were not looked at: a look ends after 5.0 s" in finding["message"]
    assert len(subjects(maildrop)) == 60


def test_the_newest_are_read_first_and_none_twice_but_the_last(monitor: Monitor, maildrop: Maildrop) -> None:
    fill(maildrop, 60)
    monitor.check()
    read = [int(line.split()[1]) for line in maildrop.sent("TOP")]
    assert read[:50] == list(range(60, 10, -1))
    # The probe, and the probe once more before it is deleted.
    assert read[50:] == [61, 61]


def test_the_probe_is_found_before_the_mail_that_lay_there(monitor: Monitor, maildrop: Maildrop) -> None:
    """The sweep is over when its time is, and the wait looks at what is new alone."""
    fill(maildrop, 20)
    maildrop.manners.delays_s = {"TOP": 2.5}
    run = monitor.check()
    metrics = run.step("receive:main")["metrics"]
    assert metrics["delivery_s"] < 6, metrics
    assert run.step("receive:main")["status"] == "ok"


def test_mail_that_comes_in_beside_the_probe_does_not_hide_it(
    monitor: Monitor, maildrop: Maildrop, sandbox: Sandbox
) -> None:
    """Each look has its budget: what it did not get to is read by the next one."""
    sandbox.faults.delivery_delay_s = 0.5
    maildrop.manners.delays_s = {"TOP": 2.0}
    came: list[str] = []

    def pour(line: str) -> None:
        if sandbox.accepted and maildrop.mailbox.messages and not came:
            came.append(line)
            fill(maildrop, 4)

    maildrop.manners.on_command = pour
    route_of(monitor)["receive_timeout_s"] = 25
    run = monitor.check()
    assert came
    assert run.step("receive:main")["status"] == "ok", run.stdout
    assert len(subjects(maildrop)) == 4


def test_what_could_not_be_looked_through_is_unknown_and_not_called_lost(
    monitor: Monitor, maildrop: Maildrop, sandbox: Sandbox
) -> None:
    sandbox.faults.lose_mail = True
    maildrop.manners.delays_s = {"TOP": 4.0}
    route_of(monitor)["receive_timeout_s"] = 1
    poured: list[str] = []

    def pour(line: str) -> None:
        if sandbox.accepted and not poured:
            poured.append(line)
            fill(maildrop, 12)

    maildrop.manners.on_command = pour
    step = monitor.check().step("receive:main")
    assert step["status"] == "unknown"
    assert step["findings"][0]["id"] == "route.not_looked_at"
    assert "of 12 messages were not looked at" in step["message"]


def test_a_message_that_the_server_cannot_read_hides_no_other(monitor: Monitor, maildrop: Maildrop) -> None:
    fill(maildrop, 3)
    maildrop.manners.refused = {2}
    run = monitor.check()
    assert (run.exit_code, run.troubled) == (0, []), run.stdout
    assert "1 of 3 messages were not looked at" in run.step("pop3_auth:main")["findings"][0]["message"]
    assert "cannot read this message" in run.step("pop3_auth:main")["findings"][0]["message"]


def test_a_message_whose_reading_hangs_hides_no_other(monitor: Monitor, maildrop: Maildrop) -> None:
    fill(maildrop, 1)
    monitor.config["accounts"]["main"]["pop3"]["timeout_s"] = 1
    hung: list[str] = []

    def hang(line: str) -> None:
        if line == "TOP 1 0" and not hung:
            hung.append(line)
            time.sleep(3)

    maildrop.manners.on_command = hang
    run = monitor.check()
    assert (run.exit_code, hung) == (0, ["TOP 1 0"]), run.stdout
    assert said(run, "pop3_auth:main") == ["pop3.not_looked_at"]


def test_without_top_a_large_message_is_not_read_as_a_whole(monitor: Monitor, maildrop: Maildrop) -> None:
    fill(maildrop, 1)
    maildrop.mailbox.append(FOREIGN.format("large").encode() + b"x" * 70 + b"\r\n" + b"y" * 3_000_000)
    maildrop.manners.has_top = False
    run = monitor.check()
    assert (run.exit_code, run.troubled) == (0, []), run.stdout
    assert maildrop.sent("RETR")[:1] == ["RETR 1"]
    assert "a message of 3000" in run.step("pop3_auth:main")["findings"][0]["message"]


def test_of_a_header_without_end_only_the_beginning_is_kept(monitor: Monitor, maildrop: Maildrop) -> None:
    maildrop.mailbox.append(b"X-Long: " + b"x" * 3_000_000 + b"\r\nSubject: long\r\n\r\n")
    run = monitor.check()
    assert (run.exit_code, run.troubled) == (0, []), run.stdout


def test_two_programs_that_share_a_unique_id_hide_no_probe(monitor: Monitor, maildrop: Maildrop) -> None:
    """Some servers give a message's place for its unique-id: the last one is another message now."""
    fill(maildrop, 3)
    maildrop.manners.unique_id = lambda number, _message: str(number)

    def take_one_away(line: str) -> None:
        foreign = [one.uid for one in maildrop.mailbox.messages if b"invoice 0" in one.raw]
        if line.startswith("QUIT") and foreign:
            maildrop.mailbox.expunge(foreign)

    maildrop.manners.on_command = take_one_away
    run = monitor.check()
    assert run.step("receive:main")["status"] == "ok", run.stdout


# LOGIN-DELAY


@pytest.fixture
def strict(maildrop: Maildrop) -> Callable[[float, str | None, str | None], None]:
    def make(seconds: float, before: str | None, after: str | None) -> None:
        maildrop.manners = Manners(login_delay_s=seconds, announced=(before, after))

    return make


@pytest.mark.parametrize(("before", "after"), [("6", "6"), ("900 USER", "6"), ("6 USER", None), (None, "6")])
def test_a_server_that_wants_a_pause_between_logins_gets_it(
    monitor: Monitor,
    maildrop: Maildrop,
    strict: Callable[[float, str | None, str | None], None],
    before: str | None,
    after: str | None,
) -> None:
    """Delivered at once, and told as not received: the look came before the server let anybody in."""
    strict(6, before, after)
    route_of(monitor).update(receive_timeout_s=3, warning_delivery_s=2)
    run = monitor.check()
    assert (run.exit_code, run.troubled) == (0, []), run.stdout
    assert maildrop.refusals == 0
    assert len(maildrop.sent("PASS")) == 2
    assert run.step("cleanup:main")["message"] == "OK (removed 1)"
    metrics = run.step("receive:main")["metrics"]
    assert metrics["delivery_s"] > 5
    assert metrics["delivery_s"] - metrics["delivery_error_s"] < 0.5
    assert maildrop.mailbox.messages == []


def test_a_probe_that_never_comes_is_not_received_after_the_look_that_was_let_in(
    monitor: Monitor, maildrop: Maildrop, sandbox: Sandbox, strict: Callable[[float, str | None, str | None], None]
) -> None:
    strict(5, "5", "5")
    sandbox.faults.lose_mail = True
    route_of(monitor)["receive_timeout_s"] = 2
    run = monitor.check()
    assert said(run, "receive:main") == ["route.not_received"]
    assert "not received within 2 s" in run.step("receive:main")["message"]
    assert maildrop.refusals == 0


def test_somebody_else_who_just_logged_in_is_waited_for_once(
    monitor: Monitor, maildrop: Maildrop, strict: Callable[[float, str | None, str | None], None]
) -> None:
    strict(4, "4", "4")
    somebody_logs_in(maildrop.port)
    run = monitor.check()
    assert (run.exit_code, run.troubled) == (0, []), run.stdout
    assert maildrop.refusals == 1


def test_somebody_else_who_logs_in_again_and_again_is_no_failure(
    monitor: Monitor, maildrop: Maildrop, strict: Callable[[float, str | None, str | None], None]
) -> None:
    strict(3, "3", "3")
    over = threading.Event()

    def poll() -> None:
        while not over.wait(0.3):
            maildrop.last_login_s = time.monotonic()

    maildrop.last_login_s = time.monotonic()
    other = threading.Thread(target=poll)
    other.start()
    try:
        run = monitor.check()
    finally:
        over.set()
        other.join()
    step = run.step("pop3_auth:main")
    assert (run.exit_code, step["status"]) == (75, "unknown"), run.stdout
    assert said(run, "pop3_auth:main") == ["pop3.login_delay"]
    assert "[LOGIN-DELAY]" in step["message"]


def test_a_login_of_somebody_else_during_the_wait_is_waited_for_too(
    monitor: Monitor, maildrop: Maildrop, strict: Callable[[float, str | None, str | None], None]
) -> None:
    strict(4, "4", "4")
    route_of(monitor)["receive_timeout_s"] = 2
    seen: list[str] = []

    def intrude(line: str) -> None:
        if line == "QUIT" and not seen:
            seen.append(line)
            threading.Timer(3, lambda: setattr(maildrop, "last_login_s", time.monotonic())).start()

    maildrop.manners.on_command = intrude
    run = monitor.check()
    assert (run.exit_code, run.troubled) == (0, []), run.stdout
    assert maildrop.refusals == 1


def test_a_pause_longer_than_the_run_is_told_with_what_to_do(
    monitor: Monitor, maildrop: Maildrop, strict: Callable[[float, str | None, str | None], None]
) -> None:
    strict(900, "900", "900")
    route_of(monitor)["receive_timeout_s"] = 1
    run = monitor.check()
    step = run.step("receive:main")
    assert (step["status"], step["findings"][0]["id"]) == ("unknown", "route.not_looked_at"), run.stdout
    assert "deadline_s" in step["advice"]
    assert run.took_s < 15
    assert run.step("cleanup:main")["status"] == "ok"


def test_leftovers_are_deleted_in_the_session_that_found_them(
    monitor: Monitor, maildrop: Maildrop, strict: Callable[[float, str | None, str | None], None]
) -> None:
    """Otherwise they would stay for ever where the next login has to wait longer than a run."""
    strict(900, "900", "900")
    route_of(monitor)["receive_timeout_s"] = 1
    monitor.check()
    assert len(maildrop.mailbox.messages) == 1
    maildrop.last_login_s = float("-inf")
    run = monitor.check()
    assert run.step("cleanup:main")["message"] == "OK (removed 1)", run.stdout
