"""Intrusive tests, run only on request: STARTTLS injection, a wrong password, SMTP smuggling.

They leave traces in the server's log, and one or more messages in a mailbox of our own.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from mailmon.diagnose.handshake import why_failed
from mailmon.diagnose.plan import SUBJECT
from mailmon.diagnose.protocols import Client, SmtpClient
from mailmon.errors import Stage, StageError
from mailmon.findings import Findings

# What some servers take for the end of a message, beside CRLF.CRLF (RFC 5321 section 4.1.1.4; CVE-2023-51764).
ENDS: dict[str, bytes] = {
    "LF.LF": b"\n.\n",
    "LF.CRLF": b"\n.\r\n",
    "CRLF.LF": b"\r\n.\n",
    "CR.CR": b"\r.\r",
    "CR.CRLF": b"\r.\r\n",
    "CR.LF": b"\r.\n",
    "CRLF.CR": b"\r\n.\r",
    "CRLF NUL.CRLF": b"\r\n\0.\r\n",
}
ENOUGH_ANSWERS = 40
MARK_FIELD = "X-Mailmon-Smuggling"
# Longest wait for a server to accept a false end, in seconds; three times as long as it took before, up to this.
MAX_END_S = 10.0
SIDE_BY_SIDE = 3


def judge_injection(protocol: str, plain: Client, begin_tls: Callable[[], object], found: Findings) -> None:
    """Send a command in one packet with STARTTLS; record whether it runs inside TLS. Raises StageError, OSError.

    `begin_tls` does the handshake on the connection of `plain`.
    """
    finding_id = f"{protocol}.starttls_injection"
    plain.wire.begin(Stage.TLS)
    plain.wire.send(plain.starttls + plain.smuggled)
    line = plain.line()
    while not plain.is_answer(line):
        line = plain.line()
    if plain.wire.has_more:
        found.passed(finding_id, "what is sent with STARTTLS is answered in clear, before TLS")
        return
    try:
        begin_tls()
        answers = _answers_to(plain, plain.goodbye)
    except (StageError, OSError) as exc:
        words = exc.message if isinstance(exc, StageError) else why_failed(exc)
        found.passed(finding_id, "what is sent with STARTTLS ends the connection", evidence=words[:200])
        return
    if len(answers) > plain.farewells:
        said = "a command that was sent in clear, in one packet with STARTTLS, is executed inside TLS"
        found.fail(finding_id, said, evidence="; ".join(answers)[:400])
    else:
        found.passed(finding_id, "what is sent in clear with STARTTLS is discarded")


def judge_password(protocol: str, client: Client, mailbox: str, found: Findings) -> None:
    """Try a random password. Raises StageError."""
    finding_id = f"{protocol}.any_password_accepted"
    is_in, words = client.log_in(mailbox, secrets.token_urlsafe(18))
    if is_in:
        found.fail(finding_id, f"it accepts a random password for {mailbox}", evidence=words[:200])
    else:
        found.passed(finding_id, "it refuses a wrong password", evidence=words[:200])


def judge_smuggling(open_session: Callable[[], SmtpClient], mailbox: str, found: Findings) -> list[str]:
    """Send a message to our mailbox that contains every false end; if it was split, find out at which.

    Returns the tokens of the messages that were accepted (MARK_FIELD). Raises StageError, OSError.
    """
    token = secrets.token_hex(16)
    begun = time.monotonic()
    answers = _send(open_session(), mailbox, token, ENDS)
    wait_s = min(max(3 * (time.monotonic() - begun), 1.0), MAX_END_S)
    if answers is None:
        found.skipped(
            "smtp.smuggling", f"<{mailbox}> accepts no mail here without a login: name another with --mailbox"
        )
        return []
    left = [token] if answers and answers[0].startswith("2") else []
    if len(answers) < 2:
        found.passed("smtp.smuggling", "only CRLF.CRLF ends a message", evidence="; ".join(answers)[:200])
        return left
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        tried = pool.map(lambda one: _is_end(open_session(), mailbox, one, wait_s), ENDS)
        guilty = {name: token for name, token in zip(ENDS, tried, strict=True) if token}
    ends = ", ".join(guilty) or "something beside CRLF.CRLF"
    said = f"{ends} ends a message: mail can be smuggled in behind another"
    found.fail("smtp.smuggling", said, evidence="; ".join(answers)[:400])
    return [*left, *guilty.values()]


def _is_end(client: SmtpClient, mailbox: str, name: str, wait_s: float) -> str:
    """Return the token of a message that the server accepts at a false end, "" if it waits for the real one.

    The real end is never sent: a message that is not accepted is dropped with the connection and not delivered.
    """
    token = secrets.token_hex(16)
    try:
        if not _begin(client, mailbox):
            return ""
        client.wire.begin(Stage.DATA, wait_s)
        client.wire.send(_head(mailbox, token) + _piece(name, ENDS[name]), f"(a message with {name} in it, and no end)")
        while not client.is_answer(line := client.line()):
            pass
        return token if line.startswith(b"2") else ""
    except StageError as exc:
        if exc.is_silence:
            return ""
        raise
    finally:
        client.close()


def _send(client: SmtpClient, mailbox: str, token: str, ends: dict[str, bytes]) -> list[str] | None:
    """Send a message with these ends in it; return the replies, None if the mailbox accepts no mail."""
    try:
        if not _begin(client, mailbox):
            return None
        body = b"".join(_piece(name, end) for name, end in ends.items())
        client.wire.begin(Stage.DATA)
        client.wire.send(_head(mailbox, token) + body + b"\r\n.\r\n", f"(a message with {', '.join(ends)} in it)")
        return _answers_to(client, client.goodbye)[:-1]
    finally:
        client.close()


def _begin(client: SmtpClient, mailbox: str) -> bool:
    commands = (f"MAIL FROM:<{mailbox}>", f"RCPT TO:<{mailbox}>", "DATA")
    return all(client.command(command).code < 400 for command in commands)


def _head(mailbox: str, token: str) -> bytes:
    head = f"From: <{mailbox}>\r\nTo: <{mailbox}>\r\nSubject: {SUBJECT}\r\n"
    head += f"{MARK_FIELD}: {token}\r\nAuto-Submitted: auto-generated\r\n\r\n"
    return f"{head}This is a requested test; it can be deleted.\r\n".encode()


def _piece(name: str, end: bytes) -> bytes:
    """Return a false end followed by a command: a server that takes it for the end replies to that too."""
    return b"The end %s:" % name.encode() + end + b"NOOP\r\n"


def _answers_to(client: Client, goodbye: bytes) -> list[str]:
    """Quit, and return the replies that are still to come, up to that to QUIT."""
    client.wire.send(goodbye)
    answers: list[str] = []
    while len(answers) < ENOUGH_ANSWERS:
        try:
            line = client.line()
        except StageError as exc:
            if exc.lost and answers:
                break
            raise
        if client.is_answer(line):
            answers.append(line.decode("utf-8", "replace")[:120])
    return answers
