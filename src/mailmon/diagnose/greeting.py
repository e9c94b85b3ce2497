"""Is the server greeted as it should be, and does it call itself by its name? (RFC 5321 sections 3.1, 4.1.1.1, 4.2)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailmon.diagnose.names import is_ehlo_name, is_host_name, leads_to
from mailmon.diagnose.speakers import Greeting, SmtpSpeaker
from mailmon.model.facts import Severity

if TYPE_CHECKING:
    from mailmon.diagnose.session import Session

# Sendmail waits 5 minutes, but some senders less than 30 s; half of that leaves room for the way.
SLOW_BANNER_S = 10.0


def judge_greeting(session: Session, greeting: Greeting) -> bool:
    """Judge the first words; return whether the conversation can go on."""
    endpoint, found = session.endpoint, session.found
    finding_id = f"{endpoint.protocol}.greeting_rejected"
    if not greeting.is_good:
        severity = Severity.WARNING if greeting.is_temporary else Severity.ERROR
        found.fail(finding_id, f"it greets with a refusal: {greeting.text[:200]}", severity)
        return False
    found.passed(finding_id, "it greets", evidence=greeting.text[:200])
    if greeting.is_preauth:
        found.fail("imap.preauth", "it greets with PREAUTH: whoever connects is logged in, and TLS cannot be begun")
        found.skipped(f"{endpoint.protocol}.starttls_missing", "TLS cannot be begun after PREAUTH")
        return False
    if endpoint.protocol == "smtp":
        waited_s = session.service.timings["banner_s"]
        said = f"the banner comes after {waited_s:.1f} s"
        found.judge("smtp.slow_banner", waited_s <= SLOW_BANNER_S, said, said, expected=f"<= {SLOW_BANNER_S:.0f} s")
    return True


def judge_smtp_form(session: Session, speaker: SmtpSpeaker) -> None:
    """Judge the names in banner and EHLO, and the form of replies."""
    found = session.found
    name = speaker.ehlo_words.partition(" ")[0]
    is_name = is_ehlo_name(name) and (" " not in speaker.ehlo_words or is_host_name(name))
    said = f"it calls itself {speaker.ehlo_words[:80] or 'nothing'} in reply to EHLO"
    found.judge("smtp.ehlo_invalid", is_name, said, f"{said}, which is no host name", found=speaker.ehlo_words[:80])
    _judge_banner(session, name)
    if speaker.has_control_characters:
        found.fail("smtp.control_characters", "its replies hold control characters")
    if speaker.has_long_lines:
        found.fail("smtp.line_too_long", "a line of its replies is longer than 512 octets")


def _judge_banner(session: Session, ehlo_name: str) -> None:
    """The banner's name is right when it is the host, or leads to the address; many hosts have several names."""
    found, host, address = session.found, session.endpoint.host, session.endpoint.address
    name = session.service.banner[4:].partition(" ")[0].lower().rstrip(".")
    if not is_host_name(name):
        said = f"the banner names no host: {session.service.banner[:80]}"
        found.fail("smtp.banner_mismatch", said, Severity.NOTICE, expected=host)
        return
    records = session.tools.records
    pointers = [pointer.lower() for pointer in records.pointers(address).values]
    leads = True if name == host.lower() or name in pointers else leads_to(records, name, address)
    if leads is None:
        found.unknown("smtp.banner_mismatch", f"whether the banner's {name} is {address} could not be looked up")
        return
    other = f", and in reply to EHLO it is {ehlo_name}" if ehlo_name.lower() != name else ""
    found.judge(
        "smtp.banner_mismatch",
        leads,
        f"the banner's name {name} belongs to the host",
        f"the banner says {name}, which does not lead to {address}{other}",
        expected=host,
        found=name,
    )
