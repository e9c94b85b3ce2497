"""Autoconfig files for mail clients (config-v1.1.xml, as Thunderbird and others read it)."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import NamedTuple

from mailmon.mail.caps import number
from mailmon.mail.records.tags import Mistake

MAX_SERVERS = 10
_PROTOCOLS = {"imap": "imap", "pop3": "pop3", "smtp": "smtp"}


class Service(NamedTuple):
    """One server that clients are sent to."""

    protocol: str
    host: str
    port: int
    is_implicit_tls: bool


def read_autoconfig(text: str) -> tuple[Service, ...]:
    """Return the servers of an autoconfig file. Raises Mistake."""
    if "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper():
        raise Mistake("it has a document type, which no client needs")
    try:
        root = ET.fromstring(text)  # noqa: S314 -- without a document type there is nothing to expand
    except (ET.ParseError, ValueError) as exc:
        raise Mistake(f"it is no XML: {exc}") from exc
    if root.tag != "clientConfig":
        raise Mistake("it is no clientConfig")
    servers = [*root.iter("incomingServer"), *root.iter("outgoingServer")][:MAX_SERVERS]
    return tuple(service for service in map(_service, servers) if service)


def _service(server: ET.Element) -> Service | None:
    protocol = _PROTOCOLS.get(server.get("type", ""))
    host, port = (server.findtext("hostname") or "").strip(), (server.findtext("port") or "").strip()
    if not protocol or not host or "%" in host:
        return None
    at = number(port)
    if at is None or not 1 <= at <= 65535:
        raise Mistake(f"port {port[:20]!r} of {host[:100]} is no port")
    return Service(protocol, host.lower(), at, (server.findtext("socketType") or "").strip().upper() == "SSL")
