"""HTTP requests with every wait bounded, no redirect followed and no URL quoted.

A URL may be a credential (a webhook, a ping URL, a topic), so neither it nor an exception's text is ever shown.
"""

from __future__ import annotations

import json
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from mailmon.clients.deadline import within
from mailmon.errors import DeliveryError
from mailmon.text import Masker, fit_characters, visible

if TYPE_CHECKING:
    import requests

    from mailmon.mail.tls_words import Words

TIMEOUT_S = 10.0
MAX_SAID_BYTES, MAX_WORDS = 4000, 200
# An ntfy server repeats the whole message in its answer.
MAX_ANSWER_BYTES = 65536
MAX_RETRY_AFTER_S = 86400.0
# Statuses that a repetition does not change. All others may pass: 408, 425, 429 and 5xx say so (RFC 9110 section 15).
_PERMANENT = (400, 401, 403, 404, 405, 410, 413)
_SECONDS = r"\d{1,9}(?:\.\d{1,9})?"


@dataclass(frozen=True, slots=True)
class Request:
    """One POST. `who` names the receiver in messages; `ca_file` replaces the system's certificates.

    `ca_key` is what the configuration calls `ca_file`.
    """

    who: str
    url: str
    body: bytes
    headers: Mapping[str, str]
    mask: Masker
    ca_file: str | None = None
    ca_key: str = "ca_file"


class Answer(NamedTuple):
    """What came back: a status, 2xx, and the first MAX_ANSWER_BYTES of the body."""

    status: int
    said: bytes

    def document(self) -> object:
        """Return the body's JSON, None where it is none."""
        try:
            return json.loads(self.said)
        except (ValueError, RecursionError):
            return None


def post(request: Request, timeout_s: float = TIMEOUT_S) -> int:
    """Send one POST and return its status, 2xx, within `timeout_s`. Raises DeliveryError for anything else."""
    return post_for_answer(request, timeout_s).status


def post_for_answer(request: Request, timeout_s: float = TIMEOUT_S) -> Answer:
    """Send one POST and return what came back, within `timeout_s`. Raises DeliveryError for any other status."""
    # A server that drips a byte a second satisfies every time-out of a socket: the whole request is bounded here.
    try:
        return within(timeout_s, lambda: _exchange(request, timeout_s))
    except TimeoutError:
        raise DeliveryError(f"{request.who}: no answer within {timeout_s:.0f} s") from None


def _exchange(request: Request, timeout_s: float) -> Answer:
    import requests

    try:
        with session_for(request.url) as session:
            response = session.post(
                request.url,
                data=request.body,
                headers=dict(request.headers),
                timeout=timeout_s,
                allow_redirects=False,
                stream=True,
                verify=certificates(request.ca_file),
            )
            said = _beginning(response)
            if 200 <= response.status_code < 300:
                return Answer(response.status_code, said)
    except requests.exceptions.Timeout:
        raise TimeoutError from None
    except (requests.exceptions.RequestException, OSError, ValueError) as exc:
        words = why_not_reached(exc, request.url, request.ca_file)
        advice = words.advice.replace("`ca_file`", f"`{request.ca_key}`")
        raise DeliveryError(f"{request.who}: not reached: {request.mask(words.said)}", advice) from None
    raise _refusal(request, response.status_code, said, _retry_after_s(response.headers, said))


def _beginning(response: requests.Response) -> bytes:
    """Return the first MAX_ANSWER_BYTES of a body."""
    said = b""
    for piece in response.iter_content(MAX_SAID_BYTES):
        said += piece
        if len(said) >= MAX_ANSWER_BYTES:
            break
    return said[:MAX_ANSWER_BYTES]


def why_not_reached(exc: Exception, url: str, ca_file: str | None) -> Words:
    """Return why a request came to nothing, in the words that mail servers get too, with advice about a web address."""
    from http.client import HTTPException
    from urllib.parse import urlsplit

    from mailmon.clients.failure import explain_tls, root_of, unusable_ca, words_of
    from mailmon.mail.tls_words import PLAINTEXT, Words

    if ca_file and (said := unusable_ca(ca_file)):
        return Words("", f"its CA file {ca_file}: {said}", "Set `ca_file` to a file in PEM form that can be read.")
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        host = ""
    root = root_of(exc)
    if not isinstance(root, ssl.SSLError):
        is_odd = isinstance(root, ConnectionError | HTTPException) and not isinstance(root, ConnectionRefusedError)
        advice = _MAYBE_TLS if is_odd and url.lower().startswith("http://") else _ADVICE.get(type(root), "")
        return Words("", words_of(exc, host), advice)
    words = explain_tls(root, host)
    if words.finding_id == PLAINTEXT:
        said = "it speaks plain HTTP where TLS is expected"
        return Words("", said, "Use the port for https, or write http:// only where the network is trusted.")
    if words.finding_id == "tls.cert_name":
        return words._replace(advice="Use a name that the certificate has, or get a certificate for that one.")
    if words.finding_id == "tls.client_cert_required":
        return words._replace(advice="Use an address or a port where the server does without it.")
    if "`ca_file`" in words.advice and words.finding_id != "tls.cert_expired":
        return words._replace(advice=f"{words.advice} Without it, SSL_CERT_FILE counts.")
    return words


_MAYBE_TLS = "If the server speaks TLS on this port, write https:// in its address."
_ADVICE: dict[type[BaseException], str] = {
    ConnectionRefusedError: "Nothing listens there: is the server running, and is the port right?",
}


def session_for(url: str) -> requests.Session:
    """Return a session that knows the environment's proxies, and nothing else of it."""
    import requests

    from mailmon.clients.web_adapter import TellingAdapter

    session = requests.Session()
    session.mount("https://", TellingAdapter())
    session.trust_env = False  # no .netrc: it would put a login of its own into the request
    session.proxies.update(requests.utils.get_environ_proxies(url))
    return session


def certificates(ca_file: str | None) -> str | bool:
    """requests has certifi's bundle and ignores SSL_CERT_FILE and the system's, which NixOS and own CAs rely on."""
    system = ssl.get_default_verify_paths()
    return ca_file or system.cafile or system.capath or True


def _refusal(request: Request, status: int, said: bytes, retry_after_s: float | None) -> DeliveryError:
    if 300 <= status < 400:
        return DeliveryError(
            f"{request.who}: answered {status}, a redirect, which is never followed",
            "Set the address that it redirects to.",
            is_permanent=True,
        )
    words = fit_characters(request.mask(visible(said[:MAX_SAID_BYTES], MAX_SAID_BYTES)), MAX_WORDS)
    return DeliveryError(
        f"{request.who}: answered {status}{f': {words}' if words else ''}",
        "Check the token, the topic or the webhook." if status in (401, 403, 404) else "",
        is_permanent=status in _PERMANENT,
        retry_after_s=retry_after_s,
    )


def _retry_after_s(headers: Mapping[str, str], said: bytes) -> float | None:
    """Return the seconds until the server wants to be asked again, None where it does not say (RFC 9110 10.2.3).

    At most MAX_RETRY_AFTER_S. A date counts from the response's own Date: the clocks of two machines differ.
    """
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(_SECONDS, value, re.ASCII):
        return min(float(value), MAX_RETRY_AFTER_S)
    at_s, now_s = _unix_time(value), _unix_time(headers.get("Date", ""))
    if at_s is None:
        return _told_in_body_s(said)
    return min(max(at_s - (time.time() if now_s is None else now_s), 0.0), MAX_RETRY_AFTER_S)


def _told_in_body_s(said: bytes) -> float | None:
    """Return the `retry_after` of a JSON body, as Discord has it (discord.com/developers/docs/topics/rate-limits)."""
    try:
        document = json.loads(said)
    except (ValueError, RecursionError):
        return None
    seconds = document.get("retry_after") if isinstance(document, dict) else None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < float("inf"):
        return None
    return float(min(seconds, MAX_RETRY_AFTER_S))


def _unix_time(date: str) -> float | None:
    """Return the Unix time of an HTTP date, None for nonsense."""
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
