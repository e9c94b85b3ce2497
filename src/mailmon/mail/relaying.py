"""Refusals of a foreign recipient: whether relaying was refused, or something else (RFC 5321 sections 3.6.2, 7.1).

A server that refuses the client, its name, its sender or everything for now has not been asked about relaying: it may
relay for everybody else. What it says decides, by the advice table (advice.py) and by the words below.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from mailmon.errors import Stage
from mailmon.mail.advice import choose, refused_by_smtp
from mailmon.mail.reply import Reply

MAX_CHARS = 1000


class Refused(StrEnum):
    """What a server refused. `OTHER` is a refusal that gives no reason."""

    RELAYING = "relaying"
    CLIENT = "client"
    HELO = "helo"
    SENDER = "sender"
    TARGET = "target"
    TLS = "tls"
    LATER = "later"
    OTHER = "other"


class Asked(NamedTuple):
    """What we said of ourselves: the name in EHLO and the envelope sender. `is_recipient` is False for MAIL.

    `wants_login` says that the server offers a login on a port for submission.
    """

    helo: str
    sender: str
    is_recipient: bool = True
    wants_login: bool = False


_BY_CAUSE = {
    "relaying-denied": Refused.RELAYING,
    "login-needed": Refused.RELAYING,
    "block-listed": Refused.CLIENT,
    "client-refused": Refused.CLIENT,
    "reverse-dns": Refused.CLIENT,
    "too-many-connections": Refused.CLIENT,
    "helo-refused": Refused.HELO,
    "sender-refused": Refused.SENDER,
    "sender-not-yours": Refused.SENDER,
    "sender-domain-unresolved": Refused.SENDER,
    "unauthenticated-mail": Refused.SENDER,
    "tls-needed": Refused.TLS,
    "greylisted": Refused.LATER,
    "refused-for-now": Refused.LATER,
    "overloaded": Refused.LATER,
    "sending-limit": Refused.LATER,
    "recipient-rate": Refused.LATER,
    "too-many-recipients": Refused.LATER,
    "too-many-errors": Refused.LATER,
    "shutting-down": Refused.LATER,
    "server-full": Refused.LATER,
}
# A reason that stands beside a refusal of relaying, and is the one that counts.
_LISTED = re.compile(
    r"(?<!not an )(?<!not )(?<!no )open relay|blocked using|black ?hole|black-?list|block-?list|blocked? list|"
    r"\b(?:dns|r)bls?\b|reputation|\blisted (?:at|in|on|by)\b"
)
_TEMPORARILY = re.compile(r"relay\w{0,4} (?:is )?temporarily")
# What a 4xx has to say beside the word: others may be let through a moment later.
_DENIED = re.compile(
    r"relay\w{0,4} [^;:]{0,60}"
    r"(?:denied|refused|rejected|prohibited|forbidden|disallowed|disabled|not (?:allowed|permitted|authori[sz]ed))|"
    r"(?:not|n't|no|unable to|cannot|permitted to|allowed to|refuse to) (?:\w{1,20} ){0,2}relay|rcpthosts|not local"
)
# Servers without the word relay: Exim, MailEnable, hMailServer, Mercury, mox, Maddy, Haraka, IceWarp, Groupwise.
_RELAYING = re.compile(
    r"\brelayed (?:through|thru|via|by|here)\b|\bnon-local\b|\bnot (?:a |our |one of our )?local\b|not a gateway|"
    r"\bno such domain\b|\bdomain (?:is )?not (?:local|hosted|handled|served|accepted|configured)|"
    r"(?:\bnot|n't) (?:host|handle|serve|(?:accept|receive) (?:e-?)?mail for) (?:that|this|the|mail for)\b|"
    r"(?:\bnot|n't) (?:accept|receive|take) (?:e-?)?mail for [\w-]{1,63}\.[a-z]|\bnot (?:a|one of the) domains? we\b|"
    r"\bnot (?:handled|hosted|served) (?:here|(?:by|on|at) (?:this|our))\b|\bforwarding to remote\b|"
    r"\blocal (?:delivery|mail) only\b|(?:\bnot|n't) deliver to\b|\bnot in my list\b|\bto remote addresses\b|"
    r"\bremote (?:delivery|recipients?|domains?) (?:is |are )?(?:not|requires?|denied|disabled)|"
    r"\brelay\w{0,4} attempt|\b(?:not(?: an)?|no) open relay\b|"
    r"\bnot an accepted domain\b|\bnon-accepted domain\b|\bunknown local domain\b"
)
_HELO = re.compile(r"\b(?:helo|ehlo)\b")
_TARGET = re.compile(
    r"null ?mx|does not accept mail|domain not found|domain does not exist|unrout\w{1,6}|\bmx records?\b|\bhas no mx\b|"
    r"no route to|host not found|name or service|host unknown|unverified address|undeliverable address|"
    r"\bcallout\b|verification"
)
_SENDER = re.compile(
    r"\bsender\b|sender address|verification failed for|\bcallback\b|mail from:|mail from (?:address|check|domain)|"
    r"from address|reverse-?path|return-?path|\bbounces?\b|\bspf\b|\bdmarc\b|envelope from"
)
_CLIENT = re.compile(
    r"client host|dial-?up|\bdynamic (?:ip|address|host|dns)|\byour access\b|"
    r"\byour (?:ip|address|host|network|country|server|mta|isp|domain name)\b|\brdns\b|"
    r"reverse dns|\bptr\b|sending (?:mta|server|host|ip)|\bgeo-?ip\b|not allowed to connect|"
    r"connecting (?:host|ip|client)"
)
_ADDRESS = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]{1,2}\d)|\[?ipv6:[0-9a-f:]{2,45}", re.ASCII)


def what_is_refused(reply: Reply, asked: Asked) -> Refused:
    """Return what a negative reply to MAIL or RCPT refuses.

    >>> what_is_refused(Reply(454, (b"4.7.1 <a@example.com>: Relay access denied",)), Asked("mx", ""))
    <Refused.RELAYING: 'relaying'>
    """
    words = " ".join(reply.text[:MAX_CHARS].casefold().split())
    row = choose(refused_by_smtp(Stage.RCPT if asked.is_recipient else Stage.MAIL, reply))
    cause = row.cause if row else ""
    kind = _BY_CAUSE.get(cause, Refused.OTHER)
    if cause == "client-refused" and asked.wants_login and not _LISTED.search(words):
        return Refused.RELAYING  # Postfix, for whoever is not logged in: "Client host rejected: Access denied"
    if _LISTED.search(words):
        return Refused.CLIENT
    if kind is Refused.RELAYING and not _speaks_of_another(words, cause, reply):
        return kind
    if kind is Refused.CLIENT and _SENDER.search(words) and not _CLIENT.search(words):
        return Refused.SENDER
    if kind in (Refused.CLIENT, Refused.HELO, Refused.SENDER, Refused.TLS):
        return kind
    return _by_words(words, kind, reply, asked)


def names_client(reply: Reply) -> bool:
    """Return whether the words of a refusal, such as a greeting, name the client and its repute as the reason."""
    words = reply.text[:MAX_CHARS].casefold()
    row = choose(refused_by_smtp(Stage.GREETING, reply))
    is_known = row is not None and row.cause in ("block-listed", "reverse-dns", "too-many-connections")
    return is_known or any(pattern.search(words) for pattern in (_LISTED, _CLIENT, _ADDRESS))


def _speaks_of_another(words: str, cause: str, reply: Reply) -> bool:
    """Return whether a refusal that speaks of relaying or a login refuses something else, or for now."""
    if cause == "login-needed":
        return _SENDER.search(words) is not None
    is_for_now = reply.is_transient and not _DENIED.search(words)
    return is_for_now or _TEMPORARILY.search(words) is not None


def _by_words(words: str, kind: Refused, reply: Reply, asked: Asked) -> Refused:
    """Return what the words name where the table has no cause that decides."""
    bare = " ".join(word for word in words.split() if "@" not in word)
    names_sender = bool(asked.sender) and asked.sender.casefold() in words
    if _RELAYING.search(bare) and asked.is_recipient and not names_sender:
        return Refused.RELAYING
    if _HELO.search(bare):
        return Refused.HELO
    for pattern, refused in ((_CLIENT, Refused.CLIENT), (_TARGET, Refused.TARGET), (_SENDER, Refused.SENDER)):
        if pattern.search(bare):
            return _of_sender(refused, bare, asked)
    if kind is Refused.LATER or reply.is_transient:
        return Refused.LATER
    if _ADDRESS.search(bare):  # one that is no part of a mail address
        return Refused.CLIENT
    domain = asked.sender.rpartition("@")[2].casefold()
    if names_sender or (domain and domain in bare):
        return Refused.SENDER
    if asked.helo and "." in asked.helo and asked.helo.casefold() in words:
        return Refused.HELO
    return Refused.OTHER if asked.is_recipient else Refused.SENDER


def _of_sender(refused: Refused, words: str, asked: Asked) -> Refused:
    """Return whose domain or address could not be verified: at MAIL, or where the sender is named, the sender's."""
    domain = asked.sender.rpartition("@")[2].casefold()
    is_named = _SENDER.search(words) is not None or (bool(domain) and domain in words)
    is_sender = not asked.is_recipient or (is_named and "recipient" not in words)
    return Refused.SENDER if refused is Refused.TARGET and is_sender else refused
