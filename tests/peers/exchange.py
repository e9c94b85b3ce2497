"""Exchange: new Message-IDs, other encodings, replies that name the host, no UIDPLUS."""

from __future__ import annotations

import itertools
import quopri
import re

from mailmon.sandbox import Faults, Sandbox
from mailmon.sandbox.delivery import AcceptedMail

_HOST = "AM0PR01MB1234.eurprd01.prod.exchangelabs.com"
_numbers = itertools.count(1)


class Exchange(Sandbox):
    """A sandbox that rewrites what it delivers and takes tokens."""

    def __init__(self, address: str, token: str) -> None:
        reply = f"250 2.0.0 OK <AM0PR01MB1234@{_HOST}> [Hostname={_HOST}]"
        faults = Faults(no_uidplus=True, hidden_capabilities={"MOVE"}, data_reply=reply)
        super().__init__(faults=faults, users={address: "unused-by-anybody"}, tokens={address: token})
        accept = self._delivery.accept

        def rewritten(mail: AcceptedMail, received_from: str) -> None:
            mail.raw = rewrite(mail.raw)
            accept(mail, received_from)

        self._delivery.accept = rewritten  # type: ignore[method-assign]


def rewrite(raw: bytes) -> bytes:
    """Return a message as Exchange hands it on."""
    head, _, body = raw.partition(b"\r\n\r\n")
    number = next(_numbers)
    head = re.sub(rb"(?mi)^Message-ID: .*$", f"Message-ID: <AM0PR01MB{number:04d}@{_HOST}>\r".encode(), head)
    head = re.sub(rb"(?mi)^Content-Transfer-Encoding: .*\r\n", b"", head + b"\r\n")
    added = (
        b"Content-Transfer-Encoding: quoted-printable\r\n"
        b"X-MS-Exchange-Organization-SCL: -1\r\n"
        b"X-MS-Exchange-CrossTenant-AuthAs: Internal\r\n"
    )
    coded = quopri.encodestring(body.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    return head + added + b"\r\n" + coded
