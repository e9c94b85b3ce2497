"""Reading IMAP commands and writing responses, within bounds (RFC 3501 section 2.2)."""

import asyncio
import ssl

from mailmon.sandbox.imap_syntax import LITERAL_AT_END

LINE_LIMIT_BYTES = 64 * 1024
_LITERAL_LIMIT_BYTES = 16 * 1024 * 1024
_STRANGER_LITERAL_LIMIT_BYTES = 8 * 1024
_AUTOLOGOUT_S = 1800.0  # section 5.4


class UnreadableError(Exception):
    """A command too big to be read; nothing on this connection makes sense any more if is_lost."""

    def __init__(self, tag: bytes, text: str, is_lost: bool) -> None:
        super().__init__(text)
        self.tag = tag
        self.text = text
        self.is_lost = is_lost


class Wire:
    """The lines and literals of one connection, before and after STARTTLS."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @property
    def is_secure(self) -> bool:
        """Return whether TLS protects the connection."""
        return self._writer.get_extra_info("sslcontext") is not None

    async def command(self, is_known: bool) -> bytes:
        """Read a command with its literals; a client that is not logged in gets less room.

        Raises UnreadableError, OSError (with TimeoutError) and EOFError.
        """
        line = await self.line()
        tag, data = line.partition(b" ")[0], bytearray(line)
        limit = _LITERAL_LIMIT_BYTES if is_known else _STRANGER_LITERAL_LIMIT_BYTES
        while (match := LITERAL_AT_END.search(line, max(0, len(line) - 16))) is not None:
            size, is_pushed = int(match[1]), bool(match[2])
            if len(data) + size > limit:
                # The octets of a pushed literal are on their way already and would be taken for commands.
                raise UnreadableError(tag, "[TOOBIG] literal too big", is_lost=is_pushed)
            if not is_pushed:
                self.send(b"+ Ready for literal data")
                await self.flush()
            async with asyncio.timeout(_AUTOLOGOUT_S):
                data += await self._reader.readexactly(size)
            line = await self.line()
            data += line
        return bytes(data)

    async def line(self) -> bytes:
        """Read one line with its end; raises as command does."""
        async with asyncio.timeout(_AUTOLOGOUT_S):
            try:
                return await self._reader.readuntil(b"\n")
            except asyncio.LimitOverrunError as error:
                start = await self._reader.readexactly(min(error.consumed, 256))
                raise UnreadableError(start.partition(b" ")[0], "line too long", is_lost=True) from error

    async def answer_to(self, challenge: bytes) -> bytes:
        """Ask for one more line (RFC 3501 section 7.5) and return it without its end."""
        self.send(b"+ " + challenge)
        await self.flush()
        return (await self.line()).rstrip(b"\r\n")

    def send(self, *lines: bytes) -> None:
        """Queue lines to be sent."""
        self._writer.write(b"".join(line + b"\r\n" for line in lines))

    async def flush(self) -> None:
        """Wait while the client is slow in reading."""
        async with asyncio.timeout(_AUTOLOGOUT_S):
            await self._writer.drain()

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Put TLS under the connection; what came in clear after STARTTLS is forgotten (RFC 3501 section 11.1)."""
        loop = asyncio.get_running_loop()
        # StreamWriter.start_tls of Python 3.11 keeps the old buffer and warns at the end of the connection.
        reader = asyncio.StreamReader(limit=LINE_LIMIT_BYTES)
        protocol = _SecuredProtocol(reader, self._writer)
        transport = await loop.start_tls(self._writer.transport, protocol, context, server_side=True)
        if transport is None:
            raise ConnectionResetError
        protocol.connection_made(transport)
        self._reader, self._writer = reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    def close(self) -> None:
        """End the connection after what is queued."""
        self._writer.close()


class _SecuredProtocol(asyncio.StreamReaderProtocol):
    def __init__(self, reader: asyncio.StreamReader, before: asyncio.StreamWriter) -> None:
        super().__init__(reader)
        # Python 3.13 closes the socket under a writer that is collected, in the middle of the TLS shutdown.
        self._before = before
