"""IMAP commands on a selected mailbox (RFC 3501 section 6.4, RFC 4315, RFC 6851)."""

from collections.abc import Callable

from mailmon.sandbox.faults import Faults
from mailmon.sandbox.imap_answer import Answer, BadCommandError, RefusedError
from mailmon.sandbox.imap_fetch import Item, instead_of, is_whole, parse_items, render, render_flags
from mailmon.sandbox.imap_search import Candidate, parse_search
from mailmon.sandbox.imap_syntax import Parser
from mailmon.sandbox.imap_view import View
from mailmon.sandbox.store import Mailbox

UID_COMMANDS = {"COPY", "EXPUNGE", "FETCH", "MOVE", "SEARCH", "STORE"}
# While one of these runs, the client must be able to rely on its numbers (RFC 3501 section 7.4.1).
_KEEP_NUMBERS = {"FETCH", "SEARCH", "STORE"}
_FLAG_OPERATIONS = {"FLAGS": "", "+FLAGS": "+", "-FLAGS": "-"}


class Selected:
    """The selected state of one session; find returns a folder of the same account, or None."""

    def __init__(self, view: View, faults: Faults, find: Callable[[str], Mailbox | None]) -> None:
        self.view = view
        self._faults = faults
        self._find = find

    def run(self, name: str, parser: Parser, by_uid: bool) -> Answer:
        """Carry out one command that a session in selected state has sent."""
        methods = {
            "CHECK": lambda parser, _by_uid: self._noop(parser),
            "COPY": self._copy,
            "EXPUNGE": self._expunge,
            "FETCH": self._fetch,
            "MOVE": self._move,
            "SEARCH": self._search,
            "STORE": self._store,
        }
        answer = methods[name](parser, by_uid)
        updates = [] if name in _KEEP_NUMBERS else self.view.removals()
        if (name == "SEARCH" or not self._faults.late_exists) and not self._faults.frozen_view:
            updates += self.view.arrivals()
        return Answer(answer.tagged, answer.untagged + updates)

    def news(self) -> list[bytes]:
        """Return the responses to NOOP and IDLE: expunged and new messages."""
        return self.view.removals() + self.arrivals()

    def arrivals(self) -> list[bytes]:
        """Return the responses that may be sent before any command."""
        return [] if self._faults.late_exists or self._faults.frozen_view else self.view.arrivals()

    def remove_deleted(self) -> None:
        """Remove the messages marked as deleted, as CLOSE does without a word, if the mailbox may be changed."""
        if not self._is_read_only:
            self.view.mailbox.expunge(found.message.uid for found in self._deleted())

    @property
    def _is_read_only(self) -> bool:
        return self.view.is_read_only or self._faults.read_only

    def _noop(self, parser: Parser) -> Answer:
        parser.end()
        return Answer(b"OK done")

    def _search(self, parser: Parser, by_uid: bool) -> Answer:
        parser.space()
        predicate = parse_search(parser, self.view.numbers())
        found = [candidate for candidate in self.view.candidates() if predicate(candidate)]
        if self._faults.search_lies is not None:
            found = self.view.candidates() if self._faults.search_lies == "all" else []
        numbers = b"".join(b" %d" % (each.message.uid if by_uid else each.number) for each in found)
        return Answer(b"OK SEARCH completed", [b"* SEARCH" + numbers])

    def _fetch(self, parser: Parser, by_uid: bool) -> Answer:
        chosen = self._chosen(parser, by_uid)
        parser.space()
        items = parse_items(parser)
        parser.end()
        labels = {item.label for item in items}
        if by_uid and "UID" not in labels:
            items.insert(0, Item("UID"))
        sets_seen = any(item.sets_seen for item in items) and not self._is_read_only
        bad = self._faults.bad_fetch if is_whole(items) and (len(chosen) > 1 or self._faults.bad_fetch_alone) else None
        messages = [each.message for each in chosen]
        lines = []
        for place, each in enumerate(chosen):
            extra = []
            if sets_seen and "\\Seen" not in each.message.flags:
                self.view.mailbox.change_flags(each.message, "+", ["\\Seen"])
                extra = [] if "FLAGS" in labels else [Item("FLAGS")]
            is_bad = bad and (place > 0 or len(chosen) == 1)
            instead = instead_of(bad, messages, place) if bad and is_bad else None
            lines.append(render(each.number, each.message, items + extra, each.is_recent, instead))
        return Answer(b"OK FETCH completed", lines)

    def _store(self, parser: Parser, by_uid: bool) -> Answer:
        chosen = self._chosen(parser, by_uid)
        parser.space()
        name, _, suffix = parser.atom().partition(".")
        if name not in _FLAG_OPERATIONS or suffix not in ("", "SILENT"):
            raise BadCommandError("unknown data item")
        parser.space()
        flags = [flag for flag in parser.flags() if flag != "\\Recent"]
        parser.end()
        self._check_writable()
        if "t" in self._faults.acl_without:
            flags = [flag for flag in flags if flag != "\\Deleted"]
        lines = []
        for each in chosen:
            self.view.mailbox.change_flags(each.message, _FLAG_OPERATIONS[name], flags)
            uid = b"UID %d " % each.message.uid if by_uid else b""
            lines.append(b"* %d FETCH (%sFLAGS %s)" % (each.number, uid, render_flags(each.message, each.is_recent)))
        return Answer(b"OK STORE completed", [] if suffix else lines)

    def _copy(self, parser: Parser, by_uid: bool) -> Answer:
        code, _ = self._copied(parser, by_uid)
        return Answer(b"OK " + code + b"COPY completed")

    def _move(self, parser: Parser, by_uid: bool) -> Answer:
        self._check_writable()
        code, moved = self._copied(parser, by_uid)
        self.view.mailbox.expunge(each.message.uid for each in moved)
        # COPYUID comes before the EXPUNGEs, that the client can still tell which messages it means (RFC 6851 4.3).
        return Answer(b"OK MOVE completed", [b"* OK " + code + b"Moved"] if code else [])

    def _expunge(self, parser: Parser, by_uid: bool) -> Answer:
        chosen = self._chosen(parser, by_uid) if by_uid else self.view.candidates()
        parser.end()
        self._check_writable()
        if "e" in self._faults.acl_without:
            raise RefusedError("[NOPERM] Permission denied")
        if self._faults.noop_expunge:
            return Answer(b"OK EXPUNGE completed")
        named = {each.message.uid for each in chosen}
        if self._faults.undone_expunge:
            return Answer(b"OK EXPUNGE completed", self.view.hide(each.message for each in chosen))
        self.view.mailbox.expunge(named & {each.message.uid for each in self._deleted()})
        return Answer(b"OK EXPUNGE completed")

    def _deleted(self) -> list[Candidate]:
        return [each for each in self.view.candidates() if each.has("\\Deleted")]

    def _chosen(self, parser: Parser, by_uid: bool) -> list[Candidate]:
        parser.space()
        return self.view.choose(parser.sequence_set(), by_uid)

    def _copied(self, parser: Parser, by_uid: bool) -> tuple[bytes, list[Candidate]]:
        chosen = self._chosen(parser, by_uid)
        parser.space()
        target = self._find(parser.mailbox())
        parser.end()
        if target is None:
            raise RefusedError("[TRYCREATE] no such mailbox")
        copies = [target.append(each.message.raw, each.message.flags, each.message.received_at) for each in chosen]
        if not copies or self._faults.no_uidplus:
            return b"", chosen
        sources = ",".join(str(each.message.uid) for each in chosen)
        copied = ",".join(str(copy.uid) for copy in copies)
        return f"[COPYUID {target.uid_validity} {sources} {copied}] ".encode(), chosen

    def _check_writable(self) -> None:
        if self._is_read_only:
            raise RefusedError("mailbox is read-only")
