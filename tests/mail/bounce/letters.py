"""Sample notifications, written here after what the systems write: in words, without the fields of a DSN."""

from __future__ import annotations

from typing import NamedTuple


class Letter(NamedTuple):
    """A notification, and what must be read from it."""

    system: str
    subject: str
    text: str
    kind: str = "bounce"
    address: str = "bob@example.org"
    status: str = "5.1.1"
    reason: str = "userunknown"
    hard: bool = True
    sender: str = "MAILER-DAEMON@mx.example.net"
    fields: str = ""

    @property
    def raw(self) -> bytes:
        """Return the message with LF line ends."""
        head = f"Return-Path: <>\nFrom: {self.sender}\nTo: alice@example.com\nSubject: {self.subject}\n{self.fields}"
        return f"{head}Content-Type: text/plain; charset=utf-8\n\n{self.text}\n".encode()


ORIGINAL = "Message-ID: <1@example.com>\nFrom: alice@example.com\nTo: bob@example.org\nSubject: Minutes\n\nHello\n"

LETTERS = (
    Letter(
        "qmail",
        "failure notice",
        "Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver your message to the"
        " following addresses.\n\n<bob@example.org>:\n192.0.2.7 does not like recipient.\nRemote host said: 550 5.1.1"
        f" no mailbox by that name\nGiving up on 192.0.2.7.\n\n--- Below this line is a copy of the"
        f" message.\n\n{ORIGINAL}",
    ),
    Letter(
        "Exim",
        "Mail delivery failed: returning message to sender",
        "A message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error."
        " The following address(es) failed:\n\n  bob@example.org\n    host mx.example.org [192.0.2.7]\n    SMTP"
        " error from"
        " remote mail server after RCPT TO:<bob@example.org>:\n    550 5.1.1 User unknown\n\n------ This is a"
        " copy of the"
        f" message, including all the headers. ------\n\n{ORIGINAL}",
        fields="X-Failed-Recipients: bob@example.org\n",
    ),
    Letter(
        "Exim, late",
        "Warning: message 1abcde-000000-XY delayed 24 hours",
        "A message that you sent has not yet been delivered to one or more of its\nrecipients after more than"
        " 24 hours on"
        " the queue on mx.example.net.\n\nThe address to which the message has not yet been delivered is:\n\n"
        "  bob@example.org\n    host mx.example.org [192.0.2.7]\n    Delay reason: Connection timed out\n\nNo action is"
        " required on your part.",
        "delayed",
        status="4.0.0",
        reason="expired",
        hard=False,
    ),
    Letter(
        "Sendmail without MIME",
        "Returned mail: User unknown",
        "   ----- The following addresses had permanent fatal errors -----\n<bob@example.org>\n\n   ----- Transcript of"
        " session follows -----\n... while talking to mx.example.org.:\n>>> RCPT To:<bob@example.org>\n<<< 550 5.1.1"
        " <bob@example.org>... User unknown\n550 <bob@example.org>... User unknown\n\n   ----- Unsent message follows"
        f" -----\n{ORIGINAL}",
    ),
    Letter(
        "hMailServer",
        "Message undeliverable: Minutes",
        "Your message did not reach some or all of the intended recipients.\n\n   Sent: Mon, 2 Feb 2026"
        " 10:00:00 +0100\n"
        "   Subject: Minutes\n\nThe following recipient(s) could not be reached:\n\nbob@example.org\n   Error"
        " Type: SMTP\n"
        "   Remote server (192.0.2.7) issued an error.\n   hMailServer sent: RCPT TO:<bob@example.org>\n  "
        " Remote server"
        " replied: 550 5.1.1 <bob@example.org>: Recipient address rejected: User unknown\n\nhMailServer",
    ),
    Letter(
        "SmarterMail",
        "Delivery Failure",
        "Could not deliver message to the following recipient(s):\n\nFailed Recipient: bob@example.org\nReason:"
        " Remote host"
        " said: 552 5.2.2 Mailbox full\n\n   -- The header and top 20 lines of the message follows --\n\n" + ORIGINAL,
        status="5.2.2",
        reason="mailboxfull",
        hard=False,
        sender='"System Administrator" <sysadmin@example.net>',
    ),
    Letter(
        "CommuniGate Pro",
        "Undeliverable mail: Minutes",
        "Failed to deliver to 'bob@example.org'\nSMTP module(domain example.org) reports:\n message text rejected by"
        " mx.example.org:\n 554 5.7.1 Message rejected as spam\n\nReporting host: mx.example.net\n",
        status="5.7.1",
        reason="spamdetected",
        hard=False,
    ),
    Letter(
        "ecelerity",
        "Mail Delivery Failure",
        "This message was created automatically by the mail system (ecelerity).\n\nA message that you sent could not be"
        " delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n"
        ">>> bob@example.org (after RCPT TO): 550 5.1.1 unknown or illegal alias: bob@example.org\n\n------"
        " This is a copy"
        f" of the headers of the original message. ------\n\n{ORIGINAL}",
    ),
    Letter(
        "IronPort",
        "Delivery Status Notification (Failure)",
        "The following message to <bob@example.org> was undeliverable.\nThe reason for the problem:\n5.1.0 - Unknown"
        " address error 550-'5.1.1 <bob@example.org>: Recipient address rejected: User unknown in relay"
        " recipient table'",
    ),
    Letter(
        "GroupWise",
        "Message status - undeliverable",
        "The message that you sent was undeliverable to the following:\n\tbob@example.org (user not found)\n",
        status="5.0.0",
        sender="Mailer-Daemon@example.net",
    ),
    Letter(
        "MailEnable",
        "Message Delivery Failure",
        "MailEnable: Message could not be delivered to some recipients.\nThe following recipient(s) could not"
        " be reached:"
        "\n\n\tRecipient: [SMTP:bob@example.org]\n\tReason: Remote SMTP Server Returned: 550 5.1.1 No such"
        " user\n\n\nMessage"
        f" headers follow:\n\n{ORIGINAL}",
        sender="Postmaster <postmaster@example.net>",
    ),
    Letter(
        "MDaemon",
        "Permanent Delivery Failure",
        "The following data may contain sections which represent BASE64 encoded\nfile attachments.\n\nFailed address:"
        " bob@example.org\n\n--- Session Transcript ---\n<-- 250 ok\n--> RCPT To:<bob@example.org>\n<-- 550 5.1.1 user"
        " unknown\n--> QUIT\n--- End Transcript ---\n",
        sender="MDaemon@example.net",
    ),
    Letter(
        "OpenSMTPD",
        "Delivery status notification: error",
        "    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n\n    An error has"
        " occurred while"
        " attempting to deliver a message for\n    the following list of recipients:\n\nbob@example.org: 550"
        " 5.7.1 Service"
        " unavailable; client [192.0.2.1] blocked using a blocklist\n\n    Below is a copy of the original message:\n\n"
        + ORIGINAL,
        status="5.7.1",
        reason="blocked",
        hard=False,
    ),
    Letter(
        "QQ",
        "系统退信/Undelivered mail",
        "抱歉，您的邮件被退回来了……\n\n原邮件信息：\n收件人：bob@example.org\n\n退信原因：\n550 5.1.1 User not found\n",
        sender="PostMaster@example.net",
    ),
    Letter(
        "Yahoo",
        "Failure Notice",
        "Sorry, we were unable to deliver your message to the following address.\n\n<bob@example.org>:\n554:"
        " 5.7.9 Message"
        " not accepted for policy reasons.\n\n--- Below this line is a copy of the message.\n\n" + ORIGINAL,
        status="5.7.9",
        reason="policyviolation",
        hard=False,
    ),
    Letter(
        "GMX",
        "Mail delivery failed: returning message to sender",
        "This message was created automatically by mail delivery software.\n\nA message that you sent could not be"
        " delivered to one or more of\nits recipients. This is a permanent error. The following address\nfailed:\n\n"
        "bob@example.org:\nSMTP error from remote server for RCPT TO command, host: mx.example.org (192.0.2.7)"
        " reason: 550"
        f" 5.1.1 No such user\n\n--- The header of the original message is following. ---\n\n{ORIGINAL}",
    ),
    Letter(
        "Zimbra's content filter",
        "Undelivered Mail Returned to Sender",
        "This is the mail system at host mx.example.net.\n\nI'm sorry to have to inform you that your message"
        " could not\n"
        "be delivered to one or more recipients.\n\n                   The mail system\n\n<bob@example.org>: host"
        " mx.example.org[192.0.2.7] said: 550 5.7.26 This mail is unauthenticated, and\n    does not pass SPF"
        " checks (in"
        " reply to end of DATA command)\n",
        status="5.7.26",
        reason="authfailure",
        hard=False,
    ),
    Letter(
        "PP",
        "mail failed, returning to sender",
        "|------------------------- Failed addresses follow: ---------------------|\n"
        " <bob@example.org> ... unknown host\n"
        "|------------------------- Message text follows: ------------------------|\n" + ORIGINAL,
        status="5.0.0",
        reason="hostunknown",
    ),
    Letter(
        "Netscape",
        "Undelivered mail",
        "This Message was undeliverable due to the following reason:\n\nThe user(s) account is disabled.\n\n"
        "     <bob@example.org>\n\nPlease reply to Postmaster\n",
        status="5.0.0",
        reason="suspend",
        hard=False,
    ),
    Letter(
        "a domain that is gone",
        "Mail delivery failed",
        "The following address(es) failed:\n\n  bob@example.org\n    all relevant MX records point to"
        " non-existent hosts\n",
        status="5.0.0",
        reason="hostunknown",
    ),
    Letter(
        "a domain that takes no mail (RFC 7505)",
        "Undelivered Mail Returned to Sender",
        "The mail system\n\n<bob@example.org>: Domain example.org does not accept mail (nullMX)\n",
        status="5.0.0",
        reason="notaccept",
    ),
)
