"""The host name that we send in EHLO (RFC 5321 section 4.1.4)."""

from __future__ import annotations

import re
import socket

from mailmon.typedjson.declare import HELO_NAME

# Names that a machine has before anybody named it; the same everywhere, so they say nothing.
_NO_NAMES = ("localhost", "localdomain", "invalid")


def helo_name(local_address: str, hostname: str | None = None) -> str:
    """Return our name for EHLO: the machine's host name where that is a full one, else an address literal.

    Asks no name server: a look-up may take seconds. `hostname` is the machine's by default.

    >>> helo_name("192.0.2.1", "monitor.example.org"), helo_name("2001:db8::1", "localhost.localdomain")
    ('monitor.example.org', '[IPv6:2001:db8::1]')
    """
    name = (socket.gethostname() if hostname is None else hostname).removesuffix(".")
    # The dot first: most machines have no full name, and a pattern takes a millisecond to compile.
    if "." in name and re.fullmatch(HELO_NAME, name, re.ASCII) and name.lower().rpartition(".")[2] not in _NO_NAMES:
        return name
    # An IPv4 client of a socket for both families; and a link-local address says its interface, which is ours alone.
    own = local_address.removeprefix("::ffff:").partition("%")[0]
    return f"[IPv6:{own}]" if ":" in own else f"[{own}]"
