"""By which words do servers say why, when the recipient is not in question? Asked after reason_words.py, same form."""

from __future__ import annotations

REFUSALS = """
filtered: filters of the recipient
    message filtered | rejected by filter | rejected by user | rejected by recipient | only accepting mail from
    not accepting mail from | blocked by recipient | recipient refuse | recipient has refused
    by the recipient's filter | user has blocked
    rejected by destination | rejected by the destination
    user refused to receive | message rejected by account | recipient has blocked | recipient * opted out
requireptr: nearly all
    reverse-dns | rdns | ptr lookup | cannot find your | can't find your | cannot resolve your
    mismatches client ip
    hostname verification | ip name lookup failed | fcrdns | reverse lookup | reverse ip | reverse hostname
    unresolvable relay host | missing ptr | dns ptr | ptr rr | fix reverse | reverse domain name | client host name
    forward-confirmed | generic ptr | no reverse | could not resolve your | unable to resolve your | reverse-lookup
notcompliantrfc: Google, Yahoo and strict servers
    rfc 5322 | rfc5322 | rfc 2822 | rfc2822 | rfc 822 | rfc 5321 | rfc5321 | non-rfc | not rfc | rfc compli
    bare lf
    bare <lf> | multiple addresses in from | duplicate header | missing required header | missing header
    header * missing | missing * header | invalid header | multiple * headers | header is not compliant
    no from header | malformed header | bare carriage | bare newline | bare cr | line too long | message-id header
badreputation: nearly all
    reputation | user complaints | sender score | senderscore | talosintelligence | senderbase | bad reput
rejected: nearly all, of the envelope sender
    sender is blocked | sender verify | sender verification | invalid sender | sender domain | bad sender
    sender block
    sender not allowed | backscatter | from address | sender unknown | unknown sender | sender address | sender's
    envelope sender | no mx record for | registered gateway user | your email address | administrative prohibition
    mail from domain | sending domain | rejected sender | mailfrom | return path | originator | reverse-path
    null sender | empty sender | spoof | unverified address | you are not allowed to send | sender is not
    from domain
    to accept mail from your domain | return address
spamdetected: nearly all
    - spam | is spam | as spam | spam detected | spam message | considered spam | probable spam | likely spam
    probably spam | be spam | possible spam | spam content | spam score | due to spam | unsolicited | ube, id
    spam filter | spam-like | like spam | contains spam | anti-spam | antispam | bulk mail | bulk email | junk mail
    spam mail | spam email | spam rejected | spamassassin | rejected spam | spammy | spam found | spam policy
    spamminess | spam: | spam, | spam) | spam. | spam level | spam or | spam engine | spam rule | this spam
    for spam
    spam-related | no spam | smells like | junkmail | phishing | spam report | spam signature | spam was | ube.
    of spam | detected spam | spam prevention | spam control | spam block
virusdetected: nearly all
    virus | malware | infected | trojan | worm | malicious
speeding: nearly all
    rate limit | rate-limit | ratelimit | sending too | too many messages | throttl | slow down
    too fast | too much mail | exceeded the rate | too many emails | mail flood | too many errors | sending limit
    too many mails | has exceeded its limit | daily limit | hourly limit | exceeded the limit | sending rate
    please try again slower | too quickly | limit on the number of | message rate | maximum send rate
    messages per | emails per hour | failures per hour
toomanyconn: nearly all
    too many recipients | too many connection | concurrent connection | connection frequency | simultaneous
    connection limit
    too many concurrent | number of connections | maximum connections | connection rate | too many sessions
    many smtp sessions | open connections | connections from your
contenterror: Amazon SES and strict servers
    message content rejected | mime error | improper use of 8-bit | unsupported mime | 8-bit data in message header
    bad mime | mime-version | unsupported content | invalid mime | malformed mime | too many "received"
    cannot be parsed
    too many 'received' | content error | conversion | headers too large | header too large
blocked: nearly all, of the sending host
    blocked using | blocklist | block list | blacklist | dnsbl | rbl. | rbl) | rbl: | (rbl | an rbl | in rbl
    spamhaus
    spamcop | barracudacentral | sorbs | client host rejected | client host blocked | is blocked | was blocked
    been blocked | ip blocked | address blocked | your isp | listed in | listed at | listed on | banned
    not allowed to connect | helo command rejected | bad helo | invalid helo | your ip | your host | your server
    not welcome | refused your connection | connection rejected | connections not accepted | black list | dynamic ip
    dial-up | dialup | residential | blocked by | temporarily blocked | temporarily deferred | client rejected
    rejected * connection | hostkarma | uceprotect | from your network | connection refused by policy
    listed by | blocked for | which is an open relay | connection refused by | mail server has been | abuse
    bad host | rejected by * rbl | blocked - | blocked; | intrusion prevention
policyviolation: Google, Yahoo and filters
    policy reasons | violates * policy | policy violation | for policy | local policy | security policies
    header error
    security policy | blocked content | content restrictions | attachment | prohibited content | message content
    mail policy | email policy | disallowed | potentially unsafe | due to policy | by policy | suspicious | violat
    this message was blocked | not conform | file type | executable | policy restriction | policy rejection
    by * policy
"""

# The way to the recipient, or the host behind it.
TROUBLES = """
networkerror: nearly all
    no route to host | host is unreachable | host unreachable | network is unreachable | network unreachable
    hop count
    too many hops | mail loop | routing loop | forwarding loop | message looping | lost connection
    connection refused | connection reset | network error | establish an smtp connection | dns lookup
    name service error | name server | unable to resolve | could not resolve | connection dropped | connection lost
    connection was dropped | dns error | dns failure | connection broken | could not connect and send
    dns records for the destination | loop detected | maximum hop | looping | network problem | cname lookup
    tls handshake | tls negotiation | remote protocol error | already been through | dns query | connection failed
    connection closed | connection error | hops exceeded | socket error code | winsock | routing problem | mx lookup
mailererror: local delivery by a program
    x-unix; | procmail | command died | command output | child process | mailer error | mail filter
    exited with | exit status
    returned * exit | exit code | local delivery agent | vdelivermail | maildrop | user defined signal | pipe:
systemfull: nearly all
    insufficient disk | insufficient system | insufficient storage | no space left | disk full | disk is full
    out of disk | system storage | not enough disk | not enough space | filesystem is full | storage full
securityerror: nearly all
    access denied | not authorized | not authorised | authentication required | notauthorized | starttls
    unauthorized
    permission denied | not permitted | not allowed | authentication failed | insecure | must authenticate
    authenticate
    does not have permission | not have permission | restricted | prohibited | encryption needed | must use tls
systemerror: nearly all
    internal system | internal error | internal server | configuration error | config error | currently unavailable
    ldap | could not load | system error | local error | local problem | does not support tls | out of memory
    service not available | service temporarily | service unavailable | temporary local | server error
    system config
    local configuration | can't create | cannot create | cannot open | unable to open | unable to contact
    temporary system | software error | can not open | i/o error | input/output error | backend | database
    mailbox locked | mailbox busy | lookup failure | server is busy | server busy | unable to write
    temporary failure
    internal problem | misconfigur | shutting down | process | unable to create | transaction failed
    insufficient permission | write error | queue file | loops back
expired: nearly all, when the queue gives up
    timed out | time out | timeout | in the queue too long | in queue too long | expired | giving up | given up
    for a long time | failing for | has been delayed | unable to deliver message after | unable to deliver in
    could not deliver for | unable to deliver this message after | not reachable | could not be delivered for
    could not connect | unable to connect | cannot connect | can't connect | did not respond | no answer | deferred
    not responding | did not accept our requests | retry time | attempts | gave up | host down | retried
    connect to
    being unable to connect | failed to connect | delayed | after * hours | was not collected | will be retried
    delay reason | couldn't connect | not delivered within | not yet been delivered | still being retried
    queue life
    too long | greylist | graylist | grey list | days | tried for | connect failed | not deliver * within
    temps imparti | zeit
filtered: KDDI, which says no more
    each of the following recipients was rejected by a remote
syntaxerror: a command that the server does not know
    syntax error | unrecognized command | command not recognized | command unrecognized
onhold: test systems
    on hold | held for | quarantine
"""
