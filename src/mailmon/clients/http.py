"""Did the other side take this HTTP request? requests with every wait bounded, no redirect followed, no URL quoted.

A URL may be a credential (a webhook, a ping URL, a topic), so neither it nor an exception's text is ever shown.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from mailmon.errors import DeliveryError
from mailmon.mail.text import Masker, fit_characters, visible

TIMEOUT_S = 10.0
MAX_SAID_BYTES, MAX_WORDS = 4000, 200


@dataclass(frozen=True, slots=True)
class Request:
    """One POST. `who` names the receiver in messages; `ca_file` replaces the system's certificates."""

    who: str
    url: str
    body: bytes
    headers: Mapping[str, str]
    mask: Masker
    ca_file: str | None = None


def post(request: Request, timeout_s: float = TIMEOUT_S) -> int:
    """Send one POST and return its status, 2xx, within `timeout_s`. Raises DeliveryError for anything else."""
    results: list[int | DeliveryError] = []
    # A server that drips a byte a second satisfies every time-out of a socket: the whole request is bounded here.
    thread = threading.Thread(target=lambda: results.append(_exchange(request, timeout_s)), daemon=True)
    thread.start()
    thread.join(timeout_s)
    if not results:
        raise DeliveryError(f"{request.who}: no answer within {timeout_s:.0f} s")
    if isinstance(results[0], DeliveryError):
        raise results[0]
    return results[0]


def _exchange(request: Request, timeout_s: float) -> int | DeliveryError:
    import requests

    try:
        with requests.Session() as session:
            session.trust_env = False  # no .netrc: it would put a login of its own into the request
            session.proxies.update(requests.utils.get_environ_proxies(request.url))
            response = session.post(
                request.url,
                data=request.body,
                headers=dict(request.headers),
                timeout=timeout_s,
                allow_redirects=False,
                stream=True,
                verify=_certificates(request),
            )
            if 200 <= response.status_code < 300:
                return response.status_code
            said = next(response.iter_content(MAX_SAID_BYTES), b"")
    except requests.exceptions.SSLError:
        return DeliveryError(f"{request.who}: its certificate is not trusted", "Set ca_file, or SSL_CERT_FILE.")
    except requests.exceptions.Timeout:
        return DeliveryError(f"{request.who}: no answer within {timeout_s:.0f} s")
    except (requests.exceptions.RequestException, OSError, ValueError) as exc:
        return DeliveryError(f"{request.who}: not reached ({type(exc).__name__})")
    return _refusal(request, response.status_code, said, response.headers.get("Retry-After", ""))


def _certificates(request: Request) -> str | bool:
    """requests has certifi's bundle and ignores SSL_CERT_FILE and the system's, which NixOS and own CAs rely on."""
    system = ssl.get_default_verify_paths()
    return request.ca_file or system.cafile or system.capath or True


def _refusal(request: Request, status: int, said: bytes, retry_after: str) -> DeliveryError:
    if 300 <= status < 400:
        return DeliveryError(
            f"{request.who}: answered {status}, a redirect, which is never followed",
            "Set the address that it redirects to.",
            is_permanent=True,
        )
    words = fit_characters(request.mask(visible(said, MAX_SAID_BYTES)), MAX_WORDS)
    return DeliveryError(
        f"{request.who}: answered {status}{f': {words}' if words else ''}",
        "Check the token, the topic or the webhook." if status in (401, 403, 404) else "",
        is_permanent=status in (400, 401, 403, 404, 405, 410, 413),
        retry_after_s=_retry_after_s(retry_after),
    )


def _retry_after_s(value: str) -> float | None:
    """Return the seconds of a Retry-After header; a date, or nonsense, counts as none (RFC 9110 section 10.2.3)."""
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if 0 <= seconds < 86400 else None
