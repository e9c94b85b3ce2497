"""What may be said of a way that mail must go: when, by which probe, and what must arrive?"""

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
    """What a probe must be like when it has arrived; what is not is told as a failure of its own."""

    authserv: Annotated[
        Host | None, About("Name by which your own server signs Authentication-Results (RFC 8601); only it is believed")
    ] = None
    dkim: Annotated[bool, About("DKIM must pass, as `authserv` says")] = False
    spf: Annotated[bool, About("SPF must pass, as `authserv` says")] = False
    dmarc: Annotated[bool, About("DMARC must pass, as `authserv` says")] = False
    tls: Annotated[
        Literal["any", "1.2", "1.3"] | None, About("Every hop between hosts must be encrypted, at least so well")
    ] = None
    unmodified: Annotated[bool, About("Nothing may be changed on the way: no footer, no pixel, no header")] = False

    def __post_init__(self) -> None:
        if (self.dkim or self.spf or self.dmarc) and not self.authserv:
            raise ValueError("dkim, spf and dmarc need authserv: whose Authentication-Results are believed?")


@options
class RouteOptions:
    """A way that mail must go."""

    ALIASES: ClassVar[dict[str, str]] = {"sender": "from", "reader": "in"}

    sender: Annotated[Name, About("Account that sends")]
    to: Annotated[AnyAddress, About("Address that the probe is sent to")]
    reader: Annotated[Name, About("Account in which the probe is seen")]
    receive_timeout_s: Annotated[Timeout | None, About("Seconds until the probe must have arrived")] = None
    warning_delivery_s: Annotated[DeliveryLimit | None, About("Seconds above which a delivery is warned of")] = None
    critical_delivery_s: Annotated[DeliveryLimit | None, About("Seconds above which it counts as failed")] = None
    interval: Annotated[
        Duration | None, About("Time between two probes; runs between skip the route. By default every run sends one")
    ] = None
    arrives_within: Annotated[
        Annotated[float | str, Lasting(MAX_PATIENCE_S)] | None,
        About("For slow ways, up to 20h: no run waits, later runs look whether the probe has arrived"),
    ] = None
    junk_folders: Annotated[tuple[Folder, ...], About("Folders in which an arrival counts as failed, like Junk")] = ()
    probe: Annotated[
        Literal["plain", "html", "8bit"], About("What the probe is: plain, html beside plain text, or 8-bit text")
    ] = "plain"
    attachment_bytes: Annotated[int, Between(0, 25_000_000), About("Size of a file that is attached, in bytes")] = 0
    expect: ExpectOptions | None = None
