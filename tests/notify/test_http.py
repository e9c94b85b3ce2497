"""HTTP answers to an alert: taken, refused permanently, or to be retried, and when."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from mailmon.clients.http import Request, post
from mailmon.errors import DeliveryError
from mailmon.sandbox.receiver import Receiver
from mailmon.text import Masker


def answer(receiver: Receiver, timeout_s: float = 5.0) -> DeliveryError | int:
    request = Request("the receiver", receiver.url, b"{}", {"Content-Type": "application/json"}, Masker(["sentinel"]))
    try:
        return post(request, timeout_s)
    except DeliveryError as exc:
        return exc


def refusal(receiver: Receiver) -> DeliveryError:
    error = answer(receiver)
    assert isinstance(error, DeliveryError)
    return error


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_2xx_is_an_acknowledgement(receiver: Receiver, status: int) -> None:
    receiver.status, receiver.body = status, b""
    assert answer(receiver) == status


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 301, 307])
def test_some_refusals_are_permanent(receiver: Receiver, status: int) -> None:
    receiver.status = status
    assert refusal(receiver).is_permanent


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 507])
def test_other_refusals_may_pass(receiver: Receiver, status: int) -> None:
    receiver.status = status
    error = refusal(receiver)
    assert not error.is_permanent
    assert f"answered {status}" in error.message


def date(seconds: float, now: datetime | None = None) -> str:
    return format_datetime((now or datetime.now(UTC)) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("17", 17),
        (" 17 ", 17),
        ("1.5", 1.5),
        ("86400", 86400),
        ("999999", 86400),
        ("-1", None),
        ("1_0", None),
        ("1e9", None),
        ("nan", None),
        ("inf", None),
        ("0x10", None),
        ("9" * 400, None),
        ("soon", None),
        ("Fri, 99 Foo 2026 25:61:61 GMT", None),
        ("Mon, 01 Jan 99999 00:00:00 GMT", None),
    ],
)
def test_retry_after_in_seconds_is_bounded_and_nonsense_counts_as_none(
    receiver: Receiver, value: str, seconds: float | None
) -> None:
    receiver.status, receiver.headers = 503, {"Retry-After": value}
    assert refusal(receiver).retry_after_s == seconds


@pytest.mark.parametrize(("ahead_s", "expected_s"), [(120, 120), (-3600, 0), (10 * 86400, 86400)])
def test_retry_after_may_be_a_date(receiver: Receiver, ahead_s: float, expected_s: float) -> None:
    receiver.status, receiver.headers = 429, {"Retry-After": date(ahead_s)}
    told_s = refusal(receiver).retry_after_s
    assert told_s is not None
    assert expected_s - 3 <= told_s <= expected_s + 1


def test_a_date_counts_from_the_servers_own_clock(receiver: Receiver) -> None:
    now = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
    receiver.status = 429
    # The embedded server always sends its own Date too, and the two make a list that is none: so by hand.
    from mailmon.clients.http import _retry_after_s

    assert _retry_after_s({"Date": date(0, now), "Retry-After": date(90, now)}, b"") == 90


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (b'{"message": "You are being rate limited.", "retry_after": 64.57, "global": false}', 64.57),
        (b'{"retry_after": 2}', 2),
        (b'{"retry_after": 1e308}', 86400),
        (b'{"retry_after": ' + b"9" * 400 + b"}", 86400),
        (b'{"retry_after": -1}', None),
        (b'{"retry_after": true}', None),
        (b'{"retry_after": NaN}', None),
        (b'{"retry_after": Infinity}', None),
        (b'{"retry_after": "5"}', None),
        (b"[" * 4000, None),
        (b"[]", None),
        (b"<html>", None),
        (b"", None),
    ],
)
def test_discords_retry_after_in_the_body_counts_where_no_header_says_it(
    receiver: Receiver, body: bytes, seconds: float | None
) -> None:
    receiver.status, receiver.body = 429, body
    assert refusal(receiver).retry_after_s == seconds


def test_the_header_goes_before_the_body(receiver: Receiver) -> None:
    receiver.status, receiver.headers, receiver.body = 429, {"Retry-After": "65"}, b'{"retry_after": 64.57}'
    assert refusal(receiver).retry_after_s == 65


def test_a_silent_receiver_ends_in_time_and_says_so(receiver: Receiver) -> None:
    receiver.hang = True
    error = answer(receiver, 0.4)
    assert isinstance(error, DeliveryError)
    assert "no answer" in error.message
    assert not error.is_permanent


def test_what_the_receiver_says_is_masked_and_made_visible(receiver: Receiver) -> None:
    receiver.status, receiver.body = 400, json.dumps({"error": "sentinel\x1b[31m"}).encode()
    assert refusal(receiver).message == 'the receiver: answered 400: {"error": "****\\u001b[31m"}'
