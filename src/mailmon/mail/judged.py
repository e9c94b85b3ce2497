"""Which messages of a folder were judged already, although its UIDs may not be what they should be? Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from mailmon.mail.imapdata import Fetched

# So many of what a doubtful server names are looked at again, half of them from either end.
MAX_DOUBTFUL = 40


class SeenMessages:
    """The messages that were judged in one run.

    By their UIDs, which never change their meaning (RFC 3501 section 2.3.1.1). There are servers on which they do,
    where the newest message is always the first: as soon as that shows, by what the messages say.
    """

    def __init__(self) -> None:
        self.uids_shift = False
        self._by_uid: dict[int, int] = {}
        self._texts: set[int] = set()

    def is_new(self, message: Fetched) -> bool:
        """Say whether a message was not judged yet, and note it."""
        text = hash(message.text)
        known = self._by_uid.get(message.uid)
        if known == text:
            return False
        self._by_uid[message.uid] = text
        self.uids_shift = self.uids_shift or known is not None
        if self.uids_shift and text in self._texts:
            return False
        self._texts.add(text)
        return True

    def candidates(self, found: Iterable[int], known: Collection[int], limit: int) -> list[int]:
        """Return which of the messages that a search found are worth a look.

        `known` are those that are rightly found. A judged one that is not among them should not have been found:
        either the server ignores what it is asked, or that UID is another message now.
        """
        uids = sorted(set(found))
        fresh = [uid for uid in uids if uid not in self._by_uid]
        doubtful = [uid for uid in uids if uid in self._by_uid and uid not in known]
        if self.uids_shift:
            return ends(uids, MAX_DOUBTFUL)
        # The doubtful first: whether UIDs shift must be known before a message is met again under another one. Then the
        # newest: a bounce of today must not wait behind old mail.
        return [*ends(doubtful, MAX_DOUBTFUL), *reversed(ends(fresh, limit))]

    def forget(self, uid: int) -> None:
        """Judge a message once more when it is met again."""
        text = self._by_uid.pop(uid, None)
        if text is not None:
            self._texts.discard(text)

    def clear(self) -> None:
        """Forget all: the messages have new numbers."""
        self._by_uid.clear()

    def is_same(self, message: Fetched) -> bool:
        """Say whether a message that is read again is what was judged by its UID; where it is not, UIDs shift."""
        known = self._by_uid.get(message.uid)
        is_same = known == hash(message.text)
        self.uids_shift = self.uids_shift or not is_same
        return is_same


def ends(uids: list[int], limit: int) -> list[int]:
    """Return at most `limit` of some UIDs, from both ends: the newest are at the one or at the other.

    >>> ends([1, 2, 3, 4, 5, 6], 4)
    [1, 2, 5, 6]
    """
    if len(uids) <= limit:
        return uids
    half = limit // 2
    return [*uids[:half], *uids[len(uids) - (limit - half) :]]
