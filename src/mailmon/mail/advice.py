"""What should the admin do about this answer? One row an answer: a new case is a row, not code."""

from __future__ import annotations

from mailmon.errors import Stage
from mailmon.mail.reply import Reply

# (stages, the beginning of "code enhanced-code", advice); the first row that fits wins.
_SMTP_ROWS: tuple[tuple[frozenset[Stage], str, str], ...] = (
    (frozenset({Stage.LOGIN}), "535", "Check the password file; the login name is case-sensitive on some servers."),
    (frozenset({Stage.LOGIN}), "534", "The server wants another kind of login, often an app password or OAuth."),
    (frozenset({Stage.LOGIN}), "538", "The server wants TLS before the login: set the security to starttls or tls."),
    (frozenset({Stage.LOGIN}), "454", "The server's user database does not answer: look at its log (Dovecot's auth?)."),
    (frozenset(), "530", "The server wants TLS or a login first: check the port and its security setting."),
    (frozenset({Stage.RCPT}), "450", "Greylisting or a busy server: the same probe may pass later."),
    (
        frozenset({Stage.RCPT}),
        "553",
        "The envelope sender is not one of this login's addresses: check `address`.",
    ),
    (frozenset({Stage.RCPT}), "550 5.1", "The server does not know this recipient: check the route's `to`."),
    (frozenset({Stage.RCPT}), "550 5.7", "Refused by policy: check relaying, SPF and block lists."),
    (frozenset({Stage.RCPT}), "550", "Unknown recipient or refused by policy: the server's log tells which."),
    (frozenset(), "421", "The server is shutting down or has too many connections."),
    (frozenset(), "450", "Greylisting or a busy server: the same probe may pass later."),
    (frozenset(), "451", "A content filter or a look-up failed on the server: look at its log."),
    (frozenset(), "452", "The server is short of disk space, or takes fewer recipients at a time."),
    (frozenset(), "552", "The mailbox or the server's size limit is full."),
    (frozenset(), "553", "The server does not like an address: check accounts' address and the route's `to`."),
    (frozenset(), "554", "Refused by policy: check relaying, block lists and the content filter's log."),
    (frozenset(), "550", "Refused: the server's log tells why."),
)


def advise(stage: Stage, reply: Reply) -> str:
    """Return what to do about an SMTP reply at a stage, "" when there is nothing better than the reply itself."""
    code = f"{reply.code} {reply.enhanced_code}".strip()
    for stages, prefix, advice in _SMTP_ROWS:
        if code.startswith(prefix) and (not stages or stage in stages):
            return advice
    return ""
