"""Options of a route: its ends, its probe, and what must arrive."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from mailmon.checks.options import DeliveryLimit
from mailmon.typedjson.declare import (
    About,
    AnyAddress,
    Between,
    Duration,
    Folder,
    Host,
    Lasting,
    Name,
    Timeout,
    options,
)

# A probe that was not seen for a day is lost (mail/probe/ledger.py).
MAX_PATIENCE_S = 72000.0


@options
class ExpectOptions:
    """Expectations of a delivered probe; each that is not met is a finding."""

    authserv: Annotated[
        Host | None,
        About("Your server's name in Authentication-Results (RFC 8601, authserv-id); no other is trusted"),
    ] = None
    dkim: Annotated[bool, About("DKIM must pass, according to `authserv`")] = False
    spf: Annotated[bool, About("SPF must pass, according to `authserv`")] = False
    dmarc: Annotated[bool, About("DMARC must pass, according to `authserv`")] = False
    tls: Annotated[Literal["any", "1.2", "1.3"] | None, About("Minimum TLS version of every hop between hosts")] = None
    unmodified: Annotated[bool, About("The message must arrive unmodified: no footer, no pixel, no header")] = False

    def __post_init__(self) -> None:
        if (self.dkim or self.spf or self.dmarc) and not self.authserv:
            raise ValueError("dkim, spf and dmarc need authserv: the name of your server in Authentication-Results")


@options
class RouteOptions:
    """A delivery path: sender, recipient, mailbox."""

    ALIASES: ClassVar[dict[str, str]] = {"sender": "from", "reader": "in"}

    sender: Annotated[Name, About("Account to send from")]
    to: Annotated[AnyAddress, About("Recipient of the probe")]
    reader: Annotated[Name, About("Account whose mailbox must receive it")]
    receive_timeout_s: Annotated[Timeout | None, About("Seconds until the probe must have arrived")] = None
    warning_delivery_s: Annotated[DeliveryLimit | None, About("Warn if delivery takes longer (seconds)")] = None
    critical_delivery_s: Annotated[DeliveryLimit | None, About("Fail if delivery takes longer (seconds)")] = None
    interval: Annotated[Duration | None, About("Time between two probes; by default every run sends one")] = None
    arrives_within: Annotated[
        Annotated[float | str, Lasting(MAX_PATIENCE_S)] | None,
        About("For slow routes, up to 20h: no run waits, later runs check whether the probe has arrived"),
    ] = None
    junk_folders: Annotated[tuple[Folder, ...], About("Folders in which an arrival is a failure, like Junk")] = ()
    probe: Annotated[
        Literal["plain", "html", "8bit"], About("Format of the probe: plain text, HTML with plain text, or 8-bit text")
    ] = "plain"
    attachment_bytes: Annotated[int, Between(0, 25_000_000), About("Size of an attachment, in bytes")] = 0
    expect: ExpectOptions | None = None
