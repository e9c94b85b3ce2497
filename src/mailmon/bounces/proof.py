"""Evidence that recorded bounces are genuine: collected after everything is on disk, bounded in number and time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from mailmon.bounces.alarms import REFUSALS
from mailmon.mail.auth.dkim import IsSigned
from mailmon.mail.bounce import Classification, Kind, Original
from mailmon.mail.bounce.provenance import Own, Proof, is_made_here, prove
from mailmon.model.limits import BounceLimits
from mailmon.store.bouncelog.log import BounceLog

# Limits per scan: messages examined, bytes kept of them, and seconds, apart from the last answer.
MAX_DOUBTS, MAX_BYTES, MAX_S = 50, 16 << 20, 5.0


class Doubt(NamedTuple):
    """A message without evidence so far, by its id in the bounce log."""

    number: int
    raw: bytes
    found: Classification


class Evidence:
    """Finds evidence for those messages of a scan that may raise an alarm."""

    def __init__(
        self,
        own: Own,
        limits: BounceLimits,
        is_signed: IsSigned | None,
        is_sent: Callable[[Original], bool] | None,
        is_over: Callable[[], bool],
    ) -> None:
        self._own = own
        self._limits = limits
        self._is_signed = is_signed
        self._is_sent = is_sent
        self._is_over = is_over
        self._doubts: list[Doubt] = []
        self._left_bytes = MAX_BYTES

    def at_once(self, found: Classification, raw: bytes) -> str:
        """Return the evidence in the message itself, "" for none."""
        if found.kind is Kind.OTHER or not is_made_here(raw, self._own.hosts):
            return Proof.NONE.value
        return Proof.LOCAL.value

    def doubt(self, number: int, raw: bytes, found: Classification) -> None:
        """Keep a message that was recorded without evidence, within the limits."""
        is_wanted = self._concerns_alarm(found) and (self._is_signed is not None or self._is_sent is not None)
        if is_wanted and len(self._doubts) < MAX_DOUBTS and len(raw) <= self._left_bytes:
            self._doubts.append(Doubt(number, raw, found))
            self._left_bytes -= len(raw)

    def settle(self, log: BounceLog) -> None:
        """Find and record evidence for all kept messages. Raises StateError."""
        until_s = time.monotonic() + MAX_S
        for doubt in self._doubts:
            if time.monotonic() >= until_s or self._is_over():
                break
            proof = prove(doubt.raw, doubt.found, self._own, self._is_signed, self._is_sent)
            if proof is not Proof.NONE:
                log.set_evidence(doubt.number, proof.value)
        self._doubts.clear()

    def _concerns_alarm(self, found: Classification) -> bool:
        """Return whether a message may raise an alarm under the configured limits."""
        if found.kind is Kind.OTHER:
            return False
        if self._limits.classes or self._limits.domains or self._limits.any_domain is not None:
            return True
        refused = (one for one in found.recipients if one.reason in REFUSALS and one.status.startswith("5."))
        return self._limits.reports_refusals and found.kind is Kind.BOUNCE and any(refused)


def within_budget(is_signed: IsSigned, seconds: float = MAX_S, count: int = 2 * MAX_DOUBTS) -> IsSigned:
    """Return a check of signatures with a limit in total time and number; beyond it no signature is valid."""
    left = [seconds, float(count)]

    def check(message: bytes, number: int) -> bool:
        if min(left) <= 0:
            return False
        begun_s = time.monotonic()
        try:
            return is_signed(message, number)
        finally:
            left[0] -= time.monotonic() - begun_s
            left[1] -= 1

    return check
