"""Webhooks: the document, its signature, and refusals."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

import pytest

from mailmon import __version__
from mailmon.model import AlertKind, Health
from mailmon.notify.webhook import WebhookOptions, sign
from mailmon.render.document import alert_document
from mailmon.sandbox.receiver import Receiver
from mailmon.typedjson.validate import find_errors
from tests.notify.samples import ALERT_ID, SENTINEL, alert, change, channel, refusal, said_by, send, took_s

OPTIONS = WebhookOptions()


def test_the_receiver_gets_the_event_its_time_and_the_whole_alert(receiver: Receiver) -> None:
    given = alert(AlertKind.PROBLEM, change(Health.DOWN, "main"))
    assert send(channel(OPTIONS, url=f"{receiver.url}/hook?x=1"), given) == "the webhook answered 200"
    [request] = receiver.requests
    assert (request.method, request.path) == ("POST", "/hook?x=1")
    assert json.loads(request.body) == {
        "event": "alert.problem",
        "timestamp": "2026-01-02T12:00:05.000Z",
        "details": json.loads(json.dumps(alert_document(given))),
    }
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["User-Agent"] == f"mailmon/{__version__}"
    assert request.headers["Authorization"] is None
    assert request.headers["X-Mailmon-Signature"] is None


@pytest.mark.parametrize("kind", AlertKind)
def test_every_kind_of_alert_is_an_event(receiver: Receiver, kind: AlertKind) -> None:
    send(channel(OPTIONS, url=receiver.url), alert(kind))
    assert json.loads(receiver.requests[0].body)["event"] == f"alert.{kind.value}"


def test_a_repetition_has_the_same_id_and_the_same_bytes(receiver: Receiver) -> None:
    to = channel(OPTIONS, url=receiver.url, secret=SENTINEL)
    send(to)
    send(to)
    first, second = receiver.requests
    assert first.body == second.body
    for request in (first, second):
        assert request.headers["X-Mailmon-Alert-Id"] == request.headers["Idempotency-Key"] == ALERT_ID
        assert json.loads(request.body)["details"]["id"] == ALERT_ID


def test_the_signature_is_the_hmac_of_the_body(receiver: Receiver) -> None:
    send(channel(OPTIONS, url=receiver.url, secret="schlüssel"))
    [request] = receiver.requests
    expected = hmac.new("schlüssel".encode(), request.body, "sha256").hexdigest()
    assert request.headers["X-Mailmon-Signature"] == f"sha256={expected}"
    assert sign(b"", "key") == "sha256=5d5d139563c95b5967b9bd9a8c9b233a9dedb45072794cd232dc1b74832607d0"


def test_the_example_of_the_signature_is_true() -> None:
    import doctest

    from mailmon.notify import webhook

    result = doctest.testmod(webhook)
    assert (result.attempted, result.failed) == (1, 0)


def test_the_authorization_and_headers_of_ones_own_are_sent(receiver: Receiver) -> None:
    options = WebhookOptions(headers={"X-Api-Key": "k 1", "user-agent": "mine/1"})
    send(channel(options, url=receiver.url, authorization="Bearer tok"))
    headers = receiver.requests[0].headers
    assert (headers["Authorization"], headers["X-Api-Key"]) == ("Bearer tok", "k 1")


@pytest.mark.parametrize(
    ("options", "secrets"),
    [
        ({}, {"secret": SENTINEL}),
        ({}, {"authorization": SENTINEL}),
        ({}, {"authorization": f"Bearer {SENTINEL}"}),
        ({}, {"url": f"/hooks/{SENTINEL}"}),
        ({}, {"url": f"/hooks?token={SENTINEL}"}),
        ({}, {"url": f"/hooks?a=b&token={SENTINEL.replace('-', '%2D')}#x"}),
        ({"headers": {"X-Api-Key": SENTINEL}}, {}),
    ],
)
def test_a_receiver_that_quotes_a_credential_back_is_masked(
    receiver: Receiver, options: dict[str, Any], secrets: dict[str, str]
) -> None:
    receiver.status = 401
    receiver.body = f"no: {SENTINEL} {base64.b64encode(SENTINEL.encode()).decode()} {SENTINEL!r}".encode()
    url = receiver.url + secrets.pop("url", "")
    to = channel(WebhookOptions(**options), url=url, **secrets)
    error = refusal(to)
    assert SENTINEL not in said_by(error)
    assert SENTINEL not in repr(to)
    assert error.is_permanent
    assert "answered 401" in error.message


def test_an_address_that_nobody_listens_at_is_not_quoted() -> None:
    error = refusal(channel(OPTIONS, url=f"http://127.0.0.1:1/{SENTINEL}"))
    assert SENTINEL not in said_by(error)
    assert not error.is_permanent


def test_a_password_in_the_address_is_masked(receiver: Receiver) -> None:
    receiver.status, receiver.body = 403, b"no pw-%7"
    url = receiver.url.replace("://", "://user:pw-%257@")
    error = refusal(channel(OPTIONS, url=url))
    assert base64.b64decode(receiver.requests[0].headers["Authorization"].split()[1]) == b"user:pw-%7"
    assert "pw-" not in said_by(error)


def test_an_address_that_is_none_is_not_quoted() -> None:
    assert SENTINEL not in said_by(refusal(channel(OPTIONS, url=f"http://[{SENTINEL}")))


def test_a_redirect_is_no_acknowledgement(receiver: Receiver) -> None:
    receiver.redirect_to = f"{receiver.url}/elsewhere/{SENTINEL}"
    error = refusal(channel(OPTIONS, url=receiver.url))
    assert error.is_permanent
    assert len(receiver.requests) == 1
    assert SENTINEL not in said_by(error)


def test_a_silent_receiver_ends_in_time(receiver: Receiver) -> None:
    receiver.hang = True
    assert took_s(lambda: refusal(channel(OPTIONS, url=receiver.url), timeout_s=0.5)) < 1.0


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"X A": "v"}, "must be the name of a header"),
        ({"X-A\r\nX-B": "v"}, "must be the name of a header"),
        ({"": "v"}, "must be the name of a header"),
        ({"X-A": f"{SENTINEL}\r\nX-B: 1"}, "must be one line of text"),
        ({"X-A": f" {SENTINEL}"}, "must be one line of text"),
        ({"X-A": ""}, "must be one line of text"),
        ({"Authorization": SENTINEL}, "use authorization"),
        ({"Content-Length": "3"}, "is set by mailmon"),
        ({"x-mailmon-signature": "x"}, "is set by mailmon"),
    ],
)
def test_a_header_that_cannot_be_sent_is_a_mistake_that_quotes_no_value(headers: dict[str, str], words: str) -> None:
    [error] = find_errors(WebhookOptions, {"type": "webhook", "headers": headers})
    assert words in error["msg"]
    assert SENTINEL not in str(error)


def test_headers_of_ones_own_are_right() -> None:
    assert find_errors(WebhookOptions, {"type": "webhook", "headers": {"X-Api-Key": "a b", "X_1": "ü"}}) == []
