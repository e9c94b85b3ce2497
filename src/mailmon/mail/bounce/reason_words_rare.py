"""Which rarer words say why? Same form as in reason_words.py.

Asked only where no table before them has an answer: the phrases here are either rare or say less.
"""

from __future__ import annotations

RARE_FIRST = """
notaccept: anybody, of a null MX (RFC 7505) or a host that takes no mail
    does not receive mail | do not accept mail at this | domain does not receive | not receive email
    no mail accepted | not a mail server | host never accepts mail | does not accept incoming mail
mailboxfull: nearly all
    box is full | box full | mailbox too full | storage capacity | mailbox capacity | mailbox storage | out of quota
    user quota | mail quota | disk allocation | allotted space | allocated space | allowed storage
    no space in mailbox | no room in mailbox | insufficient mailbox | overdrawn | exhausted * storage | has exhausted
    exceeded its storage | exceeded * storage | exceeds allotted | over the allowed quota | over the maximum quota
    over its allowed | over limit of mailbox | mailbox limit | quota is full | insufficient quota | not enough quota
    overflow * mailbox
mailboxfull: other languages
    quota de stockage | boîte saturée | boite saturee | saturée | speicherplatz * erschöpft
    speicherplatz * ueberschritten | speichervolumen | postfach des empfängers ist voll | kontingent
    ha superato la quota | spazio esaurito | llena | buzón del destinatario está | caixa de correio cheia
    caixa de entrada cheia | cota excedida | przepełnion | skrzynka * pełna | переполнен | превышен* квот
    превышен* размер ящика | 空间不足 | 已满 | 容量が超過 | 容量を超過 | 容量が一杯 | 容量がいっぱい | 용량 초과
    용량이 초과 | postvak is vol | vol postvak | plná schránka | kota dolu | kotası dolu | kutusu dolu
exceedlimit: a limit of this recipient
    larger than the user | size limit of the recipient | size limit for the recipient | larger than the mailbox
    exceeds the recipient's size | the user accepts | recipient's size limit
mesgtoobig: nearly all
    message is larger than | maximum allowed size | maximum size allowed | exceeded maximum message | exceeds mailsize
    exceeded mailsize | mail is too large | mail is too big | exceeded * message size | exceeds message size
    message size greater | message exceeded * size | larger than max | maximum allowed message | message length exceed
    exceeds maximum allowed | exceeds maximum message | exceeds the size limit | zu gross | trop grand
    taille maximale | troppo grande | dimensione massima | tamaño máximo | tamanho máximo | слишком большое
    слишком велико | 邮件过大 | 超过大小 | サイズが大き | サイズを超え
suspend: nearly all
    account * suspended | mailbox * suspended | user * suspended | address * suspended | address * disabled
    account is terminated | account terminated | account has been terminated | account cancelled | account canceled
    account is closed | account closing | mailbox closed | mailbox has been closed | mailbox frozen | dormant account
    mailbox inactive | inactive address | user inactive | recipient inactive | recipient disabled | user is terminated
    not activated | temporarily suspended | blocked mailbox | user locked | login disabled
suspend: other languages
    compte suspendu | compte désactivé | compte inactif | cuenta suspendida | cuenta desactivada
    cuenta * deshabilitada | cuenta inactiva | account sospeso | casella sospesa | casella disattivata
    conta suspensa | conta desativada | konto wurde | konto zablokowane | ящик заблокирован | заблокирован | отключен
    已停用 | 被禁用 | 被冻结 | 利用停止 | 休止
hasmoved: nearly all
    has a new address | new email address | no longer uses this | changed * email address | user not local; please try
    moved to a new | forwarding address is
norelaying: nearly all
    relaying is not | relaying not | no relay | relay is denied | relay-access | we don't relay | third-party relay
    third party relay | open relay | relaying is den | not in my list of | domain is not local | not a gateway
    not responsible for domain | not hosted here | not one of my domains | domain is not hosted | domain not served
    is not served here | rejected: relay | not accept mail for this domain | weiterleitung nicht erlaubt
authfailure: nearly all
    dkim verif | dkim auth | invalid dkim | no valid dkim | missing dkim | bad dkim | domainkeys | spf result
    spf lookup | spf verif | spf auth | spf permerror | spf temperror | does not pass spf | did not pass spf
    failed the spf | spf-check | spf-fail | not in spf | spf does not | fail spf | -spf- | fails dkim | dkim policy
    failed authentication check | arc seal | does not pass authentication | didn't pass authentication | softfail
rejected: nearly all, of the envelope sender
    domain of your sender | sender not accept | sender refused | sender invalid | could not verify sender
    cannot verify sender | verification failed for <* sender | callback * sender | sender callout | sender callback
    return-path does not | your address is rejected | sender is in my | blocked sender
"""

RARE_UNKNOWN_USER = """
userunknown: Postfix, Sendmail, Exim, qmail, Exchange and nearly all
    no such account | no such email | no such e-mail | no such alias | no such name | no such local | unknown address
    unknown addressee | unknown alias | unknown name | unknown login | unknown to | unknown subscriber
    unknown destination address | unknown or invalid | user not known | address not found | alias not found
    email not found | e-mail not found | recipient address not found | could not find user | cannot find user
    can't find user | couldn't find user | unable to find user | cannot find recipient | could not find recipient
    unable to find recipient | user could not be found | recipient could not be found | recipient cannot be found
    mailbox could not be found | address could not be found | recipient not known | recipient not valid
    recipient address is invalid | no email address | no longer in use | no longer exists | no longer used
    no longer works | no longer employed | no longer a valid | no longer here | left the company
    unrouteable recipient | unroutable address | unroutable recipient | non-existent user | non-existent recipient
    non-existent mailbox | non-existent address | nonexistent user | nonexistent recipient | nonexistent mailbox
    nonexistent address | bad recipient | bad address | bad user | bad username | incorrect address
    incorrect recipient | incorrect user | wrong address | wrong recipient | wrong user | misspelled | mistyped
    not a registered | unregistered | invalid local | invalid email | invalid e-mail | invalid account | invalid alias
    username invalid | undefined user | undefined mailbox | illegal user | illegal alias | illegal recipient
    recipient verif | recipient unavailable | recipient was not found | is not deliverable | not deliverable to
    undeliverable recipient | does not live here | doesn't live here | isn't here | is not here | not on this server
    not on this system | not listed here | not a user here | not accept mail for this | does not match any
    doesn't match any | address is not valid | address not valid | address is invalid | address not known
    address doesn't | email address is not | not local user | not known here | not known in | no known user
    not present in * directory | user * not listed | not a legal | addresses unknown | never heard of
    mailbox missing | mailbox * not found | invalid to address | destination address * invalid | user name unknown
userunknown: the core of many wordings
    not found | no such | not listed | not in directory | not in the directory
userunknown: other languages
    inconnu | boîte aux lettres introuvable | adresse invalide | n'existe plus | unbekannt | nicht bekannt
    existiert nicht | kein solcher | empfänger nicht gefunden | empfaenger unbekannt | empfänger existiert
    desconocid | no se encontr | no es válida | sconosciut | inesistente | non esiste | non trovato | não encontrado
    nao encontrado | não foi encontrad | nao existe | inválido | onbekend | bestaat niet | okänd | finns inte | ukjent
    ukendt | tuntematon | neznám | neexistuje | nie istnieje | ismeretlen | bulunamad | bilinmeyen | δεν υπάρχει
    неизвестн | не обслуживается | пользователь не | 无效的收件人 | 查無 | 不明なユーザ | 宛先不明 | 宛先が見つかり
    存在しない | 사용자 없음 | 존재하지 않
"""

RARE_UNKNOWN_HOST = """
hostunknown: nearly all
    unknown mail host | nonexistent domain | non-existent domain | non existent domain | nonexistent host | no a or mx
    no dns records | no dns entry | unable to find mx | no valid mx | no valid hosts | invalid host | bad domain
    domain name is not valid | domain name is invalid | domain does not resolve | domain name does not
    domain doesn't resolve | cannot resolve domain | could not find domain | unable to find domain
    domain name unknown | unrouteable domain | no such mail host | domain is not valid | could not find a mail server
    unable to look up host | no address associated | nodename nor servname | domäne nicht gefunden
    domain nicht gefunden | domain existiert nicht | domain unbekannt | dominio sconosciuto | dominio inesistente
    domínio inexistente | domaine introuvable | ドメインが | any host named | mail exchanger or ip address
"""
