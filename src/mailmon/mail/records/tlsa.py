"""TLSA records (RFC 6698 section 2), and which of them count between mail servers (RFC 7672 section 3.1)."""

from __future__ import annotations

from typing import NamedTuple

# Usages: PKIX-TA (0) and PKIX-EE (1) do not count for SMTP (RFC 7672 section 3.1.3).
TRUST_ANCHOR, END_ENTITY = 2, 3
WHOLE_CERTIFICATE, PUBLIC_KEY = 0, 1
FULL, SHA256, SHA512 = 0, 1, 2
_BYTES = {SHA256: 32, SHA512: 64}
_MAX_CHARS = 140_000  # 65,535 bytes in hex, with blanks


class Tlsa(NamedTuple):
    """One record; `data` is a certificate, a key (both DER), or the digest of one."""

    usage: int
    selector: int
    matching: int
    data: bytes

    @property
    def name(self) -> str:
        """Return usage, selector and matching type as they are written, "3 1 1"."""
        return f"{self.usage} {self.selector} {self.matching}"

    @property
    def why_unusable(self) -> str:
        """Return why SMTP senders ignore the record, "" where they use it (RFC 7672 section 2.2 and 3.1)."""
        if self.usage not in (TRUST_ANCHOR, END_ENTITY):
            return f"usage {self.usage} does not count for mail, only 2 and 3 do"
        if self.selector not in (WHOLE_CERTIFICATE, PUBLIC_KEY):
            return f"selector {self.selector} is not defined"
        if self.matching not in (FULL, SHA256, SHA512):
            return f"matching type {self.matching} is not defined"
        if len(self.data) != _BYTES.get(self.matching, len(self.data)):
            return f"{len(self.data)} bytes are no digest of matching type {self.matching}"
        return "" if self.data else "it holds no data"


def read_tlsa(text: str) -> Tlsa | None:
    """Return a record in zone-file form, None where it is none.

    >>> read_tlsa("3 1 1 " + "AB" * 16 + " " + "cd" * 16).why_unusable, read_tlsa("3 1 5 00").why_unusable
    ('', 'matching type 5 is not defined')
    """
    numbers, data = text[:_MAX_CHARS].split()[:3], "".join(text[:_MAX_CHARS].split()[3:])
    if len(numbers) < 3 or not all(one.isascii() and one.isdigit() and len(one) <= 3 for one in numbers):
        return None
    try:
        usage, selector, matching = map(int, numbers)
        return Tlsa(usage, selector, matching, bytes.fromhex(data))
    except ValueError:
        return None
