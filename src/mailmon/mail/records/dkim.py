"""DKIM key records (RFC 6376 section 3.6.1, RFC 8301, RFC 8463)."""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

from mailmon.mail.records.tags import Mistake, read_tags

ED25519_BYTES = 32


class DkimKey(NamedTuple):
    """`data` is what p= holds: of RSA a SubjectPublicKeyInfo or RSAPublicKey in DER; empty where it is revoked."""

    kind: str
    data: bytes
    hashes: tuple[str, ...] = ()
    is_testing: bool = False
    mistakes: tuple[str, ...] = ()

    @property
    def is_revoked(self) -> bool:
        """Return whether the key was taken back (an empty p=)."""
        return not self.data


def read_key(text: str) -> DkimKey:
    """Read a key record. Raises Mistake where verifiers cannot use it.

    >>> read_key("v=DKIM1; p=").is_revoked
    True
    """
    tags = read_tags(text)
    values = tags.values
    if tags.repeated:  # the whole list counts for nothing then (section 3.2)
        raise Mistake(f"{tags.repeated[0][:40]}= stands there twice")
    if "v" in values and (tags.first != "v" or values["v"] != "DKIM1"):
        raise Mistake("v= must come first and be DKIM1")
    if "p" not in values:
        raise Mistake("there is no p= with the key" + (": P= is another tag" if "P" in values else ""))
    kind = values.get("k", "rsa").lower()
    if kind not in ("rsa", "ed25519"):
        raise Mistake(f"k={kind[:40]}: no such kind of key")
    services = [name.strip().lower() for name in values.get("s", "*").split(":")]
    if not {"*", "email"} & set(services):
        raise Mistake(f"s={values['s'][:40]}: the key is not for mail")
    data = _decode("".join(values["p"].split()))
    if kind == "ed25519" and data and len(data) != ED25519_BYTES:
        raise Mistake(f"an Ed25519 key has {ED25519_BYTES} bytes, this one {len(data)}")
    hashes = tuple(name.strip().lower() for name in values["h"].split(":")) if "h" in values else ()
    flags = [name.strip().lower() for name in values.get("t", "").split(":")]
    return DkimKey(kind, data, hashes, "y" in flags, tags.mistakes)


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise Mistake("p= is no base64: often a quote, a blank or a backslash that does not belong there") from exc
