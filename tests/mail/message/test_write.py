"""The writer of messages: what any mail program must be able to read, and what nobody can add to."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailmon.mail.message.write import alternative, encoded_words, html_page

FIELDS = ["From: mailmon <mon@example.org>", "To: admin@example.org"]


@given(st.text(max_size=400), st.text(max_size=200))
def test_every_text_arrives_as_it_was_written(text: str, subject: str) -> None:
    text, subject = text.encode("utf-8", "replace").decode(), subject.encode("utf-8", "replace").decode()
    raw = alternative([*FIELDS, f"Subject: {encoded_words(subject)}"], text, "<p>x</p>", "=_mailmon_1")
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    assert b"\n" not in raw.replace(b"\r\n", b"")
    message = message_from_bytes(raw, policy=default)
    part = message.get_body(("plain",))
    assert part is not None
    assert part.get_payload(decode=True).decode().replace("\r\n", "\n") == text.replace("\r\n", "\n")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "bad", ["To: a@example.org\nBcc: b@example.org", "To: a\r\nBcc: b", "Subject: a\rb", "X: a\n b"]
)
def test_a_line_end_in_a_field_adds_no_field(bad: str) -> None:
    with pytest.raises(ValueError, match="line end"):
        alternative([*FIELDS, bad], "text", "<p>text</p>", "=_mailmon_1")


def test_foreign_text_is_escaped_in_a_page() -> None:
    page = html_page("<b>title", [["<script>alert(1)</script>"]], '"footer" <i>')
    assert "<script>" not in page
    assert "&lt;b&gt;title" in page
    assert "&quot;footer&quot; &lt;i&gt;" in page
