"""Sessions with the servers of a domain, up to TLS; no message is sent."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from cryptography import x509

from mailmon.clients.deadline import Deadline
from mailmon.clients.records import Records
from mailmon.diagnose.certificate import UNREADABLE, read_chain
from mailmon.diagnose.connection import Dialer
from mailmon.diagnose.conversation import converse
from mailmon.diagnose.plan import Options as HostOptions
from mailmon.diagnose.plan import asked_of
from mailmon.diagnose.session import Session, SessionContext
from mailmon.domain.options import Options
from mailmon.model.diagnosis import Endpoint

MAX_SESSIONS, MAX_ADDRESSES, MAX_NAMES = 32, 3, 20
SIDE_BY_SIDE = 8


class MxSessions(NamedTuple):
    """The sessions with the MX hosts, by host; none if nothing is connected to.

    `further` are those with other addresses of a host that answer: each has a certificate of its own.
    """

    sessions: dict[str, Session]
    further: tuple[Session, ...] = ()

    def of(self, host: str) -> list[Session]:
        """Return the sessions with a host, the representative one first."""
        return [one for one in (*self.sessions.values(), *self.further) if one.endpoint.host == host]

    def issuer(self, host: str) -> str:
        """Return the issuer of a host's certificate, "" if it is unknown.

        With its organisation: the common names of CAs are like R11 and E6.
        """
        leaf = self._leaf(host)
        return leaf.issuer.rfc4514_string() if leaf else ""

    def names(self, host: str, domain: str) -> tuple[str, ...]:
        """Return the names at or below a domain that a host's certificate is for."""
        leaf = self._leaf(host)
        try:
            listed = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value if leaf else None
        except (x509.ExtensionNotFound, *UNREADABLE):
            listed = None
        names = listed.get_values_for_type(x509.DNSName) if listed else []
        return tuple(name for name in map(str.lower, names) if f".{name}".endswith(f".{domain}"))[:MAX_NAMES]

    def _leaf(self, host: str) -> x509.Certificate | None:
        session = self.sessions.get(host)
        found = read_chain(session.secured.chain[:1]) if session and session.secured else []
        return found[0] if found else None


class Servers:
    """Connects to the servers of one domain; to its MX hosts only once. Safe for threads."""

    def __init__(
        self, hosts: Sequence[str], options: Options, records: Records, deadline: Deadline, context: SessionContext
    ) -> None:
        self._hosts, self._options, self._records, self._deadline = hosts, options, records, deadline
        self._context = context
        self._lock = threading.Lock()
        self._met: MxSessions | None = None

    def examine(self, endpoints: Sequence[Endpoint]) -> list[Session]:
        """Converse with endpoints side by side, and return the sessions."""
        options = HostOptions(self._options.ca_file, self._options.timeout_s, self._options.deadline_s, relay="none")
        sessions = [Session(Dialer(one, options, self._deadline), self._context) for one in endpoints[:MAX_SESSIONS]]
        if sessions:
            with ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="servers") as pool:
                list(pool.map(converse, sessions))
        return sessions

    def mx_sessions(self) -> MxSessions:
        """Converse with each MX host, at its first addresses; without `connects` with none."""
        with self._lock:
            if self._met is None:
                self._met = self._meet() if self._options.connects else MxSessions({})
            return self._met

    def not_met(self) -> list[str]:
        """Return the addresses of MX hosts beyond the limit, which are not connected to."""
        asked = {one.address for one in self._planned()}
        every = (address for host in self._hosts for address in self._records.addresses(host)[0])
        return [one for one in dict.fromkeys(every) if one not in asked]

    def _meet(self) -> MxSessions:
        sessions = self.examine(self._planned())
        first: dict[str, Session] = {}
        for one in sorted(sessions, key=lambda session: not session.is_open):
            first.setdefault(one.endpoint.host, one)
        return MxSessions(first, tuple(one for one in sessions if one.is_open and one is not first[one.endpoint.host]))

    def _planned(self) -> list[Endpoint]:
        """Return the endpoints of the MX hosts: one address of each host goes before the second of any."""
        ordered: list[list[Endpoint]] = [[] for _ in range(MAX_ADDRESSES)]
        for host in self._hosts:
            addresses = asked_of(self._records.addresses(host)[0], MAX_ADDRESSES)
            for own, address in zip(ordered, addresses, strict=False):
                own.append(Endpoint(host, address, self._options.smtp_port, "smtp", is_one_of_many=len(addresses) > 1))
        return [one for own in ordered for one in own][:MAX_SESSIONS]
