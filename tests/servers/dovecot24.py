"""Dovecot from version 2.4 on, whose configuration has other names, with the prefix INBOX/ for folders."""

from __future__ import annotations

from tests.servers.dovecot import LIMITS, Dovecot
from tests.servers.parts import CHAIN, KEY, LMTP_PORT

_CONF = f"""\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols = imap pop3 lmtp
log_path = syslog
auth_mechanisms = plain login
auth_username_format = %{{user | username | lower}}
auth_allow_cleartext = no
mail_driver = maildir
mail_path = ~/Maildir
first_valid_uid = 1000
ssl = required
ssl_server_cert_file = {CHAIN}
ssl_server_key_file = {KEY}
mail_plugins {{
  quota = yes
}}
passdb pam {{
}}
userdb passwd-file {{
  passwd_file_path = {LIMITS}
  result_success = continue
}}
userdb passwd {{
}}
namespace inbox {{
  inbox = yes
  prefix = INBOX/
  separator = /
}}
quota "User quota" {{
}}
protocol imap {{
  mail_plugins {{
    imap_quota = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    listen = 127.0.0.1
    port = {LMTP_PORT}
  }}
}}
service auth {{
  unix_listener {Dovecot.auth_socket} {{
    mode = 0666
  }}
}}
"""


class Dovecot24(Dovecot):
    prefix = "INBOX/"
    conf = _CONF
    full = "userdb_quota_storage_size=1K"
