"""Starting, using and stopping a bed."""

import os
import signal
import smtplib
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from . import certificates, dkim, dns, dovecot, lmtp_proxy, postfix, readiness
from .deliveries import Delivery, read_deliveries
from .ports import reserved_ports
from .processes import SERVERS, Servers
from .settings import DOMAIN, LOOPBACK, PASSWORD, USER, BedError, Settings, make_directory, refuse_unfit

_START_S = 30.0
_RELOAD_S = 20.0


class Bed:
    """A real mail server on loopback, in one directory; see the package for its addresses.

    The directory stays after `stop`, with the logs in it. It must be short, and searchable for other users: pytest's
    tmp_path is neither, `bed_directory()` makes one that is. With `penalty` Dovecot slows down logins after a wrong
    password, for all of loopback, as it does out in the world. `ports` fixes some ports; the others are free ones.
    """

    host = "localhost"
    domain = DOMAIN
    user = USER
    password = PASSWORD

    def __init__(
        self, directory: Path, users: int = 10, ports: Mapping[str, int] | None = None, penalty: bool = False
    ) -> None:
        self.directory = directory.resolve()
        self._users = users
        self._wanted_ports = dict(ports or {})
        self._penalty = penalty
        self._settings: Settings | None = None
        self._servers = Servers(self.directory)

    @classmethod
    def attached(cls, directory: Path) -> Self:
        """Take up a bed that another program started there. BedError when there is none."""
        settings = Settings.load(directory.resolve())
        bed = cls(settings.directory, settings.users, settings.ports, settings.penalty)
        bed._settings = settings
        return bed

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def settings(self) -> Settings:
        """Everything the configuration was made from. BedError before the start."""
        if self._settings is None:
            raise BedError(f"{self.directory}: the bed was not started")
        return self._settings

    @property
    def ports(self) -> Mapping[str, int]:
        """The ports: smtp submission smtps imap imaps pop3 pop3s lmtp proxy dns."""
        return self.settings.ports

    @property
    def ca_file(self) -> Path:
        """The certificate to trust."""
        return self.settings.ca_file

    @property
    def processes(self) -> dict[str, int]:
        """The pids of the servers that live: unbound opendkim dovecot proxy postfix."""
        return self._servers.pids()

    @property
    def all_pids(self) -> set[int]:
        """The pids of every process of the bed, the servers' own children too."""
        return self._servers.all_pids()

    def start(self) -> None:
        """Start every server; return when all of them answer, after 2 to 4 s. On any failure stop them again."""
        refuse_unfit(self.directory)
        if len(self._servers.pids()) == len(SERVERS):
            raise BedError(f"{self.directory}: a bed is running here already")
        self._servers.stop()  # what a crash left half alive
        try:
            with reserved_ports(self._wanted_ports) as ports:
                self._settings = Settings(self.directory, ports, self._users, self._penalty)
                self._configure(self._settings)
                self._start_servers(self._settings)
                self._wait_until_ready(self._settings)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End every process of the bed, and no other. BedError when one outlives even SIGKILL."""
        if left := self._servers.stop():
            raise BedError(f"{self.directory}: still alive after SIGKILL: {sorted(left)}")

    def problems(self) -> list[str]:
        """Name each server that is dead or does not answer; empty when the bed is well."""
        dead = [f"{name}: not running" for name in SERVERS if name not in self.processes]
        return dead + readiness.problems(self.settings)

    def use_certificate(self, name: str) -> None:
        """Show another certificate: server, soon, expired, wronghost or selfsigned. Return when every TLS port does."""
        certificates.install(self.settings, name)
        os.kill(self.processes["dovecot"], signal.SIGHUP)
        postfix.reload(self.directory)
        wanted = certificates.der(self.settings, name)
        deadline = time.monotonic() + _RELOAD_S
        agreed = 0
        # twice in a row: an idle process of before the reload may take one more connection
        while agreed < 2:
            agreed = agreed + 1 if self._all_ports_serve(wanted) else 0
            if time.monotonic() > deadline:
                raise BedError(f"the certificate {name} is not served everywhere after {_RELOAD_S:.0f} s")
            time.sleep(0.03)

    def use_certificate_for_mailboxes(self, name: str) -> None:
        """Show another certificate on the ports of Dovecot only, as after a renewal that one service has missed."""
        certificates.install(self.settings, name)
        wanted = certificates.der(self.settings, name)
        os.kill(self.processes["dovecot"], signal.SIGHUP)
        deadline = time.monotonic() + _RELOAD_S
        while readiness.served_certificates(self.settings)["imaps"] != wanted:
            if time.monotonic() > deadline:
                raise BedError(f"Dovecot does not show the certificate {name} after {_RELOAD_S:.0f} s")
            time.sleep(0.03)
        certificates.install(self.settings, "server")
        postfix.reload(self.directory)

    def reset(self) -> None:
        """Empty every mailbox and the queue, and drop the mail that is held back on its way."""
        if not postfix.empty_queue(self.directory):
            raise BedError("the queue does not get empty")
        os.kill(self.processes["proxy"], signal.SIGHUP)
        for account in self.settings.accounts:
            for message in self.mails(account):
                message.unlink(missing_ok=True)

    def mails(self, account: str) -> list[Path]:
        """List the account's message files in all folders, read and unread; the path tells which."""
        self._refuse_unknown(account)
        return dovecot.messages(self.directory, account)

    def deliver(self, account: str, raw: bytes, envelope_sender: str = "") -> None:
        """Put a mail into the account's inbox over LMTP, past Postfix. Without envelope sender, as a DSN has none."""
        self._refuse_unknown(account)
        with smtplib.LMTP(LOOPBACK, self.ports["lmtp"], timeout=30) as lmtp:
            lmtp.sendmail(envelope_sender, [f"{account}@{DOMAIN}"], raw)

    def deliveries(self) -> list[Delivery]:
        """List every attempt to deliver since the first start, as Postfix logged it (some milliseconds later)."""
        return read_deliveries(self.directory / "log" / "postfix.log")

    def _refuse_unknown(self, account: str) -> None:
        if account not in self.settings.accounts:
            raise BedError(f"no account is called {account!r}")

    def _configure(self, settings: Settings) -> None:
        make_directory(self.directory)
        make_directory(self.directory / "log")
        certificates.configure(settings)
        dns.configure(settings, dkim.configure(settings))
        dovecot.configure(settings)
        postfix.configure(settings)
        settings.save()

    def _start_servers(self, settings: Settings) -> None:
        directory, ports = self.directory, settings.ports
        dkim.socket_path(directory).unlink(missing_ok=True)
        # Dovecot's auth tries again for 5 s when this old socket refuses, but goes on at once when there is none
        (directory / "dovecot" / "anvil-auth-penalty").unlink(missing_ok=True)
        start = self._servers.start
        start("unbound", ["/usr/sbin/unbound", "-d", "-c", directory / "unbound.conf"])
        start("opendkim", ["/usr/sbin/opendkim", "-f", "-x", directory / "opendkim.conf"])
        proxy = [sys.executable, "-I", "-S", lmtp_proxy.__file__]  # alone, without site-packages: starts faster
        start("proxy", [*proxy, str(ports["proxy"]), str(ports["lmtp"])])
        start("dovecot", ["/usr/sbin/dovecot", "-F", "-c", directory / "dovecot.conf"])
        start("postfix", ["/usr/sbin/postfix", "-c", directory / "postfix", "start-fg"])

    def _wait_until_ready(self, settings: Settings) -> None:
        deadline = time.monotonic() + _START_S
        while found := readiness.problems(settings):
            dead = [name for name in SERVERS if name not in self.processes]
            if dead or time.monotonic() > deadline:
                logs = "\n".join(self._last_words(name) for name in dead)
                raise BedError(f"{self.directory}: not ready: {'; '.join(found)}; dead: {dead}\n{logs}")
            time.sleep(0.03)

    def _last_words(self, name: str) -> str:
        logs = (self.directory / "log" / file for file in (f"{name}.log", f"{name}.out"))
        texts = (log.read_text(errors="replace") for log in logs if log.exists())
        return "\n".join(f"{name}: {line}" for text in texts for line in text.splitlines()[-4:])

    def _all_ports_serve(self, certificate: bytes) -> bool:
        try:
            return set(readiness.served_certificates(self.settings).values()) == {certificate}
        except (OSError, EOFError):
            return False
