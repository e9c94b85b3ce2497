"""The bed's DNS server: Unbound with local data only, which never asks any other server."""

from string import Template

from .dkim import SELECTOR
from .settings import DOMAIN, LOOPBACK, Settings, write

_ZONES = ("mail.test.", "loop.test.", "broken.test.", "bl.test.", "127.in-addr.arpa.")

_RECORDS = (
    f"{DOMAIN}. MX 10 mx.{DOMAIN}.",
    f"mx.{DOMAIN}. A 127.0.0.1",
    f"{DOMAIN}. A 127.0.0.1",
    f'{DOMAIN}. TXT "v=spf1 ip4:127.0.0.1 mx -all"',
    f'_dmarc.{DOMAIN}. TXT "v=DMARC1; p=reject; rua=mailto:dmarc@{DOMAIN}"',
    f'_mta-sts.{DOMAIN}. TXT "v=STSv1; id=20260101"',
    f'_smtp._tls.{DOMAIN}. TXT "v=TLSRPTv1; rua=mailto:tls@{DOMAIN}"',
    f"loop.test. MX 10 mx.{DOMAIN}.",
    "loop.test. A 127.0.0.1",
    'loop.test. TXT "v=spf1 mx -all"',
    # everything a DNS check must complain about: an MX without address, two SPF records, a DMARC policy that is none
    "broken.test. MX 10 nowhere.broken.test.",
    'broken.test. TXT "v=spf1 +all"',
    'broken.test. TXT "v=spf1 -all"',
    '_dmarc.broken.test. TXT "v=DMARC1; p=bogus"',
    # a DNSBL that lists its test entry (RFC 5782 section 5) and 192.0.2.66
    "2.0.0.127.bl.test. A 127.0.0.2",
    "66.2.0.192.bl.test. A 127.0.0.4",
    '66.2.0.192.bl.test. TXT "listed for test"',
)

_UNBOUND_CONF = Template("""\
server:
  interface: $loopback@$port
  do-ip6: no
  username: ""
  chroot: ""
  directory: "$dir"
  pidfile: "$dir/unbound.pid"
  use-syslog: no
  logfile: "$dir/log/unbound.log"
  num-threads: 1
  so-reuseport: no
  module-config: "iterator"
  do-not-query-localhost: no
  msg-cache-size: 256k
  rrset-cache-size: 256k
  access-control: 127.0.0.0/8 allow
  local-zone: "." static
$data
  local-data-ptr: "127.0.0.1 $domain"
remote-control:
  control-enable: no
""")


def configure(settings: Settings, dkim_record: str) -> None:
    """Write Unbound's configuration with the zones in it."""
    # a TXT record is a row of strings of at most 255 bytes each (RFC 1035 section 3.3)
    strings = " ".join(f'"{dkim_record[start : start + 200]}"' for start in range(0, len(dkim_record), 200))
    records = (*_RECORDS, f"{SELECTOR}._domainkey.{DOMAIN}. TXT {strings}")
    lines = [f'  local-zone: "{zone}" static' for zone in _ZONES]
    lines += [f"  local-data: '{record}'" for record in records]
    values = {"dir": settings.directory, "domain": DOMAIN, "loopback": LOOPBACK, "port": settings.ports["dns"]}
    write(settings.directory / "unbound.conf", _UNBOUND_CONF.substitute(values, data="\n".join(lines)))
