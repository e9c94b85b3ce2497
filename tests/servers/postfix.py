"""Postfix: Debian's configuration with submission by STARTTLS and delivery by LMTP, or to ~/Maildir."""

from __future__ import annotations

from tests.servers import saslauthd
from tests.servers.machine import Machine
from tests.servers.parts import CHAIN, DOMAIN, HOST, KEY, LMTP_PORT, Store, Transport

_SUBMISSION = """
submission inet n - y - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_tls_auth_only=yes
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
"""
_CHROOT = "/var/spool/postfix"
_HOLD = "smtpd_data_restrictions"


class Postfix(Transport):
    name = "Postfix"
    packages = ("postfix", *saslauthd.PACKAGES)

    def configure(self, machine: Machine, store: Store) -> None:
        settings = {
            "myhostname": HOST,
            "mydestination": f"{DOMAIN}, localhost",
            "mynetworks": "127.0.0.0/8",
            "inet_protocols": "ipv4",
            "smtpd_tls_cert_file": CHAIN,
            "smtpd_tls_key_file": KEY,
            "smtpd_tls_security_level": "may",
            "disable_vrfy_command": "yes",
            "maximal_backoff_time": "300s",
        }
        if store.is_lmtp:
            settings["mailbox_transport"] = f"lmtp:inet:127.0.0.1:{LMTP_PORT}"
        else:
            settings["home_mailbox"] = "Maildir/"
        if store.auth_socket:
            settings |= {"smtpd_sasl_type": "dovecot", "smtpd_sasl_path": "private/auth"}
        else:
            settings |= {"smtpd_sasl_path": "smtpd"}
            machine.write("/etc/postfix/sasl/smtpd.conf", saslauthd.CONF)
            saslauthd.configure(machine, user="postfix", chroot=_CHROOT)
        machine.write("/etc/postfix/main.cf", "compatibility_level = 3.6\n")
        machine.run("postconf", "-e", *(f"{key}={value}" for key, value in settings.items()))
        with machine.path("/etc/postfix/master.cf").open("a") as master:
            master.write(_SUBMISSION)
        machine.run("newaliases")
        self._is_dovecot = bool(store.auth_socket)

    def start(self, machine: Machine) -> None:
        if not self._is_dovecot:
            saslauthd.start(machine, _CHROOT)
        # What Debian's unit does first: the chroot gets its resolv.conf, hosts and certificates.
        machine.run("/usr/lib/postfix/configure-instance.sh", "-")
        machine.run("postfix", "start")

    def stop(self, machine: Machine) -> None:
        machine.run("postfix", "stop")

    def hold(self, machine: Machine) -> None:
        machine.run("postconf", "-e", f"{_HOLD}=check_client_access static:HOLD")
        machine.run("postfix", "reload")

    def release(self, machine: Machine) -> None:
        machine.run("postconf", "-#", _HOLD)
        machine.run("postfix", "reload")
        machine.run("postsuper", "-H", "ALL")
        machine.run("postqueue", "-f")
