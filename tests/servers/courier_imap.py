"""Courier-IMAP and its POP3 server over Maildir, as Debian starts them; logins are those of the system."""

from __future__ import annotations

from tests.servers.machine import Machine
from tests.servers.parts import CHAIN, KEY, MONITOR, USERS, Store, Stored, read_maildir

_SERVICES = {"imapd-ssl": "TLS_CERTFILE", "pop3d-ssl": "TLS_CERTFILE", "imapd": "", "pop3d": ""}
PEM = "/etc/courier/mail.pem"


def start_authdaemon(machine: Machine) -> None:
    """Start the daemon for logins unless it runs; Courier's SMTP server asks it too."""
    if not machine.run("pgrep", "-x", "authdaemond", check=False):
        machine.path("/run/courier/authdaemon").mkdir(parents=True, exist_ok=True)
        machine.run("chown", "-R", "courier:courier", "/run/courier")
        machine.run("/usr/sbin/authdaemond", "start")


class CourierImap(Store):
    name = "Courier-IMAP"
    packages = ("courier-imap", "courier-pop")
    prefix = "INBOX."
    is_lmtp = False

    def configure(self, machine: Machine) -> None:
        machine.write(PEM, machine.path(KEY).read_text() + machine.path(CHAIN).read_text(), 0o600)
        machine.run("chown", "courier:courier", PEM)
        for service in ("imapd-ssl", "pop3d-ssl", "esmtpd", "esmtpd-msa"):
            place = machine.path(f"/etc/courier/{service}")
            if place.exists():
                lines = [line for line in place.read_text().splitlines() if not line.startswith("TLS_CERTFILE=")]
                place.write_text("\n".join([*lines, f"TLS_CERTFILE={PEM}", ""]))
        for user in USERS:
            machine.run("maildirmake.courier", f"/home/{user}/Maildir", user=user)

    def start(self, machine: Machine) -> None:
        start_authdaemon(machine)
        for service in _SERVICES:
            machine.run(f"/usr/sbin/{service}", "start")

    def stop(self, machine: Machine) -> None:
        for service in _SERVICES:
            machine.run(f"/usr/sbin/{service}", "stop")

    def limit(self, machine: Machine, *, is_full: bool) -> None:
        home = f"/home/{MONITOR}/Maildir"
        machine.run("maildirmake.courier", "-q", "1000S" if is_full else "100000000S", home, user=MONITOR)

    def stored(self, machine: Machine, user: str = MONITOR) -> list[Stored]:
        return read_maildir(machine.path(f"/home/{user}/Maildir"))
