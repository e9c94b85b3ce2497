"""Notifications of older mail systems without DSN fields, as archives of list managers hold them."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from mailmon.mail.bounce import Kind, classify


class Old(NamedTuple):
    """From, Subject and text, as the system writes them; there is no Return-Path in an archive."""

    sender: str
    subject: str
    text: str
    kind: Kind = Kind.BOUNCE


ORIGINAL = (
    "\nReceived: from lists.example.net by mx\nFrom: list-request@lists.example.net\nTo: friends@lists.example.net\n"
    "\nHi\n"
)
POSTMASTER = "Postmaster <postmaster@example.org>"
OLD = {
    "Exchange 5.5": Old(
        "System Administrator <postmaster@example.org>",
        "Undeliverable: digest",
        "Your message\n\n  To:      friends@lists.example.net\n  Subject: digest\n\ndid not reach the following"
        " recipient(s):"
        "\n\nbob@example.org on Mon, 2 Apr 2001 10:00:05 -0500\n    The recipient name is not recognized\n\tThe"
        " MTS-ID of"
        " the original message is: c=US;a= ;p=EX\n    MSEXCH:IMS:EX:X:Y 0 (000C05A6) Unknown Recipient\n",
    ),
    "PMDF": Old(
        "PMDF e-Mail Interconnect <postmaster@example.org>",
        "Delivery Notification: Delivery has failed",
        "This report relates to a message you sent with the following header fields:\n\n  From:"
        " list-request@lists.example.net\n  To: friends@lists.example.net\n\nYour message cannot be delivered to the"
        " following recipients:\n\n  Recipient address: bob@example.org\n  Reason: Illegal host/domain name found\n",
    ),
    "GroupWise": Old(
        '"GroupWise" <NOBODY@example.org>',
        "Message status - undeliverable",
        "The message that you sent was undeliverable to the following:\n\tbob@example.org (mailbox is full)\n",
    ),
    "IMail": Old(
        POSTMASTER, "Undeliverable Mail", f"Unknown user: bob@example.org\n\nOriginal message follows.\n{ORIGINAL}"
    ),
    "Netscape": Old(
        "Mail Administrator <Postmaster@example.org>",
        "Mail System Error - Returned Mail",
        "This Message was undeliverable due to the following reason:\n\nThe following destination addresses were"
        " unknown"
        " (please check\nthe addresses and re-mail the message):\n\nSMTP <bob@example.org>\n",
    ),
    "Mercury": Old(
        "Electronic Postmaster <postmaster@example.org>",
        "Postmaster Notify: Delivery Failure.",
        "The local mail transport system has reported the following problems\nit encountered while trying to"
        " deliver your"
        " message:\n\n*** bob@example.org\n    User not known at this site.\n",
    ),
    "cc:Mail": Old(
        "ccMail Link to SMTP PostMaster@example.org",
        "Undeliverable Message",
        'Message is undeliverable.\nReason: User "Bob" is not listed in public Name & Address Book\n To:'
        " bob@example.org\n",
    ),
    "LSMTP": Old(
        "LSMTP for Windows NT <POSTMASTER@EXAMPLE.ORG>",
        "Undelivered mail",
        "--> Error description:\n\nError-for:  bob@example.org\nError-Code: 3\nError-Text: No such"
        " user\n\nError-End: 1\n",
    ),
    "VM": Old(
        "Network Mailer <MAILER@VM.EXAMPLE.ORG>",
        "mail delivery error",
        "Batch SMTP transaction log follows:\n\n550 MAILBOX bob@example.org NOT FOUND\n",
    ),
    "MMDF": Old(
        "Memo Service (MMDF 2.32) <mmdf@example.org>",
        "Failed mail  (msg.aa12345)",
        "    Your message could not be delivered to\n'bob@example.org (host: mx.example.org) (queue: smtp)' for the"
        f" following\nreason:  ' <bob@example.org> User unknown'\n\n    Your message follows:\n{ORIGINAL}",
    ),
    "UUCP": Old(
        "uucp@example.org", "Mail failed: unknown user", "Your message to bob@example.org was undeliverable.\n"
    ),
    "CompuServe": Old(
        "CompuServe Postmaster <POSTMASTER@CompuServe.COM>",
        "Undeliverable message",
        "Receiver not found: bob@example.org\n\n\nYour message could not be delivered as addressed.\n",
    ),
    "FirstClass": Old(
        POSTMASTER,
        "NDN: digest",
        "Sorry. Your message could not be delivered to:\n\nbob@example.org (The name was not found at the remote"
        " site.)\n",
    ),
    "MDaemon": Old(
        "MDaemon@example.org",
        "MDaemon Warning - message undelivered for 1 hour",
        "The attached message to bob@example.org has been in the queue and is still being retried.\n",
        Kind.DELAYED,
    ),
    "MessageSwitch": Old(
        "MAILER-DAEMON@example.org",
        "Warning: message has not yet been delivered",
        "Your message to:\n\tbob@example.org\n\nhas not yet been delivered because the recipient server did not"
        " respond."
        "\n\nThis is just a warning, you do not need to take any action.\n",
        Kind.DELAYED,
    ),
    "Sendmail": Old(
        "Mail Delivery Subsystem <MAILER-DAEMON>",
        "Warning: could not send message for past 4 hours",
        "    **      THIS IS A WARNING MESSAGE ONLY      **\n\n   ----- The following addresses had transient non-fatal"
        " errors -----\n<bob@example.org>\n",
        Kind.DELAYED,
    ),
    "Microsoft SMTPSVC": Old(
        POSTMASTER,
        "Delivery problem",
        "Transcript of session follows.\n\n550 bob@example.org... No such user\n\nThe email below could not be"
        " delivered"
        " to the following user:\n\n<bob@example.org>\n",
    ),
    "OfficeVision": Old(
        "OV/VM <SMTP@VM.EXAMPLE.ORG>",
        "Mail could not be delivered",
        "The following recipient could not be reached: bob@example.org\n",
    ),
    "USA.NET": Old(
        "Mail.Delivery@usa.example", "Mail delivery failed", "The recipient bob@example.org does not exist\n"
    ),
    "a postmaster's own words": Old(
        POSTMASTER, "User unknown", "The user bob@example.org is no longer at this site.\n"
    ),
    "a postmaster with the original quoted": Old(
        POSTMASTER,
        'FAILED MAIL to "bob" regarding "digest"',
        "The form of an address is nameNumber@example.org. The address of\nyour message, bob@example.org, did"
        " not exactly"
        " match an address.\n\nOriginal message as received is as follows:\n=====\n>Received: from lists.example.net by"
        " mx.example.org for <bob@example.org>; Sun\n>From: friends@lists.example.net\n>To:"
        " friends@lists.example.net\n",
    ),
}


OLD |= {
    "AOL, which leaves its domain out": Old(
        "Mail Delivery Subsystem <MAILER-DAEMON@example.org>",
        "Mail Delivery Problem",
        "Sorry list-admin@lists.example.net. Your mail to the following recipients could not be delivered because they"
        " are not accepting mail with attachments:\n\tbob\n",
    ),
    "GroupWise, which leaves its domain out": Old(
        "Mailer-Daemon@example.org",
        "Message status - undeliverable",
        f"The message that you sent was undeliverable to the following:\n\tbob (user not found)\n\nPossibly truncated"
        f" original message follows:\n{ORIGINAL}",
    ),
}


@pytest.mark.parametrize("old", OLD.values(), ids=OLD.keys())
def test_it_is_recognised_and_the_recipient_is_found(old: Old) -> None:
    head = f"From: {old.sender}\nTo: list-admin@lists.example.net\nSubject: {old.subject}\n"
    for kind in ("", "Content-Type: text\n", "Content-Type: TEXT/PLAIN; charset=us-ascii\n"):
        found = classify(f"{head}{kind}\n{old.text}".encode())
        assert found.kind is old.kind
        assert [one.address for one in found.recipients] == ["bob@example.org"]


LISTS_FIELDS = (
    "Return-Path: <list-admin@lists.example.net>\nTo: list-admin@lists.example.net\nPrecedence: bulk\n"
    "List-Unsubscribe: <mailto:list-request@lists.example.net>\n"
)


@pytest.mark.parametrize("system", ["MessageSwitch", "USA.NET", "CompuServe"])
def test_the_return_path_and_the_fields_of_the_list_that_passed_it_on_do_not_hide_it(system: str) -> None:
    old = OLD[system]
    found = classify(f"{LISTS_FIELDS}From: {old.sender}\nSubject: {old.subject}\n\n{old.text}".encode())
    assert (found.kind, found.recipients[0].address) == (old.kind, "bob@example.org")


@pytest.mark.parametrize("system", ["Exchange 5.5", "FirstClass", "MDaemon"])
def test_a_postmaster_may_have_an_own_return_path(system: str) -> None:
    old = OLD[system]
    head = f"Return-Path: <postmaster@example.org>\nFrom: {old.sender}\nTo: list-admin@lists.example.net\n"
    found = classify(f"{head}Subject: {old.subject}\n\n{old.text}".encode())
    assert (found.kind, found.recipients[0].address) == (old.kind, "bob@example.org")


def test_blank_lines_in_front_of_a_saved_message_do_not_hide_its_header() -> None:
    raw = f"\n   \r\nFrom: MAILER-DAEMON@example.org\nSubject: {OLD['LSMTP'].subject}\n\n{OLD['LSMTP'].text}"
    assert [one.address for one in classify(raw.encode()).recipients] == ["bob@example.org"]


GATEWAY = (
    "Return-Path: <MAILER-DAEMON@mx.example.net>\nFrom: imss@mail.example.org\nTo: list-admin@lists.example.net\n"
    "Subject: Mail could not be delivered\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type:"
    " text/plain\n\n"
    "Sent <<< RCPT TO:<bob@example.org>\nReceived >>> 550 5.1.1 unknown user.\n\nUnable to deliver message to"
    " <bob@example.org> (and other recipients in the same domain).\n\n--b\nContent-Type: message/rfc822\n\n"
    "Received: from lists.example.net by mail.example.org\nFrom: friends-bounces@lists.example.net\nTo:"
    " bob@example.org\n"
    "Subject: digest\n\nHi\n--b--\n"
)


def test_a_gateway_with_an_own_name_is_believed_where_it_returns_the_message() -> None:
    found = classify(GATEWAY.encode())
    assert [one[:2] for one in found.recipients] == [("bob@example.org", "5.1.1")]
    assert classify(GATEWAY.replace("message/rfc822", "image/png").encode()).kind is Kind.OTHER


def test_the_address_in_the_envelope_sender_tells_whom_where_nothing_else_does() -> None:
    head = "Return-Path: <>\nFrom: MAILER-DAEMON@mail.example.org\nSubject: Undeliverable mail\n"
    text = "\nYour message could not be delivered because the mailbox does not exist.\n"
    for to in ("bounces+bob=example.org@lists.example.net", "friends-return-12-bob=example.org@lists.example.net"):
        assert [one.address for one in classify(f"{head}To: {to}\n{text}".encode()).recipients] == ["bob@example.org"]
    for to in (
        "SRS0=abc=TT=example.org=bob@fwd.example.net",
        "prvs=12=news@lists.example.net",
        "news@lists.example.net",
    ):
        assert classify(f"{head}To: {to}\n{text}".encode()).recipients == ()
