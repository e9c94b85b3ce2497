"""By which words do servers say why? Tables as text, as in reason_providers.py; the first row that fits decides."""

from __future__ import annotations

# Words about our client, its name and address, the sender or our login: no word beside them is about the recipient.
OURS = """
our name in HELO or EHLO: Postfix, Exim, Sendmail, qmail and nearly all
    helo command | ehlo command | helo name | ehlo name | helo/ehlo | ehlo/helo | bad helo | bad ehlo | invalid helo
    invalid ehlo | helo rejected | ehlo rejected | helo host | ehlo host | helo argument | helo string | your helo
    your ehlo | helo domain | helo hostname | in helo | in ehlo | helo verif | helo greeting | helo does | helo is
our host, its address and PTR: nearly all
    client host | sending host | connecting host | sending server | sending ip | connecting ip | reverse dns
    your host | your hostname | your server | your ip | your mail server | your mailserver | your reverse | your ptr
    ptr record | no ptr | rdns | reverse lookup | reverse hostname | fcrdns | your dns | your network | your client
    client ip | client name | remote host name | ip address of the sending | sender's ip | sender ip
the sender and its domain: nearly all
    sender address | sender domain | sender's | sender verif | verify sender | verify the sender | sender rejected
    sender denied | sender unknown | unknown sender | domain of sender | domain of the sender | domain of your sender
    envelope sender | envelope from | envelope-from | sender not | sender is | sender does | sender host | sender email
    sender invalid | invalid sender | bad sender | sender mailbox | sender callout | sender callback | callback
    unroutable sender | unrouteable sender | sender refused | mail from domain | mail from address | mail from host
    mailfrom | your domain | your address | your email address | from domain | from address | from header | return path
    return-path | reverse path | reverse-path | originator | sending domain | not allowed to send | authorized to send
    sender dns | sender mx | unauthorized sender | unauthorised sender | sdnf | backscatter
our login: nearly all
    authentication required | authentication failed | authentication is required | not authenticated
    sender must | must authenticate | smtp auth
other languages:
    absender | expéditeur | emetteur | émetteur | remitente | mittente | remetente | отправител | 发件人 | 寄件人
    差出人 | 送信者 | 발신자 | nadawc | afzender | odesílatel | avsändar | gönderen
"""

# Words that can be about nothing but the recipient's name.
FIRM = """
nearly all:
    user unknown | unknown user | no such user | no such recipient | unknown recipient | recipient unknown
    no such mailbox | mailbox not found | user not found | recipient not found | unknown local | invalid recipient
    invalid mailbox | invalid user | no mailbox here | no such address | bad destination mailbox | address unknown
    addressee unknown | unknown account | account not found | user doesn't exist | user does not exist
    mailbox does not exist | mailbox doesn't exist | recipient does not exist | recipient doesn't exist
    address does not exist | address doesn't exist | account does not exist | account doesn't exist | unknown mailbox
    unrouteable address | no such person | no account by that | recipient list | user not known | no such account
    unknown address | unknown virtual | no local user | recipient address not found | email address not found
    non-existent user | nonexistent user | non-existent recipient | recipient not known
    user invalid | recipient invalid | mailbox invalid | not our customer | mailbox non | rcpt dosn't exist
    mailbox unknown | not in recipient list
"""

FIRST = """
networkerror: Exim and Postfix, of a check of the recipient that could not be made
    complete recipient verify | recipient verify callout | verification in progress | unverified address: connect
    unverified address: lost connection | unverified address: conversation | unverified address: host or domain
requireptr: nearly all, in words that leave no doubt
    reverse dns | ptr record | rdns record | no ptr | unverifyable sending ip | unverifiable sending ip
networkerror: resolvers that ask to try again
    host not found, try again | malformed name server reply | malformed or unexpected name server | temporary dns
    host name lookup failure
notaccept: anybody, of a null MX (RFC 7505) or a host that takes no mail
    no smtp service | null mx | nullmx | does not accept mail | not accepting network messages | doesn't accept mail
    domain does not receive mail | host does not accept | accepts no mail | does not accept any mail
mailboxfull: nearly all
    mailbox full | mailbox is full | mailbox was full | inbox is full | mail box full | mailbox over | over quota
    overquota | over the quota | over its quota | quota exceed | quota is exceed | quota has been exceed
    exceeded quota
    exceeded * quota | exceeds * quota | exceed * quota | quota violation | over disk quota | mailbox quota
    storage quota | out of storage | mailbox has exceeded | mailbox exceed | mailbox size limit | mailfolder is full
    account is full | storage allocation | mailbox allocation | space quota | quota full
    not enough storage space in
    recipient storage | mailbox is over | too many messages in | recipient's mailbox exceeded | exceeded storage
    disk quota | account is over | mailbox has reached | reached its quota | storage limit
    space * has been used up
    no space left in mailbox | user is over | mailbox space | too much mail data | folder is full | mail folder full
    not enough space on | mailbox cannot | exceeded the storage | maximum number of messages | reached disk
    maximum storage | exceeded the maximum inbound | has insufficient space | size of mailbox | quota limit
mailboxfull: other languages
    pleine | postfach ist voll | postfach voll | buzón lleno | casella piena | caixa postal cheia
    ящик переполнен
    邮箱已满 | 信箱已滿 | 容量オーバー | 容量を超え | überfüllt | cuota | überschritten * postfach
    boîte * plein
exceedlimit: a limit of this recipient
    message length exceeds administrative limit | message too large for this | larger than the recipient
    exceeds the maximum size * recipient | size limit for this recipient
mesgtoobig: nearly all
    message too big | message too large | message is too large | message is too big | message size exceed
    mail size limit exceeded | message file too big | exceeds size limit | max message size | maximum message size
    message exceeds | exceeds fixed | message length exceeds | data size exceeds | size exceeds
    message size * exceeds
    larger than the current system limit | exceeds the maximum * size | message size limit | too large a message
    exceeds maximum * size | email too large | message body too large | mail too big | mail too large
    maximum email size
    message header size, or recipient list, exceeds | size limit exceeded | zu groß | trop volumineux
    demasiado grande
suspend: nearly all
    account * disabled | mailbox * disabled | account is suspended | is suspended | been suspended | is inactive
    temporary locked | temporarily locked | is locked | is frozen | disabled recipient | account disabled
    account is blocked | recipient suspended | deactivated | account expired | account has expired | account closed
    account has been closed | no longer active | not active | mailbox is blocked | account inactive | user suspended
    inactive user | inactive account | inactive recipient | user is disabled | user disabled
    mailbox disabled | account blocked
    temporarily disabled | recipient is disabled | account has been blocked | mailbox currently suspended
    mailbox suspended | account suspended | has been disabled | invalid/inactive | temporarily inactive
    account locked
    account has been locked | not configured to receive | account temporarily | compte * bloqu | deaktiviert | gesperrt
    inactivity | closed mailbox | over-aged | user is locked | unknown or inactive | inactive email | inaktiv
    inactivo
hasmoved: nearly all
    has moved | recipient no longer on server | been replaced by | moved to another | address has changed
    address * has changed | mailbox * moved | no forwarding address | user has moved | please note * new address
norelaying: nearly all
    relaying denied | relay access denied | relay not permitted | relaying not allowed | unable to relay
    relay denied
    relaying is prohibited | not an open relay | no relaying | cannot relay | can't relay | not permitted to relay
    relaying to * prohibited | relay * not allowed | to relay through | relaying mail | list of allowed rcpthosts
    not relay | relay is not allowed | relay rejected | as a relay | relay operation | is not hosted here
    don't handle mail for | not handle mail for | relaying blocked | relay prohibited | relaying temporarily denied
    mail server requires authentication when attempting to send to a non-local | relay attempt | not local domain
    domain not hosted | relay from | insecure mail relay | relaying disallowed | relay disallowed
authfailure: nearly all
    dmarc | spf check | spf record | spf fail | spf: fail | spf validation | spf=fail | sender policy framework
    openspf.org | dkim check | dkim signature | dkim fail | dkim validation | dkim: | dkim= | unauthenticated mail
    unauthenticated email | unauthenticated sender | spf/dkim | spf or dkim | spf and dkim | authentication level
    authentication checks | domain owner's policy | rejected by spf | not authorized to send mail from
    not a designated | not permitted by spf | fails spf | failed spf | spf policy | spf -all | spf soft | spf hard
    spf sender | spf: | domain owner policy | spf (sender | all senders to authenticate | not designated
rejected: nearly all, of the envelope sender
    sender address rejected | sender rejected | domain of sender | sender verify fail | sender denied
    access denied by sender | unroutable sender | unrouteable sender | mail from rejected | does not exist e2110
"""

# "There is no such user" is sure only as an answer to RCPT or with a code that says so: after DATA it is often what a
# filter says, and some filters say it of everything. See reasons.py.
UNKNOWN_USER = """
userunknown: Postfix, Sendmail, Exim, qmail, Exchange and nearly all
    user unknown | unknown user | no such user | no such recipient | unknown recipient | recipient unknown
    no such mailbox | mailbox unavailable | mailbox not found | user not found | recipient not found
    unknown local | does not exist | doesn't exist | not a valid | invalid recipient | invalid mailbox
    invalid user
    invalid address | no mailbox here | no mailbox | no such address | bad destination mailbox | not our customer
    doesn't have a * account | does not have a * account | no account by that | unknown account
    account unavailable | address unknown
    addressee unknown | not a known user | unrouteable address | unknown virtual | account not found
    no longer available | no longer valid | no longer accept | is not known | recipient does not
    recipient rejected
    not a local | name is not recognized | mailbox does | mailbox non | mailbox invalid | user invalid
    not existing
    no thank you | account does | not known at | is unknown | rejected recipient | no active user | no local user
    not recogni | no such person | unknown mailbox | no account | recipient invalid
    recipient is not | user is not | mailbox isn't | address does not | not a mailbox | no recipient
    unknown or illegal
    receiver not found | undeliverable address | address invalid | is not a user | no user
    there is no one | nobody here
    unknown e-mail | unknown email | no longer at | not in our | not exist | invalid addr | name not found
    no one here | dosn't exist | doesnt exist | don't exist | does not exists | not exists | mailbox unknown
    not in recipient list
userunknown: other languages
    destinataire inconnu | destinataire invalide | utilisateur inconnu | empfänger unbekannt | unbekannter
    usuario desconocido | destinatario * sconosciuto | não existe | нет такого | не существует | не найден
    不存在
    存在しません | 見つかりません | adresse d au moins un destinataire | no existe | n'existe pas | inexistant
    nieznany
"""

# Of one of many recipients or hosts, and where a lookup could find no user: not the host of a domain.
UNKNOWN_HOST = """
hostunknown: nearly all
    host unknown | unknown host | host or domain name not found | no such domain | domain does not exist
    no such host
    domain doesn't exist | unrouteable mail domain | unroutable mail domain | domain not found | nxdomain
    domain invalid
    illegal host/domain | bad destination host | host not found | name or service not known | unknown domain
    domain name not found | mx records point to non-existent | all host address lookups failed | invalid domain
    domain must exist | couldn't find any host | could not find any host | non-existent host | domain unknown
    no mx or a | no mail exchanger | couldn't find * domain | domain isn't
    unresolvable domain | domain could not be found | domain * not exist | dns domain | no mx | host does not exist
    domain couldn't be found | domain name doesn't | cannot find * domain | unbekannte domain | domaine inconnu
"""
