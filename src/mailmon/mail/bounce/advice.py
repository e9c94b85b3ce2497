"""Meaning of each bounce reason and what to do; a test compares it with docs/bounces.md."""

from __future__ import annotations

from collections.abc import Mapping

# reason -> (what it means, what to do)
ADVICE: Mapping[str, tuple[str, str]] = {
    "userunknown": (
        "there is no such mailbox",
        "remove the address, or ask for the right one",
    ),
    "hostunknown": (
        "the domain or its host does not exist",
        "look for a misspelled domain; remove the address",
    ),
    "hasmoved": (
        "the person has another address now",
        "ask for the new one",
    ),
    "notaccept": (
        "the host or domain takes no mail",
        "remove the address",
    ),
    "mailboxfull": (
        "the mailbox is over its quota",
        "try again later; tell the person by other ways if it lasts",
    ),
    "systemfull": (
        "the disk of the server is full",
        "wait",
    ),
    "mesgtoobig": (
        "the message is larger than the server takes",
        "send less, or a link",
    ),
    "exceedlimit": (
        "the message is larger than this recipient may get",
        "send less, or a link",
    ),
    "suspend": (
        "the account is disabled, locked or inactive",
        "stop sending to it; ask later",
    ),
    "filtered": (
        "a filter of the recipient refused, or a user is unknown but not for sure",
        "look at the words; remove the address if it goes on",
    ),
    "authfailure": (
        "SPF, DKIM or DMARC failed",
        "repair these records and signatures; see who else sends in your name",
    ),
    "badreputation": (
        "your address or domain has a poor reputation",
        "find what was sent; slow down; register with the provider's tools",
    ),
    "blocked": (
        "your host is on a block list or refused as such",
        "look it up on the list that is named; ask for removal when the cause is gone",
    ),
    "requireptr": (
        "the reverse DNS of your host is missing or does not fit",
        "set PTR, A and AAAA so that they agree",
    ),
    "rejected": (
        "the envelope sender is refused, or you may not write to this group",
        "check the sender's domain, MX and SPF; ask for permission",
    ),
    "norelaying": (
        "the server does not handle mail for this domain",
        "check the MX of the recipient, or your relay and its login",
    ),
    "policyviolation": (
        "a rule about content or attachments",
        "change the message; ask the recipient's administrator",
    ),
    "securityerror": (
        "access was denied, TLS or a login is needed",
        "check login and TLS; ask the recipient's administrator",
    ),
    "spamdetected": (
        "the message looks like spam",
        "look at its content and at who sends it",
    ),
    "virusdetected": (
        "the message looks like malware",
        "look for an infected machine or account",
    ),
    "contenterror": (
        "the message is malformed MIME",
        "repair the program that writes it",
    ),
    "notcompliantrfc": (
        "headers are missing, doubled or not as RFC 5322 wants them",
        "repair the program that writes it",
    ),
    "expired": (
        "the queue gave up, or the mail is late: nobody answered",
        "check that the domain's servers are up; send again",
    ),
    "networkerror": (
        "no connection, a loop, or DNS did not answer",
        "check DNS and routes; send again",
    ),
    "systemerror": (
        "the other server has trouble of its own",
        "wait; ask its postmaster",
    ),
    "mailererror": (
        "a program for local delivery failed",
        "look at the log of that server",
    ),
    "toomanyconn": (
        "too many connections or recipients at once",
        "send slower",
    ),
    "speeding": (
        "too many messages in a time",
        "send slower",
    ),
    "syntaxerror": (
        "the server did not understand a command",
        "look at the transcript; repair the client",
    ),
    "onhold": (
        "the message is held or in quarantine",
        "ask the recipient's administrator",
    ),
    "undefined": (
        "nothing says why",
        "read the message",
    ),
    "delivered": (
        "it was delivered, relayed or expanded (only in `other`)",
        "nothing",
    ),
    "feedback": (
        "a complaint (only in `feedback`)",
        "stop sending to this person",
    ),
}
