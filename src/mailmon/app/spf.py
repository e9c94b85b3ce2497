"""SPF (RFC 7208) evaluated for one client."""

from __future__ import annotations

import ipaddress
import time
from typing import NamedTuple

from mailmon.app.findings import read_address
from mailmon.errors import UsageError
from mailmon.mail.auth.spf import Client, Verdict
from mailmon.mail.message.address import dns_name


class Evaluated(NamedTuple):
    """A client and its result."""

    client: Client
    verdict: Verdict


def client_of(address: str, helo: str = "", mail_from: str = "") -> Client:
    """Return a client; `mail_from` is empty for the null sender. Raises UsageError."""
    if not helo and not mail_from:
        raise UsageError("requires an envelope sender, or a HELO name for the null sender", field="mail_from")
    try:
        return Client(
            ipaddress.ip_address(read_address(address, "address")),
            _in_a_labels(helo),
            _in_a_labels(mail_from),
            now_s=int(time.time()),
        )
    except ValueError as exc:
        raise UsageError(str(exc)) from exc


def evaluate(client: Client, nameservers: tuple[tuple[str, int], ...] = (), timeout_s: float = 5.0) -> Evaluated:
    """Evaluate SPF by DNS; each question may take `timeout_s`."""
    from mailmon.clients.records import Records, spf_questions
    from mailmon.mail.auth.spf import check_host

    return Evaluated(client, check_host(client, spf_questions(Records(nameservers, timeout_s))))


def _in_a_labels(name: str) -> str:
    """Return a name or address with its domain in A-labels (RFC 7208 section 4.3). Raises ValueError."""
    local, at, domain = name.rpartition("@")
    return name if domain.isascii() else f"{local}{at}{dns_name(domain)}"
