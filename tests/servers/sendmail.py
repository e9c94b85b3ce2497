"""Sendmail: sendmail.cf made from Debian's m4 files, logins by saslauthd, delivery by LMTP."""

from __future__ import annotations

from tests.servers import saslauthd
from tests.servers.machine import Machine
from tests.servers.parts import CERTIFICATE, CHAIN, DOMAIN, HOST, KEY, LMTP_PORT, Store, Transport

_OWN_KEY = "/etc/ssl/mail/sendmail.key"
_MC = f"""\
divert(-1)dnl
divert(0)dnl
define(`_USE_ETC_MAIL_')dnl
include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(`debian')dnl
DOMAIN(`debian-mta')dnl
undefine(`confHOST_STATUS_DIRECTORY')dnl
define(`confDOMAIN_NAME', `{HOST}')dnl
FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Family=inet, Name=MTA-v4, Port=smtp, Addr=0.0.0.0')dnl
DAEMON_OPTIONS(`Family=inet, Name=MSP-v4, Port=submission, M=Ea, Addr=0.0.0.0')dnl
define(`confPRIVACY_FLAGS', `needmailhelo,needexpnhelo,needvrfyhelo,restrictqrun,restrictexpand,authwarnings')dnl
define(`confSERVER_CERT', `{CERTIFICATE}')dnl
define(`confSERVER_KEY', `{_OWN_KEY}')dnl
define(`confCACERT', `{CHAIN}')dnl
define(`confCACERT_PATH', `/etc/ssl/certs')dnl
define(`confAUTH_OPTIONS', `A p')dnl
define(`confAUTH_MECHANISMS', `PLAIN LOGIN')dnl
TRUST_AUTH_MECH(`PLAIN LOGIN')dnl
FEATURE(`use_cw_file')dnl
FEATURE(`delay_checks')dnl
define(`confLOCAL_MAILER', `cyrusv2')dnl
define(`CYRUSV2_MAILER_ARGS', `TCP [127.0.0.1] {LMTP_PORT}')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
MAILER(`cyrusv2')dnl
"""


class Sendmail(Transport):
    name = "Sendmail"
    packages = ("sendmail-bin", "sendmail-base", "sendmail-cf", *saslauthd.PACKAGES)

    def configure(self, machine: Machine, store: Store) -> None:
        if not store.is_lmtp:
            raise NotImplementedError("Sendmail delivers by LMTP only here")
        # It refuses a key that others can read.
        machine.write(_OWN_KEY, machine.path(KEY).read_text(), 0o600)
        machine.write("/etc/mail/local-host-names", f"localhost\n{DOMAIN}\n{HOST}\n")
        machine.write("/etc/mail/sendmail.mc", _MC)
        machine.write("/etc/mail/sendmail.cf", machine.run("m4", "/etc/mail/sendmail.mc"))
        machine.write("/etc/mail/sasl/Sendmail.conf.2", saslauthd.CONF)
        machine.write("/etc/sasl2/Sendmail.conf", saslauthd.CONF)
        saslauthd.configure(machine, "smmsp")
        machine.run("newaliases")

    def start(self, machine: Machine) -> None:
        saslauthd.start(machine)
        self._start(machine)

    def _start(self, machine: Machine, *options: str) -> None:
        machine.run("install", "-d", "/run/sendmail/mta")
        machine.run("/usr/sbin/sendmail-mta", "-L", "sm-mta", "-bd", "-q10m", *options)

    def stop(self, machine: Machine) -> None:
        machine.run("pkill", "-TERM", "-x", "sendmail-mta")

    def hold(self, machine: Machine) -> None:
        self.stop(machine)
        machine.wait_for([25], is_open=False)
        self._start(machine, "-ODeliveryMode=queueonly")

    def release(self, machine: Machine) -> None:
        self.stop(machine)
        machine.wait_for([25], is_open=False)
        self._start(machine)
        machine.run("/usr/sbin/sendmail-mta", "-L", "sm-mta", "-q")
