"""The greeting, EHLO and the capabilities: form, names, logins in clear, extensions (RFC 5321 sections 3.1 to 4.2)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailmon.clients.records import Answered
from mailmon.clients.resolver import is_loopback, packed
from mailmon.diagnose.names import is_ehlo_name, is_host_name
from mailmon.diagnose.protocols import Client, Greeting, SmtpClient
from mailmon.diagnose.relay import Outcome, Tried
from mailmon.diagnose.session import Session
from mailmon.errors import StageError
from mailmon.mail.caps import number
from mailmon.mail.relaying import Asked, Refused, names_client, what_is_refused
from mailmon.mail.reply import Reply
from mailmon.model.findings import Severity

# Sendmail waits 5 minutes, but some senders less than 30 s; half of that leaves room for the network.
SLOW_BANNER_S = 10.0
# EHLO itself is unknown (RFC 5321 section 4.2.4).
_NO_COMMAND = (500, 502)
_ANY_ADDRESS = re.compile(
    r"(?<![\w.:])(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9a-f]{0,4}:[0-9a-f:]{2,40})(?![\w:])", re.I | re.ASCII
)
# What senders rely on, and what is merely good to have. REQUIRETLS (RFC 8689) and LIMITS (RFC 9422) are rare.
EXPECTED = ("PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8")
WELCOME = ("ENHANCEDSTATUSCODES", "CHUNKING", "DSN")


def judge_greeting(session: Session, greeting: Greeting) -> bool:
    """Judge the greeting; return whether the conversation can go on."""
    endpoint, found = session.endpoint, session.found
    finding_id = f"{endpoint.protocol}.greeting_rejected"
    if not greeting.is_good and endpoint.protocol == "smtp" and (why := _why_us(session, greeting)):
        found.unknown(finding_id, f"it refuses this machine ({why}), test from another: {greeting.text[:200]}")
        return False
    if not greeting.is_good:
        severity = Severity.WARNING if greeting.is_temporary else Severity.ERROR
        found.fail(finding_id, f"it greets with a refusal: {greeting.text[:200]}", severity)
        return False
    found.passed(finding_id, "it greets", evidence=greeting.text[:200])
    if greeting.is_preauth:
        found.fail(
            "imap.preauth", "it greets with PREAUTH: every client is logged in at once, and TLS cannot be started"
        )
        found.skipped(f"{endpoint.protocol}.starttls_missing", "TLS cannot be started after PREAUTH")
        return False
    if endpoint.protocol == "smtp":
        waited_s = session.service.timings["banner_s"]
        said = f"the banner comes after {waited_s:.1f} s"
        found.judge("smtp.slow_banner", waited_s <= SLOW_BANNER_S, said, said, expected=f"<= {SLOW_BANNER_S:.0f} s")
    return True


def _why_us(session: Session, greeting: Greeting) -> str:
    """Return why a greeting refuses this machine and perhaps no other, "" if it does not say so.

    Behind a NAT our public address is unknown: any address that is not the server's may be ours.
    """
    code, _, words = greeting.text.partition(" ")
    own = packed(session.endpoint.address)
    named = [packed(found) for found in _ANY_ADDRESS.findall(words)]
    if any(found not in (None, own) for found in named):
        return "it names its address"
    reply_code = number(code)
    is_client = not any(named) and reply_code is not None and names_client(Reply(reply_code, (words.encode(),)))
    return "a block list, or its address" if is_client else ""


def judge_ehlo_refused(session: Session, client: SmtpClient) -> None:
    """Judge a refusal of EHLO: of the command, the name, this machine, or for now (RFC 5321 section 4.1.1.1)."""
    reply = client.refusal
    if reply is None:
        return
    found, finding_id, name = session.found, "smtp.ehlo_refused", client.helo_name
    refused = what_is_refused(reply, Asked(name, "", is_recipient=False))
    said, evidence = f"EHLO {name} is refused: {str(reply)[:200]}", str(reply)
    if refused is Refused.CLIENT:
        found.unknown(finding_id, f"{said} (it refuses this machine: test from another)", evidence=evidence)
    elif reply.is_transient:
        found.unknown(finding_id, f"{said} (temporarily: try again later)", evidence=evidence)
    elif reply.code in _NO_COMMAND and refused is not Refused.HELO:
        instead = "; HELO works" if client.knows_helo else ""
        said = f"{said}{instead}: TLS, login and size limit are not available"
        found.fail(finding_id, said, evidence=evidence)
    else:
        fix = "give a name with --helo that resolves to this machine; a server should take an address literal too"
        found.fail(finding_id, f"{said} (another name may work: --helo)", Severity.WARNING, evidence=evidence, fix=fix)
    if not client.knows_helo:
        asked = "EHLO is" if reply.is_transient else "EHLO and HELO are"
        found.unknown("smtp.open_relay", f"not tested: {asked} refused: {str(reply)[:200]}")


def judge_smtp_form(session: Session, client: SmtpClient) -> None:
    """Judge the names in banner and EHLO, and the form of replies."""
    found = session.found
    name = client.ehlo_words.partition(" ")[0]
    is_name = is_ehlo_name(name) and (" " not in client.ehlo_words or is_host_name(name))
    said = f"it calls itself {client.ehlo_words[:80] or 'nothing'} in reply to EHLO"
    found.judge("smtp.ehlo_invalid", is_name, said, f"{said}, which is no host name", found=client.ehlo_words[:80])
    _judge_banner(session, name)
    if client.has_control_characters:
        found.fail("smtp.control_characters", "its replies contain control characters")
    if client.has_long_lines:
        found.fail("smtp.line_too_long", "a line of its replies is longer than 512 octets")


def _judge_banner(session: Session, ehlo_name: str) -> None:
    """Judge the banner's name: any that resolves is fine, as many hosts have several (RFC 5321 section 4.2)."""
    found, host, address = session.found, session.endpoint.host, session.endpoint.address
    name = session.service.banner[4:].partition(" ")[0].lower().rstrip(".")
    if not is_host_name(name):
        said = f"the banner names no host: {session.service.banner[:80]}"
        found.fail("smtp.banner_mismatch", said, expected=host)
        return
    records = session.context.records
    pointers = [pointer.lower() for pointer in records.pointers(address).values]
    addresses, trouble = records.addresses(name)
    if name == host.lower() or name in pointers or addresses:
        found.passed("smtp.banner_mismatch", f"the banner's name {name} resolves")
        return
    if trouble and trouble.kind is Answered.FAILED:
        found.unknown("smtp.banner_mismatch", f"the banner's name {name} could not be looked up")
        return
    other = f", and in reply to EHLO it is {ehlo_name}" if ehlo_name.lower() != name else ""
    said = f"the banner says {name}, which does not resolve{other}"
    found.fail("smtp.banner_mismatch", said, expected=host, found=name)


def judge_before_tls(session: Session, client: Client, *, offers_tls: bool) -> None:
    """Judge what is offered in clear. A listed login is started and abandoned, to see whether it is accepted."""
    found, endpoint = session.found, session.endpoint
    logins = client.logins()
    finding_id = f"{endpoint.protocol}.auth_before_tls"
    refusal = _refusal_of_logins(session) if logins else ""
    if refusal and client.is_mute:
        found.passed(finding_id, f"it accepts no login before TLS: {refusal[:200]}")
        logins = ()
    elif refusal:
        found.passed(finding_id, f"it lists logins before TLS ({', '.join(logins)}), and refuses them: {refusal[:200]}")
    elif logins:
        said = f"it accepts passwords before TLS ({', '.join(logins)}): they can be read on the network path"
        here = "tested over loopback, which some servers treat as secure: test from another machine too"
        found.fail(finding_id, said, found=", ".join(logins), evidence=here if is_loopback(endpoint.address) else "")
    else:
        found.passed(finding_id, "no login is offered before TLS")
    if offers_tls:
        return
    is_demanded = endpoint.needs_login or bool(logins)
    severity = Severity.ERROR if is_demanded else Severity.WARNING
    said = "it does not offer STARTTLS: everything can be read on the network path"
    found.fail(f"{endpoint.protocol}.starttls_missing", said, severity)
    found.skipped("tls.handshake_failed", "STARTTLS is not offered")


def _refusal_of_logins(session: Session) -> str:
    """Return how a login in clear is refused, "" if it is accepted, or unknown."""
    try:
        client = session.opener.plain("login in clear?")
        try:
            return client.refusal_of_logins()
        finally:
            client.close()
    except (StageError, OSError):
        return ""


def is_first_contact(client: SmtpClient, tried: Sequence[Tried]) -> bool:
    """Return whether a screen may have answered: postscreen offers little and accepts nothing at first."""
    is_later = bool(tried) and tried[-1].outcome is Outcome.LATER
    return is_later or any(name not in client.capabilities for name in EXPECTED)


def judge_after_tls(session: Session, client: SmtpClient) -> None:
    """Judge the extensions that are offered in the end."""
    found, offered = session.found, client.capabilities
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
