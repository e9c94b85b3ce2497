"""OpenSMTPD: a configuration of ten lines, logins of the system, delivery by LMTP or to ~/Maildir."""

from __future__ import annotations

from tests.servers.machine import Machine
from tests.servers.parts import CERTIFICATE, DOMAIN, HOST, KEY, LMTP_PORT, Store, Transport

_OWN_KEY = "/etc/ssl/mail/opensmtpd.key"
_CONF = f"""\
pki {HOST} cert "{CERTIFICATE}"
pki {HOST} key "{_OWN_KEY}"
table aliases file:/etc/aliases
listen on 0.0.0.0 port 25 hostname {HOST} tls pki {HOST}
listen on 0.0.0.0 port 587 hostname {HOST} tls-require pki {HOST} auth
listen on socket
action "local" ACTION
action "relay" relay helo {HOST}
match from any for domain "{DOMAIN}" action "local"
match for local action "local"
match auth from any for any action "relay"
match from local for any action "relay"
"""


class OpenSmtpd(Transport):
    name = "OpenSMTPD"
    packages = ("opensmtpd",)

    def configure(self, machine: Machine, store: Store) -> None:
        action = f'lmtp "127.0.0.1:{LMTP_PORT}" rcpt-to' if store.is_lmtp else 'maildir "%{user.directory}/Maildir"'
        # It refuses a key that others can read.
        machine.write(_OWN_KEY, machine.path(KEY).read_text(), 0o600)
        machine.write("/etc/smtpd.conf", _CONF.replace("ACTION", f"{action} alias <aliases>"))

    def start(self, machine: Machine) -> None:
        machine.run("smtpd")

    def stop(self, machine: Machine) -> None:
        machine.run("pkill", "-TERM", "-x", "smtpd")

    def hold(self, machine: Machine) -> None:
        machine.run("smtpctl", "pause", "mda")

    def release(self, machine: Machine) -> None:
        machine.run("smtpctl", "resume", "mda", check=False)
        machine.run("smtpctl", "schedule", "all", check=False)
