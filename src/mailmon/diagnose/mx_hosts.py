"""The MX hosts of a domain together: senders go on from a closed one to the next (RFC 5321 section 5.1)."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial

from mailmon.clients.deadline import Deadline
from mailmon.diagnose.plan import is_mx_port
from mailmon.diagnose.session import Session
from mailmon.findings import Findings
from mailmon.model.diagnosis import Endpoint
from mailmon.model.findings import Finding, Severity, Verdict

_WORKERS = 16
_MAX_GREETING_BYTES = 512
# Time-out of a connection, and of its greeting, in seconds.
_STEP_S = 5.0
_FINDING = "tcp.unreachable"
_MAX_NAMED = 5
# Whether each of some MX hosts accepts mail, None if that is unknown.
Others = Mapping[str, bool | None]


def _no_others() -> Others:
    return {}


def judge_mx_hosts(
    findings: Sequence[Finding],
    sessions: Sequence[Session],
    domain: str,
    *,
    is_nolisting: bool,
    others: Callable[[], Others] = _no_others,
) -> list[Finding]:
    """Return all findings; closed MX hosts are judged by whether another accepts mail.

    `is_nolisting` says that the preferred host is closed on purpose, against senders that do not try a second one.
    `others` asks the MX hosts without a session, and is called only if a host is closed and no other accepts mail.
    """
    ours = [one for one in sessions if domain and is_mx_port(one.endpoint)]
    hosts = list(dict.fromkeys(one.endpoint.host for one in ours))
    serving = [host for host in hosts if any(_serves(one) for one in ours if one.endpoint.host == host)]
    closed = [host for host in hosts if all(_is_closed(one) for one in ours if one.endpoint.host == host)]
    unknown = [host for host in hosts if _is_silent([one for one in ours if one.endpoint.host == host])]
    if closed and not serving:
        asked = others()
        serving += [host for host, is_served in asked.items() if is_served]
        unknown += [host for host, is_served in asked.items() if is_served is None]
    kept = list(findings)
    for host in closed:
        own = [one for one in ours if one.endpoint.host == host]
        targets = {host, *(one.endpoint.target for one in own)}
        kept = [one for one in kept if not (one.id == _FINDING and one.target in targets)]
        is_first = host == hosts[0]
        kept += _closed(host, own[0], serving, unknown, is_first=is_first, is_nolisting=is_nolisting and is_first)
    return kept


def _closed(
    host: str,
    session: Session,
    serving: Sequence[str],
    unknown: Sequence[str],
    *,
    is_first: bool,
    is_nolisting: bool,
) -> list[Finding]:
    found = Findings(host)
    port = session.endpoint.port
    refuses = f"port {port} of the MX host {host} refuses connections"
    if not serving and unknown:
        found.unknown(
            _FINDING, f"{refuses}; whether another accepts mail is unknown, no answer from {_listed(unknown)}"
        )
        return found.all
    if not serving:
        found.fail(_FINDING, f"{refuses}, and no other MX host accepts mail")
        return found.all
    others = _listed(serving)
    perhaps = " (on purpose, as nolisting? then add --nolisting)" if is_first else ""
    if is_nolisting:
        said = f"port {port} of the preferred MX host {host} refuses connections, as intended; {others} accepts mail"
        found.fail(_FINDING, said, Severity.NOTICE, fix="none, if this is intended")
    else:
        said = f"{refuses}; {others} accepts mail{perhaps}"
        found.fail(_FINDING, said, Severity.WARNING)
    return found.all


def _listed(hosts: Sequence[str]) -> str:
    more = f" and {len(hosts) - _MAX_NAMED} more" if len(hosts) > _MAX_NAMED else ""
    return ", ".join(hosts[:_MAX_NAMED]) + more


def _serves(session: Session) -> bool:
    """Return whether a host would accept mail: it answers, and greets."""
    refused = (one.id.endswith(".greeting_rejected") and one.status is not Verdict.PASS for one in session.found.all)
    return session.is_open and not any(refused)


def _is_closed(session: Session) -> bool:
    """Return whether a connection was refused; a time-out is no refusal, nor is a lack of IPv6 here."""
    return not session.is_open and session.is_refused


def _is_silent(own: Sequence[Session]) -> bool:
    """Return whether nothing is known of a host: no address accepts a connection, and not all refuse one."""
    return not any(one.is_open for one in own) and not all(map(_is_closed, own))


def ask_others(endpoints: Sequence[Endpoint], timeout_s: float, deadline: Deadline) -> dict[str, bool | None]:
    """Return for each host whether it greets like one that accepts mail; None if none of its addresses answers in time.

    A host accepts mail if one of its addresses does. No command is sent. Never raises for what a server does.
    """
    step_s = min(timeout_s, _STEP_S)
    pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="mx")
    asked = [(one.host, pool.submit(partial(_greets, one, step_s, deadline))) for one in endpoints]
    wait([future for _, future in asked], timeout=deadline.remaining_s() + 1.0)
    pool.shutdown(wait=False, cancel_futures=True)
    answers: dict[str, list[bool | None]] = {}
    for host, future in asked:
        is_done = future.done() and not future.cancelled()
        answers.setdefault(host, []).append(future.result() if is_done else None)
    return {host: _together(own) for host, own in answers.items()}


def _together(own: Sequence[bool | None]) -> bool | None:
    if any(own):
        return True
    return None if None in own else False


def _greets(endpoint: Endpoint, step_s: float, deadline: Deadline) -> bool | None:
    """Return whether a server greets with 220 (RFC 5321 section 4.3.1); None without a reply or connection."""
    if not deadline.remaining_s():
        return None
    try:
        place = (endpoint.address, endpoint.port)
        with socket.create_connection(place, timeout=max(deadline.bound_s(step_s), 0.01)) as sock:
            return _greeting(sock, step_s, deadline).startswith(b"220")
    except (ConnectionRefusedError, ConnectionResetError):
        return False
    except OSError:
        return None


def _greeting(sock: socket.socket, step_s: float, deadline: Deadline) -> bytes:
    """Return the first three bytes of the greeting, or fewer where the server hangs up. Raises OSError."""
    received = b""
    until = Deadline(deadline.bound_s(step_s))
    while len(received) < 3 and (left_s := until.remaining_s()):
        sock.settimeout(left_s)
        more = sock.recv(_MAX_GREETING_BYTES)
        if not more:
            return received
        received += more
    if len(received) < 3:
        raise TimeoutError
    return received
