"""What large providers answer, and why: self-written after their documented wording.

A line at the margin names who answers and, in brackets, from which host; the others are the reason, with `!` where it
is hard, the status field and the words.
"""

from __future__ import annotations

from typing import NamedTuple


class Answer(NamedTuple):
    reason: str
    is_hard: bool
    status: str
    words: str
    host: str


PROVIDERS = """
Gmail [gmail-smtp-in.l.google.com]
    userunknown! 5.1.1 550-5.1.1 The email account that you tried to reach does not exist. NoSuchUser x1si - gsmtp
    hostunknown! 5.1.2 553-5.1.2 We weren't able to find the recipient domain. Please check for any spelling errors
    userunknown! 5.1.3 553-5.1.3 The recipient address <bob.> is not a valid RFC-5321 address.
    suspend 5.2.1 550-5.2.1 The email account that you tried to reach is disabled. p=DisabledUser - gsmtp
    suspend 5.2.1 550-5.2.1 The email account that you tried to reach is inactive. p=InactiveUser - gsmtp
    speeding 4.2.1 450-4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional
    speeding 5.2.1 550-5.2.1 The user you are trying to contact is receiving mail too quickly. p=ReceivingRate - gsmtp
    mailboxfull 4.2.2 452-4.2.2 The recipient's inbox is out of storage space and inactive. p=OverQuotaTemp - gsmtp
    mailboxfull 5.2.2 552-5.2.2 The email account that you tried to reach is over quota. p=OverQuotaPerm - gsmtp
    mesgtoobig 5.3.4 552-5.3.4 Your message exceeded Google's message size limits. p=MaxSizeError - gsmtp
    speeding 4.7.28 421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address.
    speeding 5.4.5 550-5.4.5 Daily user sending limit exceeded. support.google.com/a/answer/166852 - gsmtp
    requireptr 4.7.23 421-4.7.23 The IP address sending this message does not have a PTR record setup
    authfailure 5.7.26 550-5.7.26 Unauthenticated email from example.com is not accepted due to domain's DMARC policy.
    authfailure 4.7.32 421-4.7.32 Your email's From: header isn't aligned with the authenticated SPF or DKIM domain.
    authfailure 5.7.30 550-5.7.30 This mail has been blocked because DKIM does not pass. Gmail requires it
    authfailure 5.7.27 550-5.7.27 This mail has been blocked because SPF does not pass. Gmail requires all large senders
    securityerror 5.7.29 550-5.7.29 This mail has been blocked because the connection was not encrypted with TLS
    notcompliantrfc 5.7.1 550-5.7.1 This message is not RFC 5322 compliant. There are multiple Subject headers.
    badreputation 5.7.1 550-5.7.1 This message is likely suspicious due to the very low reputation of the sending domain
    spamdetected 5.7.1 550-5.7.1 Our system has detected that this message is likely unsolicited mail.
    policyviolation 5.7.0 552-5.7.0 This message was blocked because its content presents a potential security issue.
    norelaying 5.7.0 550-5.7.0 Mail relay denied [192.0.2.1]. Invalid credentials for relay for one of the domains
    blocked 5.7.1 550-5.7.1 The IP you're using to send mail is not authorized to send email directly to our servers.
    systemerror 4.3.0 451-4.3.0 Mail server temporarily rejected message. p=TempFail - gsmtp
    rejected 5.7.1 550-5.7.1 The user or domain that you are sending to (or from) has a policy that prohibited the mail
Exchange Online and Outlook.com [example-org.mail.protection.outlook.com]
    userunknown! 5.1.10 550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient bob@example.org not found by SMTP address
    userunknown! 5.4.1 550 5.4.1 Recipient address rejected: Access denied. For more information see https://aka.ms/EXOx
    userunknown! 5.5.0 550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302). (in reply to RCPT TO)
    hostunknown! 5.4.310 550 5.4.310 DNS domain example.org does not exist [Message=InfoDomainNonexistent]
    notaccept! 5.1.10 556 5.1.10 Recipient address has null MX
    networkerror 5.4.312 550 5.4.312 Message expired, DNS query failed(ErrorTimeout)
    expired 4.4.316 450 4.4.316 Connection refused [Message=Socket error code 10061] Message expired
    mailboxfull 5.2.2 554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoff
    mesgtoobig 5.3.4 552 5.3.4 Message size exceeds fixed maximum message size
    exceedlimit 5.2.3 550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient
    securityerror 5.7.133 550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required
    securityerror 5.7.124 550 5.7.124 RESOLVER.RST.RestrictedToRecipientsPermission; not authorized for the group
    norelaying 5.7.64 550 5.7.64 TenantAttribution; Relay Access Denied SMTP.
    blocked 5.7.606 550 5.7.606 Access denied, banned sending IP [192.0.2.1]. To request removal from this list
    blocked 5.7.1 550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. part of their network (S3140).
    blocked 5.7.511 550 5.7.511 Access denied, banned sender[192.0.2.1]. forward it to delist@microsoft.com
    blocked 5.7.708 550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP.
    blocked 4.7.500 451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77714)
    badreputation 4.7.650 451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP
    authfailure 5.7.509 550 5.7.509 Access denied, sending domain [example.com] does not pass DMARC verification
    authfailure 5.7.515 550 5.7.515 Access denied, sending domain example.com does not meet the authentication level.
    authfailure 5.7.23 550 5.7.23 The message was rejected because of Sender Policy Framework violation
    notcompliantrfc 5.7.512 550 5.7.512 Access denied, message must be RFC 5322 section 3.6.2 compliant
    spamdetected 5.7.1 550 5.7.1 Message rejected as spam by Content Filtering.
    spamdetected 5.1.8 550 5.1.8 Access denied, bad outbound sender AS(42004)
    speeding 5.7.705 550 5.7.705 Access denied, tenant has exceeded threshold.
    speeding 5.2.2 550 5.2.2 Submission quota exceeded for this sender
    networkerror 5.4.14 554 5.4.14 Hop count exceeded - possible mail loop detected on message
    policyviolation 5.7.1 550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy
    speeding 5.2.121 550 5.2.121 Recipient's per hour message receive limit from specific sender exceeded.
    systemerror 5.3.5 550 5.3.5 System incorrectly configured
    userunknown! 5.1.351 550 5.1.351 Remote server returned unknown recipient or mailbox unavailable
Yahoo and AOL [mta5.am0.yahoodns.net]
    userunknown! 5.0.0 554 delivery error: dd This user doesn't have a yahoo.com account (bob@yahoo.com) [0]
    userunknown! 5.0.0 554 30 Sorry, your message to bob@aol.com cannot be delivered. This mailbox does not exist
    suspend 5.0.0 554 30 Sorry, your message to bob@yahoo.com cannot be delivered. This mailbox is disabled (554.30).
    mailboxfull 5.2.2 552 5.2.2 bob@yahoo.com is over quota
    badreputation 4.7.0 421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume
    blocked 4.7.1 421 4.7.1 [TS03] All messages from 192.0.2.1 will be permanently deferred; Retrying will NOT succeed.
    policyviolation 5.7.9 554 5.7.9 Message not accepted for policy reasons. See
    policyviolation 5.7.1 554 5.7.1 [PH01] Message not accepted for policy reasons.
    blocked 5.7.1 553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list
    authfailure 5.7.5 554 5.7.5 550 5.7.9 This mail has been blocked because the sender is unauthenticated.
    authfailure 5.7.9 554 5.7.9 AR18: This message does not pass authentication checks (SPF and DKIM both do not pass).
    toomanyconn 4.7.0 421 4.7.0 [CON04] Too many concurrent SMTP connections from 192.0.2.1; please wait
    userunknown! 5.1.1 550 5.1.1 <bob@aol.com>: Recipient address rejected: aol.com
iCloud [mx01.mail.icloud.com]
    userunknown! 5.1.1 550 5.1.1 <bob@icloud.com>: user does not exist
    suspend 5.1.1 550 5.1.1 <bob@icloud.com>: inactive email address
    mailboxfull 5.2.2 552 5.2.2 <bob@icloud.com>: user is over quota
    policyviolation 5.7.1 554 5.7.1 [HM08] Message rejected due to local policy.
    authfailure 5.7.1 550 5.7.1 Your message was rejected due to example.com's DMARC policy.
    speeding 4.7.1 421 4.7.1 Messages to bob@icloud.com deferred due to excessive volume. Try again later
    blocked 5.7.0 550 5.7.0 Blocked - see https://support.proofpoint.com/dnsbl-lookup.cgi?ip=192.0.2.1
Comcast [mx1.mxge.comcast.net]
    userunknown! 5.1.1 550 5.1.1 Not our Customer
    suspend 5.2.1 550 5.2.1 Account not available
    blocked 5.0.0 554 imta13.comcast.net comcast 192.0.2.1 found on one or more DNSBLs, see http://xfinity.com/BL000001
    blocked 5.2.0 550 5.2.0 192.0.2.1 Comcast block for spam. Please see http://postmaster.comcast.net/BL000000
    requireptr 5.0.0 554 imta02.comcast.net comcast 192.0.2.1 Comcast requires that all mail servers must have a PTR1
    speeding 4.1.0 421 4.1.0 192.0.2.1 Throttled - try again later. Please see http://postmaster.comcast.net/RL000001
    toomanyconn 4.0.0 421 resimta comcast Too many sessions opened
Charter and Spectrum [mx0.charter.net]
    blocked 5.0.0 550 cmsmtp blocked. E110: Your IP address was found on a block list. AUP#I-1010
    speeding 4.0.0 421 cmsmtp 192.0.2.1 server temporarily unavailable AUP#I-1390
    toomanyconn 4.0.0 421 cmsmtp 192.0.2.1 Try again later, too many. AUP#In-1340
    spamdetected 5.7.1 550 5.7.1 Message content rejected. AUP#Out-1500
    blocked 5.3.2 554 dnvrco-cmimta15 esmtp ESMTP server not available AUP#I-1010
Cox [cxr.mx.a.cloudfilter.net]
    blocked 5.0.0 554 eastrmimpi cox 192.0.2.1 blocked. Refer to Error Codes section at cox.com. AUP#CXBL
    blocked 5.0.0 554 cox rejected. AUP#IPBL0001
    requireptr 5.0.0 554 cox too many. Refer to Error Codes section. AUP#CXDNS
    speeding 4.0.0 421 cox Try again later. AUP#CXMXRT
    toomanyconn 4.0.0 421 cox Try again later. AUP#CXCNCT
    rejected 5.1.0 550 5.1.0 <alice@example.com> sender rejected. AUP#CXSNDR
    spamdetected 5.2.0 552 5.2.0 message rejected. AUP#CXSPAM
AT&T and BellSouth [al-ip4-mx-vip1.prodigy.net]
    blocked 5.3.0 553 5.3.0 flpd587 DNSBL:RBL 521< 192.0.2.1 >_is_blocked. Forward this error to abuse_rbl@abuse-att.net
    userunknown! 5.1.1 550 5.1.1 <bob@att.net>... User unknown
    blocked 5.0.0 521 5.0.0 messages are not accepted from 192.0.2.1: DNSBL:ATTRBL
Verizon [relay.verizon.net]
    blocked 5.0.0 571 Email from 192.0.2.1 is currently blocked by Verizon Online's anti-spam system.
    userunknown! 5.0.0 550 4.2.1 mailbox temporarily disabled: bob@verizon.net 550 5.1.1 unknown or illegal alias
Orange, La Poste, SFR, Free [smtp-in.orange.fr]
    userunknown! 5.1.1 550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]
    blocked 4.0.0 421 mwinf5c04 ME Service refuse. Veuillez essayer plus tard. OFR_999 [999]
    toomanyconn 4.0.0 421 mwinf5c10 ME Trop de connexions, veuillez verifier votre configuration. OFR004_104 [104]
    spamdetected 5.7.1 550 5.7.1 mwinf Mail rejete. Mail rejected. OFR_506 [506]
    mailboxfull 5.2.2 552 5.2.2 Boite du destinataire pleine. Recipient overquota. OFR_417 [417]
    suspend 5.5.0 550 5.5.0 Boite aux lettres bloquee. Recipient account is blocked. LPN007_426
    rejected 5.1.0 501 5.1.0 Emetteur invalide. Invalid Sender. OFR004_405 [405]
    blocked 5.7.1 554 5.7.1 Client host rejected: spam.refused; Please use the smtp server of your ISP.
    speeding 4.0.0 421 Too many spams from your IP (192.0.2.1), please visit http://postmaster.free.fr/
"""


def read(table: str) -> list[Answer]:
    """Return the answers of a table."""
    found, host = [], ""
    for line in table.strip().split("\n"):
        if not line.startswith(" "):
            host = line.rpartition("[")[2].rstrip("]") if line.endswith("]") else ""
            continue
        reason, status, words = line.split(maxsplit=2)
        found.append(Answer(reason.rstrip("!"), reason.endswith("!"), status, words, host or "mx.example.org"))
    return found
