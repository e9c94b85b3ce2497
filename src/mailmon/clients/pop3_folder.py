"""A POP3 maildrop watched like a folder: one session per poll, because POP3 shows nothing new within one.

How often somebody may log in is the server's word (LOGIN-DELAY), and how much is read of what lies there has a bound
for each look and for the run: there is no search, so each message costs an answer of the server.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from mailmon.clients.pop3 import LoginTooSoonError, Pop3Client
from mailmon.clients.tls import PeerCertificate
from mailmon.clients.wire import LOGIN_TIMEOUT_S
from mailmon.errors import Stage, StageError
from mailmon.mail.imapdata import Fetched, Quota
from mailmon.mail.message.header import only_fields, received_at
from mailmon.text import format_duration

# Logins cost, and some servers count them; so often a probe is looked for.
LOOK_INTERVAL_S, LOOK_INTERVAL_STEP_S = 1.0, 0.2
QUIT_TIMEOUT_S = 1.0
# There is no search: leftovers and bounces of earlier probes are looked for among the newest messages.
MAX_LOOKED_THROUGH = 50
# So long is read in one look, or as long as its login took; and so long, and so much, in one run.
LOOK_S, RUN_S = 5.0, 60.0
LOOK_BYTES, RUN_BYTES = 4 * 1024 * 1024, 32 * 1024 * 1024
# Without TOP a message is read as a whole; one that is larger is not.
MAX_WHOLE_BYTES = 1024 * 1024
# A message whose reading failed so often is left alone.
MAX_FAILURES = 2
# What a line of a message holds on average, roughly: TOP counts in lines.
LINE_BYTES = 40
# Where a server refuses a login as too soon without saying how long it wants (Cyrus: a minute).
DEFAULT_DELAY_S = 60.0
# Servers count in whole seconds.
DELAY_GRAIN_S = 1.0
# So long is waited, once, for somebody else's session to end.
IN_USE_PAUSE_S = 5.0


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


class Pace:
    """When one run may log in to a maildrop: what the server says of it is kept (RFC 2449 sections 6.5 and 8.1.1).

    `until_s` is when nothing may be waited for any more, on the clock `monotonic`; by default nothing is.
    """

    def __init__(
        self,
        until_s: float = 0.0,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._until_s, self._sleep, self._monotonic = until_s, sleep, monotonic
        self._last: Pop3Client | None = None
        self.next_at_s = self.login_s = 0.0

    def log_in(self, log_in: Callable[[], Pop3Client]) -> Pop3Client:
        """Log in, or say at once that it is too soon. The first login of a run waits once for what keeps it out.

        Raises StageError; where the server's delay is not over (LoginTooSoonError), without asking it.
        """
        left_s = self.next_at_s - self._monotonic()
        if self._last and left_s > 0:
            raise self._last.login_too_soon(left_s)
        try:
            return self._noted(log_in)
        except StageError as exc:
            pause_s = self._pause_s(exc)
            self.next_at_s = self._monotonic() + pause_s
            if self._last or not pause_s or self.next_at_s + LOGIN_TIMEOUT_S > self._until_s:
                raise
        self._sleep(pause_s)
        return self._noted(log_in)

    def _noted(self, log_in: Callable[[], Pop3Client]) -> Pop3Client:
        began_s = self._monotonic()
        self._last = client = log_in()
        self.login_s = self._monotonic() - began_s
        delay_s = client.login_delay_s
        self.next_at_s = self._monotonic() + delay_s + DELAY_GRAIN_S if delay_s else 0.0
        return client

    def _pause_s(self, exc: StageError) -> float:
        """Return for how long a refusal keeps everybody out, 0 where waiting is of no use."""
        if isinstance(exc, LoginTooSoonError):
            return (exc.delay_s or DEFAULT_DELAY_S) + DELAY_GRAIN_S
        return IN_USE_PAUSE_S if exc.finding_id == "pop3.in_use" else 0.0


class Reading:
    """What one run has read of a maildrop, and how much more it may read."""

    def __init__(self) -> None:
        self.read: set[int] = set()
        self.first_new: int | None = None
        self._failures: Counter[int] = Counter()
        self._run_s, self._run_bytes = 0.0, 0
        self._began_s, self._share_s, self._look_bytes = 0.0, LOOK_S, 0
        self._is_fresh = True
        self.problem = ""

    def begin(self, now_s: float, login_s: float = 0.0) -> None:
        """Begin a look: it may last as long as its login did, for another one costs as much."""
        self._began_s, self._share_s, self._look_bytes = now_s, max(LOOK_S, login_s), 0
        self._is_fresh = True

    def may_go_on(self, now_s: float) -> bool:
        """Return whether one more message may be read; the first of a look always may."""
        if self._is_fresh:
            return True
        if now_s - self._began_s >= self._share_s or self._look_bytes >= LOOK_BYTES:
            self.problem = f"a look ends after {format_duration(self._share_s)} or {LOOK_BYTES // 1024**2} MiB"
        elif self._run_s >= RUN_S or self._run_bytes >= RUN_BYTES:
            self.problem = f"a run reads for {format_duration(RUN_S)} or {RUN_BYTES // 1024**2} MiB at most"
        else:
            return True
        return False

    def spend(self, seconds: float, size_bytes: int) -> None:
        """Note what reading one message took."""
        self._is_fresh = False
        self._run_s += seconds
        self._run_bytes += size_bytes
        self._look_bytes += size_bytes

    def fail(self, uid: int, why: str) -> None:
        """Note that a message could not be read; after MAX_FAILURES nobody tries again."""
        self._failures[uid] += 1
        self.problem = why

    def is_due(self, uid: int) -> bool:
        """Return whether a message was not read yet, and is not given up."""
        return uid not in self.read and self._failures[uid] < MAX_FAILURES


class Pop3Folder:
    """The maildrop of one account, asked as a Folder is (folder.py)."""

    uid_validity = 1
    is_read_only = False
    can_expunge = True

    def __init__(
        self,
        log_in: Callable[[], Pop3Client],
        numbers: Numbers,
        pace: Pace | None = None,
        reading: Reading | None = None,
    ) -> None:
        self._log_in = log_in
        self._numbers = numbers
        self._pace = pace or Pace()
        self._reading = reading or Reading()
        self._there: dict[int, int] = {}
        self._headers: dict[int, bytes] = {}
        self._sizes: dict[int, int] = {}
        self._is_open = False
        self._looks = 0
        self.is_current = False
        self._renew()
        self.uid_next = numbers.next
        if self._reading.first_new is None:
            self._reading.first_new = self.uid_next

    @property
    def exists(self) -> int:
        """Return the number of messages at the last poll."""
        return len(self._there)

    @property
    def poll_interval_s(self) -> float:
        """Return the seconds between two looks: more and more, for some servers count logins."""
        return LOOK_INTERVAL_S + self._looks * LOOK_INTERVAL_STEP_S

    @property
    def next_poll_s(self) -> float:
        """Return the monotonic time from which on the server lets us log in again, 0 where it sets none."""
        return self._pace.next_at_s

    @property
    def unread(self) -> int:
        """Return how many messages that came during this run were not looked at."""
        assert self._reading.first_new is not None
        return sum(uid not in self._reading.read for uid in self._there if uid >= self._reading.first_new)

    @property
    def passed_over(self) -> str:
        """Say how many messages were not looked at, and why; "" where there are none."""
        count = sum(uid not in self._reading.read for uid in self._there)
        if not count:
            return ""
        why = self._reading.problem or f"leftovers are looked for among the newest {MAX_LOOKED_THROUGH}"
        return f"{count} of {self.exists} messages were not looked at: {why}"

    def noop(self) -> bool:
        """Poll again, in a new session; while another client has the maildrop nothing is known."""
        self._looks += 1
        try:
            self._renew()
        except StageError as exc:
            self.is_current = False
            if exc.finding_id not in ("pop3.in_use", "pop3.login_delay"):
                raise
            return False
        return True

    def was_told(self) -> bool:
        """Return False: POP3 servers announce nothing."""
        return False

    def find_field(self, name: str, first_uid: int) -> list[int]:
        """Return those of the newest messages that were not read yet: they are all that there is time for."""
        return [uid for uid in self._newest() if self._reading.is_due(uid)]

    def find_words(self, words: Sequence[str], *, since: datetime | None = None, first_uid: int = 0) -> list[int]:
        """Return the same from a number on, and the newest message: a server may give it another's unique-id."""
        newest = self._newest()
        due = [uid for uid in newest if uid >= first_uid and self._reading.is_due(uid)]
        return due or [uid for uid in newest[-1:] if uid in self._reading.read]

    def headers_from(self, uid: int, fields: Sequence[str]) -> list[Fetched]:
        """Return header fields and arrival time of the messages from a number on, and of new ones not read before."""
        first = min(uid, self._reading.first_new or uid)
        return self.headers_of([one for one in self._there if one >= first and self._reading.is_due(one)], fields)

    def headers_of(self, uids: Collection[int], fields: Sequence[str]) -> list[Fetched]:
        """Return the same of certain messages, the newest first, as far as there is time to read them.

        The time is that of the last hop: POP3 reports none.
        """
        self._open()
        found = []
        for uid in sorted((uid for uid in uids if uid in self._there), reverse=True):
            if not self._reading.may_go_on(self.now_s()):
                break
            header = self._try_header(uid)
            if header is not None:
                self._headers[uid] = only_fields(header, fields)
                found.append(Fetched(self._there[uid], uid, self._headers[uid], received_at(header)))
            if not self._is_open:
                break
        return found

    def fetch_start(self, uid: int, size_bytes: int) -> bytes:
        """Return the first bytes of a message, more or less; nothing where it is gone or there is no time for it."""
        if not self._reading.may_go_on(self.now_s()):
            self._reading.read.discard(uid)
            return b""
        self._open()
        if uid not in self._there:
            return b""
        return self._read(uid, size_bytes // LINE_BYTES, size_bytes)

    def uids_from(self, uid: int) -> list[int]:
        """Return the numbers of the messages from one on."""
        return [one for one in self._there if one >= uid]

    def reopen(self) -> None:
        """Do nothing: each poll is a new session."""

    def open_to_delete(self) -> None:
        """Every session may delete."""

    def read_again(self, uids: Collection[int], fields: Sequence[str]) -> tuple[list[Fetched], set[int]]:
        """Return header fields of messages that are about to be deleted, and the numbers of those that are gone."""
        self._open()
        self.begin_reading()
        return self.headers_of(uids, fields), {uid for uid in uids if uid not in self._there}

    def delete(self, messages: Sequence[Fetched]) -> bool:
        """Delete messages, each only if it is what was read last: a unique-id may be used again."""
        self._open()
        for message in messages:
            if message.uid in self._there and message.text == self._headers.get(message.uid):
                self._session.begin(Stage.CLEANUP)
                self._session.delete(self._there[message.uid])
        self._session.begin(Stage.CLEANUP)
        self._is_open = False
        self._session.quit()
        return True

    def left_of(self, uids: Collection[int], uid_next: int, fields: Sequence[str]) -> list[Fetched]:
        """Look again, in a new session; while somebody else is in the maildrop what was deleted is taken to be gone."""
        if not self.noop():
            return []
        left = [one for one in self._there if one in uids]
        return [*self.headers_of(left, fields), *self.headers_from(uid_next, fields)]

    def quota(self) -> Quota | None:
        """Return None: POP3 has no quotas."""
        return None

    def advice_on(self, folder: str) -> str | None:
        """POP3 has no folders."""
        return None

    def begin(self, stage: Stage, timeout_s: float | None = None) -> None:
        """Start a new command with its own deadline, where a session is open; a new one has its own."""
        if self._is_open:
            self._session.begin(stage, timeout_s)

    def begin_reading(self) -> None:
        """Allow as much reading as in a look."""
        self._reading.begin(self.now_s())

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
        session = self._pace.log_in(self._log_in)
        self._session, self._is_open = session, True
        self._certificate = session.certificate()
        self._there = self._numbers.assign(session.unique_ids())
        self._sizes = {} if session.has_top else session.sizes()
        self.is_current = True
        self._reading.begin(self.now_s(), self._pace.login_s)

    def _try_header(self, uid: int) -> bytes | None:
        """Return the header of a message, None where it cannot be read: the others must not suffer from that one."""
        size = self._sizes.get(self._there[uid], 0)
        if size > MAX_WHOLE_BYTES:
            self._reading.fail(uid, f"the server has no TOP, and a message of {size} bytes is not read as a whole")
            return None
        try:
            header = self._read(uid, 0)
        except StageError as exc:
            if exc.lost:
                raise
            self._reading.fail(uid, exc.message)
            if not exc.finding_id.endswith(".command_failed"):
                # The answer may still come: what follows could not be told from it.
                self._is_open = False
                self._session.close()
            return None
        self._reading.read.add(uid)
        return header

    def _read(self, uid: int, lines: int, most_bytes: int | None = None) -> bytes:
        began_s = self.now_s()
        self._session.begin(Stage.ARRIVAL)
        try:
            start = self._session.start_of(self._there[uid], lines, *([] if most_bytes is None else [most_bytes]))
        except StageError:
            self._reading.spend(self.now_s() - began_s, 0)
            raise
        self._reading.spend(self.now_s() - began_s, len(start))
        return start
