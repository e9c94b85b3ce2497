"""SCRAM-SHA-256 as in RFC 7677; a server that cannot prove itself is refused."""

from __future__ import annotations

import time

import pytest

from mailmon.clients.sasl import SaslError
from mailmon.clients.scram import MAX_ITERATIONS, Scram
from mailmon.errors import Stage, StageError
from tests.clients.peer import SECRET, USER
from tests.peers.scram import ScramServer

# RFC 7677 section 3.
NONCE = "rOprNGfwEbeRWgbNEkqO"
SERVER_NONCE = f"{NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
CHALLENGE = f"r={SERVER_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096".encode()
PROOF = f"c=biws,r={SERVER_NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=".encode()
SIGNATURE = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def scram() -> Scram:
    return Scram("user", "pencil", NONCE)


def test_the_messages_are_those_of_the_rfc() -> None:
    login = scram()
    assert login.answer(b"") == f"n,,n=user,r={NONCE}".encode()
    assert login.answer(CHALLENGE) == PROOF
    assert login.answer(SIGNATURE) == b""
    login.finish()


def test_a_name_with_the_signs_of_the_protocol_is_escaped() -> None:
    assert Scram("a=b,c", "x", NONCE).answer(b"") == f"n,,n=a=3Db=2Cc,r={NONCE}".encode()


@pytest.mark.parametrize(
    ("written", "prepared"), [("I\xadX", "IX"), ("a\u00a0b", "a b"), ("\u00aa", "a"), ("\u2168", "IX")]
)
def test_names_and_passwords_are_prepared_as_the_server_does(written: str, prepared: str) -> None:
    assert Scram(written, "x", NONCE).answer(b"") == f"n,,n={prepared},r={NONCE}".encode()
    answers = []
    for password in (written, prepared):
        login = Scram("user", password, NONCE)
        login.answer(b"")
        answers.append(login.answer(CHALLENGE))
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("challenge", "words"),
    [
        (CHALLENGE.replace(NONCE.encode(), b"x"), "nonce"),
        (CHALLENGE.replace(SERVER_NONCE.encode(), NONCE.encode()), "nonce"),
        (b"m=x," + CHALLENGE, "extension"),
        (CHALLENGE.replace(b"i=4096", b"i=0"), "asks for 0 SCRAM iterations"),
        (CHALLENGE.replace(b"i=4096", f"i={MAX_ITERATIONS + 1}".encode()), f"at most {MAX_ITERATIONS}"),
        (CHALLENGE.replace(b"i=4096", b"i=" + b"9" * 3000), "asks for 9"),
        (CHALLENGE.replace(b"i=4096", "i=٤٠٩٦".encode()), "no iteration count"),
        (CHALLENGE.replace(b"i=4096", b"i=-1"), "no iteration count"),
        (CHALLENGE.replace(b"W22ZaJ0SNY7soEsUEjb6gQ==", b"?"), "no salt"),
        (b"x" * 5000, "4096 bytes"),
        (b"", "nonce"),
        (b"\xff,,=,r", "nonce"),
    ],
)
def test_a_challenge_that_makes_no_sense_costs_nothing(challenge: bytes, words: str) -> None:
    login = scram()
    login.answer(b"")
    started_s = time.process_time()
    with pytest.raises(SaslError, match=words) as caught:
        login.answer(challenge)
    assert time.process_time() - started_s < 0.05
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("signature", [b"", b"v=", b"v=AAAA", b"x", SIGNATURE.replace(b"6", b"7", 1)])
def test_a_server_with_a_wrong_signature_does_not_know_the_password(signature: bytes) -> None:
    login = scram()
    login.answer(b"")
    login.answer(CHALLENGE)
    with pytest.raises(SaslError, match="does not know the password") as caught:
        login.answer(signature)
    assert caught.value.problem == "server_not_verified"


def test_a_login_without_the_servers_signature_is_none() -> None:
    login = scram()
    login.answer(b"")
    login.answer(CHALLENGE)
    with pytest.raises(SaslError, match="without proving"):
        login.finish()


PROTOCOLS = ("smtp", "imap", "pop3")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_password_is_never_sent_where_scram_is_all_there_is(protocol: str) -> None:
    with ScramServer(protocol, USER, SECRET) as server:
        server.log_in()
    assert server.has_let_in
    assert not server.shows(SECRET)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_in_clear_scram_comes_before_what_shows_the_password(protocol: str) -> None:
    with ScramServer(protocol, USER, SECRET, offered="PLAIN LOGIN SCRAM-SHA-256") as server:
        server.log_in()
    assert server.has_let_in
    assert not server.shows(SECRET)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("fault", "finding_id", "words"),
    [
        ("wrong password", "login_refused", ""),
        ("error", "login_refused", "invalid-proof"),
        ("wrong signature", "server_not_verified", "does not know the password"),
        ("no signature", "server_not_verified", "without proving"),
        ("iterations", "protocol_error", "iterations"),
        ("nonsense", "protocol_error", "nonce"),
        ("endless", "protocol_error", "asks for more"),
    ],
)
def test_a_scram_login_that_goes_wrong_is_told(protocol: str, fault: str, finding_id: str, words: str) -> None:
    with ScramServer(protocol, USER, SECRET, fault=fault) as server, pytest.raises(StageError) as caught:
        server.log_in()
    assert (caught.value.finding_id, caught.value.stage) == (f"{protocol}.{finding_id}", Stage.LOGIN)
    assert words in caught.value.said
    assert not server.shows(SECRET)
