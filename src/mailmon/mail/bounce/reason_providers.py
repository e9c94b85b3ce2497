"""By which words do single providers and products say why, that mean something else or nothing elsewhere?

A table as text: a line at the margin is a reason and who writes so, the lines below are the phrases, parted by `|`, in
lower case, `*` for any words between. They are asked first, in this order, of all that the notification says.
"""

from __future__ import annotations

PROVIDERS = """
filtered: KDDI, of which only the end of DATA is refused so
    550 : user unknown
filtered: MailFoundry, SurfControl, MX Logic, James at carriers and other gateways: they do not tell what was refused
    failed with: 5* no such user | failed to send to identified host * no such user
    a message that you have sent * unknown user | error message below: * no such user
    had delivery errors--- * [user unknown] | unable to deliver message to the following * [-9]
hostunknown: Sendmail, of its own question to a name server
    550 host unknown (authoritative | host unknown (name server
notaccept: Sendmail, of a null MX of the recipient's domain, with the code for that of the sender's
    550 host does not accept mail
notaccept: Google, of a null MX
    returned null mx
networkerror: Google, of a lookup that may succeed later
    dns error: * responded with code
filtered: Facebook, what the person has chosen
    rcp-p2 | rcp-p3 | due to recipient preferences
userunknown: Outlook.com, in answer to RCPT
    requested action not taken: mailbox unavailable (
userunknown: Orange, La Poste
    ofr_416 | lpn007_416 | ofr004_416
toomanyconn: Orange
    ofr_104 | ofr004_104 | ofr_109
rejected: Google Groups, in any language; Gmail's "send mail as"
    groups.google.com/support | the group you tried to contact | 'send mail as' feature | groups/bin/answer
policyviolation: Google, of dangerous attachments
    its content presents a potential
speeding: Google, of a busy recipient
    receiving mail at a rate | receiving mail too quickly | unusual rate of unsolicited mail
badreputation: Google, Yahoo, Outlook.com
    very low reputation | due to ip reputation | unexpected volume or user complaints | reputation of the sending
requireptr: Google, 1&1 and GMX (which say "no SMTP service" too)
    regarding ptr records | bad dns ptr | ptr resource record
blocked: 1&1 and GMX
    ip address is block listed | ip address is blocklisted | ip address is blacklisted
policyviolation: 1&1 and GMX
    reject due to policy restrictions
userunknown: Exchange Online, edge blocking by its directory
    5.4.1 [*recipient address rejected: access denied | 5.4.1 recipient address rejected: access denied
rejected: Exchange Online behind a relay
    all recipient addresses rejected : access denied
blocked: Outlook.com
    on our block list | banned sending ip | banned sender | unfortunately, messages from
    traffic not accepted from this ip | (s3140) | (s3150)
spamdetected: Exchange Online and on premises
    rejected as spam by content filtering | message rejected as spam | high confidence phish
policyviolation: Exchange transport rules
    transport.rules.reject | rejected by organization policy | rejected by the organization's policy
securityerror: Exchange, who may write to a group or a person
    resolver.rst.authrequired | resolver.rst.notauthorized | authentication required; restricted | rst.rcptauth
    you don't have permission to send to | not allowed to send to this | only accepts messages from people
userunknown: Exchange resolver and store
    recipnotfound | recipientnotfound | resolver.adr.ex | not found by smtp address lookup | resolver.adr.invalid
    unknown recipient or mailbox | x-msexch-unknown
hostunknown: Exchange
    nonexistentdomain | nonexistent domain | non-existent domain | dns.nonexist
suspend: Exchange store
    accountdisabled | mailboxdisabled
mailboxfull: Exchange store
    shutoffquotaexceeded | storedrv*quota | mapiexception*quota
exceedlimit: Exchange, a limit of this person
    recipsizelimit | sendsizelimit
expired: Exchange Online and Amazon SES, when the queue gives up
    message expired | queue.expired
userunknown: Domino (in English and Japanese), Exchange 2003, IMail, mobile carriers: no other meaning
    not listed in * directory | not listed in public name | recipient name is not recognized
    invalid final delivery
    address you entered couldn't be found | no valid recipients for this | wasn't found at | (000c05a6)
    mail.local: unknown | リストにありません
notaccept: qmail, a domain without any host for mail
    couldn't find a mail exchanger
userunknown: MessageLabs
    542 * rejected
suspend: KDDI and other Japanese carriers
    the user(s) account is disabled | the user(s) account is temporarily
mailboxfull: Japanese carriers
    number of messages in recipient's mailbox exceeded | too many messages in the mailbox
filtered: Amazon SES for incoming mail: a rule answers so, whether or not there is such a person
    inbound-smtp.*mailbox does not exist
toomanyconn: Spectrum and its kin behind Cloudmark
    aup#in-1310 | aup#i-1310 | aup#o-1310
blocked: Cox, Spectrum and others behind Cloudmark
    sender rejected * aup | aup#
blocked: Orange, SFR, Free
    ofr_999 | spam.refused | please use the smtp server of your isp
suspend: La Poste, Orange
    recipient account is blocked | recipient account is suspended | ofr_426
toomanyconn: Tencent
    connection frequency limited | ip frequency limited
speeding: Tencent, GoDaddy, Comcast
    domain frequency limited | sender frequency limited | sent to too many recipients | rl000001
spamdetected: Tencent, Netease, Orange
    ofr_506 | ofr004_506 | lpn007_506 | suspected spam | mail content denied | suspected bounce attack
blocked: Yahoo
    [tss09] | [tss11] | [bl21] | [bl23] | [gl01] | permanently deferred
suspend: Yahoo
    account has been disabled or discontinued | this mailbox is disabled
virusdetected: Mimecast
    mcspamsignature | security policies - mc | virus signature
policyviolation: Mimecast, Apple, Trend Micro
    content examination policy | envelope blocked | anti-spoofing | due to local policy
    email rejected due to security policies
blocked: Proofpoint, Symantec, Barracuda, Cloudmark
    proofpoint.com/dnsbl | ipcheck.proofpoint | blocked - see http | barracudanetworks.com/reputation
    csi.cloudmark.com
    spamhaus.org/query | spamhaus.org/sbl | query/bl?ip= | /rbl/?ip= | sorbs.net
norelaying: Amazon SES
    email address is not verified
blocked: free relays and carriers
    daily relay quota | invalid ip for sending
policyviolation: mailing list managers (fml, Mailman)
    you are not a member | not a subscriber | non-member | post by non-member
mailererror: local delivery by a program (procmail, vdelivermail, maildrop)
    pipe to | | command died with status | child process of | |ifs= | procmail -f | exec /usr/local/bin/procmail
    unknown mailer error
"""
