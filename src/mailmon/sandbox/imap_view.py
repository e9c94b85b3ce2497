"""The message sequence numbers of a session (RFC 3501 section 2.3.1.2)."""

from collections.abc import Iterable

from mailmon.sandbox.imap_answer import BadCommandError
from mailmon.sandbox.imap_search import Candidate, Numbers
from mailmon.sandbox.imap_syntax import SequenceSet
from mailmon.sandbox.store import SYSTEM_FLAGS, Mailbox, Message


class View:
    """The messages that a session has been told of; it changes only when the session is told so."""

    def __init__(self, mailbox: Mailbox, is_read_only: bool) -> None:
        self.mailbox = mailbox
        self.is_read_only = is_read_only
        self.messages = mailbox.messages
        self._next_uid = max((message.uid for message in self.messages), default=0) + 1
        self._first_recent_uid = mailbox.claim_recent(is_read_only)

    def greeting(self) -> list[bytes]:
        """Return the untagged responses to SELECT (section 6.3.1)."""
        recent = sum(map(self.is_recent, self.messages))
        flags = sorted(set(SYSTEM_FLAGS).union(*(message.flags for message in self.messages)))
        permanent = "" if self.is_read_only else " ".join([*flags, "\\*"])
        return [
            f"* FLAGS ({' '.join(flags)})".encode(),
            b"* %d EXISTS" % len(self.messages),
            b"* %d RECENT" % recent,
            f"* OK [PERMANENTFLAGS ({permanent})] Flags permitted".encode(),
            b"* OK [UIDVALIDITY %d] UIDs valid" % self.mailbox.uid_validity,
            b"* OK [UIDNEXT %d] Predicted next UID" % self.mailbox.uid_next,
        ]

    def arrivals(self) -> list[bytes]:
        """Take in the new messages and return the EXISTS that announces them, if there are any."""
        new = [message for message in self.mailbox.messages if message.uid >= self._next_uid]
        self._next_uid = max([self._next_uid, *(message.uid + 1 for message in new)])
        if not new:
            return []
        self.messages += new
        recent = sum(map(self.is_recent, self.messages))
        return [b"* %d EXISTS" % len(self.messages), b"* %d RECENT" % recent]

    def removals(self) -> list[bytes]:
        """Give up the messages that are gone and return an EXPUNGE for each."""
        present = {message.uid for message in self.mailbox.messages}
        lines = []
        # From the end, so that no number changes before its line is written.
        for number in range(len(self.messages), 0, -1):
            if self.messages[number - 1].uid not in present:
                lines.append(b"* %d EXPUNGE" % number)
                del self.messages[number - 1]
        return lines

    def hide(self, messages: Iterable[Message]) -> list[bytes]:
        """Give up messages that are still there and return an EXPUNGE for each."""
        lines = []
        for message in messages:
            lines.append(b"* %d EXPUNGE" % (self.messages.index(message) + 1))
            self.messages.remove(message)
        return lines

    def is_recent(self, message: Message) -> bool:
        """Return whether the message is \\Recent in this session."""
        return message.uid >= self._first_recent_uid

    def numbers(self) -> Numbers:
        """Return the message numbers and UIDs in use."""
        return Numbers(list(range(1, len(self.messages) + 1)), [message.uid for message in self.messages])

    def candidates(self) -> list[Candidate]:
        """Return all messages with their numbers."""
        return [Candidate(number, message, self.is_recent(message)) for number, message in enumerate(self.messages, 1)]

    def choose(self, wanted: SequenceSet, by_uid: bool) -> list[Candidate]:
        """Return the messages named; an unknown number is BAD, an unknown UID is ignored (section 6.4.8)."""
        numbers = self.numbers()
        if by_uid:
            uids = wanted.select(numbers.uids)
            return [candidate for candidate in self.candidates() if candidate.message.uid in uids]
        if wanted.exceeds(len(self.messages)):
            raise BadCommandError("no message with this number")
        chosen = wanted.select(numbers.sequence)
        return [candidate for candidate in self.candidates() if candidate.number in chosen]
