"""Is the server greeted as it should be, and does it call itself by its name? (RFC 5321 sections 3.1, 4.1.1.1, 4.2)"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailmon.clients.records import Answered
from mailmon.clients.resolver import packed
from mailmon.diagnose.names import is_ehlo_name, is_host_name
from mailmon.diagnose.speakers import Greeting, SmtpSpeaker
from mailmon.mail.caps import number
from mailmon.mail.relaying import Asked, Refused, names_client, what_is_refused
from mailmon.mail.reply import Reply
from mailmon.model.findings import Severity

if TYPE_CHECKING:
    from mailmon.diagnose.session import Session

# Sendmail waits 5 minutes, but some senders less than 30 s; half of that leaves room for the way.
SLOW_BANNER_S = 10.0
# EHLO itself is not known (RFC 5321 section 4.2.4).
_NO_COMMAND = (500, 502)
_ANY_ADDRESS = re.compile(
    r"(?<![\w.:])(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9a-f]{0,4}:[0-9a-f:]{2,40})(?![\w:])", re.I | re.ASCII
)


def judge_greeting(session: Session, greeting: Greeting) -> bool:
    """Judge the first words; return whether the conversation can go on."""
    endpoint, found = session.endpoint, session.found
    finding_id = f"{endpoint.protocol}.greeting_rejected"
    if not greeting.is_good and endpoint.protocol == "smtp" and (why := _why_us(session, greeting)):
        found.unknown(finding_id, f"it refuses this machine ({why}), ask from another: {greeting.text[:200]}")
        return False
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


def _why_us(session: Session, greeting: Greeting) -> str:
    """Return why a greeting refuses us and perhaps nobody else, "" where it does not say so.

    Behind a router our address is another than the one we know: any that is not the server's may be ours.
    """
    code, _, words = greeting.text.partition(" ")
    own = packed(session.endpoint.address)
    named = [packed(found) for found in _ANY_ADDRESS.findall(words)]
    if any(found not in (None, own) for found in named):
        return "it names its address"
    reply_code = number(code)
    is_client = not any(named) and reply_code is not None and names_client(Reply(reply_code, (words.encode(),)))
    return "a block list, or its address" if is_client else ""


def judge_ehlo_refused(session: Session, speaker: SmtpSpeaker) -> None:
    """Judge a refusal of EHLO: of the command, the name in it, this machine, or for now (RFC 5321 section 4.1.1.1)."""
    reply = speaker.refusal
    if reply is None:
        return
    found, finding_id, name = session.found, "smtp.ehlo_refused", speaker.helo_name
    refused = what_is_refused(reply, Asked(name, "", is_recipient=False))
    said, evidence = f"EHLO {name} is refused: {str(reply)[:200]}", str(reply)
    if refused is Refused.CLIENT:
        found.unknown(finding_id, f"{said} (it refuses this machine: ask from another)", evidence=evidence)
    elif reply.is_transient:
        found.unknown(finding_id, f"{said} (for now: ask again later)", evidence=evidence)
    elif reply.code in _NO_COMMAND and refused is not Refused.HELO:
        instead = "; HELO works" if speaker.knows_helo else ""
        said = f"{said}{instead}: no TLS, no login, no size limit can be asked for"
        found.fail(finding_id, said, evidence=evidence)
    else:
        fix = "give a name with --helo that resolves to this machine; a server should take an address literal too"
        found.fail(finding_id, f"{said} (another name may do: --helo)", Severity.WARNING, evidence=evidence, fix=fix)
    if not speaker.knows_helo:
        asked = "EHLO is" if reply.is_transient else "EHLO and HELO are"
        found.unknown("smtp.open_relay", f"it could not be told: {asked} refused: {str(reply)[:200]}")


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
    """Judge the banner's name: any that resolves will do, for many hosts have several (RFC 5321 section 4.2)."""
    found, host, address = session.found, session.endpoint.host, session.endpoint.address
    name = session.service.banner[4:].partition(" ")[0].lower().rstrip(".")
    if not is_host_name(name):
        said = f"the banner names no host: {session.service.banner[:80]}"
        found.fail("smtp.banner_mismatch", said, expected=host)
        return
    records = session.tools.records
    pointers = [pointer.lower() for pointer in records.pointers(address).values]
    addresses, trouble = records.addresses(name)
    if name == host.lower() or name in pointers or addresses:
        found.passed("smtp.banner_mismatch", f"the banner's name {name} resolves")
        return
    if trouble and trouble.kind is Answered.FAILED:
        found.unknown("smtp.banner_mismatch", f"whether the banner's {name} resolves could not be looked up")
        return
    other = f", and in reply to EHLO it is {ehlo_name}" if ehlo_name.lower() != name else ""
    said = f"the banner says {name}, which does not resolve{other}"
    found.fail("smtp.banner_mismatch", said, expected=host, found=name)
