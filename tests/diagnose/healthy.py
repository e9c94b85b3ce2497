"""Servers that are healthy but unusual, and what may be reported of each: labels from the RFCs and from practice.

A server is what differs from an ordinary one: greetings, offers, replies by patterns, certificates. `{host}` is its
name, `{client}` the client's address, `{recipient}` and `{sender}` those of the transaction. `may` is all that may be
reported above info, `passes` what must have passed. The replies are those of the programs and providers named.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.healthy import May

# (pattern of a command, reply): the first that fits is said. RCPT is matched as "RCPT recipient FROM sender".
Rules = tuple[tuple[str, str], ...]


class Certificate(NamedTuple):
    """A certificate. `issuer`: public (in --ca-file), private (in none), self, lets-encrypt (public, with its name)."""

    names: tuple[str, ...] = ("{host}",)
    age_days: float = 30.0
    left_days: float = 60.0
    key: str = "ec"
    issuer: str = "public"
    with_sha1_root: bool = False


class Service(NamedTuple):
    """What a port does. `first` is in its place until a client has had a reply to RCPT and gone (postscreen)."""

    kind: str
    greeting: tuple[str, ...] = ()
    delay_s: float = 0.0
    gap_s: float = 0.0
    ehlo: str = "{host}"
    offers: tuple[str, ...] | None = None
    offers_in_tls: tuple[str, ...] | None = None
    rules: Rules = ()
    rules_before_tls: Rules = ()
    known: str = "250 2.1.5 Ok"
    unknown: str = "550 5.1.1 <{recipient}>: Recipient address rejected: User unknown in local recipient table"
    relay: str = "554 5.7.1 <{recipient}>: Relay access denied"
    takes_all: bool = False
    errors: int = 20
    one_at_a_time: bool = False
    certificates: tuple[Certificate, ...] = (Certificate(),)
    without_sni: Certificate | None = None
    client_certificate: str = ""
    tls_max: str = "1.3"
    first: Service | None = None


class Host(NamedTuple):
    """An address with services. `names` are what its PTR records say; `label` is its name below firm.example."""

    label: str
    services: tuple[Service, ...] = ()
    names: tuple[str, ...] | None = None


class Server(NamedTuple):
    """What is asked (`mailmon diagnose TARGET ARGUMENTS`, each port named unless `is_whole`), and the label."""

    name: str
    hosts: tuple[Host, ...]
    may: tuple[May, ...] = ()
    passes: str = ""
    records: str = ""
    target: str = ""
    is_whole: bool = False
    is_secure: bool = False
    arguments: tuple[str, ...] = ()


def _smtp(name: str, label: str, *may: May, passes: str = "smtp.open_relay", **given: object) -> Server:
    """Return a server with port 25 alone."""
    service = Service("smtp")._replace(**given)  # type: ignore[arg-type]
    return Server(name, (Host(label, (service,)),), may, passes)


EXTENSIONS = May("smtp.ext_missing", "notice", "extensions are optional (RFC 5321 section 2.2)")
NO_RELAY_SEEN = May("smtp.open_relay", "unknown", "a refusal for another reason says nothing about relaying")
NO_VRFY_SEEN = May("smtp.vrfy_enabled", "unknown", "a refusal for another reason says nothing about VRFY")
NO_TLS13 = May("tls.no_tls13", "notice", "TLS 1.2 is still allowed (RFC 9325 section 3.1.1)")
DIFFERS = May("tls.cert_differs_between_ports", "notice", "two certificates, each right for its name")
MODERN = ("PIPELINING", "SIZE 36700160", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "CHUNKING", "DSN")


def _dialect(program: str, label: str, relay: str, *, greeting: str = "220 {host} ESMTP", **given: object) -> Server:
    """Return a server that refuses to relay in the words of a program."""
    may = given.pop("may", ())
    assert isinstance(may, tuple)
    passes = str(given.pop("passes", "smtp.open_relay"))
    name = f"{program} refuses to relay in its own words"
    return _smtp(name, label, EXTENSIONS, *may, passes=passes, relay=relay, greeting=(greeting,), **given)


DIALECTS = (
    _dialect(
        "Exim",
        "exim",
        "550 relay not permitted",
        greeting="220 {host} ESMTP Exim 4.96 Mon, 30 Nov 2026 12:00:00 +0000",
        ehlo="{host} Hello localhost [{client}]",
        offers=("SIZE 52428800", "8BITMIME", "PIPELINING", "PIPECONNECT", "CHUNKING", "PRDR", "HELP"),
        known="250 Accepted",
        unknown="550 Unrouteable address",
        rules=(("^VRFY", "252 VRFY not available"), ("^EXPN", "550 Administrative prohibition")),
    ),
    _dialect(
        "Courier",
        "courier",
        "513 Relaying denied.",
        ehlo="{host} Ok.",
        offers=("XVERP=Courier", "XEXDATA", "XSECURITY=NONE,STARTTLS", "PIPELINING", "8BITMIME", "SIZE", "DSN"),
        known="250 Ok.",
        unknown="550 User unknown.",
        rules=(("^VRFY", "252 Try RCPT TO instead."), ("^EXPN", "502 EXPN disabled.")),
    ),
    _dialect(
        "Sendmail",
        "sendmail",
        "550 5.7.1 <{recipient}>... Relaying denied",
        greeting="220 {host} ESMTP Sendmail 8.17.1/8.17.1; Mon, 30 Nov 2026 12:00:00 GMT",
        ehlo="{host} Hello localhost [{client}], pleased to meet you",
        offers=("ENHANCEDSTATUSCODES", "PIPELINING", "8BITMIME", "SIZE 10000000", "DSN", "ETRN", "DELIVERBY", "HELP"),
        known="250 2.1.5 <{recipient}>... Recipient ok",
        unknown="550 5.1.1 <{recipient}>... User unknown",
        rules=(
            ("^VRFY", "252 2.5.2 Cannot VRFY user; try RCPT to attempt delivery (or try finger)"),
            ("^EXPN", "502 5.7.0 Sorry, we do not allow this operation"),
        ),
    ),
    _dialect(
        "Sendmail, to a client without a name,",
        "sendmail-noname",
        "550 5.7.1 <{recipient}>... Relaying denied. IP name lookup failed [{client}]",
        passes="",
        may=(NO_RELAY_SEEN,),
        greeting="220 {host} ESMTP Sendmail 8.15.2; Mon, 30 Nov 2026 12:00:00 GMT",
    ),
    _dialect(
        "qmail",
        "qmail",
        "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
        offers=("PIPELINING", "8BITMIME"),
        known="250 ok",
        takes_all=True,
        rules=(("^VRFY", "252 send some mail, i'll try my best"), ("^EXPN", "502 unimplemented (#5.5.1)")),
    ),
    _dialect(
        "OpenSMTPD",
        "opensmtpd",
        "550 Invalid recipient: <{recipient}>",
        greeting="220 {host} ESMTP OpenSMTPD",
        ehlo="{host} Hello localhost [{client}], pleased to meet you",
        offers=("8BITMIME", "ENHANCEDSTATUSCODES", "SIZE 36700160", "DSN", "HELP"),
        known="250 2.1.5 Destination address valid: Recipient ok",
        unknown="550 Invalid recipient: <{recipient}>",
        rules=(("^(VRFY|EXPN)", "500 5.5.1 Invalid command: Command not supported"),),
    ),
    _dialect(
        "Exchange",
        "exchange",
        "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain",
        greeting="220 {host} Microsoft ESMTP MAIL Service ready at Mon, 30 Nov 2026 12:00:00 +0000",
        ehlo="{host} Hello [{client}]",
        offers=(
            "SIZE 37748736",
            "PIPELINING",
            "DSN",
            "ENHANCEDSTATUSCODES",
            "X-ANONYMOUSTLS",
            "AUTH NTLM",
            "X-EXPS GSSAPI NTLM",
            "8BITMIME",
            "BINARYMIME",
            "CHUNKING",
            "XRDST",
        ),
        known="250 2.1.5 Recipient OK",
        rules=(("^VRFY", "252 2.1.5 Cannot VRFY user"), ("^EXPN", "500 5.3.3 Unrecognized command 'EXPN'")),
    ),
    _dialect("Exchange of long ago", "exchange-old", "550 5.7.1 Unable to relay for {recipient}"),
    _dialect(
        "Exchange Online, at which no mailbox of the host's own name exists,",
        "exo",
        "550 5.7.64 TenantAttribution; Relay Access Denied [AM5EUR03FT017.eop-EUR03.prod.provider.example]",
        unknown="550 5.4.1 Recipient address rejected: Access denied. [AM5EUR03FT017.eop-EUR03.prod.provider.example]",
        rules=(("^RCPT [^@]+@exo", "550 5.4.1 Recipient address rejected: Access denied."),),
    ),
    _dialect(
        "Haraka",
        "haraka",
        "550 I cannot deliver mail for <{recipient}>",
        greeting="220 {host} ESMTP Haraka/3.0.3 ready (5E3B1C2A)",
        ehlo="{host} Hello localhost [{client}], Haraka is at your service.",
        offers=("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 0"),
        known="250 recipient <{recipient}> OK",
        rules=(
            ("^VRFY", "252 Just try sending a mail and we'll see how it turns out..."),
            ("^EXPN", "500 Unrecognized command"),
        ),
    ),
    _dialect(
        "Postfix as Debian ships it",
        "postfix-debian",
        "454 4.7.1 <{recipient}>: Relay access denied",
        greeting="220 {host} ESMTP Postfix (Debian/GNU)",
    ),
    _dialect(
        "hMailServer",
        "hmailserver",
        "550 Delivery is not allowed to this address.",
        offers=("SIZE 20480000", "HELP"),
        unknown="550 Unknown user",
    ),
    _dialect(
        "James",
        "james",
        "550 5.7.1 Requested action not taken: relaying denied",
        greeting="220 {host} SMTP Server (JAMES SMTP Server ) ready",
    ),
    _dialect(
        "Stalwart",
        "stalwart",
        "550 5.1.2 Relay not allowed.",
        greeting="220 {host} Stalwart ESMTP at your service",
        ehlo="{host} you had me at EHLO",
        unknown="550 5.1.2 Mailbox does not exist.",
        rules=(("^(VRFY|EXPN)", "252 2.5.1 VRFY is disabled."),),
    ),
    _dialect("Kerio Connect", "kerio", "550 5.7.1 Relaying to <{recipient}> denied (authentication required)"),
    _dialect("Domino", "domino", "554 Relay rejected for policy reasons."),
    _dialect("Mercury", "mercury", "553 We do not relay non-local mail, sorry.", offers=("SIZE 0", "HELP")),
    _dialect("IMail", "imail", "550 not local host example.com, not a gateway", offers=("SIZE 0", "8BITMIME")),
    _dialect(
        "MailEnable",
        "mailenable",
        "503 This mail server requires authentication when attempting to send to a "
        "non-local e-mail address. Please check your mail client settings.",
        offers=("SIZE 20480000", "HELP"),
    ),
    _dialect(
        "chasquid",
        "chasquid",
        "503 5.7.1 relay not allowed",
        errors=3,
        may=(NO_VRFY_SEEN,),
        ehlo="{host} - Your hour of destiny has come",
        offers=("8BITMIME", "PIPELINING", "SMTPUTF8", "ENHANCEDSTATUSCODES", "SIZE 52428800", "HELP"),
        rules=(("^(VRFY|EXPN)", "502 5.5.1 Command not implemented"),),
    ),
)

GREYLIST = "451 4.7.1 Greylisting in action, please come back in 00:05:00"
LATER = "450 4.3.2 Service currently unavailable"
_POSTSCREEN = Service(
    "smtp",
    ("220-{host} ESMTP Postfix", "220 {host} ESMTP Postfix"),
    gap_s=0.5,
    offers=("SIZE 36700160", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN"),
    rules=(("^(RCPT|VRFY|EXPN)", LATER),),
)
POLICIES = (
    _smtp(
        "postscreen lets the first contact only try, and offers no PIPELINING",
        "postscreen",
        EXTENSIONS,
        NO_RELAY_SEEN,
        NO_VRFY_SEEN,
        passes="",
        first=_POSTSCREEN,
    ),
    _smtp(
        "postgrey puts off known mailboxes, and relaying is refused before",
        "postgrey",
        known="450 4.2.0 <{recipient}>: Recipient address rejected: Greylisted, see http://firm.example/greylist",
    ),
    _smtp(
        "greylisting of every recipient, before anything else is said",
        "greylist-451",
        NO_RELAY_SEEN,
        passes="",
        rules=(("^RCPT", GREYLIST),),
    ),
    _smtp(
        "greylisting in the words of another, with 450",
        "greylist-450",
        NO_RELAY_SEEN,
        passes="",
        rules=(("^RCPT", "450 4.7.0 Temporarily deferred, try again later"),),
    ),
    _smtp(
        "a callout asks whether the sender exists, and it does not",
        "callout",
        EXTENSIONS,
        NO_RELAY_SEEN,
        passes="",
        relay="550 relay not permitted",
        rules=(
            (
                "^RCPT .* FROM .*@example",
                "550-Verification failed for <{sender}>\n550-The mail server could not deliver "
                "mail to {sender}.\n550 Sender verify failed",
            ),
        ),
    ),
    _smtp(
        "a callout that does not end in time",
        "callout-later",
        NO_RELAY_SEEN,
        passes="",
        rules=(("^RCPT .* FROM .*@", "451 Could not complete sender verify callout"),),
    ),
    _smtp(
        "senders whose domain takes no mail are refused, the null sender is not",
        "sender-domain",
        rules=(
            (
                "^RCPT .* FROM .*@example",
                "550 5.7.27 <{sender}>: Sender address rejected: Domain example.net does not accept mail (nullMX)",
            ),
        ),
    ),
    _smtp(
        "it wants a full host name in EHLO, and says so to each recipient",
        "helo-fqdn",
        NO_RELAY_SEEN,
        passes="",
        rules=(("^RCPT", "504 5.5.2 <monitor>: Helo command rejected: need fully-qualified hostname"),),
    ),
    _smtp(
        "a block list has our address, and RCPT says so",
        "dnsbl",
        NO_RELAY_SEEN,
        NO_VRFY_SEEN,
        passes="",
        rules=(
            ("^RCPT", "554 5.7.1 Service unavailable; Client host [{client}] blocked using bl.example"),
            ("^VRFY", "554 5.7.1 Service unavailable; Client host [{client}] blocked using bl.example"),
        ),
    ),
    _smtp(
        "a block list has our address, and the greeting says so",
        "dnsbl-greeting",
        May("*", "unknown", "whoever refuses our address in the greeting shows us nothing else"),
        passes="",
        greeting=("554 5.7.1 {host} Service unavailable; Client host [{client}] blocked using bl.example",),
    ),
    _smtp("the greeting comes after 5.2 s", "tarpit", delay_s=5.2),
    _smtp(
        "a greeting of many lines, and extensions nobody has heard of",
        "many-lines",
        greeting=("220-{host} ESMTP", "220-Only authorised use.", "220-We do not accept bulk mail", "220 ready"),
        offers=(
            *MODERN,
            "LIMITS MAILMAX=100 RCPTMAX=100",
            "REQUIRETLS",
            "DELIVERBY 3600",
            "FUTURERELEASE 864000 0",
            "MT-PRIORITY",
            "BURL imap",
            "X-FOO=bar,baz",
            "NO-SOLICITING net.example:ADV",
        ),
    ),
    _smtp("a backup MX takes any recipient of its domains, and no other", "backup", takes_all=True),
    Server(
        "it takes local recipients without a domain, of any shape",
        (
            Host(
                "unqualified",
                (
                    Service(
                        "smtp", rules=(("^RCPT [^@]* FROM", "250 2.1.5 Ok"), ('^RCPT "[^"]*" FROM', "250 2.1.5 Ok"))
                    ),
                ),
            ),
        ),
        (NO_RELAY_SEEN,),
        arguments=("--relay-test",),
    ),
    Server(
        "a domain that takes any mailbox, all forms of relaying tried",
        (Host("catchall", (Service("smtp", takes_all=True),)),),
        (NO_RELAY_SEEN,),
        arguments=("--relay-test",),
    ),
    _smtp(
        "only one connection at a time for each client",
        "single",
        May("*", "unknown", "it did not answer all of us"),
        passes="",
        one_at_a_time=True,
    ),
)

_AFTER_TLS = Service(
    "submission",
    offers_in_tls=(*MODERN, "AUTH PLAIN LOGIN XOAUTH2"),
    rules_before_tls=(("^MAIL", "530 5.7.0 Must issue a STARTTLS command first"),),
)
_DEMANDED = May("*", "unknown", "a port that demands a certificate of the client can be seen only so far")
PORTS = (
    Server("AUTH is offered only in TLS", (Host("submit", (_AFTER_TLS,)),)),
    Server("a host for submission only", (Host("submit-only", (_AFTER_TLS, Service("smtps"))),), is_whole=True),
    Server(
        "logins before TLS that do not show the password",
        (
            Host(
                "scram",
                (
                    Service("submission", offers=(*MODERN, "AUTH CRAM-MD5 SCRAM-SHA-256 GSSAPI")),
                    Service(
                        "imap",
                        offers=(
                            "IMAP4rev1",
                            "SASL-IR",
                            "STARTTLS",
                            "LOGINDISABLED",
                            "AUTH=SCRAM-SHA-256",
                            "AUTH=GSSAPI",
                        ),
                    ),
                    Service(
                        "pop3",
                        greeting=("+OK POP3 ready <1896.697170952@{host}>",),
                        offers=("TOP", "UIDL", "SASL CRAM-MD5", "STLS"),
                    ),
                ),
            ),
        ),
    ),
    Server(
        "a certificate of the client is demanded on one port",
        (Host("client-cert", (_AFTER_TLS, Service("smtps", client_certificate="demanded"))),),
        (_DEMANDED,),
    ),
    Server(
        "a certificate of the client is asked for, and needed nowhere",
        (
            Host(
                "client-cert-asked",
                (Service("smtp", client_certificate="asked"), Service("imaps", client_certificate="asked")),
            ),
        ),
    ),
    Server(
        "a Dovecot proxy: no login before TLS",
        (
            Host(
                "proxy",
                (
                    Service(
                        "imap",
                        greeting=(
                            "* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ STARTTLS "
                            "LOGINDISABLED] Dovecot (Debian) ready.",
                        ),
                        offers=(
                            "IMAP4rev1",
                            "SASL-IR",
                            "LOGIN-REFERRALS",
                            "ID",
                            "ENABLE",
                            "IDLE",
                            "LITERAL+",
                            "STARTTLS",
                            "LOGINDISABLED",
                        ),
                    ),
                    Service("pop3", greeting=("+OK Dovecot (Debian) ready.",)),
                    Service("sieve"),
                ),
            ),
        ),
    ),
    Server(
        "an nginx proxy shows few capabilities",
        (
            Host(
                "nginx",
                (
                    Service(
                        "imaps",
                        greeting=("* OK IMAP4 ready",),
                        offers=("IMAP4", "IMAP4rev1", "UIDPLUS", "IDLE", "AUTH=PLAIN"),
                    ),
                    Service("pop3s", greeting=("+OK POP3 ready",), offers=("TOP", "USER", "UIDL")),
                ),
            ),
        ),
    ),
    Server(
        "a server that takes LOGIN only in TLS, and says it in its own way",
        (
            Host(
                "imap4d",
                (
                    Service(
                        "imap",
                        offers=(
                            "IMAP4rev1",
                            "NAMESPACE",
                            "ID",
                            "IDLE",
                            "LITERAL+",
                            "UNSELECT",
                            "STARTTLS",
                            "XTLSREQUIRED",
                        ),
                        rules_before_tls=(("LOGIN", "{tag} NO LOGIN Command disabled"),),
                    ),
                ),
            ),
        ),
        (May("imap.auth_before_tls", "notice", "LOGIN is refused before TLS, though LOGINDISABLED is not said"),),
    ),
    Server("POP3 on 995 only", (Host("pop-only", (Service("pop3s"),)),), is_whole=True),
    Server(
        "ManageSieve in small letters",
        (
            Host(
                "sieve-lower",
                (
                    Service(
                        "sieve",
                        greeting=(
                            '"implementation" "Cyrus timsieved v3.6.1"',
                            '"sasl" ""',
                            '"sieve" "fileinto reject"',
                            '"starttls"',
                            '"unauthenticate"',
                            "ok",
                        ),
                        rules=(("^LOGOUT", 'ok "bye"'), ("^STARTTLS", 'ok "begin TLS"')),
                    ),
                ),
            ),
        ),
    ),
    Server(
        "ManageSieve with literals and response codes",
        (
            Host(
                "sieve-literal",
                (
                    Service(
                        "sieve",
                        greeting=(
                            '"IMPLEMENTATION" {8}',
                            "Dovecot!",
                            '"SASL" ""',
                            '"SIEVE" {15}',
                            "fileinto reject",
                            '"STARTTLS"',
                            '"VERSION" "1.0"',
                            "OK (TAG {3}",
                            'abc) "ready"',
                        ),
                    ),
                ),
            ),
        ),
    ),
    Server(
        "TLS 1.2 and nothing newer",
        (Host("tls12", (Service("smtp", tls_max="1.2"), Service("imaps", tls_max="1.2"))),),
        (NO_TLS13,),
    ),
)

_SIX = Certificate(age_days=1, left_days=5.6)
_SIX_HALF = Certificate(age_days=3.4, left_days=3.3)
_FRESH, _HALF = Certificate(age_days=1, left_days=44), Certificate(age_days=24, left_days=21)
_IGNORED = May("tls.cert_*", "notice", "DANE decides at port 25, and there the key alone counts (RFC 7671 section 5.1)")


def _shown(name: str, label: str, *shown: Certificate, kinds: str = "smtp imaps", **given: object) -> Server:
    services = tuple(Service(kind, certificates=shown) for kind in kinds.split())
    server = Server(name, (Host(label, services),))
    return server._replace(**given)  # type: ignore[arg-type]


CERTIFICATES = (
    _shown("a certificate of six days, one day old", "six", _SIX),
    _shown("a certificate of six days, at half of its time", "six-half", _SIX_HALF),
    _shown("a certificate of 45 days, fresh", "days45", _FRESH),
    _shown("a certificate of 45 days, at half of its time", "days45-half", _HALF),
    _shown("an RSA certificate and an ECDSA certificate", "dual", Certificate(), Certificate(key="rsa")),
    Server(
        "one service shows RSA, the other ECDSA",
        (Host("each-its-own", (Service("smtp", certificates=(Certificate(key="rsa"),)), Service("imaps"))),),
        (DIFFERS,),
    ),
    _shown("a certificate for all names of the domain", "wild", Certificate(names=("*.firm.example",))),
    _shown("the host's name is one of many", "many", Certificate(names=("firm.example", "www.firm.example", "{host}"))),
    Server(
        "without a name in the handshake another certificate is shown",
        (
            Host(
                "sni",
                (
                    Service("smtp", without_sni=Certificate(names=("hoster.example",))),
                    Service("imaps", without_sni=Certificate(names=("hoster.example",))),
                ),
            ),
        ),
    ),
    _shown(
        "an old root signed with SHA-1 is sent along, and nobody needs it", "cross", Certificate(with_sha1_root=True)
    ),
    _shown(
        "a host with letters outside ASCII, as people write it",
        "xn--bcher-kva",
        Certificate(),
        target="bücher.firm.example",
    ),
    _shown(
        "DANE with a self-signed certificate",
        "dane-self",
        Certificate(issuer="self"),
        kinds="smtp",
        may=(_IGNORED,),
        records="_25._tcp.dane-self TLSA 3 1 1 {leaf}",
        is_secure=True,
    ),
    _shown(
        "DANE with a certificate that has expired",
        "dane-old",
        Certificate(age_days=100, left_days=-10),
        kinds="smtp",
        may=(_IGNORED,),
        records="_25._tcp.dane-old TLSA 3 1 1 {leaf}",
        is_secure=True,
    ),
    _shown(
        "DANE with a certificate for another name",
        "dane-name",
        Certificate(names=("old.firm.example",)),
        kinds="smtp",
        may=(_IGNORED,),
        records="_25._tcp.dane-name TLSA 3 0 1 {leaf_certificate}",
        is_secure=True,
    ),
    _shown(
        "DANE with a private CA",
        "dane-ca",
        Certificate(issuer="private"),
        kinds="smtp",
        may=(_IGNORED,),
        records="_25._tcp.dane-ca TLSA 2 1 1 {ca}",
        is_secure=True,
    ),
    _shown(
        "DANE while keys roll over",
        "dane-roll",
        Certificate(),
        kinds="smtp",
        is_secure=True,
        records=f"_25._tcp.dane-roll TLSA 3 1 1 {{leaf}}\n_25._tcp.dane-roll TLSA 3 1 1 {'ab' * 32}",
    ),
    Server(
        "DANE with a private certificate at port 25, a public one for clients",
        (Host("dane-two", (Service("smtp", certificates=(Certificate(issuer="self"),)), Service("imaps"))),),
        (DIFFERS, May("tls.cert_self_signed", "notice", _IGNORED.why)),
        records="_25._tcp.dane-two TLSA 3 1 1 {leaf}",
        is_secure=True,
    ),
)

_PLAIN = (Service("smtp"),)
NAMES = (
    _smtp(
        "its banner has another name, which resolves",
        "gateway",
        greeting=("220 gw7.provider.example ESMTP",),
        ehlo="gw7.provider.example",
    ),
    _smtp(
        "its banner has the name of the domain",
        "domain-banner",
        greeting=("220 firm.example ESMTP",),
        ehlo="firm.example",
    ),
    Server(
        "its address has three names, of which one leads back",
        (Host("names", _PLAIN, ("gone.firm.example", "names.firm.example", "www.shop.example")),),
    ),
    Server(
        "its address has the name of the provider's, which leads back",
        (Host("named", _PLAIN, ("server7.firm.example",)),),
        records="server7 A {named}",
    ),
    Server("inside, its address is private and has no name (split horizon)", (Host("inside", _PLAIN, ()),)),
    Server("a host with two addresses", (Host("both", _PLAIN), Host("both", _PLAIN))),
    Server(
        "the first MX host is closed on purpose (nolisting)",
        (Host("nolist1"), Host("nolist2", _PLAIN)),
        (
            May(
                "tcp.unreachable",
                "warning",
                "a first MX host that refuses is unusual, and senders go on (RFC 5321 5.1)",
            ),
        ),
        records="nolisting MX 10 nolist1\nnolisting MX 20 nolist2",
        target="nolisting.firm.example",
    ),
    Server(
        "a domain that takes no mail, with a web server",
        (Host("web", (), ()),),
        (May("*", "unknown", "there is no server to be looked at"),),
        records="nomail MX 0 .\nnomail A {web}",
        target="nomail.firm.example",
        is_whole=True,
    ),
    Server(
        "its MX hosts are in another domain",
        (Host("far1", _PLAIN), Host("far2", _PLAIN)),
        records="customer MX 10 far1\ncustomer MX 10 far2",
        target="customer.firm.example",
    ),
)

_TOLD = "CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED"
_IMAP_TELLS = {
    "on two lines": Service(
        "imap",
        rules_before_tls=(
            ("^CAPABILITY", "* CAPABILITY IMAP4rev1\n* CAPABILITY STARTTLS LOGINDISABLED\n{tag} OK done"),
        ),
    ),
    "only in a response code": Service("imap", rules_before_tls=(("^CAPABILITY", f"{{tag}} OK [{_TOLD}] done"),)),
    "only in its greeting": Service(
        "imap", greeting=(f"* OK [{_TOLD}] ready",), rules_before_tls=(("^CAPABILITY", "{tag} BAD unknown command"),)
    ),
}
_LOWER = ("pipelining", "size 36700160", "8bitmime", "smtputf8", "enhancedstatuscodes", "chunking", "dsn", "starttls")
_NO_CHANNEL = May("*", "unknown", "whoever turns us away for our address or our pace shows us nothing of this")
MORE = (
    *(
        _smtp(f"it refuses a foreign recipient in its own words: {words}", f"words{number}", relay=words)
        for number, words in enumerate(
            (
                "550 5.7.1 <{recipient}>: Recipient address rejected: Access denied",
                "550 5.7.1 Weiterleitung an {recipient} verweigert",
                "550 5.7.1 Relais refuse pour <{recipient}>",
                "550 5.1.1 <{recipient}>: Destinatario desconocido",
                "551 User not local; please try <forward-path>",
                "571 Delivery not authorized, message refused",
                "553 5.7.1 Sorry, that domain isn't in my list of allowed rcpthosts",
                "550 Administrative prohibition",
                "550 5.7.1 Kein Relay",
                "550 5.7.1",
            )
        )
    ),
    _smtp(
        "a rate limit at MAIL",
        "rate-mail",
        NO_RELAY_SEEN,
        NO_VRFY_SEEN,
        passes="",
        rules=(("^MAIL", "450 4.7.1 Error: too much mail from {client}"),),
    ),
    _smtp(
        "a rate limit in the greeting",
        "rate-greeting",
        _NO_CHANNEL,
        May("smtp.greeting_rejected", "warning", "a 4xx greeting, seen from here"),
        passes="",
        greeting=("421 4.7.0 {host} Too many connections from {client}, try again later",),
    ),
    _smtp(
        "SPF is enforced, and our sender's record allows nobody",
        "spf-policy",
        NO_RELAY_SEEN,
        passes="",
        rules=(("^RCPT .* FROM .*@example", "550 5.7.23 SPF validation failed for {client} and {sender}"),),
    ),
    _smtp("keywords in small letters", "lower", offers=_LOWER),
    _smtp(
        "replies of nothing but a code",
        "bare",
        greeting=("220 {host}",),
        known="250",
        rules=(("^MAIL", "250"), ("^RSET", "250"), ("^VRFY", "252")),
    ),
    _smtp(
        "a name in capitals and with a final dot",
        "capitals",
        greeting=("220 CAPITALS.FIRM.EXAMPLE. ESMTP",),
        ehlo="CAPITALS.FIRM.EXAMPLE",
    ),
    _smtp(
        "VRFY is disabled with 550",
        "vrfy550",
        May("smtp.vrfy_enabled", "notice", "a refusal of every name shows none"),
        rules=(("^(VRFY|EXPN)", "550 5.7.1 Access denied"),),
    ),
    _smtp(
        "VRFY repeats what was asked, with 252",
        "vrfy252",
        rules=(("^VRFY", "252 2.0.0 postmaster"), ("^EXPN", "550 5.7.2 Access denied to you")),
    ),
    Server(
        "everything needs a login",
        (
            Host(
                "login",
                (
                    Service("submission", rules=(("^(MAIL|VRFY|EXPN)", "530 5.7.0 Authentication required"),)),
                    Service("smtps", rules=(("^(MAIL|VRFY|EXPN)", "530 5.7.0 Authentication required"),)),
                ),
            ),
        ),
    ),
    Server(
        "IMAP in small letters, with an alert and version 4rev2",
        (
            Host(
                "imap-lower",
                (
                    Service(
                        "imap",
                        greeting=("* ok [alert] maintenance tonight",),
                        offers=("imap4rev2", "imap4rev1", "starttls", "logindisabled"),
                    ),
                    Service(
                        "imaps", greeting=("* OK [ALERT] maintenance tonight",), offers=("IMAP4rev2", "AUTH=PLAIN")
                    ),
                ),
            ),
        ),
    ),
    *(
        Server(f"IMAP that tells its capabilities {where}", (Host(f"imap-told{number}", (service,)),))
        for number, (where, service) in enumerate(_IMAP_TELLS.items())
    ),
    Server(
        "IMAP that says in literals what it is",
        (
            Host(
                "imap-id",
                (
                    Service(
                        "imap",
                        offers=("IMAP4rev1", "ID", "STARTTLS", "LOGINDISABLED"),
                        rules=(
                            (
                                "^ID",
                                '* ID ("name" {11}\nCyrus\nIMAPD "version" {0}\n "support-url" NIL)\n{tag} OK done {3}',
                            ),
                        ),
                    ),
                ),
            ),
        ),
    ),
    Server(
        "POP3 that knows no CAPA, in TLS",
        (Host("no-capa", (Service("pop3s", rules=(("^CAPA", "-ERR unknown command"),)),)),),
    ),
    Server(
        "ManageSieve of Cyrus, which names a mechanism before TLS that shows no password",
        (
            Host(
                "sieve-cyrus",
                (
                    Service(
                        "sieve",
                        offers=(
                            '"IMPLEMENTATION" "Cyrus timsieved v3.6.1"',
                            '"SASL" "SCRAM-SHA-1"',
                            '"SIEVE" "comparator-i;ascii-numeric fileinto"',
                            '"STARTTLS"',
                            '"MAXREDIRECTS" "4"',
                            '"UNAUTHENTICATE"',
                        ),
                    ),
                ),
            ),
        ),
    ),
    _shown("a certificate of ten days, at half of its time", "ten", Certificate(age_days=5, left_days=5), kinds="smtp"),
    _shown(
        "a certificate of 398 days, with a month left", "year", Certificate(age_days=367, left_days=31), kinds="imaps"
    ),
    _shown(
        "a certificate for two names and a wildcard of another domain",
        "mixed",
        Certificate(names=("*.shop.example", "firm.example", "{host}")),
        kinds="smtp submission",
    ),
    Server(
        "two addresses that show two certificates for the same name, while one is renewed",
        (
            Host("renewing", (Service("smtp", certificates=(Certificate(age_days=80, left_days=40),)),)),
            Host("renewing", (Service("smtp", certificates=(Certificate(age_days=1, left_days=89),)),)),
        ),
        (DIFFERS,),
    ),
    Server(
        "two MX hosts, each with a certificate for its own name",
        (Host("mx-a", _PLAIN), Host("mx-b", _PLAIN)),
        records="pair MX 10 mx-a\npair MX 20 mx-b",
        target="pair.firm.example",
    ),
    Server(
        "a backup MX that takes all, behind one that knows its mailboxes",
        (Host("first", _PLAIN), Host("second", (Service("smtp", takes_all=True),))),
        records="backed MX 10 first\nbacked MX 20 second",
        target="backed.firm.example",
    ),
)

SERVERS = (*DIALECTS, *POLICIES, *PORTS, *CERTIFICATES, *NAMES, *MORE)
