"""Which rarer words say why, when the recipient is not in question? Asked after reason_words_rare.py, same form."""

from __future__ import annotations

RARE_REFUSALS = """
filtered: filters of the recipient
    recipient's filter | recipient's rules | recipient's policy | refused by recipient | refused by user
    rejected by the recipient | rejected by the user | user's filter | recipient doesn't want | recipient only accepts
    recipient's block | refused by the recipient | user has rejected | not in * whitelist | not on * whitelist
    recipient's setting | challenge-response | user preferences | recipient preferences | 受信拒否 | 受信者 * 拒否
requireptr: nearly all
    reverse host | reverse name | without reverse | no hostname | hostname mismatch | dns forward | forward confirmed
    forward and reverse | does not resolve back | no dns a-data returned | ip address has no | ip has no
    pointer record | client hostname | host name mismatch | no a record for | does not match its reverse
notcompliantrfc: Google, Yahoo and strict servers
    rfc-822 | rfc-2822 | rfc-5322 | rfc 2821 | rfc2821 | noncompliant | non-compliant | duplicated header
    from header is | from: header | header field * missing | empty from | missing from | missing date
    missing message-id | invalid date | malformed address | malformed from | multiple from | more than one from
    not properly formatted | line length | lines longer | null byte | nul characters | 8bit * header
    invalid message-id
badreputation: nearly all
    low trust | poorly rated | sending history | complaint rate | trustedsource | poor ip rep
rejected: nearly all, of the envelope sender
    sender policy | sender email | from this sender | from that sender | mail from you | sender was rejected
    may not send | absender | expéditeur | mittente | remetente | отправител | 发件人 | 差出人 | 送信者
spamdetected: nearly all
    spammer | spam/ | spam! | identified as junk | junk email | junk e-mail | spam protection | spam check | spam test
    spam threshold | spamtrap | spam trap | spam-flag | heuristic | bayes | rejected as bulk | cloudmark
    spam eingestuft | als spam | comme spam | pourriel | indésirable | correo no deseado | come spam
    подозрение * спам | спам | 垃圾邮件 | 垃圾郵件 | 迷惑メール | スパム | score too high | url in this | uribl
    surbl | phish
virusdetected: nearly all
    clamav | вирус | ransomware | eicar | ウイルス | ウィルス | 病毒 | schadsoftware
speeding: nearly all
    rate exceeded | exceeded * rate | too many mail | too many e-mail | per minute | per hour | per second | per day
    too much traffic | sending quota | excessive volume | volume of email | sending volume | message limit
    limit exceeded for | flood | too many failed | try again slower | quota of messages | maximum messages
    recipient rate | zu viele
toomanyconn: nearly all
    too many session | max connections | parallel connections | too many smtp | connections per | sessions from
    recipients per | too many rcpt | trop de connexions | zu viele verbindungen | too many open | connection count
contenterror: Amazon SES and strict servers
    malformed message | message is malformed | invalid content | content-type | content-transfer-encoding | 8bitmime
    illegal characters | invalid character | smtputf8 | internationalized | mime part | mime boundary | mime syntax
    unable to parse | could not parse | message format | too many received headers | body type not supported
blocked: nearly all, of the sending host
    black-list | denylist | deny list | block-list | blocked list | in our list | rejected ip | ip rejected
    ip is rejected | ip denied | ip address rejected | ip range | bad ip | not accepting connections from
    connection denied | connection from * denied | connections from * denied | host rejected | host denied
    client denied | client blocked | helo rejected | helo/ehlo | ehlo rejected | helo name | bad ehlo | invalid ehlo
    your mail server | your network | your mailserver | botnet | access from your | is denied access | ivmsip | abusix
    mailspike | barracuda rep | pbl | blackhole | geoip
policyviolation: Google, Yahoo and filters
    policy reject | content policy | content filter | corporate policy | administrative policy | forbidden
    password protected | encrypted archive | zip file | .exe | file name | filetype | bad extension | profanity | dlp
    richtlinie | unacceptable content | rejected by rule | message rejected by rule | content reject
    unwanted content | message refused
"""

RARE_TROUBLES = """
networkerror: nearly all
    delivery loop | too many received | mx problem | no route | connection aborted | connection timed * refused
    broken pipe | socket error | network failure | ssl error | ssl handshake | tls error | tls connection
    handshake fail | eof on | unexpected eof | remote host closed | remote server closed | closed connection
    connection terminated | server disconnected | disconnected | dns problem | dns server | servfail | name resolution
    connection unexpectedly | delivered-to line | dns temporary | conexión rechazada | 接続できません | 接続に失敗
mailererror: local delivery by a program
    mailer exited | autoresponder * fail | .forward | filter * failed | dovecot | pipe command
systemfull: nearly all
    insufficient space | not enough storage | file system full | disk space | out of space | low on disk | device full
    mail system full | queue is full | queue full | 磁盘 | festplatte voll
securityerror: nearly all
    unauthorised | auth required | authentication is required | authentication needed | authentication fail
    login required | relogin | requires authentication | must login | must use ssl | ssl required | tls required
    requires tls | requires encryption | encryption required | encryption is required | credentials | invalid login
    invalid password | access rejected | not accept * unauth | zugriff verweigert | accès refusé | acceso denegado
    accesso negato | acesso negado | доступ запрещен | 拒绝访问
systemerror: nearly all
    service is unavailable | service currently | temporarily unavailable | try again later | try later
    temporary problem | temporary error | internal failure | resources unavailable | resource * unavailable | overload
    too busy | system busy | load average | high load | unavailable at this time | under maintenance | maintenance
    server failure | server problem | system problem | system failure | local failure | can't open | could not open
    lookup error | lookup fail | not configured | unexpected error | fatal error | unspecified error | general error
    file error | temporary resource | temporarily rejected | unable to lock | lock file | could not write
expired: nearly all, when the queue gives up
    time limit | timed-out | exceeded * delivery time | no response | not respond | unreachable for
    undelivered after | maximum time | lifetime | message too old | too old | unable to establish
    unable to make a connection | unresponsive | stalled | scadut | 超时 | 逾時 | タイムアウト | время ожидания
    not been able to deliver
syntaxerror: a command that the server does not know
    bad sequence | unknown command | bad command | command not implemented | unimplemented | out of sequence
    command not supported | invalid command | parameter not
onhold: test systems
    awaiting moderation | awaits moderat | held in queue | pending approval | is being held
"""
