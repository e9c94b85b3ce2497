"""Courier's SMTP server as Debian starts it, with submission on port 587; it delivers to ~/Maildir itself."""

from __future__ import annotations

from tests.servers.courier_imap import start_authdaemon
from tests.servers.machine import Machine
from tests.servers.parts import DOMAIN, HOST, Store, Transport

_DAEMONS = ("esmtpd", "esmtpd-msa")


class Courier(Transport):
    name = "Courier"
    packages = ("courier-mta", "netbase")

    def configure(self, machine: Machine, store: Store) -> None:
        if store.is_lmtp:
            raise NotImplementedError("Courier delivers to Maildir only here")
        files = {"me": HOST, "defaultdomain": DOMAIN, "locals": f"localhost\n{DOMAIN}", "esmtpacceptmailfor": DOMAIN}
        for name, text in files.items():
            machine.write(f"/etc/courier/{name}", f"{text}\n")
        for name in _DAEMONS:
            with machine.path(f"/etc/courier/{name}").open("a") as file:
                file.write('ESMTPAUTH_TLS="PLAIN LOGIN"\nESMTPDSTART=YES\n')
        for command in (
            "makesmtpaccess",
            "makesmtpaccess-msa",
            "makealiases",
            "makeacceptmailfor",
            "makehosteddomains",
        ):
            machine.run(command, check=False)

    def start(self, machine: Machine) -> None:
        start_authdaemon(machine)
        machine.run("courierfilter", "start")
        machine.run("courier", "start")
        for name in _DAEMONS:
            machine.run(f"/usr/sbin/{name}", "start")

    def stop(self, machine: Machine) -> None:
        for name in _DAEMONS:
            machine.run(f"/usr/sbin/{name}", "stop")
        machine.run("courier", "stop")

    def hold(self, machine: Machine) -> None:
        machine.run("courier", "stop")

    def release(self, machine: Machine) -> None:
        machine.run("courier", "start")
        machine.run("courier", "flush")
