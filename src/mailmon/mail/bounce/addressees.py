"""Who is told of a bounce? Nobody of anything that is not surely one, and never of our own notices. Pure.

What a bounce says was written by strangers: no address in it is ever written to.
"""

from __future__ import annotations

from mailmon.mail.bounce.values import Classification, Kind

# How the Message-ID of a notice begins; a bounce of one would otherwise make the next (RFC 3834 section 2).
NOTICE_ID = "mailmon-notice-"
FAILED = "failed"


def whom_to_notify(found: Classification, addresses: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the configured addresses that are to hear of a message: none unless it was given up for somebody.

    Not those that it says cannot be reached.
    """
    failed = {one.address.lower() for one in found.recipients if one.action == FAILED}
    if found.kind is not Kind.BOUNCE or not failed or NOTICE_ID in found.original.message_id:
        return ()
    return tuple(address for address in dict.fromkeys(addresses) if address.lower() not in failed)
