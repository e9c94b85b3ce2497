"""The meaning of each bounce reason, and what to do; docs/bounces.md has the same table."""

from __future__ import annotations

from collections.abc import Mapping

# reason: (meaning, what to do)
ADVICE: Mapping[str, tuple[str, str]] = {
    "userunknown": (
        "the mailbox does not exist",
        "remove the address, or ask for the correct one",
    ),
    "hostunknown": (
        "the domain or its mail host does not exist",
        "check the spelling of the domain; remove the address",
    ),
    "hasmoved": (
        "the recipient has a new address",
        "ask for it",
    ),
    "notaccept": (
        "the host or domain does not accept mail",
        "remove the address",
    ),
    "mailboxfull": (
        "the mailbox is over quota",
        "try again later; if it persists, contact the recipient another way",
    ),
    "systemfull": (
        "the server's disk is full",
        "wait",
    ),
    "mesgtoobig": (
        "the message exceeds the server's size limit",
        "send a smaller message, or a link",
    ),
    "exceedlimit": (
        "the message exceeds this recipient's size limit",
        "send a smaller message, or a link",
    ),
    "suspend": (
        "the account is disabled, locked or inactive",
        "stop sending to it; try again later",
    ),
    "filtered": (
        "rejected by the recipient's filter, or possibly an unknown user",
        "read the diagnostic; remove the address if it continues",
    ),
    "authfailure": (
        "SPF, DKIM or DMARC failed",
        "fix these records and signatures; find out who else sends in your name",
    ),
    "badreputation": (
        "your address or domain has a poor reputation",
        "review what was sent; send more slowly; register with the provider's postmaster tools",
    ),
    "blocked": (
        "your host is on a block list or rejected as such",
        "look it up on the list named; fix the cause, then ask for removal",
    ),
    "requireptr": (
        "the reverse DNS of your host is missing or does not match",
        "make PTR, A and AAAA records agree",
    ),
    "rejected": (
        "the envelope sender is rejected, or may not post to this group",
        "check the sender's domain, MX and SPF; ask for permission",
    ),
    "norelaying": (
        "the server does not handle mail for this domain",
        "check the recipient's MX, or your relay and its login",
    ),
    "policyviolation": (
        "a policy on content or attachments was violated",
        "change the message; ask the recipient's administrator",
    ),
    "securityerror": (
        "access denied, or TLS or a login is required",
        "check login and TLS; ask the recipient's administrator",
    ),
    "spamdetected": (
        "classified as spam",
        "review the content and who sends it",
    ),
    "virusdetected": (
        "classified as malware",
        "look for an infected machine or account",
    ),
    "contenterror": (
        "malformed MIME",
        "fix the program that writes the messages",
    ),
    "notcompliantrfc": (
        "headers are missing, duplicated or violate RFC 5322",
        "fix the program that writes the messages",
    ),
    "expired": (
        "the queue gave up, or the mail is delayed: no server answered",
        "check that the domain's servers are up; send again",
    ),
    "networkerror": (
        "no connection, a mail loop, or no answer from DNS",
        "check DNS and routing; send again",
    ),
    "systemerror": (
        "an internal error of the receiving server",
        "wait; ask its postmaster",
    ),
    "mailererror": (
        "a local delivery program failed",
        "check that server's log",
    ),
    "toomanyconn": (
        "too many simultaneous connections or recipients",
        "send more slowly",
    ),
    "speeding": (
        "rate limit exceeded",
        "send more slowly",
    ),
    "syntaxerror": (
        "the server did not understand a command",
        "check the transcript; fix the client",
    ),
    "onhold": (
        "the message is on hold or in quarantine",
        "ask the recipient's administrator",
    ),
    "undefined": (
        "no reason given",
        "read the message",
    ),
    "delivered": (
        "delivered, relayed or expanded (only in `other`)",
        "nothing",
    ),
    "feedback": (
        "a complaint (only in `feedback`)",
        "stop sending to this recipient",
    ),
}
