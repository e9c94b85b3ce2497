"""Are logins offered in clear, is TLS offered, and are the extensions there that others rely on?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailmon.clients.resolver import is_loopback
from mailmon.diagnose.relay import Said, Tried
from mailmon.diagnose.speakers import SmtpSpeaker, Speaker
from mailmon.errors import StageError
from mailmon.model.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailmon.diagnose.session import Session

# What senders rely on, and what is merely good to have. REQUIRETLS (RFC 8689) and LIMITS (RFC 9422) are rare.
EXPECTED = ("PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8")
WELCOME = ("ENHANCEDSTATUSCODES", "CHUNKING", "DSN")


def judge_before_tls(session: Session, speaker: Speaker, *, offers_tls: bool) -> None:
    """Judge what is offered in clear. A login that is listed is begun, and left, to see whether it is taken."""
    found, endpoint = session.found, session.endpoint
    logins = speaker.logins()
    finding_id = f"{endpoint.protocol}.auth_before_tls"
    refusal = _refusal_of_logins(session) if logins else ""
    if refusal and speaker.is_mute:
        found.passed(finding_id, f"it takes no login before TLS: {refusal[:200]}")
        logins = ()
    elif refusal:
        found.passed(finding_id, f"it lists logins before TLS ({', '.join(logins)}), and refuses them: {refusal[:200]}")
    elif logins:
        said = f"it takes passwords before TLS ({', '.join(logins)}): anybody on the way reads them"
        here = "asked over loopback, which some servers take for secure: ask from another machine too"
        found.fail(finding_id, said, found=", ".join(logins), evidence=here if is_loopback(endpoint.address) else "")
    else:
        found.passed(finding_id, "no login is offered before TLS")
    if offers_tls:
        return
    is_demanded = endpoint.needs_login or bool(logins)
    severity = Severity.ERROR if is_demanded else Severity.WARNING
    said = "it does not offer STARTTLS: all that is said can be read on the way"
    found.fail(f"{endpoint.protocol}.starttls_missing", said, severity)
    found.skipped("tls.handshake_failed", "STARTTLS is not offered")


def _refusal_of_logins(session: Session) -> str:
    """Return how a login in clear is refused, "" where it is taken, or nobody can tell."""
    try:
        speaker = session.opener.plain("login in clear?")
        try:
            return speaker.refusal_of_logins()
        finally:
            speaker.close()
    except (StageError, OSError):
        return ""


def is_first_contact(speaker: SmtpSpeaker, tried: Sequence[Tried]) -> bool:
    """Say whether somebody else may have answered: postscreen offers little and takes nothing at first."""
    is_later = bool(tried) and tried[-1].said is Said.LATER
    return is_later or any(name not in speaker.capabilities for name in EXPECTED)


def judge_after_tls(session: Session, speaker: SmtpSpeaker) -> None:
    """Judge what is offered in the end."""
    found, offered = session.found, speaker.capabilities
    missing = [name for name in EXPECTED if name not in offered]
    unwelcome = [name for name in WELCOME if name not in offered]
    listed = ", ".join(offered)
    if missing:
        said = f"it does not offer {', '.join((*missing, *unwelcome))}"
        found.fail("smtp.ext_missing", said, found=listed, expected=", ".join(EXPECTED))
    elif unwelcome:
        said = f"it does not offer {', '.join(unwelcome)}"
        found.fail("smtp.ext_missing", said, Severity.INFO, found=listed)
    else:
        found.passed("smtp.ext_missing", f"it offers {', '.join((*EXPECTED, *WELCOME))}", found=listed)
