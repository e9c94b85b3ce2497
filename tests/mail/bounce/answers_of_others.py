"""What providers of single countries, filters and mail servers answer, and why; form as in answers.py."""

from __future__ import annotations

PROVIDERS = """
GMX, Web.de, 1&1 [mx00.emig.gmx.net]
    blocked 5.0.0 554-gmx.net Nemesis ESMTP Service not available 554-No SMTP service 554-IP address is block listed.
    requireptr 5.0.0 554-web.de (mxweb011) Nemesis ESMTP Service not available 554-No SMTP service 554-Bad DNS PTR
    userunknown! 5.0.0 550 Requested action not taken: mailbox unavailable (in reply to RCPT TO command)
    policyviolation 5.0.0 554 Transaction failed Reject due to policy restrictions. postmaster.gmx.net/en/case?c=hi
    authfailure 5.0.0 550 Requested mail action not taken: Sender address is not allowed. SPF check failed
    mailboxfull 5.0.0 552 Requested mail action aborted: exceeded storage allocation
    speeding 4.0.0 450 Requested mail action not taken: mailbox unavailable. Mail rate limit exceeded.
    toomanyconn 4.0.0 421 kundenserver.de Nemesis ESMTP Service not available. Too many connections from your host
T-Online [mx03.t-online.de]
    blocked 5.0.0 554 IP=192.0.2.1 - None/bad reputation. Ask your postmaster for help or to contact tobr@rx.t-online.de
    userunknown! 5.1.1 550 5.1.1 user unknown
    mailboxfull 5.2.2 552 5.2.2 Over STORAGE quota
    blocked 5.0.0 554 IP=192.0.2.1 - A problem occurred. Ask your postmaster for help or to contact tosa@rx.t-online.de
Libero, Aruba, Tiscali [smtp-in.libero.it]
    blocked 5.7.1 550 5.7.1 smtp-30.iol.local IP blacklisted by CSI. For remediation please use csi.cloudmark.com
    mailboxfull 5.2.2 552 RCPT TO:<bob@libero.it> Mailbox disk quota exceeded
    userunknown! 5.1.1 550 RCPT TO:<bob@libero.it> User unknown
    suspend 5.2.1 550 5.2.1 Casella sospesa. Mailbox suspended for inactivity
    mailboxfull 5.2.2 552 5.2.2 La casella del destinatario ha superato la quota
Mail.ru [mxs.mail.ru]
    userunknown! 5.0.0 550 Message was not accepted -- invalid mailbox. Local mailbox bob@mail.ru is unavailable: user
    suspend 5.0.0 550 Local mailbox bob@mail.ru is unavailable: account is disabled
    mailboxfull 5.0.0 552 Message was not accepted -- mailbox is full: user over quota
    spamdetected 5.0.0 550 spam message rejected. Please visit http://help.mail.ru/notspam-support/id?c=xx
    blocked 5.0.0 550 Access from ip address 192.0.2.1 blocked. Visit http://mail.ru/notspam/
    requireptr 5.0.0 550 We do not accept mail from hosts with dynamic IP or generic DNS PTR-records.
    authfailure 5.7.1 550 5.7.1 This message was not accepted due to domain owner DMARC policy (RFC 7489)
Yandex [mx.yandex.ru]
    spamdetected 5.7.1 554 5.7.1 Message rejected under suspicion of SPAM; https://ya.cc/1IrBc (Yandex)
    userunknown! 5.7.1 550 5.7.1 No such user! 1680000000-abc (in reply to RCPT TO command)
    mailboxfull 5.2.2 452 4.2.2 Mailbox size limit exceeded 1680000000-abc
    policyviolation 5.7.1 550 5.7.1 Policy rejection on the target address
    speeding 4.5.3 451 4.5.1 The recipient <bob@yandex.ru> has exceeded their message rate limit. Try again later.
QQ and Tencent [mx3.qq.com]
    userunknown! 5.0.0 550 Mailbox not found. http://service.mail.qq.com/cgi-bin/help?id=20022 (in reply to RCPT TO)
    speeding 5.0.0 550 Mailbox unavailable or access denied http://service.mail.qq.com (in reply to RCPT TO)
    toomanyconn 5.0.0 550 Ip frequency limited. http://service.mail.qq.com/cgi-bin/help?subtype=1
    speeding 5.0.0 550 Domain frequency limited. http://service.mail.qq.com/cgi-bin/help?subtype=1
    spamdetected 5.0.0 550 Mail content denied. http://service.mail.qq.com/cgi-bin/help?subtype=1
    filtered 5.0.0 550 Mail is rejected by recipients http://service.mail.qq.com
    spamdetected 5.0.0 550 Suspected spam ip http://service.mail.qq.com/cgi-bin/help
    rejected 5.0.0 550 Domain may not exist or DNS check failed http://service.exmail.qq.com
    authfailure 5.0.0 550 SPF check failed. http://service.mail.qq.com
NetEase [163mx01.mxmail.netease.com]
    spamdetected 5.0.0 554 DT:SPM 163 mx14,QMCowECp00,1, please see http://mail.163.com/help/help_spam_16.htm
    spamdetected 4.0.0 451 DT:SPM mx5, please try again
    blocked 4.0.0 450 DT:RBL 163 mx
    toomanyconn 4.0.0 421 HL:ICC 163 mx, http://mail.163.com/help/help_spam_16.htm
    speeding 4.0.0 421 HL:IFC 163 mx, http://mail.163.com/help/help_spam_16.htm
    badreputation 4.0.0 421 HL:REP 163 mx
    blocked 5.0.0 554 IP is rejected, smtp8, http://mail.163.com/help/help_spam_16.htm
    toomanyconn 4.0.0 450 RP:DRC mx3
    authfailure 5.0.0 550 MI:SPF mx12
    speeding 4.0.0 451 MI:SFQ mx8
    rejected 5.0.0 553 MI:SPB mx
    notcompliantrfc 5.0.0 554 DT:SUM 163 mx
    suspend 5.0.0 550 User suspended: bob@163.com
    userunknown! 5.0.0 550 User not found: bob@163.com (in reply to RCPT TO command)
    speeding 5.0.0 550 RP:TRC 163 mx
    userunknown! 5.0.0 550 Invalid User (in reply to RCPT TO command)
docomo, KDDI, SoftBank, Nifty, Biglobe [mfsmax.docomo.ne.jp]
    userunknown! 5.0.0 550 Unknown user bob@docomo.ne.jp (in reply to RCPT TO command)
    userunknown! 5.1.1 550 5.1.1 <bob@ezweb.ne.jp>: User Unknown
    mailboxfull 5.2.2 552 5.2.2 Mailbox is full (SoftBank)
    filtered 5.2.0 550 5.2.0 Mail rejected by recipient's setting
    mailboxfull 5.0.0 メールボックスの容量が超過しています
    userunknown! 5.1.1 550 宛先のメールアドレスは存在しません
Naver, Daum, Sina [mx1.naver.com]
    userunknown! 5.1.1 550 5.1.1 No such user - nsmtp
    blocked 4.3.2 421 4.3.2 Your ip blocked from this server 192.0.2.1 - nsmtp
    mailboxfull 5.2.2 552 5.2.2 Mailbox full. over quota - nsmtp
    toomanyconn 4.7.0 421 4.3.2 You exceeded maximum concurrent sessions from IP - nsmtp
    suspend 5.2.1 550 5.2.1 Dormant account. The user has not logged in
UOL, Terra, Locaweb [mx.uol.com.br]
    mailboxfull 5.2.2 552 5.2.2 Caixa postal cheia / mailbox full
    userunknown! 5.1.1 550 5.1.1 Usuário desconhecido <bob@uol.com.br>
    userunknown! 5.1.1 550 5.1.1 Destinatário não encontrado
Mimecast [eu-smtp-inbound-1.mimecast.com]
    userunknown! 5.0.0 550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550 (in reply to RCPT TO)
    rejected 5.0.0 550 Anti-Spoofing policy - Inbound not allowed. 550 Rejected by header based Anti-Spoofing policy
    authfailure 5.0.0 550 Rejected by DMARC policy: example.com. https://community.mimecast.com
    expired 4.0.0 451 Internal resource temporarily unavailable. Greylisting. https://community.mimecast.com
    policyviolation 5.0.0 554 Email rejected due to security policies. https://community.mimecast.com
    blocked 5.0.0 550 csi.mimecast.org Poor Reputation Sender. IP found on RBL list
Proofpoint, Barracuda, IronPort, Trend, Sophos, MessageLabs, FortiMail, Forcepoint
    blocked 5.7.1 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using Barracuda Reputation
    badreputation 5.0.0 554 Your access to this mail system has been rejected due to the sending MTA's poor reputation.
    blocked 5.7.1 550 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using Trend Micro RBL+.
    spamdetected 5.7.1 554 5.7.1 This message has been blocked because it contains FortiSpamBlock(Fortinet)
    spamdetected 5.7.1 550 5.7.1 This email was rejected because it violates our security policy. Found spam (Sophos)
    rejected 5.0.0 553-mail rejected because your IP is in the PBL 553 Sender address rejected: blocked by sender list
    userunknown! 5.1.1 550 5.1.1 <bob@example.org>: Recipient address rejected: Undeliverable address (ppe-hosted)
    badreputation 5.0.0 501 Connection rejected by policy [7.7] 38204, sender reputation too low (MessageLabs)
    expired 4.7.1 450 4.7.1 <bob@example.org>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch
    virusdetected 5.7.1 550 5.7.1 Virus detected by Forcepoint: Eicar-Test-Signature
GoDaddy, Rackspace, OVH, Zoho, Fastmail, Proton
    blocked 5.0.0 554 p3plibsmtp01 bizsmtp Connection refused. IB111 <http://x.co/srbounce>
    requireptr 5.0.0 554 p3plibsmtp bizsmtp Temporarily rejected. Reverse DNS for 192.0.2.1 failed. IB108
    toomanyconn 4.0.0 421 bizsmtp Temporarily rejected. Too many concurrent connections. IB007
    speeding 5.0.0 554 bizsmtp Message rejected. IB607a <http://x.co/rlbounce>
    rejected 5.0.0 550 sender address rejected. Domain of sender does not resolve IB504
    spamdetected 5.0.0 552 This message has been rejected due to content judged to be spam by the internet community
    suspend 5.0.0 550 5.1.1 account has been suspended by OVH
    spamdetected 5.7.1 554 5.7.1 Email cannot be delivered. Reason: Email detected as Spam by spam filters (Zoho)
    userunknown! 5.1.1 550 5.1.1 <bob@proton.me>: Recipient address rejected: Address does not exist
"""

SERVERS = """
Postfix
    userunknown! 5.1.1 550 5.1.1 <bob@example.org>: Recipient address rejected: User unknown in virtual mailbox table
    userunknown! 5.1.1 unknown user: "bob"
    hostunknown! 5.4.4 Host or domain name not found. Name service error for name=nowhere.example type=A: Host not found
    hostunknown! 5.1.2 550 5.1.2 <bob@nowhere.example>: Recipient address rejected: Domain not found
    systemerror 5.4.6 mail for example.org loops back to myself
    notaccept! 5.1.10 Domain example.org does not accept mail (nullMX)
    mesgtoobig 5.3.4 message size 26000000 exceeds size limit 10485760 of server mx.example.org[192.0.2.7]
    mailboxfull 5.2.2 cannot update mailbox /var/mail/bob for user bob. error writing message: Disk quota exceeded
    rejected 4.1.8 450 4.1.8 <alice@nowhere.example>: Sender address rejected: Domain not found
    norelaying 5.7.1 554 5.7.1 <bob@example.org>: Relay access denied
    securityerror 5.7.4 TLS is required, but was not offered by host mx.example.org[192.0.2.7]
    speeding 4.7.1 450 4.7.1 Error: too much mail from 192.0.2.1
    toomanyconn 4.5.3 452 4.5.3 Error: too many recipients
    expired 4.4.2 conversation with mx.example.org[192.0.2.7] timed out while receiving the initial server greeting
    networkerror 4.4.2 lost connection with mx.example.org[192.0.2.7] while sending RCPT TO
Exim
    userunknown! 5.0.0 550 Unrouteable address (in reply to RCPT TO command)
    hostunknown! 5.0.0 all relevant MX records point to non-existent hosts
    expired 5.0.0 retry timeout exceeded
    rejected 5.0.0 550 Verification failed for <alice@example.com> 550 Sender verify failed
    mailboxfull 5.0.0 mailbox is full (MTA-imposed quota exceeded while writing to /var/mail/bob)
    norelaying 5.0.0 550 relay not permitted
    expired 5.0.0 SMTP timeout after initial connection. Connection timed out
Sendmail
    hostunknown! 5.1.2 550 5.1.2 <bob@nowhere.example>... Host unknown (Name server: nowhere.example: host not found)
    networkerror 5.4.6 554 5.4.6 Too many hops 26 (25 max): from <alice@example.com> via mx.example.org
    networkerror 5.3.5 553 5.3.5 system config error: mail loops back to me (MX problem?)
    hasmoved! 5.1.6 551 5.1.6 User has moved to carol@example.net; please try <carol@example.net>
    norelaying 5.7.1 550 5.7.1 <bob@example.org>... Relaying denied. Proper authentication required.
    rejected 5.1.8 553 5.1.8 <alice@nowhere.example>... Domain of sender address alice@nowhere.example does not exist
    mailboxfull 5.2.2 550 5.2.2 <bob@example.org>... Mailbox full
qmail and Courier
    userunknown! 5.1.1 Sorry, no mailbox here by that name. (#5.1.1)
    norelaying 5.7.1 553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
    notaccept! 5.4.4 Sorry, I couldn't find a mail exchanger or IP address. (#5.4.4)
    hostunknown! 5.1.2 Sorry, I couldn't find any host named nowhere.example. (#5.1.2)
    networkerror 4.4.1 Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)
    networkerror 5.4.6 This message is looping: it already has my Delivered-To line. (#5.4.6)
    mailboxfull 5.2.2 maildir delivery failed: Sorry, the user's maildir has overdrawn his diskspace quota (#5.2.2)
Exchange on premises, Domino, GroupWise, Kerio, MDaemon, hMailServer, Zimbra, CommuniGate, OpenSMTPD, James
    userunknown! 5.1.1 550 5.1.1 User unknown. Bob (bob@example.org) not listed in Domino Directory
    userunknown! 5.0.0 550 No such recipient: GroupWise says no (in reply to RCPT TO command)
    userunknown! 5.1.1 550 5.1.1 Mailbox <bob@example.org> does not exist (Kerio Connect)
    userunknown! 5.0.0 550 <bob@example.org>, Recipient unknown (in reply to RCPT TO command)
    suspend 5.2.1 550 5.2.1 hMailServer: Mailbox disabled, not accepting messages
    mailboxfull 4.2.2 452 4.2.2 Over quota (Zimbra)
    userunknown! 5.1.1 550 bob@example.org unknown user account
    mailboxfull 5.2.2 552 bob@example.org has exceeded its storage (CommuniGate)
    mailboxfull 5.2.2 552 Le quota de stockage du destinataire est dépassé
    userunknown! 5.1.1 550 5.1.1 Adresse inconnue
    userunknown! 5.1.1 550 5.1.1 Utente sconosciuto
    mailboxfull 5.0.0 552 Почтовый ящик переполнен
    userunknown! 5.1.1 550 5.1.1 用户不存在
    spamdetected 5.7.1 571 5.7.1 Nachricht als Spam eingestuft
Answers without a command or a code, and in other languages
    userunknown! 5.0.0 550 Requested action not taken: user account is not exist
    userunknown! 5.0.0 553 sorry, this recipient is not in my validrcptto list (#5.7.1)
    userunknown! 5.0.0 550 this email address does not exist
    userunknown! 5.0.0 550 L'utente non esiste
    userunknown! 5.0.0 550 Benutzer unbekannt
    userunknown! 5.0.0 550 Mottagaren finns inte
    userunknown! 5.0.0 550 Nie ma takiego konta
    userunknown! 5.0.0 550 Taková schránka neexistuje
    userunknown! 5.0.0 550 用户不存在
    userunknown! 5.0.0 550 사용자를 찾을 수 없습니다
    userunknown! 5.0.0 550 Такого почтового ящика нет
    userunknown! 5.0.0 550 Usuario no encontrado
    mailboxfull 5.0.0 550 La casella di posta è piena
    mailboxfull 5.0.0 552 El buzón está lleno
    mailboxfull 5.0.0 552 message would exceed quota
    suspend 5.2.1 550 5.2.1 The mailbox that you tried to reach is disabled
    hostunknown! 5.4.4 DNS lookup failed: NXDOMAIN
    authfailure 5.7.26 550 5.7.26 words that nobody knows
    requireptr 5.7.25 550 5.7.25 words that nobody knows
    blocked 5.0.0 521 words that nobody knows
    undefined 5.0.0 551 words that nobody knows
    rejected 5.0.0 550 we do not accept mail from your domain
    blocked 5.1.3 553 http://www.spamhaus.org/query/bl?ip=192.0.2.1
    systemerror 4.4.1 450 4.4.1 The recipient's server was temporarily unavailable to accept your message
    syntaxerror 5.5.2 502 5.5.2 Error: command not recognized
    rejected 5.0.0 550 permanent failure for one or more recipients (bob@example.org:blocked)
"""
