"""The servers of tests/diagnose/healthy.py, running: SMTP, IMAP, POP3 and ManageSieve on loopback, up to the login."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.diagnose.authority import Authority, Issued
from tests.diagnose.healthy import MODERN, Service

PORTS = {
    "smtp": 25, "submission": 587, "smtps": 465, "imap": 143, "imaps": 993, "pop3": 110, "pop3s": 995, "sieve": 4190,
}  # fmt: skip
IMPLICIT = ("smtps", "imaps", "pop3s")
SPOKEN = {"submission": "smtp", "smtps": "smtp", "imaps": "imap", "pop3s": "pop3"}
IDLE_S = 20.0
MAX_LINE = 4096
# Where the usual ports are taken, or are not ours to take, all of them are higher by this.
OFFSET = 20_000


def _offset(address: str) -> int:
    """Return what is added to each port: nothing where the usual ones are free and ours."""
    try:
        for port in PORTS.values():
            socket.create_server((address, port)).close()
    except OSError:
        return OFFSET
    return 0


class Over(Exception):
    """The conversation is over."""


class Door:
    """An address and port at which a service answers."""

    def __init__(self, service: Service, host: str, authority: Authority) -> None:
        self.service, self.host = service, host
        self.issued = [authority.issue(one, host) for one in service.certificates]
        self.context = _context(service, self.issued, authority.ca_file)
        if service.without_sni:
            self.context = _only_without_sni(self.context, authority.issue(service.without_sni, host))
        self.is_known = service.first is None
        self.busy = threading.Lock()

    def serve(self, sock: socket.socket, client: str) -> None:
        """Hold one conversation, and hang up."""
        sock.settimeout(IDLE_S)
        service = self.service if self.is_known or self.service.first is None else self.service.first
        if service.one_at_a_time and not self.busy.acquire(blocking=False):
            return
        try:
            talk = Talk(self, service, sock, client)
            with contextlib.suppress(Over, OSError):
                talk.run()
            talk.sock.close()
            self.is_known = self.is_known or bool(talk.words["recipient"])
        finally:
            if service.one_at_a_time:
                self.busy.release()


class Talk:
    """One conversation."""

    def __init__(self, door: Door, service: Service, sock: socket.socket, client: str) -> None:
        self.door, self.service, self.sock = door, service, sock
        self.words = {"host": door.host, "client": client, "recipient": "", "sender": "", "tag": "*"}
        self.kind = SPOKEN.get(service.kind, service.kind)
        self.is_tls = False
        self.errors = 0
        self.has_recipient = False
        self._buffer = b""

    def run(self) -> None:
        """Greet, and answer until the other side or we have had enough."""
        if self.service.kind in IMPLICIT:
            self.secure()
        time.sleep(self.service.delay_s)
        self.greet()
        answer: Callable[[str], None] = getattr(self, self.kind)
        for line in iter(self.line, None):
            answer(line)

    def line(self) -> str:
        """Read a line."""
        while b"\n" not in self._buffer:
            data = self.sock.recv(MAX_LINE)
            if not data or len(self._buffer) > MAX_LINE:
                raise Over
            self._buffer += data
        raw, _, self._buffer = self._buffer.partition(b"\n")
        return raw.rstrip(b"\r").decode("latin-1")

    def say(self, *lines: str) -> None:
        """Send lines, with the words of this conversation filled in."""
        texts = [re.sub(r"\{([a-z]+)\}", lambda word: self.words[word[1]], line) for line in lines]
        self.sock.sendall("".join(f"{text}\r\n" for line in texts for text in line.split("\n")).encode("latin-1"))

    def secure(self) -> None:
        """Begin TLS; what came in clear before is forgotten."""
        self._buffer = b""
        self.sock = self.door.context.wrap_socket(self.sock, server_side=True)
        self.is_tls = True

    def greet(self) -> None:
        """Say the greeting; whoever talks before its end is thrown out."""
        lines = self.service.greeting or GREETINGS[self.kind]
        for number, line in enumerate(lines or self.capabilities()):
            if number and self.service.gap_s:
                self.sock.settimeout(self.service.gap_s)
                with contextlib.suppress(TimeoutError):
                    self.sock.recv(1)
                    self.say("521 5.5.1 Protocol error")
                    raise Over
                self.sock.settimeout(IDLE_S)
            self.say(line)
        if self.service.greeting and re.match(r"[45]\d\d ", self.service.greeting[-1]):
            raise Over

    def offers(self, default: Sequence[str], begins_tls: str) -> list[str]:
        """Return what is offered now, with the command that begins TLS."""
        offered = self.service.offers_in_tls if self.is_tls else None
        offered = self.service.offers if offered is None else offered
        kept = list(default if offered is None else offered)
        if self.is_tls:
            return [one for one in kept if one.upper() not in (begins_tls, "LOGINDISABLED")]
        if begins_tls in (one.upper() for one in kept):
            return kept
        return [*kept[:1], begins_tls, *kept[1:]]

    def ruled(self, text: str) -> str:
        """Return the reply that a rule of the service has for a command, "" for none."""
        rules = (*self.service.rules, *(() if self.is_tls else self.service.rules_before_tls))
        return next((reply for pattern, reply in rules if re.search(pattern, text, re.IGNORECASE)), "")

    # SMTP

    def smtp(self, line: str) -> None:
        """Answer an SMTP command."""
        verb = line.split(" ")[0].upper()
        reply = self._smtp_reply(verb, line)
        self.say(reply)
        if reply[0] in "45":
            self.errors += 1
            if self.errors >= self.service.errors:
                self.say("421 4.5.0 Too many errors, bye")
                raise Over
        if verb == "QUIT" or (verb == "DATA" and reply[0] == "3"):
            if verb == "DATA":
                self.line()
            raise Over
        if verb == "STARTTLS" and reply[0] == "2":
            self.secure()

    def _smtp_reply(self, verb: str, line: str) -> str:
        match verb:
            case "RCPT":
                return self._rcpt(line)
            case "MAIL":
                self.words["sender"], self.has_recipient = _address(line), False
                return self.ruled(line) or "250 2.1.0 Ok"
            case "EHLO" | "HELO" if reply := self.ruled(line):
                return reply
            case "EHLO":
                has_auth = self.service.kind != "smtp" and self.is_tls
                offered = self.offers((*MODERN, *(["AUTH PLAIN LOGIN"] if has_auth else [])), "STARTTLS")
                lines = [self.service.ehlo, *offered]
                return "\n".join([*(f"250-{one}" for one in lines[:-1]), f"250 {lines[-1]}"])
        if reply := self.ruled(line):
            return reply
        if verb == "DATA":
            return "354 End data with <CR><LF>.<CR><LF>" if self.has_recipient else "503 5.5.1 Error: need RCPT command"
        if verb == "STARTTLS" and self.is_tls:
            return "503 5.5.1 Error: TLS already active"
        return SMTP_REPLIES.get(verb, "500 5.5.2 Error: command not recognized")

    def _rcpt(self, line: str) -> str:
        recipient, sender = _address(line), self.words["sender"]
        self.words["recipient"] = recipient
        reply = self.ruled(f"RCPT {recipient} FROM {sender}")
        local, _, domain = recipient.rpartition("@") if "@" in recipient else (recipient, "", "")
        if not reply and self.service.kind != "smtp":
            reply = self.service.relay
        if not reply and domain.lower() not in ("", self.door.host, "firm.example"):
            reply = self.service.relay
        if not reply and re.search(r'[%!@"]', local) and not self.service.takes_all:
            reply = self.service.relay
        if not reply:
            is_known = self.service.takes_all or local.lower() in ("postmaster", "abuse", "info")
            reply = self.service.known if is_known else self.service.unknown
        self.has_recipient = self.has_recipient or reply.startswith("2")
        return reply

    # IMAP, POP3, ManageSieve

    def capabilities(self) -> list[str]:
        """Return the capabilities of ManageSieve."""
        logins = ('"SASL" "PLAIN LOGIN"',) if self.is_tls else ('"SASL" ""',)
        base = ('"IMPLEMENTATION" "Dovecot Pigeonhole"', '"SIEVE" "fileinto reject"', '"VERSION" "1.0"')
        return [*self.offers((*base, *logins), '"STARTTLS"'), 'OK "ready."']

    def imap(self, line: str) -> None:
        """Answer an IMAP command."""
        tag, _, rest = line.partition(" ")
        self.words["tag"] = tag
        verb = rest.split(" ")[0].upper()
        if reply := self.ruled(rest):
            return self.say(reply)
        match verb:
            case "CAPABILITY":
                logins = ("AUTH=PLAIN", "AUTH=LOGIN") if self.is_tls else ("LOGINDISABLED",)
                offered = self.offers(("IMAP4rev1", "SASL-IR", "ID", "ENABLE", "IDLE", *logins), "STARTTLS")
                self.say(f"* CAPABILITY {' '.join(offered)}", f"{tag} OK Capability completed.")
            case "STARTTLS" if not self.is_tls:
                self.say(f"{tag} OK Begin TLS negotiation now.")
                self.secure()
            case "LOGOUT":
                self.say("* BYE Logging out", f"{tag} OK Logout completed.")
                raise Over
            case "NOOP" | "ID":
                self.say(f"{tag} OK Done.")
            case "LOGIN" | "AUTHENTICATE":
                self.say(f"{tag} NO [AUTHENTICATIONFAILED] Authentication failed.")
            case _:
                self.say(f"{tag} BAD Error in IMAP command")
        return None

    def pop3(self, line: str) -> None:
        """Answer a POP3 command."""
        verb = line.split(" ")[0].upper()
        if reply := self.ruled(line):
            return self.say(reply)
        match verb:
            case "CAPA":
                logins = ("USER", "SASL PLAIN LOGIN") if self.is_tls else ("SASL",)
                self.say("+OK", *self.offers(("CAPA", "TOP", "UIDL", "RESP-CODES", *logins), "STLS"), ".")
            case "STLS" if not self.is_tls:
                self.say("+OK Begin TLS negotiation now.")
                self.secure()
            case "QUIT":
                self.say("+OK Logging out")
                raise Over
            case "NOOP":
                self.say("+OK")
            case "USER" | "PASS" | "AUTH" | "APOP":
                self.say("-ERR [AUTH] Authentication failed.")
            case _:
                self.say("-ERR Unknown command.")
        return None

    def sieve(self, line: str) -> None:
        """Answer a ManageSieve command."""
        verb = line.split(" ")[0].upper()
        reply = self.ruled(line)
        match verb:
            case "CAPABILITY" if self.service.greeting and not self.is_tls:
                self.say(*self.service.greeting)
            case "CAPABILITY":
                self.say(*self.capabilities())
            case "STARTTLS" if not self.is_tls:
                self.say(reply or 'OK "Begin TLS negotiation now."')
                self.secure()
                self.say(*self.capabilities())
            case "LOGOUT":
                self.say(reply or 'OK "Logout completed."')
                raise Over
            case "NOOP":
                self.say(reply or 'OK "Done"')
            case "AUTHENTICATE":
                self.say(reply or 'NO "Authentication failed."')
            case _:
                self.say(reply or 'NO "Error in MANAGESIEVE command."')


GREETINGS: dict[str, tuple[str, ...]] = {
    "smtp": ("220 {host} ESMTP",),
    "imap": ("* OK {host} ready.",),
    "pop3": ("+OK {host} ready.",),
    "sieve": (),
}
SMTP_REPLIES = {
    "HELO": "250 {host}",
    "VRFY": "252 2.0.0 Cannot VRFY user",
    "EXPN": "502 5.5.1 Error: command not recognized",
    "RSET": "250 2.0.0 Ok",
    "NOOP": "250 2.0.0 Ok",
    "HELP": "214 2.0.0 See RFC 5321",
    "QUIT": "221 2.0.0 Bye",
    "STARTTLS": "220 2.0.0 Ready to start TLS",
    "AUTH": "535 5.7.8 Error: authentication failed",
}


def _address(line: str) -> str:
    found = re.search(r"<(.*)>", line)
    return found[1] if found else ""


def _context(service: Service, issued: Sequence[Issued], ca_file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # for the old root with SHA-1 that is only sent along
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if service.tls_max == "1.2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    for one in issued:
        context.load_cert_chain(one.chain, one.chain.with_suffix(".key"))
    if service.client_certificate:
        context.load_verify_locations(ca_file)
        is_demanded = service.client_certificate == "demanded"
        context.verify_mode = ssl.CERT_REQUIRED if is_demanded else ssl.CERT_OPTIONAL
    return context


def _only_without_sni(context: ssl.SSLContext, issued: Issued) -> ssl.SSLContext:
    default = _context(Service("smtp"), [issued], issued.chain)

    def choose(handshake: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
        if name is not None:
            handshake.context = context

    default.sni_callback = choose
    return default


class Doors:
    """All services, listening; each host at an address of its own, 127.N.0.x."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._selector = selectors.DefaultSelector()
        self.net = 130 + os.getpid() % 60
        self._count = 0
        self._is_over = threading.Event()
        self.offset = _offset(f"127.{self.net}.255.254")

    def open(self, host: str, services: Sequence[Service], address: str = "") -> tuple[str, list[Door]]:
        """Let the services of a host answer; return its address, by default the next one, and where they answer."""
        self._count += not address
        address = address or f"127.{self.net}.{self._count // 250}.{self._count % 250 + 1}"
        doors = [Door(service, host, self._authority) for service in services]
        for door in doors:
            place = (address, PORTS[door.service.kind] + self.offset)
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            listener = socket.create_server(place, family=family, backlog=50)
            listener.setblocking(False)
            self._selector.register(listener, selectors.EVENT_READ, door)
        return address, doors

    def __enter__(self) -> Doors:
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join(5)
        for key in list(self._selector.get_map().values()):
            socket.socket.close(key.fileobj)  # type: ignore[arg-type]
        self._selector.close()

    def _accept(self) -> None:
        while not self._is_over.is_set():
            for key, _ in self._selector.select(0.1):
                assert isinstance(key.fileobj, socket.socket)
                with contextlib.suppress(OSError):
                    sock, client = key.fileobj.accept()
                    threading.Thread(target=_serve, args=(key.data, sock, client[0]), daemon=True).start()


def _serve(door: Door, sock: socket.socket, client: str) -> None:
    with sock:
        door.serve(sock, client)
