# Dovecot's configuration for the test, in the language of 2.3 or of 2.4: one mailbox, IMAP over TLS, LMTP and the check of
# passwords for Postfix.
{
  pkgs,
  certificate,
  password,
  user,
  version,
}:

let
  isNew = builtins.compareVersions version "2.4" >= 0;
  users = pkgs.writeText "users" "monitor:{PLAIN}${password}\n";
in
pkgs.writeText "dovecot.conf" (
  (
    if isNew then
      ''
        dovecot_config_version = ${version}
        dovecot_storage_version = ${version}
        protocols {
          imap = yes
          lmtp = yes
        }
        ssl_server_cert_file = ${certificate}/certificate.pem
        ssl_server_key_file = ${certificate}/key.pem
        auth_username_format = %{user | username}
        mail_driver = maildir
        mail_home = /var/vmail/%{user | username}
        mail_path = ~/mail
        passdb passwd-file {
          passwd_file_path = ${users}
        }
        userdb static {
          fields {
            uid = vmail
            gid = vmail
            home = /var/vmail/%{user | username}
          }
        }
      ''
    else
      ''
        protocols = imap lmtp
        ssl_cert = <${certificate}/certificate.pem
        ssl_key = <${certificate}/key.pem
        auth_username_format = %n
        mail_location = maildir:~/mail
        passdb {
          driver = passwd-file
          args = ${users}
        }
        userdb {
          driver = static
          args = uid=vmail gid=vmail home=/var/vmail/%n
        }
      ''
  )
  + ''
    base_dir = /run/dovecot2
    default_internal_user = ${user}
    default_login_user = dovenull
    first_valid_uid = 1
    ssl = required
    service auth {
      inet_listener sasl {
        port = 12345
      }
    }
    service lmtp {
      inet_listener lmtp {
        port = 24
      }
    }
  ''
)
