"""The advice table: why a mail server may refuse, how that is recognised, and what to do (advice.py looks it up).

A row lists the evidence for a cause; a new case is a phrase, a code or a row here. The order of the rows decides
between evidence of equal strength: what is more specific comes first. Each row cites an answer of a named server.

Enhanced status codes: RFC 3463, RFC 5248. Response codes: RFC 3501, RFC 5530 and RFC 2449, RFC 3206.
"""

from __future__ import annotations

from typing import NamedTuple

from mailmon.errors import Stage

SMTP, IMAP, POP3 = "smtp", "imap", "pop3"
_READING = frozenset({IMAP, POP3})
_ALL = frozenset({SMTP, IMAP, POP3})
_SMTP = frozenset({SMTP})
_LOGIN = frozenset({Stage.LOGIN})
_OPENING = frozenset({Stage.CONNECT, Stage.GREETING, Stage.EHLO, Stage.TLS})
_ENVELOPE = frozenset({Stage.MAIL, Stage.RCPT})
_MAIL = _ENVELOPE | {Stage.DATA}
_FOLDER = frozenset({Stage.SELECT, Stage.ARRIVAL, Stage.CLEANUP})
_ANY = _LOGIN | _OPENING | _MAIL | _FOLDER


class Cause(NamedTuple):
    """The advice on a cause, with {PROTOCOL} for the protocol's name; `is_temporary` None: as the basic code says."""

    advice: str
    is_temporary: bool | None = None


class Row(NamedTuple):
    """Evidence for a cause at some stages of some protocols; any one item of it suffices.

    `statuses`: enhanced status codes ("X.2.2" in each class, "421 4.3.2" only with that basic code) and response codes.
    `words`: phrases in lower case; "…" stands for anything between two parts.
    `vague` and `vague_statuses`: what several causes share, weaker than a status. `codes`: basic codes, the weakest.
    `examples`: (server, stage, its answer).
    """

    cause: str
    examples: tuple[tuple[str, Stage, str], ...]
    protocols: frozenset[str] = _SMTP
    stages: frozenset[Stage] = _ANY
    statuses: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    vague: tuple[str, ...] = ()
    vague_statuses: frozenset[str] = frozenset()
    codes: frozenset[int] = frozenset()


def _phrases(text: str) -> tuple[str, ...]:
    """Return the phrases of a list with " | " between them."""
    return tuple(" ".join(phrase.split()) for phrase in text.split("|"))


CAUSES: dict[str, Cause] = {
    # Logins
    "wrong-credentials": Cause("Check the password file; the login name is case-sensitive on some servers."),
    "app-password-needed": Cause(
        "The provider accepts no ordinary password here: create an app password and put it into the password file."
    ),
    "token-needed": Cause(
        "The server accepts an access token instead of a password: set `token_command` or `oauth` for the account."
    ),
    "browser-login-needed": Cause(
        "The provider wants a person to log in with a browser first: do that and confirm what it asks."
    ),
    "login-switched-off": Cause(
        "{PROTOCOL} logins are switched off for this mailbox or its organisation: enable them at the provider, or "
        "ask its administrator."
    ),
    "login-policy": Cause("A policy of the organisation blocks this login: ask its administrator to allow it."),
    "too-many-logins": Cause(
        "The server blocks logins for a while: wait, check less often, and look for another program whose logins fail.",
        True,
    ),
    "login-service-down": Cause(
        "The server cannot verify logins at the moment: wait; if it lasts, look at its authentication service.",
        True,
    ),
    "administrator-needed": Cause("An administrator of the server must act: its log says why."),
    "credential-expired": Cause("The password or token has expired: set a new one at the server and in the account."),
    "login-refused": Cause("The server does not say why it refuses the login: check the login name, and its log."),
    "account-disabled": Cause(
        "The account is disabled, locked or may not use this service: reactivate it at the server or provider."
    ),
    "tls-needed": Cause("The server wants TLS first, of a version it accepts: set `security` to starttls or tls."),
    "client-certificate-needed": Cause(
        "The server demands a certificate of the client, and mailmon has none to show: let it do without on this port "
        "(Postfix: smtpd_tls_req_ccert, Dovecot: auth_ssl_require_client_cert)."
    ),
    "login-needed": Cause(
        "The server wants a login first: set one for the account, and use its submission port (587 or 465)."
    ),
    "mechanism-refused": Cause(
        "The server refuses this kind of login: it must offer PLAIN, LOGIN or SCRAM-SHA-256 on this port."
    ),
    "no-logins-here": Cause(
        "This port takes no logins, or none without TLS: use the submission port (587 or 465) with TLS."
    ),
    "may-not-act-as-user": Cause(
        "The login is right but may not open this mailbox: check the login name and the permissions of the mailbox."
    ),
    # Connections and load
    "too-many-connections": Cause(
        "Too many connections at once or in a short time: close other clients, check less often, or raise the limit.",
        True,
    ),
    "shutting-down": Cause(
        "The server is stopping, restarting or not ready yet: if this lasts, look at its log.", True
    ),
    "overloaded": Cause("The server is overloaded: wait; if it lasts, look at its load and its log.", True),
    "next-server-down": Cause("The next server on the way was not reached: is it running, and is its port open?"),
    "idle": Cause(
        "The server waited too long for the next command: look for a slow network or machine in between.", True
    ),
    "too-many-errors": Cause("The server ended the session after too many errors: run with -v to see the session."),
    "tls-unavailable": Cause(
        "The server cannot start TLS: look at its log; often it cannot read its certificate or key."
    ),
    "client-refused": Cause("The server refuses this machine's address: allow it there, or send by a login."),
    "protocol-error": Cause("The server did not accept a command: run with -v to see the session."),
    # Messages
    "helo-refused": Cause("Set `helo` of the account to a host name that resolves to this machine's address."),
    "greylisted": Cause(
        "Greylisting: the server accepts a later attempt. Exempt this sender or machine there, or send by a login.",
        True,
    ),
    "relaying-denied": Cause(
        "The server does not relay for this client: log in on its submission port (587 or 465), or check that it is "
        "responsible for the domain of the route's `to`."
    ),
    "sender-not-yours": Cause(
        "This login may not use this envelope sender: check `address`, or allow it on the server."
    ),
    "sender-refused": Cause(
        "The server does not accept the envelope sender: check `address`, and its rules for senders."
    ),
    "sender-domain-unresolved": Cause(
        "The server cannot verify the sender's domain or address: check its MX and address records, and `address`."
    ),
    "reverse-dns": Cause(
        "This machine's address needs a PTR record whose name resolves back to it: ask your hosting provider for one."
    ),
    "block-listed": Cause(
        "This machine's address is on a block list or of poor reputation: look it up, fix the cause, ask for removal."
    ),
    "unauthenticated-mail": Cause(
        "SPF, DKIM or DMARC of the sender's domain did not pass: run `mailmon dns` with the domain."
    ),
    "content-refused": Cause("A filter refused the message: look at the filter's log, and exempt the probes there."),
    "sending-limit": Cause("A sending limit is reached: wait until it resets, send less often, or raise it.", True),
    "recipient-rate": Cause(
        "The recipient gets more messages than its server allows in a time: wait, and send fewer to it.", True
    ),
    "traffic-limit": Cause(
        "The account used up its traffic for now: wait, check less often, close other clients.", True
    ),
    "mailbox-full": Cause("The mailbox is full: delete mail in it, or raise its quota."),
    "recipient-refuses": Cause(
        "The recipient is disabled or accepts no mail from this sender: change that at its server."
    ),
    "recipient-unknown": Cause("The server does not know this recipient: check the route's `to`."),
    "server-full": Cause("The server is short of disk space or memory: free some there."),
    "message-too-large": Cause(
        "The message exceeds a size limit of the server: raise the limit, or send a smaller one."
    ),
    "too-many-recipients": Cause("The server accepts fewer recipients per message or per hour: send to fewer."),
    "bad-address": Cause("The server cannot use an address: check `address` and the route's `to`."),
    "international-address": Cause("The server does not accept addresses beyond ASCII here: use ASCII addresses."),
    "mail-loop": Cause("The message goes round in a circle: look for forwards or servers that point at each other."),
    "lookup-failed": Cause(
        "A look-up on the server failed (DNS, a database, another server): wait; if it lasts, look at its log.", True
    ),
    "server-fault": Cause("Something is wrong inside the server: look at its log, at this time."),
    "refused-for-now": Cause(
        "The server refuses for now and may accept a later attempt: if it lasts, look at its log.", True
    ),
    "server-trouble": Cause("The server has a passing problem of its own: wait; if it lasts, look at its log.", True),
    "refused-by-policy": Cause("Refused by policy: the server's log says which rule."),
    "refused": Cause("Unknown recipient or refused by policy: the server's log says which."),
    # Mailboxes
    "folder-missing": Cause("There is no such folder or mailbox: create it on the server, or change its name here."),
    "no-permission": Cause("This login has no permission for that: give it the rights on the server (its ACL)."),
    "mailbox-in-use": Cause(
        "Another program holds the mailbox: it is free when that one ends; use a mailbox of its own for mailmon.", True
    ),
    "logins-too-frequent": Cause(
        "Another program reads this maildrop: let it log in less often, or use a mailbox of its own for mailmon.", True
    ),
    "not-supported": Cause("The server does not support this operation: look at its configuration."),
}

ROWS: tuple[Row, ...] = (
    # Refused logins
    Row(
        "browser-login-needed",
        (
            (
                "Gmail",
                Stage.LOGIN,
                "534 5.7.14 <https://accounts.google.com/signin/continue> Please log in via your web browser",
            ),
            ("Gmail", Stage.LOGIN, "NO [WEBALERT https://accounts.google.com/signin/continue] Web login required."),
        ),
        _ALL,
        _LOGIN,
        frozenset({"534 5.7.14", "WEBALERT"}),
        _phrases(
            """web browser | web login required | log in with…browser | sign in with…browser | unblock…account
            | verify your identity | confirm your identity | captcha"""
        ),
    ),
    Row(
        "app-password-needed",
        (("Gmail", Stage.LOGIN, "534 5.7.9 Application-specific password required."),),
        _ALL,
        _LOGIN,
        frozenset(),
        _phrases(
            """invalid scope | authorization code | authorisation code | application-specific | application specific
            | app-specific | app specific | app password | application password | app-password | device password
            | device-specific | external password | client password | two-factor | two factor | 2-step | two-step
            | 2fa | multi-factor | multifactor | third-party app | third party app | less secure app
            | authorization code instead"""
        ),
    ),
    Row(
        "credential-expired",
        (
            ("Dovecot", Stage.LOGIN, "NO [EXPIRED] Password expired"),
            ("Stalwart", Stage.LOGIN, "535 5.7.8 OAuth token expired."),
        ),
        _ALL,
        _LOGIN,
        frozenset({"EXPIRED", "X.7.12"}),
        _phrases(
            """password expired | password…has expired | password is expired | token expired | token…has expired
            | token is expired | account has expired | account expired | credentials expired
            | credentials…have expired | must change…password | password must be changed | password transition"""
        ),
    ),
    Row(
        "too-many-logins",
        (("Gmail", Stage.LOGIN, "454 4.7.0 Too many login attempts, please try again later."),),
        _ALL,
        _LOGIN,
        frozenset(),
        _phrases(
            """too many invalid logon | too many bad logon | invalid logon attempts | logon attempts
            | temporarily banned | banned for | too many bad login | too many bad auth | too many bad password
            | too many invalid login | too many invalid auth | too many invalid password | too many invalid attempts
            | too many login | too many auth | too many failed | too many incorrect | too many attempts
            | too many wrong | too many unsuccessful | too many password | login attempts | authentication attempts
            | auth attempts | login rate | auth rate | authentication rate | login limit | too often | too frequent
            | too frequently | login frequency | brute force | brute-force | penalty | rate limit | rate-limit
            | ratelimit | throttl | failed logins | authentication failures | login failures"""
        ),
    ),
    Row(
        "too-many-logins",
        (("mox", Stage.GREETING, "421 4.7.0 too many auth failures"),),
        _ALL,
        _OPENING,
        frozenset(),
        _phrases(
            """auth failures | auth failure | login failures | failed login | authentication failures | too many failed
            | too many auth | login attempts | auth attempts | authentication attempts"""
        ),
    ),
    Row(
        "login-policy",
        (
            (
                "Microsoft 365",
                Stage.LOGIN,
                "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated",
            ),
        ),
        _ALL,
        _LOGIN,
        frozenset(),
        _phrases(
            """security defaults | conditional access | did not meet the criteria | organization's security
            | organisation's security | access…from your country | login…from your country | login…from this ip
            | logins from this | your location | geoip | not allowed from this | not permitted from this
            | policy…login | login…policy | authentication policy"""
        ),
    ),
    Row(
        "token-needed",
        (("Microsoft 365", Stage.LOGIN, "535 5.7.139 Authentication unsuccessful, basic authentication is disabled."),),
        _ALL,
        _LOGIN,
        frozenset({"X.7.30"}),
        _phrases("basic authentication | basic auth | basicauth | oauth | modern auth | xoauth2"),
    ),
    Row(
        "wrong-credentials",
        (
            ("Gmail", Stage.LOGIN, "535 5.7.8 Username and Password not accepted."),
            ("Yandex", Stage.LOGIN, "NO [AUTHENTICATIONFAILED] LOGIN invalid credentials or IMAP is disabled"),
        ),
        _ALL,
        _LOGIN,
        frozenset(),
        _phrases(
            """credentials were incorrect | credentials…incorrect | restarting authentication | credentials no longer
            | username or password | user name or password | userid or password | user or password
            | login or password | name or password | email or password | username and password not accepted
            | username and password do not | username/password | user/password | incorrect username | incorrect user
            | incorrect password | wrong password | wrong username | password incorrect | password is incorrect
            | invalid password | bad password | password mismatch | incorrect authentication data
            | invalid credentials | incorrect credentials | wrong credentials | bad credentials
            | credentials invalid | credentials are invalid | password…not match"""
        ),
    ),
    Row(
        "login-switched-off",
        (
            (
                "Microsoft 365",
                Stage.LOGIN,
                "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
            ),
            ("Gmail", Stage.LOGIN, "NO [ALERT] Your account is not enabled for IMAP use."),
        ),
        _ALL,
        _LOGIN,
        frozenset(),
        _phrases(
            """service disabled | service is disabled | requested service | service is not open | no permission
            | smtpclientauthentication | smtp auth…disabled | smtp client auth…disabled
            | smtp authentication is disabled | smtp access | imap access | pop access | pop3 access
            | imap is disabled | imap disabled | pop is disabled | pop disabled | pop3 is disabled | pop3 disabled
            | smtp is disabled | smtp disabled | enabled for imap | enabled for pop | enabled for smtp | enable imap
            | enable pop | enable smtp | imap…not enabled | pop…not enabled | pop3…not enabled | smtp…not enabled
            | imap…not allowed | pop…not allowed | imap…turned off | pop…turned off | imap…deactivated
            | pop…deactivated | imap service…off | service is not enabled | service not enabled
            | protocol is disabled | protocol disabled | protocol…not allowed | imap…premium | pop…premium"""
        ),
        vague_statuses=frozenset({"X.7.139"}),
    ),
    Row(
        "account-disabled",
        (
            ("Stalwart", Stage.LOGIN, "550 5.7.1 Your account is not authorized to use this service."),
            ("Dovecot", Stage.LOGIN, "NO [CONTACTADMIN] Login disabled for this user"),
        ),
        _ALL,
        _LOGIN,
        frozenset({"X.7.13"}),
        _phrases(
            """spam account | spammer | sign-in blocked | login blocked | not yet activated | not activated
            | activate your | account disabled | account…is disabled | account…been disabled | account…suspended
            | account…deactivated | account…inactive | account…blocked | account…locked | account…closed
            | account…terminated | account…not active | account…deleted | user…disabled | user…suspended
            | user…blocked | user…locked | mailbox…disabled | mailbox…suspended | mailbox…blocked
            | mailbox…locked out | disabled account | disabled user | suspended account | login disabled for
            | login is disabled for | login…disabled for this user | authorized to use this service | license
            | subscription | no longer active | account is not active | account is not authorized
            | not authorized to log | outgoing blocked | cancelled | canceled | unpaid"""
        ),
    ),
    # Encryption and mechanisms, wherever the server says so
    Row(
        "client-certificate-needed",
        (
            ("Postfix", Stage.EHLO, "421 4.7.0 mx.example.org Error: No client certificate presented"),
            ("Dovecot", Stage.LOGIN, "NO Client didn't present valid SSL certificate"),
        ),
        _ALL,
        words=_phrases(
            """client certificate | client cert required | client cert is required | present valid ssl certificate
            | certificate of the client | peer certificate required | certificate presented"""
        ),
    ),
    Row(
        "tls-needed",
        (
            (
                "Dovecot",
                Stage.LOGIN,
                "NO [PRIVACYREQUIRED] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.",
            ),
            ("Postfix", Stage.LOGIN, "504 5.5.4 Encryption required for requested authentication mechanism"),
        ),
        _ALL,
        _ANY,
        frozenset({"PRIVACYREQUIRED", "X.7.10", "X.7.11", "421 4.7.66"}),
        _phrases(
            """tls-connection is required | tls connection is required | connection is required for auth | only on tls
            | entering tls | tls mode | tls connection | security level | login disabled | plain login
            | plain auth…disabled | plaintext authentication | plaintext…disallowed | plaintext…not allowed
            | plaintext…disabled | plaintext login | cleartext | clear text | clear-text | encryption required
            | encryption is required | encryption needed | requires encryption | issue a starttls | issue starttls
            | starttls first | starttls is required | starttls required | requires starttls | starttls before
            | use starttls | use tls | tls required | tls is required | tls…mandatory | requires tls
            | requires a tls | requires ssl | requires an ssl | ssl required | ssl is required | secure connection
            | encrypted connection | secure channel | secured connection | logindisabled | over tls | only with tls
            | without tls | without ssl | without encryption | must be encrypted | session encryption
            | under a layer | security layer | insecure connection | unencrypted | unsecured | tls encryption
            | tls 1.0 | tls1.0 | tls version | use ssl | non-secure | not secure"""
        ),
    ),
    Row(
        "no-logins-here",
        (
            ("Postfix", Stage.LOGIN, "503 5.5.1 Error: authentication not enabled"),
            ("Exim", Stage.LOGIN, "503 AUTH command used when not advertised"),
        ),
        _SMTP,
        _LOGIN,
        frozenset(),
        _phrases(
            """authentication not allowed | authentication is not allowed | authentication not enabled
            | authentication is not enabled | auth not enabled | auth not available | auth not supported
            | auth…not advertised | auth…not implemented | auth…not allowed here | auth…unrecognized
            | authentication not available | authentication not supported | authentication is not supported
            | does not support auth | auth…not recognized | command unrecognized | unrecognized command
            | command not recognized | unknown command | command not implemented"""
        ),
        codes=frozenset({500, 502, 503}),
    ),
    # Load: connections, time, shutdown
    Row(
        "too-many-connections",
        (
            (
                "Dovecot",
                Stage.LOGIN,
                "NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)",
            ),
            ("Postfix", Stage.TLS, "454 4.7.0 Error: too many new TLS sessions from unknown[192.0.2.7]"),
        ),
        _ALL,
        _ANY,
        frozenset(),
        _phrases(
            """too many connections | too many…connections | too much connections | too many concurrent
            | too many simultaneous | too many sessions | too many new | too many open | too many imap
            | too many pop | too many clients | too many users | too many smtp | number of connections
            | number of concurrent | number of simultaneous | number of sessions | number of open
            | concurrent connection | concurrent session | simultaneous | connection limit | connections limit
            | connections exceeded | connections reached | max connections | maximum connections
            | maximum concurrent | connection rate | connection count | connections per | connections from your
            | connection frequency | connecting too | connect too | thread limit | concurrency | session limit
            | sessions exceeded | tls rate | tls sessions | max_userip | already too many | open connections
            | connection quota"""
        ),
    ),
    Row(
        "too-many-connections",
        (("Dovecot", Stage.LOGIN, "NO [LIMIT] Maximum number of connections from user+IP exceeded"),),
        _READING,
        _LOGIN | _OPENING,
        frozenset({"LIMIT"}),
    ),
    Row(
        "too-many-errors",
        (("Postfix", Stage.RCPT, "421 4.7.0 mail.example.org Error: too many errors"),),
        _ALL,
        _ANY,
        frozenset(),
        _phrases(
            """too many invalid…commands | too many bad…commands | too many errors | too many…errors
            | too many unrecognized | too many unknown commands | too many bad commands | too many nonmail
            | too many non-mail | too many invalid commands"""
        ),
    ),
    Row(
        "traffic-limit",
        (("Gmail", Stage.ARRIVAL, "NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)"),),
        _READING,
        _ANY,
        frozenset({"THROTTLED"}),
        _phrases(
            """rate limited | rate-limited | too many…commands | download…limited | download was | bandwidth
            | command…limit | download limit | download quota | traffic limit | data limit | request limit
            | too many commands | too many requests"""
        ),
    ),
    Row(
        "shutting-down",
        (
            ("Postfix", Stage.GREETING, "421 4.3.2 mail.example.org Server shutting down"),
            ("Exim", Stage.MAIL, "421 mail.example.org: Service not available - closing connection"),
        ),
        _ALL,
        _ANY,
        frozenset({"421 4.3.2"}),
        _phrases(
            """restarting | is restarting | server restarting | restarting now | restarting service | shutting down
            | shutdown | shut down | going down | being restarted | not accepting network messages | maintenance
            | service stopping | server stopped | is stopping | service not active"""
        ),
        _phrases("service not available, closing | service not available - closing"),
    ),
    Row(
        "idle",
        (
            ("Postfix", Stage.MAIL, "421 4.4.2 mail.example.org Error: timeout exceeded"),
            ("qmail", Stage.MAIL, "451 timeout (#4.4.2)"),
        ),
        _ALL,
        _ANY,
        frozenset({"421 4.4.2", "451 4.4.2"}),
        _phrases(
            """session expired | error: timeout exceeded | timeout waiting | timeout on connection | timed out waiting
            | idle for | idle too long | been idle | inactivity | inactive for | idle timeout | idle time
            | session timeout | command timeout | timeout - closing | timeout closing | closing idle
            | timeout while reading | timeout, closing | autologout | timeout - good-bye | for too long
            | data timeout | read timeout"""
        ),
    ),
    Row(
        "login-service-down",
        (("Dovecot", Stage.LOGIN, "NO [UNAVAILABLE] Temporary authentication failure. [mail:2026-11-30 02:10:00]"),),
        _ALL,
        _LOGIN,
        frozenset({"UNAVAILABLE", "SYS/TEMP", "SERVERBUG", "4.7.0", "4.7.8", "4.3.0", "4.3.5", "4.3.2"}),
        _phrases(
            """directory service | directory server | internal authentication | pam_ | negotiation failure
            | connection negotiation | could not connect | unable to connect | cannot connect | temporary auth
            | temporary login | authentication temporarily | auth…temporarily | temporarily…auth
            | authentication service | authentication server | authentication system | authentication daemon
            | authentication backend | auth server | auth service | auth daemon | authdaemon | auth backend
            | unable to authenticate at | can't authenticate at | cannot authenticate at | cannot authenticate due
            | temporary…problem | temporary…failure | temporary…error | temporarily unavailable | unable to check
            | unable to verify | cannot verify | could not verify | ldap | database | userdb | passdb | saslauthd
            | generic failure | internal…error | backend | service unavailable | server unavailable | server error
            | try again later | connecting to auth | radius"""
        ),
        codes=frozenset({421, 432, 451, 454}),
    ),
    Row(
        "sender-refused",
        (("ASPone", Stage.RCPT, "550 5.1.1 <monitor@example.net> sender is blacklisted"),),
        _SMTP,
        _MAIL,
        words=_phrases(
            """banned sender | sender is banned | sender is blacklisted | sender blacklisted | blacklisted sender
            | sender is blocklisted | sender is on our"""
        ),
    ),
    Row(
        "greylisted",
        (
            (
                "Postgrey",
                Stage.RCPT,
                "450 4.2.0 <a@example.org>: Recipient address rejected: Greylisted, see https://postgrey.schweikert.ch/help/example.org.html",
            ),
        ),
        _SMTP,
        _MAIL | _OPENING,
        frozenset(),
        _phrases(
            """reconnect to | retry later…first | temporary rejected | greylist | graylist | grey-list | gray-list
            | grey list | gray list | postgrey | try again in…second | try again in…minute | try again after
            | retry in…second | retry in…minute | come back in | first contact | first time sender | unknown triplet
            | wait…before retrying | not yet authorized to deliver"""
        ),
    ),
    Row(
        "refused",
        (("cPanel", Stage.RCPT, "550 The account or domain may not exist, they may be blacklisted"),),
        _SMTP,
        _MAIL,
        words=_phrases("may not exist, they may be"),
    ),
    Row(
        "block-listed",
        (
            (
                "Postfix",
                Stage.RCPT,
                "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.7",
            ),
            ("Microsoft 365", Stage.RCPT, "451 4.7.500 Server busy. Please try again later from [192.0.2.7]. (AS761)"),
        ),
        _SMTP,
        _MAIL | _OPENING | _LOGIN,
        frozenset(
            {
                "X.7.500",
                "X.7.501",
                "X.7.506",
                "X.7.508",
                "X.7.511",
                "X.7.606",
                "X.7.649",
                "X.7.650",
                "X.7.700",
                "X.7.705",
                "X.7.708",
                "X.7.28",
            }
        ),
        _phrases(
            """authorized to send email directly | smtp relay at your | rbl_ | untrusted ip | untrusted sender | (bl)
            | ip address blocked | ip blocked | address is blocked | address blocked | ip address is blocked
            | blocked using | blacklist | black list | black-list | blocklist | block list | block-list | spamhaus
            | dnsbl | spamcop | barracuda | listed in | listed at | listed by | listed on | is listed | are listed
            | reputation | user complaints | unusual rate of unsolicited | suspicious activity | sending spam
            | source of spam | spam source | spam from | banned sending | been banned | is banned
            | please try again later from [ | blocked for spam | blocked - see | your ip…is blocked
            | your ip…been blocked | address…has been blocked | host…is blocked | network…blocked | poor sender
            | blocked due to | blocked because of spam | temporarily deferred due to"""
        ),
    ),
    Row(
        "overloaded",
        (
            ("Exim", Stage.GREETING, "421 mail.example.org: Too much load; please try again later"),
            ("Sendmail", Stage.GREETING, "421 4.3.2 Connection rejected: load average: 20"),
        ),
        _ALL,
        _ANY,
        frozenset({"X.4.5"}),
        _phrases(
            """load average | too busy | system busy | server busy | server is busy | is busy | overload | under load
            | high load | load too high | system load | too much load | too many processes
            | all server ports are busy | resources temporarily | out of memory | not enough memory | stress"""
        ),
    ),
    Row(
        "tls-unavailable",
        (("Postfix", Stage.TLS, "454 4.7.0 TLS not available due to local problem"),),
        _ALL,
        _OPENING | _LOGIN,
        frozenset(),
        _phrases(
            """tls not available | tls…currently unavailable | tls…temporarily unavailable | tls unavailable
            | tls…local problem | tls init | unable to start tls | cannot start tls | can't start tls
            | tls not configured | starttls failed | tls engine | tls negotiation | tls…not started"""
        ),
    ),
    Row(
        "tls-unavailable",
        (("Cyrus", Stage.TLS, "NO Error initializing TLS"), ("Dovecot", Stage.TLS, "BAD TLS support isn't enabled.")),
        _ALL,
        frozenset({Stage.TLS}),
        codes=frozenset({0, 421, 451, 454, 500, 501, 502, 503, 550, 554}),
    ),
    # Messages
    Row(
        "helo-refused",
        (("Postfix", Stage.RCPT, "450 4.7.1 <mail>: Helo command rejected: Host not found"),),
        _SMTP,
        _MAIL | _OPENING,
        frozenset(),
        _phrases(
            """helo command rejected | address literal | ip literal | bare ip | helo name | ehlo name | helo argument
            | ehlo argument | helo hostname | ehlo hostname | invalid helo | invalid ehlo | bad helo | helo…invalid
            | ehlo…invalid | helo…not resolve | helo…does not | helo…rejected | ehlo…rejected | helo…must
            | ehlo…must | helo…forged | helo…mismatch | helo domain | helo host | your helo | your ehlo | in helo
            | in ehlo | helo string | fully-qualified hostname | fully qualified hostname | ehlo…requires
            | helo…requires | ehlo requires domain | syntactically invalid"""
        ),
    ),
    Row(
        "reverse-dns",
        (
            ("Postfix", Stage.RCPT, "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.7]"),
            (
                "Sendmail",
                Stage.RCPT,
                "450 4.4.0 <bob@example.net>... Relaying temporarily denied. Cannot resolve PTR record for 192.0.2.7",
            ),
        ),
        _SMTP,
        _MAIL | _OPENING,
        frozenset({"X.7.25"}),
        _phrases(
            """cannot find your hostname | cannot find your reverse | cannot find reverse | reverse dns | dns ptr
            | reverse hostname | ptr record | ptr resource | no ptr | ptr: | (ptr) | rdns | forward-confirmed
            | forward confirmed | reverse lookup | reverse resol | reverse name | reverse entry | no reverse
            | missing reverse | resolve your address | resolve your ip | hostname for your ip | fix reverse"""
        ),
    ),
    Row(
        "server-trouble",
        (("Amavis", Stage.DATA, "451 4.5.0 Error in processing, id=07411-04, virus_scan FAILED"),),
        _SMTP,
        _MAIL,
        words=_phrases(
            """failure in spam | scanner unavailable | scanner is | filter unavailable | filter is | filter temporarily
            | error in processing | scanners failed | scanner failed | scan failed | unable to scan
            | scanner timeout | filter failed | error occurred during"""
        ),
    ),
    Row(
        "lookup-failed",
        (("Rspamd", Stage.DATA, "451 4.7.1 SPF temperror"),),
        _SMTP,
        _MAIL,
        words=_phrases("temperror | temp error | temporarily failed | could not contact | key lookup"),
    ),
    Row(
        "unauthenticated-mail",
        (("Gmail", Stage.DATA, "550 5.7.26 This mail has been blocked because the sender is unauthenticated."),),
        _SMTP,
        _MAIL | _OPENING,
        frozenset({"X.7.20", "X.7.21", "X.7.22", "X.7.23", "X.7.24", "X.7.26", "X.7.29", "X.7.509", "X.7.515"}),
        _phrases(
            """it is unauthenticated | message is unauthenticated | spf_ | dmarc | spf check | spf fail | spf:
            | sender policy framework | openspf | dkim | domainkeys | sender is unauthenticated
            | unauthenticated email | unauthenticated mail | unauthenticated message"""
        ),
    ),
    Row(
        "recipient-rate",
        (
            ("Microsoft 365", Stage.RCPT, "550 5.2.122 Recipient Per Hour Receive Limit Exceeded"),
            (
                "Gmail",
                Stage.RCPT,
                "450 4.2.1 The user you are trying to contact is receiving email at a rate that prevents more",
            ),
        ),
        _SMTP,
        _MAIL,
        frozenset({"X.2.121", "X.2.122"}),
        _phrases(
            """recipient has exceeded | they can receive | received too much | receives too much | receive limit
            | receiving limit | receiving email at a rate | receiving mail at a rate | receiving mail too
            | receiving email too | receiving too | recipient…too many messages | incoming…limit | inbound…limit
            | recipient rate | recipientratelimit"""
        ),
    ),
    Row(
        "sending-limit",
        (
            ("Gmail", Stage.DATA, "550 5.4.5 Daily user sending limit exceeded."),
            ("Exchange Server", Stage.DATA, "550 5.2.2 Submission quota exceeded"),
        ),
        _SMTP,
        _MAIL | _OPENING | _LOGIN,
        frozenset({"X.1.90", "5.4.5", "X.7.232", "X.7.233", "X.7.236"}),
        _phrases(
            """policy quota | exceeded your | policy rejection…quota | sending limit | messaging limit
            | unusual sending | exceeded your messag | send limit | sending quota | submission quota
            | submissionquota | daily…limit | daily…quota | hourly…limit | hourly…quota | monthly…limit | per hour
            | per day | per minute | per connection | per session | rate limit | rate-limit | ratelimit
            | rate exceeded | rate is | throttl | too many messages | too much mail | too many mails
            | too many emails | too many recipients this | message limit | messages limit | send quota | mail quota
            | outbound…limit | outgoing…limit | sending rate | maximum sending | too fast | submission rate
            | messages exceeded | relay limit | message rate | limit on the number | limit of messages
            | number of messages | message quota | outgoing message | plan limit | credits"""
        ),
    ),
    Row(
        "relaying-denied",
        (
            ("Postfix", Stage.RCPT, "554 5.7.1 <a@example.net>: Relay access denied"),
            ("qmail", Stage.RCPT, "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"),
        ),
        _SMTP,
        _MAIL | _OPENING,
        frozenset({"X.7.54", "X.7.64"}),
        _phrases(
            """delivery is not allowed | not accepting email for | not accepting mail for | relay access
            | relaying denied | relaying disallowed | relay disallowed | relaying | deliver mail for | relay mail
            | accept mail for that domain | not local | relay not | relaying not | unable to relay | relay denied
            | rcpthosts | permitted to relay | allowed to relay | not relay | don't relay | won't relay | no relay
            | no relaying | relaying is | relaying to | relay prohibited | relaying prohibited | prohibited relay
            | relay rejected | relay refused | open relay | cannot relay | can't relay | relaying temporarily
            | for relay | relay for | tenantattribution | relaying mail | attempt to relay | unauthorized relay"""
        ),
    ),
    Row(
        "recipient-refuses",
        (
            (
                "Exchange Server",
                Stage.RCPT,
                "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required",
            ),
        ),
        _SMTP,
        _MAIL,
        words=_phrases(
            """sendernotauthenticated | not authenticated for group | delivery restriction | notauthorized
            | banned recipient | recipients are blocked | rejected by recipient"""
        ),
    ),
    Row(
        "login-needed",
        (
            (
                "Exchange Server",
                Stage.MAIL,
                "530 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM",
            ),
            ("Postfix", Stage.RCPT, "553 5.7.1 <a@example.org>: Sender address rejected: not logged in"),
        ),
        _SMTP,
        _MAIL | _OPENING,
        frozenset({"X.7.57"}),
        _phrases(
            """auth is required | auth required | requires smtp auth | authentication required | issue an auth
            | auth command first | issue auth | smtp authentication | unauthenticated sender
            | authentication is required | must authenticate | must be authenticated | not authenticated
            | requires authentication | not logged in | log in first | login first | please authenticate
            | need to authenticate | authenticate first | auth first | authenticate before | authentication needed
            | please login | please log in | without authentication | authenticated users | use auth
            | unauthenticated senders not | be authenticated | authentication before | authenticate to
            | authentication mandatory"""
        ),
        codes=frozenset({530}),
    ),
    Row(
        "tls-needed",
        (("netqmail", Stage.LOGIN, "538 auth not available without TLS (#5.3.3)"),),
        _SMTP,
        _LOGIN,
        codes=frozenset({523, 538}),
    ),
    Row(
        "content-refused",
        (
            ("Amavis", Stage.DATA, "554 5.7.0 Reject, id=01234-01 - SPAM"),
            (
                "Gmail",
                Stage.DATA,
                "552 5.7.0 This message was blocked because its content presents a potential security issue.",
            ),
        ),
        _SMTP,
        _MAIL,
        frozenset(),
        _phrases(
            """rfc 5322 | attachment type | blocked attachment | attachment is not | attachment contains
            | executable attachment | dangerous attachment | attachment…not allowed | its content | message content
            | content rejected | content refused | content reject | content filter | content policy
            | considered spam | classified as spam | identified as spam | detected as spam | likely spam | like spam
            | as spam | is spam | spam message | spam content | spam score | spam detected | - spam | high spam
            | likely unsolicited | suspected spam | virus | malware | infected | phish | clamav | rspamd
            | spamassassin | spam filter | banned file | banned content | banned attachment | unacceptable content
            | bulk mail | header…rejected | body…rejected | rejected by filter | rejected message
            | rejected by the content | filtered | url in | message…suspicious | looks like spam | message looks
            | spam-like | unsolicited content"""
        ),
        _phrases(
            """message rejected | message not accepted | message refused | message was rejected
            | message has been rejected | policy reasons | not accepted for policy | spam"""
        ),
    ),
    Row(
        "sender-not-yours",
        (
            (
                "Postfix",
                Stage.RCPT,
                "553 5.7.1 <a@example.org>: Sender address rejected: not owned by user b@example.org",
            ),
            ("Exchange Server", Stage.DATA, "550 5.7.60 SMTP; Client does not have permissions to send as this sender"),
        ),
        _SMTP,
        _MAIL,
        frozenset({"X.7.60"}),
        _phrases(
            """unregistered domain | is not same | not the same as | unconfigured sending domain | unauthorized use
            | unauthorised use | for specified email | not owned by | sender address is not allowed
            | sender identity | verified sender | header address | authorised to send | sendasdenied | send as
            | send on behalf | allowed to send from | authorized to send from | authorised to send from
            | permitted to send from | permitted to use | sender…not allowed for | must equal | must be same
            | must be the same | must match | same as auth | does not match auth | doesn't match auth
            | not match…authenticated | sender…authenticated | sender…not authorized | sender…does not belong
            | address is not verified | address not verified | sender not allowed | sender is not allowed | mismatch
            | authorized to use | allowed to use | not your address | unauthorized sender | sender unauthorized
            | not one of your | from address…not | does not own | not belong to | allowed to send as
            | allowed to send mail from | not an alias"""
        ),
    ),
    Row(
        "sender-domain-unresolved",
        (
            ("Postfix", Stage.RCPT, "450 4.1.8 <a@example.org>: Sender address rejected: Domain not found"),
            ("Exim", Stage.RCPT, "550 Sender verify failed"),
        ),
        _SMTP,
        _MAIL,
        frozenset({"X.1.8", "X.7.27"}),
        _phrases(
            """sender address rejected: domain | sender address rejected: malformed
            | sender address rejected: unverified | sender address rejected: undeliverable | domain of sender
            | sender domain | sender's domain | domain…does not resolve | sender…domain not found | unresolvable
            | unrouteable sender | domain name required for sender | domain required for sender | domain must exist
            | sender…dns | from domain | mail from domain | sender…null mx | sender verify | sender verification
            | verify sender | verification of sender | sender…could not be verified | sender…not resolve
            | sender callout | domain…no mx | real domain"""
        ),
    ),
    Row(
        "sender-domain-unresolved",
        (("Courier", Stage.MAIL, "517 Invalid domain"),),
        _SMTP,
        frozenset({Stage.MAIL}),
        words=_phrases(
            """no such domain | invalid domain | domain does not exist | domain doesn't exist | domain not found
            | host not found | host unknown"""
        ),
    ),
    Row(
        "too-many-recipients",
        (("Postfix", Stage.RCPT, "452 4.5.3 Error: too many recipients"),),
        _SMTP,
        _MAIL,
        frozenset({"X.5.3"}),
        _phrases("""too many recipients | recipients limit | recipient limit | number of recipients | too many rcpt"""),
    ),
    Row(
        "mailbox-full",
        (
            ("Gmail", Stage.RCPT, "452 4.2.2 The recipient's inbox is out of storage space."),
            ("Dovecot", Stage.ARRIVAL, "NO [OVERQUOTA] Quota exceeded (mailbox for user is full)"),
        ),
        _ALL,
        _MAIL | _FOLDER | _LOGIN,
        frozenset({"X.2.2", "OVERQUOTA"}),
        _phrases(
            """maildrop…full_ | maildir…full_ | inbox is full_ | is full_ | account…full_ | user…full_
            | mailbox…is full_ | mailbox is full_ | mailbox…full_ | mailbox full | inbox full | inbox is out
            | over quota | overquota | over-quota | over its quota | over their quota | quota exceeded
            | exceeded…quota | exceeds…quota | exceed…quota | quota…exceeded | quota violation | quota…reached
            | quota…full | quota exhausted | quota limit | out of storage | exceeded storage | storage…exceeded
            | storage quota | storage limit | storage is full | mailbox size | mailbox…limit exceeded
            | not enough storage | disk quota | insufficient quota"""
        ),
    ),
    Row(
        "server-full",
        (("Postfix", Stage.MAIL, "452 4.3.1 Insufficient system storage"),),
        _ALL,
        _MAIL | _OPENING | _FOLDER,
        frozenset({"X.3.1"}),
        _phrases(
            """insufficient system storage | insufficient system resources | insufficient resources | resource shortage
            | insufficient storage | insufficient disk | not enough disk | not enough space | no space | disk full
            | disk is full | disk space | filesystem…full | file system…full | free space | out of disk
            | low on disk | space shortage | low on space | free disk | spool space | queue space"""
        ),
        codes=frozenset(),
    ),
    Row(
        "message-too-large",
        (("Postfix", Stage.MAIL, "552 5.3.4 Message size exceeds fixed limit"),),
        frozenset({SMTP, IMAP}),
        _MAIL | _FOLDER,
        frozenset({"X.2.3", "X.3.4", "TOOBIG"}),
        _phrases(
            """attachment size | attachment limit | sizelimit | message size | size limit | message…too large
            | message…too big | message…too long | too large | too big | message length | size exceeds
            | fixed maximum | exceeds maximum | message exceeds | maximum message | mail size"""
        ),
        codes=frozenset({552}),
    ),
    Row(
        "international-address",
        (("Postfix", Stage.MAIL, "553 5.6.7 Must send SMTPUTF8 for non-ASCII address"),),
        _SMTP,
        _MAIL,
        frozenset({"X.6.7"}),
        _phrases("""smtputf8 | utf-8 address | utf8 address | non-ascii | internationalized | internationalised"""),
    ),
    Row(
        "mail-loop",
        (("Postfix", Stage.DATA, "554 5.4.0 Error: too many hops"),),
        _SMTP,
        _MAIL,
        frozenset({"X.4.6", "X.4.14"}),
        _phrases(
            """too many hops | too many received | hop count | hops exceeded | mail loop | loops back | looping
            | loop detected"""
        ),
    ),
    Row(
        "account-disabled",
        (("Microsoft 365", Stage.DATA, "550 5.1.8 Access denied, bad outbound sender AS(42004)"),),
        _SMTP,
        _MAIL,
        frozenset(),
        _phrases(
            """outgoing blocked | not yet activated | not activated | activate your | account is abnormal
            | bad outbound sender | outbound spam | your account has been | your account is | sender…suspended
            | sender…disabled | compromised"""
        ),
    ),
    Row(
        "sender-refused",
        (
            (
                "Mimecast",
                Stage.RCPT,
                "550 Administrative prohibition - envelope blocked - https://community.mimecast.com/docs/DOC-1369#550",
            ),
            ("qmail", Stage.MAIL, "553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)"),
        ),
        _SMTP,
        _MAIL,
        frozenset(),
        _phrases(
            """badmailfrom | return path | return-path | reverse-path | envelope blocked | envelope sender
            | sender address rejected: user unknown | sender address rejected: access denied
            | sender address rejected | sender rejected | sender denied | sender blocked | sender is blocked
            | sender unknown | unknown sender | invalid sender | bad sender | sender refused | sender…denied
            | sender…blocked"""
        ),
    ),
    Row(
        "recipient-refuses",
        (
            ("Gmail", Stage.RCPT, "550 5.2.1 The email account that you tried to reach is disabled."),
            (
                "Exchange Server",
                Stage.RCPT,
                "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required",
            ),
        ),
        _SMTP,
        _MAIL,
        frozenset({"5.2.1", "X.7.124", "X.7.133", "X.7.134", "X.7.135", "X.7.136", "X.7.2"}),
        _phrases(
            """mail to this user | recipient account is blocked | recipient is blocked | archived recipient
            | recipient archived | mailbox is frozen | mailbox frozen | want your mail | refuses your mail
            | account is blocked | account is not active | user is not active | mailbox is not active
            | account…disabled | account is disabled | mailbox disabled | mailbox is disabled | mailbox…disabled
            | account…inactive | mailbox…inactive | user is inactive | user inactive | account…suspended
            | user…suspended | mailbox…suspended | account…deactivated | recipient…disabled | recipient…suspended
            | recipient…inactive | allowed to send to | recipient does not accept | only accept | restricted to
            | accepting mail from | recipient…restricted | accepting messages from | does not accept mail
            | not accept messages | not accepting mail"""
        ),
    ),
    Row(
        "refused-by-policy",
        (("Postfix", Stage.RCPT, "554 5.7.1 <a@example.org>: Recipient address rejected: Policy restrictions"),),
        _SMTP,
        _ENVELOPE,
        words=_phrases("policy restriction | policy violation | rejected by policy"),
    ),
    Row(
        "recipient-unknown",
        (
            (
                "Postfix",
                Stage.RCPT,
                "550 5.1.1 <a@example.org>: Recipient address rejected: User unknown in virtual mailbox table",
            ),
            ("Microsoft 365", Stage.RCPT, "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)"),
        ),
        _SMTP,
        frozenset({Stage.RCPT, Stage.DATA}),
        frozenset({"5.1.1", "5.1.2", "5.1.4", "5.1.6", "5.1.10", "550 5.4.1"}),
        _phrases(
            """domain not found | host unknown | unknown host | no such domain | invalid domain | domain does not exist
            | look up host | no valid recipients | recipient not in | address not in | user unknown | unknown user
            | unknown or illegal | no such user | no such recipient | no such mailbox | no such account
            | no such address | no such person | no such local | unknown recipient | recipient unknown
            | recipient address rejected: access denied. as( | recipient address rejected: undeliverable
            | recipient address rejected: user | user not found | recipient not found | recipnotfound
            | mailbox not found | address not found | address unknown | unknown address | account not found
            | account unknown | user doesn't | user does not | mailbox does not | mailbox doesn't | doesn't exist
            | does not exist | not exist | unknown local | unknown mailbox | unrouteable address
            | unroutable address | not our customer | no mailbox | invalid recipient | invalid mailbox
            | invalid user | recipient invalid | not a valid | couldn't be found | could not be found
            | doesn't have a | isn't in our | not known here | unknown in | unknown to | not a known user | no user"""
        ),
        vague=("address rejected",),
        codes=frozenset({551}),
    ),
    Row(
        "client-refused",
        (
            ("Postfix", Stage.RCPT, "554 5.7.1 <unknown[192.0.2.7]>: Client host rejected: Access denied"),
            ("Sendmail", Stage.MAIL, "550 5.7.1 Access denied"),
        ),
        _ALL,
        _MAIL | {Stage.CONNECT, Stage.GREETING},
        frozenset(),
        _phrases(
            """allowed to use this server | forbidden | client host rejected | client host…not | no smtp service here
            | allowed to connect | not accepted here | you are not welcome | unauthorized ip | unauthorized host
            | host rejected | client rejected | connection rejected | connection refused by | connections from this
            | connections from your ip | your host…not | your ip…not | ip…not allowed | host…not allowed
            | refused by host"""
        ),
        _phrases(
            """access denied | service refused | not welcome | no service | service currently unavailable
            | prohibited"""
        ),
        codes=frozenset(),
    ),
    Row(
        "client-refused",
        (("Postfix", Stage.LOGIN, "454 4.7.1 <x[192.0.2.7]>: Client host rejected: Access denied"),),
        _ALL,
        _LOGIN,
        words=_phrases(
            """client host rejected | host rejected | client rejected | unauthorized ip | unauthorized host"""
        ),
    ),
    Row(
        "helo-refused",
        (("Exim", Stage.EHLO, "550 address literals are not welcome"),),
        _SMTP,
        frozenset({Stage.EHLO}),
        codes=frozenset({501, 504, 550, 553, 554}),
    ),
    # What only stage and basic code, or a general status, tell
    Row(
        "client-refused",
        (("Exim", Stage.GREETING, "554 SMTP service not available"),),
        _SMTP,
        _OPENING,
        codes=frozenset({521, 550, 554}),
    ),
    Row(
        "next-server-down",
        (
            (
                "Postfix",
                Stage.RCPT,
                "450 4.1.1 <bob@example.org>: unverified address: connect to mx.example.org: Connection refused",
            ),
        ),
        _SMTP,
        _MAIL,
        words=_phrases(
            """connection timed out | connection timeout | connection refused | connect to…timed out
            | connect to…unreachable | no route to host | network is unreachable | host is unreachable
            | lost connection with | host is down"""
        ),
    ),
    Row(
        "lookup-failed",
        (
            ("Postfix", Stage.RCPT, "451 4.3.0 <a@example.org>: Temporary lookup failure"),
            ("Exim", Stage.RCPT, "451 Could not complete recipient verify callout"),
        ),
        _SMTP,
        _MAIL | _OPENING,
        frozenset({"X.4.3", "4.4.1", "4.4.4", "4.4.7"}),
        _phrases(
            """resolver error | dns resolver | lookup failure | lookup failed | lookup error | lookup fail
            | failed to look up | look up | look-up | unable to resolve | callout | verify recipient
            | verify address | verify user | unverified address | unverified recipient | address verification
            | could not resolve | cannot resolve | dns error | dns failure | dns timeout | dns server | name server
            | host not found | ldap | database | directory"""
        ),
    ),
    Row(
        "bad-address",
        (
            ("Postfix", Stage.RCPT, "501 5.1.3 Bad recipient address syntax"),
            ("Exim", Stage.RCPT, "501 <a@>: missing or malformed local part"),
        ),
        _SMTP,
        _ENVELOPE,
        frozenset({"X.1.3", "X.1.7"}),
        _phrases(
            """address syntax | malformed | bad recipient address | bad sender address | invalid address
            | fully-qualified address | fully qualified address | illegal address | domain missing
            | must have a domain | must contain a domain | syntax error in parameters | domain name required"""
        ),
        codes=frozenset({501, 553}),
    ),
    Row(
        "protocol-error",
        (("Postfix", Stage.DATA, "550 5.5.2 Error: bare <LF> received"),),
        _ALL,
        _ANY,
        frozenset(),
        _phrases(
            """malformed auth | cannot decode | line too long | line length | command error | bare <lf> | bare lf
            | bare linefeed | bare newline | stray newline | command pipelining | synchronization error
            | unrecognized command | command unrecognized | command not recognized | syntax error | unknown command
            | bad sequence | nested mail | not implemented | unimplemented | improper use of | invalid command
            | bad command"""
        ),
    ),
    # Mailboxes
    Row(
        "logins-too-frequent",
        (("Cyrus", Stage.LOGIN, "-ERR [LOGIN-DELAY] Logins must be at least 1 minute apart"),),
        frozenset({POP3}),
        _ANY,
        frozenset({"LOGIN-DELAY"}),
        _phrases(
            """logins must be at least | between logins | between mail checks | login delay | minimum time
            | wait…before logging in | apart"""
        ),
    ),
    Row(
        "folder-missing",
        (
            ("Dovecot", Stage.SELECT, "NO [NONEXISTENT] Mailbox doesn't exist: Junk"),
            ("Cyrus", Stage.LOGIN, "-ERR [SYS/PERM] Unable to open maildrop: Mailbox does not exist"),
        ),
        _READING,
        _FOLDER,
        frozenset({"NONEXISTENT", "TRYCREATE"}),
        _phrases(
            """could not be found | cannot be found | not a mailbox | doesn't exist | does not exist
            | unable to open this mailbox | must be subscribed | no such mailbox | no such folder | unknown mailbox
            | unknown folder | mailbox not found | folder not found | nonexistent | non-existent
            | invalid mailbox name | mailbox name | no mailbox | not found"""
        ),
    ),
    Row(
        "mailbox-in-use",
        (
            ("Cyrus", Stage.LOGIN, "-ERR [IN-USE] Unable to lock maildrop: Mailbox is locked"),
            ("Dovecot", Stage.SELECT, "NO [INUSE] Timeout while waiting for lock"),
        ),
        _READING,
        _ANY,
        frozenset({"IN-USE", "INUSE"}),
        _phrases(
            """waiting for lock | timeout…lock | kiss of death | locked by | is locked | maildrop…lock | maildrop…busy
            | mailbox…lock | mailbox…busy | lock…mailbox | lock…maildrop | already in use | in use by | another pop
            | another session | another client | being used | unable to lock | cannot lock | can't lock
            | failed to lock | to lock | lock busy | lock file | dotlock | maildrop already | already logged in"""
        ),
    ),
    Row(
        "no-permission",
        (
            ("Dovecot", Stage.CLEANUP, "NO [NOPERM] Permission denied"),
            ("Cyrus", Stage.SELECT, "NO Permission denied"),
        ),
        _READING,
        _FOLDER,
        frozenset({"NOPERM"}),
        _phrases(
            """permission denied | access denied | no permission | insufficient permission | permission
            | not authorized | insufficient rights | not permitted | read-only | read only | access control | acl
            | not allowed"""
        ),
    ),
    Row(
        "may-not-act-as-user",
        (
            ("Dovecot", Stage.LOGIN, "NO [AUTHORIZATIONFAILED] Authorization failed"),
            ("Microsoft 365", Stage.SELECT, "BAD User is authenticated but not connected."),
        ),
        _READING,
        _ANY,
        frozenset({"AUTHORIZATIONFAILED"}),
        _phrases("""unsafe login | authenticated but not connected | proxy auth | authorization identity | act as"""),
    ),
    Row(
        "folder-missing",
        (("Cyrus", Stage.LOGIN, "-ERR [SYS/PERM] Unable to open maildrop: Mailbox does not exist"),),
        _READING,
        _LOGIN,
        frozenset(),
        _phrases(
            """mailbox does not exist | mailbox doesn't exist | maildrop does not exist | maildrop doesn't exist
            | no such mailbox | mailbox not found | no inbox"""
        ),
    ),
    # Inside the server
    Row(
        "server-fault",
        (
            (
                "Dovecot",
                Stage.ARRIVAL,
                "NO [SERVERBUG] Internal error occurred. Refer to server log for more information.",
            ),
            ("qmail", Stage.GREETING, "421 unable to read controls (#4.3.0)"),
        ),
        _ALL,
        _ANY,
        frozenset({"SYS/PERM", "CORRUPTION", "X.3.5"}),
        _phrases(
            """auth process | unable to read | unable to open | unable to write | unable to unlink | unable to chdir
            | unable to stat | unable to scan | unable to exec | cannot open | can't open | cannot read
            | could not open | configuration error | misconfigur | server configuration | config error | corrupt
            | damaged | inconsistent | i/o error | refer to server log | this user has no | crashed | fatal"""
        ),
        _phrases("internal error | internal server error | unexpected error | system error | local error"),
    ),
    Row(
        "administrator-needed",
        (("Dovecot", Stage.LOGIN, "NO [CONTACTADMIN] Closed on request"),),
        _READING,
        _ANY,
        frozenset({"CONTACTADMIN"}),
    ),
    Row(
        "not-supported",
        (("Dovecot", Stage.SELECT, "NO [CANNOT] Renaming INBOX isn't supported."),),
        _READING,
        _FOLDER,
        frozenset({"CANNOT"}),
    ),
    Row(
        "refused-for-now",
        (("Rspamd", Stage.DATA, "451 4.7.1 Try again later"),),
        _SMTP,
        _MAIL,
        frozenset(),
        (),
        _phrases("try again | try later | later"),
        codes=frozenset({421, 450, 451, 452}),
    ),
    Row(
        "server-trouble",
        (
            ("Yahoo", Stage.SELECT, "NO [UNAVAILABLE] SELECT Server error - Please try again later"),
            ("Postfix", Stage.DATA, "451 4.3.0 Error: queue file write error"),
        ),
        _ALL,
        _ANY,
        frozenset({"UNAVAILABLE", "SYS/TEMP", "SERVERBUG", "LIMIT", "4.3.0", "4.7.0"}),
        _phrases(
            """retry later | could not be saved | queue file write error | write error | temporary local problem
            | temporary system problem | temporary server error | temporary problem | temporary failure
            | temporary error | temporarily unavailable | temporarily rejected | try later | local problem"""
        ),
        _phrases(
            """try again later | try again | temporar | unavailable | not available | backend | server error
            | unable to process | timeout | timed out | cannot connect | later | busy | internal error"""
        ),
        codes=frozenset({421, 450, 451, 432, 452}),
    ),
    Row(
        "mechanism-refused",
        (
            ("Exchange Server", Stage.LOGIN, "504 5.7.4 Unrecognized authentication type"),
            ("Exim", Stage.LOGIN, "504 FOO authentication mechanism not supported"),
        ),
        _ALL,
        _LOGIN,
        frozenset({"504 5.5.4", "X.7.4", "X.7.9"}),
        _phrases(
            """no mechanism | unknown authentication | unrecognized authentication | unsupported authentication
            | unsupported auth | unknown mechanism | unsupported mechanism | mechanism not supported
            | mechanism is not | mechanism unsupported | no such mechanism | invalid mechanism
            | invalid authentication mechanism | mechanism not available | method not supported"""
        ),
        _phrases(
            """authentication type | authentication mechanism | authentication method | auth mechanism | auth type
            | unsupported mechanism | mechanism"""
        ),
        codes=frozenset({504, 534}),
    ),
    Row(
        "wrong-credentials",
        (
            ("Postfix", Stage.LOGIN, "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6"),
            ("Exchange Server", Stage.LOGIN, "535 5.7.3 Authentication unsuccessful"),
        ),
        _ALL,
        _LOGIN,
        frozenset({"AUTHENTICATIONFAILED", "AUTH", "535 5.7.8", "535 5.7.3", "535 5.7.0", "535 5.7.1"}),
        (),
        _phrases(
            """authentication fail | authentication unsuccessful | login incorrect | login fail | login invalid
            | invalid login | bad login | login denied | logon fail | bad user | unknown user | no such user
            | invalid user | authentication error | auth fail | authorization failed | not authenticated"""
        ),
        codes=frozenset({535}),
    ),
    Row(
        "wrong-credentials",
        (("hMailServer", Stage.MAIL, "550 Login credentials no longer valid. Please re-authenticate."),),
        _SMTP,
        _MAIL,
        words=_phrases("""username or password | user name or password | login credentials | credentials no longer"""),
    ),
    Row(
        "content-refused",
        (("Orange", Stage.DATA, "550 5.2.0 Mail rejete. Mail rejected. ofr_506 [506]"),),
        _SMTP,
        frozenset({Stage.DATA}),
        vague_statuses=frozenset({"5.7.1", "5.7.0", "5.7.9", "X.6.0"}),
        codes=frozenset({550, 554}),
    ),
    Row(
        "refused-by-policy",
        (("Exim", Stage.RCPT, "550 Administrative prohibition"),),
        _SMTP,
        _MAIL | _OPENING,
        vague=("administrative prohibition",),
        vague_statuses=frozenset({"5.7.1", "5.7.0", "5.7.9"}),
    ),
    Row(
        "sender-refused",
        (("RFC 5321", Stage.MAIL, "550 Requested action not taken: mailbox unavailable"),),
        _SMTP,
        frozenset({Stage.MAIL}),
        codes=frozenset(range(510, 600)),
    ),
    Row(
        "refused",
        (("Hotmail", Stage.RCPT, "550 Requested action not taken: mailbox unavailable"),),
        _SMTP,
        frozenset({Stage.RCPT}),
        codes=frozenset(range(510, 600)),
    ),
    Row(
        "login-refused",
        (("RFC 3501", Stage.LOGIN, "NO"),),
        _READING,
        _LOGIN,
        codes=frozenset({0}),
    ),
)
