"""A POP3 server over a mailbox of the sandbox, slow or strict about logins as servers in the field are."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from types import TracebackType

from mailmon.sandbox import Message
from mailmon.sandbox.store import Mailbox


@dataclass
class Manners:
    """How the server behaves: seconds before the answer to a command, the pause that it wants between two logins.

    `announced` is what CAPA says of that pause before and after the login, None for nothing. `refused` are UIDs whose
    TOP and RETR fail.
    """

    delays_s: Mapping[str, float] = field(default_factory=dict)
    login_delay_s: float = 0.0
    announced: tuple[str | None, str | None] = (None, None)
    has_top: bool = True
    refused: Collection[int] = ()
    unique_id: Callable[[int, Message], str] = lambda _number, message: f"id-{message.uid}"
    on_command: Callable[[str], None] = lambda _line: None


class Maildrop:
    """Listens on 127.0.0.1; `commands` are the lines of all sessions, `logins` the times of those that were let in."""

    def __init__(self, mailbox: Mailbox, manners: Manners | None = None) -> None:
        self.manners = manners or Manners()
        self.mailbox = mailbox
        self.commands: list[str] = []
        self.refusals = 0
        self.last_login_s = float("-inf")
        self._lock = threading.Lock()
        maildrop = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    _Session(maildrop, self.rfile.readline, self.wfile.write).run()

        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> Maildrop:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def let_in(self) -> bool:
        """Say whether a login comes late enough after the last one, and count it."""
        with self._lock:
            now_s = time.monotonic()
            if now_s - self.last_login_s < self.manners.login_delay_s:
                self.refusals += 1
                return False
            self.last_login_s = now_s
            return True

    def sent(self, keyword: str) -> list[str]:
        """Return the commands of one kind."""
        return [line for line in self.commands if line.split()[0] == keyword]

    def service(self) -> dict[str, object]:
        """Return the configuration of this server."""
        return {"host": "127.0.0.1", "port": self.port, "security": "plain", "timeout_s": 8}


class _Session:
    def __init__(self, maildrop: Maildrop, read: Callable[[], bytes], write: Callable[[bytes], object]) -> None:
        self._maildrop, self._read, self._write = maildrop, read, write
        self._listed: list[Message] = []
        self._doomed: set[int] = set()
        self._is_in = False

    def run(self) -> None:
        self._write(b"+OK ready\r\n")
        while line := self._read():
            text = line.decode().strip()
            self._maildrop.commands.append(text)
            self._maildrop.manners.on_command(text)
            keyword, *words = text.split() or [""]
            time.sleep(self._maildrop.manners.delays_s.get(keyword, 0.0))
            self._write(self._answer(keyword.upper(), words))
            if keyword.upper() == "QUIT":
                return

    def _answer(self, keyword: str, words: list[str]) -> bytes:
        if keyword == "CAPA":
            return self._capabilities()
        if keyword == "USER":
            return b"+OK\r\n"
        if keyword == "PASS":
            return self._log_in()
        if keyword == "UIDL":
            unique_id = self._maildrop.manners.unique_id
            return _listing([f"{n} {unique_id(n, one)}".encode() for n, one in enumerate(self._listed, 1)])
        if keyword == "LIST":
            return _listing([f"{n} {len(one.raw)}".encode() for n, one in enumerate(self._listed, 1)])
        if keyword in ("TOP", "RETR"):
            return self._text(keyword, int(words[0]), int(words[1]) if keyword == "TOP" else None)
        if keyword == "DELE":
            self._doomed.add(self._listed[int(words[0]) - 1].uid)
            return b"+OK\r\n"
        if keyword == "QUIT":
            self._maildrop.mailbox.expunge(self._doomed)
            return b"+OK\r\n"
        return b"-ERR unknown\r\n"

    def _capabilities(self) -> bytes:
        manners = self._maildrop.manners
        delay = manners.announced[self._is_in]
        lines = ["USER", "UIDL", *(["TOP"] if manners.has_top else [])]
        lines += [f"LOGIN-DELAY {delay}"] if delay is not None else []
        return _listing([line.encode() for line in lines])

    def _log_in(self) -> bytes:
        if not self._maildrop.let_in():
            return b"-ERR [LOGIN-DELAY] Logins must be at least 1 minute apart\r\n"
        self._is_in = True
        self._listed = self._maildrop.mailbox.messages
        return b"+OK\r\n"

    def _text(self, keyword: str, number: int, lines: int | None) -> bytes:
        message = self._listed[number - 1]
        if message.uid in self._maildrop.manners.refused or (keyword == "TOP" and not self._maildrop.manners.has_top):
            return b"-ERR cannot read this message\r\n"
        head, _, body = message.raw.partition(b"\r\n\r\n")
        shown = body.split(b"\r\n")[:lines]
        return _listing([*head.split(b"\r\n"), b"", *shown])


def _listing(lines: list[bytes]) -> bytes:
    stuffed = [b"." + line if line.startswith(b".") else line for line in lines]
    return b"+OK\r\n" + b"".join(line + b"\r\n" for line in stuffed) + b".\r\n"


def somebody_logs_in(port: int) -> None:
    """Log in and out again, as another program of the mailbox's owner does."""
    with socket.create_connection(("127.0.0.1", port), 5) as sock, sock.makefile("rwb") as stream:
        stream.readline()
        for line in (b"USER x\r\n", b"PASS x\r\n", b"QUIT\r\n"):
            stream.write(line)
            stream.flush()
            stream.readline()
