"""Replies to a foreign recipient of real servers: relaying refused, or the client."""

from __future__ import annotations

import pytest

from mailmon.mail.relaying import Asked, Refused, what_is_refused
from mailmon.mail.reply import Reply

ASKED = Asked("[203.0.113.9]", "a@example.net")
REPLIES = {
    "relaying": """
        450 4.7.1 we do not relay
        550 This mail server is not an open relay
        551 5.7.1 we're no open relay for 203.0.113.9
        550 Sorry, we don't accept mail for example.com
        550 5.1.2 We do not accept email for that domain
        550 example.com is not a domain we handle
        550 We don't host this domain
        553 sorry, relaying denied from your location [203.0.113.9] (#5.7.1)
        550 No such domain at this location (b@example.com)
        454 relaying mail to example.com is not allowed
        550 5.7.0 Local delivery only
        550 5.7.1 Mail for example.com is not handled here
        550 we do not deliver to example.com
        553 5.7.1 Recipient domain not in my list
        530 5.7.0 Must issue an AUTH command first
        503 AUTH first (#5.5.1)
        550 Domain not accepted
        550 5.7.1 Anonymous users cannot send to remote addresses
        554 5.7.1 <b@example.com>: Relay access denied
        454 4.7.1 <b@example.com>: Relay access denied
        550 relay not permitted
        550-mail.example.net [203.0.113.9]:4122 is currently not permitted to relay through this server
        550 5.7.1 <b@example.com>... Relaying denied
        550 5.7.1 <b@example.com>... Relaying denied. IP name lookup failed [203.0.113.9]
        550 5.7.1 <b@example.com>... Relaying denied. Proper authentication required.
        513 Relaying denied.
        553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
        553 sorry, that domain isn't allowed to be relayed thru this MTA (#5.7.1)
        550 5.7.1 Unable to relay for b@example.com
        550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain
        554 5.7.64 TenantAttribution; Relay Access Denied [x.prod.protection.outlook.com]
        550 I cannot deliver mail for {b@example.com}
        503 5.7.1 Relay not allowed
        550 5.1.2 Relay not allowed.
        571 5.7.1 we do not relay
        553 We do not relay non-local mail, sorry.
        551 5.7.1 we don't relay mail for strangers
        554 Relay rejected for policy reasons.
        550 5.7.1 Relaying to <b@example.com> denied (authentication required)
        550 Relaying is not allowed
        550 5.7.0 Relaying prohibited
        503 This mail server requires authentication when attempting to send to a non-local e-mail address.
        530 SMTP authentication is required.
        530 5.7.0 Authentication required
        530 5.7.1 Client was not authenticated
        550 Delivery is not allowed to this address.
        551 User not local; please try <b@example.com>
        551 5.7.1 Forwarding to remote hosts disabled
        550 not local host example.com, not a gateway
        550 5.7.1 This server does not relay
        550-Please turn on SMTP Authentication in your mail client.
        550 You must authenticate to use this server as a relay
        501 5.7.1 No such domain at this location
        550 5.1.2 not accepting mail for this domain
        550 not accepting email for this domain
        554 5.7.1 <b@example.com>: Recipient address rejected: not a local domain
        554 5.7.1 You are not allowed to relay through this server
        550 5.7.1 Mail relay denied
        553 5.7.1 relaying mail to example.com is not allowed
        550 #5.7.1 relay denied
        554 mail server permanently rejected message: relaying blocked
        550 5.7.1 b@example.com: we will not relay for you
        550 Unauthenticated relaying not permitted
        554 5.7.1 <b@example.com>: Recipient address rejected: Relaying is forbidden
        550 relaying mail refused
        550 5.7.1 Domain example.com is not handled by this server
        550 5.1.1 <b@example.com>: no such domain hosted here
        553 5.1.2 We do not host that domain
        530 5.7.0 Must log in first
        550 5.7.1 Command rejected, please login
        550 Remote delivery requires authentication
        550 5.7.367 Remote server returned not permitted to relay
        454 4.7.1 relaying denied
        450 4.7.1 <b@example.com>: Relay access denied
        550 5.7.1 Sorry, relaying is not permitted from your IP
        550 5.7.1 This system is not configured to relay mail from 203.0.113.9 to example.com for a@example.net
        550 5.7.1 this server doesn't allow relaying
        551 we do not accept relay mail
        550 5.7.1 relaying not permitted: authenticate first
        554 5.7.1 example.com: domain is not local
        550 5.7.1 SMTP relay attempt rejected
        473 b@example.com relaying prohibited. You should authenticate first
        550 You must authenticate to relay
        553 5.3.0 Relaying forbidden
        554 5.7.1 Delivery to remote domains requires authentication
    """,
    "client": """
        550 5.7.1 We do not accept mail from dynamic IPs
        550 #5.7.1 Your access to submit messages to this e-mail system has been rejected.
        550 5.7.1 Fix reverse DNS for 203.0.113.9
        554 5.7.0 Reject, id=123 - BAD REPUTATION
        451 4.7.1 Relaying temporarily denied. Cannot resolve PTR record for 203.0.113.9
        554 5.7.1 Service unavailable; Client host [203.0.113.9] blocked using zen.spamhaus.org
        550 5.7.1 Recipient not authorized, your IP has been found on a block list
        554 5.7.1 <unknown[203.0.113.9]>: Client host rejected: Access denied
        450 4.7.1 Client host rejected: cannot find your hostname, [203.0.113.9]
        550 5.7.25 Client host rejected: cannot find your reverse hostname, [203.0.113.9]
        550 5.7.1 Mail from 203.0.113.9 refused by blackhole site bl.example
        550 5.7.1 Mail from your open relay at 203.0.113.9 refused, see http://lists.example
        550 5.7.1 203.0.113.9 is an open relay
        550-203.0.113.9 is listed at bl.spamcop.net
        554 5.7.1 ACL dns_rbl; Client host [203.0.113.9] blocked using bl.mailspike.net
        550 5.7.1 Access denied, IP reputation too low
        554 Your access to this mail system has been rejected due to the sending MTA's poor reputation.
        550 5.7.606 Access denied, banned sending IP [203.0.113.9]
        550 relay denied: 203.0.113.9 listed in zen.spamhaus.org
        421 4.7.0 Too many connections from 203.0.113.9
        550 5.7.1 Dynamic IP addresses are not allowed to send mail here
        550 Your country is not allowed to connect to this server
        550 5.7.1 Go away, you are a dialup
        550 5.7.1 Connection refused: no reverse DNS for your address
        554 5.7.1 You are not allowed to connect.
        554 5.7.1 Connection from generic rDNS refused
        550 High probability of spam from your IP
        550 mail from 203.0.113.9 is not wanted
        550 5.7.1 Blocked by geoip
        550 SC-001 (BAY0-MC1-F1) Unfortunately, messages from 203.0.113.9 weren't sent.
        554 5.7.1 The server sending your mail [203.0.113.9] does not have a reverse DNS entry
        554 Blocked - see https://ipcheck.proofpoint.com/?ip=203.0.113.9
        553 5.3.0 Spam blocked see: http://spamcop.net/bl.shtml?203.0.113.9
    """,
    "helo": """
        550 Faked HELO as mx1.firm.example
        550 5.7.1 Sorry, your helo has been denied
        504 5.5.2 <mail>: Helo command rejected: need fully-qualified hostname
        550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)
        501 Syntactically invalid EHLO argument(s)
        550 5.7.1 <[203.0.113.9]>: Helo command rejected: no address literals
        450 4.7.1 <mail>: Helo command rejected: Host not found
        550 Bad HELO - Host impersonating [mx.example.org]
        550 your EHLO name does not resolve
        550 helo argument is my own name
        554 5.7.1 <localhost>: Helo command rejected: Access denied
        550 5.7.1 Your mail server must announce a valid FQDN in HELO
    """,
    "sender": """
        550 5.1.0 Sender denied
        550 you are not authorized to send mail from example.net
        550 Message rejected - 203.0.113.9 is not authorized to send from this domain
        550 Sender domain example.net has null MX
        551 5.7.1 Sender address is not permitted
        550 5.7.23 <b@example.com>: Recipient address rejected: Message rejected due to: SPF fail - not authorized.
        550 5.7.27 Sender address rejected: domain does not accept mail (nullMX)
        450 4.1.8 <a@example.net>: Sender address rejected: Domain not found
        550-Verification failed for <a@example.net>
        550 Sender verify failed
        550 5.1.7 <a@example.net>: Sender address rejected: undeliverable address
        553 5.1.8 <a@example.net>... Domain of sender address a@example.net does not exist
        554 5.7.1 <a@example.net>: Sender address rejected: Access denied
        550 5.7.1 Unauthenticated email from example.net is not accepted due to domain's DMARC policy
        550-Callback setup failed while verifying <a@example.net>
        451 Could not complete sender verify callout
        550 5.7.1 Client does not have permissions to send as this sender
        553 5.7.1 <postmaster@mx1.firm.example>: Sender address rejected: not logged in
        550 SPF MAIL FROM check failed
        501 5.1.7 Invalid sender address
        550 5.7.1 SPF unauthorized mail is prohibited.
        550 5.1.0 <a@example.net> sender rejected
        550 null sender not accepted here
        550 5.7.1 bounces are not accepted from you
        550 <a@example.net> No such domain
        550 5.7.1 SPF check failed for example.net
        451 4.1.8 Domain of sender address a@example.net does not resolve
        550 5.1.8 Bad sender's system address
        550 Sender domain must exist
        550 rejected because example.net has no MX
    """,
    "target": """
        556 5.1.10 Recipient address has null MX
        550 5.1.2 <b@example.com>: Recipient address rejected: Domain not found
        450 4.1.2 <b@example.com>: Recipient address rejected: Domain not found
        550 Unrouteable address
        550 5.1.10 domain does not accept mail (nullMX)
        550 all relevant MX records point to non-existent hosts
        450 4.1.1 <b@example.com>: Recipient address rejected: unverified address: connect to mx: timed out
        550 Callout verification failed: recipient
        550 5.1.2 Host unknown (Name server: example.com: no data known)
    """,
    "tls": """
        530 5.7.0 Must issue a STARTTLS command first
        550 A TLS connection is required
    """,
    "later": """
        450 4.3.2 Relay busy, try again later
        451 4.7.1 relaying for now deferred
        450 4.7.1 Error: too much mail from 203.0.113.9
        450 4.2.0 <b@example.com>: Recipient address rejected: Greylisted, see you in 5 minutes
        451 4.7.1 Please try again later
        451 Temporary local problem - please try later
        450 4.3.2 Service currently unavailable
        421 4.3.2 Service shutting down
        452 4.5.3 Too many recipients
        450 4.7.1 <b@example.com>: Recipient address rejected: Policy Rejection- Quota Exceeded
        451 4.7.1 Greylisting in action, please come back later
        550 5.7.1 You are sending too fast
        450 4.7.0 rate limited
        451 Internal resource temporarily unavailable
        451 4.3.5 Server configuration problem
    """,
    "other": """
        550 5.1.1 User unknown
        550 5.1.1 <b@example.com>: Recipient address rejected: User unknown in relay recipient table
        550 No such user here
        550 Invalid recipient: <b@example.com>
        554 5.7.1 <b@example.com>: Recipient address rejected: Access denied
        550 Administrative prohibition
        550 5.4.1 Recipient address rejected: Access denied.
        550 #5.1.0 Address rejected.
        554 5.7.1 rejected
        550 mailmon-relay-test@example.com rejected
        550 relay.example.org: denied
        554 no
        550 Requested action not taken: mailbox unavailable
        550 5.7.1 Recipient rejected
        521 5.2.1 no mail here
        550 permanent failure for one or more recipients (b@example.com:blocked)
    """,
}
CASES = [(kind, line.strip()) for kind, lines in REPLIES.items() for line in lines.strip().splitlines()]


@pytest.mark.parametrize(("kind", "line"), CASES)
def test_a_refusal_is_read_for_what_it_refuses(kind: str, line: str) -> None:
    sender = "postmaster@mx1.firm.example" if "postmaster@mx1" in line else ASKED.sender
    assert what_is_refused(Reply(int(line[:3]), (line[4:].encode(),)), ASKED._replace(sender=sender)) == kind


def test_a_refusal_of_mail_without_a_reason_is_one_of_the_sender() -> None:
    at_mail = ASKED._replace(is_recipient=False)
    assert what_is_refused(Reply(550, (b"5.7.1 rejected",)), at_mail) is Refused.SENDER
    assert what_is_refused(Reply(530, (b"5.7.0 Authentication required",)), at_mail) is Refused.RELAYING


def test_on_a_submission_port_a_client_without_login_is_refused() -> None:
    reply = Reply(554, (b"5.7.1 <unknown[203.0.113.9]>: Client host rejected: Access denied",))
    assert what_is_refused(reply, ASKED._replace(wants_login=True)) is Refused.RELAYING
    listed = Reply(554, (b"5.7.1 Client host [203.0.113.9] blocked using zen.spamhaus.org",))
    assert what_is_refused(listed, ASKED._replace(wants_login=True)) is Refused.CLIENT


def test_our_own_names_in_a_refusal_do_not_count_as_its_words() -> None:
    for said in (
        b"<mailmon-relay-test@example.com> denied",
        b"relay-test.example: no",
        b"relay.example.org no",
        b"no <a@[192.0.2.1]>",
    ):
        assert what_is_refused(Reply(550, (said,)), ASKED) is Refused.OTHER
