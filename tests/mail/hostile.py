"""Damaged input: pieces of good input are cut, doubled, moved or turned, and hostile pieces make it grow."""

from __future__ import annotations

import random
from collections.abc import Sequence

# What patterns and parsers count, look for, pair or look back from.
PIECES = (
    b" ", b"\t", b"\n", b"\r\n", b"\n ", b"\r\n\t", b" \n", b"\n\n", b"\x00", b"\xff", b"\x1b$B", b"\xe2\x80\xae",
    b"\xf0\x9f", b"(", b")", b"()", b"( ", b"(a", b"((a)", b";", b"; ", b"; a=b", b"=;", b",", b", ", b":",
    b"a: b\n", b"a:\n", b":\n ", b"<", b">", b"<a>", b"< ", b"<img ", b"<style>", b"</style", b"<br", b"<!--",
    b"<a@b>, ", b"<<", b"@", b"a@", b"a@a.", b".", b"..", b"a.", b".a@", b"&", b"&#", b"&#x", b"&amp", b"&#1", b"=?",
    b"=?utf-8?b?", b"?=", b"=?a?q?b?= ", b"=", b"=20", b"=\n", b'"', b'\\"', b"\\", b'"a@', b"'", b"b'", b"[b'",
    b"[", b"]", b"{", b"}", b"[]", b'{"a":', b'["', b"%", b"%{", b"%{i", b"%{d1r.}", b"0", b"9", b"1.", b"5.1.1 ",
    b"550 ", b"550-", b"-", b"--", b"\n--", b"\n--b\n", b"\n--b--\n", b"--b\nContent-Type: ", b"_", b"a", b"A",
    b"aA", b"a ", b"aa@", b"z1", b"/", b"//", b"/1", b"*", b"\\*", b"+", b"|", b"#", b"~", b"!", b"?", b"^", b"$",
    b"> ", b">>> ", b"<<< ", b"from ", b"by ", b"with ESMTP ", b"mailmon 1", b"mm0123456789abcdef",
    b"X-Mailmon-Token: x\n", b"Received: from a by b\n", b"Content-Type: multipart/mixed; boundary=b\n\n--b\n",
    b"Final-Recipient: rfc822; a@b\n", b"Action: failed\n", b"id=", b"queued as ",
    b"\nFinal-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.0.0\n", b"recipient ", b"user unknown ",
    b"Message-ID: <", b"include:a.b ", b"v=spf1 ", b"a:b.c ", b"dkim=pass ", b"http://a/", b"To: a@b.example\n",
    b"DKIM-Signature: v=1; d=example.com; b=",
)  # fmt: skip
# Each time another one: what is the same may be remembered.
NUMBERED = (
    "<u{0}@a.example>: 550 5.1.1 no user {0}\n", "\n\nFinal-Recipient: rfc822;u{0}@a.example\nAction: failed\n",
    "\n\nFinal-Recipient: rfc822;u{0}@a.example\nAction: failed\nDiagnostic-Code: smtp; 550 mailbox u{0} is full\n",
    "x{0}: {0}\n", "--b{0}\nContent-Type: multipart/mixed; boundary=b{0}\n\n", "include:a{0}.example ",
    "a:a{0}.example/24 ", "mm{0:032x} ", ">>> RCPT TO:<u{0}@a.example>\n<<< 550 {0} no\n", "550-{0} 5.7.{0} no\r\n",
    "x{0}=y; ", "&#{0};", "{0},", "{0}:{0},",
    '{{"address": "u{0}@a.example", "delay_reason": "said {0}: 450 wait {0} s"}}, ',
    "To: u{0}@a.example\nCc: c{0}@a.example\n", "=?utf-8?q?{0}?= ", "<style id={0}>", "(STORAGE {0} {0}) ",
    "mx: a{0}.example\n",
    '() "/" Junk{0}\n', '(\\HasNoChildren) "." "INBOX.Jnk{0}"\n', "Received: from a{0} by b{0} with ESMTP; {0}\n",
)  # fmt: skip
MAX_PIECE, MIN_LARGE = 400, 4096


def mutate(seed: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Return a seed with a few things cut, doubled, moved, turned, put in, or taken from another one."""
    made = bytearray(seed)
    for _ in range(chance.randint(1, 8)):
        at = chance.randint(0, len(made))
        to = min(len(made), at + chance.randint(0, MAX_PIECE))
        kind = chance.randint(0, 6)
        if kind == 0:
            del made[at:to]
        elif kind == 1:
            made[at:at] = made[at:to] * chance.randint(1, 4)
        elif kind == 2 and made:
            made[min(at, len(made) - 1)] = chance.randint(0, 255)
        elif kind == 3:
            made[at:at] = chance.choice(PIECES) * chance.choice((1, 1, 2, 20))
        elif kind == 4:
            other = chance.choice(others)
            begin = chance.randint(0, len(other))
            made[at:to] = other[begin : begin + chance.randint(0, MAX_PIECE)]
        elif kind == 5 and at < to:
            other_at = chance.randint(0, len(made) - 1)
            made[at], made[other_at] = made[other_at], made[at]
        else:
            del made[chance.randint(0, len(made)) :]
    return bytes(made)


def grow(made: bytes, max_bytes: int, chance: random.Random) -> bytes:
    """Return a large input: one or two pieces, again and again, somewhere in it.

    As large as a reader can be given, or smaller: what is beyond a limit may be refused at once.
    """
    sizes = [max_bytes, *(size for shift in range(1, 9) if (size := max_bytes >> shift) >= MIN_LARGE)]
    max_bytes = chance.choice((max_bytes, chance.choice(sizes)))
    room = max(max_bytes - len(made), 0)
    begin = chance.randint(0, len(made))
    own = made[begin : begin + chance.randint(1, 80)] or b"a"
    pieces = [chance.choice((*PIECES, own)) for _ in range(chance.choice((1, 1, 2)))]
    form = chance.random()
    if form < 0.3:
        filling = _numbered(chance.choice(NUMBERED), room)
    elif form < 0.65:
        pump = b"".join(pieces)
        filling = pump * (room // len(pump))
    else:
        filling = b"".join(piece * (room // len(pieces) // len(piece)) for piece in pieces)
    at = chance.choice((0, chance.randint(0, len(made)), made.find(b"\n\n") + 1, made.find(b":") + 1, len(made)))
    return (made[:at] + filling + made[at:])[:max_bytes]


def _numbered(piece: str, room: int) -> bytes:
    texts: list[str] = []
    size = 0
    while size < room:
        texts.append(piece.format(len(texts)))
        size += len(texts[-1])
    return "".join(texts).encode()[:room]
