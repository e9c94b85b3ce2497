"""requests over TLS sockets that keep what a server sent when its certificate is not good (clients/tls.py)."""

from __future__ import annotations

import ssl
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.util.ssl_ import create_urllib3_context

from mailmon.clients.tls import TellingSocket


class TellingAdapter(HTTPAdapter):
    """An adapter for https. Which certificates are good is told by `verify`, as everywhere in requests."""

    def init_poolmanager(self, *args: Any, **more: Any) -> Any:
        """Make the pool of direct connections."""
        return super().init_poolmanager(*args, ssl_context=_context(), **more)

    def proxy_manager_for(self, proxy: Any, **more: Any) -> Any:
        """Make the pool of connections through a proxy."""
        return super().proxy_manager_for(proxy, ssl_context=_context(), **more)


def _context() -> ssl.SSLContext:
    context = create_urllib3_context()
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # docs/decisions/0006-certificates.md
    context.sslsocket_class = TellingSocket
    return context
