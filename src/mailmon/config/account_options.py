"""What may be said of a mailbox: its servers, and how one logs in there?"""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from mailmon.clients.server import Family, Security
from mailmon.config.bounce_folders import BounceOptions
from mailmon.typedjson.declare import (
    About,
    AnyAddress,
    Digest,
    Duration,
    FileName,
    Folder,
    Helo,
    Host,
    Matching,
    Port,
    SecretText,
    Timeout,
    Word,
    options,
)


@options
class ServerOptions:
    """Where a mail service is, and how its certificate is verified."""

    host: Annotated[Host, About("Host name; certificates are verified against it")]
    security: Annotated[Security | None, About("tls, starttls or plain; the default depends on the port")] = None
    ca_file: Annotated[FileName | None, About("PEM file of the CA; replaces the system's certificates")] = None
    tls_sha256: Annotated[
        tuple[Digest, ...],
        About("SHA-256 digests of accepted leaf certificates; they replace the checks of chain and name"),
    ] = ()
    insecure: Annotated[bool, About("Accept any certificate; refused beside a pin")] = False
    timeout_s: Annotated[Timeout, About("Seconds that each single command may take")] = 20.0
    family: Annotated[Family, About("auto, 4 or 6: connect by IPv4 or IPv6 only")] = Family.AUTO
    connect_to: Annotated[
        Host | None,
        About("Host or address to connect to instead; the certificate must be that of `host`"),
    ] = None

    def __post_init__(self) -> None:
        if self.insecure and self.tls_sha256:
            raise ValueError("insecure and tls_sha256 exclude each other: remove one")
        if self.security is Security.PLAIN and (self.tls_sha256 or self.ca_file):
            raise ValueError("security plain has no certificate to check: remove ca_file and tls_sha256")


@options
class SmtpOptions(ServerOptions):
    """The submission server of an account."""

    port: Annotated[Port, About("465 means tls, any other port starttls, unless security says otherwise")] = 587
    auth: Annotated[
        Literal["auto", "none"], About("none: send without logging in, as a foreign server does on port 25")
    ] = "auto"


@options
class ImapOptions(ServerOptions):
    """The IMAP server of an account."""

    port: Annotated[Port, About("143 means starttls, any other port tls, unless security says otherwise")] = 993
    folder: Annotated[Folder, About("Folder in which probes arrive")] = "INBOX"


@options
class Pop3Options(ServerOptions):
    """The POP3 server of an account. Where it has no IMAP server, probes are looked for here."""

    port: Annotated[Port, About("110 means starttls, any other port tls, unless security says otherwise")] = 995


@options
class OAuthOptions:
    """Where access tokens come from (OAuth 2.0): a refresh token, else the client's own credentials."""

    token_url: Annotated[str, Matching(r"https://[!-~]{1,500}|http://127\.0\.0\.1[!-~]{0,500}", "an https URL")]
    client_id: Annotated[Word, About("The application's id")]
    scope: Annotated[Word, About("What the token is for, like https://outlook.office365.com/.default")] = ""
    client_secret: Annotated[SecretText | None, About("The application's secret; a file is better")] = field(
        default=None, repr=False
    )
    client_secret_file: Annotated[FileName | None, About("File that holds the secret")] = None
    refresh_token: Annotated[SecretText | None, About("A refresh token; a file is better")] = field(
        default=None, repr=False
    )
    refresh_token_file: Annotated[FileName | None, About("File that holds the refresh token")] = None
    ca_file: Annotated[FileName | None, About("CA certificates to trust instead of the usual ones")] = None


@options
class AccountOptions:
    """A mailbox with its servers and its credential."""

    address: Annotated[AnyAddress, About("Envelope sender and From of probes")]
    username: Annotated[Word | None, About("Login name; by default the address")] = None
    password: Annotated[SecretText | None, About("Password; a file is better")] = field(default=None, repr=False)
    password_file: Annotated[FileName | None, About("File that holds the password")] = None
    password_command: Annotated[
        tuple[Word, ...] | None, About("Command that prints the password, as a list of words: no shell is involved")
    ] = None
    token: Annotated[SecretText | None, About("OAuth 2.0 access token in place of a password")] = field(
        default=None, repr=False
    )
    token_file: Annotated[FileName | None, About("File that holds the token")] = None
    token_command: Annotated[
        tuple[Word, ...] | None, About("Command that prints the token, as a list of words: no shell is involved")
    ] = None
    oauth: OAuthOptions | None = None
    helo: Annotated[
        Helo | None,
        About(
            "Name to send in EHLO, a full host name or an address literal ([192.0.2.1]); by default the machine's host "
            "name where that is a full one, else its address"
        ),
    ] = None
    smtp: SmtpOptions | None = None
    imap: ImapOptions | None = None
    pop3: Pop3Options | None = None
    bounces: BounceOptions | None = None
    wrong_password_interval: Annotated[
        Duration | None,
        About("Time between two tries with a random password, which must be refused. By default it is never tried"),
    ] = None

    def __post_init__(self) -> None:
        has_password = any((self.password, self.password_file, self.password_command))
        has_token = any((self.token, self.token_file, self.token_command))
        if has_password + has_token + (self.oauth is not None) > 1:
            raise ValueError("password, token and oauth exclude each other: keep one")
