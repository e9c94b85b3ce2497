"""Do the MX hosts that are not looked at take mail? One short connection to port 25 of each (RFC 5321 section 5.1)."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial

from mailmon.clients.deadline import Deadline
from mailmon.model.diagnosis import Endpoint

_WORKERS = 16
_MAX_GREETING_BYTES = 512
# So long a connection and the greeting are each waited for, in seconds.
_STEP_S = 5.0


def ask_doors(endpoints: Sequence[Endpoint], timeout_s: float, deadline: Deadline) -> dict[str, bool | None]:
    """Return for each host whether it greets as one that takes mail; None where nothing answers in time.

    A host takes mail where one of its addresses does. Nothing is said but the end of the connection. Never raises for
    what a server does.
    """
    step_s = min(timeout_s, _STEP_S)
    pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="doors")
    asked = [(one.host, pool.submit(partial(_greets, one, step_s, deadline))) for one in endpoints]
    wait([future for _, future in asked], timeout=deadline.remaining_s() + 1.0)
    pool.shutdown(wait=False, cancel_futures=True)
    answers: dict[str, list[bool | None]] = {}
    for host, future in asked:
        is_told = future.done() and not future.cancelled()
        answers.setdefault(host, []).append(future.result() if is_told else None)
    return {host: _together(own) for host, own in answers.items()}


def _together(own: Sequence[bool | None]) -> bool | None:
    if any(own):
        return True
    return None if None in own else False


def _greets(endpoint: Endpoint, step_s: float, deadline: Deadline) -> bool | None:
    """Say whether a server greets with 220 (RFC 5321 section 4.3.1); None where it is silent or cannot be asked."""
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
