"""Hops in Received fields: from where, to where, and encrypted or not.

RFC 5321 section 4.4; RFC 3848 and the IANA registry "Mail Transmission Types" for what stands behind "with". Pure;
never raises.
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

from mailmon.text import visible

_KEYWORDS = ("from", "by", "via", "with", "id", "for")
_PARENTHESIS = re.compile(r"([()])")
# IANA's types, and those of Exim (esmtps, utf8esmtpsa, smtps) and of Cisco (ESMTP/TLS/cipher).
_PROTOCOL = re.compile(r"((?:UTF8)?(E?SMTP|LMTP)(S?)A?)(?:[;/].*)?", re.IGNORECASE | re.DOTALL)
# "TLSv1/SSLv3" is what old versions of OpenSSL call any cipher of TLS 1.0 to 1.2.
_VERSION = re.compile(r"(?<![A-Za-z0-9])TLS[ _-]?v?1(?:[._]([0-3])(?!\d)|(?<=TLSv1)(?![\w./]))", re.IGNORECASE)
# Some servers write "with ESMTP" and the cipher beside it: Haraka, Cisco, qmail with a patch for TLS.
_CIPHER = re.compile(
    r"\bcipher[= ]|/TLS/|\(TLS\b|\bTLS_[A-Z0-9_]{5}|\bSSLv3\b|(?<!not )(?<!un)\bencrypted\b", re.IGNORECASE
)
_ADDRESS = re.compile(r"(?<![0-9A-Fa-f:.])(?:IPv6:)?([0-9A-Fa-f:.]{2,45})(?![0-9A-Za-z:./-])", re.IGNORECASE)
_UNIX_SOCKET = re.compile(r"\[(?:unix\b|local\b)|\bunix:/|\bunix socket\b", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?")
_LOCAL_NAMES = ("localhost", "localhost.localdomain", "localhost4", "localhost6")
MAX_WORDS = 400


class Hop(NamedTuple):
    """One hop by SMTP or LMTP. `version` is "1.0" to "1.3", "" where the field does not say.

    Within a host nothing can be overheard: over a unix socket, over the loopback, or from a host to itself.
    """

    by: str
    protocol: str
    is_encrypted: bool
    version: str
    is_between_hosts: bool


def read_hop(value: str) -> Hop | None:
    """Return the hop of a Received field, None where it tells of none: a local submission, HTTP, MAPI, a queue.

    >>> read_hop("from a.example ([192.0.2.1]) by b.example with ESMTP id X; Mon, 1 Jan").is_between_hosts
    True
    >>> read_hop("from b.example by b.example with LMTP id X; Mon, 1 Jan").is_between_hosts
    False
    """
    clauses = _clauses(value)
    words, _ = clauses.get("with", ([], []))
    match = next((found for found in map(_PROTOCOL.fullmatch, words[:3]) if found), None)
    if match is None or "from" not in clauses:
        return None
    version = _VERSION.search(value)
    by_words, _ = clauses.get("by", ([], []))
    return Hop(
        visible(by_words[0].rstrip(";"), 100) if by_words else "a host",
        match[1].upper(),
        bool(match[3] or version or _CIPHER.search(value)),
        "" if version is None else f"1.{version[1] or 0}",
        not _is_within_a_host(clauses, is_lmtp=match[2].upper() == "LMTP"),
    )


_Clause = tuple[list[str], list[str]]


def _clauses(value: str) -> dict[str, _Clause]:
    """Return the words and the comments of each clause; one that does not begin with "from" has none of that name."""
    found: dict[str, _Clause] = {}
    words, comments = found[""] = ([], [])
    depth, comment, count = 0, [""], 0
    for piece in _PARENTHESIS.split(value):
        if piece == ")" and depth:
            depth -= 1
            if not depth:
                comments.append("".join(comment))
                comment = [""]
        elif piece == "(" or depth:
            depth += piece == "("
            comment.append(piece if piece != "(" or depth > 1 else "")
        else:
            for word in piece.split()[: MAX_WORDS - count]:
                count += 1
                keyword = word.lower()
                if keyword in _KEYWORDS and keyword not in found and (keyword != "from" or len(found) == 1):
                    words, comments = found[keyword] = ([], [])
                else:
                    words.append(word)
    return found


def _is_within_a_host(clauses: dict[str, _Clause], *, is_lmtp: bool) -> bool:
    whence, where = (
        " ".join((*words, *comments)) for words, comments in (clauses["from"], clauses.get("by", ([], [])))
    )
    if _UNIX_SOCKET.search(whence):
        return True
    addresses = _addresses(whence)
    if any(one.is_loopback for one in addresses) or addresses & _addresses(where):
        return True
    by_words = clauses.get("by", ([], []))[0]
    receiver = _host(by_words[0]) if by_words else ""
    senders = _names(clauses["from"])
    if receiver in senders:
        return True
    # Who comes over a network has an address, and LMTP servers name it (Dovecot leaves it out for a unix socket).
    return not addresses and (is_lmtp or any(_is_short_for(sender, receiver) for sender in senders[:1]))


def _names(clause: _Clause) -> list[str]:
    """Return the names of the sending host: what it said in HELO, and what its address resolves to."""
    words, comments = clause
    pieces = [*words[:1], *(piece for comment in comments[:2] for piece in comment.split()[:4])]
    names = [_host(piece.rpartition("=")[2]) for piece in pieces]
    return [name for name in names if name]


def _host(word: str) -> str:
    name = word.strip("<>;,").rstrip(".").lower()
    return name if _NAME.fullmatch(name) else ""


def _is_short_for(sender: str, receiver: str) -> bool:
    """Return whether a name is this host's own: localhost, or the other one with or without the domain."""
    is_short = ("." in sender) != ("." in receiver) and sender.partition(".")[0] == receiver.partition(".")[0]
    return sender in _LOCAL_NAMES or is_short


def _addresses(text: str) -> set[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """Return the addresses in a text; one of IPv4 may be written as one of IPv6 (Courier)."""
    found: set[ipaddress.IPv4Address | ipaddress.IPv6Address] = set()
    for match in _ADDRESS.finditer(text):
        try:
            address = ipaddress.ip_address(match[1])
        except ValueError:
            continue
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        found.add(mapped or address)
    return found
