"""Fields of a DSN, also badly written ones (RFC 3464, RFC 6533, RFC 3461)."""

from __future__ import annotations

from base64 import b64encode

import pytest

from mailmon.mail.bounce import Form, Kind, classify
from tests.mail.bounce.notifications import dsn, report

BOB = "bob@example.org"


def test_all_that_the_fields_say_is_told() -> None:
    found = classify(dsn("5.1.1", "550 5.1.1 <bob@example.org>: User unknown"))
    assert (found.kind, found.form) == (Kind.BOUNCE, Form.DSN)
    [recipient] = found.recipients
    assert recipient == (
        BOB,
        "5.1.1",
        "failed",
        "userunknown",
        True,
        "550 5.1.1 <bob@example.org>: User unknown",
        "mx.example.net",
        "mx.example.org",
        "",
    )
    original = found.original
    assert (original.message_id, original.subject) == ("<1@example.com>", "Grüße")
    assert original.envelope_sender == "alice@example.com"
    assert original.to == (BOB, "dora@example.org")
    assert original.cc == ("carol@example.com",)


ACTIONS = [
    ("failed", Kind.BOUNCE),
    ("Failed (given up)", Kind.BOUNCE),
    ("undeliverable", Kind.BOUNCE),
    ("delayed", Kind.DELAYED),
    ("delivered", Kind.OTHER),
    ("relayed", Kind.OTHER),
    ("expanded", Kind.OTHER),
    ("deliverable", Kind.OTHER),
]


@pytest.mark.parametrize(("action", "kind"), ACTIONS)
def test_the_action_decides_the_kind(action: str, kind: Kind) -> None:
    found = classify(dsn("5.1.1", "550 5.1.1 User unknown", action=action))
    assert found.kind is kind
    assert found.recipients[0].is_hard == (kind is Kind.BOUNCE)


FIELDS = {
    "a space in front of the colon (Mimecast)": "Final-Recipient : rfc822;bob@example.org\nAction :"
    " failed\nStatus : 5.1.1",
    "no type": "Final-Recipient: <bob@example.org>\nAction: failed\nStatus: 5.1.1",
    "only the original recipient": "Original-Recipient: rfc822;bob@example.org\nAction: failed\nStatus: 5.1.1",
    "a path as the final recipient": "Final-Recipient: rfc822;/var/mail/bob\nOriginal-Recipient:"
    " rfc822;bob@example.org\n"
    "Action: failed\nStatus: 5.1.1",
    "a source route": "Final-Recipient: rfc822;@relay:bob@x\nOriginal-Recipient:"
    " rfc822;bob@example.org\nAction: failed\n"
    "Status: 5.1.1",
    "an empty line inside": "Final-Recipient: rfc822;bob@example.org\n\nAction: failed\nStatus: 5.1.1",
    "an empty line in front of the status": "Final-Recipient: rfc822;bob@example.org\nAction: failed\n\n"
    "Status: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 User unknown",
    "an empty line between the addresses": "Original-Recipient: rfc822;bob@example.org\n\n"
    "Final-Recipient: rfc822;bob@example.org\n\nAction: failed\n\nStatus: 5.1.1",
    "action and status in front of the recipient": "Action: failed\nStatus: 5.1.1\n\n"
    "Final-Recipient: rfc822;bob@example.org",
    "an empty line after each": "Final-Recipient: rfc822;bob@example.org\n\nAction: failed\n\nStatus: 5.1.1\n",
    "a comment": "Final-Recipient: rfc822;bob@example.org\nAction: failed\nStatus: 5.1.1 (bad destination mailbox)",
    "no action": "Final-Recipient: rfc822;bob@example.org\nStatus: 5.1.1",
    "a line that goes on without a space": "Final-Recipient: rfc822;bob@example.org\nAction: failed\nStatus: 5.0.0\n"
    "Diagnostic-Code: smtp; 550\n5.1.1 User unknown",
    "upper case": "FINAL-RECIPIENT: RFC822; bob@example.org\nACTION: FAILED\nSTATUS: 5.1.1",
}


@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS.keys())
def test_badly_written_fields_are_read(fields: str) -> None:
    found = classify(report(f"Reporting-MTA: dns; mx.example.net\n\n{fields}"))
    assert [(one.address, one.status, one.action) for one in found.recipients] == [(BOB, "5.1.1", "failed")]


def test_recipients_that_no_empty_line_parts_are_two() -> None:
    fields = (
        "Final-Recipient: rfc822;a@example.org\nAction: failed\nStatus: 5.1.1\nFinal-Recipient: rfc822;b@example.org\n"
    )
    found = classify(report(fields + "Action: delayed\nStatus: 4.4.1"))
    assert [(one.address, one.action, one.is_hard) for one in found.recipients] == [
        ("a@example.org", "failed", True),
        ("b@example.org", "delayed", False),
    ]
    assert found.kind is Kind.BOUNCE


def test_global_addresses_are_read() -> None:
    fields = "Final-Recipient: utf-8; gr\\x{FC}n@example.org\nAction: failed\nStatus: 5.1.1"
    found = classify(report(fields, kind="global-delivery-status", part="message/global-delivery-status"))
    assert [one.address for one in found.recipients] == ["grün@example.org"]


def test_fields_in_base64_are_read() -> None:
    fields = b64encode(b"Final-Recipient: rfc822;bob@example.org\nAction: failed\nStatus: 5.1.1\n").decode()
    part = "message/delivery-status\nContent-Transfer-Encoding: base64"
    assert [one.address for one in classify(report(fields, part=part)).recipients] == [BOB]


def test_fields_in_a_message_with_a_wrong_boundary_are_read() -> None:
    raw = dsn("5.1.1", "550 User unknown").replace(b'boundary="b"', b'boundary="other"')
    assert [one[:2] for one in classify(raw).recipients] == [(BOB, "5.1.1")]


STATUSES = [
    ("5.0.0", "550 5.1.1 User unknown", "5.1.1"),
    ("5.1.0", "550 5.7.1 Access denied", "5.7.1"),
    ("4.4.7", "554 5.2.2 Mailbox full", "5.2.2"),
    ("5.2.2", "550 5.2.1 Mailbox full", "5.2.2"),
    ("5.7.1", "550 see 192.0.2.5, 5.1.1.7 and version 5.6.7.8", "5.7.1"),
    ("5.7.26", "550-5.7.26 unauthenticated", "5.7.26"),
    ("", "550 User unknown", "5.0.0"),
    ("", "451 try again", "4.0.0"),
    ("2.0.0", "550 5.1.1 User unknown", "5.1.1"),
]


@pytest.mark.parametrize(("field", "diagnostic", "status"), STATUSES)
def test_the_code_that_says_most_is_the_status(field: str, diagnostic: str, status: str) -> None:
    assert classify(dsn(field, diagnostic)).recipients[0].status == status


def test_a_control_character_of_the_server_is_shown() -> None:
    [recipient] = classify(dsn("5.1.1", "550 \x1b[31mno")).recipients
    assert recipient.diagnostic == "550 \\x1b[31mno"


def test_what_follows_an_empty_line_belongs_to_the_recipient_above() -> None:
    fields = (
        "Final-Recipient: rfc822;a@example.org\nAction: failed\n\nStatus: 5.2.2\n\nFinal-Recipient: "
        "rfc822;b@example.org\n\nAction: delayed\nStatus: 4.4.1\nDiagnostic-Code: smtp; 451 4.4.1 try later"
    )
    found = classify(report(f"Reporting-MTA: dns; mx.example.net\n\n{fields}"))
    assert [(one.address, one.action, one.status) for one in found.recipients] == [
        ("a@example.org", "failed", "5.2.2"),
        ("b@example.org", "delayed", "4.4.1"),
    ]


SUPPLEMENTS = {
    "Domino": '<192.0.2.7 #5.0.0 smtp; 550 "Unknown User">',
    "Exchange": "<mx.example.org #5.1.1 smtp;550 5.1.1 Unknown User>",
    "no host": "< #5.1.1 SMTP; 550 Unknown User>",
    "bare": "550 Unknown User",
}


@pytest.mark.parametrize("value", SUPPLEMENTS.values(), ids=SUPPLEMENTS.keys())
def test_the_supplementary_information_is_the_diagnostic_where_there_is_no_other(value: str) -> None:
    fields = f"Final-Recipient: rfc822;{BOB}\nAction: failed\nStatus: 5.0.0\nX-Supplementary-Info: {value}"
    [recipient] = classify(report(f"Reporting-MTA: dns; mx.example.net\n\n{fields}")).recipients
    assert recipient.diagnostic.startswith("550")
    assert "Unknown User" in recipient.diagnostic
    assert ">" not in recipient.diagnostic


def test_a_diagnostic_is_shown_as_text_whatever_it_is_written_in() -> None:
    said = "宛先が見つかりません"
    for raw in (
        said.encode("iso-2022-jp"),
        said.encode("utf-8"),
        b"=?iso-2022-jp?b?" + b64encode(said.encode("iso-2022-jp")),
    ):
        tail = b"?=" if raw.startswith(b"=?") else b""
        message = dsn("5.1.1", "550 5.1.1 WORDS").replace(b"WORDS", raw + tail)
        assert classify(message).recipients[0].diagnostic == f"550 5.1.1 {said}"


@pytest.mark.parametrize(
    ("charset", "said"),
    [
        ("shift_jis", "宛先が見つかりません"),
        ("gb2312", "用户不存在"),
        ("big5", "使用者不存在"),
        ("euc-kr", "사용자를 찾을 수 없습니다"),
        ("koi8-r", "Пользователь не найден"),
        ("windows-1251", "Пользователь не найден"),
        ("windows-1252", "unbekannter Empfänger"),
    ],
)
def test_raw_bytes_in_the_fields_are_read_in_the_charset_of_the_text_beside_them(charset: str, said: str) -> None:
    message = dsn("5.1.1", "550 5.1.1 WORDS").replace(b"WORDS", said.encode(charset))
    named = message.replace(b"\n--b\n\n", f"\n--b\nContent-Type: text/plain; charset={charset}\n\n".encode(), 1)
    assert named != message
    assert classify(named).recipients[0].diagnostic == f"550 5.1.1 {said}"


def test_fields_that_are_encoded_and_folded_are_read() -> None:
    fields = (
        "Reporting-MTA: dns; mx.example.net\n\nFinal-Recipient: rfc822;\n  bob@example.org\nAction:\n failed\n"
        "Status:\n 5.1.1\n"
    )
    encoded = b64encode(fields.encode()).decode()
    raw = report(fields).replace(fields.encode(), f"{encoded}\n".encode())
    raw = raw.replace(b"delivery-status\n\n", b"delivery-status\nContent-Transfer-Encoding: base64\n\n", 1)
    assert encoded.encode() in raw
    assert [one[:3] for one in classify(raw).recipients] == [(BOB, "5.1.1", "failed")]


ANN = "ann@old.example"


def test_the_address_that_was_written_to_is_told_beside_the_one_that_failed() -> None:
    fields = (
        f"Original-Recipient: rfc822;{ANN}\nFinal-Recipient: rfc822;{BOB}\nAction: failed\nStatus: 5.1.1\n\n"
        "Original-Recipient: rfc822;DORA@example.org\nFinal-Recipient: rfc822;dora@example.org\nAction: failed\n"
        "Status: 5.1.1"
    )
    found = classify(report(f"Reporting-MTA: dns; mx.example.net\n\n{fields}"))
    assert [(one.address, one.original_recipient) for one in found.recipients] == [
        (BOB, ANN),
        ("dora@example.org", ""),
    ]


def test_the_returned_header_tells_it_only_where_it_is_sure() -> None:
    raw = dsn("5.1.1", "550 5.1.1 User unknown").replace(b"Message-ID: <1@example.com>", b"X-Original-To: A\nX-More: 1")
    assert b"X-Original-To: A" in raw

    def told(noted: str, more: str = "X-More: 1") -> str:
        changed = raw.replace(b"X-Original-To: A", f"X-Original-To: {noted}".encode())
        return classify(changed.replace(b"X-More: 1", more.encode())).recipients[0].original_recipient

    assert told("dora@example.org") == "dora@example.org"
    assert told(BOB) == ""
    assert told("stranger@example.org") == ""
    assert told("dora@example.org", "X-Original-To: bob@example.org") == ""
    assert told("dora@example.org", "List-Post: <mailto:dora@example.org>") == ""
    assert told("dora@example.org", "List-Id: The list <dora.example.org>") == ""
