"""Templates of Postfix's main.cf and master.cf."""

from string import Template

MAIN_CF = Template("""\
compatibility_level = 3.6
config_directory = $dir/postfix
queue_directory = $dir/queue
data_directory = $dir/pfdata
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = /etc/postfix
shlib_directory = /usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
# there is no syslog here: postlogd writes the file
maillog_file = $dir/log/postfix.log
maillog_file_prefixes = $dir
syslog_name = pf
delay_logging_resolution_limit = 6
myhostname = $domain
mydomain = $domain
myorigin = $domain
mydestination =
mynetworks = 127.0.0.2/32
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_peername_lookup = no
biff = no
append_dot_mydomain = no
alias_maps =
alias_database =
local_transport = error:5.1.1 no local delivery
local_recipient_maps =
recipient_delimiter = +
virtual_mailbox_domains = $domain
virtual_mailbox_maps = texthash:$dir/postfix/mailboxes
virtual_alias_maps = texthash:$dir/postfix/aliases
virtual_transport = lmtp:inet:127.0.0.1:$lmtp
transport_maps = regexp:$dir/postfix/transport
relay_domains = loop.test
# the proxy decides per recipient, so each recipient is a delivery of its own
lmtp_destination_recipient_limit = 1
lmtp_connection_cache_on_demand = no
message_size_limit = 20971520
smtpd_banner = $$myhostname ESMTP testbed
smtpd_delay_reject = yes
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions = check_recipient_access regexp:$dir/postfix/rcpt_access,
  permit_sasl_authenticated, reject_unauth_destination
smtpd_data_restrictions = reject_unauth_pipelining
smtpd_end_of_data_restrictions = check_recipient_access regexp:$dir/postfix/eod_access
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_client_message_rate_limit = 0
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_sasl_auth_enable = no
smtpd_tls_cert_file = $dir/tls/live.crt
smtpd_tls_key_file = $dir/tls/live.key
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_loglevel = 0
smtpd_tls_received_header = yes
smtpd_tls_session_cache_database =
smtp_tls_security_level = may
smtp_tls_CAfile = $dir/tls/ca.crt
# a unix socket: over TCP libmilter waits twice a mail for a delayed ACK (no TCP_NODELAY), 2 x 44 ms on loopback
smtpd_milters = unix:$dir/dkim/milter.sock
non_smtpd_milters =
milter_default_action = accept
bounce_queue_lifetime = 1h
maximal_queue_lifetime = 1h
minimal_backoff_time = 10s
queue_run_delay = 10s
default_process_limit = 200
""")

# Submission has a cleanup of its own that leaves loop.test alone; the cleanup of port "smtp" turns it into the domain.
MASTER_CF = Template("""\
$smtp inet n - n - - smtpd
  -o myhostname=mx.$domain
$submission inet n - n - - smtpd
  -o syslog_name=pf/submission
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
  -o cleanup_service_name=cleanup_sub
$smtps inet n - n - - smtpd
  -o syslog_name=pf/smtps
  -o smtpd_tls_wrappermode=yes
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
  -o cleanup_service_name=cleanup_sub
pickup      unix  n  -  n  60    1  pickup
cleanup     unix  n  -  n  -     0  cleanup
  -o virtual_alias_maps=texthash:$dir/postfix/aliases,regexp:$dir/postfix/loop_alias
cleanup_sub unix  n  -  n  -     0  cleanup
qmgr        unix  n  -  n  300   1  qmgr
tlsmgr      unix  -  -  n  1000? 1  tlsmgr
rewrite     unix  -  -  n  -     -  trivial-rewrite
bounce      unix  -  -  n  -     0  bounce
defer       unix  -  -  n  -     0  bounce
trace       unix  -  -  n  -     0  bounce
verify      unix  -  -  n  -     1  verify
flush       unix  n  -  n  1000? 0  flush
proxymap    unix  -  -  n  -     -  proxymap
proxywrite  unix  -  -  n  -     1  proxymap
smtp        unix  -  -  n  -     -  smtp
relay       unix  -  -  n  -     -  smtp
showq       unix  n  -  n  -     -  showq
error       unix  -  -  n  -     -  error
retry       unix  -  -  n  -     -  error
discard     unix  -  -  n  -     -  discard
local       unix  -  n  n  -     -  local
virtual     unix  -  n  n  -     -  virtual
lmtp        unix  -  -  n  -     -  lmtp
anvil       unix  -  -  n  -     1  anvil
scache      unix  -  -  n  -     1  scache
postlog     unix-dgram n - n  -     1  postlogd
""")
