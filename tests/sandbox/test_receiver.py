"""The receiver records requests and answers as it is told."""

import http.client
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from mailmon.sandbox.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def post(receiver: Receiver, body: bytes = b"", path: str = "/") -> http.client.HTTPResponse:
    host, port = receiver.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    connection.request("POST", path, body, {"X-Title": "t"})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


def test_requests_are_recorded(receiver: Receiver) -> None:
    before = time.monotonic()
    assert post(receiver, b"hello", "/hook?wait=true").status == 200
    [request] = receiver.requests
    assert request[:2] == ("POST", "/hook?wait=true")
    assert request.headers["x-title"] == "t"
    assert request.body == b"hello"
    assert before <= request.at <= time.monotonic()


def test_ntfy_messages_are_the_decoded_posts_to_the_root(receiver: Receiver) -> None:
    post(receiver, json.dumps({"topic": "t", "message": "down"}).encode())
    post(receiver, b"{}", "/elsewhere")
    with urllib.request.urlopen(receiver.url, timeout=5) as response:
        assert response.read() == b'{"id":"sandbox00001","event":"message"}'
    assert receiver.ntfy_messages() == [{"topic": "t", "message": "down"}]


def test_status_body_and_headers_can_be_set(receiver: Receiver) -> None:
    receiver.status, receiver.body, receiver.headers = 429, b"slow down", {"Retry-After": "3"}
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(receiver.url, timeout=5)
    with caught.value as error:
        assert (error.code, error.read(), error.headers["Retry-After"]) == (429, b"slow down", "3")


def test_a_script_of_statuses_is_used_up_before_the_default(receiver: Receiver) -> None:
    receiver.script = [500, 429]
    assert [post(receiver).status for _ in range(3)] == [500, 429, 200]


def test_a_redirect_names_its_target(receiver: Receiver) -> None:
    receiver.redirect_to = "http://192.0.2.1/"
    response = post(receiver)
    assert (response.status, response.getheader("Location")) == (307, "http://192.0.2.1/")


def test_a_hanging_receiver_never_answers_and_still_stops_quickly() -> None:
    before = set(threading.enumerate())
    with Receiver() as receiver:
        receiver.hang = True
        host, port = receiver.url.removeprefix("http://").split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=0.2)
        connection.request("POST", "/", b"x")
        with pytest.raises(TimeoutError):
            connection.getresponse()
        idle = socket.create_connection((host, int(port)))
        assert len(receiver.requests) == 1
        started_at = time.monotonic()
    assert time.monotonic() - started_at < 1.0
    connection.close()
    idle.close()
    assert set(threading.enumerate()) == before


def test_an_answer_that_is_lost_leaves_the_request_recorded(receiver: Receiver) -> None:
    receiver.lose_answer = True
    with pytest.raises(http.client.RemoteDisconnected):
        post(receiver, b"taken")
    receiver.lose_answer = False
    assert post(receiver, b"again").status == 200
    assert [(request.body, request.status) for request in receiver.requests] == [(b"taken", None), (b"again", 200)]


def test_a_slow_receiver_answers_after_its_delay(receiver: Receiver) -> None:
    receiver.delay_s = 0.2
    started_at = time.monotonic()
    assert post(receiver).status == 200
    assert 0.2 <= time.monotonic() - started_at < 2.0


def test_a_slow_receiver_stops_at_once() -> None:
    with Receiver() as receiver:
        receiver.delay_s = 60.0
        host, port = receiver.url.removeprefix("http://").split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=5)
        connection.request("POST", "/", b"x")
        while not receiver.requests:
            time.sleep(0.005)
        started_at = time.monotonic()
    assert time.monotonic() - started_at < 1.0
    connection.close()


@pytest.mark.parametrize("length", ["-1", "many", "99999999999"])
def test_an_impossible_length_is_refused(receiver: Receiver, length: str) -> None:
    host, port = receiver.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    connection.putrequest("POST", "/")
    connection.putheader("Content-Length", length)
    connection.endheaders()
    assert connection.getresponse().status == 400
    connection.close()


def test_the_other_methods_are_recorded_too(receiver: Receiver) -> None:
    for method in ("GET", "PUT", "HEAD"):
        urllib.request.urlopen(urllib.request.Request(receiver.url, method=method), timeout=5).close()
    assert [request.method for request in receiver.requests] == ["GET", "PUT", "HEAD"]
