"""What do these name servers answer? (dnspython; imported only where name servers are configured)"""

from __future__ import annotations

import socket
from collections.abc import Sequence

import dns.exception
import dns.message
import dns.name
import dns.nameserver
import dns.rcode
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
        raise _error("dns.resolver_error", host, port, "the name servers do not answer", is_silence=True) from exc
    pairs = [(socket.AddressFamily(family), (address, port)) for address, family in answers.addresses_and_families()]
    return sorted(pairs, key=lambda pair: pair[0] != socket.AF_INET)


def ask(name: str, nameserver: tuple[str, int], lifetime_s: float) -> str:
    """Ask one name server for the addresses of a name (of ".": its NS). Return "", or in a word why it is no answer.

    NXDOMAIN and NODATA are answers; SERVFAIL and REFUSED are none, whoever's fault they are (RFC 2308 section 7).
    """
    address, port = nameserver
    try:
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = [dns.nameserver.Do53Nameserver(address, port)]
        kind = "NS" if name == "." else "A"
        resolver.resolve(name, kind, raise_on_no_answer=False, search=False, lifetime=lifetime_s)
    except (dns.resolver.NXDOMAIN, dns.resolver.YXDOMAIN):
        return ""
    except dns.resolver.NoNameservers as exc:
        return _why(exc.kwargs["errors"])
    except dns.exception.DNSException:
        return "silent"
    return ""


def system_nameservers() -> list[tuple[str, int]]:
    """Return the name servers of /etc/resolv.conf; without any it is the one on this machine (resolv.conf(5))."""
    try:
        resolver = dns.resolver.Resolver()
    except dns.exception.DNSException:
        return [("127.0.0.1", 53)]
    return [(str(server), resolver.port) for server in resolver.nameservers if isinstance(server, str)]


def _why(errors: Sequence[tuple[object, bool, int, object, dns.message.Message | None]]) -> str:
    """Return what the last attempt came to: its response code, or the kernel's word."""
    *_, exc, response = errors[-1]
    if response is not None:
        return dns.rcode.to_text(response.rcode())
    return (exc.strerror or "no route").lower() if isinstance(exc, OSError) else "no sense"


def _error(finding_id: str, host: str, port: int, said: str, *, is_silence: bool = False) -> StageError:
    advice = "Check the host name and the name servers in `dns.nameservers`."
    return StageError(finding_id, Stage.DNS, f"{host}:{port}", said, advice, is_silence=is_silence)
