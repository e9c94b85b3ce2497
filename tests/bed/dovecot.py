"""Dovecot: mailboxes by IMAP, POP3 and LMTP, and the logins of Postfix."""

import os
from pathlib import Path
from string import Template

from .settings import DOMAIN, PASSWORD, Settings, make_directory, write

_VMAIL = 5000  # owns the mail; a number needs no entry in /etc/passwd

_DOVECOT_CONF = Template("""\
base_dir = $dir/dovecot
state_dir = $dir/dovecot-state
instance_name = testbed
log_path = $dir/log/dovecot.log
info_log_path = $dir/log/dovecot.log
log_timestamp = "%Y-%m-%d %H:%M:%S "
login_log_format_elements = user=<%u> method=%m rip=%r lip=%l mpid=%e %c session=<%{session}>
protocols = imap pop3 lmtp
listen = 127.0.0.1
default_internal_user = dovecot
default_login_user = dovenull
default_process_limit = 2000
default_client_limit = 4000
default_vsz_limit = 512M
mail_location = maildir:$dir/mail/%n
mail_uid = $vmail
mail_gid = $vmail
first_valid_uid = $vmail
mail_fsync = never
auth_mechanisms = plain login
auth_username_format = %Lu
disable_plaintext_auth = yes
recipient_delimiter = +
lmtp_save_to_detail_mailbox = no
postmaster_address = postmaster@$domain
hostname = $domain
ssl = yes
ssl_cert = <$dir/tls/live.crt
ssl_key = <$dir/tls/live.key
ssl_min_protocol = TLSv1.2
mail_max_userip_connections = 200
mailbox_list_index = no
passdb {
  driver = passwd-file
  args = username_format=%u $dir/users
}
userdb {
  driver = static
  args = uid=$vmail gid=$vmail home=$dir/mail/%n
}
namespace inbox {
  inbox = yes
  mailbox Junk {
    auto = create
    special_use = \\Junk
  }
}
service anvil {
  client_limit = 8000
$penalty}
service auth {
  client_limit = 8000
  unix_listener $dir/queue/private/auth {
    mode = 0660
    user = postfix
    group = postfix
  }
}
service imap-login {
  service_count = 1
  process_min_avail = 1
  inet_listener imap {
    port = $imap
  }
  inet_listener imaps {
    port = $imaps
    ssl = yes
  }
}
service pop3-login {
  inet_listener pop3 {
    port = $pop3
  }
  inet_listener pop3s {
    port = $pop3s
    ssl = yes
  }
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = $lmtp
  }
}
service stats {
  unix_listener stats-reader {
    mode = 0666
  }
  unix_listener stats-writer {
    mode = 0666
  }
}
""")

# A wrong password makes Dovecot answer every later login from the same address late, by up to 15 s. All tests share
# one address, so the penalty is off unless a test asks for it: without this socket nobody keeps the count.
_NO_PENALTY = "  unix_listener anvil-auth-penalty {\n    mode = 0\n  }\n"


def configure(settings: Settings) -> None:
    """Write Dovecot's configuration and its users."""
    mail = make_directory(settings.directory / "mail")
    os.chown(mail, _VMAIL, _VMAIL)
    make_directory(settings.directory / "dovecot")
    lines = (f"{name}@{DOMAIN}:{{PLAIN}}{PASSWORD}::::::\n" for name in settings.accounts)
    write(settings.directory / "users", "".join(lines))
    values = {"dir": settings.directory, "domain": DOMAIN, "vmail": _VMAIL, **settings.ports}
    penalty = "" if settings.penalty else _NO_PENALTY
    write(settings.directory / "dovecot.conf", _DOVECOT_CONF.substitute(values, penalty=penalty))


def messages(directory: Path, account: str) -> list[Path]:
    """List the message files of an account: the inbox and every other folder, read and unread."""
    box = directory / "mail" / account
    # Maildir++ keeps a folder "Junk" as a directory ".Junk" beside the inbox's own new and cur
    return sorted(path for glob in ("new/*", "cur/*", ".*/new/*", ".*/cur/*") for path in box.glob(glob))
