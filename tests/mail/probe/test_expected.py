"""Verdicts of the right host only, hops, and changes on the way."""

from __future__ import annotations

import quopri
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailmon.mail.auth.results import results_of
from mailmon.mail.hops import read_hop
from mailmon.mail.probe.expected import Expected, find_missed
from mailmon.mail.probe.modified import changes
from mailmon.mail.probe.probe import KINDS, WIDE, Form, compose
from mailmon.model import Probe

PROBE = Probe("mm" + "0" * 32, "main", "a@example.org", "b@example.net", "main", datetime(2026, 11, 27, tzinfo=UTC))
ALL = ["route.dkim", "route.spf", "route.dmarc"]
KEY, HOST = b"k" * 32, "mx.example.org"
HOP = "Received: from out.example.net (out.example.net [192.0.2.1])\r\n\tby mx.example.org {with_} id X; Mon, 1 Jan\r\n"


def probe(form: Form = Form()) -> bytes:  # noqa: B008
    return compose(PROBE, KEY, "1", form)


def ids(expected: Expected, head: str) -> list[str]:
    return [one.finding_id for one in find_missed(expected, probe(), head.encode() + probe())]


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


# As each server writes it; True: it goes between hosts, and in clear.
HOPS = [
    # Postfix
    ("from out.example.net (out.example.net [192.0.2.1]) by mx.example.org (Postfix) with ESMTP id 4F2", True),
    ("from out.example.net (unknown [192.0.2.1]) by mx.example.org (Postfix) with SMTP id 4F2", True),
    ("from out.example.net (out.example.net [IPv6:2001:db8::1]) by mx.example.org (Postfix) with ESMTPA id 4F2", True),
    ("from a (b [192.0.2.1]) (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519)"
     " (No client certificate requested) by mx.example.org (Postfix) with ESMTPS id 4F2", False),
    ("from localhost (localhost [127.0.0.1]) by mx.example.org (Postfix) with ESMTP id 4F2", False),
    ("from localhost (localhost [IPv6:::1]) by mx.example.org (Postfix) with ESMTP id 4F2", False),
    ("from mx.example.org (mx.example.org [192.0.2.5]) by mx.example.org (Postfix) with ESMTP id 4F2", False),
    ("by mx.example.org (Postfix, from userid 1000) id 4F2", False),
    # A foreign host that only calls itself so
    ("from localhost (out.example.net [192.0.2.1]) by mx.example.org (Postfix) with ESMTP id 4F2", True),
    ("from mx (out.example.net [192.0.2.1]) by mx.example.org (Postfix) with ESMTP id 4F2", True),
    # amavis
    ("from mx.example.org ([127.0.0.1]) by localhost (mx.example.org [127.0.0.1]) (amavis, port 10024)"
     " with ESMTP id X", False),
    ("from mx.example.org ([192.0.2.5]) by localhost (mx.example.org [192.0.2.5]) (amavis) with LMTP id X", False),
    # Dovecot, by LMTP over a unix socket, on TCP, and with TLS
    ("from mx.example.org by mx.example.org with LMTP id aBcD (envelope-from <a@example.net>)", False),
    ("from mx.example.org by mx with LMTP id aBcD (envelope-from <a@example.net>)", False),
    ("from out.example.net by mail.example.org with UTF8LMTP id aBcD", False),
    ("from mx.example.org ([unix socket]) by mx.example.org with LMTP id aBcD", False),
    ("from mx.example.org ([192.0.2.5]) by store.example.org with LMTP id aBcD", True),
    ("from mx.example.org ([192.0.2.5]) (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))"
     " by store.example.org with LMTPS id aBcD", False),
    # Cyrus
    ("from mx.example.org ([unix socket]) by mx.example.org (Cyrus 3.6.1-Debian-3.6.1-4) with LMTPA", False),
    ("from mx.example.org ([unix socket]) by imap.example.org (Cyrus v2.4.17) with LMTPA", False),
    ("from mx.example.org (localhost [127.0.0.1]) by imap.example.org (Cyrus 3.8) with LMTPA", False),
    ("from mx.example.org (mx.example.org [192.0.2.5]) by imap.example.org (Cyrus 3.8) with LMTPA", True),
    ("from mx.example.org (mx.example.org [192.0.2.5]) by imap.example.org (Cyrus 3.8) with LMTPSA"
     " (version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256 verify=YES)", False),
    # Exim
    ("from out.example.net ([192.0.2.1]) by mx.example.org with esmtp (Exim 4.96) id 1abc-00-00", True),
    ("from [192.0.2.1] (port=51234 helo=out.example.net) by mx.example.org with smtp (Exim 4.96) id 1abc", True),
    ("from out.example.net ([192.0.2.1]) by mx.example.org with esmtps (TLS1.3) tls TLS_AES_256_GCM_SHA384"
     " (Exim 4.96) (envelope-from <a@example.net>) id 1abc", False),
    ("from out.example.net ([192.0.2.1]) by mx.example.org with utf8esmtps (TLS1.2) id 1abc", False),
    ("from localhost ([127.0.0.1]:41642 helo=mx.example.org) by mx.example.org with esmtp (Exim 4.96) id 1abc", False),
    ("from root by mx.example.org with local (Exim 4.96) (envelope-from <root@mx.example.org>) id 1abc", False),
    ("from mail by mx.example.org with local-esmtp (Exim 4.96) id 1abc", False),
    ("from mx.example.org by mx.example.org with spam-scanned (Exim 4.96) id 1abc", False),
    # Sendmail
    ("from out.example.net (out.example.net [192.0.2.1]) by mx.example.org (8.17.1.9/8.17.1.9/Debian-2)"
     " with ESMTP id 0A1", True),
    ("from out.example.net (out.example.net [192.0.2.1]) by mx.example.org (8.17.1.9/8.17.1.9) with ESMTPS id 0A1"
     " (version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 bits=256 verify=NO)", False),
    ("from mx.example.org (localhost [127.0.0.1]) by mx.example.org (8.17.1.9/8.17.1.9) with ESMTP id 0A1", False),
    ("from mx.example.org (localhost [IPv6:0:0:0:0:0:0:0:1]) by mx.example.org (8.17.1.9) with ESMTP id 0A1", False),
    ("(from root@localhost) by mx.example.org (8.17.1.9/8.17.1.9/Submit) id 0A1", False),
    # Exchange
    ("from AM0PR01.eurprd01.prod.exchangelabs.com (2603:10a6:208:1a::15) by VI1PR01.eurprd01.prod.exchangelabs.com"
     " (2603:10a6:800:d1::18) with Microsoft SMTP Server (version=TLS1_2,"
     " cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.7025.25", False),
    ("from EX01.example.org (192.0.2.5) by EX02.example.org (192.0.2.6) with Microsoft SMTP Server (TLS)", False),
    ("from EX01.example.org (192.0.2.5) by EX02.example.org (192.0.2.6) with Microsoft SMTP Server id 8.3.83.0", True),
    ("from EX01.example.org (192.0.2.5) by EX01.example.org (192.0.2.5) with Microsoft SMTP Server id 15.1.2507.6"
     " via Mailbox Transport", False),
    ("from AM0PR01.eurprd01.prod.outlook.com ([fe80::1]) by AM0PR01.eurprd01.prod.outlook.com ([fe80::1%4])"
     " with mapi id 15.20.7025.025", False),
    # Gmail
    ("from out.example.net (out.example.net. [192.0.2.1]) by mx.google.com with ESMTP id 5si12", True),
    ("from out.example.net (out.example.net. [192.0.2.1]) by mx.google.com with ESMTPS id 5si12 for <a@gmail.com>"
     " (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256)", False),
    ("by 2002:a05:6512:3ca9:b0:50e:9f31:b1 with SMTP id h41csp1", False),
    ("from 123456789 named unknown by gmailapi.google.com with HTTPREST", False),
    # OpenSMTPD
    ("from localhost (localhost [local]) by mx.example.org (OpenSMTPD) with ESMTPA id 9f1e", False),
    ("from mx.example.org (mx.example.org [local]) by mail.example.org (OpenSMTPD) with LMTP id 9f1e", False),
    ("from out.example.net (out.example.net [192.0.2.1]) by mx.example.org (OpenSMTPD) with ESMTP id 9f1e", True),
    ("from out.example.net (out.example.net [192.0.2.1]) by mx.example.org (OpenSMTPD) with ESMTPS id 9f1e"
     " (TLSv1.3:TLS_AES_256_GCM_SHA384:256:NO)", False),
    # Courier
    ("from out.example.net (out.example.net [::ffff:192.0.2.1]) by mx.example.org with ESMTP; Mon, 1 Jan", True),
    ("from out.example.net (out.example.net [::ffff:192.0.2.1]) (TLS: TLSv1.3,256bits,TLS_AES_256_GCM_SHA384)"
     " by mx.example.org with ESMTPS id 0000", False),
    ("from localhost (localhost [::ffff:127.0.0.1]) by mx.example.org with ESMTP id 0000", False),
    ("from localhost (localhost [127.0.0.1]) (IDENT: uid 1000) by mx.example.org with local id 0000", False),
    # qmail
    ("from unknown (HELO out.example.net) (192.0.2.1) by mx.example.org with SMTP", True),
    ("from unknown (HELO out.example.net) (user@192.0.2.1) by mx.example.org with ESMTPA", True),
    ("from out.example.net (192.0.2.1) by mx.example.org with (AES256-GCM-SHA384 encrypted) SMTP", False),
    ("from unknown (HELO mx.example.org) (127.0.0.1) by mx.example.org with SMTP", False),
    ("(qmail 4711 invoked by uid 0)", False),
    ("(qmail 4711 invoked from network)", False),
    # Haraka, Cisco, chasquid, fetchmail
    ("from out.example.net (out.example.net [192.0.2.1]) by mx.example.org (Haraka/3.0) with ESMTP id X.1"
     " envelope-from <a@example.net> (version=TLSv1.2 cipher=ECDHE-RSA-AES256-GCM-SHA384 verify=OK)", False),
    ("from out.example.net ([192.0.2.1]) by esa.example.org with ESMTP/TLS/ECDHE-RSA-AES256-GCM-SHA384", False),
    ("from out.example.net ([192.0.2.1]) by esa.example.org with ESMTP; 01 Jan 2026", True),
    ("from out.example.net ([192.0.2.1]) by mx.example.org (chasquid) with ESMTPS tls TLS_AES_128_GCM_SHA256"
     " (over SMTP, TLS-1.3, TLS_AES_128_GCM_SHA256)", False),
    ("from imap.example.net [192.0.2.9] by mx.example.org with IMAP (fetchmail-6.4.37)", False),
]  # fmt: skip


@pytest.mark.parametrize(("hop", "is_told"), HOPS)
def test_only_a_hop_between_hosts_can_be_in_clear(hop: str, is_told: bool) -> None:
    """A delivery by LMTP over a unix socket was told as an unencrypted hop."""
    found = ids(Expected(tls="any"), f"Received: {hop}; Mon, 1 Jan 2026 00:00:00 +0000\r\n")
    assert found == (["route.no_tls"] if is_told else [])


@pytest.mark.parametrize(
    ("words", "version"),
    [
        ("(using TLSv1 with cipher AES256-SHA (256/256 bits))", "1.0"),
        ("(using TLSv1.1 with cipher AES256-SHA (256/256 bits))", "1.1"),
        ("(version=TLS1_2 cipher=X)", "1.2"),
        ("(TLSv1.3:TLS_AES_256_GCM_SHA384:256:NO)", "1.3"),
        # OpenSSL before 1.1 called the ciphers of all versions so.
        ("(version=TLSv1/SSLv3 cipher=AES256-SHA bits=256 verify=NO)", ""),
    ],
)
def test_the_version_is_read_where_the_field_has_it(words: str, version: str) -> None:
    hop = read_hop(f"from a.example (a.example [192.0.2.1]) by b.example with ESMTPS id X {words}; Mon, 1 Jan")
    assert hop is not None
    assert (hop.version, hop.is_encrypted) == (version, True)


@given(st.text(st.sampled_from("()[];:. frombywithidlESMTP127"), max_size=300))
def test_any_received_field_can_be_read(value: str) -> None:
    hop = read_hop("from " + value)
    assert hop is None or hop.by.isprintable()


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
        assert all(one.message.isprintable() for one in find_missed(everything, probe(), received))
    assert isinstance(results_of([value], HOST), dict | None)
