"""Was the message that came back really sent from here? A folder of sent mail knows."""

from __future__ import annotations

from collections.abc import Callable

from mailmon.clients.imap_folder import FolderClient
from mailmon.errors import StageError
from mailmon.mail.bounce import Original
from mailmon.mail.bounce.message import Headers, read_head
from mailmon.mail.bounce.original import read_original

FIELDS = ("Message-ID", "Subject", "Cc", "To")
MAX_COPIES = 5


class SentFolder:
    """Looks messages up in the folder of sent mail, by a connection of its own that is opened when first needed."""

    def __init__(self, folder: str, connect: Callable[[], FolderClient]) -> None:
        self._folder = folder
        self._connect = connect
        self._client: FolderClient | None = None
        self.trouble = ""

    def holds(self, returned: Original, *, with_to: bool = False) -> bool:
        """Say whether a message of this Message-ID, Subject and Cc is there: who knows the ID may forge the rest.

        With `with_to` it must have the same To as well.

        A folder that cannot be read proves nothing; `trouble` then says why, and it is not asked again.
        """
        if self.trouble or not (returned.message_id.isascii() and returned.message_id.isprintable()):
            return False
        try:
            self._client = self._client or self._open()
            uids = self._client.with_message_id(returned.message_id)[-MAX_COPIES:]
            copies = self._client.headers_of(uids, FIELDS)
        except StageError as exc:
            self.trouble = f"{self._folder}: sent mail cannot be looked up: {exc.message}"
            return False
        found = (read_original(_headers(copy.text), {}, "") for copy in copies)
        return any(_key(one) == _key(returned) and (one.to == returned.to or not with_to) for one in found)

    def close(self) -> None:
        """End the connection, if there is one; never raises."""
        if self._client:
            self._client.close()

    def _open(self) -> FolderClient:
        client = self._connect()
        try:
            client.examine(self._folder)
        except BaseException:
            client.close()
            raise
        return client


def _headers(raw: bytes) -> Headers:
    return read_head(raw.decode("latin-1").replace("\r\n", "\n") + "\n\n", 0)[0]


def _key(original: Original) -> tuple[str, str, tuple[str, ...]]:
    return original.message_id, original.subject, original.cc
