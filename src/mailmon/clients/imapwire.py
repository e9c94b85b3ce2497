"""How does imaplib talk over our wire? Its documented seams, and a login that no transcript shows.

Why imaplib and not IMAPClient: docs/decisions/0003-imaplib.md.
"""

from __future__ import annotations

import imaplib
import re
from collections.abc import Callable
from typing import Any

from mailmon.clients.wire import MAX_LITERAL_BYTES, Wire
from mailmon.mail.imapdata import quoted
from mailmon.text import MASK, visible

# How many answers to one command are kept, and how many bytes of what it found: more is no answer to what we ask. There
# are servers that find every message whatever they are asked for, also in a folder of 100,000.
MAX_ANSWERS, MAX_FOUND_BYTES = 20_000, 1024 * 1024
# So much may come in one session that nobody asked for: flags that others change, messages that go.
MAX_UNASKED_BYTES = 32 * 1024 * 1024
# What an answer counts beside its own bytes: a short one takes time all the same.
_ANSWER_BYTES = 128
# What each command is answered with; the newest of what may ride on any answer is kept until it is read.
_ANSWERED_BY = {
    "FETCH": {"FETCH"},
    "SEARCH": {"SEARCH"},
    "LIST": {"LIST"},
    "CAPABILITY": {"CAPABILITY"},
    "GETQUOTAROOT": {"QUOTA", "QUOTAROOT"},
}
_NEWEST_OF = frozenset((
    "OK", "NO", "BAD", "BYE", "PREAUTH", "CAPABILITY", "EXISTS", "UIDNEXT", "UIDVALIDITY", "READ-ONLY", "READ-WRITE",
    "COPYUID", "TRYCREATE",
))  # fmt: skip
_LOGIN_ARGUMENTS = re.compile(rb"^(\S+ (?:LOGIN|AUTHENTICATE [A-Z0-9-]+))\b.*", re.DOTALL | re.IGNORECASE)


class WireImap(imaplib.IMAP4):
    """imaplib over our wire: `open`, `read`, `readline`, `send` and `shutdown` are its documented seams.

    imaplib keeps every untagged answer until somebody asks for its kind; a server that never stops talking would fill
    the memory. Here each command keeps what answers it, and drops the rest: at most the 8 MiB that the wire takes for
    one command, in MAX_ANSWERS pieces, and nothing from one command to the next but the newest of a few kinds.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._hides_input = self._has_asked = False
        self.keeps_bytes = MAX_LITERAL_BYTES
        self._wanted: set[str] = set()
        self._answers = self._answer_bytes = self._unasked_bytes = 0
        super().__init__()

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        """Take the connection that is there."""

    def read(self, size: int) -> bytes:
        return self._wire.read_start(size, self.keeps_bytes)

    def readline(self) -> bytes:
        return self._wire.read_line()

    def send(self, data: Any) -> None:
        raw = bytes(data)
        shown = None
        if self._hides_input:
            match = _LOGIN_ARGUMENTS.match(raw)
            shown = f"{visible(match[1])} {MASK}" if match else MASK
        self._wire.send(raw, shown)

    def capability(self) -> tuple[str, list[Any]]:
        """Return what is offered, as one line: some servers write several, of which imaplib takes the last."""
        typ, lines = super().capability()
        given = [line for line in lines if isinstance(line, bytes)]
        return typ, [b" ".join(given)] if given else lines

    def shutdown(self) -> None:
        self._wire.close()

    def _command(self, name: str, *args: Any) -> bytes:
        """Begin a command: what came before and was not read is forgotten."""
        asked = str(args[0]) if name == "UID" and args else name
        self._wanted = _ANSWERED_BY.get(asked.upper(), set())
        self._answers = self._answer_bytes = 0
        self._has_asked = True
        for kind in [kind for kind in self.untagged_responses if kind not in _NEWEST_OF]:
            del self.untagged_responses[kind]
        tag: bytes = super()._command(name, *args)  # type: ignore[misc]  # not in the stubs
        return tag

    def _append_untagged(self, typ: str, dat: Any) -> None:
        """Keep an answer that was asked for, or the newest of its kind. Raises StageError over the limits."""
        size_bytes = _ANSWER_BYTES + (sum(map(len, dat)) if isinstance(dat, tuple) else len(dat or b""))
        if typ in self._wanted:
            self._answers += 1
            self._answer_bytes += size_bytes
            if self._answers > MAX_ANSWERS or (typ == "SEARCH" and self._answer_bytes > MAX_FOUND_BYTES):
                said = f"an answer in {self._answers} parts with {self._answer_bytes} bytes, more than is taken"
                raise self._wire.error("protocol_error", said)
            super()._append_untagged(typ, dat)  # type: ignore[misc]  # not in the stubs
            return
        if typ in _NEWEST_OF:
            self.untagged_responses[typ] = [dat or b""]
        if typ == "BYE" and self._has_asked:
            # imaplib looks for it only before some reads: amid an AUTHENTICATE it would wait for the whole time-out.
            self._check_bye()
        self._unasked_bytes += size_bytes
        if self._unasked_bytes > MAX_UNASKED_BYTES:
            said = f"the server sent more than {MAX_UNASKED_BYTES // 1024**2} MiB that nobody asked for"
            raise self._wire.error("protocol_error", said)

    def _check_bye(self) -> None:
        """Raise what a BYE says, as it came: read as ASCII, a password that it quotes could not be told to be one."""
        if bye := self.untagged_responses.get("BYE"):
            raise self.abort(bye[-1])

    def login_hidden(self, username: str, password: str) -> None:
        """LOGIN, hidden from the transcript."""
        self._hides_input = True
        try:
            self.login(quoted(username), password)  # imaplib quotes only the password
        finally:
            self._hides_input = False

    def authenticate_hidden(self, mechanism: str, answer: Callable[[bytes], bytes]) -> None:
        """AUTHENTICATE, hidden from the transcript; `answer` is asked at each challenge."""
        self._hides_input = True
        try:
            self.authenticate(mechanism, answer)
        finally:
            self._hides_input = False
