"""Where do messages go that a scan has recorded? Moved in a way that is verified, or left where they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mailmon.clients.account import BounceFolder
from mailmon.clients.imap_folder import FolderClient
from mailmon.errors import StageError
from mailmon.store.history.bounces import Folder, Outcome
from mailmon.store.history.history import BounceLog

BATCH = 200
# A batch that is refused is tried one by one: who is refused so often is not stopped by a single message.
MAX_REFUSED = 3
_READ_ONLY = (
    "Give the account the right to delete in this folder (ACL rights t and e), or remove processed, skipped and "
    "problem from its bounces. The messages stay where they are."
)


class BounceSort:
    """Moves what is recorded and still in its folder; what an earlier run left behind included."""

    def __init__(
        self, client: FolderClient, place: BounceFolder, folder: Folder, history: BounceLog, is_over: Callable[[], bool]
    ) -> None:
        self._client = client
        self._place = place
        self._folder = folder
        self._history = history
        self._is_over = is_over
        self.moved = 0
        self.obstacles: dict[str, str] = {}

    def sort(self) -> None:
        """Move all that has somewhere to go. Raises StageError only when the connection is lost, and StateError."""
        for word, target in self._place.targets.items():
            if self._client.is_read_only:
                self.obstacles = {"the server opens this folder read-only": _READ_ONLY}
                return
            self._sort_one(Outcome(word), target)

    def _sort_one(self, outcome: Outcome, target: str) -> None:
        left: set[int] = set()
        while not self._is_over():
            pending = self._history.pending(self._folder, (outcome,), BATCH + len(left))
            uids = [one.uid for one in pending if one.uid not in left]
            if not uids:
                return
            there = self._client.which_exist(uids)
            self._history.release(self._folder, [uid for uid in uids if uid not in there])
            stayed = self._move([uid for uid in uids if uid in there], target)
            left |= set(stayed)
            if len(stayed) >= MAX_REFUSED:
                return

    def _move(self, uids: Sequence[int], target: str) -> Sequence[int]:
        """Move messages; return those that had to stay, with the reason among the obstacles."""
        if not uids or self._try(uids, target):
            return ()
        stayed: list[int] = []
        for number, uid in enumerate(uids if len(uids) > 1 else ()):
            if len(stayed) >= MAX_REFUSED:
                return [*stayed, *uids[number:]]
            if not self._try([uid], target):
                stayed.append(uid)
        return stayed if len(uids) > 1 else uids

    def _try(self, uids: Sequence[int], target: str) -> bool:
        try:
            if self._place.may_create:
                self._client.make_folder(target)
            self._client.move(uids, target)
        except StageError as exc:
            if exc.lost or exc.is_silence:
                raise
            self.obstacles.setdefault(exc.message, exc.advice)
            return False
        self._history.release(self._folder, uids)
        self.moved += len(uids)
        return True
