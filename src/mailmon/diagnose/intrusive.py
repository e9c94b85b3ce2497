"""What is only asked with leave: commands before TLS, a wrong password, ends of messages that are none.

They leave traces in the server's log, and one or more messages in a mailbox of our own.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from mailmon.catalogue import Findings
from mailmon.diagnose.handshake import why_failed
from mailmon.diagnose.speakers import SmtpSpeaker, Speaker
from mailmon.errors import Stage, StageError

# What some servers take for the end of a message beside CRLF.CRLF (RFC 5321 section 4.1.1.4; CVE-2023-51764).
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


def judge_injection(protocol: str, plain: Speaker, begin_tls: Callable[[], object], found: Findings) -> None:
    """Send a command in one packet with STARTTLS and see whether it is answered inside TLS. Raises StageError, OSError.

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
        said = "a command that was sent in clear, in one packet with STARTTLS, is run inside TLS"
        found.fail(finding_id, said, evidence="; ".join(answers)[:400])
    else:
        found.passed(finding_id, "what is sent in clear with STARTTLS is thrown away")


def judge_password(protocol: str, speaker: Speaker, mailbox: str, found: Findings) -> None:
    """Try a password that nobody can have. Raises StageError."""
    finding_id = f"{protocol}.any_password_accepted"
    is_in, words = speaker.log_in(mailbox, secrets.token_urlsafe(18))
    if is_in:
        found.fail(finding_id, f"it accepts a random password for {mailbox}", evidence=words[:200])
    else:
        found.passed(finding_id, "it refuses a wrong password", evidence=words[:200])


def judge_smuggling(open_session: Callable[[], SmtpSpeaker], mailbox: str, found: Findings) -> None:
    """Send a message to our mailbox that holds every false end; if it was taken apart, find out at which.

    Raises StageError, OSError.
    """
    answers = _send(open_session(), mailbox, ENDS)
    if answers is None:
        found.skipped("smtp.smuggling", f"<{mailbox}> takes no mail here without a login: name another with --mailbox")
    elif len(answers) < 2:
        found.passed("smtp.smuggling", "only CRLF.CRLF ends a message", evidence="; ".join(answers)[:200])
    else:
        guilty = [name for name, end in ENDS.items() if len(_send(open_session(), mailbox, {name: end}) or ()) > 1]
        ends = ", ".join(guilty) or "something beside CRLF.CRLF"
        said = f"{ends} ends a message: mail can be smuggled in behind another"
        found.fail("smtp.smuggling", said, evidence="; ".join(answers)[:400])


def _send(speaker: SmtpSpeaker, mailbox: str, ends: dict[str, bytes]) -> list[str] | None:
    """Send a message with these ends in it; return the answers to it, None where the mailbox takes no mail."""
    try:
        for command in (f"MAIL FROM:<{mailbox}>", f"RCPT TO:<{mailbox}>", "DATA"):
            reply = speaker.command(command)
            if reply.code >= 400:
                return None
        # Each false end is followed by a command: a server that takes it for the end answers that too.
        body = b"".join(b"The end %s:" % name.encode() + end + b"NOOP\r\n" for name, end in ends.items())
        head = f"From: <{mailbox}>\r\nTo: <{mailbox}>\r\nSubject: mailmon looks for SMTP smuggling\r\n"
        head += "Auto-Submitted: auto-generated\r\n\r\nThis test was asked for; it can be deleted.\r\n"
        speaker.wire.begin(Stage.DATA)
        speaker.wire.send(head.encode() + body + b"\r\n.\r\n", f"(a message with {', '.join(ends)} in it)")
        return _answers_to(speaker, speaker.goodbye)[:-1]
    finally:
        speaker.close()


def _answers_to(speaker: Speaker, goodbye: bytes) -> list[str]:
    """Say goodbye and return what the server still answers, up to its own."""
    speaker.wire.send(goodbye)
    answers: list[str] = []
    while len(answers) < ENOUGH_ANSWERS:
        try:
            line = speaker.line()
        except StageError as exc:
            if exc.lost and answers:
                break
            raise
        if speaker.is_answer(line):
            answers.append(line.decode("utf-8", "replace")[:120])
    return answers
