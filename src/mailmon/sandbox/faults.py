"""In which ways is the sandbox asked to misbehave just now?"""

from dataclasses import dataclass, field


@dataclass
class Faults:
    """Say how the sandbox misbehaves; every field may be changed while it runs and is read at each decision.

    A service is "smtp" or "imap" and means both its ports. A reply is the whole text after which the line ends,
    e.g. "450 4.2.0 greylisted". Without arguments the server behaves well.
    """

    # Connections
    refuse_connection: set[str] = field(default_factory=set)  # services that close right after accept
    silent: set[str] = field(default_factory=set)  # services that accept and never say anything, not even TLS
    plaintext_on_tls: bool = False  # the implicit-TLS IMAP port greets in plain text
    certificate: str = "good"  # "good", "expired", "wrong_name", "self_signed" or "soon" (5 days left)

    # Logins
    refuse_login: set[str] = field(default_factory=set)  # services that refuse right passwords too
    any_password: set[str] = field(default_factory=set)  # services that take any password for a mailbox
    exact_case: bool = False  # a login name in other letters than the account's is refused
    echo_credentials: bool = False  # a refused login is answered with the password in it
    login_disabled: bool = False  # IMAP LOGIN is refused under TLS as well; AUTHENTICATE PLAIN is not

    imap_login_delay_s: float = 0.0  # from the command to log in by IMAP to its answer
    preauth: bool = False  # IMAP greets with PREAUTH

    smtp_idle_s: float | None = None  # an SMTP session that says nothing for so long is ended
    smtp_goodbye: str | None = "421 4.4.2 sandbox Error: timeout exceeded"  # in these words, None: without any
    refused_helo: set[str] = field(default_factory=set)  # names in EHLO for which each RCPT is refused; "[" is literals
    no_smtputf8: bool = False  # SMTPUTF8 is not offered, and addresses in UTF-8 are refused

    # SMTP replies instead of 220 and 250
    greeting: str | None = None
    mail_reply: str | None = None
    rcpt_reply: str | None = None
    data_reply: str | None = None  # at the end of DATA; unless it starts with 2 nothing is delivered

    # What becomes of accepted mail
    lose_mail: bool = False
    delivery_delay_s: float = 0.0
    duplicate: bool = False
    duplicate_delay_s: float = 0.0  # from the first copy to the second
    bounce: str | None = None  # e.g. "5.2.2 mailbox full": a DSN to the envelope sender instead of delivery
    bounce_form: str | None = None  # as whom: qmail exim sendmail mailenable german french exim_delay postfix_delay
    bounce_headers_only: bool = False  # the DSN returns text/rfc822-headers, not message/rfc822
    folder: str = "INBOX"  # where mail lands, e.g. "Junk"
    strip_headers: bool = False  # X- header fields are removed
    glue: bool = False  # "List-Unsubscribe: <x>" is glued onto the last header line
    footer: bool = False  # text is appended to the body
    pixel: bool = False  # a picture that tells who reads it is put in front of </body>
    no_detail: bool = False  # user+detail is nobody

    # IMAP
    cut_imap: bool = False  # a selected connection is dropped at its next NOOP, SEARCH or IDLE
    drop_idle: bool = False  # IDLE is granted, then the connection is dropped
    read_only: bool = False  # SELECT answers [READ-ONLY]; STORE, EXPUNGE and MOVE answer NO
    no_store: bool = False  # STORE, EXPUNGE, COPY, MOVE and IDLE are unknown commands, though advertised
    no_uidplus: bool = False  # UIDPLUS is not advertised and UID EXPUNGE is unknown
    hidden_capabilities: set[str] = field(default_factory=set)  # not advertised, though they work
    more_capabilities: set[str] = field(default_factory=set)  # advertised after the login, whatever they mean
    quota: tuple[int, int] | None = None  # used and allowed storage in units of 1024 bytes; QUOTA is advertised
    search_lies: str | None = None  # "all": SEARCH finds every message; "none": it finds nothing
    late_exists: bool = False  # EXISTS comes only with a SEARCH that did not see the new message
    # What a FETCH of several whole messages gives from the second one on: "empty" ({0}), "nil", "short" (its first 40
    # bytes), "other_text" (that of the first one) or "other_uid" (its text under the UID of the next one)
    bad_fetch: str | None = None
    bad_fetch_alone: bool = False  # the same where a single message is asked for
    acl_without: str = ""  # rights that the account lacks: t (\\Deleted is not set, STORE says OK), e (EXPUNGE says NO)
    noop_expunge: bool = False  # EXPUNGE answers OK and removes nothing
    undone_expunge: bool = False  # EXPUNGE removes messages from the session's view only: the next SELECT shows them
    imap_refuses: set[str] = field(default_factory=set)  # commands on an open folder that are answered NO, e.g. FETCH
    imap_refusal: str = "[UNAVAILABLE] try again later"  # what they are answered with
    imap_refuses_for_s: float = 0.0  # how long after a session's first refusal, 0 for as long as it lasts
    frozen_view: bool = False  # what comes after SELECT or EXAMINE shows only after the next one
    shift_uids_at: set[str] = field(default_factory=set)  # commands before which each message gets its neighbour's UID
    chatter_bytes: float = 0.0  # so many bytes that nobody asked for come before the answer to each NOOP
