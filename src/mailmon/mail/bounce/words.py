"""By which words do mail systems say that mail came back? Tables: a new system is a row, or a phrase in one.

A line at the margin says which systems write so, the lines below hold their phrases, parted by `|`, in lower case; `*`
stands for any words between. Whom a notification is from, and its subjects: mail/systems.py.
"""

from __future__ import annotations

from mailmon.mail.systems import DAEMONS as DAEMONS
from mailmon.mail.systems import SUBJECTS as SUBJECTS

# Messages that speak of failures and are no notifications about a message, by their subjects.
NO_NOTIFICATION = """
lists, reports and services:
    probe message | digest | report domain: | dmarc | unsubscribe | confirm | newsletter
absence notices (RFC 3834):
    out of office | out-of-office | abwesen | automatic reply | automatische antwort | auto-reply | autoreply
    auto reply
    vacation | réponse automatique | risposta automatica | respuesta automática | absence | away from | ooo:
    afwezig | 自動応答 | 自动答复 | autosvar | automatyczna odpowied
"""

# The same, whoever writes and whatever else the subject says: what managers of lists and filters tell.
NOTICES = """
Mailman, Sympa, quarantines:
    bounce action notification | uncaught bounce | bounce probe | bouncing member | subscription disabled | quarantine
    digest, vol | moderator request | messages held | spam summary | blocked messages summary
"""

# The same for what is told in periods, and for deliveries that succeeded (Exchange: "Relayed: Newsletter").
REPORTS = """
statistics of servers and sending services:
    daily | weekly | monthly | hourly | summary | statistic | error monitoring | quota warning | log watch | logwatch
    täglich | wöchentlich | monatlich | zusammenfassung | bericht | statistik | quotidien | hebdomadaire | résumé
    resumen | diario | semanal | resumo | diário | relatório | giornalier | settimanale | riepilogo | dagelijks
    wekelijks | samenvatting | dziennik | dzienn | podsumowanie | ежедневн | сводка | отчет | отчёт | 日报 | 周报 | 摘要
    日報 | 週報 | 要約 | レポート
"""
SUCCESSES_BY_SUBJECT = """
Exchange, Postfix:
    delivered: | relayed: | expanded: | successful mail delivery | zugestellt: | weitergeleitet: | remis : | remis:
    relayé : | relayé: | transmis : | transmis: | entregado: | retransmitido: | entregue: | retransmitida: | consegnato:
    recapitato: | inoltrato: | bezorgd: | doorgestuurd: | dostarczono: | przekazano: | доставлено: | передано:
    送达: | 已送达: | 已中继: | 配信済み: | 中継: | levererat: | leveret: | toimitettu: | doručeno: | teslim edildi:
"""
SUCCESSES = """
Postfix, Exchange, Sendmail:
    successfully delivered | delivered successfully | successfully relayed | or groups is complete
    has been delivered to the following | relayed to the following recipients | was delivered to the following
    successful delivery | erfolgreich zugestellt | gruppen ist abgeschlossen | wurde zugestellt
    a été remis | a été effectuée | est terminée | ha sido entregado | se ha completado | se completó | è completat
    è stato recapitato | è stato consegnato | foi entregue | foi concluída | is voltooid | is bezorgd
    zostało dostarczone | zakończone | было доставлено | завершена | 已完成 | 已成功 | 完了しました | 配信されました
    är slutförd | er fuldført
"""

# A line with one of these opens the list of recipients.
START = """
Postfix, Exim, Sendmail, qmail, Courier, OpenSMTPD, and what copies them:
    following address | following recipient | following destination | following user | following mailbox
    these recipients | this recipient | recipient(s) | recipients: | recipients or groups | address(es)
    addresses had
    address failed | addresses failed | not be delivered to | not delivered to | failed recipient | failed address
    unable to deliver | was not able to deliver | wasn't able to deliver | unable to be delivered | undeliverable
    delivery to the | could not deliver | couldn't be delivered | error delivering your mail | was not delivered
    wasn't delivered | rejected recipient | delivery failed | failed to deliver | not yet been delivered | list of
    the mail system | did not reach | permanent errors | failure reasons | could not be reached | addresses with
    not be delivered | cannot be delivered | delivery of the | some or all of | could not be sent | not reach the
    delivery problems | delivery errors | returned the following | users were not found | recipients of this message
Apache James:
    error message below
older systems (PP, MMDF, CompuServe, Netscape, SMTP32, Novell):
    failed addresses follow | unknown recipient | invalid recipient | receiver not found | undelivered to
    delivery attempts failed | bad address | could not deliver mail | unknown addresses | non-deliverable
    unknown user | user unknown | unknown local user | unable to send | message was not sent | mail could not
    your message to | cannot deliver | can't deliver | not deliver mail | was rejected | were rejected
    being returned | users not found | address not found | failed for the | delivery has failed
other languages:
    kunne ikke | konnte nicht | n'a pas pu | no se pudo | non è stato possibile | nicht zugestellt | não pôde
    не может быть доставлено | не удалось | 送信できません | 送信に失敗 | 配信できません | 送达 | 退回 | nie można
    följande mottagare | kon niet | folgende | destinataires suivants | destinatarios | 下記 | 以下
"""

# A line that begins with one of these (after dashes and spaces) opens the returned message.
END = """
Exim, GMX, 1&1:
    this is a copy of | this is the message | the header of the original | the headers of the original
    included is a copy | here is a copy | the body of the message is
Sendmail:
    unsent message | original message follows | returned message follows | message header on | text of the message
qmail, Yahoo, Gmail, Zoho:
    below this line is | original message | original-message | forwarded message
DragonFly, OpenSMTPD, Courier, IMail, MailEnable, m-FILTER, Notes and others:
    message header | message headers | message text follows | below is a copy | below is the | returned message
    returned mail follows | original mail | original e-mail | the original message follows | the original message is
    a copy of the original | a copy of your | copy of your message | copy of the message | copy of message
    headers follow | header follows | message follows | mail header | the following is a copy
    contents of the original
    start of returned | begin message | body of message | undelivered message follows | your original message
    your message reads | message body follows | your mail contents | attached is a copy
other languages:
    ursprüngliche nachricht | message d'origine | mensaje original | messaggio originale | исходное сообщение
    原始邮件
"""

# A field of the returned message, where nothing parts it from the words above.
END_FIELDS = ("received:", "return-path:", "dkim-signature:", "x-received:")

# The mail is late and still under way.
DELAYS = """
Sendmail and Postfix:
    warning only | still being retried | could not send message for past | will be retried | keep trying
    delayed mail
Exim, OpenSMTPD:
    not yet been delivered | delay reason | is delayed for more than | temporary failure report | delayed * hours
Gmail, Exchange, Outlook.com:
    warning message only | has been delayed | notification (delay) | delivery delayed | delivery is delayed
    delivery incomplete | temporary problem delivering | will retry for | continue to try | continue trying
    this message hasn't been delivered yet | no action is required on your part
others:
    has not been delivered yet | will retry | attempts will continue | still trying | temporarily undeliverable
    was delayed | delivery attempts will | will continue to attempt | delivery warning
other languages:
    noch nicht zugestellt | verzögert | retardé | retrasad | задерж
"""

# Words that tell of a failure for good, even beside a word of delay.
FAILURES = """
nearly all:
    permanent error | permanently | permanent fatal | given up | giving up | gave up | failed: | (failure)
    not going to try again | unrecoverable | undeliverable | has been returned | returned to sender
    will be deleted from queue | no further | stopped trying | will not be retried
"""

# That something failed at all: without one of these, prose of a daemon is no notification.
TROUBLE = """
nearly all:
    fail | not be delivered | not deliver | undeliver | unable to | couldn't | could not | cannot | can't | wasn't
    rejected | refused | returned | error | unknown | exceed | full | invalid | no such | not found | does not exist
    doesn't exist | not exist | delay | not reach | denied | disabled | trouble | problem | blocked | bounced
    not recognized | no valid | not accept | duplicated | not a member | not member
other languages:
    bloqu | unzustellbar | nicht zugestellt | konnte nicht | не может | не удалось | не доставлен
    n'a pas pu | no se pudo
    impossib | não | nie można | 送信できません | 配信できません | 退回 | 失败 | 无法 | 無法 | リストにありません
    エラー
"""

# Which SMTP command was refused: words of the client that tell it, by the command (RFC 5321 section 4.1.1).
COMMANDS = """
RCPT: Postfix, Exim, GMX; qmail and its kin; DragonFly; Yahoo; carriers and gateways; Exchange Online
    in reply to rcpt | after rcpt | does not like recipient | our rcpt | [rcpt_to] | smtp:rcpt | following rcpt
    rcpt to response | to rcpt to | rejected recipient | rejected address | >>> rcpt to: | state 14 | 550: <
    unknown recipient or mailbox | rejected by a remote mail server | rcpt to command | rcpt_to | sent: rcpt
    remote smtp server has rejected address | response to rcpt | rcpt command | recipient was rejected by
DATA: the same
    in reply to end of data | in reply to data | after end of data | after data | end of data | our data
    failed on data
    after i sent the message | our final data | (data) | [data] | >>> data | command data | smtp command data
    after pipelined end of data | response to data | sent: data
MAIL: the same
    in reply to mail from | after mail from | sender was rejected | our mail from | [mail_from] | smtp:mail | >>> mail
    after pipelined mail from | mail from command | sent: mail | response to mail
EHLO: the same, and a server that refuses the connection
    in reply to ehlo | in reply to helo | after ehlo | after helo | after initial connection | refused to talk to me
    initial server greeting | our ehlo | our helo | >>> ehlo | >>> helo | while talking to * .: <<< 4
    while talking to * .: <<< 5 | sent: ehlo | sent: helo | connected to * but greeting failed
"""
