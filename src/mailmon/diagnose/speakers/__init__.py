"""What differs between SMTP, IMAP, POP3 and ManageSieve? One file each, found by the protocol's name."""

from __future__ import annotations

from mailmon.diagnose.connection import OpenLine
from mailmon.diagnose.plan import Options
from mailmon.diagnose.speakers.base import Greeting, Speaker
from mailmon.diagnose.speakers.imap import ImapSpeaker
from mailmon.diagnose.speakers.pop3 import Pop3Speaker
from mailmon.diagnose.speakers.sieve import SieveSpeaker
from mailmon.diagnose.speakers.smtp import SmtpSpeaker

__all__ = ["Greeting", "SmtpSpeaker", "Speaker", "speaker_for"]

_SPEAKERS: dict[str, type[Speaker]] = {
    "smtp": SmtpSpeaker,
    "imap": ImapSpeaker,
    "pop3": Pop3Speaker,
    "sieve": SieveSpeaker,
}


def speaker_for(wire: OpenLine, options: Options) -> Speaker:
    """Return what speaks the protocol of this connection."""
    return _SPEAKERS[wire.server.protocol](wire, options)
