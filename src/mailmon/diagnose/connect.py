"""How does a further connection get to where something is asked? Greeted, in TLS, with the capabilities known."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager

from mailmon.diagnose.connection import Dialer
from mailmon.diagnose.handshake import TlsKit
from mailmon.diagnose.speakers import Speaker, speaker_for
from mailmon.errors import StageError

# Before each further try, in parts of the pause that is asked for.
PAUSES = (0.5, 1.0, 2.0)


class Opener:
    """Opens sessions to one endpoint; the caller closes them. Everything raises StageError and OSError."""

    def __init__(self, dialer: Dialer, kit: TlsKit) -> None:
        self._dialer, self._kit = dialer, kit
        self._is_implicit_tls = dialer.endpoint.is_implicit_tls

    def plain(self, purpose: str) -> Speaker:
        """Return a session that is greeted and has told its capabilities, in clear."""
        with self._opening(purpose) as speaker:
            if not speaker.greet().is_good:
                raise speaker.wire.error("greeting_rejected", "the greeting was a refusal")
            speaker.ask()
        return speaker

    def before_tls(self, purpose: str) -> Speaker:
        """Return a session whose next bytes are those of the handshake.

        A server that turns us away is asked again after a while: some let each client in once at a time, and take a
        moment to see that one has gone.
        """
        for part in PAUSES:
            try:
                return self._before_tls(purpose)
            except (ConnectionError, StageError) as exc:
                if isinstance(exc, StageError) and exc.is_silence:
                    raise
            time.sleep(self._dialer.deadline.bound_s(part * self._dialer.options.pause_s))
        return self._before_tls(purpose)

    def _before_tls(self, purpose: str) -> Speaker:
        with self._opening(purpose) as speaker:
            if not self._is_implicit_tls:
                greeting = speaker.greet()
                if not greeting.is_good:
                    raise speaker.wire.error("greeting_rejected", f"the greeting was a refusal: {greeting.text[:200]}")
                speaker.ask()
                if refusal := speaker.start_tls():
                    raise speaker.wire.error("starttls_refused", f"STARTTLS is refused: {refusal[:200]}")
        return speaker

    def in_tls(self, purpose: str, context: ssl.SSLContext | None = None) -> Speaker:
        """Return a session inside TLS, certificate and all taken as they are unless the context says otherwise."""
        speaker = self.before_tls(purpose)
        try:
            speaker.wire.handshake(context or self._kit.lax())
            if self._is_implicit_tls:
                speaker.greet()
            speaker.ask()
        except BaseException:
            speaker.wire.close()
            raise
        return speaker

    @contextmanager
    def _opening(self, purpose: str) -> Iterator[Speaker]:
        """Dial; close the connection where it does not get as far as it should."""
        wire = self._dialer.dial(purpose)
        try:
            yield speaker_for(wire, self._dialer.options)
        except BaseException:
            wire.close()
            raise
