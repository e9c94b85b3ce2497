"""An SMTP server in clear whose policy is a function, for as many connections as come; what was said is kept."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

OWN = ("postmaster", "postmaster@mx1.firm.example", "postmaster@firm.example", "info@firm.example")
EHLO = "250-mx1.firm.example\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n250 SMTPUTF8"
_numbers = itertools.count(1)


@dataclass
class Talk:
    """One connection: its number from 1, the sender of the transaction, and how many errors it has had."""

    number: int
    sender: str = ""
    errors: int = 0


# (connection, command in capitals, its argument without brackets): the reply; "" hangs up without one.
Policy = Callable[[Talk, str, str], str]


def polite(talk: Talk, verb: str, argument: str) -> str:
    """Answer as a server does that takes its own mail and relays for nobody."""
    if verb == "RCPT":
        local, _, domain = argument.rpartition("@")
        is_trick = any(sign in local for sign in '%!"@')
        if argument in OWN:
            return "250 2.1.5 Ok"
        if domain in ("mx1.firm.example", "firm.example") or not local:
            return "550 5.1.1 User unknown" if not is_trick else "554 5.7.1 Relay access denied"
        return "554 5.7.1 Relay access denied"
    return {"EHLO": EHLO, "HELO": "250 mx1.firm.example", "DATA": "354 go on", "VRFY": "252 2.0.0 perhaps",
            "EXPN": "502 5.5.1 no", "QUIT": "221 bye", "STARTTLS": "502 no"}.get(verb, "250 2.0.0 Ok")  # fmt: skip


@dataclass
class SmtpPeer:
    """Listens on an address of its own in 127.88.0.0/16, which is nobody's own machine (`address` says another)."""

    policy: Policy = polite
    greeting: str = "220 mx1.firm.example ESMTP"
    max_errors: int = 20
    error_s: float = 0.0
    address: str = ""
    commands: list[tuple[int, str]] = field(default_factory=list)
    port: int = 0
    connections: int = 0

    def __enter__(self) -> SmtpPeer:
        number = next(_numbers)
        self.address = self.address or f"127.88.{number // 250}.{number % 250 + 1}"
        self._listener = socket.create_server((self.address, 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def said(self, verb: str) -> list[str]:
        """Return the commands of a kind that were given, on all connections."""
        return [line for _, line in self.commands if line.upper().startswith(verb)]

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(sock, Talk(self.connections)), daemon=True).start()

    def _talk(self, sock: socket.socket, talk: Talk) -> None:
        sock.settimeout(10)
        with sock, contextlib.suppress(OSError), sock.makefile("rb") as lines:
            sock.sendall(f"{self.greeting}\r\n".encode())
            while line := lines.readline().decode().rstrip("\r\n"):
                self.commands.append((talk.number, line))
                verb, argument = _parse(line)
                if verb == "MAIL":
                    talk.sender = argument
                reply = self.policy(talk, verb, argument)
                if not reply:
                    return
                if reply[0] in "45":
                    talk.errors += 1
                    time.sleep(self.error_s)
                if talk.errors > self.max_errors:
                    reply = "421 4.5.0 Too many errors, bye"
                sock.sendall(f"{reply}\r\n".encode())
                if reply.startswith(("421", "221")):
                    return


def _parse(line: str) -> tuple[str, str]:
    verb, _, rest = line.partition(" ")
    if verb.upper() in ("MAIL", "RCPT"):
        return verb.upper(), rest.partition("<")[2].rpartition(">")[0]
    return verb.upper(), rest
