"""Faults of the sandbox, each with the description that `mailmon sandbox --list-faults` prints."""

from dataclasses import dataclass, field
from typing import Annotated


@dataclass
class Faults:
    """Faults to inject into the sandbox; every field may be changed while it runs and is read at each decision.

    A service is "smtp" or "imap" and means both its ports. A reply is the whole text after which the line ends,
    e.g. "450 4.2.0 greylisted". Without arguments the server behaves well.
    """

    # Connections
    refuse_connection: Annotated[set[str], "services that close each connection at once"] = field(default_factory=set)
    silent: Annotated[set[str], "services that accept connections and never answer, not even the TLS handshake"] = (
        field(default_factory=set)
    )
    plaintext_on_tls: Annotated[bool, "the IMAP port for implicit TLS greets in plain text"] = False
    certificate: Annotated[
        str, 'certificate shown: "good", "expired", "wrong_name", "self_signed" or "soon" (5 days left)'
    ] = "good"

    # Logins
    refuse_login: Annotated[set[str], "services that refuse the right password"] = field(default_factory=set)
    any_password: Annotated[set[str], "services that accept any password"] = field(default_factory=set)
    exact_case: Annotated[bool, "login names are case-sensitive"] = False
    echo_credentials: Annotated[bool, "a refused login is answered with the password in it"] = False
    login_disabled: Annotated[bool, "IMAP LOGIN is refused under TLS too; AUTHENTICATE PLAIN works"] = False

    imap_login_delay_s: Annotated[float, "seconds before an IMAP login is answered"] = 0.0
    preauth: Annotated[bool, "IMAP greets with PREAUTH"] = False

    smtp_idle_s: Annotated[float | None, "an SMTP session that is idle for this many seconds is closed"] = None
    smtp_goodbye: Annotated[str | None, "reply to an idle SMTP session before it is closed; None: no reply"] = (
        "421 4.4.2 sandbox Error: timeout exceeded"
    )
    refused_helo: Annotated[set[str], 'names in EHLO for which every RCPT is refused; "[": address literals'] = field(
        default_factory=set
    )
    no_smtputf8: Annotated[bool, "SMTPUTF8 is not offered, and addresses in UTF-8 are refused"] = False

    # SMTP replies instead of 220 and 250
    greeting: Annotated[str | None, "SMTP greeting instead of 220"] = None
    mail_reply: Annotated[str | None, "reply to MAIL instead of 250"] = None
    rcpt_reply: Annotated[str | None, "reply to RCPT instead of 250"] = None
    data_reply: Annotated[str | None, "reply after DATA; unless it starts with 2 nothing is delivered"] = None

    # What becomes of accepted mail
    lose_mail: Annotated[bool, "accepted mail is never delivered"] = False
    delivery_delay_s: Annotated[float, "seconds before accepted mail is delivered"] = 0.0
    duplicate: Annotated[bool, "mail is delivered twice"] = False
    duplicate_delay_s: Annotated[float, "seconds from the first copy to the second"] = 0.0
    bounce: Annotated[
        str | None, 'a DSN to the envelope sender instead of delivery, for example "5.2.2 mailbox full"'
    ] = None
    bounce_form: Annotated[
        str | None, "whose bounce: qmail exim sendmail mailenable german french exim_delay postfix_delay"
    ] = None
    bounce_headers_only: Annotated[bool, "the DSN returns text/rfc822-headers, not message/rfc822"] = False
    folder: Annotated[str, 'folder that mail is delivered to, for example "Junk"'] = "INBOX"
    strip_headers: Annotated[bool, "X- header fields are removed"] = False
    glue: Annotated[bool, '"List-Unsubscribe: <x>" is appended to the last header line'] = False
    footer: Annotated[bool, "text is appended to the body"] = False
    pixel: Annotated[bool, "a tracking pixel is inserted before </body>"] = False
    no_detail: Annotated[bool, "user+detail is an unknown user"] = False

    # IMAP
    cut_imap: Annotated[bool, "the connection is dropped at the next NOOP, SEARCH or IDLE in an open folder"] = False
    drop_idle: Annotated[bool, "IDLE is accepted, then the connection is dropped"] = False
    read_only: Annotated[bool, "SELECT answers [READ-ONLY]; STORE, EXPUNGE and MOVE answer NO"] = False
    no_store: Annotated[bool, "STORE, EXPUNGE, COPY, MOVE and IDLE are unknown commands, although advertised"] = False
    no_uidplus: Annotated[bool, "UIDPLUS is not advertised and UID EXPUNGE is unknown"] = False
    hidden_capabilities: Annotated[set[str], "capabilities that work but are not advertised"] = field(
        default_factory=set
    )
    more_capabilities: Annotated[
        set[str], "capabilities that are advertised after the login, whether they work or not"
    ] = field(default_factory=set)
    quota: Annotated[tuple[int, int] | None, "used and allowed storage in units of 1024 bytes; QUOTA is advertised"] = (
        None
    )
    search_lies: Annotated[str | None, 'SEARCH finds every message ("all") or none ("none")'] = None
    late_exists: Annotated[bool, "EXISTS comes only with a SEARCH that did not find the new message"] = False
    bad_fetch: Annotated[
        str | None,
        'FETCH of several messages from the second on: "empty" ({0}), "nil", "short", "other_text", "other_uid"',
    ] = None
    bad_fetch_alone: Annotated[bool, "bad_fetch for a single message too"] = False
    acl_without: Annotated[
        str, "rights that the account lacks: t (STORE says OK, nothing is flagged), e (EXPUNGE says NO)"
    ] = ""
    noop_expunge: Annotated[bool, "EXPUNGE answers OK and removes nothing"] = False
    undone_expunge: Annotated[bool, "EXPUNGE removes messages from this session's view only"] = False
    imap_refuses: Annotated[set[str], "commands on an open folder that are answered NO, for example FETCH"] = field(
        default_factory=set
    )
    imap_refusal: Annotated[str, "text of that NO"] = "[UNAVAILABLE] try again later"
    imap_refuses_for_s: Annotated[
        float, "seconds from the first refusal of a session until commands work; 0: never"
    ] = 0.0
    frozen_view: Annotated[bool, "new mail shows only after the next SELECT or EXAMINE"] = False
    shift_uids_at: Annotated[set[str], "commands before which each message gets the UID of the next one"] = field(
        default_factory=set
    )
    chatter_bytes: Annotated[float, "bytes of unsolicited answers before each reply to NOOP"] = 0.0
