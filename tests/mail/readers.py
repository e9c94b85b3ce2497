"""All that reads what somebody else wrote: mail, replies, records, lists; each with the most that it can be given.

`max_bytes` is what the caller passes at most: the readers themselves cut it further (mail/caps.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from itertools import islice
from typing import NamedTuple

import dkim

from mailmon.bounces.scan import HEAD_BYTES
from mailmon.checks.mailbox import MAX_PROBE_BYTES
from mailmon.clients import http, imap_session, oauth
from mailmon.clients.program import MAX_LINE_BYTES as MAX_PROGRAM_BYTES
from mailmon.clients.signatures import is_quick_key
from mailmon.clients.wire import MAX_COMMAND_BYTES, MAX_LINE_BYTES
from mailmon.errors import DeliveryError, MalformedError, Stage, StageError
from mailmon.mail import imapdata
from mailmon.mail.advice import advise, refused, refused_by_bounce
from mailmon.mail.auth.dkim import is_usable_key, usable_signatures
from mailmon.mail.auth.spf import Client, Found, check_host
from mailmon.mail.auth.spf.record import SyntaxMistake, is_spf, read_record
from mailmon.mail.auth.spf.tree import grow
from mailmon.mail.bounce import classify
from mailmon.mail.bounce.notice_recipients import NoticeRules, choose_recipients
from mailmon.mail.bounce.ownership import find_evidence
from mailmon.mail.caps import MAX_REPLY_CHARS
from mailmon.mail.folder_names import advice_on, read_listed_folder
from mailmon.mail.masking import mask_address, mask_text
from mailmon.mail.message.header import only_fields, read_headers, received_at
from mailmon.mail.message.mbox import is_mbox
from mailmon.mail.message.read import MAX_BYTES
from mailmon.mail.postqueue import read_queue
from mailmon.mail.probe import returned
from mailmon.mail.probe.expected import Expected, find_missed
from mailmon.mail.probe.modified import changes
from mailmon.mail.probe.probe import read_marks
from mailmon.mail.records.autoconfig import read_autoconfig
from mailmon.mail.records.caa import read_caa
from mailmon.mail.records.dkim import read_key
from mailmon.mail.records.dmarc import is_dmarc, read_dmarc
from mailmon.mail.records.mta_sts import read_id, read_policy
from mailmon.mail.records.tags import Mistake, read_tags
from mailmon.mail.records.tls_rpt import read_tls_rpt
from mailmon.mail.reply import ReplyReader, parse_extensions
from mailmon.render.export import MAX_CHARS, safe_cell
from mailmon.store.bouncelog.writing import MAX_CHARS as MAX_STORED_CHARS
from mailmon.text import Masker, visible
from tests.mail.bounce.letters import LETTERS
from tests.mail.bounce.notifications import dsn as notification
from tests.mail.samples import EXCHANGE_FIELDS, KEY, POSTFIX_FIELDS, headers, message
from tests.mail.samples import dsn as report

MAX_TXT_BYTES = 65536
OAUTH = oauth.OAuth("https://id.example.org/token", "client")
JUDGED = Expected(("dkim", "spf", "dmarc"), "mx.example.org", "1.3")
CLIENT = Client(ip_address("192.0.2.7"), "mx.example.net", "alice@example.com")
RULES = NoticeRules(("ops@example.com",), cc=True, cc_domains=("example.com",), max_cc=5)
MASKER = Masker(["s3ntinel-Value", "another password"], ["monitor@example.org"])
SENT = message()


class Reader(NamedTuple):
    """One reader, its documented errors, and what it is given in good times."""

    name: str
    read: Callable[[bytes], object]
    max_bytes: int
    seeds: tuple[bytes, ...]
    errors: tuple[type[Exception], ...] = ()


def _report(raw: bytes) -> object:
    return returned.read_report(raw, KEY, lambda _token: "bob@example.org"), returned.returns_probe(raw, KEY)


def _evidence(raw: bytes) -> object:
    found = classify(raw)
    evidence = find_evidence(raw, found, ["example.com"], lambda _message, _number: False)
    return choose_recipients(found, RULES, evidence._replace(is_verified=True))


def _signatures(raw: bytes) -> object:
    """Verify as clients/signatures.py does, without asking DNS: the key is that of another signature."""
    for number in usable_signatures(raw, ["example.com"]):
        try:
            dkim.DKIM(raw, minkey=1024).verify(idx=number, dnsfunc=lambda _name, timeout=5: DKIM_KEY)
        except (dkim.DKIMException, ValueError, LookupError, TypeError, ArithmeticError):
            continue
    return is_usable_key(raw[:MAX_TXT_BYTES]), is_quick_key(raw[:MAX_TXT_BYTES])


def _fetched(raw: bytes) -> object:
    items = imapdata.pair_literals([(raw, raw[:100]), b" UID 7)", raw, b")"])
    return [(imapdata.read_message(item), imapdata.read_listed(item)) for item in items]


def _folders(raw: bytes) -> object:
    items = (read_listed_folder(line) for line in [*raw.split(b"\n"), (raw, raw)])
    return advice_on("Junk", [item for item in items if item])


def _reply(raw: bytes) -> Iterator[object]:
    reader = ReplyReader()
    for line in raw.split(b"\n"):
        reply = reader.feed(line.rstrip(b"\r")[:MAX_LINE_BYTES])
        if reply:
            yield str(reply), reply.queue_id, reply.enhanced_code, parse_extensions(reply)


def _advice(raw: bytes) -> object:
    said = visible(raw, MAX_REPLY_CHARS)
    return advise(refused("imap", Stage.LOGIN, said)), advise(refused_by_bounce(said))


def _refusal(raw: bytes) -> object:
    reply = http.Request("the webhook", "https://hook.example.org/", b"", {}, MASKER)
    later = http._retry_after_s({"Retry-After": raw.decode("latin-1"), "Date": raw.decode("latin-1")}, raw)
    raise http._refusal(reply, 500, raw, later)


def _spf(raw: bytes) -> object:
    text = raw.decode("latin-1")
    is_spf(text)
    record = f"v=spf1 {text.removeprefix('v=spf1 ')}"

    def ask(name: str, kind: str) -> Found:
        answers = {"TXT": (record,), "MX": ("10 mx.example.org",), "PTR": ("mx.example.net",), "A": ("192.0.2.7",)}
        return Found(answers.get(kind, ()))

    check_host(CLIENT, ask)
    grow("example.com", ask)
    return read_record(record)


def _dmarc(raw: bytes) -> object:
    text = raw.decode("latin-1")
    return is_dmarc(text), read_tags(text), read_caa(text), read_dmarc(f"v=DMARC1; p=none; {text}")


def _mask(raw: bytes) -> object:
    text = raw.decode("utf-8", "replace")
    return mask_text(text, [text[:300], "bob.smith@example.org"]), mask_address(text), safe_cell(text)


def _fields(raw: bytes) -> object:
    return only_fields(raw, ("Subject", "From")), received_at(raw)


def _queue(reason: str) -> bytes:
    recipients = [{"address": f"bob{n}@example.org", "delay_reason": reason} for n in range(3)]
    return json.dumps(
        {"queue_name": "deferred", "arrival_time": 1, "message_size": 1, "recipients": recipients}
    ).encode()


DKIM_KEY = (
    b"v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLez"
    b"V6ffAt0gunVTLw7onLRnrq0/IzW7yWR7QkrmBL7jTKEn5u+qKhbwKfBstIs+bMY2Zkp18gnTxKLxoS2tFczGkPLPgizskuemMghR"
    b"niWaoLcyehkd3qqGElvW/VDL5AaWTg0nLVkjRo9z+40RQzuVaE8AkAFmxZzow3x+VJYKdjykkJ0iT9wCS0DRTXu269V264Vf/3jv"
    b"redZiKRkgwlL9xNAwxXFg0x/XFw005UWVRIkdgcKWTjpBP2dPwVZ4WWC+9aGVd+Gyn1o0CLelf4rEjGoXbAAEgAqeGUxrcIlbjXf"
    b"bcmwIDAQAB"
)
SIGNED = (
    b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s1;\r\n\th=from:cc:subject;\r\n"
    b"\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n\tb=AAAA\r\n AAAA\r\nFrom: a@example.com\r\n"
    b"Cc: b@example.com\r\nSubject: x\r\n\r\nHello\r\n"
)
RETURNED = (
    b"Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nTo: alice@example.com\nSubject: Undelivered Mail\n"
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nIt failed.\n\n--b\n"
    b"Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822; bob@example.org\nAction: failed\n"
    b"Status: 5.1.1\n\n--b\nContent-Type: message/rfc822\n\n" + SIGNED.replace(b"\r\n", b"\n") + b"\n--b--\n"
)
ROUTED = (
    b"Received: from out.example.net (out.example.net [192.0.2.1])\r\n\tby mx.example.org with ESMTPS (TLS1.3 (x))"
    b" id X;\r\n\tSun, 1 Mar 2026 12:00:05 +0000\r\nAuthentication-Results: mx.example.org;\r\n"
    b"\tdkim=pass (2048 (x) y) header.d=a;\r\n\tspf=pass; dmarc=none\r\nReceived: by a.example.org\r\n"
)
MAILS = (
    headers(), SENT, ROUTED + SENT, report(POSTFIX_FIELDS), report(EXCHANGE_FIELDS), RETURNED,
    notification("5.1.1", "550 5.1.1 <bob@example.org>: User unknown"), *(letter.raw for letter in LETTERS),
)  # fmt: skip
FETCHES = (
    b'3 (UID 7 INTERNALDATE "01-Mar-2026 12:00:05 +0000" RFC822.SIZE 1000 BODY[HEADER.FIELDS (SUBJECT)] {100}',
    b'"User quota" (STORAGE 900 1000 MESSAGE 5 1000)',
    b'(\\HasNoChildren \\Trash) "/" "[Gmail]/Trash"',
    b"4:6,9,12:20",
)
REPLIES = (
    b"250-mx.example.org\r\n250-AUTH PLAIN LOGIN\r\n250 SIZE 1000\r\n",
    b"250 2.0.0 Ok: queued as 4XyZ12abcD\r\n250 OK id=1rAbCd-0001Xy-2Z\r\n",
    b"550-5.1.1 <bob@example.org>: Recipient address rejected\r\n550 5.1.1 User unknown\r\n",
    b"250 ok:  Message 12345678 accepted\r\n250 2.0.0 1234 Message accepted for delivery\r\n",
)
REFUSALS = (
    b"NO [AUTHENTICATIONFAILED] no",
    b"UID command error: BAD [b'[LIMIT] too many \"connections\"']",
    b'{"message": "slow down", "retry_after": 1.5}',
    b"Sun, 01 Mar 2026 12:00:05 GMT",
    b'{"error": "invalid_grant", "error_description": "x"}',
)
RECORDS = (
    b"v=spf1 ip4:192.0.2.0/24 a:mx.example.org/24//64 include:%{i}._spf.%{d2r.-}.example.org exists:%{l}.a.b -all",
    b"v=DMARC1; p=reject; rua=mailto:a@example.org!10m,https://x.example/; pct=50; sp=none",
    DKIM_KEY,
    b"v=STSv1; id=20260301; x=y",
    b"v=TLSRPTv1; rua=mailto:tls@example.org",
    b'0 issue "letsencrypt.org; validationmethods=dns-01"',
    b"version: STSv1\nmode: enforce\nmx: *.example.org\nmax_age: 86400\n",
    b'<clientConfig><emailProvider id="x"><incomingServer type="imap"><hostname>imap.example.org</hostname>'
    b"<port>993</port><socketType>SSL</socketType></incomingServer></emailProvider></clientConfig>",
)
QUEUES = tuple(
    map(_queue, ("host mx.example.org[192.0.2.1] said: 450 4.2.0 <a@example.org>: Greylisted (id 4F2A11)", "timed out"))
)
WORDS = (
    b"550 <bob.smith@example.org>: mailbox bob smith is full, see mail.example.net (id 4F2A11)",
    *REFUSALS,
    *REPLIES,
)

READERS = (
    Reader("headers", read_headers, MAX_COMMAND_BYTES // 8, MAILS),
    Reader("marks", lambda raw: read_marks(raw, KEY), MAX_COMMAND_BYTES // 8, MAILS),
    Reader("fields of POP3", _fields, 256 * 1024, MAILS),
    Reader("head in a scan", lambda raw: read_headers(raw[:HEAD_BYTES]), MAX_BYTES, MAILS),
    Reader("classifier", classify, MAX_BYTES, MAILS),
    Reader("bounce of a probe", _report, MAX_BYTES, MAILS),
    Reader("evidence", _evidence, MAX_BYTES, MAILS),
    Reader("signatures", _signatures, MAX_BYTES, (SIGNED, *MAILS)),
    Reader(
        "hops and verdicts",
        lambda raw: list(find_missed(JUDGED._replace(is_unmodified=False), SENT, raw)),
        MAX_PROBE_BYTES,
        MAILS,
    ),
    Reader("changes", lambda raw: changes(SENT, raw), MAX_PROBE_BYTES, (SENT, *MAILS)),
    Reader("mbox", is_mbox, MAX_TXT_BYTES, (b"From alice@example.com Sun Mar  1 12:00:05 2026\n", *MAILS)),
    Reader("FETCH", _fetched, MAX_LINE_BYTES, FETCHES, (MalformedError,)),
    Reader("QUOTA", lambda raw: imapdata.read_quota([raw]), MAX_LINE_BYTES, FETCHES),
    Reader("folder names", _folders, MAX_LINE_BYTES, FETCHES),
    Reader("COPYUID", lambda raw: imapdata.expand_uids(raw, 1000), MAX_LINE_BYTES, FETCHES, (MalformedError,)),
    Reader("IMAP refusal", lambda raw: imap_session._said(Exception(raw)), MAX_LINE_BYTES, REFUSALS),
    Reader("SMTP reply", lambda raw: list(islice(_reply(raw), 3)), 200 * 8192, REPLIES, (MalformedError,)),
    Reader("advice", _advice, MAX_LINE_BYTES, (*REPLIES, *REFUSALS)),
    Reader("HTTP refusal", _refusal, http.MAX_SAID_BYTES, REFUSALS, (DeliveryError,)),
    Reader("token", lambda raw: oauth._token(OAUTH, 200, raw), oauth.MAX_BYTES, REFUSALS, (StageError,)),
    Reader("masker", lambda raw: MASKER(visible(raw, MAX_REPLY_CHARS)), MAX_LINE_BYTES, WORDS),
    Reader("masking", _mask, min(MAX_STORED_CHARS, MAX_CHARS), WORDS),
    Reader("queue", lambda raw: read_queue([raw.replace(b"\n", b" ")]), MAX_PROGRAM_BYTES, QUEUES),
    Reader("SPF", _spf, MAX_TXT_BYTES, RECORDS, (SyntaxMistake,)),
    Reader("DMARC, CAA, tags", _dmarc, MAX_TXT_BYTES, RECORDS, (Mistake,)),
    Reader("DKIM key", lambda raw: read_key(raw.decode("latin-1")), MAX_TXT_BYTES, RECORDS, (Mistake,)),
    Reader("TLS-RPT", lambda raw: read_tls_rpt(raw.decode("latin-1")), MAX_TXT_BYTES, RECORDS, (Mistake,)),
    Reader("MTA-STS id", lambda raw: read_id(raw.decode("latin-1")), MAX_TXT_BYTES, RECORDS, (Mistake,)),
    Reader("MTA-STS policy", lambda raw: read_policy(raw.decode("utf-8", "replace")), 65536, RECORDS, (Mistake,)),
    Reader("autoconfig", lambda raw: read_autoconfig(raw.decode("utf-8", "replace")), 65536, RECORDS, (Mistake,)),
)
