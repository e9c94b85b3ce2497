"""Sample notifications with the fields of a DSN, a receipt, a complaint; written here."""

from __future__ import annotations

ORIGINAL = (
    "Return-Path: <alice@example.com>\nMessage-ID: <1@example.com>\nFrom: Alice <alice@example.com>\n"
    "To: Bob <bob@example.org>, dora@example.org\nCc: Carol <carol@example.com>\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n"
)


def report(
    fields: str,
    *,
    text: str = "It failed.",
    sender: str = "MAILER-DAEMON@mx.example.net",
    subject: str = "Undelivered Mail Returned to Sender",
    kind: str = "delivery-status",
    part: str = "message/delivery-status",
    head: str = "",
) -> bytes:
    """Return a multipart/report with these fields and the headers of what came back."""
    return (
        f"Return-Path: <>\nFrom: {sender}\nTo: alice@example.com\nSubject: {subject}\n{head}MIME-Version: 1.0\n"
        f'Content-Type: multipart/report; report-type={kind}; boundary="b"\n\n--b\n\n{text}\n\n'
        f"--b\nContent-Type: {part}\n\n{fields}\n\n--b\nContent-Type: text/rfc822-headers\n\n{ORIGINAL}\n--b--\n"
    ).encode()


def dsn(
    status: str,
    diagnostic: str,
    *,
    action: str = "failed",
    more: str = "",
    text: str = "It failed.",
    remote: str = "mx.example.org",
) -> bytes:
    """Return a notification about one recipient (RFC 3464)."""
    fields = (
        "Reporting-MTA: dns; mx.example.net\n\nFinal-Recipient: rfc822; bob@example.org\n"
        f"Action: {action}\nStatus: {status}\nRemote-MTA: dns; {remote}\nDiagnostic-Code: smtp;"
        f" {diagnostic}\n{more}"
    )
    return report(fields, text=text)
