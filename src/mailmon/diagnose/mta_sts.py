"""The MTA-STS policy of a domain as senders see it (RFC 8461 section 3), fetched once."""

from __future__ import annotations

import contextlib
import threading
from typing import NamedTuple

from mailmon.clients.deadline import Deadline
from mailmon.clients.fetch import Fetch, Fetched, FetchError
from mailmon.clients.records import Records
from mailmon.mail.records.mta_sts import is_sts, read_id, read_policy
from mailmon.mail.records.tags import Mistake

MAX_BYTES = 64 * 1024
HTTPS_PORT = 443


class PolicyAccess(NamedTuple):
    """How the policy is fetched; `timeout_s` bounds the whole fetch, in seconds."""

    timeout_s: float
    ca_file: str | None = None
    port: int = HTTPS_PORT


class MtaStsPolicy:
    """Looks up the record and the policy of one domain. Safe for threads."""

    def __init__(self, domain: str, records: Records, deadline: Deadline, access: PolicyAccess) -> None:
        self._domain, self._records, self._deadline, self._access = domain, records, deadline, access
        self._lock = threading.Lock()
        self._outcome: Fetched | FetchError | None = None

    @property
    def host(self) -> str:
        """Return the host that serves the policy."""
        return f"mta-sts.{self._domain}"

    def is_announced(self) -> bool:
        """Return whether there is one valid record; without it no sender asks for a policy (RFC 8461 section 3.1)."""
        if not self._domain:
            return False
        texts = [text for text in self._records.ask(f"_mta-sts.{self._domain}", "TXT").values if is_sts(text)]
        try:
            return len(texts) == 1 and bool(read_id(texts[0]))
        except Mistake:
            return False

    def fetch(self) -> Fetched:
        """Return the policy file. Raises FetchError, the same for all who ask."""
        with self._lock:
            if self._outcome is None:
                self._outcome = self._fetch()
        if isinstance(self._outcome, FetchError):
            raise self._outcome
        return self._outcome

    def mode(self) -> str:
        """Return the mode of the policy, "" where senders find none."""
        try:
            return read_policy(self.fetch().text).mode if self.is_announced() else ""
        except (FetchError, Mistake):
            return ""

    def trouble(self) -> str:
        """Return why senders cannot use the policy that is announced, "" where they can."""
        try:
            if self.is_announced():
                read_policy(self.fetch().text)
        except FetchError as exc:
            return exc.message
        except Mistake as exc:
            return str(exc)
        return ""

    def _fetch(self) -> Fetched | FetchError:
        addresses, trouble = self._records.addresses(self.host)
        if not addresses:
            return FetchError(f"{self.host} has no address: {trouble.why if trouble else 'no record'}")
        path, ca_file = "/.well-known/mta-sts.txt", self._access.ca_file
        fetch = Fetch(self.host, self._access.port, path, addresses, ca_file, MAX_BYTES)
        try:
            return fetch.run(self._deadline.bound_s(self._access.timeout_s))
        except FetchError as exc:
            if ca_file and not exc.is_ours:
                # A private CA for the mail server does not replace the public CA of the policy's web server.
                with contextlib.suppress(FetchError):
                    return fetch._replace(ca_file=None).run(self._deadline.bound_s(self._access.timeout_s))
            return exc
