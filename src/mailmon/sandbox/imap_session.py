"""An IMAP connection from the greeting to the logout (RFC 3501 section 3)."""

import asyncio
import base64
import binascii
import time

from mailmon.sandbox.imap_answer import Answer, BadCommandError, RefusedError
from mailmon.sandbox.imap_folders import Folders
from mailmon.sandbox.imap_selected import UID_COMMANDS, Selected
from mailmon.sandbox.imap_syntax import Parser
from mailmon.sandbox.imap_view import View
from mailmon.sandbox.imap_wire import LINE_LIMIT_BYTES, UnreadableError, Wire
from mailmon.sandbox.site import Site

_FOLDER_COMMANDS = {"APPEND", "CREATE", "DELETE", "GETQUOTAROOT", "LIST", "LSUB", "STATUS", "SUBSCRIBE", "UNSUBSCRIBE"}
_MESSAGE_COMMANDS = UID_COMMANDS | {"CHECK"}
_CHANGING_COMMANDS = {"COPY", "EXPUNGE", "IDLE", "MOVE", "STORE"}
_FAULT_POLL_S = 0.1


def imap_protocol(site: Site) -> asyncio.Protocol:
    """Return the protocol of one connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ImapSession(site, Wire(reader, writer)).run()

    return asyncio.StreamReaderProtocol(asyncio.StreamReader(limit=LINE_LIMIT_BYTES), serve)


class ImapSession:
    """One connection; its state is what _folders (logged in) and _selected are."""

    def __init__(self, site: Site, wire: Wire) -> None:
        self._site = site
        self._wire = wire
        self._folders: Folders | None = None
        self._selected: Selected | None = None
        self._is_over = False
        self._refused_s = 0.0

    async def run(self) -> None:
        """Serve the connection until it ends."""
        try:
            greeting = b"* PREAUTH " if self._site.faults.preauth else b"* OK "
            self._wire.send(greeting + self._capability_code() + b" sandbox ready")
            while not self._is_over:
                await self._wire.flush()
                await self._serve_command()
            await self._wire.flush()
        except (EOFError, OSError):  # the client is gone, too slow, or cut off by a fault
            pass
        finally:
            self._wire.close()

    async def _serve_command(self) -> None:
        tag = b"*"
        try:
            command = await self._wire.command(is_known=self._folders is not None)
            parser = Parser(command)
            tag = parser.tag()
            parser.space()
            answer = await self._answer(tag, parser)
        except BadCommandError as error:
            answer = Answer(b"BAD " + str(error).encode("ascii", "replace"))
        except RefusedError as error:
            answer = Answer(b"NO " + str(error).encode("ascii", "replace"))
        except UnreadableError as error:
            tag, answer = error.tag, Answer(b"BAD " + error.text.encode())
            self._is_over = error.is_lost
        self._wire.send(*answer.untagged)
        if answer.tagged:
            self._wire.send(tag + b" " + answer.tagged)

    async def _answer(self, tag: bytes, parser: Parser) -> Answer:
        name = parser.atom()
        by_uid = name == "UID"
        if by_uid:
            parser.space()
            name = parser.atom()
        faults = self._site.faults
        is_unknown = faults.no_store and name in _CHANGING_COMMANDS
        if is_unknown or (by_uid and (name not in UID_COMMANDS or (name == "EXPUNGE" and faults.no_uidplus))):
            raise BadCommandError("Unknown command")
        if faults.cut_imap and self._selected is not None and name in ("NOOP", "SEARCH", "IDLE"):
            raise ConnectionResetError
        self._misbehave(name)
        if name in _MESSAGE_COMMANDS:
            selected = self._require_selected()
            self._wire.send(*selected.arrivals())
            return selected.run(name, parser, by_uid)
        if name in _FOLDER_COMMANDS:
            return self._require_login().run(name, parser)
        return await self._session_command(name, tag, parser)

    def _misbehave(self, name: str) -> None:
        """Refuse a command, or shift UIDs before it, where a fault wants that."""
        faults = self._site.faults
        if self._selected is None:
            return
        if name in faults.shift_uids_at:
            self._selected.view.mailbox.shift_uids()
        if name not in faults.imap_refuses:
            return
        self._refused_s = self._refused_s or time.monotonic()
        if not faults.imap_refuses_for_s or time.monotonic() - self._refused_s < faults.imap_refuses_for_s:
            raise RefusedError(faults.imap_refusal)

    async def _session_command(self, name: str, tag: bytes, parser: Parser) -> Answer:
        match name:
            case "SELECT" | "EXAMINE":
                return self._select(parser, name)
            case "LOGIN":
                await asyncio.sleep(self._site.faults.imap_login_delay_s)
                return self._login(parser)
            case "AUTHENTICATE":
                await asyncio.sleep(self._site.faults.imap_login_delay_s)
                return await self._authenticate(parser)
            case "ID":
                return Answer(b"OK ID completed", [b'* ID ("name" "mailmon sandbox")'])
        parser.end()
        match name:
            case "CAPABILITY":
                return Answer(b"OK CAPABILITY completed", [b"* CAPABILITY " + self._capabilities()])
            case "NOOP":
                chatter = [b"* 1 FETCH (FLAGS (\\Seen))"] * (int(self._site.faults.chatter_bytes) // 28)
                return Answer(b"OK NOOP completed", chatter + (self._selected.news() if self._selected else []))
            case "LOGOUT":
                self._is_over = True
                return Answer(b"OK LOGOUT completed", [b"* BYE sandbox logging out"])
            case "STARTTLS":
                return await self._start_tls(tag)
            case "CLOSE" | "UNSELECT":
                return self._close(name)
            case "IDLE":
                return await self._idle()
        raise BadCommandError("Unknown command")

    async def _start_tls(self, tag: bytes) -> Answer:
        if self._wire.is_secure or self._folders is not None:
            raise BadCommandError("STARTTLS is not possible now")
        self._wire.send(tag + b" OK Begin TLS negotiation now")
        await self._wire.start_tls(self._site.tls)
        return Answer(b"")

    def _login(self, parser: Parser) -> Answer:
        parser.space()
        name = parser.astring()
        parser.space()
        password = parser.astring()
        parser.end()
        if not self._wire.is_secure or self._site.faults.login_disabled:
            raise RefusedError("[PRIVACYREQUIRED] LOGIN is disabled")
        return self._logged_in(name, password)

    async def _authenticate(self, parser: Parser) -> Answer:
        parser.space()
        mechanism = parser.atom()
        if mechanism not in self._mechanisms():
            raise RefusedError("[CANNOT] unsupported authentication mechanism")
        if not self._wire.is_secure:
            raise RefusedError("[PRIVACYREQUIRED] TLS is required")
        if parser.accept(b" "):  # initial response, "=" if it is empty (RFC 4959)
            encoded = parser.astring()
            parser.end()
        else:
            parser.end()
            encoded = await self._wire.answer_to(b"")
        if encoded == b"*":
            raise BadCommandError("authentication cancelled")
        if mechanism == "XOAUTH2":
            return await self._token_given(encoded)
        try:
            _, name, password = base64.b64decode(b"" if encoded == b"=" else encoded, validate=True).split(b"\0")
        except (binascii.Error, ValueError) as error:
            raise BadCommandError("invalid credentials encoding") from error
        return self._logged_in(name, password)

    async def _token_given(self, encoded: bytes) -> Answer:
        address = self._site.accounts.login_with_token("imap", base64.b64decode(encoded))
        if address is None:
            # The error is a challenge of its own, which the client answers with nothing.
            await self._wire.answer_to(base64.b64encode(b'{"status":"400","schemes":"Bearer"}'))
            raise RefusedError("[AUTHENTICATIONFAILED] Invalid credentials (Failure)")
        return self._opened(address)

    def _mechanisms(self) -> list[str]:
        return ["PLAIN", *(["XOAUTH2"] if self._site.accounts.has_tokens else [])]

    def _logged_in(self, name: bytes, password: bytes) -> Answer:
        if self._folders is not None:
            raise BadCommandError("already logged in")
        address = self._site.accounts.login("imap", name, password)
        if address is None:
            raise RefusedError(f"[AUTHENTICATIONFAILED] {self._site.accounts.refusal(name, password)}")
        return self._opened(address)

    def _opened(self, address: str) -> Answer:
        self._folders = Folders(self._site.store, address, self._site.faults)
        return Answer(b"OK " + self._capability_code() + b" Logged in")

    def _select(self, parser: Parser, name: str) -> Answer:
        folders = self._require_login()
        parser.space()
        folder = parser.mailbox()
        parser.end()
        self._selected = None  # even when the new mailbox cannot be selected (section 6.3.1)
        is_read_only = name == "EXAMINE" or self._site.faults.read_only
        view = View(folders.existing(folder), is_read_only)
        self._selected = Selected(view, self._site.faults, folders.find)
        code = b"READ-ONLY" if is_read_only else b"READ-WRITE"
        return Answer(b"OK [%s] %s completed" % (code, name.encode()), view.greeting())

    def _close(self, name: str) -> Answer:
        selected = self._require_selected()
        if name == "CLOSE":
            selected.remove_deleted()
        self._selected = None
        return Answer(b"OK %s completed" % name.encode())

    async def _idle(self) -> Answer:
        selected = self._require_selected()
        loop, changed = asyncio.get_running_loop(), asyncio.Event()
        unwatch = selected.view.mailbox.watch(lambda: loop.call_soon_threadsafe(changed.set))
        self._wire.send(b"+ idling")
        done = loop.create_task(self._wire.line())
        waiting = loop.create_task(changed.wait())
        try:
            while not done.done():
                self._wire.send(*selected.news())
                await self._wire.flush()
                if self._site.faults.drop_idle or self._site.faults.cut_imap:
                    raise ConnectionResetError
                await asyncio.wait({done, waiting}, timeout=_FAULT_POLL_S, return_when=asyncio.FIRST_COMPLETED)
                if waiting.done():
                    changed.clear()
                    waiting = loop.create_task(changed.wait())
            if (await done).strip().upper() != b"DONE":
                raise BadCommandError("expected DONE")
            return Answer(b"OK IDLE terminated")
        finally:
            unwatch()
            done.cancel()
            waiting.cancel()

    def _capabilities(self) -> bytes:
        names = ["IMAP4rev1", "LITERAL+", "SASL-IR", "ID"]
        if not self._wire.is_secure:
            names += ["STARTTLS", "LOGINDISABLED"]
        elif self._folders is None:
            names += [f"AUTH={mechanism}" for mechanism in self._mechanisms()]
            names += ["LOGINDISABLED"] if self._site.faults.login_disabled else []
        else:
            names += ["IDLE", "UNSELECT", "MOVE", "SPECIAL-USE"] + ([] if self._site.faults.no_uidplus else ["UIDPLUS"])
            names += ["QUOTA"] if self._site.faults.quota else []
            names += sorted(self._site.faults.more_capabilities)
        return " ".join(name for name in names if name not in self._site.faults.hidden_capabilities).encode()

    def _capability_code(self) -> bytes:
        return b"[CAPABILITY " + self._capabilities() + b"]"

    def _require_login(self) -> Folders:
        if self._folders is None:
            raise BadCommandError("not logged in")
        return self._folders

    def _require_selected(self) -> Selected:
        self._require_login()
        if self._selected is None:
            raise BadCommandError("no mailbox selected")
        return self._selected
