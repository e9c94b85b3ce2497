"""A throw-away mailbox: plain SMTP without a login, and an IMAP server that gets most things wrong.

Everything in clear; any password; READ-ONLY; no STORE, EXPUNGE or IDLE; SEARCH ignores what is asked; the newest
message is always UID 1; FETCH always gives the whole message; nothing is told unasked.
"""

from __future__ import annotations

import re
import socketserver
import threading
import time
from base64 import b64decode
from email import message_from_bytes
from email.utils import parseaddr
from typing import Any

# A 250 comes before the row is written.
_WRITE_S = 0.03


class Dynip:
    """The two servers, on 127.0.0.1, between `with` and its end; `mails` are by address, the newest first."""

    def __init__(self) -> None:
        self.mails: dict[str, list[bytes]] = {}
        self.passwords: list[str] = []
        self._servers = [_server(_Smtp, self), _server(_Imap, self)]
        self.smtp_port, self.imap_port = (server.server_address[1] for server in self._servers)

    def __enter__(self) -> Dynip:
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def store(self, raw: bytes) -> None:
        """Keep a message under its To, a little later, with what is no UTF-8 in it replaced."""
        time.sleep(_WRITE_S)
        address = parseaddr(str(message_from_bytes(raw)["To"]))[1]
        self.mails.setdefault(address.lower(), []).insert(0, raw.decode("utf-8", "replace").encode())


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True
    peer: Dynip


def _server(handler: type[socketserver.BaseRequestHandler], peer: Dynip) -> _Server:
    server = _Server(("127.0.0.1", 0), handler)
    server.peer = peer
    return server


class _Session(socketserver.StreamRequestHandler):
    @property
    def peer(self) -> Dynip:
        server: Any = self.server
        found: Dynip = server.peer
        return found

    def say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


class _Smtp(_Session):
    def handle(self) -> None:
        self.say("220 mail.tempmail.example ESMTP")
        while line := self.rfile.readline():
            verb = line[:4].upper().decode("latin-1")
            if verb == "DATA":
                self.say("354 go on")
                raw = b"".join(iter(self.rfile.readline, b".\r\n")).replace(b"\r\n..", b"\r\n.")
                threading.Thread(target=self.peer.store, args=(raw,), daemon=True).start()
                self.say("250 OK")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            elif verb in ("EHLO", "HELO"):
                self.say("250-mail.tempmail.example", "250 8BITMIME")
            else:
                self.say("250 OK" if verb in ("MAIL", "RCPT", "RSET", "NOOP") else "500 what?")


class _Imap(_Session):
    def handle(self) -> None:
        self.address = ""
        self.say("* OK IMAP4rev1 Service Ready")
        while line := self.rfile.readline():
            tag, _, command = line.decode("utf-8", "replace").strip().partition(" ")
            name, _, words = command.partition(" ")
            if name.upper() == "UID":
                name, _, words = words.partition(" ")
                name = f"UID_{name}"
            answer = getattr(self, f"do_{name.upper()}", None)
            if answer is None:
                self.say(f"{tag} BAD Unknown command")
            elif answer(tag, words):
                return

    def do_CAPABILITY(self, tag: str, _words: str) -> None:
        self.say("* CAPABILITY IMAP4rev1 AUTH=PLAIN LOGIN", f"{tag} OK CAPABILITY completed")

    def do_LOGIN(self, tag: str, words: str) -> None:
        # Escapes are not known: what stands between quotes is taken as it is.
        name, password = (quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', words)[:2])
        self._enter(tag, name, password)

    def do_AUTHENTICATE(self, tag: str, words: str) -> None:
        if words.upper() != "PLAIN":  # nor is an initial response
            self.say(f"{tag} NO Unsupported authentication mechanism")
            return
        self.say("+ ")
        _, name, password = b64decode(self.rfile.readline()).decode().split("\0")
        self._enter(tag, name, password)

    def _enter(self, tag: str, name: str, password: str) -> None:
        self.address = name.lower()
        self.peer.passwords.append(password)
        self.say(f"{tag} OK logged in")

    def do_NOOP(self, tag: str, _words: str) -> None:
        self.say(f"{tag} OK NOOP completed")

    def do_SELECT(self, tag: str, _words: str) -> None:
        count = len(self._mails())
        self.say(f"* {count} EXISTS", "* 0 RECENT", "* OK [UIDVALIDITY 1]", f"* OK [UIDNEXT {count + 1}]")
        self.say("* FLAGS ()", "* OK [PERMANENTFLAGS ()]", f"{tag} OK [READ-ONLY] SELECT completed")

    do_EXAMINE = do_SELECT

    def do_SEARCH(self, tag: str, _words: str) -> None:
        numbers = " ".join(str(number) for number in range(1, len(self._mails()) + 1))
        self.say(f"* SEARCH {numbers}".rstrip(), f"{tag} OK SEARCH completed")

    do_UID_SEARCH = do_SEARCH

    def do_UID_FETCH(self, tag: str, words: str) -> None:
        mails = self._mails()
        for number in _numbers(words.split(" ")[0], len(mails)):
            raw = mails[number - 1]
            self.say(f"* {number} FETCH (UID {number} FLAGS () BODY[] {{{len(raw)}}}")
            self.wfile.write(raw)
            self.say(")")
        self.say(f"{tag} OK FETCH completed")

    def do_LOGOUT(self, tag: str, _words: str) -> bool:
        self.say("* BYE", f"{tag} OK LOGOUT completed")
        return True

    def _mails(self) -> list[bytes]:
        return list(self.peer.mails.get(self.address, []))


def _numbers(chosen: str, count: int) -> list[int]:
    found: set[int] = set()
    for part in chosen.split(","):
        low, _, high = part.replace("*", str(count)).partition(":")
        first, last = sorted((int(low), int(high or low)))
        found |= set(range(max(first, 1), min(last, count) + 1))
    return sorted(found)
