"""How is a domain looked at?"""

from __future__ import annotations

import re
from typing import NamedTuple

SMTP_PORT, HTTPS_PORT = 25, 443
# More than a name can have, also in another script; Python's IDNA takes quadratic time.
MAX_CHARS = 1000


class Options(NamedTuple):
    """Seconds: `timeout_s` bounds each question and each step of a conversation, `deadline_s` everything.

    `own_addresses` are those that mail is sent from, `host` and `dkim_key` what is to be published for a domain that is
    not there yet. Without `connects` nothing but DNS is asked.
    """

    nameservers: tuple[tuple[str, int], ...] = ()
    timeout_s: float = 5.0
    deadline_s: float = 30.0
    connects: bool = True
    ca_file: str | None = None
    selectors: tuple[str, ...] = ()
    own_addresses: tuple[str, ...] = ()
    host: str = ""
    dkim_key: str = ""
    smtp_port: int = SMTP_PORT
    https_port: int = HTTPS_PORT


def read_domain(text: str) -> str:
    """Return a domain as DNS has it: in ASCII, lower case, without the final dot. Raises ValueError.

    >>> read_domain("Bücher.example.")
    'xn--bcher-kva.example'
    """
    try:
        name = text[:MAX_CHARS].strip().rstrip(".").lower().encode("idna").decode("ascii")
    except UnicodeError:
        name = ""
    if len(name) > 253 or not re.fullmatch(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?", name):
        raise ValueError(f"{text[:80]!r} is no domain name, like example.org")
    return name
