"""By which words and codes does a single provider say why, where its own name stands beside them?

A row is the signs of a provider, parted by `|`, one of which must stand in the answer or the names of the hosts, and a
table as in reason_providers.py. Asked before all other tables, so that short codes can be phrases here.
"""

from __future__ import annotations

HOSTS: tuple[tuple[str, str], ...] = (
    (
        "gsmtp | google | gmail",
        """
authfailure: Gmail, of SPF, DKIM, DMARC and their alignment, also while it only slows down (5.7.26, .27, .30, .32, .40)
    dkim does not pass | spf does not pass | isn't aligned with | sender is unauthenticated | unauthenticated email from
    doesn't have a dmarc | spf record of the sending domain | dkim authentication didn't pass
    spf authentication didn't pass | dkim authentication information
securityerror: Gmail, of TLS (5.7.29) and of logins at its relay
    was not encrypted with tls | message wasn't sent over a tls | wasn't encrypted | must issue a starttls
    application-specific password | username and password not accepted | web login required | log in with your web
norelaying: Google Workspace, its relay
    mail relay denied | credentials for relay | invalid relay
blocked: Gmail, of a host that may not send at all
    the ip you're using to send mail is not authorized | not authorized to send email directly
    was blocked from sending | your ip has been temporarily blocked | is on one or more blocklists
rejected: Google Workspace, rules of a domain or group
    has a policy that prohibited the mail | does not have permission to post | you do not have permission to post
    group * may not exist | don't have permission to post | does not accept messages from
speeding: Gmail, limits of a sender or a recipient in a time
    daily user sending | daily sending quota | you have reached a limit for sending | sending limit exceeded
    mail sending quota | unusual rate of | is receiving too many | smtp relay limit | exceeded its mail quota
    too many messages to | number of messages sent | has been rate limited | temporarily rate limited
badreputation: Gmail
    very low reputation | low reputation of the sending | poor domain reputation | poor reputation
spamdetected: Gmail
    likely unsolicited mail | likely suspicious | suspicious links | unsolicited * messages | likely spam
    message that you sent * spam
policyviolation: Gmail, of attachments and links
    potential security issue | file types * blocked
contenterror: Gmail, of MIME and of headers beyond its limits (5.6.0)
    header size exceeded | received header fields | header fields count exceeded | mail header exceeded
    message exceeded the * header | too many parts
notcompliantrfc: Gmail, of From, Message-ID, Date and the like
    is not rfc 5322 compliant | not compliant with rfc 5322 | valid address in the from | missing a valid message-id
    multiple from | messages missing a valid
mailboxfull: Gmail
    p=overquota
hostunknown: Gmail, composing
    weren't able to find the recipient domain
userunknown: Gmail
    nosuchuser | account that you tried to reach does not exist
    account that you tried to reach was not found
suspend: Gmail
    disableduser | inactiveuser | account that you tried to reach is disabled | account that you tried to reach is inact
mesgtoobig: Gmail
    message size limits | maxsizeerror
""",
    ),
    (
        "outlook.com | office365 | microsoft | hotmail | prod.exchangelabs | aka.ms",
        """
hostunknown: Exchange Online
    infodomainnonexistent | domain * does not exist [message
networkerror: Exchange Online, of DNS that does not answer
    dns query failed | dnsconnectorsettings | error resolving
expired: Exchange Online, when the queue gives up on a host that does not answer
    message expired
authfailure: Exchange Online and Outlook.com
    doesn't meet the required authentication | does not meet the authentication level | failed composite authentication
    sender policy framework violation | 5.7.515 | 5.7.509
badreputation: Outlook.com and Exchange Online
    due to ip reputation | 4.7.650 | 4.7.651
blocked: Outlook.com and Exchange Online, codes in brackets behind the words
    (s775 | (s777 | (s844 | (s315 | (s314 | (s311 | blocked using customer block list
    traffic not accepted | part of their network is on our block list | spam abuse detected from ip range
    banned sending ip | access denied, banned
spamdetected: Exchange Online, outgoing spam
    bad outbound sender | as(42004) | as(42003) | message rejected as spam | suspected of sending spam
speeding: Exchange Online, limits of a tenant, a sender or a recipient
    tenant has exceeded threshold | submission quota exceeded | message receive limit | exceeded threshold
    recipientlimit | can't be sent because you've exceeded | exceeded the maximum * rate | recipient rate limit
    exceeds the recipient rate | over the * recipient rate | per hour
toomanyconn: Exchange Online, sessions
    concurrent connections limit | concurrent connections has exceeded | throttled due to concurrent
norelaying: Exchange Online
    tenantattribution | relay access denied
securityerror: Exchange Online, who may write, and how
    not authenticated to send | sendernotauthenticatedforgroup | restrictedtorecipients | notauthorizedto
    requires that the sender be authenticated | must be authenticated | smtpclientauthentication is disabled
""",
    ),
    (
        "yahoo | aol.com | oath.com",
        """
userunknown: Yahoo and AOL, at the end of DATA too
    this user doesn't have a | mailbox does not exist | mailbox not found | does not have a yahoo
suspend: Yahoo and AOL
    mailbox is disabled | has been disabled or discontinued | mailbox disabled | account is inactive
authfailure: Yahoo and AOL
    sender is unauthenticated | not pass authentication | authentication checks | 5.7.9 * dmarc | ar18
badreputation: Yahoo and AOL, complaints
    [tss04] | unexpected volume | user complaints | [tss05] | [tss06]
blocked: Yahoo and AOL, block lists and deferred hosts
    [ts01] | [ts02] | [ts03] | [tss0 | [tss1 | [bl2 | [gl0 | [ip0 | permanently deferred | rly:bl | rly:bd | hvu:b1
    rtr:bl | rtr:bb | rtr:ge | (con:b1) | con:b1
requireptr: AOL
    rtr:rd | dnt:nr | [dnt:
policyviolation: Yahoo and AOL
    [ph01] | not accepted for policy reasons | rtr:cs
spamdetected: AOL
    hvu:b2 | cdt:b
toomanyconn: Yahoo and AOL
    [con0 | too many concurrent | con:n1 | max message per connection reached
speeding: AOL
    dyn:t1 | dyn:t2 | snd:t1 | rtr:sc
""",
    ),
    (
        "icloud | apple | mac.com",
        """
userunknown: Apple
    user does not exist
authfailure: Apple
    dmarc policy | failed authentication
speeding: Apple
    excessive volume | too many messages
policyviolation: Apple
    [cs0 | [hm0 | [hme | due to local policy
blocked: Apple
    present in the spamhaus | blocked - see
""",
    ),
    (
        "comcast | xfinity",
        """
requireptr: Comcast
    ptr1 | ptr000 | must have a ptr | reverse dns failure
blocked: Comcast, block lists, dynamic addresses
    bl000 | bl001 | es000 | found on one or more dnsbls | comcast block for spam | sender rejected
speeding: Comcast
    rl000 | rl001 | throttled
toomanyconn: Comcast
    too many sessions
suspend: Comcast
    account not available | account is not available
userunknown: Comcast
    not our customer
""",
    ),
    (
        "aup#",
        """
requireptr: Cox
    aup#cxdns
toomanyconn: Spectrum and Cox, sessions at once
    aup#in-1340 | aup#i-1340 | aup#o-1340 | aup#cxcnct | aup#in-1310 | aup#i-1310 | aup#o-1310
speeding: Spectrum, too many messages or failures in a time; Cox
    aup#cxmxrt | aup#cxthrt | aup#1320 | aup#1330 | aup#in-1320 | aup#i-1320 | aup#in-1330 | aup#i-1330 | aup#in-135
    aup#i-135 | aup#in-136 | aup#i-136 | aup#in-137 | aup#i-137 | aup#in-138 | aup#i-138 | aup#in-139 | aup#i-139
spamdetected: Spectrum and Cox, of the content
    aup#cxspam | aup#out-15 | aup#in-15 | aup#i-15 | aup#o-15 | aup#15
blocked: Cox and Spectrum, of the host
    aup#cdrbl | aup#cxbl | aup#ipbl | aup#in-10 | aup#i-10 | aup#urlbl
rejected: Cox, of the sender's domain or account
    aup#cxsndr | aup#cxmj
""",
    ),
    (
        "prodigy.net | bellsouth | att.net",
        """
blocked: AT&T and BellSouth
    dnsbl: | _is_blocked | attrbl | messages are not accepted from | abuse_rbl
""",
    ),
    (
        "verizon",
        """
blocked: Verizon
    is currently blocked by verizon | blocked by verizon
userunknown: Verizon
    unknown or illegal alias
""",
    ),
)
