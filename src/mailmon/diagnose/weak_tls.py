"""Weak TLS: handshakes that offer only old versions, or only DHE to measure the Diffie-Hellman group.

A server that hangs up has not necessarily refused the offer: it may limit its connections (Courier's MAXPERIP). So it
is asked again, more slowly, and compared with a normal handshake.
"""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from mailmon.clients.tls import CLOSED
from mailmon.diagnose import handshake
from mailmon.diagnose.connection import Connection
from mailmon.diagnose.key_exchange import dh_bits
from mailmon.diagnose.session import Session
from mailmon.errors import StageError
from mailmon.model.findings import Severity

T = TypeVar("T")
MIN_DH_BITS, BROKEN_DH_BITS = 2048, 1024


class NotTestedError(Exception):
    """The test did not get as far as the offer; the message says why."""


class Prober:
    """Tries handshakes at one endpoint, one after the other, and judges them."""

    def __init__(self, session: Session) -> None:
        self._session, self._found = session, session.found
        self._pause_s = 0.0  # before each connection
        # If plain text comes first, a server that limits its connections hangs up then, and not during a handshake.
        self._is_pace_right = not session.endpoint.is_implicit_tls

    def old_versions(self) -> None:
        """Offer nothing but TLS 1.1, and then nothing but TLS 1.0 (RFC 8996)."""
        found, untested, taken = self._found, [], []
        for version in ("TLSv1.1", "TLSv1.0"):
            try:
                if self._ask(f"{version} only", partial(_shake, self._session.context.kit.old(version))):
                    taken.append(version)
            except NotTestedError as exc:
                untested.append(f"{version}: {exc}")
        more = "; ".join(("", *untested))
        if taken:
            said = (
                f"{' and '.join(taken)} {'are' if len(taken) > 1 else 'is'} still accepted beside newer versions{more}"
            )
            found.fail("tls.old_version", said, Severity.WARNING)
        elif untested:
            found.unknown("tls.old_version", f"whether old versions are accepted could not be tested{more}")
        else:
            found.passed("tls.old_version", "TLS 1.0 and 1.1 are refused")

    def dh_group(self) -> None:
        """Offer nothing but DHE, and measure the server's group (RFC 9325 section 4.1)."""
        found = self._found
        try:
            bits = self._ask("DHE only", partial(_measure, self._session.context.kit.dhe()))
        except NotTestedError as exc:
            found.unknown("tls.weak_dh", f"its Diffie-Hellman group could not be measured: {exc}")
            return
        if bits is None:
            found.passed("tls.weak_dh", "it accepts no DHE cipher suites, whose group could be too small")
        elif bits >= MIN_DH_BITS:
            found.passed("tls.weak_dh", f"its Diffie-Hellman group has {bits} bits")
        else:
            severity = Severity.ERROR if bits < BROKEN_DH_BITS else Severity.WARNING
            said = f"its Diffie-Hellman group has only {bits} bits: traffic encrypted with DHE may be decrypted"
            found.fail("tls.weak_dh", said, severity, expected=f">= {MIN_DH_BITS} bits", found=f"{bits} bits")

    def _ask(self, purpose: str, shake: Callable[[Connection], T]) -> T | None:
        """Return the result of a handshake, None if the server refuses it. Raises NotTestedError."""
        try:
            return self._attempt(purpose, shake)
        except ConnectionError:
            if self._is_pace_right:
                return None
        self._find_pace()
        with contextlib.suppress(ConnectionError):
            return self._attempt(purpose, shake)
        return None

    def _find_pace(self) -> None:
        """Find out how fast one connection may follow another, by normal handshakes. Raises NotTestedError."""
        shake = partial(_shake, self._session.context.kit.lax())
        for pause_s in (0.0, self._session.options.pause_s):
            self._pause_s = pause_s
            with contextlib.suppress(ConnectionError):
                self._is_pace_right = all(self._attempt("is it still there?", shake) for _ in range(2))
            if self._is_pace_right:
                return
        raise NotTestedError("the server hangs up, whatever is offered")

    def _attempt(self, purpose: str, shake: Callable[[Connection], T]) -> T | None:
        """Try a handshake once. Raises ConnectionError where the server hung up in it; NotTestedError."""
        deadline = self._session.dialer.deadline
        time.sleep(deadline.bound_s(self._pause_s))
        try:
            wire = self._session.opener.before_tls(purpose).wire
        except (OSError, StageError) as exc:
            raise NotTestedError(exc.said if isinstance(exc, StageError) else handshake.why_failed(exc)) from exc
        try:
            return shake(wire)
        except CLOSED as exc:
            raise ConnectionAbortedError("the server closed the connection") from exc
        except ssl.SSLError as exc:
            if handshake.is_own_limit(exc):
                raise NotTestedError("the OpenSSL here cannot offer it") from exc
            return None
        except ConnectionError:
            raise
        except OSError as exc:  # a time-out above all
            raise NotTestedError(handshake.why_failed(exc)) from exc
        finally:
            wire.close()


def _shake(context: ssl.SSLContext, wire: Connection) -> bool:
    wire.handshake(context)
    return True


def _measure(context: ssl.SSLContext, wire: Connection) -> int:
    bits = dh_bits(wire.watched_handshake(context))
    if bits is None:
        raise NotTestedError("the server's DHE parameters are malformed")
    return bits
