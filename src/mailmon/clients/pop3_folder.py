"""How is a maildrop watched like a folder? By a session for each look: POP3 shows no news within one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

from mailmon.clients.pop3 import Pop3Client
from mailmon.clients.tls import PeerCertificate
from mailmon.errors import Stage, StageError
from mailmon.mail.header import only_fields, received_at
from mailmon.mail.imapdata import Fetched, Quota

# Logins cost, and some servers count them; so often a probe is looked for.
LOOK_INTERVAL_S, LOOK_INTERVAL_STEP_S = 1.0, 0.2
QUIT_TIMEOUT_S = 1.0
# There is no search: leftovers and bounces of earlier probes are looked for among the newest messages.
MAX_LOOKED_THROUGH = 50
# What a line of a message holds on average, roughly: TOP counts in lines.
LINE_BYTES = 40


class Numbers:
    """A number for each unique-id, in the order in which a run met them; it holds from one session to the next."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, int], int] = {}

    def assign(self, unique_ids: dict[int, str]) -> dict[int, int]:
        """Return the messages' numbers in this session by our own, in ascending order of both.

        Identical messages may have one unique-id (RFC 1939 section 7): its second message is another one.
        """
        seen: dict[str, int] = {}
        found = {}
        for number, unique_id in sorted(unique_ids.items()):
            seen[unique_id] = seen.get(unique_id, 0) + 1
            found[self._of.setdefault((unique_id, seen[unique_id]), len(self._of) + 1)] = number
        return found

    @property
    def next(self) -> int:
        """Return the number that the next new message will have."""
        return len(self._of) + 1


class Pop3Folder:
    """The maildrop of one account, asked as a Folder is (folder.py)."""

    uid_validity = 1
    is_read_only = False

    def __init__(self, log_in: Callable[[], Pop3Client], numbers: Numbers) -> None:
        self._log_in = log_in
        self._numbers = numbers
        self._there: dict[int, int] = {}
        self._headers: dict[int, bytes] = {}
        self._fields: Sequence[str] = ()
        self._is_open = False
        self._looks = 0
        self._renew()
        self.uid_next = numbers.next

    @property
    def exists(self) -> int:
        """Return how many messages there were at the last look."""
        return len(self._there)

    @property
    def look_interval_s(self) -> float:
        """Return the seconds between two looks: more and more, for some servers count logins."""
        return max(self._login_delay_s, LOOK_INTERVAL_S + self._looks * LOOK_INTERVAL_STEP_S)

    def noop(self) -> bool:
        """Look again, in a new session; while somebody else is in the maildrop nothing is known."""
        self._looks += 1
        try:
            self._renew()
        except StageError as exc:
            if exc.finding_id != "pop3.in_use":
                raise
            return False
        return True

    def was_told(self) -> bool:
        """Nothing is ever told unasked."""
        return False

    def find_field(self, name: str, first_uid: int) -> list[int]:
        """Return the newest messages: they are all that there is time to look through."""
        return self._newest()

    def find_words(self, words: Sequence[str], *, since: datetime | None = None, first_uid: int = 0) -> list[int]:
        """Return the newest messages."""
        return [uid for uid in self._newest() if uid >= first_uid]

    def headers_from(self, uid: int, fields: Sequence[str]) -> list[Fetched]:
        """Return header fields and arrival time of the messages from a number on."""
        return self.headers_of([one for one in self._there if one >= uid], fields)

    def headers_of(self, uids: Collection[int], fields: Sequence[str]) -> list[Fetched]:
        """Return the same of certain messages. The time is that of the last hop: POP3 tells none."""
        self._open()
        self._fields = fields
        found = []
        for uid in uids:
            if uid in self._there:
                header = self._read_header(uid)
                self._headers[uid] = only_fields(header, fields)
                found.append(Fetched(self._there[uid], uid, self._headers[uid], received_at(header)))
        return found

    def fetch_start(self, uid: int, size_bytes: int) -> bytes:
        """Return the first bytes of a message, more or less."""
        self._open()
        if uid not in self._there:
            return b""
        self._session.begin(Stage.ARRIVAL)
        return self._session.start_of(self._there[uid], size_bytes // LINE_BYTES)[:size_bytes]

    def delete(self, uids: Iterable[int]) -> bool:
        """Delete messages, each only if it still is what it was judged to be: a unique-id may be used again."""
        self._open()
        for uid in uids:
            if uid in self._there and only_fields(self._read_header(uid), self._fields) == self._headers.get(uid):
                self._session.delete(self._there[uid])
        self._session.begin(Stage.CLEANUP)
        self._is_open = False
        self._session.quit()
        return True

    def quota(self) -> Quota | None:
        """POP3 tells none."""
        return None

    def begin(self, stage: Stage, timeout_s: float | None = None) -> None:
        """Start a new command with its own deadline, where a session is open; a new one has its own."""
        if self._is_open:
            self._session.begin(stage, timeout_s)

    def rest(self) -> None:
        """End the session: an open one locks the maildrop, on some servers against new mail too."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            self._session.begin(Stage.CLEANUP, QUIT_TIMEOUT_S)
            self._session.quit()
        except StageError:
            self._session.close()

    def now_s(self) -> float:
        """Return the monotonic clock."""
        return self._session.now_s()

    def certificate(self) -> PeerCertificate | None:
        """Return the server's certificate, None where it was not verified by its chain."""
        return self._certificate

    def close(self) -> None:
        """End the connection; never raises."""
        self.rest()

    def _newest(self) -> list[int]:
        return list(self._there)[-MAX_LOOKED_THROUGH:]

    def _open(self) -> None:
        if not self._is_open:
            self._renew()

    def _renew(self) -> None:
        self.rest()
        self._session = self._log_in()
        self._is_open = True
        self._certificate = self._session.certificate()
        self._login_delay_s = self._session.login_delay_s
        self._there = self._numbers.assign(self._session.unique_ids())

    def _read_header(self, uid: int) -> bytes:
        self._session.begin(Stage.ARRIVAL)
        return self._session.start_of(self._there[uid], 0)
