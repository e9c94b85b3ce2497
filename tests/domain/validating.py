"""A real Unbound that validates, in front of the name server of the tests: zones signed rightly, wrongly, and not."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template
from typing import NamedTuple

import dns.dnssec
import dns.dnssectypes
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rdataset
import dns.rdatatype
import dns.rdtypes.ANY.DNSKEY
import dns.rdtypes.ANY.DS
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec

from tests.domain.nameserver import NameServer, serving, zone_of

PARENT = "signed.test"
_CONF = Template("""\
server:
  interface: 127.0.0.1@$port
  do-ip6: no
  username: ""
  chroot: ""
  directory: "$dir"
  pidfile: "$dir/unbound.pid"
  use-syslog: no
  logfile: "$dir/unbound.log"
  num-threads: 1
  module-config: "validator iterator"
  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow
  local-zone: "test." nodefault
  local-zone: "10.in-addr.arpa." nodefault
  trust-anchor: "$anchor"
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@$upstream
remote-control:
  control-enable: no
""")
_ZONE = """\
@ MX 10 mx
mx A 9.9.9.10
@ TXT "v=spf1 mx -all"
_25._tcp.mx TLSA 3 1 1 {digest}
@ CAA 0 issue "letsencrypt.org"
_dmarc TXT "v=DMARC1; p=reject; rua=mailto:d@{name}"
s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
_mta-sts TXT "v=STSv1; id=1"
_smtp._tls TXT "v=TLSRPTv1; rua=mailto:t@{name}"
"""


# Zones of which one signature was altered: that of this owner and type.
ALTERED = {
    "altered-spf": ("@", "TXT"),
    "altered-dmarc": ("_dmarc", "TXT"),
    "altered-key": ("s1._domainkey", "TXT"),
    "altered-sts": ("_mta-sts", "TXT"),
    "altered-reports": ("_smtp._tls", "TXT"),
    "altered-host": ("mx", "A"),
    "altered-tlsa": ("_25._tcp.mx", "TLSA"),
    "altered-caa": ("@", "CAA"),
}


class Key(NamedTuple):
    """A zone's key, and the DS that its parent publishes."""

    private: ec.EllipticCurvePrivateKey
    record: dns.rdtypes.ANY.DNSKEY.DNSKEY
    ds: dns.rdtypes.ANY.DS.DS


def make_key(origin: str) -> Key:
    """Make a key for a zone."""
    private = ec.generate_private_key(ec.SECP256R1())
    record = dns.dnssec.make_dnskey(private.public_key(), dns.dnssectypes.Algorithm.ECDSAP256SHA256, flags=257)
    return Key(private, record, dns.dnssec.make_ds(dns.name.from_text(origin), record, "SHA256"))


def signed(zone: dns.zone.Zone, key: Key, *, age: timedelta = timedelta()) -> dns.zone.Zone:
    """Sign a zone with its key, `age` ago, for ten days."""
    begun = datetime.now(UTC) - age - timedelta(hours=1)
    with zone.writer() as txn:
        dns.dnssec.sign_zone(
            zone,
            txn=txn,
            keys=[(key.private, key.record)],
            inception=begun,
            expiration=begun + timedelta(days=10),
            add_dnskey=True,
            dnskey_ttl=300,
        )
    return zone


def alter(zone: dns.zone.Zone, owner: str, kind: str) -> None:
    """Alter the signature of one set of records."""
    rdtype = dns.rdatatype.from_text(kind)
    found = zone.find_node(dns.name.from_text(owner, zone.origin) if owner != "@" else "@")
    signatures = found.find_rdataset(zone.rdclass, dns.rdatatype.RRSIG, rdtype)
    right = signatures[0].signature
    wrong = signatures[0].replace(signature=bytes([right[0] ^ 1]) + right[1:])
    found.replace_rdataset(dns.rdataset.from_rdata_list(signatures.ttl, [wrong]))


def child(label: str) -> dns.zone.Zone:
    """Return an unsigned zone below the parent."""
    name = f"{label}.{PARENT}"
    return zone_of(name, _ZONE.format(name=name, digest="ab" * 32))


def all_zones() -> tuple[list[dns.zone.Zone], Key]:
    """Return the parent and its children: good, bogus, expired, island, plain, and altered; and the parent's key."""
    top = make_key(PARENT)
    keys = {label: make_key(f"{label}.{PARENT}") for label in ("good", "bogus", "expired", "island", *ALTERED)}
    wrong = make_key(f"bogus.{PARENT}")
    ds = {"good": keys["good"].ds, "bogus": wrong.ds, "expired": keys["expired"].ds}
    ds |= {label: keys[label].ds for label in ALTERED}
    lines = [f"{label} NS ns.{label}.{PARENT}." for label in (*keys, "plain")]
    lines += [f"{label} DS {record.to_text()}" for label, record in ds.items()]
    zones = [signed(zone_of(PARENT, "\n".join(lines)), top)]
    for label, key in keys.items():
        zones.append(signed(child(label), key, age=timedelta(days=30) if label == "expired" else timedelta()))
        if label in ALTERED:
            alter(zones[-1], *ALTERED[label])
    reverse = zone_of("in-addr.arpa", f"10.9.9.9 PTR mx.good.{PARENT}.")
    return [*zones, child("plain"), reverse], top


@contextlib.contextmanager
def validating(directory: Path) -> Iterator[tuple[int, NameServer]]:
    """Run Unbound in front of all zones; yield its port."""
    zones, top = all_zones()
    with resolving(directory, zones, PARENT, top) as found:
        yield found


@contextlib.contextmanager
def resolving(directory: Path, zones: list[dns.zone.Zone], anchored: str, key: Key) -> Iterator[tuple[int, NameServer]]:
    """Run Unbound in front of zones of which one, with its key, is the trust anchor; yield its port."""
    with serving(zones) as upstream:
        port = _free_port()
        anchor = f"{anchored}. DS {key.ds.to_text()}"
        conf = directory / "unbound.conf"
        conf.write_text(_CONF.substitute(dir=directory, port=port, anchor=anchor, upstream=upstream.port))
        process = subprocess.Popen(["unbound", "-d", "-c", str(conf)], stderr=subprocess.DEVNULL)
        try:
            _wait_until_it_answers(port, anchored)
            yield port, upstream
        finally:
            process.terminate()
            process.wait(10)


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _wait_until_it_answers(port: int, name: str) -> None:
    query = dns.message.make_query(name, "SOA")
    until = time.monotonic() + 10
    while True:
        try:
            dns.query.udp(query, "127.0.0.1", 0.5, port)
        except (OSError, dns.exception.DNSException):
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
