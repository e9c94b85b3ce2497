"""Access tokens from a provider's token endpoint (RFC 6749 sections 4.4 and 6)."""

from __future__ import annotations

import threading
from typing import NamedTuple

from mailmon.clients.deadline import within
from mailmon.clients.http import certificates, session_for
from mailmon.errors import Stage, StageError
from mailmon.model import Secret
from mailmon.text import Masker, fit_characters, visible

TIMEOUT_S = 20.0
MAX_BYTES = 65536
_CHECK_URL = "Check `token_url`, and whether this machine reaches it."


class OAuth(NamedTuple):
    """The source of tokens. With `refresh_token` that is the grant, else the client's own credentials are."""

    token_url: str
    client_id: str
    scope: str = ""
    client_secret: Secret = Secret("")
    refresh_token: Secret = Secret("")
    ca_file: str | None = None


class Tokens:
    """The tokens of one run: each is fetched once, kept in memory only. Safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[OAuth, Secret | StageError] = {}

    def get(self, source: OAuth, timeout_s: float = TIMEOUT_S) -> Secret:
        """Return a token. Raises StageError at the stage login."""
        with self._lock:
            if source not in self._known:
                try:
                    self._known[source] = within(timeout_s, lambda: _fetch(source, timeout_s))
                except TimeoutError:
                    said = f"no answer within {timeout_s:.0f} s"
                    self._known[source] = _error(source, "oauth.timeout", said, is_silence=True)
                except StageError as exc:
                    self._known[source] = exc
            known = self._known[source]
        if isinstance(known, StageError):
            raise known
        return known


def _fetch(source: OAuth, timeout_s: float) -> Secret:
    import requests

    form = {"client_id": source.client_id, "grant_type": "client_credentials"}
    if source.scope:
        form["scope"] = source.scope
    if source.client_secret.value:
        form["client_secret"] = source.client_secret.value
    if source.refresh_token.value:
        form |= {"grant_type": "refresh_token", "refresh_token": source.refresh_token.value}
    try:
        with session_for(source.token_url) as session:
            response = session.post(
                source.token_url,
                data=form,
                timeout=timeout_s,
                allow_redirects=False,
                stream=True,
                verify=certificates(source.ca_file),
            )
            raw = response.raw.read(MAX_BYTES, decode_content=True)
    except requests.exceptions.Timeout:
        raise TimeoutError from None
    except (requests.exceptions.RequestException, OSError, ValueError) as exc:
        from mailmon.clients.http import why_not_reached

        words = why_not_reached(exc, source.token_url, source.ca_file)
        advice = words.advice.replace("`ca_file`", "`oauth.ca_file`") or _CHECK_URL
        raise _error(source, "oauth.unreachable", f"not reached: {words.said}", advice) from None
    return _token(source, response.status_code, raw)


def _token(source: OAuth, status: int, raw: bytes) -> Secret:
    import json

    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise _error(source, "oauth.refused", f"answered {status}, and no JSON")
    token = document.get("access_token")
    if status == 200 and isinstance(token, str) and token.isascii() and token.isprintable() and token:
        return Secret(token)
    # The error code, and never the description: it may quote what was sent, and so may the code.
    mask = Masker((source.client_secret.value, source.refresh_token.value), (source.client_id,))
    code = fit_characters(mask(visible(str(document.get("error", "no access_token")), MAX_BYTES)), 100)
    raise _error(source, "oauth.refused", f"answered {status}: {code}")


def _error(source: OAuth, finding_id: str, said: str, advice: str = "", *, is_silence: bool = False) -> StageError:
    from urllib.parse import urlsplit

    host = urlsplit(source.token_url).hostname or "token_url"
    advice = advice or "Check client_id, the secret or refresh token, and the scope."
    return StageError(finding_id, Stage.LOGIN, host, f"token: {said}", advice, is_silence=is_silence)
