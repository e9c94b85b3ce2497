"""The last step of a delivery, with faults (LMTP, RFC 2033, between Postfix and Dovecot).

Runs as a program of its own: `python lmtp_proxy.py LISTEN_PORT DOVECOT_PORT`. The recipient's detail ("+dup") says what
to do. SIGHUP refuses every mail that is being held back, so that none arrives after a reset.
"""

import re
import signal
import socket
import socketserver
import sys
import threading
import time
from types import FrameType
from typing import BinaryIO, cast

_LOOPBACK = "127.0.0.1"
_DETAIL = re.compile(r"\+([a-z0-9]+)@")
_DELAY = re.compile(r"d(\d+)")


class Proxy(socketserver.ThreadingTCPServer):
    """One thread for each connection of Postfix."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, listen_port: int, dovecot_port: int) -> None:
        super().__init__((_LOOPBACK, listen_port), Session)
        self.dovecot_port = dovecot_port
        self.cancelled = threading.Event()

    def cancel(self, _signal: int, _frame: FrameType | None) -> None:
        """Give up the mails held back now; later ones wait for a new event."""
        cancelled, self.cancelled = self.cancelled, threading.Event()
        cancelled.set()


class Session(socketserver.StreamRequestHandler):
    """Speak LMTP with Postfix: one reply for each recipient after the mail."""

    disable_nagle_algorithm = True  # else a reply waits for the delayed ACK of the one before: 40 ms
    sender = b""
    recipients: tuple[bytes, ...] = ()

    def handle(self) -> None:
        """Answer commands until the peer leaves."""
        self._reply("220 testbed LMTP proxy")
        for raw in self.rfile:
            line = raw.strip()
            verb = line[:4].upper()
            if verb == b"QUIT":
                self._reply("221 2.0.0 bye")
                return
            if verb == b"DATA" and self.recipients:
                self._take_mail()
            else:
                self._reply(self._answer(verb, line))

    def _answer(self, verb: bytes, line: bytes) -> str:
        if verb == b"LHLO":
            return "250-testbed\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250 8BITMIME"
        if verb == b"MAIL":
            self.sender, self.recipients = line, ()
            return "250 2.1.0 OK"
        if verb == b"RCPT":
            if _detail(line) == "defer":
                return "451 4.3.0 deferred (testbed)"
            self.recipients += (line,)
            return "250 2.1.5 OK"
        if verb in (b"RSET", b"NOOP"):
            self.recipients = () if verb == b"RSET" else self.recipients
            return "250 2.0.0 OK"
        return "503 5.5.1 no recipients" if verb == b"DATA" else "500 5.5.1 unknown command"

    def _take_mail(self) -> None:
        self._reply("354 go ahead")
        lines: list[bytes] = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line)
        else:
            return  # the peer left in the middle
        mail = b"".join(lines)
        for recipient in self.recipients:
            reply = self._deliver(recipient, mail)
            print(f"{time.time():.6f} {recipient.decode(errors='replace')} {reply}", flush=True)
            self._reply(reply)
        self.recipients = ()

    def _deliver(self, recipient: bytes, mail: bytes) -> str:
        proxy = cast(Proxy, self.server)
        detail = _detail(recipient)
        if detail == "blackhole":
            return "250 2.0.0 swallowed"
        delay = _DELAY.fullmatch(detail)
        if delay and proxy.cancelled.wait(int(delay[1]) / 1000):
            return "451 4.3.0 given up (testbed)"
        reply = ""
        for _ in range(2 if detail == "dup" else 1):
            reply = _forward(proxy.dovecot_port, self.sender, recipient, mail)
        return reply

    def _reply(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


def _detail(recipient: bytes) -> str:
    found = _DETAIL.search(recipient.decode("latin1").lower())
    return found[1] if found else ""


def _forward(port: int, sender: bytes, recipient: bytes, mail: bytes) -> str:
    """Hand the mail, dots still doubled, to Dovecot; return its last reply, or the first that refuses."""
    with socket.create_connection((_LOOPBACK, port), 30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as above: 40 ms
        replies = connection.makefile("rb")
        reply = _read_reply(replies)
        for command in (b"LHLO testbed", sender, recipient, b"DATA", mail + b"."):
            connection.sendall(command + b"\r\n")
            reply = _read_reply(replies)
            if reply[:1] not in ("2", "3"):
                return reply or "451 4.4.2 the mailbox server hung up"
        connection.sendall(b"QUIT\r\n")
    return reply


def _read_reply(stream: BinaryIO) -> str:
    while True:
        line = stream.readline().decode("latin1").strip()
        if len(line) < 4 or line[3] != "-":
            return line


def main() -> None:
    """Serve until killed."""
    proxy = Proxy(int(sys.argv[1]), int(sys.argv[2]))
    signal.signal(signal.SIGHUP, proxy.cancel)
    proxy.serve_forever()


if __name__ == "__main__":
    main()
