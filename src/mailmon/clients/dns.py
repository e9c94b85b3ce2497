"""What do these name servers answer? (dnspython; imported only where name servers are configured)"""

from __future__ import annotations

import socket
from collections.abc import Sequence

import dns.exception
import dns.name
import dns.nameserver
import dns.resolver

from mailmon.errors import Stage, StageError

# A name that no zone can hold: what dnspython calls a label or a name that is too long, empty, or not encodable.
_NO_NAME = (dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.EmptyLabel, dns.name.IDNAException)


def look_up_addresses(
    host: str, port: int, nameservers: Sequence[tuple[str, int]], lifetime_s: float
) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    """Return the A and AAAA addresses of a host, IPv4 first. Raises StageError at the stage dns.

    NXDOMAIN and NODATA say that there is no such host; SERVFAIL, a refusal and silence are a resolver's trouble.
    """
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [dns.nameserver.Do53Nameserver(address, number) for address, number in nameservers]
    try:
        answers = resolver.resolve_name(host, lifetime=lifetime_s)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, *_NO_NAME) as exc:
        raise _error("dns.host_not_found", host, port, "no such host name") from exc
    except dns.exception.DNSException as exc:
        raise _error("dns.resolver_error", host, port, "the name servers do not answer") from exc
    pairs = [(socket.AddressFamily(family), (address, port)) for address, family in answers.addresses_and_families()]
    return sorted(pairs, key=lambda pair: pair[0] != socket.AF_INET)


def _error(finding_id: str, host: str, port: int, said: str) -> StageError:
    advice = "Check the host name and the name servers in `dns.nameservers`."
    return StageError(finding_id, Stage.DNS, f"{host}:{port}", said, advice)
