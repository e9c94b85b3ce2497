"""The dnspython side of name resolution: one place that makes resolvers, and words for what failed.

Imported only where name servers are configured or a lookup has failed; resolver.py is what a quiet run needs.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import NamedTuple

import dns.exception
import dns.message
import dns.name
import dns.nameserver
import dns.rcode
import dns.resolver

from mailmon.errors import Stage, StageError
from mailmon.mail.message.address import dns_name

# A name that no zone can hold: what dnspython calls a label or a name that is too long, empty, or not encodable.
_LOCAL = ("127.0.0.1", 53)
_NO_NAME = (dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.EmptyLabel, dns.name.IDNAException)


def make_resolver(nameservers: Sequence[tuple[str, int]] = ()) -> dns.resolver.Resolver:
    """Return a resolver of these name servers, of /etc/resolv.conf without any, else of 127.0.0.1 (resolv.conf(5))."""
    resolver = dns.resolver.Resolver(configure=False)
    if not nameservers:
        try:
            return dns.resolver.Resolver()
        except dns.exception.DNSException:
            nameservers = [_LOCAL]
    resolver.nameservers = [dns.nameserver.Do53Nameserver(address, port) for address, port in nameservers]
    return resolver


def look_up_addresses(
    host: str, port: int, nameservers: Sequence[tuple[str, int]], lifetime_s: float
) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    """Return the A and AAAA addresses of a host, IPv4 first. Raises StageError at the stage dns.

    NXDOMAIN and NODATA say that there is no such host; SERVFAIL, a refusal and silence are a resolver's trouble.
    """
    resolver = make_resolver(nameservers)
    try:
        answers = resolver.resolve_name(dns_name(host), lifetime=lifetime_s)
    except ValueError as exc:  # a name that IDNA does not allow
        raise _error("dns.host_not_found", host, port, str(exc)) from exc
    except (dns.resolver.NXDOMAIN, *_NO_NAME) as exc:
        raise _error("dns.host_not_found", host, port, "no such host name") from exc
    except dns.resolver.NoAnswer as exc:
        raise _error("dns.host_not_found", host, port, _NODATA) from exc
    except dns.exception.DNSException as exc:
        trouble = trouble_of(exc)
        raise _error("dns.resolver_error", host, port, trouble.said, trouble.advice, is_silence=True) from exc
    pairs = [(socket.AddressFamily(family), (address, port)) for address, family in answers.addresses_and_families()]
    return sorted(pairs, key=lambda pair: pair[0] != socket.AF_INET)


def ask(name: str, nameserver: tuple[str, int], lifetime_s: float) -> str:
    """Ask one name server for the addresses of a name (of ".": its NS). Return "", or in a word why it is no answer.

    NXDOMAIN and NODATA are answers; SERVFAIL and REFUSED are none, whoever's fault they are (RFC 2308 section 7).
    """
    try:
        kind = "NS" if name == "." else "A"
        make_resolver([nameserver]).resolve(
            dns_name(name), kind, raise_on_no_answer=False, search=False, lifetime=lifetime_s
        )
    except (dns.resolver.NXDOMAIN, dns.resolver.YXDOMAIN, ValueError):
        return ""
    except dns.exception.DNSException as exc:
        return _word(exc)
    return ""


class Trouble(NamedTuple):
    """Why name servers gave no usable answer, in words, and what to do about it."""

    said: str
    advice: str


def explain(host: str, lifetime_s: float, configuration: str = "/etc/resolv.conf") -> Trouble | None:
    """Ask the system's name servers for a host that its resolver could not look up; None where they answer.

    The C library calls SERVFAIL, a refusal and silence by one word.
    """
    try:
        resolver = dns.resolver.Resolver(configuration)
    except dns.exception.DNSException:
        return Trouble("no name server is configured", "Name one in /etc/resolv.conf.")
    try:
        resolver.resolve_name(dns_name(host), lifetime=lifetime_s)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, ValueError, *_NO_NAME):
        return None
    except dns.exception.DNSException as exc:
        return trouble_of(exc)
    return None


def trouble_of(exc: dns.exception.DNSException) -> Trouble:
    """Return what a look-up that failed came to: SERVFAIL, a refusal, silence, no way there, or nonsense."""
    found = _by_server(exc)
    for name, server in _servers(exc)[:_MAX_SERVERS]:
        if found[name].kind == "silent":
            found[name] = _look_again(server) or found[name]
    kind = next((one for one in _ADVICE if any(word.kind == one for word in found.values())), "silent")
    texts = {word.text for word in found.values()}
    if len(texts) <= 1:
        return Trouble(f"the name servers {''.join(texts) or 'do not answer'}", _ADVICE[kind])
    listed = "; ".join(f"{_address(server)}: {word.text}" for server, word in list(found.items())[:_MAX_SERVERS])
    return Trouble(f"no name server gives an answer that can be used: {listed}", _ADVICE[kind])


def _by_server(exc: dns.exception.DNSException) -> dict[str, _Word]:
    """Return what came of each server, in the order in which they were asked.

    One that refuses a connection is asked again until time is up: silence counts only where there was nothing else.
    """
    found: dict[str, _Word] = {}
    for error in exc.kwargs.get("errors") or ():
        word, name = _Word(*error), str(error[0])
        if name not in found or word.kind != "silent":
            found[name] = word
    return found


_NODATA = "the name exists, but it has no address"
_MAX_SERVERS = 4
# By kind of trouble, the gravest first: where name servers differ, its advice is given.
_ADVICE = {
    "SERVFAIL": "The name server could not find out the answer: see with `mailmon dns` whether the domain's own name "
    "servers and its DNSSEC are well, and try another resolver.",
    "REFUSED": "That name server does not resolve for this machine: use another one (/etc/resolv.conf, or "
    "`dns.nameservers`).",
    "rcode": "Use another name server (/etc/resolv.conf, or `dns.nameservers`), and look at that one's log.",
    "nonsense": "Something that is no name server answers there, or changes the answers: use another one.",
    "cut": "Answers that do not fit into a packet come by TCP: let TCP port 53 through to the name server.",
    "unreachable": "Nothing answers there: is the name server running, and is its address right (/etc/resolv.conf, or "
    "`dns.nameservers`)?",
    "silent": "See whether the name servers run, and whether a firewall drops UDP and TCP port 53.",
}


class _Word:
    """What one attempt at one name server came to."""

    def __init__(
        self, _server: object, is_tcp: bool, _port: int, exc: object, response: dns.message.Message | None
    ) -> None:
        if response is not None and response.rcode() != dns.rcode.NOERROR:
            name = dns.rcode.to_text(response.rcode())
            self.kind = name if name in _ADVICE else "rcode"
            self.text, self.word = f"answer {name}", name
        elif isinstance(exc, dns.exception.Timeout):
            self.kind, self.text, self.word = "silent", "do not answer", "silent"
        elif isinstance(exc, dns.message.Truncated) or (is_tcp and isinstance(exc, EOFError | OSError)):
            self.kind, self.word = "cut", "an answer that is cut off"
            self.text = "give an answer that is cut off, and the whole of it cannot be had by TCP"
        elif isinstance(exc, OSError):
            self.word = (exc.strerror or "no route").lower()
            self.kind, self.text = "unreachable", f"cannot be queried: {self.word}"
        else:
            self.kind, self.text, self.word = "nonsense", "give an invalid answer", "invalid answer"


def _servers(exc: dns.exception.DNSException) -> list[tuple[str, tuple[str, int]]]:
    """Return the servers that were asked by UDP, each once: what an error calls them, address and port."""
    names = dict.fromkeys(str(error[0]) for error in exc.kwargs.get("errors") or ())
    split = [(name, name.removeprefix("Do53:").rpartition("@")) for name in names if name.startswith("Do53:")]
    return [(name, (address, int(port))) for name, (address, _, port) in split if port.isdecimal()]


def _look_again(server: tuple[str, int]) -> _Word | None:
    """Return why a name server seemed silent: nothing listens there, or what it sends is no DNS. None: it is silent.

    dnspython passes over both, for an answer that is forged must not hide the true one.
    """
    question = dns.message.make_query(".", "NS")
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.settimeout(_LOOK_AGAIN_S)
            sock.connect(server)
            sock.send(question.to_wire())
            dns.message.from_wire(sock.recv(65535))
    except TimeoutError:
        return None
    except OSError as exc:
        return _Word(None, False, 0, exc, None)
    except (dns.exception.DNSException, ValueError):
        return _Word(None, False, 0, None, None)
    return None


_LOOK_AGAIN_S = 0.3


def _word(exc: dns.exception.DNSException) -> str:
    return next((word.word for word in _by_server(exc).values()), "silent")


def _address(server: str) -> str:
    """Return the address in `Do53:192.0.2.1@53`, as dnspython calls a server."""
    return server.removeprefix("Do53:").removesuffix("@53").replace("@", ":")


def system_nameservers() -> list[tuple[str, int]]:
    """Return the name servers of /etc/resolv.conf; without any it is the one on this machine (resolv.conf(5))."""
    resolver = make_resolver()
    return [(str(server), resolver.port) for server in resolver.nameservers if isinstance(server, str)] or [_LOCAL]


def _error(
    finding_id: str, host: str, port: int, said: str, advice: str = "", *, is_silence: bool = False
) -> StageError:
    advice = advice or "Check the host name and the name servers in `dns.nameservers`."
    return StageError(finding_id, Stage.DNS, f"{host}:{port}", said, advice, is_silence=is_silence)
