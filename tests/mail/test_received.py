"""Are verdicts believed of the right host only, hops judged by what they say, and changes on the way told?"""

from __future__ import annotations

import quopri
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailmon.mail.modified import changes
from mailmon.mail.probe import compose
from mailmon.mail.probe_body import KINDS, WIDE, Form
from mailmon.mail.received import Expected, judge, results_of
from mailmon.model import Probe

PROBE = Probe("mm" + "0" * 32, "main", "a@example.org", "b@example.net", "main", datetime(2026, 11, 27, tzinfo=UTC))
ALL = ["route.dkim", "route.spf", "route.dmarc"]
KEY, HOST = b"k" * 32, "mx.example.org"
HOP = "Received: from out.example.net (out.example.net [192.0.2.1])\r\n\tby mx.example.org {with_} id X; Mon, 1 Jan\r\n"


def probe(form: Form = Form()) -> bytes:  # noqa: B008
    return compose(PROBE, KEY, "1", form)


def ids(expected: Expected, head: str) -> list[str]:
    return [one.finding_id for one in judge(expected, probe(), head.encode() + probe())]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (f"Authentication-Results: {HOST}; dkim=pass header.d=x; spf=pass; dmarc=pass\r\n", []),
        (f"Authentication-Results: {HOST} 1; dkim=fail (no; dkim=pass);\r\n\tspf=pass; dmarc=pass\r\n", ["route.dkim"]),
        (f"Authentication-Results: {HOST}; dkim=fail; dkim=pass; spf=softfail; dmarc=pass\r\n", ["route.spf"]),
        ("Authentication-Results: evil.example; dkim=pass; spf=pass; dmarc=pass\r\n", ALL),
        (
            f"Authentication-Results: {HOST}; dkim=fail; spf=pass; dmarc=fail\r\n"
            f"Authentication-Results: {HOST}; dkim=pass; spf=pass; dmarc=pass\r\n",
            ["route.dkim", "route.dmarc"],
        ),
        (f"Authentication-Results: {HOST}; none\r\n", ALL),
        ("", ALL),
    ],
)  # fmt: skip
def test_only_the_topmost_word_of_the_trusted_host_counts(head: str, expected: list[str]) -> None:
    assert ids(Expected(("dkim", "spf", "dmarc"), HOST), head) == expected


@pytest.mark.parametrize(
    ("tls", "with_", "expected"),
    [
        ("any", "with ESMTPS", []),
        ("any", "with ESMTP", ["route.no_tls"]),
        ("any", "with UTF8SMTPS", []),
        ("1.2", "(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)) with ESMTPS", []),
        ("1.3", "with ESMTPS (version=TLS1_2 cipher=ECDHE-ECDSA-AES128-GCM-SHA256 bits=128/128)", ["route.no_tls"]),
        ("1.2", "with ESMTPS (TLS1.0) tls TLS_DHE_RSA", ["route.no_tls"]),
        ("1.3", "with ESMTPS id 123 (version unknown)", []),
        ("any", "with HTTP", []),
    ],
)
def test_each_hop_between_hosts_is_judged_by_what_it_says(tls: str, with_: str, expected: list[str]) -> None:
    assert ids(Expected(tls=tls), HOP.replace("{with_}", with_)) == expected


def test_a_hop_within_a_host_needs_no_tls() -> None:
    head = "Received: from localhost (localhost [127.0.0.1]) by mx.example.org with ESMTP id Y; Mon\r\n"
    assert ids(Expected(tls="any"), head + "Received: by mx.example.org (Postfix, userid 0) id Z; Mon\r\n") == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [0, 1000])
def test_what_arrives_as_it_was_sent_is_unmodified(kind: str, size: int) -> None:
    sent = probe(Form(kind, size))
    head = b"Return-Path: <a@b>\r\nReceived: from x by y with ESMTPS; Mon\r\nDKIM-Signature: v=1; d=x; s=y\r\n"
    assert changes(sent, head + sent) == []
    assert changes(sent, head + sent.replace(b"\r\n", b"\n") + b"\n\n") == []


@pytest.mark.parametrize(
    ("form", "old", "new", "words"),
    [
        ("plain", "Token: mm", "\r\nToken: mm", ""),
        ("plain", "Subject: mailmon", "Subject: [EXT] mailmon", "the field Subject reads '[EXT] mailmon"),
        ("plain", "Auto-Submitted: auto-generated\r\n", "", "the field Auto-Submitted is gone"),
        ("plain", "Auto-Submitted: auto-generated", "Auto-Submitted: auto-generatedX-Filter: seen", "glued together"),
        ("plain", "MIME-Version: 1.0", "MIME-Version: 1.0\r\nList-Unsubscribe: <x>", "List-Unsubscribe was added"),
        ("html", "</body>", '<img src="https://t.example/p.gif" width=1></body>', "a picture was put in: '<img src="),
        ("8bit", WIDE, WIDE.encode().decode("ascii", "replace"), "8-bit characters were damaged"),
        ("html", "text/html; charset=us-ascii", "text/enriched", "a part is text/enriched, not text/html"),
    ],
)
def test_what_was_changed_is_said(form: str, old: str, new: str, words: str) -> None:
    sent = probe(Form(form))
    assert old.encode() in sent
    found = "; ".join(changes(sent, sent.replace(old.encode(), new.encode(), 1)))
    assert words in found if words else found


def test_a_footer_is_told_wherever_it_lands() -> None:
    (said,) = changes(probe(), probe() + b"\r\n-- \r\nScanned\r\n")
    assert said == "text was added at the end: '-- Scanned'"
    sent = probe(Form("html"))
    assert changes(sent, sent + b"\r\nScanned by X\r\n") == ["behind the last part stands 'Scanned by X'"]


def test_another_encoding_is_no_other_text() -> None:
    sent = probe(Form("8bit"))
    head, _, body = sent.partition(b"\r\n\r\n")
    coded = head.replace(b"Encoding: 8bit", b"Encoding: quoted-printable") + b"\r\n\r\n" + quopri.encodestring(body)
    assert changes(sent, coded) == ["a part was encoded anew as quoted-printable"]


@given(st.binary(max_size=600), st.text(max_size=80))
def test_whatever_arrives_can_be_judged(raw: bytes, value: str) -> None:
    everything = Expected(("dkim", "spf"), HOST, "1.3", is_unmodified=True)
    for received in (raw, f"Authentication-Results: {value}\r\nReceived: {value}\r\n".encode() + raw):
        assert all(one.message.isprintable() for one in judge(everything, probe(), received))
    assert isinstance(results_of([value], HOST), dict | None)
