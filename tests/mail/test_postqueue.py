"""Mail queues, whatever the list holds, in little memory."""

from __future__ import annotations

import itertools
import json
import time
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailmon.checks.queue import QueueLimits, judge
from mailmon.mail.postqueue import MAX_REASON, MailQueue, common_reason, read_queue
from mailmon.model import Severity
from tests.full import size

NOW_S = 1_780_000_000
REFUSED = (
    "host mx1.example.net[192.0.2.7]:25 said: 450 4.7.1 <jo@example.net>: greylisted, id 8C7D6E (in reply to RCPT TO)"
)


def line(name: str = "deferred", reason: str = REFUSED, age_s: int = 60, address: str = "jo@example.net") -> bytes:
    recipients = [{"address": address, **({"delay_reason": reason} if reason else {})}]
    message = {
        "queue_name": name, "queue_id": "4F2A11", "arrival_time": NOW_S - age_s, "message_size": 1000,
        "sender": "me@example.org", "recipients": recipients,
    }  # fmt: skip
    return json.dumps(message).encode()


def test_a_queue_is_counted_and_its_reasons_are_put_together() -> None:
    reasons = [
        REFUSED,
        REFUSED.replace("jo@", "al@").replace("8C7D6E", "9D8E7F"),
        "connect to a[192.0.2.1]:25: timed out",
    ]
    queue = read_queue(
        [*(line(reason=reason) for reason in reasons), line("active", "", 9000), line("hold", "", 10**6)]
    )
    assert queue.counts == {"deferred": 3, "active": 1, "hold": 1}
    assert queue.size_bytes == 5000
    assert queue.oldest_at_s == {"deferred": NOW_S - 60, "active": NOW_S - 9000, "hold": NOW_S - 10**6}
    assert queue.reasons == (
        ("host mx1.example.net said: 450 4.7.1 <…>: greylisted, id … (in reply to RCPT TO)", 2),
        ("connect to a: timed out", 1),
    )
    assert queue.domains == (("example.net", 3),)


def test_nobodys_address_is_told() -> None:
    reason = "lost; bob.smith@example.com and <a@b.example> unknown, Robert-M has no mailbox"
    queue = read_queue([line(reason=reason, address="robert-m@example.com")])
    said = " ".join(finding.message for finding in judge(queue, QueueLimits(deferred=0), "postfix", NOW_S))
    assert "1 times lost; <…> and <…> unknown, ***-M has no mailbox; for example.com (1)" in said


@pytest.mark.parametrize(
    ("queue", "limits", "told"),
    [
        (MailQueue({}), QueueLimits(), []),
        (MailQueue({"deferred": 50}), QueueLimits(), []),
        (MailQueue({"deferred": 51}), QueueLimits(), [("queue.deferred", "warning")]),
        (MailQueue({"deferred": 51}), QueueLimits(critical_deferred=50), [("queue.deferred", "error")]),
        (MailQueue({"deferred": 51}), QueueLimits(deferred=None), []),
        (MailQueue({"active": 1001}), QueueLimits(), [("queue.active", "warning")]),
        (MailQueue({"hold": 9}), QueueLimits(), []),
        (MailQueue({"hold": 9}), QueueLimits(hold=0), [("queue.hold", "warning")]),
        (MailQueue({}, unread=2), QueueLimits(), [("queue.not_readable", "notice")]),
        (MailQueue({}, oldest_at_s={"active": NOW_S - 14401}), QueueLimits(), [("queue.old", "warning")]),
        (MailQueue({}, oldest_at_s={"deferred": NOW_S - 14399}), QueueLimits(), []),
        (MailQueue({}, oldest_at_s={"hold": 1}), QueueLimits(), []),
        (MailQueue({}, oldest_at_s={"deferred": NOW_S + 99}), QueueLimits(age_s=0), []),
        (MailQueue({}, oldest_at_s={"deferred": 1}), QueueLimits(age_s=None), []),
        (MailQueue({}, oldest_at_s={"maildrop": NOW_S - 901}), QueueLimits(), [("queue.stuck", "warning")]),
        (MailQueue({}, oldest_at_s={"incoming": NOW_S - 899}), QueueLimits(), []),
        (MailQueue({}, oldest_at_s={"incoming": NOW_S - 901}), QueueLimits(arriving_s=None), []),
    ],
)
def test_only_what_is_too_much_is_told(queue: MailQueue, limits: QueueLimits, told: list[tuple[str, str]]) -> None:
    found = [(one.id, (one.severity or Severity.ERROR).value) for one in judge(queue, limits, "postfix", NOW_S)]
    assert found == told


@given(st.lists(st.binary(max_size=200) | st.builds(line, st.text(max_size=9), st.text(max_size=400), st.integers())))
def test_whatever_stands_in_a_list_is_read(lines: list[bytes]) -> None:
    queue = read_queue(lines)
    assert queue.total + queue.unread <= len(lines)
    for reason, _ in queue.reasons:
        assert reason.isprintable()


@pytest.mark.parametrize(
    "raw", [b"[1]", b"{}", b'{"queue_name": 3}', b"\xff\xfe", b"[" * 100_000, b'{"queue_name":"x', b"queue is empty"]
)
def test_a_line_that_makes_no_sense_is_counted(raw: bytes) -> None:
    assert read_queue([raw, line()]).unread == 1


@pytest.mark.parametrize("value", [None, "x", -5, True, 1e300, 10**30, [], {}])
def test_a_field_of_another_kind_is_no_figure(value: object) -> None:
    message = {"queue_name": "deferred", "arrival_time": value, "message_size": value, "recipients": value}
    queue = read_queue([json.dumps(message).encode()])
    assert (queue.total, queue.size_bytes, queue.oldest_at_s, queue.reasons) == (1, 0, {}, ())


def test_bytes_that_are_no_utf8_spoil_no_line() -> None:
    queue = read_queue([line(reason="550 sch?n").replace(b"?", b"\xf6")])
    assert (queue.unread, queue.reasons) == (0, (("550 sch\N{REPLACEMENT CHARACTER}n", 1),))


def test_a_line_that_was_cut_is_a_message_all_the_same() -> None:
    whole = line()
    queue = read_queue([whole[: len(whole) - 50]])
    assert (queue.counts, queue.size_bytes, queue.unread) == ({"deferred": 1}, 1000, 0)


def test_a_domain_is_shown_without_what_a_terminal_would_obey() -> None:
    assert read_queue([line(address="a@\x1b[31m\ud800.example")]).domains == (("\\x1b[31m\\ud800.example", 1),)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("450 4.2.0 Greylisted, try again in 297 seconds", "450 4.2.0 Greylisted, try again in 3 seconds"),
        ("421 4.7.0 d9443c01a7336-1dd5dcd7b5csi123456plb.12 - gsmtp", "421 4.7.0 42-20020a0565123c5si98lja.4 - gsmtp"),
        (
            "451 busy [BN8 2026-11-27T10:11:12.123Z 08DC1234ABCD]",
            "451 busy [BN8 2026-01-02T00:00:59.001Z 08DCFFF1ABCD]",
        ),
        ("connect to a.example[2001:db8::1]:25: timed out", "connect to a.example[192.0.2.1]:25: timed out"),
    ],
)
def test_what_differs_from_message_to_message_makes_no_other_reason(one: str, other: str) -> None:
    assert common_reason(one) == common_reason(other)


def test_what_a_server_says_of_its_reason_is_kept() -> None:
    for said in (
        "host mx1.example.net said: 452-4.2.2 over quota",
        "550 5.7.26 unauthenticated, SMTPUTF8 and 8BITMIME",
    ):
        assert common_reason(said) == said


@given(st.text(max_size=2000))
def test_any_reason_is_shortened(text: str) -> None:
    assert len(common_reason(text)) <= MAX_REASON + len("…")


def test_a_large_queue_takes_little_memory() -> None:
    def many() -> Iterator[bytes]:
        for number in range(100_000):
            yield line(reason=f"reason {number} of host h{number}.example", address=f"a@d{number}.example")

    messages, traced = size(20_000, 100_000), size(5_000, 20_000)
    begun_s = time.process_time()
    assert read_queue(itertools.islice(many(), messages)).total == messages
    # Some 2 s for 100,000; what is not linear takes minutes.
    assert time.process_time() - begun_s < 20 * messages / 100_000
    tracemalloc.start()
    queue = read_queue(itertools.islice(many(), traced))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert queue.count("deferred") == traced
    assert peak_bytes < 2_000_000
