"""Options of an account: its servers and its credential."""

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
    """Address of a mail server, and verification of its certificate."""

    host: Annotated[Host, About("Host name; certificates are verified against it")]
    security: Annotated[Security | None, About("tls, starttls or plain; the default depends on the port")] = None
    ca_file: Annotated[FileName | None, About("PEM file of the CA; replaces the system's certificates")] = None
    tls_sha256: Annotated[
        tuple[Digest, ...],
        About("SHA-256 digests of accepted leaf certificates; chain and name are then not checked"),
    ] = ()
    insecure: Annotated[bool, About("Accept any certificate; excludes tls_sha256")] = False
    timeout_s: Annotated[Timeout, About("Timeout of each command, in seconds")] = 20.0
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

    port: Annotated[Port, About("465 implies tls, any other port starttls, unless security is set")] = 587
    auth: Annotated[Literal["auto", "none"], About("none: send without login, as other mail servers do on port 25")] = (
        "auto"
    )


@options
class ImapOptions(ServerOptions):
    """The IMAP server of an account."""

    port: Annotated[Port, About("143 implies starttls, any other port tls, unless security is set")] = 993
    folder: Annotated[Folder, About("Folder in which probes arrive")] = "INBOX"


@options
class Pop3Options(ServerOptions):
    """The POP3 server of an account. Without an IMAP server, probes are read here."""

    port: Annotated[Port, About("110 implies starttls, any other port tls, unless security is set")] = 995


@options
class OAuthOptions:
    """Source of access tokens (OAuth 2.0): a refresh token, else the client's own credentials."""

    token_url: Annotated[str, Matching(r"https://[!-~]{1,500}|http://127\.0\.0\.1[!-~]{0,500}", "an https URL")]
    client_id: Annotated[Word, About("Client id of the application")]
    scope: Annotated[Word, About("Scope of the token, like https://outlook.office365.com/.default")] = ""
    client_secret: Annotated[SecretText | None, About("Client secret; prefer a file")] = field(default=None, repr=False)
    client_secret_file: Annotated[FileName | None, About("File with the secret")] = None
    refresh_token: Annotated[SecretText | None, About("Refresh token; prefer a file")] = field(default=None, repr=False)
    refresh_token_file: Annotated[FileName | None, About("File with the refresh token")] = None
    ca_file: Annotated[FileName | None, About("PEM file of the CA to trust; replaces the system's certificates")] = None


@options
class AccountOptions:
    """A mailbox with its servers and its credential."""

    address: Annotated[AnyAddress, About("Envelope sender and From of probes")]
    username: Annotated[Word | None, About("Login name; by default the address")] = None
    password: Annotated[SecretText | None, About("Password; prefer a file")] = field(default=None, repr=False)
    password_file: Annotated[FileName | None, About("File with the password")] = None
    password_command: Annotated[
        tuple[Word, ...] | None, About("Command that prints the password, as a list of words; run without a shell")
    ] = None
    token: Annotated[SecretText | None, About("OAuth 2.0 access token instead of a password")] = field(
        default=None, repr=False
    )
    token_file: Annotated[FileName | None, About("File with the token")] = None
    token_command: Annotated[
        tuple[Word, ...] | None, About("Command that prints the token, as a list of words; run without a shell")
    ] = None
    oauth: OAuthOptions | None = None
    helo: Annotated[
        Helo | None,
        About(
            "Name to send in EHLO, a full host name or an address literal ([192.0.2.1]); by default the machine's "
            "fully qualified host name, else its address"
        ),
    ] = None
    smtp: SmtpOptions | None = None
    imap: ImapOptions | None = None
    pop3: Pop3Options | None = None
    bounces: BounceOptions | None = None
    wrong_password_interval: Annotated[
        Duration | None,
        About("Time between two logins with a random password, which must be refused; by default never"),
    ] = None

    def __post_init__(self) -> None:
        has_password = any((self.password, self.password_file, self.password_command))
        has_token = any((self.token, self.token_file, self.token_command))
        if has_password + has_token + (self.oauth is not None) > 1:
            raise ValueError("password, token and oauth exclude each other: keep one")
