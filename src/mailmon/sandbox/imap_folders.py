"""IMAP commands on folders (RFC 3501 section 6.3)."""

from mailmon.sandbox.faults import Faults
from mailmon.sandbox.imap_answer import Answer, BadCommandError, RefusedError
from mailmon.sandbox.imap_syntax import Parser, quote
from mailmon.sandbox.store import Mailbox, Store

_SEPARATOR = "/"
_NAME_LIMIT = 200
# What a folder is for, by the last part of its name (RFC 6154).
_USES = {"Trash": b"\\Trash", "Junk": b"\\Junk", "Spam": b"\\Junk", "Sent": b"\\Sent", "All Mail": b"\\All"}


class Folders:
    """The folders of the account that is logged in."""

    def __init__(self, store: Store, address: str, faults: Faults) -> None:
        self._store = store
        self._address = address
        self._faults = faults

    def find(self, name: str) -> Mailbox | None:
        """Return the folder if it exists."""
        return self._store.find(self._address, name)

    def existing(self, name: str) -> Mailbox:
        """Return the folder; RefusedError if it does not exist."""
        mailbox = self.find(name)
        if mailbox is None:
            raise RefusedError("[NONEXISTENT] no such mailbox")
        return mailbox

    def run(self, name: str, parser: Parser) -> Answer:
        """Carry out one command."""
        methods = {
            "APPEND": self._append,
            "CREATE": self._create,
            "DELETE": self._delete,
            "GETQUOTAROOT": self._quota,
            "LIST": lambda parser: self._list(parser, b"LIST"),
            "LSUB": lambda parser: self._list(parser, b"LSUB"),
            "STATUS": self._status,
            "SUBSCRIBE": self._subscribe,
            "UNSUBSCRIBE": self._subscribe,
        }
        return methods[name](parser)

    def _list(self, parser: Parser, name: bytes) -> Answer:
        parser.space()
        reference = parser.mailbox()
        parser.space()
        pattern = parser.list_pattern()
        parser.end()
        done = b"OK %s completed" % name
        if not pattern:  # asks for the separator (section 6.3.8)
            return Answer(done, [b'* %s (\\Noselect) "%s" ""' % (name, _SEPARATOR.encode())])
        found = [folder for folder in self._store.folders(self._address) if _matches(reference + pattern, folder)]
        return Answer(
            done,
            [b'* %s (%s) "%s" %s' % (name, _use_of(folder), _SEPARATOR.encode(), quote(folder)) for folder in found],
        )

    def _create(self, parser: Parser) -> Answer:
        name = _only_name(parser).rstrip(_SEPARATOR)
        if self.find(name) is not None:
            raise RefusedError("[ALREADYEXISTS] mailbox exists already")
        if not name or len(name) > _NAME_LIMIT or not name.isprintable():
            raise RefusedError("[CANNOT] invalid mailbox name")
        self._store.mailbox(self._address, name)
        return Answer(b"OK CREATE completed")

    def _delete(self, parser: Parser) -> Answer:
        mailbox = self.existing(_only_name(parser))
        if mailbox.name == "INBOX":
            raise RefusedError("[CANNOT] INBOX cannot be deleted")
        self._store.delete(self._address, mailbox.name)
        return Answer(b"OK DELETE completed")

    def _quota(self, parser: Parser) -> Answer:
        name = quote(self.existing(_only_name(parser)).name)
        if self._faults.quota is None:
            raise RefusedError("no quota")
        roots = [b'* QUOTAROOT %s "user"' % name, b'* QUOTA "user" (STORAGE %d %d)' % self._faults.quota]
        return Answer(b"OK GETQUOTAROOT completed", roots)

    def _subscribe(self, parser: Parser) -> Answer:
        _only_name(parser)  # every folder counts as subscribed, all the time
        return Answer(b"OK done")

    def _status(self, parser: Parser) -> Answer:
        parser.space()
        mailbox = self.existing(parser.mailbox())
        messages = mailbox.messages
        known = {
            "MESSAGES": len(messages),
            "RECENT": sum(message.uid >= mailbox.first_recent_uid for message in messages),
            "UIDNEXT": mailbox.uid_next,
            "UIDVALIDITY": mailbox.uid_validity,
            "UNSEEN": sum("\\Seen" not in message.flags for message in messages),
        }
        parser.expect(b" (")
        names = [parser.atom()]
        while parser.accept(b" "):
            names.append(parser.atom())
        parser.expect(b")")
        parser.end()
        if unknown := set(names) - set(known):
            raise BadCommandError(f"unknown status item {min(unknown)}")
        items = " ".join(f"{name} {known[name]}" for name in names).encode()
        return Answer(b"OK STATUS completed", [b"* STATUS %s (%s)" % (quote(mailbox.name), items)])

    def _append(self, parser: Parser) -> Answer:
        parser.space()
        name = parser.mailbox()
        parser.space()
        flags = parser.flags() if parser.comes(b"(") else []
        if flags or parser.comes(b" "):
            parser.space()
        received_at = None
        if parser.comes(b'"'):
            received_at = parser.date_time()
            parser.space()
        raw = parser.literal()
        parser.end()
        mailbox = self.find(name)
        if mailbox is None:
            raise RefusedError("[TRYCREATE] no such mailbox")
        message = mailbox.append(raw, set(flags) - {"\\Recent"}, received_at)
        code = "" if self._faults.no_uidplus else f"[APPENDUID {mailbox.uid_validity} {message.uid}] "
        return Answer(f"OK {code}APPEND completed".encode())


def _use_of(folder: str) -> bytes:
    return _USES.get(folder.rpartition(_SEPARATOR)[2], b"")


def _only_name(parser: Parser) -> str:
    parser.space()
    name = parser.mailbox()
    parser.end()
    return name


def _matches(pattern: str, name: str) -> bool:
    # All places in the name that the pattern so far can have come to: linear, unlike a regular expression with "*".
    if pattern.upper() == "INBOX":
        return name == "INBOX"
    places = {0}
    for character in pattern:
        if not places:
            return False
        if character == "*":
            places = set(range(min(places), len(name) + 1))
        elif character == "%":
            places = {end for start in places for end in _within_level(name, start)}
        else:
            places = {place + 1 for place in places if name[place : place + 1] == character}
    return len(name) in places


def _within_level(name: str, start: int) -> range:
    end = name.find(_SEPARATOR, start)
    return range(start, (len(name) if end < 0 else end) + 1)
