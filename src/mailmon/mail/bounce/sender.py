"""Whether the sender of a message is a mail system, so that it may be read as a notification.

Anybody can write "550 user unknown" in a message. A personal reply, a forwarded bounce, an absence notice, a list
digest and a read receipt are not notifications (RFC 3834, RFC 8098).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mailmon.mail.bounce.addresses import first_address
from mailmon.mail.bounce.original import RETURNED_TYPES
from mailmon.mail.bounce.values import Form
from mailmon.mail.message.decoding import decode_header
from mailmon.mail.message.header import Headers, first
from mailmon.mail.message.read import Message
from mailmon.mail.notifications import LISTS, is_null
from mailmon.mail.phrases import finder, phrases

STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
RECEIPT_TYPES = ("message/disposition-notification", "message/global-disposition-notification")
_FORWARDS = (
    "fwd:", "fw:", "[fwd", "wg:", "tr:", "i:", "rv:", "vs:", "vb:", "enc:", "pd:", "doorst:", "i̇lt:", "转发:", "转发：",
    "轉寄:", "轉寄：", "転送:", "전달:",
)  # fmt: skip
_REPLIES = (
    "re:", "re :", "re[", "aw:", "sv:", "antw:", "r:", "odp:", "res:", "rif:", "bls:", "ynt:",
    "回复:", "回复：", "回覆:", "回覆：", "答复:", "答复：", "返信:", "답장:", "회신:",
)  # fmt: skip

# Programs that quote notifications, by the fields that they set: cron, list managers, issue trackers, absence notices,
# monitoring. RFC 8058: only bulk mail has one-click unsubscribe.
_OTHER_FIELDS = (
    "x-cron-env", "list-unsubscribe-post", "x-ticket-id", "rt-ticket", "x-phabricator-to",
    "x-auto-reply-from", "x-vacation", "x-dmarc-report", "tls-report-domain", "x-logwatch", "x-fax-status",
)  # fmt: skip
_OTHER_PREFIXES = (
    "x-github-", "x-gitlab-", "x-gitea-", "x-forgejo-", "x-jira-", "x-redmine-", "x-zendesk-", "x-otrs-", "x-rt-",
    "x-bugzilla-", "x-trac-", "x-mantis-", "x-discourse-", "x-launchpad-", "x-phabricator-", "x-gerrit-", "x-jenkins-",
    "x-sympa-", "x-nagios-", "x-icinga-", "x-zabbix-", "x-sentry-", "x-freshdesk-", "x-helpscout-",
)  # fmt: skip
_DAEMONS_ONLY = ("mailer-daemon", "mailer daemon", "mail delivery s", "microsoftexchange")
# Also named daemon: issue trackers, monitoring.
_OTHER_WRITERS = (
    "bugzilla", "cron daemon", "anacron", "nagios@", "icinga@", "zabbix@", "monit@", "logwatch", "fail2ban", "jenkins@",
    "gitlab@", "gerrit@", "redmine@", "jira@", "trac@", "mantis",
)  # fmt: skip
# Local parts that no person uses.
_MACHINE = re.compile(
    r"(?<![\w.+-])(?:no-?_?reply|do-?not-?reply|mail(?!ing)|e?smtp|mta|mx\d{0,3}|relay|gateway|system|server|exim|postfix|qmail"
    r"|exchange|delivery|dsn|ndr|error|filter|antivirus|antispam|firewall|imss|post\w{0,10}master|pooo?stmaster)"
    r"[\w.+-]{0,64}+@"
)

_TICKET = re.compile(
    r"\[[^\[\]]{0,60}\d{2}[^\[\]]{0,60}\]|\[[^\[\]]{1,60}/|(?:ticket|case|issue|request|anfrage|incident)\W{0,3}#?\d{2}"
)

_is_daemon = finder(phrases("daemon"))
_is_subject = finder(phrases("subject"))
_is_notice = finder(phrases("notice"))
_is_other = finder(phrases("other"))
_is_periodic = finder(phrases("report"))
_SUCCESSES = phrases("success subject")


class Trust(NamedTuple):
    """Which parts of a message are trusted, and its form if they hold no notification.

    `fields` and `prose`: whether DSN fields and text are trusted. With `needs_list` text is trusted only if it lists
    the recipients that failed: the subject is not that of a notification. With `needs_return` only if it returns the
    original message: the sender is not a known mail system, and an empty return path alone proves nothing.
    `may_be_own`: the failed recipient may be the addressee of the notification.
    """

    fields: bool
    prose: bool
    subject: str
    form: Form
    needs_list: bool = False
    may_be_own: bool = False
    needs_return: bool = False


def assess_sender(message: Message, *, is_ours: bool = False, has_copied_subject: bool = False) -> Trust:
    """Assess the sender by the headers alone; a subject copied from the returned message does not count.

    With `is_ours` the message is known to contain an unguessable token of ours: the subject of a notification then
    suffices, whoever the sender, and the failed recipient may be its addressee.
    """
    headers = message.headers
    subject = "" if has_copied_subject else read_subject(headers)
    form = _form(message, subject)
    reported = _is_report(message) and not subject.startswith(_FORWARDS)
    sender = decode_header(first(headers, "from")[:1000]).lower()
    is_daemon = is_of_a_system(headers) and not _is_list(sender)
    fits = _is_subject(subject)
    if form is Form.MDN and not (is_daemon and _is_refusal(headers)):
        return Trust(False, False, subject, form)
    # Some systems copy fields of the returned message into the notification (Lotus Domino).
    is_others = _is_of_other_software(message) and not (is_daemon and fits)
    if is_others or _is_about_many(subject) or _is_by_other_sender(headers, sender):
        return Trust(reported, False, subject, form)
    has_null_path = is_from_nobody(headers)
    is_named = "x-failed-recipients" in headers
    # Old Sendmail and some gateways have no From field; fml and Majordomo send as the list's administrator.
    is_nameless = "from" not in headers or _is_list(sender)
    is_programs = is_nameless or _MACHINE.search(sender) is not None
    is_system = is_daemon or is_named or has_null_path or (fits and (is_ours or is_programs))
    believed = is_system and not _is_persons(subject, form, is_daemon=is_daemon)
    believed = believed and not _is_absence(subject, form, is_daemon=is_daemon)
    needs_return = not (is_daemon or is_named or is_ours or "from" not in headers)
    return Trust(
        reported or (believed and not needs_return),
        believed,
        subject,
        form,
        not (is_named or fits),
        is_ours or ((is_daemon or "from" not in headers) and has_null_path),
        needs_return,
    )


def _is_persons(subject: str, form: Form, *, is_daemon: bool) -> bool:
    """Return whether a subject is that of a personal reply, a forward or a ticket.

    "Re: Undelivered Mail" is an administrator's reply; "Re: minutes" may be the subject of the returned message.
    """
    return (
        subject.startswith(_FORWARDS)
        or ((_is_subject(subject) or not is_daemon) and subject.startswith(_REPLIES))
        or ((form is Form.AUTO_REPLY or not is_daemon) and _is_ticket(subject))
    )


def _is_absence(subject: str, form: Form, *, is_daemon: bool) -> bool:
    """Return whether this is an absence notice; Postfix marks its notifications as automatic replies too."""
    if is_daemon:
        return _is_other(subject) and not _is_subject(subject)
    return form is Form.AUTO_REPLY or _is_other(subject)


def read_subject(headers: Headers) -> str:
    """Return the decoded subject in lower case."""
    return decode_header(first(headers, "subject")[:1000]).lower().lstrip()


def has_copied_subject(headers: Headers, returned: Headers) -> bool:
    """Return whether a mail system repeats the subject of the returned message, as a reply does (Apache James)."""
    if not is_of_a_system(headers) or not is_from_nobody(headers) or not returned:
        return False
    own, other = (_without_re(read_subject(one)) for one in (headers, returned))
    return own == other and own != ""


def _without_re(subject: str) -> str:
    """Return a subject without its reply prefix."""
    sign = next((one for one in _REPLIES if subject.startswith(one)), "")
    return subject[len(sign) :].strip()


def is_from_nobody(headers: Headers) -> bool:
    """Return whether the return path is empty, as in notifications (RFC 5321 section 4.5.5)."""
    return any(map(is_null, headers.get("return-path", ())))


def is_letter(message: Message, *, is_plain: bool) -> bool:
    """Return whether this is personal or bulk mail: it has a return path, and no sign of an automatic reply.

    `is_plain`: it contains a code or the words before a list of recipients. No person writes as mailer daemon. A list
    that forwards a notification to its owner (Mailman) sets its own return path and fields: often the return path is
    then the address that the notification was sent to.
    """
    headers = message.headers
    sender = decode_header(first(headers, "from")[:1000]).lower()
    path = first_address(first(headers, "return-path")[:1000]).lower()
    if any(name in sender for name in _DAEMONS_ONLY) or (path and path in first(headers, "to")[:1000].lower()):
        return False
    if "return-path" not in headers or is_from_nobody(headers) or "auto-submitted" in headers:
        return False
    is_own_path = path.rpartition("@")[2] in sender
    is_bulk = "list-unsubscribe" in headers and "x-mailman-version" not in headers
    return is_bulk or (is_own_path and not (is_plain or len(message.parts) > 1))


def may_be_returned_by(trust: Trust, message: Message, returned: Headers) -> bool:
    """Return whether the sender returns the message with these headers, and does not forward a bounce of it.

    A report about a bounce and a personal question contain the bounce itself. A message in a part of its own was not
    pasted; if it is in the text, the sender must at least have the name of a program.
    """
    if not trust.needs_return:
        return True
    if not returned or is_notification(returned):
        return False
    is_part = any(part.type in RETURNED_TYPES for part in message.parts)
    sender = decode_header(first(message.headers, "from")[:1000]).lower()
    is_machines = _MACHINE.search(sender) is not None or _is_list(sender)
    return is_machines or (is_part and not trust.needs_list)


def _is_about_many(subject: str) -> bool:
    """Return whether a subject is that of a report about many messages, or of a successful delivery.

    "Undeliverable: " is followed by the subject of the returned message, whatever that is.
    """
    head = subject.partition(": ")[0]
    own = head if head != subject and _is_subject(head) else subject
    return _is_notice(own) or _is_periodic(own) or own.startswith(_SUCCESSES)


def _is_ticket(subject: str) -> bool:
    """Return whether a subject has a ticket number: such mail is about other people's bounces."""
    return _TICKET.search(subject[:1000]) is not None


def is_notification(headers: Headers) -> bool:
    """Return whether these are the headers of a notification."""
    sender = decode_header(first(headers, "from")[:1000]).lower()
    is_daemon = is_of_a_system(headers) and not _is_list(sender)
    return is_daemon or is_from_nobody(headers)


def _is_refusal(headers: Headers) -> bool:
    """Return whether a receipt rejects the message, as a recipient's filter may (RFC 5429 section 2.2)."""
    return "reject" in f"{first(headers, 'auto-submitted')} {first(headers, 'subject')}"[:2000].lower()


def _is_of_other_software(message: Message) -> bool:
    """Return whether a program sent this that quotes notifications and sends none: cron, issue trackers, calendars."""
    headers = message.headers
    if any(name in headers for name in _OTHER_FIELDS) or any(name.startswith(_OTHER_PREFIXES) for name in headers):
        return True
    if first(headers, "x-loop").lower().startswith("sympa"):
        return True
    return any(part.type == "text/calendar" for part in message.parts)


def _is_by_other_sender(headers: Headers, sender: str) -> bool:
    """Return the same by what no notification copies: the sender, and a note on new mail (RFC 5436 section 2.7.1)."""
    is_note = first(headers, "auto-submitted").lower().startswith("auto-notified")
    return is_note or any(name in sender for name in _OTHER_WRITERS)


def is_of_a_system(headers: Headers) -> bool:
    """Return whether the From field names a mail system, or no sender."""
    sender = decode_header(first(headers, "from")[:1000]).lower()
    return _is_daemon(sender) or ("from" in headers and sender in ("", "<>"))


def _is_report(message: Message) -> bool:
    if message.type != "multipart/report":
        return False
    kind = message.parameters.get("report-type", "").lower()
    return kind in ("delivery-status", "global-delivery-status", "") and any(
        part.type in STATUS_TYPES for part in message.parts
    )


def _is_list(sender: str) -> bool:
    """Return whether mailing list software sent this (fml, Majordomo, Mailman)."""
    return any(mark in sender for mark in LISTS)


def _form(message: Message, subject: str) -> Form:
    if message.parameters.get("report-type", "").lower() == "disposition-notification" or any(
        part.type in RECEIPT_TYPES for part in message.parts
    ):
        return Form.MDN
    headers = message.headers
    submitted = first(headers, "auto-submitted").lower()
    if submitted.startswith("auto-replied") or "x-autoreply" in headers or "x-autorespond" in headers:
        return Form.AUTO_REPLY
    return Form.AUTO_REPLY if _is_other(subject) and "auto" in subject else Form.NONE
