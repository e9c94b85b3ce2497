"""A web server on loopback that serves a policy and an autoconfig file, rightly or not."""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple


class Page(NamedTuple):
    """One answer; `slow_s` waits before it."""

    body: str = ""
    status: int = 200
    kind: str = "text/plain"
    slow_s: float = 0.0
    location: str = ""


POLICY = "version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: {age}\r\n"


def policy(mode: str = "enforce", mx: str = "mx.mail.test", age: str = "604800") -> Page:
    """Return a policy page."""
    return Page(POLICY.format(mode=mode, mx=mx, age=age))


def autoconfig(*servers: tuple[str, str, int, str]) -> Page:
    """Return an autoconfig page; a server is its type, host, port and socketType."""
    listed = "".join(
        f'<{way}Server type="{kind}"><hostname>{host}</hostname><port>{port}</port>'
        f"<socketType>{socket_type}</socketType></{way}Server>"
        for kind, host, port, socket_type in servers
        for way in (["outgoing"] if kind == "smtp" else ["incoming"])
    )
    provider = f'<emailProvider id="mail.test">{listed}</emailProvider>'
    return Page(f'<?xml version="1.0"?><clientConfig version="1.1">{provider}</clientConfig>', kind="text/xml")


@contextlib.contextmanager
def web(pages: dict[str, Page], certificate: Path, address: tuple[str, int] = ("127.0.0.1", 0)) -> Iterator[int]:
    """Serve pages by their path, with a certificate whose key lies beside it; yield the port."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 5.0

        def do_GET(self) -> None:
            page = pages.get(self.path.partition("?")[0], Page("nothing", 404))
            time.sleep(page.slow_s)
            body = page.body.encode()
            with contextlib.suppress(OSError):
                self.send_response(page.status)
                self.send_header("Content-Type", page.kind)
                if page.location:
                    self.send_header("Location", page.location)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def finish_request(self, request: Any, client_address: Any) -> None:
            with contextlib.suppress(OSError), context.wrap_socket(request, server_side=True) as secured:
                Handler(secured, client_address, self)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    server = Server(address, Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
