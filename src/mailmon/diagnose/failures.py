"""What does it mean that a conversation did not come about, or broke?"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from mailmon.clients.resolver import has_route_to
from mailmon.diagnose import handshake
from mailmon.diagnose.speakers import speaker_for
from mailmon.errors import StageError

if TYPE_CHECKING:
    from mailmon.diagnose.session import Session

# So long a port that said nothing is given to answer a TLS handshake, in seconds.
PROBE_S = 3.0
NO_IPV6 = "this machine has no IPv6, or no route"
_NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL)
CLIENT_CERTIFICATE = "tls.client_cert_required"


def tell_unreachable(session: Session, exc: OSError) -> None:
    words, address = handshake.why_failed(exc), session.endpoint.address
    session.is_refused = isinstance(exc, ConnectionRefusedError)
    if ":" in address and (exc.errno in _NO_ROUTE or not has_route_to(address)):
        tell = session.found.unknown if session.endpoint.is_asked_for else session.found.skipped
        tell("tcp.unreachable", f"{NO_IPV6}, so {address} could not be asked")
    elif not session.endpoint.is_asked_for:
        silent = isinstance(exc, TimeoutError)
        session.found.skipped("tcp.unreachable", "not open from here" + (" (no answer)" if silent else f" ({words})"))
    elif isinstance(exc, TimeoutError):
        said = f"no answer from {session.endpoint.address} within {session.options.timeout_s:.0f} s"
        session.found.unknown("tcp.unreachable", f"{said}: a firewall may drop the packets, or the host is down")
    else:
        session.found.fail("tcp.unreachable", f"{session.endpoint.address} is not reached: {words}")


def tell_broken(session: Session, exc: StageError) -> None:
    """Tell what ended the conversation; silence is looked into, for a port that waits for TLS is silent too."""
    name = exc.finding_id.partition(".")[2]
    if (
        name == "timeout"
        and not session.service.banner
        and not session.endpoint.is_implicit_tls
        and _waits_for_tls(session)
    ):
        said = "the port waits for TLS from the first byte where plain text is expected"
        session.found.fail(session.id_of("tls_on_plain_port"), said)
    elif exc.finding_id == CLIENT_CERTIFICATE:
        tell_client_certificate(session, exc.said)
    elif exc.is_silence:
        session.found.unknown(exc.finding_id, f"{exc.stage}: {exc.said}")
    else:
        session.found.fail(exc.finding_id, f"{exc.stage}: {exc.said}")


def tell_no_handshake(session: Session, exc: OSError) -> None:
    greeting = _plain_greeting(session) if session.endpoint.is_implicit_tls and handshake.is_plaintext(exc) else ""
    if greeting:
        said = "the port speaks plain text where TLS is expected from the first byte"
        session.found.fail(session.id_of("plaintext_on_tls_port"), said, evidence=greeting)
        session.found.skipped("tls.handshake_failed", "there is no TLS on this port")
        return
    if handshake.is_own_limit(exc):
        session.found.unknown("tls.handshake_failed", f"the OpenSSL here cannot do it: {handshake.why_failed(exc)}")
        return
    words = handshake.explained(exc)
    if words.finding_id == CLIENT_CERTIFICATE:
        tell_client_certificate(session, words.said)
        return
    session.found.fail("tls.handshake_failed", f"the TLS handshake failed: {words.said}", fix=words.advice)


def tell_client_certificate(session: Session, words: str) -> None:
    """Tell that only clients with a certificate get in: meant so or not, nothing can be seen from here."""
    said = f"it demands a certificate of the client, so that nothing could be looked at: {words}"
    session.found.unknown(CLIENT_CERTIFICATE, said)


def _plain_greeting(session: Session) -> str:
    """Return the greeting that the port gives in clear, "" where it gives none."""
    try:
        speaker = speaker_for(session.dialer.dial("plain text"), session.options)
        try:
            greeting = speaker.greet()
        finally:
            speaker.close()
    except (OSError, StageError):
        return ""
    return greeting.text[:200] if greeting.is_good or greeting.text[:3] not in ("500", "501", "502") else ""


def _waits_for_tls(session: Session) -> bool:
    try:
        wire = session.dialer.dial("TLS at once?")
        try:
            wire.handshake(session.tools.kit.lax(), PROBE_S)
        finally:
            wire.close()
    except (OSError, StageError):
        return False
    return True
