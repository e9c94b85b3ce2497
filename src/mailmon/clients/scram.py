"""SCRAM-SHA-256 (RFC 5802, RFC 7677): a login that never sends the password and that the server must prove, too.

Without channel binding. Loaded only where it is used.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import stringprep
import unicodedata
from base64 import b64decode, b64encode

from mailmon.clients.sasl import Exchange, SaslError
from mailmon.text import visible

MECHANISM = "SCRAM-SHA-256"
# A hostile server must not keep us busy: this many take a few tenths of a second, and servers ask for 4096 to 100,000.
MAX_ITERATIONS = 600_000
MAX_MESSAGE_BYTES, MAX_SALT_BYTES = 4096, 1024
# "no channel binding, and none is known", which is what base64 is sent of later (RFC 5802 section 7).
_GS2_HEADER = "n,,"


class Scram(Exchange):
    """One login. `nonce` is ours, for tests only: it must never be used twice."""

    def __init__(self, username: str, password: str, nonce: str = "") -> None:
        super().__init__(MECHANISM)
        self._password = _prepared(password)
        self._nonce = nonce or b64encode(secrets.token_bytes(18)).decode()
        name = _prepared(username).replace("=", "=3D").replace(",", "=2C")
        self._first = f"n={name},r={self._nonce}"
        self._signature = b""
        self._is_verified = False
        self._steps = iter((self._begin, self._prove, self._verify))

    def answer(self, challenge: bytes) -> bytes:
        """Return what is said to the server's next message. Raises SaslError."""
        step = next(self._steps, None)
        if step is None:
            raise SaslError("the server asks for more than a SCRAM login has")
        return step(challenge)

    def finish(self) -> None:
        """Raise SaslError unless the server has proved that it knows the password."""
        if not self._is_verified:
            said = "the server accepted the login without proving that it knows the password"
            raise SaslError(said, "server_not_verified")

    def _begin(self, _challenge: bytes) -> bytes:
        return f"{_GS2_HEADER}{self._first}".encode()

    def _prove(self, challenge: bytes) -> bytes:
        """Answer the server's nonce, salt and iteration count with the proof (RFC 5802 section 3)."""
        text, fields = _read(challenge)
        nonce, salt, iterations = fields.get("r", ""), _decoded(fields.get("s", "")), fields.get("i", "")
        if "m" in fields:
            raise SaslError("the server wants an extension of SCRAM that nobody knows")
        if not nonce.startswith(self._nonce) or len(nonce) == len(self._nonce):
            raise SaslError("the server's SCRAM nonce does not continue ours")
        if not 0 < len(salt) <= MAX_SALT_BYTES or not iterations.isascii() or not iterations.isdigit():
            raise SaslError("the server's SCRAM message has no salt or no iteration count")
        if len(iterations) > 9 or not 1 <= int(iterations) <= MAX_ITERATIONS:
            raise SaslError(
                f"the server asks for {visible(iterations, 20)} SCRAM iterations, at most {MAX_ITERATIONS} are done"
            )
        salted = hashlib.pbkdf2_hmac("sha256", self._password.encode(), salt, int(iterations))
        final = f"c={b64encode(_GS2_HEADER.encode()).decode()},r={nonce}"
        signed = f"{self._first},{text},{final}".encode()
        client_key = _hmac(salted, b"Client Key")
        signature = _hmac(hashlib.sha256(client_key).digest(), signed)
        self._signature = _hmac(_hmac(salted, b"Server Key"), signed)
        proof = bytes(one ^ other for one, other in zip(client_key, signature, strict=True))
        return f"{final},p={b64encode(proof).decode()}".encode()

    def _verify(self, challenge: bytes) -> bytes:
        """Check the server's signature; a server that has only a copy of the messages cannot make it."""
        _, fields = _read(challenge)
        if "e" in fields:
            raise SaslError(f"the server refused the SCRAM login: {visible(fields['e'], 100)}", "login_refused")
        if not hmac.compare_digest(_decoded(fields.get("v", "")), self._signature):
            said = "the server's SCRAM signature is wrong: it does not know the password"
            raise SaslError(said, "server_not_verified")
        self._is_verified = True
        return b""


def _read(challenge: bytes) -> tuple[str, dict[str, str]]:
    """Return a message of the server and its attributes; of one that is there twice the first counts."""
    if len(challenge) > MAX_MESSAGE_BYTES:
        raise SaslError(f"a SCRAM message of more than {MAX_MESSAGE_BYTES} bytes")
    text = challenge.decode("utf-8", "replace")
    fields: dict[str, str] = {}
    for part in text.split(","):
        fields.setdefault(part[:1], part[2:] if part[1:2] == "=" else "")
    return text, fields


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return b""


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _prepared(text: str) -> str:
    """Return a name or a password as both sides compute with it (SASLprep, RFC 4013).

    What SASLprep forbids is left as it is: the server will have refused it, or does not prepare either.
    """
    if text.isascii():
        return text
    mapped = (" " if stringprep.in_table_c12(c) else c for c in text if not stringprep.in_table_b1(c))
    return unicodedata.normalize("NFKC", "".join(mapped)) or text
