"""What does the server tell anybody about its users? (VRFY and EXPN, RFC 5321 section 3.5)"""

from __future__ import annotations

from mailmon.catalogue import Findings
from mailmon.diagnose.relay import NOBODY
from mailmon.diagnose.speakers import SmtpSpeaker
from mailmon.mail.reply import Reply
from mailmon.model.facts import Severity

_KNOWN, _UNKNOWN = (250, 251), (550, 551, 553)


def judge_vrfy(speaker: SmtpSpeaker, mailbox: str, found: Findings) -> None:
    """Ask for a mailbox that exists, as postmaster must, and for one that does not. Raises StageError."""
    domain = mailbox.rpartition("@")[2]
    there = speaker.command(f"VRFY {mailbox}")
    nobody = speaker.command(f"VRFY {NOBODY}@{domain}")
    listed = speaker.command(f"EXPN {mailbox.partition('@')[0]}")
    evidence = f"VRFY {mailbox}: {there}; VRFY {NOBODY}@{domain}: {nobody}; EXPN: {listed}"[:600]
    if listed.code == 250 and "@" in listed.text:
        found.fail("smtp.vrfy_enabled", "EXPN names the members of a list", evidence=evidence)
    elif there.code in _KNOWN and nobody.code not in _KNOWN:
        found.fail("smtp.vrfy_enabled", "VRFY tells who has a mailbox here", evidence=evidence)
    elif there.code == 252 and _is_no_user(nobody):
        said = "VRFY refuses names that do not exist, and so tells which do"
        found.fail("smtp.vrfy_enabled", said, Severity.NOTICE, evidence=evidence)
    else:
        found.passed("smtp.vrfy_enabled", "VRFY and EXPN tell nothing of users", evidence=evidence)


def _is_no_user(reply: Reply) -> bool:
    return reply.code in _UNKNOWN and not reply.enhanced_code.startswith("5.5")
