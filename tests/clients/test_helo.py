"""The name in EHLO, and the message when a server refuses it."""

from __future__ import annotations

import pytest

from mailmon.clients.helo import helo_name
from mailmon.clients.smtp import SmtpClient
from mailmon.errors import Stage, StageError
from tests.clients.peer import USER, Peer, Script


@pytest.mark.parametrize(
    ("hostname", "name"),
    [
        ("monitor.example.org", "monitor.example.org"),
        ("monitor.example.org.", "monitor.example.org"),
        ("a-1.b.example", "a-1.b.example"),
        ("monitor", "[192.0.2.1]"),
        ("", "[192.0.2.1]"),
        ("localhost.localdomain", "[192.0.2.1]"),
        ("LOCALHOST.LOCALDOMAIN", "[192.0.2.1]"),
        ("box.localdomain", "[192.0.2.1]"),
        ("x.localhost", "[192.0.2.1]"),
        ("my_box.example.org", "[192.0.2.1]"),
        ("-x.example.org", "[192.0.2.1]"),
        ("x..example.org", "[192.0.2.1]"),
        ("192.0.2.7", "[192.0.2.1]"),
        ("grün.example.org", "[192.0.2.1]"),
        ("x.example.org\r\nRSET", "[192.0.2.1]"),
        (f"{'x' * 64}.example.org", "[192.0.2.1]"),
        ("x." * 127 + "org", "[192.0.2.1]"),
    ],
)
def test_the_name_is_the_machines_where_it_is_a_full_one(hostname: str, name: str) -> None:
    assert helo_name("192.0.2.1", hostname) == name


@pytest.mark.parametrize(
    ("address", "literal"),
    [
        ("2001:db8::1", "[IPv6:2001:db8::1]"),
        ("fe80::1%eth0", "[IPv6:fe80::1]"),
        ("::ffff:192.0.2.1", "[192.0.2.1]"),
    ],
)
def test_an_address_is_written_as_a_literal(address: str, literal: str) -> None:
    assert helo_name(address, "box") == literal


REFUSALS: list[tuple[Script, Stage]] = [
    ([(b"EHLO ", b"501 5.5.2 invalid domain name\r\n")], Stage.EHLO),
    ([(b"EHLO ", b"550 address literals are not welcome\r\n")], Stage.EHLO),
    ([(b"EHLO ", b"250 x\r\n"), (b"MAIL", b"550 5.7.1 HELO does not resolve\r\n")], Stage.MAIL),
    (
        [
            (b"EHLO ", b"250 x\r\n"),
            (b"MAIL", b"250 ok\r\n"),
            (b"RCPT", b"450 4.7.1 <x>: Helo command rejected: Host not found\r\n"),
        ],
        Stage.RCPT,
    ),
]


def sent_by(client: SmtpClient) -> None:
    client.open()
    client.send(USER, "to@example.org", b"x\r\n")


@pytest.mark.parametrize(("script", "stage"), REFUSALS)
def test_a_server_that_does_not_like_our_name_is_told_with_the_name(script: Script, stage: Stage) -> None:
    with Peer([(None, b"220 x\r\n"), *script, (b"QUIT", b"")]) as peer:
        client = peer.smtp()
        with pytest.raises(StageError) as caught:
            sent_by(client)
        client.close()
    sent = peer.received[0].decode().split()[1]
    assert caught.value.stage is stage
    assert f"(EHLO sent: {sent})" in caught.value.said
    assert "`helo`" in caught.value.advice


@pytest.mark.parametrize("reply", [b"502 what?", b"500 command not recognized: EHLO"])
def test_a_server_without_ehlo_has_nothing_against_our_name(reply: bytes) -> None:
    with Peer([(None, b"220 x\r\n"), (b"EHLO ", reply + b"\r\n"), (b"QUIT", b"")]) as peer:
        client = peer.smtp()
        with pytest.raises(StageError) as caught:
            client.open()
        client.close()
    assert "EHLO sent" not in caught.value.said
