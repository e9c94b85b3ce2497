"""Logins with access tokens as Google and Microsoft want them, with the token never shown."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator

import pytest

from mailmon.clients.oauth import OAuth, Tokens
from mailmon.errors import Stage, StageError
from mailmon.model import Secret
from tests.clients.peer import SECRET, USER, Peer, Script
from tests.peers.tokens import TokenEndpoint

XOAUTH2 = f"user={USER}\x01auth=Bearer {SECRET}\x01\x01".encode()
ERROR = b64encode(b'{"status":"400","schemes":"bearer"}')


def smtp(auth: bytes) -> Script:
    return [
        (None, b"220 mail.example.org ESMTP\r\n"),
        (b"EHLO ", b"250-mail.example.org\r\n250 AUTH " + auth + b"\r\n"),
    ]


def imap(auth: bytes) -> Script:
    return [(None, b"* OK [CAPABILITY IMAP4rev1 " + auth + b"] ready\r\n"), (b"TAG CAPABILITY", b"* CAPABILITY IMAP4rev1 " + auth + b"\r\nTAG OK done\r\n")]  # fmt: skip  # noqa: E501


def is_hidden(peer: Peer) -> bool:
    return not any(SECRET in line or b64encode(XOAUTH2).decode() in line for line in peer.transcript)


def test_smtp_takes_a_token_by_xoauth2() -> None:
    line = b"AUTH XOAUTH2 " + b64encode(XOAUTH2)
    with Peer([*smtp(b"PLAIN XOAUTH2 OAUTHBEARER"), (line, b"235 2.7.0 ok\r\n")]) as peer:
        client = peer.smtp()
        client.open()
        client.login_with_token(USER, SECRET)
        client.close()
    assert is_hidden(peer)


def test_smtp_takes_a_token_by_oauthbearer() -> None:
    with Peer([*smtp(b"OAUTHBEARER"), (b"AUTH OAUTHBEARER ", b"235 2.7.0 ok\r\n")]) as peer:
        client = peer.smtp()
        client.open()
        client.login_with_token(USER, SECRET)
        client.close()
        said = b64decode(peer.received[1].split()[2])
    assert said == f"n,a={USER},\x01host=127.0.0.1\x01port={peer.port}\x01auth=Bearer {SECRET}\x01\x01".encode()


@pytest.mark.parametrize(("auth", "answer"), [(b"XOAUTH2", b"\r\n"), (b"OAUTHBEARER", b64encode(b"\x01") + b"\r\n")])
def test_a_refused_token_ends_with_the_servers_words(auth: bytes, answer: bytes) -> None:
    script = [*smtp(auth), (b"AUTH ", b"334 " + ERROR + b"\r\n"), (answer, b"535 5.7.8 token expired\r\n")]
    with Peer(script) as peer:
        client = peer.smtp()
        client.open()
        with pytest.raises(StageError) as caught:
            client.login_with_token(USER, SECRET)
        client.close()
    assert (caught.value.finding_id, caught.value.said) == ("smtp.login_refused", "535 5.7.8 token expired")
    assert is_hidden(peer)


def test_a_server_that_takes_no_token_is_told() -> None:
    with Peer(smtp(b"PLAIN LOGIN")) as peer:
        client = peer.smtp()
        client.open()
        with pytest.raises(StageError, match="only AUTH PLAIN LOGIN"):
            client.login_with_token(USER, SECRET)
        client.close()


def test_imap_takes_a_token_and_tells_a_refusal() -> None:
    script = [
        *imap(b"AUTH=XOAUTH2"),
        (b"TAG AUTHENTICATE XOAUTH2", b"+ \r\n"),
        (b64encode(XOAUTH2), b"TAG OK [CAPABILITY IMAP4rev1 UIDPLUS] in\r\n"),
    ]
    with Peer(script) as peer:
        client = peer.imap()
        client.open()
        client.login_with_token(USER, SECRET)
        client.close()
    assert is_hidden(peer)
    refused = [
        *script[:3],
        (b64encode(XOAUTH2), b"+ " + ERROR + b"\r\n"),
        (b"\r\n", b"TAG NO [AUTHENTICATIONFAILED] no\r\n"),
    ]
    with Peer(refused) as peer:
        client = peer.imap()
        client.open()
        with pytest.raises(StageError) as caught:
            client.login_with_token(USER, SECRET)
        client.close()
    assert caught.value.finding_id == "imap.login_refused"
    assert is_hidden(peer)


@pytest.fixture
def endpoint() -> Iterator[TokenEndpoint]:
    with TokenEndpoint("t0ken") as running:
        yield running


def test_a_token_is_fetched_once_in_a_run(endpoint: TokenEndpoint) -> None:
    tokens, source = Tokens(), OAuth(endpoint.url, "app", "mail", Secret("s3cret"))
    assert [tokens.get(source).value for _ in range(3)] == ["t0ken"] * 3
    assert endpoint.forms == [
        {"client_id": ["app"], "grant_type": ["client_credentials"], "scope": ["mail"], "client_secret": ["s3cret"]}
    ]


def test_a_refresh_token_is_the_grant_where_there_is_one(endpoint: TokenEndpoint) -> None:
    Tokens().get(OAuth(endpoint.url, "app", refresh_token=Secret("r3fresh")))
    assert endpoint.forms == [{"client_id": ["app"], "grant_type": ["refresh_token"], "refresh_token": ["r3fresh"]}]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((400, json.dumps({"error": "invalid_grant", "error_description": "s3cret"}).encode()), "400: invalid_grant"),
        ((200, b"<html>"), "200, and no JSON"),
        ((200, b"{}"), "no access_token"),
        ((302, b""), "302, and no JSON"),
        ((200, b'{"access_token": "a\\nb"}'), "no access_token"),
        ((500, b"[" * 5000), "500, and no JSON"),
    ],
)
def test_a_refusal_is_told_without_what_was_sent(
    endpoint: TokenEndpoint, answer: tuple[int, bytes], words: str
) -> None:
    endpoint.answer = answer
    with pytest.raises(StageError) as caught:
        Tokens().get(OAuth(endpoint.url, "app", "mail", Secret("s3cret")))
    assert (caught.value.finding_id, caught.value.stage) == ("oauth.refused", Stage.LOGIN)
    assert words in caught.value.message
    assert "s3cret" not in caught.value.message


def test_an_endpoint_that_is_not_there_is_told() -> None:
    with pytest.raises(StageError) as caught:
        Tokens().get(OAuth("http://127.0.0.1:9/token", "app"))
    assert caught.value.finding_id == "oauth.unreachable"


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", f"user={USER}\x01auth=Bearer "])
def test_a_token_inside_base64_is_masked(before: str) -> None:
    from mailmon.text import Masker

    echoed = b64encode(f"{before}{SECRET}\x01\x01".encode()).decode()
    shown = Masker([SECRET])(f"500 what is {echoed}?")
    assert echoed not in shown
    assert "****" in shown
