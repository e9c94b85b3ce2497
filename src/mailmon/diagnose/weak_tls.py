"""Handshakes that offer only what nobody should take: old versions of TLS, small Diffie-Hellman groups.

A server that hangs up has not refused what was offered: it may limit its connections (Courier's MAXPERIP). So it is
asked again, more slowly, and held against a handshake as usual.
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


class NotToldError(Exception):
    """The server did not get as far as what was asked; the words say why."""


class Prober:
    """Tries handshakes at one endpoint, one after the other, and says what they come to."""

    def __init__(self, session: Session) -> None:
        self._session, self._found = session, session.found
        self._pause_s = 0.0  # before each connection
        # Where plain text comes first, a server that limits its connections hangs up there, and not amid a handshake.
        self._is_pace_right = not session.endpoint.is_implicit_tls

    def old_versions(self) -> None:
        """Offer nothing but TLS 1.1, and then nothing but TLS 1.0 (RFC 8996)."""
        found, untested, taken = self._found, [], []
        for version in ("TLSv1.1", "TLSv1.0"):
            try:
                if self._ask(f"{version} only", partial(_shake, self._session.context.kit.old(version))):
                    taken.append(version)
            except NotToldError as exc:
                untested.append(f"{version}: {exc}")
        more = "; ".join(("", *untested))
        if taken:
            said = f"{' and '.join(taken)} {'are' if len(taken) > 1 else 'is'} still taken beside newer versions{more}"
            found.fail("tls.old_version", said, Severity.WARNING)
        elif untested:
            found.unknown("tls.old_version", f"whether old versions are taken could not be tested{more}")
        else:
            found.passed("tls.old_version", "TLS 1.0 and 1.1 are refused")

    def dh_group(self) -> None:
        """Offer nothing but DHE, and measure the group that the server has for it (RFC 9325 section 4.1)."""
        found = self._found
        try:
            bits = self._ask("DHE only", partial(_measure, self._session.context.kit.dhe()))
        except NotToldError as exc:
            found.unknown("tls.weak_dh", f"its Diffie-Hellman group could not be measured: {exc}")
            return
        if bits is None:
            found.passed("tls.weak_dh", "it takes no DHE cipher suites, whose group could be too small")
        elif bits >= MIN_DH_BITS:
            found.passed("tls.weak_dh", f"its Diffie-Hellman group has {bits} bits")
        else:
            severity = Severity.ERROR if bits < BROKEN_DH_BITS else Severity.WARNING
            said = f"its Diffie-Hellman group has only {bits} bits: what is said with DHE may be read by others"
            found.fail("tls.weak_dh", said, severity, expected=f">= {MIN_DH_BITS} bits", found=f"{bits} bits")

    def _ask(self, purpose: str, shake: Callable[[Connection], T]) -> T | None:
        """Return what a handshake comes to, None where the server refuses it. Raises NotToldError."""
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
        """Find out how fast one connection may follow another, by handshakes as usual. Raises NotToldError."""
        shake = partial(_shake, self._session.context.kit.lax())
        for pause_s in (0.0, self._session.options.pause_s):
            self._pause_s = pause_s
            with contextlib.suppress(ConnectionError):
                self._is_pace_right = all(self._attempt("is it still there?", shake) for _ in range(2))
            if self._is_pace_right:
                return
        raise NotToldError("the server hangs up, whatever is offered")

    def _attempt(self, purpose: str, shake: Callable[[Connection], T]) -> T | None:
        """Try a handshake once. Raises ConnectionError where the server hung up in it; NotToldError."""
        deadline = self._session.dialer.deadline
        time.sleep(deadline.bound_s(self._pause_s))
        try:
            wire = self._session.opener.before_tls(purpose).wire
        except (OSError, StageError) as exc:
            raise NotToldError(exc.said if isinstance(exc, StageError) else handshake.why_failed(exc)) from exc
        try:
            return shake(wire)
        except CLOSED as exc:
            raise ConnectionAbortedError("the server closed the connection") from exc
        except ssl.SSLError as exc:
            if handshake.is_own_limit(exc):
                raise NotToldError("the OpenSSL here cannot offer it") from exc
            return None
        except ConnectionError:
            raise
        except OSError as exc:  # silence above all
            raise NotToldError(handshake.why_failed(exc)) from exc
        finally:
            wire.close()


def _shake(context: ssl.SSLContext, wire: Connection) -> bool:
    wire.handshake(context)
    return True


def _measure(context: ssl.SSLContext, wire: Connection) -> int:
    bits = dh_bits(wire.watched_handshake(context))
    if bits is None:
        raise NotToldError("what the server sends for DHE makes no sense")
    return bits
