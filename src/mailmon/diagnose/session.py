"""The session with one endpoint: what was learnt of it, and further connections to it."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from mailmon.clients.records import Records
from mailmon.clients.resolver import is_own_machine
from mailmon.diagnose.connection import Dialer
from mailmon.diagnose.handshake import Secured, TlsKit
from mailmon.diagnose.protocols import Client, SmtpClient, client_for
from mailmon.diagnose.relay import Tried, own_mailbox
from mailmon.diagnose.tls_policy import TlsPolicy
from mailmon.errors import StageError
from mailmon.findings import Findings
from mailmon.model.diagnosis import Service

# Before each further try, as a part of `pause_s`.
PAUSES = (0.5, 1.0, 2.0)


class SessionContext(NamedTuple):
    """What all sessions share. `tls_policy` says what MTA-STS and DANE demand; without it nothing is demanded."""

    kit: TlsKit
    records: Records
    tls_policy: TlsPolicy | None = None


class Session:
    """What was learnt of one endpoint, and the means to ask it more. `found` and `service` hold the results.

    `is_complete` says that the conversation came to its end; only then are further questions asked. `secured` is the
    handshake that came about, `offers_login` whether a login is offered in the end. `left` are the tokens of messages
    that a test left in our mailbox. `software_words` is what the server calls its software, where it was asked.

    `is_first_contact` says that a screen in front of the server may have answered; then `first` holds the SMTP client
    of that conversation, and the answers on relaying, until it is judged.
    """

    def __init__(self, dialer: Dialer, context: SessionContext) -> None:
        self.dialer, self.context = dialer, context
        self.endpoint, self.options = dialer.endpoint, dialer.options
        self.found = Findings(self.endpoint.target)
        self.service = Service(self.endpoint.target, self.endpoint.address, self.endpoint.protocol)
        self.opener = Opener(dialer, context.kit)
        self.is_open = self.is_refused = self.is_complete = self.is_first_contact = False
        self.first: tuple[SmtpClient, list[Tried]] | None = None
        self.secured: Secured | None = None
        self.offers_login = False
        self.local_address = self.software_words = ""
        self.left: list[str] = []

    @property
    def is_secured(self) -> bool:
        """Return whether TLS came about."""
        return self.secured is not None

    def id_of(self, problem: str) -> str:
        """Return a finding id of this endpoint's protocol."""
        return f"{self.endpoint.protocol}.{problem}"

    def add_extensions(self, client: Client) -> None:
        """Add the capabilities that a client received, each once."""
        known = self.service.extensions
        known += [name for name in client.capabilities if name not in known]

    def connect(self, purpose: str) -> Client:
        """Open a further connection, inside TLS where there is any. Raises StageError, OSError."""
        return self.opener.in_tls(purpose) if self.is_secured else self.opener.plain(purpose)

    def connect_smtp(self, purpose: str) -> SmtpClient:
        """Open a further connection to an SMTP endpoint. Raises StageError, OSError."""
        client = self.connect(purpose)
        assert isinstance(client, SmtpClient)
        return client

    @property
    def why_trusted(self) -> str:
        """Return why the server may trust us more than others, "" where nothing suggests it."""
        if self.options.is_trusted:
            return "the server trusts this machine"
        is_own = is_own_machine(self.endpoint.address, self.local_address)
        return "this is its own machine, which most servers trust" if is_own else ""

    @property
    def mailbox(self) -> str:
        """Return a mailbox of the server's own: the one that was named, else its postmaster."""
        return own_mailbox(self.endpoint, self.options)


class Opener:
    """Opens connections to one endpoint; the caller closes them. Everything raises StageError and OSError."""

    def __init__(self, dialer: Dialer, kit: TlsKit) -> None:
        self._dialer, self._kit = dialer, kit
        self._is_implicit_tls = dialer.endpoint.is_implicit_tls

    def plain(self, purpose: str) -> Client:
        """Return a client in clear that was greeted and knows the capabilities."""
        with self._opening(purpose) as client:
            if not client.greet().is_good:
                raise client.wire.error("greeting_rejected", "the greeting was a refusal")
            client.ask()
        return client

    def before_tls(self, purpose: str) -> Client:
        """Return a client whose next bytes are those of the handshake.

        A server that turns us away is asked again after a while: some admit each client once at a time, and take a
        moment to notice that one has gone.
        """
        for part in PAUSES:
            try:
                return self._before_tls(purpose)
            except (ConnectionError, StageError) as exc:
                if isinstance(exc, StageError) and exc.is_silence:
                    raise
            time.sleep(self._dialer.deadline.bound_s(part * self._dialer.options.pause_s))
        return self._before_tls(purpose)

    def _before_tls(self, purpose: str) -> Client:
        with self._opening(purpose) as client:
            if not self._is_implicit_tls:
                greeting = client.greet()
                if not greeting.is_good:
                    raise client.wire.error("greeting_rejected", f"the greeting was a refusal: {greeting.text[:200]}")
                client.ask()
                if refusal := client.start_tls():
                    raise client.wire.error("starttls_refused", f"STARTTLS is refused: {refusal[:200]}")
        return client

    def in_tls(self, purpose: str, context: ssl.SSLContext | None = None) -> Client:
        """Return a client inside TLS; unless the context says otherwise, any certificate is accepted."""
        client = self.before_tls(purpose)
        try:
            client.wire.handshake(context or self._kit.lax())
            if self._is_implicit_tls:
                client.greet()
            client.ask()
        except BaseException:
            client.wire.close()
            raise
        return client

    @contextmanager
    def _opening(self, purpose: str) -> Iterator[Client]:
        """Connect; close the connection where it does not get as far as it should."""
        wire = self._dialer.dial(purpose)
        try:
            yield client_for(wire, self._dialer.options)
        except BaseException:
            wire.close()
            raise
