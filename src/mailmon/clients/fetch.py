"""HTTP GET at given addresses, with the certificate verified for the host name.

http.client and not requests: the name is resolved by the name servers that are asked for everything else, and neither
a proxy nor a redirect may stand between (RFC 8461 section 3.3).
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Mapping
from typing import NamedTuple

from mailmon.clients.connectivity import open_socket
from mailmon.clients.deadline import within
from mailmon.clients.server import Trust, tls_name, without_idna
from mailmon.clients.tls import PeerCertificate, TlsContexts, peer_certificate

AGENT = "mailmon"


class FetchError(Exception):
    """Nothing usable was fetched; `is_ours` where that may be our own network's doing, as with a time-out.

    `status` is what the server answered, 0 where it did not.
    """

    def __init__(self, message: str, *, is_ours: bool = False, status: int = 0) -> None:
        super().__init__(message)
        self.message, self.is_ours, self.status = message, is_ours, status


class Fetched(NamedTuple):
    """The body, as text, and what the server calls it."""

    text: str
    content_type: str


class Answer(NamedTuple):
    """What a server answered, whatever it is; `headers` are by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    certificate: PeerCertificate | None = None


class Fetch(NamedTuple):
    """One GET. The first of the addresses that can be connected to is asked; no more than `max_bytes` are read."""

    host: str
    port: int
    path: str
    addresses: tuple[str, ...]
    ca_file: str | None = None
    max_bytes: int = 65536
    is_tls: bool = True

    def run(self, timeout_s: float) -> Fetched:
        """Return what is there, with status 200 and no longer than it may be. Raises FetchError."""
        answer = self.ask(timeout_s)
        if answer.status != 200:
            more = ", a redirect, which is never followed" if 300 <= answer.status < 400 else ""
            raise FetchError(f"{self.host} answers {answer.status}{more}", status=answer.status)
        if len(answer.body) > self.max_bytes:
            raise FetchError(f"{self.host} sends more than {self.max_bytes} bytes")
        return Fetched(answer.body.decode("utf-8", "replace"), answer.headers.get("content-type", ""))

    def ask(self, timeout_s: float) -> Answer:
        """Return what the server answers within `timeout_s`. Raises FetchError."""
        try:
            return within(timeout_s, lambda: self._exchange(timeout_s))
        except TimeoutError:
            raise FetchError(f"no answer from {self.host} within {timeout_s:.3g} s", is_ours=True) from None

    def _exchange(self, timeout_s: float) -> Answer:
        context = TlsContexts().get(Trust(ca_file=self.ca_file)) if self.is_tls else None
        try:
            connection = _Connection(self, timeout_s, context)
        except UnicodeError as exc:
            raise FetchError(str(exc)) from None
        try:
            connection.request("GET", self.path, headers={"User-Agent": AGENT, "Accept": "*/*"})
            certificate = peer_certificate(connection.sock)
            with connection.getresponse() as response:
                body = response.read(self.max_bytes + 1)
                headers = {name.lower(): value for name, value in response.getheaders()}
                return Answer(response.status, headers, body, certificate)
        except TimeoutError:
            raise
        except (OSError, http.client.HTTPException, UnicodeError) as exc:
            from mailmon.clients.failure import words_of

            what = f"{self.host}: invalid certificate" if _is_about_trust(exc) else f"cannot connect to {self.host}"
            raise FetchError(f"{what}: {words_of(exc, self.host.removesuffix('.'))}") from None
        finally:
            connection.close()


def _is_about_trust(exc: Exception) -> bool:
    return isinstance(exc, ssl.SSLCertVerificationError)


class _Connection(http.client.HTTPConnection):
    """A connection to one of the addresses, by the name's certificate."""

    def __init__(self, fetch: Fetch, timeout_s: float, context: ssl.SSLContext | None) -> None:
        super().__init__(without_idna(fetch.host).decode("ascii"), fetch.port, timeout=timeout_s)
        self.default_port = 443 if fetch.is_tls else 80
        self._fetch, self._context, self._seconds = fetch, context, timeout_s

    def connect(self) -> None:
        last: OSError = OSError("no address")
        for address in self._fetch.addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            try:
                sock = open_socket(family, (address, self._fetch.port), self._seconds / len(self._fetch.addresses))
            except OSError as exc:
                last = exc
                continue
            sock.settimeout(self._seconds)
            try:
                wrap = self._context.wrap_socket if self._context else None
                self.sock = wrap(sock, server_hostname=tls_name(self._fetch.host)) if wrap else sock
            except BaseException:
                sock.close()
                raise
            return
        raise last
