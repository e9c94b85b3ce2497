"""A hostile server says the password in every place where a server says something: it shows nowhere."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from mailmon.sandbox.receiver import Receiver
from tests.embedded import MAIN, files_of
from tests.monitor import Monitor
from tests.peers.echo import IMAP_PLACES, POP3_PLACES, SMTP_PLACES, Echo

PASSWORD = 'Zq7vKx"w\\9%+€p Lm4<Rt'
ASCII_PASSWORD = "Zq7vKx9-Lm4.Rt_Wd8"
REFRESH, CLIENT_SECRET = "1//0r3fresh&T0ken+x=Yz", "cl1ent~S3cret/Qw%er"
# What is told of each is at most so long, so what is looked for is the spelling and its pieces.
PIECE = 7
SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda s: s,
    "capitals": lambda s: s.upper(),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "sasl plain": lambda s: base64.b64encode(f"\0{MAIN}\0{s}".encode()).decode(),
    "url": lambda s: quote(s, safe=""),
    "form": quote_plus,
    "json": lambda s: json.dumps(s)[1:-1],
    "html": html.escape,
    "hex": lambda s: s.encode().hex(),
}


def pieces(secret: str) -> set[str]:
    """Return what must not be seen: each spelling, and each piece of the password itself."""
    spelled = {spell(secret) for spell in SPELLINGS.values()}
    return spelled | {secret[n : n + PIECE] for n in range(len(secret) - PIECE + 1)}


def assert_hidden(secrets: tuple[str, ...], monitor: Monitor, phone: Receiver, *texts: str) -> None:
    places = {f"output {n}": text for n, text in enumerate(texts)}
    places |= {f"alert {n}": request.body.decode() for n, request in enumerate(phone.requests)}
    kept = files_of(monitor.directory)
    places |= {name: raw.decode("utf-8", "replace") for name, raw in kept.items() if name != "config.json"}
    found = {(place, form) for place, text in places.items() for s in secrets for form in pieces(s) if form in text}
    assert found == set()


def outputs(monitor: Monitor) -> list[str]:
    """Run every command that tells of a check; return all that they said."""
    commands = (("check", "-v"), ("check", "--json"), ("status",), ("alerts",))
    runs = [monitor.run(*command) for command in commands]
    assert all(run.exit_code not in (70, 78) for run in runs), [run.stderr for run in runs]
    return [text for run in runs for text in (run.stdout, run.stderr)]


def config_for(echo: Echo, phone: Receiver, password: str, reads_by: str) -> dict[str, Any]:
    server = {"host": "127.0.0.1", "security": "plain", "timeout_s": 2}
    account: dict[str, Any] = {"address": MAIN, "password": password, "smtp": {"port": echo.ports["smtp"], **server}}
    account[reads_by] = {"port": echo.ports[reads_by], **server}
    return {
        "accounts": {"main": account},
        "routes": {"main": {"from": "main", "to": MAIN, "in": "main", "receive_timeout_s": 1}},
        "checks": {"defaults": {"failure_threshold": 1}},
        "notify": {"ntfy": {"server": phone.url, "topic": "alerts"}},
    }


PLACES = [
    *(("smtp", place, "imap") for place in SMTP_PLACES),
    *(("imap", place, "imap") for place in IMAP_PLACES),
    *(("pop3", place, "pop3") for place in POP3_PLACES),
]


@pytest.mark.parametrize(("protocol", "place", "reads_by"), PLACES)
def test_a_server_that_says_the_password_gives_nothing_away(
    receiver: Receiver, tmp_path: Path, protocol: str, place: str, reads_by: str
) -> None:
    # By POP3 it is sent as it is: what is beyond ASCII there is another story.
    password = ASCII_PASSWORD if protocol == "pop3" else PASSWORD
    said = "|".join(spell(password) for spell in SPELLINGS.values())
    if place in ("auth line", "capability", "capa"):
        said = ASCII_PASSWORD if protocol == "pop3" else "x" + base64.b64encode(password.encode()).decode()
    with Echo(said) as echo:
        echo.place = (protocol, place)
        monitor = Monitor(tmp_path, config_for(echo, receiver, password, reads_by))
        told = outputs(monitor)
    assert_hidden((password,), monitor, receiver, *told)
    if place not in ("flags", "uids", "uid", "challenge", "alert"):
        assert "****" in "".join(told)


@pytest.mark.parametrize("filler", [480, 490, 496, 8170, 8185])
def test_a_password_at_the_end_of_a_long_reply_is_not_cut_in_half(
    receiver: Receiver, tmp_path: Path, filler: int
) -> None:
    with Echo("x" * filler + ASCII_PASSWORD + "y" * 100) as echo:
        echo.place = ("smtp", "auth")
        monitor = Monitor(tmp_path, config_for(echo, receiver, ASCII_PASSWORD, "imap"))
        assert_hidden((ASCII_PASSWORD,), monitor, receiver, *outputs(monitor))


def token_answers() -> list[tuple[int, str]]:
    both = f"{CLIENT_SECRET} {REFRESH}"
    basic = base64.b64encode(f"app:{CLIENT_SECRET}".encode()).decode()
    return [
        (400, json.dumps({"error": both, "error_description": both})),
        (401, json.dumps({"error": quote(both, safe="")})),
        (400, json.dumps({"error": quote_plus(CLIENT_SECRET) + "&" + quote_plus(REFRESH).lower()})),
        (400, json.dumps({"error": {"code": both, "request": f"Basic {basic}"}})),
        (400, json.dumps({"error": "x" * 90 + CLIENT_SECRET})),
        (403, f"<html><p>{html.escape(both)}</p></html>"),
        (200, json.dumps({"token": REFRESH})),
        (200, json.dumps({"error": html.escape(both)})),
    ]


@pytest.mark.parametrize(("status", "body"), token_answers())
def test_a_token_endpoint_that_says_what_it_was_sent_gives_nothing_away(
    receiver: Receiver, tmp_path: Path, status: int, body: str
) -> None:
    with Echo("") as echo, Receiver() as endpoint:
        endpoint.status, endpoint.body = status, body.encode()
        config = config_for(echo, receiver, "", "imap")
        account = config["accounts"]["main"]
        del account["password"]
        account["oauth"] = {
            "token_url": f"{endpoint.url}/token", "client_id": "app",
            "client_secret": CLIENT_SECRET, "refresh_token": REFRESH,
        }  # fmt: skip
        monitor = Monitor(tmp_path, config)
        told = outputs(monitor)
    assert "oauth.refused" in "".join(told)
    assert_hidden((CLIENT_SECRET, REFRESH), monitor, receiver, *told)
