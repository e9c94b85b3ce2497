"""The sandbox: its listeners, started and stopped together."""

import asyncio
import contextlib
import logging
import secrets
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path

from mailmon.sandbox.accounts import Accounts
from mailmon.sandbox.certificates import Certificates
from mailmon.sandbox.delivery import AcceptedMail, Delivery
from mailmon.sandbox.faults import Faults
from mailmon.sandbox.imap_session import imap_protocol
from mailmon.sandbox.listener import Door, Port
from mailmon.sandbox.site import Site
from mailmon.sandbox.smtp import submission_protocol
from mailmon.sandbox.store import Store

_HOST = "127.0.0.1"
_HOSTNAME = "sandbox.example.org"
_USERS = ("monitor@example.org", "second@example.org")
_PORTS = {"smtp": 0, "smtps": 0, "imap": 0, "imaps": 0}
_TIMEOUT_S = 10.0

logger = logging.getLogger(__name__)


class Sandbox:
    """A mail server on 127.0.0.1, run by one background thread between start() and stop().

    `tokens` are OAuth 2.0 access tokens by address: with some, XOAUTH2 is offered. Port 0 takes any free port; ports
    names those of "smtp", "smtps", "imap" and "imaps" that shall be fixed.
    The CA's certificate is written to ca.pem in the directory, or in one of its own that stop() removes.
    """

    def __init__(
        self,
        *,
        faults: Faults | None = None,
        users: Mapping[str, str] | None = None,
        tokens: Mapping[str, str] | None = None,
        directory: Path | None = None,
        ports: Mapping[str, int] | None = None,
    ) -> None:
        self.host = _HOST
        self.faults = faults or Faults()
        self.users = dict(users) if users is not None else {name: secrets.token_urlsafe(16) for name in _USERS}
        self.store = Store(self.users)
        self._accounts = Accounts(self.users, self.faults, tokens)
        self._delivery = Delivery(_HOSTNAME, self._accounts, self.store, self.faults)
        self._door = Door(self.faults)
        self._ports = _PORTS | dict(ports or {})
        self._directory = directory
        self._own_directory: Path | None = None
        self._servers: dict[str, asyncio.Server] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def smtp_port(self) -> int:
        """Return the port for submission with STARTTLS."""
        return self._ports["smtp"]

    @property
    def smtps_port(self) -> int:
        """Return the port for submission with implicit TLS."""
        return self._ports["smtps"]

    @property
    def imap_port(self) -> int:
        """Return the port for IMAP with STARTTLS."""
        return self._ports["imap"]

    @property
    def imaps_port(self) -> int:
        """Return the port for IMAP with implicit TLS."""
        return self._ports["imaps"]

    @property
    def accepted(self) -> list[AcceptedMail]:
        """Return all mail accepted, whatever became of it."""
        return list(self._delivery.accepted)

    @property
    def connections(self) -> Counter[str]:
        """Return the number of TCP connections accepted for "smtp" and "imap"."""
        return self._door.connections

    @property
    def logins(self) -> Counter[tuple[str, str]]:
        """Return the number of logins, e.g. of ("imap", "ok") or ("smtp", "refused")."""
        return self._accounts.logins

    @property
    def certificate_sha256(self) -> str:
        """Return the fingerprint of the good certificate in hex digits."""
        return self._certificates.sha256

    def __enter__(self) -> "Sandbox":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start to listen; OSError if a fixed port is taken."""
        logging.getLogger("mail.log").setLevel(logging.WARNING)  # below that, aiosmtpd logs whole messages
        self._certificates = Certificates()
        if self._directory is None:
            self._own_directory = Path(tempfile.mkdtemp(prefix="mailmon-sandbox-"))
        self.ca_file = (self._directory or self._own_directory or Path()) / "ca.pem"
        self.ca_file.parent.mkdir(parents=True, exist_ok=True)
        self.ca_file.write_bytes(self._certificates.ca_pem)
        tls = self._certificates.context(lambda: self.faults.certificate)
        self._site = Site(_HOSTNAME, self.faults, self._accounts, self.store, self._delivery, tls)
        started: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(started,), name="mailmon-sandbox", daemon=True)
        self._thread.start()
        try:
            started.result(_TIMEOUT_S)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Abort all connections and end the thread; mail that still waits for its delivery is dropped."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._stopping.set)
        if self._thread is not None:
            self._thread.join(_TIMEOUT_S)
        self._loop = self._thread = None
        if self._own_directory is not None:
            shutil.rmtree(self._own_directory, ignore_errors=True)
            self._own_directory = None

    def stop_listening(self, service: str) -> None:
        """Close both ports of "smtp" or "imap", so that new connections are refused; open ones go on."""
        self._call(self._close_ports(service))

    def start_listening(self, service: str) -> None:
        """Open the ports of "smtp" or "imap" again, the same ones; OSError if another process took one."""
        self._call(self._open_ports(service))

    def _call(self, coroutine: Coroutine[object, object, None]) -> None:
        assert self._loop is not None, "the sandbox is not running"
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_TIMEOUT_S)

    def _run(self, started: "Future[None]") -> None:
        try:
            asyncio.run(self._main(started))
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    async def _main(self, started: "Future[None]") -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_report)
        self._stopping = asyncio.Event()
        try:
            for service in ("smtp", "imap"):
                await self._open_ports(service)
            started.set_result(None)
            await self._stopping.wait()
        finally:
            for service in ("smtp", "imap"):
                await self._close_ports(service)
            self._door.close()
            await asyncio.sleep(0)

    async def _open_ports(self, service: str) -> None:
        loop = asyncio.get_running_loop()
        for name, port in self._port_kinds(service).items():
            if name not in self._servers:
                server = await loop.create_server(partial(self._door.gate, port), _HOST, self._ports[name])
                self._servers[name] = server
                self._ports[name] = server.sockets[0].getsockname()[1]

    async def _close_ports(self, service: str) -> None:
        for name in self._port_kinds(service):
            server = self._servers.pop(name, None)
            if server is not None:
                server.close()

    def _port_kinds(self, service: str) -> dict[str, Port]:
        site = self._site
        if service == "smtp":
            return {
                "smtp": Port(service, None, lambda: submission_protocol(site, implicit_tls=False)),
                "smtps": Port(service, site.tls, lambda: submission_protocol(site, implicit_tls=True)),
            }
        return {
            "imap": Port(service, None, lambda: imap_protocol(site)),
            "imaps": Port(service, site.tls, lambda: imap_protocol(site)),
        }


def _report(_loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    # Clients that distrust a certificate or vanish are what the sandbox is for; anything else is a bug in it.
    error = context.get("exception")
    if isinstance(error, OSError):
        logger.debug("connection ended: %s", error)
    else:
        logger.error("%s", context.get("message"), exc_info=error if isinstance(error, Exception) else None)
