"""A server that knows the password and says it wherever a server may say something, in one place at a time."""

from __future__ import annotations

import socketserver
import threading
from base64 import b64encode
from collections.abc import Callable

SMTP_PLACES = (
    "greeting", "garbage", "ehlo", "auth line", "challenge", "auth", "mail", "rcpt", "data", "end", "queue id", "taken",
)  # fmt: skip
IMAP_PLACES = (
    "greeting", "garbage", "bye", "capability", "login", "alert", "select", "flags", "search", "fetch", "noop", "uid",
)  # fmt: skip
POP3_PLACES = ("greeting", "garbage", "capa", "user", "pass", "uidl", "uids", "list", "top")


class Echo:
    """Three servers on 127.0.0.1, in clear. `place` is (protocol, where); `said` is what stands there."""

    def __init__(self, said: str) -> None:
        self.said = said
        self.place = ("", "")
        self._servers = {name: _Server(self, speak) for name, speak in _SPEAKERS.items()}
        self.ports = {name: int(server.server_address[1]) for name, server in self._servers.items()}

    def __enter__(self) -> Echo:
        for server in self._servers.values():
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers.values():
            server.shutdown()
            server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True

    def __init__(self, echo: Echo, speak: Callable[[_Talk], None]) -> None:
        self.echo, self.speak = echo, speak
        super().__init__(("127.0.0.1", 0), _Session)


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, _Server)
        try:
            self.server.speak(_Talk(self, self.server.echo))
        except (OSError, EOFError):
            return


class _Talk:
    def __init__(self, session: socketserver.StreamRequestHandler, echo: Echo) -> None:
        self._session, self._echo = session, echo

    def say(self, *lines: str) -> None:
        self._session.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def hear(self) -> str:
        line = self._session.rfile.readline()
        if not line:
            raise EOFError
        return line.decode("utf-8", "replace").rstrip("\r\n")

    def at(self, protocol: str, where: str, evil: str, good: str) -> str:
        """Return the evil answer, with what is to be said in it, where this is the place for it, else the good one."""
        return evil.replace("ECHO", self._echo.said) if self._echo.place == (protocol, where) else good


def _speak_smtp(talk: _Talk) -> None:
    def at(where: str, evil: str, good: str) -> str:
        return talk.at("smtp", where, evil, good)

    talk.say(at("garbage", "ECHO", at("greeting", "554 5.7.1 ECHO", "220 mail.example.org ESMTP")))
    while line := talk.hear():
        verb = line[:4].upper()
        if verb == "EHLO":
            auth = at("auth line", "ECHO", at("challenge", "LOGIN", "PLAIN"))
            talk.say(at("ehlo", "550 5.7.1 ECHO", f"250-mail.example.org\r\n250 AUTH {auth}"))
        elif verb == "AUTH" and line.upper() == "AUTH LOGIN":
            challenge = b64encode(at("challenge", "ECHO", "Username:").encode()).decode()
            for _ in range(2):
                talk.say(f"334 {challenge}")
                talk.hear()
            talk.say(at("challenge", "535 5.7.8 ECHO", "235 ok"))
        elif verb == "AUTH":
            talk.say(at("auth", "535 5.7.8 ECHO", "235 2.7.0 ok"))
        elif verb == "DATA":
            talk.say(at("data", "451 4.3.0 ECHO", "354 go on"))
            if talk.at("smtp", "data", "x", "") == "":
                while talk.hear() != ".":
                    pass
                taken = at("queue id", "250 2.0.0 Ok: queued as ECHO", at("taken", "250 2.0.0 thanks ECHO", "250 ok"))
                talk.say(at("end", "554 5.7.1 ECHO", taken))
        elif verb in ("MAIL", "RCPT"):
            talk.say(at(verb.lower(), "550 5.7.1 ECHO", "250 2.1.0 ok"))
        else:
            talk.say("250 ok" if verb in ("RSET", "NOOP") else "221 bye")


def _speak_imap(talk: _Talk) -> None:
    def at(where: str, evil: str, good: str) -> str:
        return talk.at("imap", where, evil, good)

    talk.say(at("garbage", "ECHO", at("greeting", "* BYE ECHO", "* OK ready")))
    while line := talk.hear():
        tag, _, words = line.partition(" ")
        command = " ".join(words.upper().split(" ")[: 2 if words.upper().startswith("UID ") else 1])
        if command == "CAPABILITY":
            offered = at("capability", "LOGINDISABLED AUTH=ECHO", "IMAP4rev1 UIDPLUS AUTH=PLAIN")
            talk.say(f"* CAPABILITY IMAP4rev1 {offered}", f"{tag} OK done")
        elif command in ("LOGIN", "AUTHENTICATE"):
            if command == "AUTHENTICATE":
                talk.say("+ ")
                talk.hear()
            talk.say(at("alert", "* NO [ALERT] ECHO", "* OK hello"))
            refused = at(
                "login", f"{tag} NO [AUTHENTICATIONFAILED] ECHO", at("alert", f"{tag} NO ECHO", f"{tag} OK in")
            )
            talk.say(at("bye", "* BYE ECHO", refused))
            if at("bye", "x", ""):
                return  # as servers do that say it (RFC 9051, 7.1.5)
        elif command in ("SELECT", "EXAMINE"):
            talk.say("* 0 EXISTS", at("uid", "* OK [UIDVALIDITY ECHO] x", "* OK [UIDVALIDITY 1] x"))
            talk.say(at("flags", "* FLAGS (ECHO)", "* FLAGS ()"), "* OK [UIDNEXT 1] x")
            talk.say(at("select", f"{tag} NO ECHO", f"{tag} OK [READ-WRITE] open"))
        elif command in ("UID SEARCH", "UID FETCH", "NOOP"):
            where = command.rpartition(" ")[2].lower()
            talk.say(at(where, "* SEARCH ECHO", "* OK x"), at(where, f"{tag} NO ECHO", f"{tag} OK done"))
        else:
            talk.say(f"{tag} OK done")


def _speak_pop3(talk: _Talk) -> None:
    def at(where: str, evil: str, good: str) -> str:
        return talk.at("pop3", where, evil, good)

    talk.say(at("garbage", "ECHO", at("greeting", "-ERR ECHO", "+OK ready")))
    while line := talk.hear():
        verb = line[:4].upper()
        if verb == "CAPA":
            talk.say("+OK", *at("capa", "SASL ECHO", "USER|TOP|UIDL").split("|"), ".")
        elif verb in ("USER", "PASS"):
            talk.say(at(verb.lower(), "-ERR ECHO", "+OK"))
        elif verb == "UIDL":
            talk.say(at("uidl", "-ERR ECHO", at("uids", "+OK\r\n1 ECHO\r\n.", "+OK\r\n1 u1\r\n.")))
        elif verb == "LIST":
            talk.say(at("list", "-ERR ECHO", "+OK\r\n1 100\r\n."))
        elif verb in ("TOP ", "RETR"):
            talk.say(at("top", "-ERR ECHO", "+OK\r\nSubject: x\r\n\r\n."))
        else:
            talk.say("+OK")


_SPEAKERS: dict[str, Callable[[_Talk], None]] = {"smtp": _speak_smtp, "imap": _speak_imap, "pop3": _speak_pop3}
