"""Alerts through Apprise: taken only if delivered, in time, without revealing the address."""

from __future__ import annotations

import importlib.util
import json
import logging
import sys
from typing import Any

import pytest

from mailmon.model import AlertKind
from mailmon.notify.apprise import AppriseOptions
from mailmon.notify.channel import AnyChannel
from mailmon.sandbox.receiver import Receiver
from mailmon.typedjson.validate import find_errors
from tests.notify.samples import SENTINEL, alert, channel, refusal, said_by, send, took_s

# Some of its plugins import what newer Pythons deprecate.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
needs_apprise = pytest.mark.skipif(
    importlib.util.find_spec("apprise") is None, reason="the extra `apprise` is not installed: pip install '.[apprise]'"
)


def apprise(receiver: Receiver | str, path: str = f"/{SENTINEL}", query: str = "") -> AnyChannel:
    host = receiver if isinstance(receiver, str) else receiver.url.removeprefix("http://")
    return channel(AppriseOptions(), url=f"json://user:{SENTINEL}@{host}{path}{query}")


@needs_apprise
def test_an_alert_goes_through_apprise(receiver: Receiver) -> None:
    given = alert(AlertKind.RECOVERY, title="works again", body="one\ntwo <b>")
    assert send(apprise(receiver), given) == "JSON took it, says Apprise"
    [request] = receiver.requests
    document = json.loads(request.body)
    assert (document["title"], document["message"], document["type"]) == ("works again", "one\ntwo <b>", "success")


@needs_apprise
@pytest.mark.parametrize(
    ("kind", "type_"), [("problem", "failure"), ("warning", "warning"), ("recovery", "success"), ("test", "info")]
)
def test_every_kind_of_alert_has_its_type(receiver: Receiver, kind: str, type_: str) -> None:
    send(apprise(receiver), alert(AlertKind(kind)))
    assert json.loads(receiver.requests[0].body)["type"] == type_


@needs_apprise
def test_the_words_of_a_server_ring_nobody(receiver: Receiver) -> None:
    send(apprise(receiver), alert(body="@everyone @HERE <!channel> <@U1> a@example.org @hereabouts"))
    said = json.loads(receiver.requests[0].body)["message"]
    assert said == "@\u200beveryone @\u200bHERE <\u200b!channel> <\u200b@U1> a@example.org @hereabouts"


@needs_apprise
@pytest.mark.parametrize(
    ("status", "is_permanent"), [(400, True), (401, True), (404, True), (429, False), (500, False), (503, False)]
)
def test_a_refusal_is_told_by_its_status_alone(receiver: Receiver, status: int, is_permanent: bool) -> None:
    receiver.status, receiver.body = status, SENTINEL.encode()
    error = refusal(apprise(receiver))
    assert error.message == f"JSON, through Apprise: answered {status}"
    assert error.is_permanent is is_permanent


@needs_apprise
@pytest.mark.parametrize("query", ["", "?redirect=yes"])
def test_a_redirect_is_no_acknowledgement(receiver: Receiver, query: str) -> None:
    receiver.redirect_to = f"{receiver.url}/elsewhere"
    error = refusal(apprise(receiver, query=query))
    assert error.message == "JSON, through Apprise: answered 307"
    assert len(receiver.requests) == 1


@needs_apprise
@pytest.mark.parametrize("query", ["?optional=yes", "?retry=3&wait=0.1"])
def test_an_address_cannot_make_a_failure_pass_for_a_delivery(receiver: Receiver, query: str) -> None:
    receiver.status = 503
    refusal(apprise(receiver, query=query))
    assert len(receiver.requests) == 1


@needs_apprise
def test_a_silent_receiver_ends_in_time(receiver: Receiver) -> None:
    send(apprise(receiver))  # the import is not what is measured
    receiver.hang = True
    error = None

    def wait() -> None:
        nonlocal error
        error = refusal(apprise(receiver), timeout_s=0.5)

    assert took_s(wait) < 1.0
    assert error is not None
    assert (error.message, error.is_permanent) == ("Apprise: no answer within 0.5 s", False)


@needs_apprise
@pytest.mark.parametrize(
    "url",
    [
        f"json://user:{SENTINEL}@127.0.0.1:1/{SENTINEL}",
        f"nosuch://{SENTINEL}",
        SENTINEL,
        f"tgram://{SENTINEL}",
        f"discord://{SENTINEL}",
        f"json://{SENTINEL}@127.0.0.1:notaport/",
        f"mailto://user:{SENTINEL}@127.0.0.1:1/?to=x@example.org",
    ],
)
def test_no_failure_shows_the_address_anywhere(
    url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.WARNING)
    error = refusal(channel(AppriseOptions(), url=url))
    out, err = capfd.readouterr()
    assert SENTINEL not in said_by(error) + out + err + caplog.text
    assert err == ""


@needs_apprise
def test_an_address_that_apprise_cannot_use_is_a_permanent_refusal() -> None:
    error = refusal(channel(AppriseOptions(), url="nosuch://x"))
    assert (error.is_permanent, error.message) == (True, "Apprise: cannot use the address")


@needs_apprise
def test_a_plugin_that_raises_shows_the_kind_of_error_only(monkeypatch: pytest.MonkeyPatch) -> None:
    import apprise as library

    def explode(*_: object, **__: object) -> None:
        raise RuntimeError(f"bad {SENTINEL}")

    monkeypatch.setattr(library.Apprise, "instantiate", staticmethod(explode))
    error = refusal(apprise("127.0.0.1:1"))
    assert error.message == "Apprise: failed (RuntimeError)"
    assert not error.is_permanent


def test_without_the_library_the_person_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    error = refusal(apprise("127.0.0.1:1"))
    assert error.is_permanent
    assert (error.message, error.advice) == (
        "Apprise is not installed",
        "Install the extra: pip install 'mailmon[apprise]'.",
    )


def test_nothing_heavy_is_imported_before_an_alert_is_sent() -> None:
    import subprocess

    names = ["webhook", "email", "command", "apprise", "ntfy", "discord"]
    heavy = ["requests", "subprocess", "email", "ssl", "apprise", "selectors", "hmac", "hashlib", "html"]
    code = (
        "import sys; before = set(sys.modules); from mailmon.notify import NOTIFIERS\n"
        f"for name in {names}: NOTIFIERS[name]\n"
        f"print([name for name in {heavy} if name in set(sys.modules) - before])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(("options", "words"), [({"ca_file": "/x"}, "has no use for it"), ({"urls": "x"}, "nexpected")])
def test_options_that_cannot_work_are_a_mistake(options: dict[str, Any], words: str) -> None:
    assert any(words in error["msg"] for error in find_errors(AppriseOptions, {"type": "apprise", **options}))
