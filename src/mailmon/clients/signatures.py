"""Verification of DKIM signatures (RFC 6376) with dkimpy; mail/bounce/ownership.py decides which signatures count.

dkimpy and dnspython are imported only where a configuration asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mailmon.mail.auth.dkim import IsSigned, is_usable_key
from mailmon.mail.caps import MAX_RECORD_CHARS
from mailmon.mail.records.dkim import read_key

LIFETIME_S = 5.0
# Whoever signs chooses the key: a large one, or a large exponent, would take minutes to verify with.
MIN_KEY_BITS, MAX_KEY_BITS, MAX_EXPONENT_BITS = 1024, 8192, 33

# Returns the TXT record of a name, None where there is none or nobody answers.
LookUp = Callable[[str], bytes | None]


def signature_check(look_up: LookUp) -> IsSigned:
    """Return a function that verifies the n-th signature of a message; one that cannot be checked is invalid."""

    def is_signed(message: bytes, number: int) -> bool:
        import dkim

        def key_of(name: bytes | str, timeout: int = 5) -> bytes | None:
            record = look_up(name.decode("ascii", "replace") if isinstance(name, bytes) else name)
            return record if record and is_usable_key(record) and is_quick_key(record) else None

        try:
            return bool(dkim.DKIM(message, minkey=MIN_KEY_BITS).verify(idx=number, dnsfunc=key_of))
        # Besides its own errors, dkimpy lets those of its parsing pass where a tag is odd.
        except (dkim.DKIMException, ValueError, LookupError, TypeError, ArithmeticError):
            return False

    return is_signed


def is_quick_key(record: bytes) -> bool:
    """Return whether verifying with the RSA key of a record takes no time. Never raises."""
    from dkim.crypto import UnparsableKeyError, parse_public_key

    try:
        key = parse_public_key(read_key(record[:MAX_RECORD_CHARS].decode("latin-1")).data)
    except (UnparsableKeyError, ValueError, LookupError, TypeError):
        return False
    modulus_bits, exponent_bits = int(key["modulus"]).bit_length(), int(key["publicExponent"]).bit_length()
    return modulus_bits <= MAX_KEY_BITS and 0 < exponent_bits <= MAX_EXPONENT_BITS


def remembering(look_up: LookUp) -> LookUp:
    """Return a look-up that asks for each name once: many signatures name the same few keys."""
    known: dict[str, bytes | None] = {}

    def look_up_once(name: str) -> bytes | None:
        if name not in known:
            known[name] = look_up(name)
        return known[name]

    return look_up_once


def txt_by(nameservers: Sequence[tuple[str, int]], lifetime_s: float = LIFETIME_S) -> LookUp:
    """Return a look-up of TXT records by these name servers, the system's without any. It never raises."""

    def look_up(name: str) -> bytes | None:
        import dns.exception

        from mailmon.clients.dns import make_resolver

        try:
            answer = make_resolver(nameservers).resolve(name, "TXT", lifetime=lifetime_s, search=False)
        except dns.exception.DNSException:
            return None
        records = [b"".join(record.strings) for record in answer]
        # Several records are as good as none (RFC 6376 section 3.6.2.2).
        return records[0] if len(records) == 1 else None

    return look_up
