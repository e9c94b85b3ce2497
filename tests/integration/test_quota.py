"""A warning before a mailbox is full."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailmon.mail.imapdata import Quota, read_quota
from mailmon.sandbox import Sandbox
from tests.embedded import findings_of
from tests.monitor import Monitor


@pytest.mark.parametrize(
    ("quota", "limit", "told", "percent"),
    [
        (None, 90, [], None),
        ((100, 1000), 90, [], 10.0),
        ((899, 1000), 90, [], 89.9),
        ((900, 1000), 90, ["imap.quota_high"], 90.0),
        ((1200, 1000), 90, ["imap.quota_high"], 120.0),
        ((500, 1000), 50, ["imap.quota_high"], 50.0),
        ((5, 0), 90, [], None),
    ],
)
def test_a_mailbox_that_is_nearly_full_is_a_warning_and_mail_goes_on(
    monitor: Monitor,
    sandbox: Sandbox,
    quota: tuple[int, int] | None,
    limit: float,
    told: list[str],
    percent: float | None,
) -> None:
    sandbox.faults.quota = quota
    monitor.config["checks"]["imap_auth"] = {"quota_percent": limit}
    run = monitor.check()
    assert (run.exit_code, findings_of(run)) == (0, told), run.stdout
    assert run.step("imap_auth:main")["metrics"].get("quota_percent") == percent
    assert run.step("receive:main")["status"] == "ok"


def test_a_probe_that_a_full_mailbox_did_not_take_is_no_riddle(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.quota, sandbox.faults.lose_mail = (2000, 1000), True
    monitor.config["routes"]["main"]["receive_timeout_s"] = 1
    assert "uses 200 % of its quota" in monitor.check().step("receive:main")["advice"]


@pytest.mark.parametrize(
    ("answers", "quota"),
    [
        ([], None),
        ([b'"" ()'], None),
        ([b'"a (1 2) b" (STORAGE 1 2)'], Quota("STORAGE", 1, 2)),
        ([b"user (STORAGE 10 100 MESSAGE 60 100)", b"group (STORAGE 30 100)"], Quota("MESSAGE", 60, 100)),
        ([b"user (STORAGE x y)", b"user (STORAGE 1"], None),
    ],
)
def test_the_tightest_quota_counts(answers: list[bytes], quota: Quota | None) -> None:
    assert read_quota(answers) == quota


@given(st.lists(st.binary(max_size=80)))
def test_any_answer_is_read(answers: list[bytes]) -> None:
    read_quota(answers)
