"""Senders and subjects of notifications: tables, and a first look at a header that costs next to nothing.

The classifier (mail/bounce/) and the wait for a probe read the same tables; this module imports nothing of the
classifier, so that a quiet run need not load it. A new system is a row, or a phrase in one, in lower case.
"""

from __future__ import annotations

import binascii
import re
from functools import lru_cache

# Who writes for a mail system: in the From field.
DAEMONS = """
nearly all:
    mailer-daemon | mailer_daemon | mailerdaemon | mailer daemon | postmaster | mail delivery | maildelivery
    mail-daemon
Exchange, hMailServer, MDaemon, mobile carriers, Notes:
    microsoftexchange | system administrator | mail administrator | mailadmin | mdaemon | ndr administrator
    mail system | mailsystem | delivery system | delivery subsystem | mail router | mailrouter | mail-router
gateways and hosted services:
    mail gateway | mailgateway | symantec_antivirus | bounce@ | bounces@ | notifier@ | ndr@ | daemon@ | post_master
    post-master | majordomo-owner | mail.daemon | mailbot | mail bot | error-reply | delivery notification
    mail server | internet mail delivery | non delivery | mail transport | mta@ | mailmaster | undeliverable
other languages:
    zustellung | почтовая служба | система доставки | 邮件系统 | メール配信
"""

# Subjects of notifications.
SUBJECTS = """
nearly all:
    undeliver | not deliver | delivery status notification | delivery fail | delivery error | delivery report
    delivery problem | mail delivery | failed delivery | failure delivery | delivery notification | nondeliver
    non delivery | non-delivery | could not be delivered | couldn't be delivered | cannot be delivered
    wasn't delivered | message delivery | failed to deliver | delivery has failed | unable to deliver | bounce
    returned mail | returned to sender | return to sender | returning message | returned message | message rejected
    failure notice | failure report | mail failure | mail error | mail system error | user unknown | mail rejected
    delivery delayed | delayed mail | delivery delay | warning: message | permanent delivery | delivery status
    error sending your mail | rejected mail | blocked mail | message status | problem delivering | message returned
    message not delivered | message blocked | message undelivered | message failed | sending failed | send failure
older systems:
    mail failed | failed mail | nondeliverable | unknown user | unknown address | address unknown | invalid recipient
    message could not | returned e-mail | returned email | bad address | user not found | mail not delivered
mailing lists (fml, Mailman):
    loop alert | not member | reject mail
postmaster's notices of Postfix, Sendmail, Exim:
    smtp server: errors from | postmaster notify | postmaster warning | frozen message | message frozen
German, French, Spanish, Italian, Portuguese, Dutch, Czech, Polish, Danish, Swedish, Norwegian, Finnish:
    unzustellbar | nicht zugestellt | zustellung | non remis | non distribu | non délivr | échec de la remise
    échec de | no se puede entregar | no entregado | error de entrega | mancato recapito | impossibile recapitare
    não entregue | falha na entrega | niet afgeleverd | onbestelbaar | doručit nelze | nedoručit
    nie można dostarczyć
    niedostarcz | olevererbart | kan ikke leveres | gick inte att leverera | uleverbar | toimittaminen
Russian, Japanese, Chinese, Korean:
    недоставлен | не доставлен | недоставк | отправить не удалось | не может быть доставлено | 配信不能
    配信できません | エラーメール | 配送できません | 退信 | 無法投遞 | 无法送达 | 无法投递 | 退回 | 반송 | 배달되지
"""

# What parts the software of a mailing list from other senders (fml, Majordomo, Mailman).
LISTS = ("-admin@", "-owner@", "owner-", "-request@", "-bounces@", "majordomo@")
MAX_CHARS = 1000

# Compiled when the first one is met: most headers have none.
_WORD = r"=\?([\w-]{1,40}+)(?:\*[\w-]{1,20}+)?\?([bqBQ])\?([^?\s]{0,200}+)\?="


def may_be_notification(fields: dict[str, list[str]]) -> bool:
    """Say whether the header leaves it possible that a mail system reports on a message.

    At least what the classifier believes, and nothing that it needs a body for: who may not be one is not read.
    Never raises.
    """
    if "report" in " ".join(fields.get("content-type", ()))[:MAX_CHARS].lower():
        return True
    if "x-failed-recipients" in fields or any(map(is_null, fields.get("return-path", ()))):
        return True
    if "auto-replied" in " ".join(fields.get("auto-submitted", ()))[:MAX_CHARS].lower():
        return True
    sender = _decoded(fields, "from")
    return sender in ("", "<>") or _holds_any(sender, DAEMONS) or _holds_any(_decoded(fields, "subject"), SUBJECTS)


def is_null(path: str) -> bool:
    """Say whether a return path is empty, also as Sendmail writes that for local programs.

    >>> is_null("<>"), is_null("<MAILER-DAEMON@mx.example.org>"), is_null("<bob@example.org>")
    (True, True, False)
    """
    bare = path.replace(" ", "").lower()
    return bare == "<>" or bare.startswith(("<mailer-daemon@", "<mailer-daemon>"))


def _decoded(fields: dict[str, list[str]], name: str) -> str:
    """Return the first value of a field in lower case, encoded words decoded (RFC 2047)."""
    text = next(iter(fields.get(name, ())), "")[:MAX_CHARS]
    return (re.sub(_WORD, _word, text, flags=re.ASCII) if "=?" in text else text).lower().strip()


def _word(match: re.Match[str]) -> str:
    charset, kind, payload = match.groups()
    try:
        raw = payload.encode("ascii")
        octets = binascii.a2b_base64(raw) if kind in "bB" else binascii.a2b_qp(raw, header=True)
        return octets.decode(charset, "replace")
    except (ValueError, LookupError):
        return match[0]


def _holds_any(text: str, table: str) -> bool:
    return any(phrase in text for phrase in _phrases(table))


@lru_cache(maxsize=4)
def _phrases(table: str) -> tuple[str, ...]:
    listed = [line for line in table.split("\n") if line.startswith(" ")]
    return tuple(phrase.strip() for line in listed for phrase in line.split(" | "))
