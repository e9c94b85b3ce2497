"""Mail software, recognised by what a server says before anybody logs in. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

MAX_CHARS, MAX_LINES = 500, 200

# Words of greetings and of IMPLEMENTATION (RFC 5804), in lower case. The first row that fits wins: what is built on
# other software stands before it, and what has a distinctive name before what has not.
GREETINGS = """
mailcow: postcow
Zimbra: zimbra
Haraka: haraka
chasquid: chasquid
OpenSMTPD: opensmtpd
Stalwart: stalwart
maddy: maddy
mox: mox
Courier: courier-imap | courier mail | courier pop3 | courier-mta | hello there
Cyrus: cyrus imap | cyrus pop3 | cyrus timsieved | cyrus imapd | cyrus
MDaemon: mdaemon
hMailServer: hmailserver | imaprev1
Exchange: microsoft esmtp | microsoft exchange | microsoft smtp
Apache James: apache james | james smtp | james pop3 | james
Axigen: axigen
Kerio Connect: kerio
IceWarp: icewarp | merak
SmarterMail: smartermail
MailEnable: mailenable
CommuniGate: communigate
Domino: domino | lotus
GroupWise: groupwise
PowerMTA: powermta
Halon: halon
Gmail: gsmtp | gimap
Perdition: perdition
mailutils: mailutils | gnu pop3d | gnu imap4d
popa3d: popa3d
DBMail: dbmail
Citadel: citadel
qpsmtpd: qpsmtpd
aiosmtpd: aiosmtpd | python smtp
qmail: qmail | netqmail | notqmail
Sendmail: sendmail
Exim: exim
Postfix: postfix
Dovecot: dovecot | pigeonhole
"""

# Pieces of other replies that only one program sends; also of ID (RFC 2971) and of CAPA (RFC 2449 section 6.9).
REPLIES = """
Courier: xverp=courier | xexdata
Exchange: x-anonymoustls | x-exps | xexch50
Postfix: >: relay access denied | 5.5.2 error: command not recognized
qmail: unimplemented (#5.5.1) | i'll try my best | netqmail home page | allowed rcpthosts (#5.7.1)
Zimbra: "name" "zimbra
Dovecot: "name" "dovecot
Cyrus: "name" "cyrus
Courier: "name" "courier
Stalwart: "name" "stalwart
maddy: "name" "maddy
mox: "name" "mox
Axigen: "name" "axigen
Exchange: "name" "microsoft.exchange
Dovecot: implementation dovecot | "implementation" "dovecot
Cyrus: implementation cyrus | "implementation" "cyrus
Courier: implementation courier
"""

_WORD = re.compile(r"[a-z0-9][a-z0-9.+_-]*|[a-z0-9]+")


def identify(protocol: str, greeting: str, replies: Iterable[str] = ()) -> str:
    """Return the name of a server's software, "" where it does not tell. The host name in a greeting is no sign.

    >>> identify("smtp", "220 exim.example.org ESMTP Postfix"), identify("imap", "* OK [CAPABILITY ID] Dovecot ready.")
    ('Postfix', 'Dovecot')
    >>> identify("smtp", "220 mail.example.org ESMTP"), identify("smtp", "220 a ESMTP", ["250-XVERP=Courier"])
    ('', 'Courier')
    """
    words = f" {' '.join(_words(protocol, greeting[:MAX_CHARS].lower()))} "
    for name, signs in _table(GREETINGS):
        if any(f" {sign} " in words for sign in signs):
            return name
    said = [line[:MAX_CHARS].lower() for line, _ in zip(replies, range(MAX_LINES), strict=False)]
    return next((name for name, signs in _table(REPLIES) if any(sign in line for sign in signs for line in said)), "")


def names() -> tuple[str, ...]:
    """Return the names of all software that is known."""
    return tuple(dict.fromkeys(name for table in (GREETINGS, REPLIES) for name, _ in _table(table)))


def _words(protocol: str, greeting: str) -> Iterator[str]:
    """Yield the words of a greeting without codes, capabilities and host names."""
    text = re.sub(r"\[[^\]\[]*+\]", " ", greeting)
    text = re.sub(r"^(?:\d{3}[ -]|\* \w+|\+ok|-err)", " ", text)
    if protocol == "smtp":  # the host comes first (RFC 5321 section 4.2), dot or not
        text = text.strip().partition(" ")[2]
    for word in _WORD.findall(text):
        is_host = "." in word.rstrip(".") and any(char.isalpha() for char in word.rpartition(".")[2])
        if not is_host:
            yield word.rstrip(".")


@cache
def _table(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    rows = [line.partition(": ") for line in text.strip().splitlines()]
    return tuple((name, tuple(signs.split(" | "))) for name, _, signs in rows)
