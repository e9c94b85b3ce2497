"""Mail that speaks of bounces, or looks like one, and is none. Written here after what programs and people send."""

from __future__ import annotations

from typing import NamedTuple

from tests.mail.bounce.notifications import dsn

ANN = "Ann Example <ann@example.com>"
ORIGINAL = (
    "Received: from lists.example.net by mx.example.org; Mon, 12 May 2025 09:00:01 +0200\n"
    "Message-ID: <20250512.1234@lists.example.net>\nFrom: News <news@lists.example.net>\nTo: bob@example.org\n"
    "Subject: Newsletter\n\nHello\n"
)
POSTFIX = (
    "This is the mail system at host mail.example.org.\n\nI'm sorry to have to inform you that your message could not\n"
    "be delivered to one or more recipients. It's attached below.\n\n                   The mail system\n\n"
    "<bob@example.org>: host mx.example.org[192.0.2.7] said: 550 5.1.1\n    <bob@example.org>: Recipient address"
    " rejected: User unknown (in reply to RCPT TO command)\n"
)
EXIM = (
    "A message that you sent could not be delivered to one or more of its recipients. This is a permanent error.\n"
    "The following address(es) failed:\n\n  bob@example.org\n    550 5.1.1 User unknown\n"
)
BOUNCE = (
    "Return-Path: <>\nFrom: MAILER-DAEMON@mail.example.org (Mail Delivery System)\nTo: news@lists.example.net\n"
    f"Subject: Undelivered Mail Returned to Sender\nMessage-ID: <b1@mail.example.org>\n\n{POSTFIX}\n{ORIGINAL}"
)
QUOTED = "> " + POSTFIX.replace("\n", "\n> ")
LOG = (
    "May 12 09:00:05 mail postfix/smtp[812]: 4ZxY1: to=<bob@example.org>, relay=mx.example.org[192.0.2.7]:25,"
    " dsn=5.1.1, status=bounced (host mx.example.org[192.0.2.7] said: 550 5.1.1 User unknown (in reply to RCPT TO))\n"
)


class Mail(NamedTuple):
    """A message without its return path."""

    sender: str
    subject: str
    text: str
    fields: str = ""
    kind: str = "text/plain; charset=utf-8"

    def raw(self, path: str) -> bytes:
        """Return the message with this return path."""
        head = f"Return-Path: {path}\nFrom: {self.sender}\nTo: news@lists.example.net\nSubject: {self.subject}\n"
        return f"{head}{self.fields}MIME-Version: 1.0\nContent-Type: {self.kind}\n\n{self.text}\n".encode()


def parted(*parts: tuple[str, str]) -> str:
    """Return a multipart body with the boundary p."""
    return "".join(f"--p\nContent-Type: {kind}\n\n{text}\n" for kind, text in parts) + "--p--"


MIXED = 'multipart/mixed; boundary="p"'
AUTO = "Auto-Submitted: auto-replied\n"
MADE = "Auto-Submitted: auto-generated\n"

RESEMBLING = {
    # People
    "a question that quotes a bounce": Mail(ANN, "question", f"Hello, what does this mean?\n\n{QUOTED}\nAnn"),
    "a question that pastes a bounce": Mail(ANN, "question", f"Hello, what is this?\n\n{POSTFIX}\nAnn"),
    "a question with the bounce's subject": Mail(ANN, "Undelivered Mail Returned to Sender", f"Why?\n\n{POSTFIX}"),
    "a pasted bounce with what it returned": Mail(
        ANN, "Undelivered Mail Returned to Sender", f"Why?\n\n{POSTFIX}\n------ Message headers ------\n{ORIGINAL}"
    ),
    "an answer below a quoted bounce": Mail(ANN, "Re: Undelivered Mail Returned to Sender", f"{QUOTED}\nFixed now."),
    "a bounce forwarded in the text": Mail(ANN, "Fwd: Undelivered Mail Returned to Sender", BOUNCE),
    "a bounce forwarded as a part": Mail(
        ANN,
        "Mail delivery failed",
        parted(("text/plain", "See the attachment."), ("message/rfc822", BOUNCE)),
        kind=MIXED,
    ),
    "a flattened bounce": Mail(
        ANN,
        "Undelivered Mail Returned to Sender",
        parted(
            ("text/plain", POSTFIX),
            ("message/delivery-status", "Final-Recipient: rfc822; bob@example.org\nAction: failed\nStatus: 5.1.1\n"),
        ),
        kind=MIXED,
    ),
    "the fields of a bounce in a text": Mail(ANN, "bounce", dsn("5.1.1", "550 unknown").decode()),
    "an administrator's words": Mail(
        "Postmaster <postmaster@example.org>", "Re: Undelivered Mail Returned to Sender", f"Fixed.\n\n{QUOTED}"
    ),
    "an administrator's answer with the bounce unquoted": Mail(
        "Postmaster <postmaster@example.org>",
        "AW: Undelivered Mail Returned to Sender",
        f"Fixed.\n\n{POSTFIX}\n{ORIGINAL}",
    ),
    "a bounce forwarded by an administrator, in Chinese": Mail(
        "Postmaster <postmaster@example.org>", "转发：系统退信", f"{POSTFIX}\n{ORIGINAL}"
    ),
    "an administrator's words above the bounce": Mail(
        "Postmaster <postmaster@example.org>", "Re: your problem", f"Look:\n-----Original Message-----\n{BOUNCE}"
    ),
    "a letter about deliverability": Mail(
        "Tips <news@marketing.example>",
        "10 reasons why your mail bounces",
        "550 5.1.1 User unknown means that the mailbox does not exist. Ask expert@marketing.example.",
        "List-Unsubscribe: <https://marketing.example/u>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n",
    ),
    # Lists
    "a report of Sympa to the owner": Mail(
        "SYMPA <sympa@lists.example.net>",
        "List friends: bounce rate too high",
        "Bounce rate in list friends is 12%. Delete bouncing subscribers:\n\n  bob@example.org   score 80  5.1.1 user"
        " unknown\n",
        "X-Loop: sympa\n" + MADE,
    ),
    "the same in French": Mail(
        "SYMPA <sympa@lists.example.net>",
        "Liste amis : taux d'erreurs trop élevé",
        "Les abonnés suivants sont en erreur :\n\n  bob@example.org   5.1.1 user unknown\n",
        MADE,
    ),
    "a bounce action of Mailman": Mail(
        "mailman-bounces@lists.example.net",
        "Bounce action notification",
        parted(("text/plain", "Member: bob@example.org\nAction: Subscription disabled."), ("message/rfc822", BOUNCE)),
        "Precedence: bulk\n" + MADE,
        MIXED,
    ),
    "the same in German": Mail(
        "mailman-bounces@lists.example.net",
        "Benachrichtigung: Bounce-Aktion",
        parted(("text/plain", "Mitglied: bob@example.org\nAktion: abgeschaltet."), ("message/rfc822", BOUNCE)),
        MADE,
        MIXED,
    ),
    "a disabled member of Mailman 3": Mail(
        "friends-bounces@lists.example.net",
        "bob@example.org's subscription disabled on Friends",
        parted(("text/plain", "bob@example.org's delivery was disabled: 550 5.1.1"), ("message/rfc822", BOUNCE)),
        MADE,
        MIXED,
    ),
    "an unrecognised bounce that Mailman passes on": Mail(
        "mailman-bounces@lists.example.net",
        "Uncaught bounce notification",
        parted(("text/plain", "The attached message was received as a bounce."), ("message/rfc822", BOUNCE)),
        kind=MIXED,
    ),
    "a warning of ezmlm": Mail(
        "friends-help@lists.example.net",
        "ezmlm warning",
        f"Messages to you seem to have been bouncing. I've attached a copy of the first bounce.\n\n{BOUNCE}",
    ),
    "a digest": Mail("friends-request@lists.example.net", "Friends Digest, Vol 7, Issue 2", f"Today:\n\n{BOUNCE}"),
    "a message held for approval": Mail(
        "friends-owner@lists.example.net", "friends post from bob@example.org requires approval", POSTFIX
    ),
    "a report of LISTSERV": Mail(
        "LISTSERV <listserv@lists.example.net>",
        "FRIENDS: Daily error monitoring report",
        "The following 2 subscribers were reported:\n\nErr First Last Address\n  4 05/09 05/12 bob@example.org\n"
        "    Last error: 5.1.1 550 user unknown\n",
    ),
    # Programs of the own host
    "cron": Mail(
        "root@mail.example.net (Cron Daemon)", "Cron <root@mail> check-mail", POSTFIX, "X-Cron-Env: <SHELL=/bin/sh>\n"
    ),
    "cron of an older kind": Mail("Cron Daemon <root@mail.example.net>", "Cron <root@mail> mailq", EXIM + ORIGINAL),
    "anacron": Mail("Anacron <root@mail.example.net>", "Anacron job 'cron.daily' on mail", POSTFIX, MADE),
    "logwatch": Mail(
        "logwatch@mail.example.net",
        "Logwatch for mail (Linux)",
        "--- Postfix Begin ---\n 12  Undelivered\n  8   5.1.1   bob@example.org: 550 User unknown\n--- Postfix End ---",
    ),
    "logwatch as the postmaster": Mail(
        "postmaster@mail.example.net",
        "Logwatch for mail (Linux)",
        "--- Postfix Begin ---\n 12  Undelivered\n  8   5.1.1   bob@example.org: 550 User unknown\n--- Postfix End ---",
        MADE,
    ),
    "a log as the postmaster": Mail("postmaster@mail.example.net", "Undelivered mail of today", LOG * 3),
    "a log from the daemon": Mail("MAILER-DAEMON@mail.example.net", "Mail delivery report", f"Refused:\n\n{LOG * 3}"),
    "a summary of Postfix": Mail(
        "postmaster@mail.example.net",
        "Postfix log summary for May 12",
        "message bounce detail\n---------------------\n  smtp (total: 8)\n   8   550 5.1.1 User unknown\n"
        "       8   bob@example.org\n",
    ),
    "a full queue": Mail(
        "Mail System Monitor <postmaster@mail.example.net>",
        "Mail queue warning: 40 messages",
        "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n4ZxY1abcd12*    1234 Mon May 12 09:00:05 "
        " news@lists.example.net\n  (host mx.example.org[192.0.2.7] said: 450 4.2.0 Greylisted)\n"
        "                                         bob@example.org\n",
    ),
    "monitoring": Mail(
        "nagios@mail.example.net",
        "** PROBLEM alert - mail/SMTP is CRITICAL **",
        "CRITICAL: RCPT TO:<bob@example.org> failed: 550 5.1.1 User unknown",
        MADE,
    ),
    "a test of deliverability": Mail(
        "Monitor <noreply@monitor.example>",
        "Mail delivery test failed",
        "Recipient: bob@example.org\nResult: 550 5.1.1 User unknown\n",
        MADE,
    ),
    "a backup": Mail(
        "System Administrator <root@mail.example.net>", "Backup failed", "error: bob@example.org: not found"
    ),
    "news of the administrator": Mail(
        "Mail Administrator <postmaster@example.net>",
        "Mail delivery problems last night",
        "Some of you had trouble with their mail last night. All is well again. Write to bob@example.org.",
    ),
    # Filters and mailboxes
    "a quarantine": Mail(
        "Mail Quarantine <postmaster@example.net>",
        "Spam quarantine summary: 3 messages",
        "Sender: ann@example.com  Subject: Undeliverable: your order  Reason: 550 5.7.1 spam detected\n"
        "Sender: bob@example.org  Subject: Invoice  Reason: user unknown\n",
        MADE,
    ),
    "a quarantine in German": Mail(
        "Spamfilter <postmaster@example.net>",
        "Quarantänebericht: 3 neue Nachrichten",
        "Absender: bob@example.org  Betreff: Unzustellbar  Grund: 550 5.7.1 abgelehnt\n",
        MADE,
    ),
    "a quarantine in Spanish": Mail(
        "Filtro <postmaster@example.net>",
        "Resumen de cuarentena",
        "Remitente: bob@example.org  Asunto: no entregado  Motivo: 550 5.7.1 rechazado\n",
        MADE,
    ),
    "a mailbox that is nearly full": Mail(
        "Mail System <postmaster@example.net>",
        "Quota warning: your mailbox is 95% full",
        "When news@lists.example.net is full, new messages will be returned to their senders.",
        MADE,
    ),
    "a virus that was found": Mail(
        "amavisd <virusalert@example.net>", "VIRUS in mail to bob@example.org", "Blocked: 554 5.7.0 for bob@example.org"
    ),
    "DMARC": Mail("DMARC reports <noreply-dmarc@example.org>", "Report Domain: lists.example.net", "3 failed"),
    "DMARC as the postmaster": Mail(
        "postmaster@example.org", "Report Domain: lists.example.net Submitter: example.org Report-ID: <1>", "3 failed"
    ),
    "a phish": Mail(
        "Mail Administrator <postmaster@phish.example>",
        "Your mailbox is full - messages returned to sender",
        "12 messages to news@lists.example.net could not be delivered. Click http://phish.example/",
    ),
    "a phish that calls itself the daemon": Mail(
        "Mail Delivery Subsystem <mailer-daemon@phish.example>",
        "Undelivered Mail: 5 pending messages",
        "The following messages could not be delivered to:\n\nnews@lists.example.net\n\nReason: storage is full. Click"
        " http://phish.example/ to release them.",
    ),
    # Answers
    "an absence": Mail("Bob <bob@example.org>", "Out of office", "I was unable to read it. Ask ann@example.org.", AUTO),
    "an absence in Japanese": Mail(
        "山田 <yamada@example.org>", "自動返信: お知らせ", "不在です office@example.org", AUTO
    ),
    "somebody who has left": Mail(
        "Bob <bob@example.org>",
        "Automatic reply: Newsletter",
        "bob@example.org is no longer valid. Use ann@example.org.",
        AUTO,
    ),
    "an absence that quotes a bounce": Mail("Bob <bob@example.org>", "Abwesenheit: Undelivered Mail", POSTFIX, AUTO),
    "a challenge": Mail(
        "Bob Example <bob@example.org>",
        "Re: Newsletter [Please confirm]",
        "Your message to bob@example.org has not been delivered yet. Click https://cr.example.org/x.",
        AUTO,
    ),
    "a challenge of a program": Mail(
        "Mail Filter <noreply@cr.example.org>",
        "Please confirm your message to bob@example.org",
        "Your message to bob@example.org has not been delivered yet. It will be held for 14 days.",
        AUTO,
    ),
    "a challenge that returns the message": Mail(
        "Spam Filter <noreply@cr.example.org>",
        "Verification of your message",
        parted(
            (
                "text/plain",
                "Your message to bob@example.org has not been delivered yet. Click https://cr.example.org/x.",
            ),
            ("message/rfc822", ORIGINAL),
        ),
        kind=MIXED,
    ),
    "an answer of an abuse desk": Mail(
        "abuse@example.org", "[EX-2025-991] We received your report", f"Thank you. Your report:\n\n{QUOTED}", AUTO
    ),
    "an answer of the postmaster": Mail(
        "postmaster@example.org", "Your message to the postmaster", f"Thank you. You wrote:\n\n{QUOTED}", AUTO
    ),
    "an invitation that was declined": Mail(
        "Bob <bob@example.org>",
        "Declined: Meeting",
        parted(
            ("text/plain", "The message could not be delivered to room@example.org: mailbox full."),
            ("text/calendar; method=REPLY", "BEGIN:VCALENDAR\nEND:VCALENDAR"),
        ),
        kind='multipart/alternative; boundary="p"',
    ),
    "a receipt": Mail(
        "bob@example.org",
        "Read: Newsletter",
        parted(
            ("text/plain", "It could not be displayed."),
            (
                "message/disposition-notification",
                "Final-Recipient: rfc822; bob@example.org\nDisposition: automatic-action/MDN-sent-automatically;"
                " failed",
            ),
        ),
        kind='multipart/report; report-type=disposition-notification; boundary="p"',
    ),
    # Tickets and services
    "an issue on GitHub": Mail(
        "Jan <notifications@github.com>",
        "Re: [jan/files] Broken sendmail (Issue #13)",
        f"The mail comes back:\n\n```\n{POSTFIX}```\n",
        "X-GitHub-Sender: jan\nList-ID: <files.jan.github.com>\n",
    ),
    "a ticket of OTRS": Mail(
        "Support <support@example.org>",
        "[Ticket#2025051299] Undelivered Mail Returned to Sender",
        f"Your ticket was opened:\n\n{POSTFIX}\n{ORIGINAL}",
        "X-OTRS-Ticket: 2025051299\n" + AUTO,
    ),
    "a ticket of a program": Mail(
        "Helpdesk <noreply@desk.example.org>",
        "[Request received] #1234 Mail delivery failed: returning message to sender",
        f"Your request was received.\n\n{EXIM}\n------ This is a copy of the message ------\n{ORIGINAL}",
        AUTO,
    ),
    "an issue of Jira": Mail(
        "Jan (Jira) <jira@example.org>", "[JIRA] (OPS-77) Mail delivery failed", POSTFIX, "X-JIRA-FingerPrint: a1\n"
    ),
    "a bug of Bugzilla": Mail("bugzilla-daemon@example.org", "Bug 123: Mail delivery failed", f"{POSTFIX}\n{ORIGINAL}"),
    "a note on new mail": Mail(
        "Mail filter <postmaster@example.org>",
        "New mail: Undelivered Mail Returned to Sender",
        POSTFIX,
        'Auto-Submitted: auto-notified; owner-email="ann@example.com"\n',
    ),
    "a note of GitLab": Mail(
        "Jan <gitlab@example.org>", "Re: ops | Undelivered mail (#12)", POSTFIX, "X-GitLab-Project: ops\n"
    ),
    "voice mail": Mail(
        "Voicemail <voicemail@example.org>", "New voicemail (delivery failed twice)", "From 555 5.1.1 bob@example.org"
    ),
    "a fax": Mail("Fax <fax@example.org>", "Fax delivery failed", "To bob@example.org: 550 no answer. Not delivered."),
    "an order": Mail(
        "Shop <orders@shop.example>",
        "Order 550: delivery failed",
        "The parcel to bob@example.org was returned to sender.",
    ),
    "a report of a sending service": Mail(
        "Sender <noreply@esp.example>",
        "Your daily bounce report",
        "Hard bounces: 2\nbob@example.org 550 5.1.1 User unknown\ncid@example.org 552 5.2.2 Mailbox full\n",
        MADE,
    ),
    "the same from its daemon": Mail(
        "postmaster@esp.example",
        "Daily bounce report",
        "Hard bounces: 2\nbob@example.org 550 5.1.1 User unknown\ncid@example.org 552 5.2.2 Mailbox full\n",
        MADE,
    ),
    # Deliveries that succeeded, in words only
    "a delivery that succeeded": Mail(
        "MAILER-DAEMON@mail.example.org",
        "Successful Mail Delivery Report",
        "Your message was successfully delivered to the destination(s) listed below.\n\n<bob@example.org>: delivery via"
        " mx.example.org[192.0.2.7]:25: 250 2.0.0 Ok: queued as 4ZxY1\n",
        AUTO,
    ),
    "a delivery without an answer": Mail(
        "postmaster@example.org",
        "Relayed: Newsletter",
        "Delivery to these recipients or groups is complete, but no delivery notification was sent by the destination"
        " server:\n\nbob@example.org\n\nSubject: Newsletter\n",
        AUTO,
    ),
    "the same in Italian": Mail(
        "postmaster@example.org",
        "Inoltrato: Rassegna",
        "Il recapito ai seguenti destinatari o gruppi è completato, ma il server di destinazione non ha inviato alcuna"
        " notifica di recapito:\n\nbob@example.org\n",
        AUTO,
    ),
    "a delivery in French": Mail(
        "postmaster@example.org",
        "Remis : Lettre",
        "Votre message a été remis aux destinataires suivants :\n\nbob@example.org\n\nObjet : Lettre\n",
        AUTO,
    ),
}
