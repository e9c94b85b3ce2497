"""A server that lets in by SCRAM-SHA-256, or goes wrong on the way, by SMTP, IMAP and POP3."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import socket
import threading
from base64 import b64decode, b64encode
from typing import BinaryIO

from mailmon.clients.deadline import Deadline
from mailmon.clients.imap import ImapClient
from mailmon.clients.pop3 import Pop3Client
from mailmon.clients.server import Security, Server, Trust
from mailmon.clients.smtp import SmtpClient
from mailmon.clients.tls import TlsContexts
from mailmon.clients.wire import connect
from mailmon.text import Masker

SALT, ITERATIONS = b"0123456789abcdef", 4096
_CLIENTS: dict[str, type[SmtpClient | ImapClient | Pop3Client]] = {
    "smtp": SmtpClient,
    "imap": ImapClient,
    "pop3": Pop3Client,
}


class ScramServer:
    """One connection of one protocol on 127.0.0.1, in clear."""

    def __init__(
        self, protocol: str, username: str, password: str, *, offered: str = "SCRAM-SHA-256", fault: str = ""
    ) -> None:
        self._protocol, self._username, self._password = protocol, username, password
        self._offered, self._fault = offered, fault
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.has_let_in = False
        self.received = b""
        self.transcript: list[str] = []

    def __enter__(self) -> ScramServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self._thread.join(5)

    def log_in(self) -> None:
        """Log in as a client with the right name and password."""
        address = self._listener.getsockname()
        server = Server(self._protocol, "127.0.0.1", address[1], Security.PLAIN, Trust(), 5.0)
        mask = Masker([self._password], [self._username])

        def record(_target: str, _at_s: float, who: str, text: str) -> None:
            self.transcript.append(f"{who}: {text}")

        wire = connect(server, [(socket.AF_INET, address)], Deadline(9.0), mask, record)
        client = _CLIENTS[self._protocol](wire, TlsContexts())
        try:
            client.open()
            client.login(self._username, self._password)
        finally:
            client.close()

    def shows(self, secret: str) -> bool:
        """Say whether a secret was sent, in clear or in base64, or stands in the transcript."""
        words = [word for line in self.received.split(b"\r\n") for word in line.split(b" ")]
        texts = [self.received.decode("latin-1"), *self.transcript]
        with contextlib.suppress(ValueError):
            texts += [b64decode(word).decode("latin-1") for word in words if len(word) % 4 == 0]
        return any(secret in text for text in texts)

    def _serve(self) -> None:
        with contextlib.suppress(OSError, IndexError, ValueError):
            sock, _ = self._listener.accept()
            with sock, sock.makefile("rwb") as file:
                getattr(self, f"_{self._protocol}")(file)

    def _hear(self, file: BinaryIO) -> bytes:
        line = file.readline()
        self.received += line
        if not line:
            raise OSError
        return line.rstrip(b"\r\n")

    def _say(self, file: BinaryIO, *lines: str) -> None:
        file.write("".join(f"{line}\r\n" for line in lines).encode())
        file.flush()

    def _smtp(self, file: BinaryIO) -> None:
        self._say(file, "220 ready")
        while command := self._hear(file):
            match command.split(b" "):
                case [b"EHLO", *_]:
                    self._say(file, "250-x", f"250 AUTH {self._offered}")
                case [b"AUTH", b"SCRAM-SHA-256", initial]:
                    is_in = self._exchange(file, b64decode(initial), "334 ")
                    self._say(file, "235 in" if is_in else "535 5.7.8 no")
                case _:
                    self._say(file, "500 what?")

    def _imap(self, file: BinaryIO) -> None:
        self._say(file, "* OK ready")
        while command := self._hear(file):
            tag, _, words = command.decode().partition(" ")
            if words == "CAPABILITY":
                listed = " ".join(f"AUTH={name}" for name in self._offered.split())
                self._say(file, f"* CAPABILITY IMAP4rev1 {listed}", f"{tag} OK done")
            elif words == "AUTHENTICATE SCRAM-SHA-256":
                self._say(file, "+ ")
                is_in = self._exchange(file, b64decode(self._hear(file)), "+ ")
                self._say(file, f"{tag} OK in" if is_in else f"{tag} NO no")
            else:
                self._say(file, f"{tag} BAD what?")

    def _pop3(self, file: BinaryIO) -> None:
        self._say(file, "+OK ready")
        while command := self._hear(file):
            if command == b"CAPA":
                self._say(file, "+OK", "USER", f"SASL {self._offered}", ".")
            elif command == b"AUTH SCRAM-SHA-256":
                self._say(file, "+ ")
                is_in = self._exchange(file, b64decode(self._hear(file)), "+ ")
                self._say(file, "+OK in" if is_in else "-ERR no")
            else:
                self._say(file, "-ERR what?")

    def _exchange(self, file: BinaryIO, first: bytes, prefix: str) -> bool:
        """Do the server's part (RFC 5802 section 3); say whether the client knows the password."""
        bare = first.removeprefix(b"n,,").decode()
        nonce = f"{bare.rpartition('r=')[2]}server"
        iterations = 10**8 if self._fault == "iterations" else ITERATIONS
        challenge = f"r={nonce},s={b64encode(SALT).decode()},i={iterations}"
        if self._fault == "nonsense":
            challenge = "Username:"
        answer = self._ask(file, prefix, challenge)
        final, _, proof = answer.rpartition(",p=")
        salted = hashlib.pbkdf2_hmac("sha256", self._password.encode(), SALT, ITERATIONS)
        signed = f"{bare},{challenge},{final}".encode()
        key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
        is_right = b64decode(proof) == bytes(a ^ b for a, b in zip(key, signature, strict=True))
        if self._fault == "wrong password":
            return False
        if self._fault == "error":
            self._ask(file, prefix, "e=invalid-proof")
            return False
        if self._fault != "no signature":
            server_key = hmac.digest(salted, b"Server Key", "sha256")
            proven = signed + b"x" if self._fault == "wrong signature" else signed
            self._ask(file, prefix, f"v={b64encode(hmac.digest(server_key, proven, 'sha256')).decode()}")
        if self._fault == "endless":
            self._ask(file, prefix, "more")
        self.has_let_in = is_right
        return is_right

    def _ask(self, file: BinaryIO, prefix: str, challenge: str) -> str:
        self._say(file, prefix + b64encode(challenge.encode()).decode())
        return b64decode(self._hear(file)).decode()
