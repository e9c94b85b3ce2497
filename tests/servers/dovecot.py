"""Dovecot: IMAP, POP3 and LMTP over Maildir, with the quota plugin; logins are those of the system."""

from __future__ import annotations

import time
from typing import ClassVar

from tests.servers.machine import Machine
from tests.servers.parts import CHAIN, KEY, LMTP_PORT, MONITOR, Store, Stored, read_maildir

LIMITS = "/etc/dovecot/limits"
_CONF = f"""\
protocols = imap pop3 lmtp
log_path = syslog
auth_mechanisms = plain login
auth_username_format = %Ln
disable_plaintext_auth = yes
mail_location = maildir:~/Maildir
mail_plugins = quota
first_valid_uid = 1000
ssl = required
ssl_cert = <{CHAIN}
ssl_key = <{KEY}
passdb {{
  driver = shadow
}}
userdb {{
  driver = passwd-file
  args = {LIMITS}
  result_success = continue
}}
userdb {{
  driver = passwd
}}
namespace inbox {{
  inbox = yes
}}
plugin {{
  quota = count:User quota
  quota_vsizes = yes
}}
protocol imap {{
  mail_plugins = quota imap_quota
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {LMTP_PORT}
  }}
}}
service auth {{
  unix_listener /var/spool/postfix/private/auth {{
    mode = 0666
  }}
}}
"""


class Dovecot(Store):
    name = "Dovecot"
    packages = ("dovecot-imapd", "dovecot-pop3d", "dovecot-lmtpd")
    auth_socket = "/var/spool/postfix/private/auth"
    conf: ClassVar[str] = _CONF
    full: ClassVar[str] = "userdb_quota_rule=*:storage=1K"

    def configure(self, machine: Machine) -> None:
        machine.path(self.auth_socket).parent.mkdir(parents=True, exist_ok=True)
        machine.write("/etc/dovecot/dovecot.conf", self.conf)
        machine.write(LIMITS, "")

    def start(self, machine: Machine) -> None:
        machine.run("dovecot")

    def stop(self, machine: Machine) -> None:
        machine.run("doveadm", "stop")

    def limit(self, machine: Machine, *, is_full: bool) -> None:
        machine.write(LIMITS, f"{MONITOR}:::::::{self.full}\n" if is_full else "")
        # Dovecot looks at the file at most once a second, and what it knows then is a second old.
        time.sleep(2.1)

    def stored(self, machine: Machine, user: str = MONITOR) -> list[Stored]:
        return read_maildir(machine.path(f"/home/{user}/Maildir"))
