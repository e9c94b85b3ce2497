"""Cyrus: IMAP, POP3 and LMTP with its own store; folders lie below INBOX, and POP3 wants a pause between two logins."""

from __future__ import annotations

import imaplib
import json
import re
import ssl
from collections.abc import Iterator

from tests.servers import saslauthd
from tests.servers.machine import ADDRESS, Machine
from tests.servers.parts import CHAIN, KEY, LMTP_PORT, MONITOR, PASSWORD, USERS, Store, Stored, digest_of

_ADMIN = "cyrus"
_SETTINGS = {
    "admins": _ADMIN,
    "allowplaintext": "no",
    "sasl_pwcheck_method": "saslauthd",
    "sasl_mech_list": "PLAIN",
    "tls_server_cert": CHAIN,
    "tls_server_key": KEY,
    "autocreate_quota": "-1",
}
_SERVICES = f"""\
START {{
  recover cmd="/usr/sbin/cyrus ctl_cyrusdb -r"
}}
SERVICES {{
  imap cmd="imapd -U 30" listen="143" proto="tcp4" prefork=0
  imaps cmd="imapd -s -U 30" listen="993" proto="tcp4" prefork=0
  pop3 cmd="pop3d -U 30" listen="110" proto="tcp4" prefork=0
  pop3s cmd="pop3d -s -U 30" listen="995" proto="tcp4" prefork=0
  lmtp cmd="lmtpd -a" listen="127.0.0.1:{LMTP_PORT}" proto="tcp4" prefork=0
  notify cmd="notifyd" listen="/run/cyrus/socket/notify" proto="udp" prefork=1
}}
EVENTS {{
  checkpoint cmd="/usr/sbin/cyrus ctl_cyrusdb -c" period=30
}}
"""
_RUN = ("", "/proc", "/lock", "/socket")
# As mbexamine shows a message.
_RECORD = re.compile(r"^\d+> UID:(\d+).*?SYSTEMFLAGS:([^\n]*)", re.DOTALL | re.MULTILINE)


class Cyrus(Store):
    name = "Cyrus"
    packages = ("cyrus-imapd", "cyrus-pop3d", "cyrus-admin", *saslauthd.PACKAGES)
    prefix = "INBOX."

    def __init__(self, popminpoll: int = 0) -> None:
        self._popminpoll = popminpoll

    def configure(self, machine: Machine) -> None:
        settings = {**_SETTINGS, "popminpoll": str(self._popminpoll)}
        place = machine.path("/etc/imapd.conf")
        lines = [line for line in place.read_text().splitlines() if line.partition(":")[0] not in settings]
        place.write_text("\n".join([*lines, *(f"{key}: {value}" for key, value in settings.items()), ""]))
        machine.write("/etc/cyrus.conf", _SERVICES)
        machine.run("chpasswd", given=f"{_ADMIN}:{PASSWORD}\n".encode())
        saslauthd.configure(machine, _ADMIN)
        self._is_new = True

    def start(self, machine: Machine) -> None:
        saslauthd.start(machine)
        machine.run("install", "-d", "-o", _ADMIN, "-g", "mail", *(f"/run/cyrus{one}" for one in _RUN))
        machine.run("cyrmaster", "-d", "-C", "/etc/imapd.conf", "-M", "/etc/cyrus.conf")
        if self._is_new:
            machine.wait_for([993])
            with self._administer() as client:
                for user in USERS:
                    client.create(f"user.{user}")
            self._is_new = False

    def stop(self, machine: Machine) -> None:
        machine.run("pkill", "-TERM", "-x", "cyrmaster")
        # A master that ends still holds its lock.
        machine.run("timeout", "20", "sh", "-c", "while pgrep -x cyrmaster; do sleep 0.1; done")

    def limit(self, machine: Machine, *, is_full: bool) -> None:
        with self._administer() as client:
            client.setquota(f"user.{MONITOR}", "(STORAGE 1)" if is_full else "()")

    def stored(self, machine: Machine, user: str = MONITOR) -> list[Stored]:
        found: list[Stored] = []
        for name in json.loads(self._run(machine, "ctl_mboxlist", "-d")):
            if name == f"user.{user}" or name.startswith(f"user.{user}."):
                folder = name.removeprefix(f"user.{user}").removeprefix(".") or "INBOX"
                found += self._messages(machine, name, folder)
        return sorted(found)

    def _messages(self, machine: Machine, mailbox: str, folder: str) -> Iterator[Stored]:
        """Read the index; a file that it does not name was expunged and waits for the daily clean-up."""
        place = machine.path(self._run(machine, "mbpath", mailbox).strip())
        for uid, flags in _RECORD.findall(self._run(machine, "mbexamine", mailbox)):
            named = frozenset(f"\\{flag.capitalize()}" for flag in re.findall(r"FLAG_(\w+)", flags))
            yield Stored(folder, named, digest_of((place / f"{int(uid)}.").read_bytes()))

    def _run(self, machine: Machine, program: str, *words: str) -> str:
        return machine.run(f"/usr/lib/cyrus/bin/{program}", *words, user=_ADMIN)

    def _administer(self) -> imaplib.IMAP4_SSL:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        client = imaplib.IMAP4_SSL(ADDRESS, 993, ssl_context=context, timeout=20)
        client.login(_ADMIN, PASSWORD)
        return client
