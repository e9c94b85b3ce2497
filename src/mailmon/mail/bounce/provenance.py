"""Evidence that a notification is genuine: properties that an outsider cannot forge (RFC 5321 section 4.4, RFC 6376).

Anybody can write a bounce. Evidence is, in this order: the account's own server created it; the returned message is in
the folder of sent mail, or has our DKIM signature; the rejecting domain has signed the notification.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection
from enum import StrEnum
from typing import NamedTuple

from mailmon.mail.auth.dkim import COVERED, IsSigned, usable_signatures
from mailmon.mail.bounce.addresses import first_address
from mailmon.mail.bounce.original import RETURNED_TYPES
from mailmon.mail.bounce.ownership import returned_message
from mailmon.mail.bounce.values import Classification, Original
from mailmon.mail.message.header import first
from mailmon.mail.message.read import MAX_BYTES, Message, read_message

MAX_RECEIVED = 6
MAX_LINE_CHARS = 1000
MAX_NAMED = 50

# The Received line of the host that created the message, without a client. Postfix ("from userid" is a local program),
# Exim, with the users that it runs as, Sendmail; then qmail, which names no host.
_ORIGINS = (
    re.compile(r"by ([\w.-]{1,255}+) (?:\((?!Postfix, from)[\w ./,-]{1,80}+\) )?id ", re.ASCII),
    re.compile(r"from (?:mail|exim|exim4|mailnull|Debian-exim) by ([\w.-]{1,255}+) with local \(Exim ", re.ASCII),
    re.compile(r"from localhost \(localhost\) by ([\w.-]{1,255}+) \([\w./ -]{1,80}+\) id ", re.ASCII),
)
_QMAIL = re.compile(r"\(qmail \d{1,10}+ invoked for bounce\)", re.ASCII)
# Delivery from the queue to the mailbox: no server offers LMTP to strangers (RFC 2033 section 5).
_DELIVERY = re.compile(r" by [\w.-]{1,255}+ (?:\([^()]{1,80}+\) )?with (?:UTF8)?LMTPS?A?\b", re.ASCII)
_HANDOVER = re.compile(r" with (?:UTF8)?(?:E?SMTP|HTTP|POP3|IMAP)", re.ASCII)
_ADDRESS = re.compile(r"(?<![\w.:-])(?:IPv6:)?([0-9A-Fa-f.:]{2,45})(?![\w.:-])", re.ASCII)
# RFC 1918, RFC 4193, and link-local addresses.
_NEAR = tuple(
    ipaddress.ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10")
)
# Domains that represent each other: the mailer of the first bounces for the second.
_SAME = {"googlemail.com": "gmail.com"}


class Proof(StrEnum):
    """The kind of evidence."""

    NONE = ""
    LOCAL = "local"
    SENT = "sent"
    SIGNED = "signed"
    REPORTER = "reporter"


class Own(NamedTuple):
    """Our own domains, and the names of the account's servers."""

    domains: frozenset[str]
    hosts: frozenset[str]


def own_names(domains: Collection[str], hosts: Collection[str]) -> Own:
    """Return our own names. A server of mail.example.org may call itself mx1.example.org.

    >>> sorted(own_names(["example.org"], ["imap.example.net"]).hosts)
    ['example.net', 'example.org', 'imap.example.net']
    """
    lower = frozenset(domain.lower().rstrip(".") for domain in domains if domain)
    named = [host.lower().rstrip(".") for host in hosts]
    parents = [host.partition(".")[2] for host in named if host.count(".") >= 2 and not host[-1].isdigit()]
    return Own(lower, lower | frozenset(named) | frozenset(parents))


def is_made_here(raw: bytes, hosts: Collection[str]) -> bool:
    """Return whether the account's own server created this message, by its Received fields alone.

    Mail from outside has a line of our own server above it that names the client; lines forged by an outsider are below
    that. So the last line must be that of a host of ours without a client, and every line above it one of delivery to
    the mailbox.
    """
    headers = read_message(raw, MAX_BYTES).headers
    lines = [" ".join(value[:MAX_LINE_CHARS].split()) for value in headers.get("received", ())[: MAX_RECEIVED + 1]]
    paths = headers.get("return-path", ())
    if not lines or len(lines) > MAX_RECEIVED or any(path.replace(" ", "") != "<>" for path in paths):
        return False
    return all(_delivers(line) for line in lines[:-1]) and _begins(lines[-1], hosts)


def prove(
    raw: bytes,
    found: Classification,
    own: Own,
    is_signed: IsSigned | None = None,
    is_sent: Callable[[Original], bool] | None = None,
) -> Proof:
    """Return the evidence that a notification is genuine; exceptions of `is_sent` and `is_signed` are passed on.

    A message of ours is evidence only about its own recipients: whoever received one can return it in any name.
    """
    domains = {_domain(one.address) for one in found.recipients}
    if "" in domains or not domains:
        return Proof.NONE
    went_to = {_domain(address) for address in (*found.original.to, *found.original.cc)[:MAX_NAMED]}
    is_to_them = all(_is_same(domain, went_to) for domain in domains)
    if is_sent is not None and is_to_them and found.original.message_id and is_sent(found.original):
        return Proof.SENT
    if is_signed is None or len(raw) >= MAX_BYTES:
        return Proof.NONE
    message = read_message(raw)
    if is_to_them and _returns_signed(message, own, is_signed):
        return Proof.SIGNED
    reporter = _domain(first_address(first(message.headers, "from")[:MAX_LINE_CHARS]))
    if all(_are_aligned(reporter, domain) for domain in domains):
        crlf = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        signers = _Aligned(reporter, domains)
        if any(is_signed(crlf, number) for number in usable_signatures(crlf, signers)):
            return Proof.REPORTER
    return Proof.NONE


class _Aligned:
    """The domains whose signature counts for a reporter and for all recipients."""

    def __init__(self, reporter: str, domains: Collection[str]) -> None:
        self._all = (reporter, *domains)

    def __contains__(self, domain: object) -> bool:
        return isinstance(domain, str) and all(_are_aligned(domain, one) for one in self._all)


class _OwnDomains:
    """Our domains and all below them."""

    def __init__(self, domains: Collection[str]) -> None:
        self._domains = domains

    def __contains__(self, domain: object) -> bool:
        return isinstance(domain, str) and any(_is_below(domain, own) for own in self._domains)


def _returns_signed(message: Message, own: Own, is_signed: IsSigned) -> bool:
    part = next((part for part in message.parts if part.type in RETURNED_TYPES), None)
    if part is None or part.type not in ("message/rfc822", "message/global"):
        return False
    returned = returned_message(part)
    numbers = usable_signatures(returned, _OwnDomains(own.domains), (*COVERED, "to"))
    return any(is_signed(returned, number) for number in numbers)


def _begins(line: str, hosts: Collection[str]) -> bool:
    if _QMAIL.match(line):
        return True
    match = next((match for pattern in _ORIGINS if (match := pattern.match(line))), None)
    return match is not None and any(_is_below(match[1].lower().rstrip("."), host) for host in hosts)


def _delivers(line: str) -> bool:
    is_delivery = _DELIVERY.search(f" {line}") is not None and _HANDOVER.search(line) is None
    return is_delivery and all(_is_near(text) for text in _ADDRESS.findall(line))


def _is_near(text: str) -> bool:
    """Return whether a text is no IP address, or one of our own network."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return True
    return address.is_loopback or any(address in network for network in _NEAR if network.version == address.version)


def _is_below(domain: str, parent: str) -> bool:
    return domain == parent or domain.endswith(f".{parent}")


def _are_aligned(one: str, other: str) -> bool:
    """Return whether one domain equals or is below the other (RFC 7489 section 3.1, without a list of suffixes)."""
    one, other = _SAME.get(one, one), _SAME.get(other, other)
    return min(one.count("."), other.count(".")) >= 1 and (_is_below(one, other) or _is_below(other, one))


def _is_same(domain: str, others: Collection[str]) -> bool:
    return any(_SAME.get(domain, domain) == _SAME.get(other, other) for other in others)


def _domain(address: str) -> str:
    return address.rpartition("@")[2].strip(" <>").rstrip(".").lower() if "@" in address else ""
