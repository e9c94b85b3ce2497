"""The ServerKeyExchange message of TLS 1.2, which has the Diffie-Hellman group in clear (RFC 5246 section 7.4.3)."""

from __future__ import annotations

from collections.abc import Iterator

# A handshake is a few kilobytes; nothing is read beyond this.
MAX_BYTES = 256 * 1024
_HANDSHAKE_RECORD, _SERVER_KEY_EXCHANGE = 22, 12
_RECORD_HEAD, _MESSAGE_HEAD = 5, 4


def dh_bits(received: bytes) -> int | None:
    """Return the bits of the prime in a ServerKeyExchange, None if there is none, or it is malformed.

    `received` is all that the server sent in a handshake for which only DHE suites of TLS 1.2 or older were offered.
    """
    for kind, body in _messages(_unwrapped(received[:MAX_BYTES])):
        if kind == _SERVER_KEY_EXCHANGE:
            # The prime, the generator and the server's public value, each preceded by two bytes of length.
            prime, rest = _vector(body)
            generator, rest = _vector(rest)
            public, _ = _vector(rest)
            return int.from_bytes(prime).bit_length() or None if prime and generator and public else None
    return None


def _unwrapped(received: bytes) -> bytes:
    """Return the contents of the handshake records, up to the first record of another kind."""
    found = bytearray()
    at = 0
    while len(received) - at > _RECORD_HEAD and received[at] == _HANDSHAKE_RECORD:
        length = int.from_bytes(received[at + 3 : at + _RECORD_HEAD])
        at += _RECORD_HEAD
        found += received[at : at + length]
        at += length
    return bytes(found)


def _messages(handshake: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the type and the body of each complete message."""
    at = 0
    while len(handshake) - at >= _MESSAGE_HEAD:
        length = int.from_bytes(handshake[at + 1 : at + _MESSAGE_HEAD])
        kind, at = handshake[at], at + _MESSAGE_HEAD
        if len(handshake) - at < length:
            return
        yield kind, handshake[at : at + length]
        at += length


def _vector(data: bytes) -> tuple[bytes, bytes]:
    """Return a value preceded by two bytes of length, b"" if it is cut off, and what follows."""
    length = int.from_bytes(data[:2])
    value = data[2 : 2 + length]
    return (value if len(value) == length else b""), data[2 + length :]
