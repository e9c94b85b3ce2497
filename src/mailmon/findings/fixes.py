"""What fixes a finding, in the configuration of the software that the server runs. Pure.

One text per finding: its first line says in general what to do, the blocks below it how each program is told to. A
block begins with the program's name, for some with the protocol or version (`Courier IMAP`, `Dovecot 2.4`), and where
the lines belong; they are indented and can be copied. A block of one line is a sentence. Every option is one of the
program's own documentation; what stands in capitals is to be replaced.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import NamedTuple

from mailmon.findings.software import names
from mailmon.model.findings import Finding

# The examples for software that is not known.
EXAMPLES = {"smtp": ("Postfix",), "imap": ("Dovecot",), "pop3": ("Dovecot",), "sieve": ("Dovecot",)}
_BOTH = ("Postfix", "Dovecot")

_NAME = """
Postfix, main.cf:
  myhostname = NAME
  smtpd_banner = $myhostname ESMTP $mail_name
mailcow, mailcow.conf, then docker compose up -d:
  MAILCOW_HOSTNAME=NAME
Zimbra:
  zmprov ms SERVER zimbraMtaMyHostname NAME
Exim, main section:
  primary_hostname = NAME
Sendmail, sendmail.mc:
  define(`confDOMAIN_NAME', `NAME')dnl
OpenSMTPD, smtpd.conf:
  listen on ADDRESS tls pki NAME hostname NAME
Courier, /etc/courier/me:
  NAME
Exchange:
  Set-ReceiveConnector "SERVER\\Default Frontend SERVER" -Fqdn NAME
Haraka, config/me:
  NAME
chasquid, chasquid.conf:
  hostname: "NAME"
maddy, maddy.conf:
  hostname NAME
mox, mox.conf:
  Hostname: NAME
qmail, control/smtpgreeting:
  NAME
hMailServer: Settings, Protocols, SMTP, Delivery of e-mail: Local host name
"""

_CERTIFICATE = """
Postfix, main.cf:
  smtpd_tls_chain_files = /PATH/privkey.pem, /PATH/fullchain.pem
mailcow, as files in data/assets/ssl:
  cert.pem
  key.pem
Zimbra:
  zmcertmgr deploycrt comm /PATH/cert.pem /PATH/chain.pem
Exim, main section:
  tls_certificate = /PATH/fullchain.pem
  tls_privatekey = /PATH/privkey.pem
Sendmail, sendmail.mc:
  define(`confSERVER_CERT', `/PATH/cert.pem')dnl
  define(`confSERVER_KEY', `/PATH/privkey.pem')dnl
  define(`confCACERT', `/PATH/chain.pem')dnl
OpenSMTPD, smtpd.conf:
  pki NAME cert "/PATH/fullchain.pem"
  pki NAME key "/PATH/privkey.pem"
Courier SMTP, esmtpd and esmtpd-ssl (one file: key, then chain):
  TLS_CERTFILE=/PATH/key-and-fullchain.pem
Courier IMAP, imapd-ssl (one file: key, then chain):
  TLS_CERTFILE=/PATH/key-and-fullchain.pem
Courier POP3, pop3d-ssl (one file: key, then chain):
  TLS_CERTFILE=/PATH/key-and-fullchain.pem
Dovecot 2.4:
  ssl_server_cert_file = /PATH/fullchain.pem
  ssl_server_key_file = /PATH/privkey.pem
Dovecot 2.3:
  ssl_cert = </PATH/fullchain.pem
  ssl_key = </PATH/privkey.pem
Cyrus, imapd.conf:
  tls_server_cert: /PATH/fullchain.pem
  tls_server_key: /PATH/privkey.pem
Exchange, with the intermediates in the machine's store:
  Enable-ExchangeCertificate -Thumbprint HASH -Services SMTP,IMAP,POP
Haraka, config/tls.ini:
  key=tls_key.pem
  cert=tls_cert.pem
chasquid, as files:
  /etc/chasquid/certs/NAME/fullchain.pem
  /etc/chasquid/certs/NAME/privkey.pem
maddy, maddy.conf:
  tls file /PATH/fullchain.pem /PATH/privkey.pem
hMailServer: Settings, Advanced, SSL certificates: name the file with the whole chain
"""

_RELOAD = """renew the certificate and let the server read it again (NixOS: security.acme does both)
Postfix:
  postfix reload
mailcow:
  docker compose restart postfix-mailcow dovecot-mailcow
Zimbra, then zmcontrol restart:
  zmcertmgr deploycrt comm /PATH/cert.pem /PATH/chain.pem
Exim (Debian's name of the unit):
  systemctl restart exim4
Sendmail:
  systemctl restart sendmail
OpenSMTPD (on OpenBSD: rcctl restart smtpd):
  systemctl restart opensmtpd
Courier SMTP (Debian's names of the units):
  systemctl restart courier-mta courier-mta-ssl courier-msa
Courier IMAP (Debian's names of the units):
  systemctl restart courier-imap courier-imap-ssl
Courier POP3 (Debian's names of the units):
  systemctl restart courier-pop courier-pop-ssl
Dovecot:
  doveadm reload
Cyrus (Debian's name of the unit):
  systemctl restart cyrus-imapd
Exchange:
  Enable-ExchangeCertificate -Thumbprint HASH -Services SMTP,IMAP,POP
Haraka:
  systemctl restart haraka
chasquid:
  systemctl restart chasquid
maddy:
  systemctl restart maddy
mox:
  systemctl restart mox
Stalwart:
  systemctl restart stalwart
"""

FIXES = {
    "*.starttls_missing": """offer STARTTLS, with a key and a certificate
Postfix, main.cf:
  smtpd_tls_chain_files = /PATH/privkey.pem, /PATH/fullchain.pem
  smtpd_tls_security_level = may
Zimbra SMTP:
  zmprov ms SERVER zimbraMtaTlsSecurityLevel may
Zimbra IMAP:
  zmprov ms SERVER zimbraReverseProxyImapStartTlsMode only
Zimbra POP3:
  zmprov ms SERVER zimbraReverseProxyPop3StartTlsMode only
Exim, main section:
  tls_advertise_hosts = *
  tls_certificate = /PATH/fullchain.pem
  tls_privatekey = /PATH/privkey.pem
Sendmail, sendmail.mc:
  define(`confSERVER_CERT', `/PATH/cert.pem')dnl
  define(`confSERVER_KEY', `/PATH/privkey.pem')dnl
  define(`confCACERT', `/PATH/chain.pem')dnl
  define(`confCACERT_PATH', `/etc/ssl/certs')dnl
OpenSMTPD, smtpd.conf:
  pki NAME cert "/PATH/fullchain.pem"
  pki NAME key "/PATH/privkey.pem"
  listen on ADDRESS tls pki NAME
Courier SMTP, esmtpd (one file: key, then chain):
  COURIERTLS=/usr/bin/couriertls
  TLS_CERTFILE=/PATH/key-and-fullchain.pem
Courier IMAP, imapd-ssl (one file: key, then chain):
  IMAPDSTARTTLS=YES
  TLS_CERTFILE=/PATH/key-and-fullchain.pem
Courier POP3, pop3d-ssl (one file: key, then chain):
  POP3_STARTTLS=YES
  TLS_CERTFILE=/PATH/key-and-fullchain.pem
Dovecot 2.4:
  ssl = required
  ssl_server_cert_file = /PATH/fullchain.pem
  ssl_server_key_file = /PATH/privkey.pem
Dovecot 2.3:
  ssl = required
  ssl_cert = </PATH/fullchain.pem
  ssl_key = </PATH/privkey.pem
Cyrus, imapd.conf:
  tls_server_cert: /PATH/fullchain.pem
  tls_server_key: /PATH/privkey.pem
Exchange SMTP:
  Enable-ExchangeCertificate -Thumbprint HASH -Services SMTP
Exchange IMAP:
  Enable-ExchangeCertificate -Thumbprint HASH -Services IMAP
Exchange POP3:
  Enable-ExchangeCertificate -Thumbprint HASH -Services POP
Haraka, config/plugins:
  tls
chasquid, as files:
  /etc/chasquid/certs/NAME/fullchain.pem
  /etc/chasquid/certs/NAME/privkey.pem
maddy, maddy.conf:
  tls file /PATH/fullchain.pem /PATH/privkey.pem
hMailServer: Settings, Advanced, TCP/IP ports: connection security STARTTLS, with a certificate
popa3d: it has no TLS; put a TLS proxy in front of it, or use another server
qmail: it has no TLS without a patch: look for one with STARTTLS, such as that of notqmail
""",
    "*.auth_before_tls": """take passwords only inside TLS
Postfix, main.cf:
  smtpd_tls_auth_only = yes
Zimbra SMTP:
  zmprov ms SERVER zimbraMtaTlsAuthOnly TRUE
Zimbra IMAP:
  zmprov ms SERVER zimbraImapCleartextLoginEnabled FALSE
Zimbra POP3:
  zmprov ms SERVER zimbraPop3CleartextLoginEnabled FALSE
Exim, main section:
  auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}
Sendmail, sendmail.mc:
  define(`confAUTH_OPTIONS', `A p')dnl
OpenSMTPD, smtpd.conf:
  listen on ADDRESS port 587 tls-require pki NAME auth
Courier SMTP, esmtpd:
  ESMTPAUTH=""
  ESMTPAUTH_TLS="PLAIN LOGIN"
Courier IMAP, imapd-ssl:
  IMAP_TLS_REQUIRED=1
Courier POP3, pop3d-ssl:
  POP3_TLS_REQUIRED=1
Dovecot 2.4:
  auth_allow_cleartext = no
Dovecot 2.3:
  disable_plaintext_auth = yes
Cyrus, imapd.conf:
  allowplaintext: 0
Exchange SMTP:
  Set-ReceiveConnector "SERVER\\Client Frontend SERVER" `
    -AuthMechanism Tls,BasicAuth,BasicAuthRequireTLS
Exchange IMAP:
  Set-ImapSettings -LoginType SecureLogin
  Restart-Service MSExchangeIMAP4
Exchange POP3:
  Set-PopSettings -LoginType SecureLogin
  Restart-Service MSExchangePOP3
maddy, maddy.conf:
  insecure_auth no
hMailServer: Settings, Advanced, TCP/IP ports: connection security STARTTLS (required)
popa3d: it has no TLS; put a TLS proxy in front of it, or use another server
chasquid: it offers AUTH only inside TLS; look at what stands in front of it
""",
    "*.plaintext_on_tls_port": """speak TLS from the first byte on this port
Postfix, master.cf:
  submissions inet n - y - - smtpd
    -o smtpd_tls_wrappermode=yes
Exim, main section:
  daemon_smtp_ports = 25 : 465 : 587
  tls_on_connect_ports = 465
Sendmail, sendmail.mc:
  DAEMON_OPTIONS(`Name=TLSMTA, Port=465, M=s')dnl
OpenSMTPD, smtpd.conf:
  listen on ADDRESS smtps pki NAME auth
Courier SMTP, esmtpd-ssl:
  ESMTPDSSLSTART=YES
  SSLPORT=465
Courier IMAP, imapd-ssl:
  IMAPDSSLSTART=YES
  SSLPORT=993
Courier POP3, pop3d-ssl:
  POP3DSSLSTART=YES
  SSLPORT=995
Dovecot IMAP:
  service imap-login {
    inet_listener imaps {
      port = 993
      ssl = yes
    }
  }
Dovecot POP3:
  service pop3-login {
    inet_listener pop3s {
      port = 995
      ssl = yes
    }
  }
Cyrus IMAP, cyrus.conf, SERVICES:
  imaps cmd="imapd -s" listen="imaps"
Cyrus POP3, cyrus.conf, SERVICES:
  pop3s cmd="pop3d -s" listen="pop3s"
Haraka, config/smtp.ini:
  listen=[::0]:25,[::0]:587,[::0]:465
  smtps_port=465
chasquid, chasquid.conf:
  submission_over_tls_address: ":465"
maddy, maddy.conf: let the endpoint of this port begin with tls:// and not with tcp://
hMailServer: Settings, Advanced, TCP/IP ports: connection security SSL/TLS
""",
    "*.tls_on_plain_port": """begin in plain text and offer STARTTLS; TLS from the first byte is for 465, 993 and 995
Postfix, master.cf, for this port:
    -o smtpd_tls_wrappermode=no
Exim, main section:
  tls_on_connect_ports = 465
Sendmail, sendmail.mc (no M=s):
  DAEMON_OPTIONS(`Name=MTA, Port=25')dnl
OpenSMTPD, smtpd.conf (not smtps):
  listen on ADDRESS port PORT tls pki NAME
Courier SMTP, esmtpd-ssl:
  SSLPORT=465
Courier IMAP, imapd-ssl:
  SSLPORT=993
Courier POP3, pop3d-ssl:
  SSLPORT=995
Dovecot IMAP:
  service imap-login {
    inet_listener imap {
      port = 143
      ssl = no
    }
  }
Dovecot POP3:
  service pop3-login {
    inet_listener pop3 {
      port = 110
      ssl = no
    }
  }
Cyrus IMAP, cyrus.conf, SERVICES:
  imap cmd="imapd" listen="imap"
Cyrus POP3, cyrus.conf, SERVICES:
  pop3 cmd="pop3d" listen="pop3"
hMailServer: Settings, Advanced, TCP/IP ports: connection security STARTTLS
""",
    "tls.old_version": """allow TLS 1.2 and newer only
Postfix 3.6 and newer, main.cf:
  smtpd_tls_protocols = >=TLSv1.2
  smtpd_tls_mandatory_protocols = >=TLSv1.2
Postfix up to 3.5, main.cf:
  smtpd_tls_protocols = !SSLv2, !SSLv3, !TLSv1, !TLSv1.1
  smtpd_tls_mandatory_protocols = !SSLv2, !SSLv3, !TLSv1, !TLSv1.1
Exim with GnuTLS (Debian), main section:
  tls_require_ciphers = NORMAL:-VERS-TLS1.0:-VERS-TLS1.1
Exim with OpenSSL, main section:
  openssl_options = +no_sslv2 +no_sslv3 +no_tlsv1 +no_tlsv1_1
Sendmail, sendmail.mc:
  define(`confSERVER_SSL_OPTIONS',
    `+SSL_OP_NO_SSLv3 +SSL_OP_NO_TLSv1 +SSL_OP_NO_TLSv1_1')dnl
OpenSMTPD 7, smtpd.conf:
  listen on ADDRESS tls pki NAME protocols "tlsv1.2,tlsv1.3"
OpenSMTPD 6: update to 7, which can choose the protocols
Courier with GnuTLS (Debian), esmtpd, imapd-ssl, pop3d-ssl:
  TLS_PRIORITY="NORMAL:-VERS-TLS1.0:-VERS-TLS1.1"
Courier with OpenSSL, esmtpd, imapd-ssl, pop3d-ssl:
  TLS_PROTOCOL="TLSv1.2++"
Dovecot 2.3 and 2.4:
  ssl_min_protocol = TLSv1.2
Cyrus, imapd.conf:
  tls_versions: tls1_2 tls1_3
Exchange: disable TLS 1.0 and 1.1 of Windows (SCHANNEL\\Protocols\\TLS 1.0\\Server: Enabled = 0), and restart it
Haraka, config/tls.ini:
  minVersion=TLSv1.2
chasquid: use one that is built with Go 1.22 or newer, which offers TLS 1.2 and newer only
maddy, maddy.conf, in the block of tls:
  protocols tls1.2 tls1.3
hMailServer: Settings, Advanced, SSL/TLS: no TLS v1.0 and v1.1
""",
    "tls.cert_expired": _RELOAD,
    "tls.cert_expiring": _RELOAD,
    "tls.cert_chain_incomplete": f"serve the whole chain: the certificate, then its intermediates{_CERTIFICATE}",
    "tls.client_cert_required": """let the server do without a certificate of the client on this port
Postfix, main.cf:
  smtpd_tls_req_ccert = no
Exim, main section:
  tls_verify_hosts =
Sendmail, sendmail.mc:
  define(`confTLS_SRV_OPTIONS', `V')dnl
OpenSMTPD, smtpd.conf (no verify):
  listen on ADDRESS tls pki NAME
Courier, esmtpd, imapd-ssl, pop3d-ssl:
  TLS_VERIFYPEER=NONE
Dovecot 2.4:
  auth_ssl_require_client_cert = no
  ssl_server_request_client_cert = no
Dovecot 2.3:
  auth_ssl_require_client_cert = no
  ssl_verify_client_cert = no
Cyrus, imapd.conf:
  tls_client_certs: optional
Haraka, config/tls.ini:
  rejectUnauthorized=false
""",
    "tls.weak_dh": """use a Diffie-Hellman group of 2048 bits (openssl dhparam -out FILE 2048), or only ECDHE
Postfix 3.7 and newer, main.cf:
  smtpd_tls_dh1024_param_file = auto
Postfix up to 3.6, main.cf:
  smtpd_tls_dh1024_param_file = /PATH/dh2048.pem
Exim, main section:
  tls_dhparam = ffdhe2048
Sendmail, sendmail.mc:
  define(`confDH_PARAMETERS', `/PATH/dh2048.pem')dnl
OpenSMTPD, smtpd.conf:
  pki NAME dhe auto
Courier, esmtpd, imapd-ssl, pop3d-ssl:
  TLS_DHPARAMS=/PATH/dh2048.pem
Dovecot 2.4:
  ssl_server_dh_file = /PATH/dh2048.pem
Dovecot 2.3:
  ssl_dh = </PATH/dh2048.pem
Cyrus, imapd.conf:
  tls_server_dhparam: /PATH/dh2048.pem
Haraka, config/tls.ini:
  dhparam=dh2048.pem
""",
    "tcp.ipv6_unreachable": """let the service listen on IPv6, or remove the AAAA record
Postfix, main.cf:
  inet_protocols = all
Exim, main section:
  disable_ipv6 = false
  local_interfaces = <; 0.0.0.0 ; ::0
Sendmail, sendmail.mc:
  DAEMON_OPTIONS(`Name=MTA-v6, Family=inet6, Port=25')dnl
OpenSMTPD, smtpd.conf:
  listen on :: tls pki NAME
Courier SMTP, esmtpd:
  ADDRESS=0
Courier IMAP, imapd:
  ADDRESS=0
Courier POP3, pop3d:
  ADDRESS=0
Dovecot:
  listen = *, ::
Cyrus IMAP, cyrus.conf, SERVICES:
  imap cmd="imapd" listen="imap" proto="tcp"
Cyrus POP3, cyrus.conf, SERVICES:
  pop3 cmd="pop3d" listen="pop3" proto="tcp"
Haraka, config/smtp.ini:
  listen=[::0]:25
chasquid, chasquid.conf:
  smtp_address: ":25"
""",
    "smtp.banner_mismatch": f"greet with the name that the address resolves to{_NAME}",
    "smtp.ehlo_invalid": f"reply to EHLO with a full host name{_NAME}",
    "smtp.ext_missing": """offer the extensions that are missing, or look for a firewall that removes them
Postfix, main.cf (it offers them by default):
  smtpd_discard_ehlo_keywords =
  smtputf8_enable = yes
Exim, main section:
  pipelining_advertise_hosts = *
  accept_8bitmime = true
  smtputf8_advertise_hosts = *
  dsn_advertise_hosts = *
Sendmail: it offers PIPELINING, 8BITMIME and DSN by default; look for srv_features and confPRIVACY_FLAGS (noreceipts)
OpenSMTPD: it has no PIPELINING and no SMTPUTF8 to offer; DSN is missing where the listener says no-dsn
Courier: it offers PIPELINING, 8BITMIME and DSN by default; what is missing was removed in front of it
Exchange:
  Set-ReceiveConnector "SERVER\\Default Frontend SERVER" `
    -PipeliningEnabled $true -EightBitMimeEnabled $true
Haraka, config/smtp.ini:
  smtputf8=true
""",
    "smtp.vrfy_enabled": """do not tell strangers which mailboxes exist
Postfix, main.cf:
  disable_vrfy_command = yes
Exim, main section:
  acl_smtp_vrfy = deny
  acl_smtp_expn = deny
Sendmail, sendmail.mc:
  define(`confPRIVACY_FLAGS', `authwarnings,novrfy,noexpn')dnl
OpenSMTPD: it has no option for VRFY and does not look the mailbox up by itself: look at its filters
Courier SMTP, esmtpd, esmtpd-ssl:
  BOFHNOVRFY=1
  BOFHNOEXPN=1
""",
    "smtp.open_relay": """relay only for clients that log in and for your own networks
Postfix, main.cf:
  mynetworks = 127.0.0.0/8 [::1]/128
  smtpd_relay_restrictions = permit_mynetworks,
    permit_sasl_authenticated, reject_unauth_destination
mailcow: remove foreign networks from mynetworks in data/conf/postfix/extra.cf and from the forwarding hosts
Zimbra:
  zmprov ms SERVER zimbraMtaMyNetworks '127.0.0.0/8 [::1]/128'
Exim, main section:
  hostlist relay_from_hosts = <; 127.0.0.1 ; ::1
Exim, acl_check_rcpt:
  accept  hosts = +relay_from_hosts
  accept  authenticated = *
  require message = relay not permitted
          domains = +local_domains : +relay_to_domains
Sendmail, to be removed from sendmail.mc:
  FEATURE(`promiscuous_relay')dnl
  FEATURE(`relay_local_from')dnl
  FEATURE(`relay_mail_from')dnl
OpenSMTPD, smtpd.conf:
  match from any for domain "DOMAIN" action "local"
  match from local for any action "outbound"
  match auth from any for any action "outbound"
Courier SMTP, smtpaccess/default (tab between), no others with RELAYCLIENT; then makesmtpaccess:
  127.0.0.1	allow,RELAYCLIENT
Exchange:
  Get-ReceiveConnector "SERVER\\CONNECTOR" |
    Remove-ADPermission -User "NT AUTHORITY\\ANONYMOUS LOGON" `
    -ExtendedRights ms-Exch-SMTP-Accept-Any-Recipient
Haraka: let config/relay_acl_allow and config/relay.ini name your own networks only
chasquid: it relays only for who logs in: see that no foreign client reaches it as loopback
qmail: control/rcpthosts names your domains, and tcp.smtp sets RELAYCLIENT for your own networks only
hMailServer: Settings, Advanced, IP ranges, Internet: no deliveries from external to external addresses
""",
    "smtp.smuggling": """take only <CR><LF>.<CR><LF> for the end of a message
Postfix 3.9, or 3.5 to 3.8 with the backport, main.cf:
  smtpd_forbid_bare_newline = normalize
Postfix, older, main.cf:
  smtpd_data_restrictions = reject_unauth_pipelining
  smtpd_discard_ehlo_keywords = chunking
mailcow: update it
Zimbra: update it
Exim: update to 4.97.1 or newer, or to your distribution's fix of CVE-2023-51766
Sendmail: update to 8.18.1 or newer, or to your distribution's fix of CVE-2023-51765
OpenSMTPD: update it
Courier: update it
Haraka: update it
chasquid: update it
Exchange: update it
""",
}


class Block(NamedTuple):
    """How one program is told: `head` names it and the place, or is a whole sentence; `lines` can be copied."""

    software: str
    head: str
    lines: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Return the block as it is printed."""
        return "\n".join((self.head, *self.lines))


class Fix(NamedTuple):
    """What to do in general, and for each program."""

    general: str
    blocks: tuple[Block, ...]


def fix_of(finding_id: str) -> Fix | None:
    """Return the fix of a finding that has one for several programs."""
    key = finding_id if finding_id in FIXES else f"*.{finding_id.partition('.')[2]}"
    return _read(FIXES[key]) if key in FIXES else None


def general_fix(finding_id: str, protocol: str = "") -> str:
    """Return the fix for software that is not known, with examples; "" where none is kept here.

    Without a protocol it is that of the id; where that names none, there are examples for mail and for mailboxes.
    """
    fix = fix_of(finding_id)
    if fix is None:
        return ""
    protocol = protocol or finding_id.partition(".")[0]
    examples = [block for name in EXAMPLES.get(protocol, _BOTH) for block in _blocks(fix, name, protocol)]
    return _joined(fix.general, "; for example ", examples)


def fix_for(finding_id: str, software: str, protocol: str) -> str:
    """Return the fix for one program: no other is named. "" where none is kept here.

    >>> print(fix_for("smtp.vrfy_enabled", "Exim", "smtp"))
    do not tell strangers which mailboxes exist; Exim, main section:
      acl_smtp_vrfy = deny
      acl_smtp_expn = deny
    """
    fix = fix_of(finding_id)
    if fix is None:
        return ""
    blocks = _blocks(fix, software, protocol)
    if not blocks:
        return f"{fix.general} (see the documentation of {software})"
    return _joined(fix.general, "; ", blocks)


def with_software(finding: Finding, software: str, protocol: str) -> Finding:
    """Return a finding with the fix for the software of its server, "" if not known, unless it has one of its own."""
    if not finding.fix or finding.fix != general_fix(finding.id):
        return finding
    fix = fix_for(finding.id, software, protocol) if software else general_fix(finding.id, protocol)
    return finding._replace(fix=fix)


def _joined(general: str, link: str, blocks: list[Block]) -> str:
    return general + link + "\n".join(block.text for block in blocks) if blocks else general


# mailcow and Zimbra are made of others; where a text has no block for them, that of the part holds.
_PARTS = {
    ("mailcow", "smtp"): "Postfix",
    ("mailcow", "imap"): "Dovecot",
    ("mailcow", "pop3"): "Dovecot",
    ("mailcow", "sieve"): "Dovecot",
    ("Zimbra", "smtp"): "Postfix",
}


def _blocks(fix: Fix, software: str, protocol: str) -> list[Block]:
    own = [one for one in fix.blocks if one.software in (software, f"{software} {protocol.upper()}")]
    part = _PARTS.get((software, protocol))
    return own or (_blocks(fix, part, protocol) if part else [])


@cache
def _read(text: str) -> Fix:
    general, *lines = text.rstrip("\n").split("\n")
    heads = [number for number, line in enumerate(lines) if not line.startswith(" ")] + [len(lines)]
    blocks = [
        Block(_software(lines[begin]), lines[begin], tuple(lines[begin + 1 : end])) for begin, end in pairwise(heads)
    ]
    return Fix(general, tuple(blocks))


def _software(head: str) -> str:
    """Return whom a heading names: `Courier IMAP` for `Courier IMAP, imapd-ssl:`, `Dovecot` for `Dovecot 2.4:`."""
    name = max((one for one in names() if head.startswith(one)), key=len)
    rest = head.removeprefix(name)
    protocol = next((one for one in ("SMTP", "IMAP", "POP3") if rest.startswith(f" {one}")), "")
    return f"{name} {protocol}".rstrip()
