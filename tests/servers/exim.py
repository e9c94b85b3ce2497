"""Exim: one plain configuration file with logins against /etc/shadow, delivery to ~/Maildir or by LMTP."""

from __future__ import annotations

from tests.servers import saslauthd
from tests.servers.machine import Machine
from tests.servers.parts import CERTIFICATE, DOMAIN, HOST, KEY, LMTP_PORT, Store, Transport

# The quota is the one in maildirsize (Maildir++), which Exim does not look for by itself.
_MAILDIR = """\
local_delivery:
  driver = appendfile
  directory = $home/Maildir
  maildir_format
  maildir_use_size_file
  maildir_quota_directory_regex = ^(?:cur|new|\\..*)$
  quota = ${if exists{$home/Maildir/maildirsize}{${extract{1}{S}{${readfile{$home/Maildir/maildirsize}{ }}}}}{0}}
  quota_size_regex = ,S=(\\d+)
  maildir_tag = ,S=$message_size
  delivery_date_add
  envelope_to_add
  return_path_add
"""
_LMTP = f"""\
local_delivery:
  driver = smtp
  protocol = lmtp
  hosts = 127.0.0.1
  port = {LMTP_PORT}
  allow_localhost
"""
_CONF = f"""\
primary_hostname = {HOST}
domainlist local_domains = {DOMAIN} : localhost
domainlist relay_to_domains =
hostlist relay_from_hosts = 127.0.0.1
disable_ipv6 = true
daemon_smtp_ports = 25 : 587
tls_advertise_hosts = *
tls_certificate = {CERTIFICATE}
tls_privatekey = {KEY}
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
never_users = root
host_lookup = *
log_file_path = syslog
syslog_duplication = false
acl_smtp_rcpt = acl_check_rcpt
acl_smtp_data = acl_check_data
HELD

begin acl
acl_check_rcpt:
  accept hosts = : +relay_from_hosts
         control = dkim_disable_verify
  deny message = restricted characters in address
       local_parts = ^[.] : ^.*[@%!/|]
  accept authenticated = *
  require message = relay not permitted
          domains = +local_domains : +relay_to_domains
  require verify = recipient
  accept
acl_check_data:
  accept

begin routers
dnslookup:
  driver = dnslookup
  domains = ! +local_domains
  transport = remote_smtp
  no_more
localuser:
  driver = accept
  check_local_user
  transport = local_delivery
  cannot_route_message = Unknown user

begin transports
remote_smtp:
  driver = smtp
DELIVERY

begin retry
*  *  F,2h,1m; G,16h,1h,1.5

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if saslauthd{{{{$auth2}}{{$auth3}}{{smtp}}}}{{1}}{{0}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${{if saslauthd{{{{$auth1}}{{$auth2}}{{smtp}}}}{{1}}{{0}}}}
  server_set_id = $auth1
"""
_PLACE = "/etc/exim4/exim4.conf"


class Exim(Transport):
    name = "Exim"
    packages = ("exim4-daemon-heavy", *saslauthd.PACKAGES)

    def configure(self, machine: Machine, store: Store) -> None:
        self._text = _CONF.replace("DELIVERY\n", _LMTP if store.is_lmtp else _MAILDIR)
        self._write(machine, is_held=False)
        saslauthd.configure(machine, "Debian-exim")

    def _write(self, machine: Machine, *, is_held: bool) -> None:
        machine.write(_PLACE, self._text.replace("HELD\n", "queue_only\n" if is_held else ""))

    def start(self, machine: Machine) -> None:
        saslauthd.start(machine)
        machine.run("exim4", "-bd", "-q5m")

    def stop(self, machine: Machine) -> None:
        machine.run("pkill", "-x", "exim4")

    def hold(self, machine: Machine) -> None:
        self._write(machine, is_held=True)
        machine.run("pkill", "-HUP", "-x", "exim4")

    def release(self, machine: Machine) -> None:
        self._write(machine, is_held=False)
        machine.run("pkill", "-HUP", "-x", "exim4")
        machine.run("exim4", "-qff")
